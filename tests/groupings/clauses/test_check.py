"""The check of a clause: every variant, every field printed, and what the PDF engine refuses."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from django.conf import settings
from django.template import Context, Template
from hypothesis import given
from hypothesis import strategies as st

from groupings.clauses import check, fields, language, variables
from groupings.clauses.articles import ARTICLES, shipped_texts, texts_fingerprint
from groupings.clauses.differences import differences
from groupings.clauses.variables import VARIABLES, values_of
from groupings.clauses.variants import problems_of_variants
from groupings.conventions import render
from groupings.conventions import values as frozen
from groupings.models import Grouping, Lot, Membership
from groupings.rules.legal_basis import table_rows
from members.models import Organisation
from tests.support.clauses import shipped, with_body
from tests.support.conventions import sample_values

LAYOUT = Path(settings.BASE_DIR) / "templates" / "conventions"


def messages(found) -> str:
    return " | ".join(problem.message for problem in found)


def test_the_shipped_text_passes_the_whole_check_and_never_changes():
    """Version 1 of every territory: conventions are frozen with it. Another text is another version, not this one."""
    texts = shipped_texts()
    assert [text.article.number for text in texts] == list(range(20))
    assert all(check.problems_of(text, texts) == [] for text in texts)
    assert texts_fingerprint(texts) == "dcf5b83c82b201f1abe560df5c189f56f020cf37d0ee7b7a8cc6ed5bce5bf8cb"


def test_an_empty_variable_printed_outside_its_condition_is_told():
    (found,) = problems_of_variants("<p>Le\n{{ date_lancement }}.</p>")
    assert "«\u00a0date_lancement\u00a0» peut être vide" in found.message
    assert (found.line, found.column) == (2, 1)
    assert problems_of_variants("<p>Le {% if date_lancement %}{{ date_lancement }}{% else %}…{% endif %}.</p>") == ()
    # Under the wrong condition, it may be empty still.
    assert problems_of_variants("<p>a{% if date_fin %}{{ date_lancement }}{% endif %}</p>")


def test_what_decides_of_an_empty_variable_is_known():
    """The clause of the statutes is filled when the coordinator has no need: the shipped text relies on it."""
    right = "<p>a{% if not coordonnateur_achete %}{{ clause_statuts }}{% endif %}</p>"
    assert problems_of_variants(right) == ()
    assert problems_of_variants("<p>a{% if coordonnateur_achete %}{{ clause_statuts }}{% endif %}</p>")
    assert problems_of_variants("<p>a{{ clause_statuts }}</p>")


def test_a_variant_that_prints_nothing_is_told_with_its_name():
    (found,) = problems_of_variants('{% if niveau_integration == "intégration totale" %}<p>a</p>{% endif %}')
    assert found.message.startswith("l’article n’imprime rien quand niveau_integration\u00a0= coordination")


def test_a_clause_that_tests_everything_is_tried_by_pairs_in_a_moment():
    names = [v.name for v in VARIABLES.values() if v.optional and not v.filled_when]
    body = "<p>a" + "".join(f"{{% if {name} %}}{{{{ {name} }}}}{{% endif %}}" for name in names) + "</p>"
    assert problems_of_variants(body) == ()
    assert problems_of_variants(body.replace("</p>", "{{ date_fin }}</p>"))


def test_the_field_that_would_be_lost_is_named():
    """Article 12 alone prints the firm duration; article 10 alone the ceiling of the fees."""
    body = shipped("duree").body.replace("{{ duree_mois }}", "plusieurs")
    found = messages(check.problems_of(replace(shipped("duree"), body=body), shipped_texts()))
    assert "plus nulle part ce qui est saisi pour la durée ferme" in found and "«\u00a0duree_mois\u00a0»" in found
    body = shipped("finances").body.replace("plafond_frais", "montant_frais")
    found = messages(check.problems_of(replace(shipped("finances"), body=body), shipped_texts()))
    assert "le plafond des frais" in found
    # Another article may print it instead.
    texts = with_body("litiges", shipped("litiges").body + "<p>{{ duree_mois }} mois.</p>\n")
    body = shipped("duree").body.replace("{{ duree_mois }}", "plusieurs")
    assert check.problems_of(replace(shipped("duree"), body=body), texts) == []


NOT_PRINTED = {
    Grouping: {
        "id",
        "legal_vehicle",
        "opened_on",
        "launched_on",
        "closed_on",
        "buyer",
        "jurist",
        "status",
        "renews",
        "is_declared_only",
        "declaring_department",
        "declared_participants",
        "declared_amount_excl_tax",
        "source",
        "version",
        "fee_base_currency",
        "fee_ceiling_currency",
        "declared_amount_excl_tax_currency",
    },
    Lot: {
        "id",
        "grouping",
        "cpv",
        "is_framework",
        "minimum_excl_tax",
        "maximum_excl_tax",
        "takes_small_lot_exception",
        "small_lot_reason",
        "minimum_excl_tax_currency",
        "maximum_excl_tax_currency",
    },
    Membership: {"is_pending", "id", "grouping", "joined_on", "withdrawn_on"},
    Organisation: {
        "id",
        "parent",
        "territory",
        "sort_name",
        "siret",
        "assembly_size",
        "actes_matter",
        "source",
        "is_active",
        "email",
        "phone",
        "reference_population",
    },
}


@pytest.mark.parametrize("model", NOT_PRINTED, ids=lambda model: model.__name__)
def test_every_field_of_the_card_is_printed_or_said_not_to_be(model):
    """A field added to a form and printed nowhere fails here: it joins ``FIELDS``, or the list above."""
    printed = {row.path.split(".")[1] for row in fields.FIELDS if row.path.startswith(f"{model.__name__}.")}
    names = {field.name for field in model._meta.concrete_fields}
    assert printed <= names
    assert names - printed - NOT_PRINTED[model] == set()


@pytest.mark.parametrize("row", fields.FIELDS, ids=lambda row: row.path)
def test_where_a_field_is_printed_is_true(row):
    assert row.layout or row.variables
    assert set(row.variables) <= set(VARIABLES)
    if row.layout:
        name, expression = row.layout
        assert expression in (LAYOUT / name).read_text(encoding="utf-8")
    elif row.layout is None:
        assert any(language.read(text.body).named & set(row.variables) for text in shipped_texts())


def test_the_variables_read_a_real_convention():
    values = sample_values(members=5, lots=2, fee_rule="FLAT_FEE")
    given = values_of(render._context(values))
    assert set(given) == set(VARIABLES)
    assert given["niveau_integration"] == "intégration partielle" and given["regle_frais"] == "forfait"
    assert given["lots"] == [
        "lot 1\u00a0: Fournitures de bureau\u202f;",
        "lot 2\u00a0: Papier recyclé et papier blanc.",
    ]
    assert given["date_lancement"] == "1er\u00a0avril 2027" and given["date_fin"] == ""
    assert given["periode_juridique"] == "code de la commande publique" and given["avec_ccas"] is True
    assert given["forfait_par_membre"] == "6\u202f400,00\u00a0€" and given["nombre_membres"] == 5


def test_a_cell_longer_than_a_page_is_refused_at_the_layout():
    cell = "<table><tr><td>" + "Texte d’une cellule beaucoup trop longue. " * 250 + "</td></tr></table>\n"
    problem = check.layout_problem(replace(shipped("litiges"), body=cell))
    assert problem is not None and "plus haut qu’une page" in problem.message
    assert check.layout_problem(shipped("finances")) is None


def test_a_sign_no_font_can_draw_is_refused_at_the_layout():
    problem = check.layout_problem(replace(shipped("litiges"), body="<p>中</p>\n"))
    assert problem is not None and "U+4E2D" in problem.message


def test_what_a_clause_prints_is_set_as_the_layout_does():
    source = "{% load clause_text %}{{ html|clause_layout }}¤{{ html|clause_screen }}"
    html = "<p>Vu le code\u00a0;</p><ul><li>a</li></ul><ol><li>b</li><li>c &lt;i&gt;</li></ol>"
    html += "<table><tr><td>d</td></tr></table>"
    layout, screen = Template(source).render(Context({"html": html})).split("¤")
    assert layout == (
        '<p class="visa">Vu le code\u00a0;</p><p class="item">– a</p><p class="item">1° b</p>'
        '<p class="item">2° c &lt;i&gt;</p><table class="grid"><tr><td>d</td></tr></table>'
    )
    assert "<ol><li>b</li><li>c &lt;i&gt;</li></ol>" in screen
    with pytest.raises(ValueError, match="script"):
        Template(source).render(Context({"html": "<p><script>x</script></p>"}))


def test_differences_are_told_by_words():
    before = "<p>Le préavis est de trois mois.</p>\n<p>Inchangé.</p>\n"
    after = "<p>Le préavis est de six mois francs.</p>\n<p>Inchangé.</p>\n"
    found = [(p.state, p.text) for p in differences(before, after)]
    assert [pair for pair in found if pair[0] != "kept"] == [
        ("removed", " trois"),
        ("added", " six"),
        ("added", " francs"),
    ]
    assert [p.state for p in differences(before, before)] == ["kept"]
    assert_whole(before, after)


def assert_whole(before: str, after: str) -> None:
    """Nothing of either text is missing from the comparison."""
    found = [(p.state, p.text) for p in differences(before, after)]
    assert "".join(text for state, text in found if state != "added") == before
    assert "".join(text for state, text in found if state != "removed") == after


@given(st.text("ab <p>\n{x}", max_size=40), st.text("ab <p>\n{x}", max_size=40))
def test_no_word_of_either_text_is_lost_in_the_comparison(before, after):
    assert_whole(before, after)


def test_the_longest_texts_are_compared_in_a_moment():
    before = "".join(f"<p>Alinéa {n} du texte initial.</p>\n" for n in range(600))
    after = before.replace("initial", "final")
    assert sum(p.state == "added" for p in differences(before, after)) == 600
    assert_whole(before, "un " * 9000)
    assert_whole("un " * 9000, "deux un " * 9000)


def test_every_article_has_its_key_and_its_text():
    assert len(ARTICLES) == 20 and len({hashlib.sha256(t.body.encode()).hexdigest() for t in shipped_texts()}) == 20
    assert shipped("responsabilite").heading == "Article\u00a011 – Responsabilité"


def test_every_value_a_convention_can_hold_has_its_french_word():
    """A row added to the legal table, a rule of fees added to the card: the clauses must be able to say it."""
    assert set(variables.PERIODS) == {row["code"] for row in table_rows()["basis"]}
    for words, codes in (
        (variables.INTEGRATION_LEVELS, frozen.IntegrationLevel),
        (variables.KINDS, frozen.Kind),
        (variables.COMMITTEES, frozen.CommitteeMode),
        (variables.FEE_RULES, frozen.FeeRule),
        (variables.CATEGORIES, frozen.Category),
    ):
        assert set(words) == set(get_args(codes))
        assert len(set(words.values())) == len(words)
