"""The language of clauses: what it takes, what it refuses and in which words, and that nothing gets round it."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from groupings.clauses import language, markup
from groupings.clauses.articles import shipped_texts
from groupings.clauses.problems import ClauseProblem
from groupings.clauses.variables import VARIABLES, Kind

SAMPLES = {name: variable.sample for name, variable in VARIABLES.items()}


def problems(body: str) -> list[str]:
    return [problem.told("Article 11") for problem in language.read(body).problems]


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (
            "<p>Texte\n<b>gras</p>\n",
            "ligne 2, colonne 8\u00a0: la balise </p> ferme <p> alors que <b> est encore ouverte.",
        ),
        ("<p>Texte", "ligne 1, colonne 1\u00a0: la balise <p> n’est jamais fermée\u00a0; ajoutez </p>."),
        ("<p>a</p></p>", "colonne 9\u00a0: la balise </p> ne ferme aucune balise ouverte."),
        (
            "<p>a</p>\n<p>{{ coordinateur }}</p>",
            "ligne 2, colonne 7\u00a0: la variable «\u00a0coordinateur\u00a0» n’existe pas",
        ),
        ("<p>{{ coordinateur }}</p>", "vouliez-vous écrire «\u00a0coordonnateur\u00a0»"),
        (
            "<p>{{ settings.SECRET_KEY }}</p>",
            "colonne 7\u00a0: «\u00a0settings.SECRET_KEY\u00a0» n’est pas une variable",
        ),
        ("<p>{{ objet.__class__ }}</p>", "sans point ni crochet"),
        ("<p>{{ objet['x'] }}</p>", "sans point ni crochet"),
        ("<p>{{ objet|safe }}</p>", "aucun filtre n’est permis"),
        ("<p>{{ range(10) }}</p>", "aucun calcul ni appel n’est permis"),
        ("<p>{{ 7 * 7 }}</p>", "n’est pas une variable"),
        ("<p>{{ }}</p>", "ne nomment aucune variable"),
        ("{% include 'x' %}", "l’instruction «\u00a0include\u00a0» n’est pas permise"),
        ("{% set x = 1 %}", "l’instruction «\u00a0set\u00a0» n’est pas permise"),
        ("{% macro x() %}{% endmacro %}", "l’instruction «\u00a0macro\u00a0» n’est pas permise"),
        ("{% raw %}{% endraw %}", "l’instruction «\u00a0raw\u00a0» n’est pas permise"),
        ("<p>{% if avec_ccas %}a</p>", "la condition {% if %} n’est jamais fermée"),
        ("<p>a{% endif %}</p>", "{% endif %} est de trop"),
        ("<p>{% if avec_ccas %}a{% else %}b{% else %}c{% endif %}</p>", "vient après {% else %}"),
        (
            "<p>{% if avec_ccas %}a{% elif avec_communes %}b{% endif %",
            "l’accolade «\u00a0{%\u00a0» n’est jamais refermée",
        ),
        ("<p>{{ objet }</p>", "l’accolade «\u00a0{{\u00a0» n’est jamais refermée"),
        ("{% if avec_ccas %}<p>a{% endif %}</p>", "cette branche ouvre <p> sans la fermer"),
        ("<p>a{% if avec_ccas %}</p>{% endif %}", "cette branche ferme <p>, ouverte avant la condition"),
        ("<p class='x'>a</p>", "la balise <p> ne prend aucun attribut"),
        ('<p onclick="x">a</p>', "la balise <p> ne prend aucun attribut"),
        ("<script>alert(1)</script>", "la balise <script> n’est pas permise"),
        ("<p><img src=x></p>", "la balise <img> n’est pas permise"),
        ("<!-- a -->", "les commentaires"),
        ("<p>3 < 4</p>", "dans un texte, écrivez &lt;."),
        ("hors", "il y a du texte hors de tout paragraphe"),
        ("{{ objet }}", "il y a du texte hors de tout paragraphe"),
        ("<ul>texte</ul>", "il y a du texte dans <ul>"),
        ("<p>a<p>b</p></p>", "la balise <p> ne peut pas être placée dans <p>"),
        ("<li>a</li>", "la balise <li> ne peut pas être placée à cet endroit"),
        ('<p>{% if niveau_integration == "totale" %}a{% endif %}</p>', "ne vaut jamais «\u00a0totale\u00a0»"),
        ("<p>{% if niveau_integration %}a{% endif %}</p>", "se compare à l’une de ses valeurs"),
        ("<p>{% if nombre_lots == '2' %}a{% endif %}</p>", "un nombre entier"),
        ("<p>{% if objet == 'x' %}a{% endif %}</p>", "ne se compare pas ainsi"),
        ("<p>{% if 1 == 1 %}a{% endif %}</p>", "une variable à gauche et une valeur à droite"),
        ("<p>{% if avec_ccas( %}a{% endif %}</p>", "mal écrite"),
        ("<p>{% if avec_ccas == %}a{% endif %}</p>", "mal écrite"),
        ("<p>{% if %}a{% endif %}</p>", "la condition ne dit rien"),
        ("<p>{% if not avec_ccas.x %}a{% endif %}</p>", "«\u00a0x\u00a0» n’existe pas"),
        ("<p>{{ avec_ccas }}</p>", "ne s’imprime pas"),
        ("<p>{{ lots }}</p>", "ne s’imprime pas"),
        ("<p>{{ lot }}</p>", "ne s’écrit que dans une boucle"),
        ("{% for x in lots %}{% endfor %}", "cette boucle n’existe pas"),
        ("{% for lot in lots recursive %}{% endfor %}", "cette boucle n’existe pas"),
        ("{% for lot in lots.__class__ %}{% endfor %}", "cette boucle n’existe pas"),
    ],
)
def test_every_mistake_is_told_in_one_sentence_with_its_place(body, sentence):
    found = problems(body)
    assert any(sentence in told for told in found), found
    assert all(re.match(r"Article 11, ligne \d+, colonne \d+\u00a0: ", told) for told in found), found


def test_an_article_of_forty_pages_is_refused_in_one_sentence():
    (told,) = problems("<p>" + "Texte juridique. " * 8000 + "</p>")
    assert told == (
        "Article 11\u00a0: l’article compte 136\u202f007 signes\u00a0; il ne peut pas dépasser 20\u202f000 signes "
        "(une dizaine de pages). Mettez le surplus en annexe."
    )


def test_what_is_right_is_read_and_printed():
    body = (
        '<h3>Durée</h3>\n<p>{% if nombre_lots > 1 and not avec_ccas %}A{% elif type_groupement == "permanent" %}B'
        "{% else %}C {{ duree_mois }} mois{% endif %} &amp; suite<br>fin</p>\n"
        "<ol>{% for lot in lots %}<li>{{ lot }}</li>{% endfor %}</ol>\n<table><tr><th>a</th><td>b</td></tr></table>\n"
    )
    reading = language.read(body)
    assert reading.problems == ()
    assert reading.printed == {"duree_mois", "lots"}
    assert reading.tested == {"nombre_lots", "avec_ccas", "type_groupement"}
    rendered = language.render(body, SAMPLES | {"nombre_lots": 1, "type_groupement": "ponctuel", "lots": ["lot 1."]})
    assert "<p>C 24 mois &amp; suite<br>fin</p>" in rendered and "<ol><li>lot 1.</li></ol>" in rendered
    assert markup.plain_text(rendered).splitlines() == ["Durée", "C 24 mois & suite", "fin", "lot 1.", "a b"]


def test_data_are_escaped_and_never_read_as_a_template():
    rendered = language.render("<p>{{ objet }}</p>", SAMPLES | {"objet": "<b>l'été</b> {{ tribunal }}"})
    assert rendered == "<p>&lt;b&gt;l&#39;été&lt;/b&gt; {{ tribunal }}</p>"
    assert markup.plain_text(rendered) == "<b>l'été</b> {{ tribunal }}"


def test_a_wrong_text_is_never_rendered():
    with pytest.raises(ValueError, match="n’est pas une variable"):
        language.render("<p>{{ objet.x }}</p>", SAMPLES)


def test_the_last_gate_lets_nothing_but_the_closed_tags_through():
    for hostile in ("<script>a</script>", "<p onclick='x'>a</p>", "<p>a", "a", "<p><a href='x'>a</a></p>"):
        with pytest.raises(ValueError, match="Clause"):
            list(markup.pieces(hostile))


@pytest.mark.parametrize("text", shipped_texts(), ids=lambda text: text.key)
def test_the_shipped_articles_are_written_in_the_language(text):
    assert problems(text.body) == []
    assert language.normalised(text.body) == text.body


def test_a_text_is_kept_with_one_kind_of_line_end_and_no_control_character():
    assert language.normalised("\r\n<p>e\u0301te\u0301\x00</p>  \r<p>b</p>\n\n") == "<p>été</p>\n<p>b</p>\n"


def test_a_deep_nest_of_conditions_is_refused_and_breaks_nothing():
    deep = "<p>" + "{% if avec_ccas %}" * 500 + "a" + "{% endif %}" * 500 + "</p>"
    assert language.read(deep).problems
    brackets = "<p>{% if " + "(" * 4000 + "avec_ccas" + ")" * 4000 + " %}a{% endif %}</p>"
    assert language.read(brackets).problems


FRAGMENTS = st.sampled_from(
    [
        "<p>",
        "</p>",
        "<b>",
        "</b>",
        "<ul>",
        "<li>",
        "</li>",
        "</ul>",
        "<br>",
        "<td",
        "<",
        ">",
        "&",
        "&lt;",
        "{{",
        "}}",
        "{%",
        "%}",
        "{#",
        "#}",
        " if ",
        "{% if avec_ccas %}",
        "{% else %}",
        "{% endif %}",
        "{% elif nombre_lots > 1 %}",
        "{{ objet }}",
        "{{ objet.x }}",
        "{{ x }}",
        "{% for lot in lots %}",
        "{{ lot }}",
        "{% endfor %}",
        "{% raw %}",
        "{%- if avec_ccas -%}",
        "{{-objet-}}",
        '"',
        "'",
        "\\",
        "\\N{",
        '{% if avec_ccas and "%}" %}',
        "\n",
        "été",
        " ",
        "{% if nombre_lots == 99999999999999999999999 %}",
        "{% include 'x' %}",
        "__class__",
        "|safe",
        "()",
        "\x00",
        "\ud800",
        "{{ '}}' }}",
        '{{ "<script>" }}',
        "{% set x=1 %}",
        "{% if objet is defined %}",
        "# for",
        "{{ self }}",
        "loop",
    ]
)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.one_of(st.lists(FRAGMENTS, max_size=14).map("".join), st.text(max_size=60)))
def test_whatever_is_typed_the_answer_is_a_list_of_sentences(body):
    """Nothing but ClauseProblem; and a text without a problem prints the closed HTML, and nothing of the machine."""
    reading = language.read(body)
    assert all(isinstance(problem, ClauseProblem) and problem.message for problem in reading.problems)
    if not reading.problems:
        rendered = language.render(body, SAMPLES)
        assert markup.problems_of(rendered) == []
        assert "__class__" not in rendered or "__class__" in body


def test_the_catalogue_is_complete_and_readable():
    for variable in VARIABLES.values():
        assert re.fullmatch(r"[a-z_]+", variable.name) and variable.meaning
        assert (variable.kind == Kind.CHOICE) == bool(variable.choices)
        assert (variable.kind == Kind.LIST) == bool(variable.item)
        assert not variable.filled_when or variable.optional
        if variable.kind == Kind.LIST:
            assert language.read(f"<ul>{variable.written}</ul>").problems == ()
        else:
            assert language.read(f"<p>{variable.written}</p>").problems == (), variable.name
