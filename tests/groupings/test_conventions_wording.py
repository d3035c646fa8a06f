"""Names, agreements and dates as a legal document writes them."""

from datetime import date
from decimal import Decimal

import pytest

from groupings.conventions import wording


@pytest.mark.parametrize(
    ("kind", "name", "the", "of"),
    [
        ("commune", "Lattes", "la commune de Lattes", "de la commune de Lattes"),
        ("commune", "Le Crès", "la commune du Crès", "de la commune du Crès"),
        ("commune", "Les Matelles", "la commune des Matelles", "de la commune des Matelles"),
        ("commune", "Agde", "la commune d’Agde", "de la commune d’Agde"),
        ("commune", "Évian", "la commune d’Évian", "de la commune d’Évian"),
        ("commune", "La Grande-Motte", "la commune de La Grande-Motte", "de la commune de La Grande-Motte"),
        ("commune", "Ville de Lattes", "la ville de Lattes", "de la ville de Lattes"),
        ("commune", "Saint-Georges-d'Orques", "la commune de Saint-Georges-d’Orques", None),
        ("ccas", "CCAS de Lattes", "le CCAS de Lattes", "du CCAS de Lattes"),
        ("syndicat", "Syndicat mixte du Lez", "le syndicat mixte du Lez", "du syndicat mixte du Lez"),
        ("epci", "Communauté de communes X", "la communauté de communes X", "de la communauté de communes X"),
        ("metropole", "Montpellier Méditerranée Métropole", "Montpellier Méditerranée Métropole", None),
        ("other", "Office de tourisme", "Office de tourisme", "d’Office de tourisme"),
    ],
)
def test_bodies_take_their_article(kind, name, the, of):
    assert wording.with_article(kind, name) == the
    if of:
        assert wording.after_of(the) == of


def test_agreement_follows_the_name_before_the_kind():
    assert wording.is_feminine("commune", "Lattes") and wording.is_feminine("metropole", "Nantes Métropole")
    assert not wording.is_feminine("ccas", "CCAS de Lattes") and not wording.is_feminine("epci", "Syndicat X")


def test_places_dates_figures_and_signatories():
    assert wording.at_place("Le Crès") == "au Crès"
    assert wording.at_place("Les Matelles") == "aux Matelles"
    assert wording.at_place("Lattes") == "à Lattes"
    assert wording.at_place("").startswith("à …")
    assert wording.long_date(date(2027, 1, 1)) == "1er\u00a0janvier 2027"
    assert wording.long_date(date(2016, 8, 31)) == "31\u00a0août 2016"
    assert wording.spaced_siren("213401722") == "213\u00a0401\u00a0722"
    assert wording.amount_cell(Decimal("-1234.5")) == "-1\u202f234,50"
    assert wording.after_to("le II de l’article") == "au II de l’article"
    assert wording.after_to("l’article 8") == "à l’article 8"
    assert wording.signatory("Adjointe au maire", True) == "L’Adjointe au maire"
    assert wording.signatory("Présidente", True) == "La Présidente"
    assert wording.signatory("Maire", False) == "Le Maire"


def test_long_titles_are_shortened_at_a_word():
    assert wording.shortened("court", 62) == "court"
    assert wording.shortened("Fournitures de bureau et papier recyclé", 30) == "Fournitures de bureau et…"
    assert wording.shortened("W" * 200, 62) == "W" * 61 + "…"
