"""The documents themselves: one complete convention per member, right in every variant, the same bytes each time."""

import io
import re
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pypdf
import pytest
from django.conf import settings

from groupings.clauses.articles import shipped_texts
from groupings.conventions.render import render_common, render_member, texts_sha256
from groupings.conventions.values import LotValues, from_json, to_json
from procurement.core.documents.pdf import PdfError
from tests.support.conventions import COORDINATOR, sample_values

TEXTS = Path(settings.BASE_DIR) / "templates" / "conventions"
MONTPELLIER = "213401722"
LATTES = "213401292"


def pages_of(document: bytes) -> list[str]:
    reader = pypdf.PdfReader(io.BytesIO(document))
    return [" ".join(page.extract_text().replace("\xa0", " ").split()) for page in reader.pages]


def member_text(siren: str = MONTPELLIER, **options) -> str:
    values = sample_values(**{"members": 4, "lots": 2, **options})
    assert values.problems() == []
    return " ".join(pages_of(render_member(values, render_common(values, shipped_texts()), siren)))


@pytest.fixture(scope="module")
def big():
    """31 members, 6 lots: the values, the common part and one member's document."""
    values = sample_values()
    common = render_common(values, shipped_texts())
    return values, common, render_member(values, common, LATTES)


def test_a_large_grouping_makes_ten_to_twelve_numbered_pages(big):
    _, common, document = big
    pages = pages_of(document)
    assert 10 <= len(pages) <= 12 and len(pages) == common.total_pages
    for number, page in enumerate(pages, 1):
        assert f"Page {number} / {len(pages)}" in page
        assert "GC-2027-01" in page
        assert len(page) > 300  # no page is empty


def test_every_part_is_there_in_order(big):
    text = " ".join(pages_of(big[2]))
    places = [text.index(f"Article {number} – ") for number in range(1, 20)]
    parts = [text.index(part) for part in ("Parties Entre", "Préambule Vu", "Il est convenu")]
    ends = [text.index(f"Annexe {number} – ") for number in (1, 2, 3, 6)]
    signatures = text.index("Signatures Exemplaire")
    assert [*parts, *places, signatures, *ends] == sorted([*parts, *places, signatures, *ends])
    assert "Article 20" not in text


def test_every_member_is_a_party_and_in_the_annexes(big):
    values, _, document = big
    text = " ".join(pages_of(document))
    for member in values.members:
        spaced = " ".join((member.siren[:3], member.siren[3:6], member.siren[6:]))
        assert text.count(spaced) == 2  # its block and annex 1
    assert "La commune du Crès, identifiée sous le numéro SIREN 213 400 906" in text
    assert "Le CCAS de Montpellier, identifié sous" in text
    assert "représentée par Madame Hélène Œuvrard, Présidente, dûment habilitée par délibération n° 2027-011" in text
    assert "du conseil de métropole en date du 1er février 2027 et rendue exécutoire le 28 février 2027" in text
    assert "Monsieur Jérôme Durand, Maire, dûment habilité par délibération n° 2027-012 du conseil municipal" in text


def test_the_needs_annex_repeats_its_header_and_its_totals_are_exact(big):
    values, _, document = big
    reader = pypdf.PdfReader(io.BytesIO(document))
    wide = [page for page in reader.pages if page.mediabox.width > page.mediabox.height]
    assert len(wide) == 2
    for page in wide:
        assert "Tampons" in page.extract_text()  # the title of the last lot, in the header
    text = " ".join(wide[1].extract_text().replace("\xa0", " ").split())
    whole = sum(need.estimated_amount_excl_tax for need in values.needs)
    assert f"{whole:,.2f}".replace(",", " ").replace(".", ",") in text
    lot = sum(need.estimated_amount_excl_tax for need in values.needs if need.lot == 4)
    assert f"{lot:,.2f}".replace(",", " ").replace(".", ",") in text


def test_the_signature_page_is_this_member_s_with_the_coordinator(big):
    values, common, document = big
    page = pages_of(document)[common.first_member_page - 1]
    assert "Exemplaire de la commune de Lattes" in page
    assert "Pour la commune de Lattes" in page and "Pour Montpellier Méditerranée Métropole, coordonnateur" in page
    assert "La Maire, Madame Hélène Œuvrard" in page or "Le Maire, " in page
    others = [m for m in values.members if m.siren not in (LATTES, COORDINATOR)]
    assert not any(f"Pour la commune de {other.name}" in page for other in others)
    own = sum(need.estimated_amount_excl_tax for need in values.needs if need.siren == LATTES)
    assert f"{own:,.2f}".replace(",", " ").replace(".", ",") in page


def test_bookmarks_language_and_title_lead_through_the_document(big):
    reader = pypdf.PdfReader(io.BytesIO(big[2]))
    titles = [mark.title for mark in reader.outline]
    assert titles[:3] == ["Parties", "Préambule", "Article\xa01 – Objet"]
    assert titles.index("Signatures") == titles.index("Annexe\xa01 – Liste des membres") - 1
    assert len(titles) == 2 + 19 + 1 + 4
    assert reader.trailer["/Root"]["/Lang"] == "fr-FR"
    assert reader.metadata.title.startswith("Convention constitutive du groupement de commandes GC-2027-01")
    assert reader.metadata.author == "Montpellier Méditerranée Métropole"


