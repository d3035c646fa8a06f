"""What the filters write, to the very space. Expected texts are typed by hand: U+202F is \\u202f, U+00A0 is \\xa0."""

import re
from datetime import date
from decimal import Decimal

import pytest
from django.conf import settings
from django.template import Context, Template
from django.utils.safestring import SafeString
from djmoney.money import Money

from procurement.core.templatetags import fr


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (Decimal("1234567.89"), "1\u202f234\u202f567,89\xa0€"),
        (Decimal("0"), "0,00\xa0€"),
        (Decimal("-1234.5"), "-1\u202f234,50\xa0€"),
        (Decimal("2.665"), "2,67\xa0€"),
        (12, "12,00\xa0€"),
        (Money("999.90", "EUR"), "999,90\xa0€"),
        (None, "—"),
        ("", "—"),
    ],
)
def test_eur(value, written):
    assert fr.eur(value) == written


@pytest.mark.parametrize("filter_", [fr.eur, fr.nombre, fr.pct])
def test_a_float_is_refused(filter_):
    with pytest.raises(TypeError):
        filter_(0.1)


@pytest.mark.parametrize(
    ("value", "decimals", "written"),
    [
        (2016, 0, "2\u202f016"),
        (Decimal("1234567"), 0, "1\u202f234\u202f567"),
        (Decimal("2.5"), 0, "3"),  # half up; the language's own formatting gives 2
        (Decimal("-2.5"), 0, "-3"),
        (Decimal("-0.4"), 0, "0"),
        (Decimal("1234.25"), 1, "1\u202f234,3"),
        (Decimal("7"), 2, "7,00"),
        (0, 0, "0"),
        (None, 0, "—"),
    ],
)
def test_nombre(value, decimals, written):
    assert fr.nombre(value, decimals) == written


@pytest.mark.parametrize(("value", "written"), [(Decimal("24.65"), "24,7\xa0%"), (0, "0,0\xa0%"), (None, "—")])
def test_pct(value, written):
    assert fr.pct(value) == written


@pytest.mark.parametrize(
    ("value", "short", "long"),
    [
        (date(2026, 11, 22), "22/11/2026", "22\xa0novembre 2026"),
        (date(2026, 3, 1), "01/03/2026", "1<sup>er</sup>\xa0mars 2026"),
        (None, "—", "—"),
    ],
)
def test_dates(value, short, long):
    assert fr.jour(value) == short
    assert fr.date_longue(value) == long


@pytest.mark.parametrize(
    ("typed", "written"),
    [
        ("Objet : l'achat", "Objet\xa0: l’achat"),
        ("Vraiment ?  Oui ; non !", "Vraiment\u202f?  Oui\u202f; non\u202f!"),
        ("dit « papier »", "dit «\xa0papier\xa0»"),
        ("10 € et 20 % à 14 h", "10\xa0€ et 20\xa0% à 14\xa0h"),
        ("n° 12, art. 8", "n°\xa012, art.\xa08"),
        ("https://exemple.fr", "https://exemple.fr"),
        ("14:05", "14:05"),
    ],
)
def test_typo(typed, written):
    assert fr.typo(typed) == written


def test_typo_never_makes_a_text_safe():
    assert not isinstance(fr.typo(SafeString("<b>l'un</b>")), SafeString)
    assert Template("{{ text|typo }}").render(Context({"text": "<b>l'un</b>"})) == "&lt;b&gt;l’un&lt;/b&gt;"


@pytest.mark.parametrize(("count", "written"), [(0, ""), (1, ""), (2, "s"), (-1, ""), (-2, "s")])
def test_zero_and_one_are_singular(count, written):
    assert fr.pluriel(count) == written


def test_plural_forms():
    assert [fr.pluriel(n, "al,aux") for n in (1, 2)] == ["al", "aux"]


def test_icon_escapes_its_arguments_and_hides_from_screen_readers():
    drawn = fr.icone('x"><script>', "pale")
    assert "<script>" not in drawn
    assert 'aria-hidden="true"' in drawn
    assert 'class="ic pale"' in drawn


def test_every_icon_used_is_in_the_sprite_and_every_icon_of_the_sprite_is_used():
    root = settings.BASE_DIR
    sprite = set(re.findall(r'<symbol id="([^"]+)"', (root / "procurement/static/icons.svg").read_text()))
    sources = [*root.glob("templates/**/*.html")]
    for package in ("procurement", "members", "groupings", "savings"):
        sources += (root / package).glob("**/*.py")
    text = "\n".join(path.read_text() for path in sources)
    named = set(re.findall(r"""{% icone ["']([\w-]+)["']""", text)) | set(re.findall(r'icon="([\w-]+)"', text))
    assert named <= sprite
    unused = {name for name in sprite - named if not re.search(rf"""["']{name}["']""", text)}
    assert not unused
