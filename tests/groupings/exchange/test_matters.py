"""The ACTES nomenclature: 57 codes, 7.10 that stays 7.10, the names SCDL wants, the objects of acts compared."""

from decimal import Decimal

import pytest

from groupings.exchange import matters
from groupings.exchange.subjects import groupement_hint, similarity, words

# Interop, § 3: how many codes each chapter of the State's table holds.
SIZES = {"1": 7, "2": 3, "3": 6, "4": 5, "5": 8, "6": 5, "7": 10, "8": 9, "9": 4}


def test_the_whole_nomenclature_is_there_in_its_order():
    codes = [code for _, group in matters.choices() for code, _ in group]
    assert codes == [f"{level1}.{level2}" for level1, size in SIZES.items() for level2 in range(1, size + 1)]
    assert len(codes) == 57
    assert all(matters.is_known(code) and matters.label(code) for code in codes)


def test_labels():
    assert matters.label("1.7") == "Commande publique – Actes spéciaux et divers"
    assert matters.label("7.10") == "Finances locales – Divers"
    assert matters.scdl_name("1.7") == "commande publique/actes spéciaux et divers"
    assert matters.scdl_name("7.9") == "finances locales/prise de participation sem etc."
    assert matters.choices()[0][0] == "1 Commande publique"
    assert matters.choices()[0][1][6] == ("1.7", "1.7 Actes spéciaux et divers")
    assert matters.is_known(matters.DEFAULT)
    with pytest.raises(KeyError):
        matters.label("7.11")


def test_no_unknown_code_passes_for_known():
    for code in ("", "7", "7.11", "1.8", "10.1", "1,7", " 1.7", "1.70"):
        assert not matters.is_known(code)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("7.10", "7.10"),
        ("7.1", "7.1"),
        (" 1.7 ", "1.7"),
        ("1,7", "1.7"),
        ("7,10", "7.10"),
        ("01.07", "1.7"),
        ("1.7.", "1.7"),
        ("1.7.2", "1.7"),
        ("7.10.2.1", "7.10"),
        (Decimal("7.1"), "7.1"),
        (Decimal("7.10"), "7.10"),
    ],
)
def test_a_code_is_a_text(written, code):
    assert matters.normalise(written) == code


@pytest.mark.parametrize("written", [None, "", "7", "1-7", "Commande publique", "07/10/2023", "٧.١", "123.4", "1.777"])
def test_what_is_no_code(written):
    with pytest.raises(ValueError, match="n’est pas un code de matière"):
        matters.normalise(written)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Finances locales/Divers", "7.10"),
        ("DIVERS", "7.10"),
        ("Finances locales - divers", "7.10"),
        ("Finances locales/Decisions budgetaires", "7.1"),
        ("Décisions budgétaires (budget, divers)", "7.1"),
        ("Finances locales", "7.1"),
        ("", "7.1"),
    ],
)
def test_7_1_called_divers_was_7_10(name, code):
    assert matters.normalise("7.1", name) == matters.normalise(Decimal("7.1"), name) == code


def test_only_7_1_is_ever_restored():
    assert matters.normalise("1.7", "Commande Publique/Actes speciaux et divers") == "1.7"
    assert matters.normalise("7.5", "Divers") == "7.5"


def test_the_name_of_a_code_without_accents_case_nor_punctuation():
    assert matters.has_name("1.7", "COMMANDE PUBLIQUE/Actes speciaux et divers")
    assert matters.has_name("6.1", "Libertes publiques et pourvoirs de police/Police municipale")  # as Mégalis has it
    assert matters.has_name("1.6", "commande publique/actes relatifs à la maîtrise d'oeuvre")
    assert not matters.has_name("1.1", "Commande publique/Actes spéciaux et divers")
    assert not matters.has_name("1.7", "Actes spéciaux et divers")
    assert not matters.has_name("9.9", "")
    assert all(matters.has_name(code, matters.scdl_name(code)) for _, group in matters.choices() for code, _ in group)


CARBURANTS = "Fourniture de carburants et recharge des véhicules"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CARBURANTS, {"carburant", "recharge", "vehicule"}),
        ("Adhésion au groupement de commandes pour l’achat de carburants", {"carburant"}),
        ("Plan dAction pour lEau", {"plan", "action", "eau"}),
        ("Entretien des bâtiments communaux, tableaux et canaux", {"entretien", "batiment", "tableau", "canal"}),
        ("2023_12-045 : Œuvres d'art – lot n° 2", {"oeuvre", "art"}),
        ("Groupement dachat : ladhésion dune commune", set()),
        ("", set()),
        ("DADS", {"dad"}),  # capitals all along: no apostrophe was lost
    ],
)
def test_words_that_tell_one_object_from_another(text, expected):
    assert words(text) == expected


@pytest.mark.parametrize(
    ("subject", "wanted", "percent"),
    [
        ("Adhésion au groupement de commandes pour l'achat de carburants", CARBURANTS, 100),  # carburant, of 1
        ("Vérification des véhicules municipaux", CARBURANTS, 50),  # vehicule, of verification and vehicule
        ("20-117 Fourniture en vrac de carburants : recharge de bus électriques", CARBURANTS, 66),  # 2 of 3
        ("Marché délectricité", "Fourniture d’électricité", 100),  # the apostrophe lost
        ("Fourniture d’électricité", "Achat lélectricité", 100),
        ("Convention de groupement de commandes", CARBURANTS, 0),  # says nothing of what is bought
        ("Subvention au club de football", CARBURANTS, 0),
        ("", "", 0),
    ],
)
def test_similarity(subject, wanted, percent):
    assert similarity(subject, wanted) == percent
    assert similarity(wanted, subject) == percent


@pytest.mark.parametrize(
    "subject",
    [
        "Adhésion au groupement de commandes carburants",
        "GROUPEMENTS DE COMMANDE - avenant n° 1",
        "Groupement d’achat d’électricité",
        "Groupement dachats",
        "Approbation de la convention constitutive",
        "Achats groupés de fournitures",
        "Marché public mutualisé de nettoyage",
        "Mutualisation des achats",
    ],
)
def test_an_object_speaks_of_a_groupement(subject):
    assert groupement_hint(subject)


@pytest.mark.parametrize(
    "subject",
    [
        "Groupement momentané d’entreprises",
        "Commande publique : marché de voirie",
        "Convention constitutive du groupement d’intérêt public Emploi",
        "Regroupement des écoles",
        "",
    ],
)
def test_an_object_speaks_of_something_else(subject):
    assert not groupement_hint(subject)