def test_the_same_values_give_the_same_bytes(big):
    values, common, document = big
    again = from_json(to_json(values))
    assert render_common(again, shipped_texts()).pdf == common.pdf
    assert render_member(again, common, LATTES) == document
    assert render_member(values, common, MONTPELLIER) != document


def test_common_pages_of_another_convention_are_refused(big):
    with pytest.raises(ValueError, match="autre convention"):
        render_member(sample_values(title="Autre objet"), big[1], LATTES)
    with pytest.raises(KeyError):
        render_member(big[0], big[1], "999999999")


def test_a_missing_deliberation_marks_every_page_as_a_draft():
    values = sample_values(members=5, lots=2, voted=False)
    pages = pages_of(render_member(values, render_common(values, shipped_texts()), MONTPELLIER))
    assert all("PROJET" in page for page in pages)
    assert "par délibération à venir du conseil d’administration" in " ".join(pages)
    assert "PROJET" not in member_text(members=5)


def test_a_decision_not_yet_enforceable_is_a_draft_too():
    values = sample_values(members=4, lots=1)
    voted = replace(values.members[1].deliberation, executory_on=None, number="")
    members = (values.members[0], replace(values.members[1], deliberation=voted), *values.members[2:])
    values = replace(values, members=members)
    text = " ".join(pages_of(render_member(values, render_common(values, shipped_texts()), MONTPELLIER)))
    assert "par délibération du conseil municipal en date du 2 février 2027, qui n’est pas encore exécutoire" in text
    assert "PROJET" in text


@pytest.mark.parametrize(
    ("level", "sentence"),
    [
        ("COORDINATED", "Chaque membre signe avec le titulaire retenu un marché à hauteur de ses besoins propres"),
        ("PARTIAL", "Chaque membre exécute le marché pour ses propres besoins"),
        ("FULL", "Il refacture à chaque membre"),
    ],
)
def test_integration_levels(level, sentence):
    others = {"COORDINATED", "PARTIAL", "FULL"} - {level}
    assert sentence in member_text(integration_level=level)
    assert all(sentence not in member_text(integration_level=other) for other in others)


def test_permanent_and_one_off():
    permanent, one_off = member_text(kind="permanent"), member_text()
    assert "groupement de commandes permanent" in permanent and "Annexe 5 – Modèle de bulletin" in permanent
    assert "avec un préavis de 3 mois" in permanent
    assert "ne peut pas bénéficier des marchés" in one_off and "Annexe 5 –" not in one_off


def test_tender_committees():
    specific, coordinator = member_text(committee_mode="SPECIFIC"), member_text()
    assert "commission d’appel d’offres propre au groupement" in specific
    assert "Annexe 4 – Composition" in specific and "Anaïs Noël" in specific and "À désigner" in specific
    assert "au II de l’article L. 1414-3" in coordinator and "Annexe 4 –" not in coordinator


@pytest.mark.parametrize(
    ("rule", "base", "sentence"),
    [
        ("FREE", None, "La mission de coordonnateur est exercée à titre gratuit"),
        ("EQUAL_SHARES", Decimal("1000"), "par parts égales entre les membres"),
        ("POPULATION", Decimal("1000"), "au prorata de leur population municipale"),
        ("ESTIMATED_AMOUNT", Decimal("1000"), "Leur répartition, arrêtée au centime, figure à l’annexe 3"),
        ("ACTUAL_SPEND", Decimal("1000"), "la répartition définitive est arrêtée au centime"),
        ("FLAT_FEE", Decimal("150"), "Le forfait est de 150,00 € hors taxes par membre, soit 600,00 €"),
        ("EQUAL_SHARES", None, "Les parts sont arrêtées au centime d’après les dépenses engagées"),
    ],
)
def test_fee_rules(rule, base, sentence):
    text = member_text(fee_rule=rule, fee_base=base)
    assert sentence in text
    if rule == "EQUAL_SHARES" and base:
        assert "leur somme est exactement 1 000,00 €" in text and "250,00 hors" not in text


def test_a_member_that_is_a_ccas_brings_its_own_law():
    assert [member.kind for member in sample_values(members=4).members].count("ccas") == 1
    assert "code de l’action sociale et des familles" in member_text(members=4)
    assert "code de l’action sociale et des familles" not in member_text(members=3)


def test_a_coordinator_without_need_cites_its_statutes():
    text = member_text(coordinator_has_own_need=False, statutes_clause_ref="article 5.2", fee_rule="FREE")
    assert "L. 5211-4-4" in text and "(article 5.2)" in text
    assert "L. 5211-4-4" not in member_text()


@pytest.mark.parametrize(
    ("as_of", "present", "absent"),
    [
        (date(2016, 3, 15), "l’article 8 du code des marchés publics", "code de la commande publique"),
        (date(2016, 6, 15), "l’article 28 de l’ordonnance n° 2015-899", "code des marchés publics"),
        (date(2027, 3, 15), "les articles L. 2113-6 à L. 2113-8", "ordonnance n° 2015-899"),
    ],
)
def test_conventions_are_under_the_law_of_their_day(as_of, present, absent):
    text = member_text(as_of=as_of)
    assert present in text
    # « droit de la commande publique » names the subject, whatever the day
    assert absent not in text
    assert ("RGPD" in text) is (as_of.year > 2018)
    assert ("Il n’y a pas de solidarité" in text) is (as_of < date(2016, 4, 1))


HOSTILE = 'Établissement Œuvre œ ÿ É « bois » & <b>gras</b> "d\'Âne" =1+1 {{ v.title }} {% now %} '


@pytest.mark.parametrize("name", [(HOSTILE * 3)[:200], "W" * 200, "=1+1", "<b>&\"'"])
def test_hostile_and_endless_names_are_printed_whole(name):
    values = sample_values(members=4, lots=2)
    representative = replace(values.members[1].representative, name=name)
    second = replace(values.members[1], name=name, address=name, representative=representative)
    values = replace(values, title=name, members=(values.members[0], second, *values.members[2:]))
    document = render_member(values, render_common(values, shipped_texts()), second.siren)
    drawn = re.sub(r"\s", "", "".join(pages_of(document))).replace("’", "'")
    assert drawn.count(re.sub(r"\s", "", name)) >= 8  # title, parties, annexes, signature


def test_a_member_s_page_that_overflows_takes_two_and_is_still_numbered():
    long_title = "Intitulé de lot très détaillé, " * 6
    lots = tuple(LotValues(number, long_title.strip()[:200]) for number in range(1, 25))
    values = replace(sample_values(members=3, lots=24), lots=lots)
    common = render_common(values, shipped_texts())
    pages = pages_of(render_member(values, common, MONTPELLIER))
    assert len(pages) == common.total_pages + 1
    for number, page in enumerate(pages, 1):
        assert f"Page {number} / {len(pages)}" in page
    signature = " ".join(pages[common.first_member_page - 1 : common.first_member_page + 1])
    assert "lot 24" in signature.lower() and "Signature et cachet" in signature
    assert "Annexe 1 – Liste" in pages[common.first_member_page + 1]


def test_a_name_no_font_can_draw_is_refused():
    values = sample_values(members=3, lots=1, title="中")
    with pytest.raises(PdfError, match=r"U\+4E2D"):
        render_common(values, shipped_texts())


def test_a_body_without_representative_address_or_need():
    values = sample_values(members=4, lots=1)
    bare = replace(values.members[1], representative=None, address="", city="", contact="")
    needs = tuple(need for need in values.needs if need.siren != bare.siren)
    values = replace(values, members=(values.members[0], bare, *values.members[2:]), needs=needs)
    text = " ".join(pages_of(render_member(values, render_common(values, shipped_texts()), bare.siren)))
    assert "représentée par son maire en exercice, dûment habilité(e)" in text
    assert "aucun montant recensé à ce jour" in text and "Adresse à compléter" in text
    nowhere = replace(values, members=tuple(replace(member, address="", contact="") for member in values.members))
    text = " ".join(pages_of(render_member(nowhere, render_common(nowhere, shipped_texts()), bare.siren)))
    assert "Siège et référent" not in text and "Adresse à compléter" not in text


def test_unit_prices_and_their_history_have_no_place_in_the_values():
    names = " ".join(to_json(sample_values(members=3)).keys()) + " ".join(to_json(sample_values(members=3))["needs"][0])
    assert "price" not in names


def test_no_file_of_the_layout_escapes_its_fingerprint(settings, tmp_path):
    before = texts_sha256()
    copy = tmp_path / "templates" / "conventions"
    copy.mkdir(parents=True)
    for path in TEXTS.iterdir():
        (copy / path.name).write_bytes(path.read_bytes())
    settings.BASE_DIR = tmp_path
    assert texts_sha256() == before
    (copy / "annexes_list.html").write_text("autre texte", encoding="utf-8")
    assert texts_sha256() != before


SHIPPED = Path(settings.BASE_DIR) / "groupings" / "clauses" / "shipped"


@pytest.mark.parametrize("path", sorted([*TEXTS.glob("*.html"), *SHIPPED.iterdir()]), ids=lambda path: path.name)
def test_texts_are_safe_and_typeset(path):
    source = path.read_text(encoding="utf-8")
    assert "|safe" not in source and "autoescape" not in source and "style=" not in source and "<script" not in source
    prose = re.sub(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}|<[^>]*>", "¤", source, flags=re.DOTALL)
    assert "'" not in prose, "an apostrophe is ’"
    assert not re.search(r" [;:!?»%€]", prose), "a no-break space comes before ; : ! ? » % €"
    assert not re.search(r"« |n° |\bL\. \d", prose)
