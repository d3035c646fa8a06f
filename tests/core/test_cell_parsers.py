"""Each parser: what it accepts as the user types it, what it refuses and the sentence it says."""

import datetime as dt
from decimal import Decimal

import pytest

from procurement.core import cell_parsers as parse

D = Decimal


@pytest.mark.parametrize(
    ("parser", "cell", "value"),
    [
        (parse.siren, "213 401 722", "213401722"),
        (parse.siren, D(5520176), "005520176"),  # a number cell lost its two zeros
        (parse.siret, "213 401 722 00011", "21340172200011"),
        (parse.siret, "35600000000048", "35600000000048"),  # La Poste, head office: the usual key
        (parse.siret, "35600000049837", "35600000049837"),  # La Poste, an office: digits add up to a multiple of five
        (parse.insee_code, "34172", "34172"),
        (parse.insee_code, "2a004", "2A004"),
        (parse.insee_code, D(1004), "01004"),
        (parse.integer(), "307 101", 307101),
        (parse.integer(), "307\u202f101", 307101),
        (parse.integer(), D("12.0"), 12),
        (parse.integer(-5), "-5", -5),
        (parse.euros(), "0", D("0.00")),
        (parse.euros(), D("1234.5"), D("1234.50")),
        (parse.euros(negative=True), "-12,5", D("-12.50")),
        (parse.date, "2026-02-28", dt.date(2026, 2, 28)),
        (parse.date, "1/2/2026", dt.date(2026, 2, 1)),
        (parse.date, "01.02.2026", dt.date(2026, 2, 1)),
        (parse.date, dt.date(2026, 2, 1), dt.date(2026, 2, 1)),
        (parse.choice({"Métropole": "m", "commune": "c"}), "METROPOLE", "m"),
        (parse.optional(parse.siren), None, None),
        (parse.optional(parse.text(), ""), None, ""),
        (parse.of_text(str.upper), "abc", "ABC"),
        (parse.text(), "e\u0301", "é"),
        (parse.text(), "<b>&\"'", "<b>&\"'"),
        (parse.text(multiline=True), "a\r\nb", "a\nb"),
        (parse.text(), D("34172"), "34172"),
        (parse.text(), D("1.5"), "1,5"),
        (parse.text(), dt.date(2026, 2, 1), "01/02/2026"),
    ],
)
def test_parsers(parser, cell, value):
    assert parser(cell) == value


@pytest.mark.parametrize(
    ("parser", "cell", "message"),
    [
        (parse.siren, None, "est vide"),
        (parse.siren, "213401723", "clé"),
        (parse.siren, "2134017", "neuf chiffres"),
        (parse.siren, "2,134E+08", "transformé par le tableur"),
        (parse.siren, "\u0662134017٢٢", "neuf chiffres"),
        (parse.siret, "21340172200019", "clé"),
        (parse.siret, "213401722", "quatorze chiffres"),
        (parse.siret, "35600000049838", "clé"),
        (parse.insee_code, "341720", "cinq caractères"),
        (parse.insee_code, "2C004", "cinq caractères"),
        (parse.integer(), "1,5", "pas un nombre entier"),
        (parse.integer(), D("1.5"), "pas un nombre entier"),
        (parse.integer(), "1 23", "pas un nombre entier"),
        (parse.integer(0), "-1", "inférieur à 0"),
        (parse.integer(0, 10), "11", "supérieur à 10"),
        (parse.integer(), True, "pas un nombre entier"),
        (parse.euros(), "12,345", "ambigu"),
        (parse.euros(), "-1", "négatif"),
        (parse.euros(), D("-0.01"), "négatif"),
        (parse.euros(), D("12.345"), "plus de deux décimales"),
        (parse.euros(), D("1e30"), "dépasse"),
        (parse.euros(), dt.date(2026, 1, 1), "pas un montant"),
        (parse.date, "31/02/2026", "n’existe pas"),
        (parse.date, "31/12/26", "pas une date"),
        (parse.date, "12/31/2026", "n’existe pas"),
        (parse.date, D(46387), "pas une date"),
        (parse.date, "0001-01-01", "vraisemblable"),
        (parse.choice({"oui": True, "non": False}), "peut-être", "Valeurs possibles\u00a0: oui, non"),
        (parse.text(), "a\x00b", "caractère de contrôle"),
        (parse.text(), "a\tb", "tabulation"),
        (parse.text(), "a\nb", "saut de ligne"),
        (parse.text(), "a\u202egnp", "sens d’écriture"),
        (parse.text(), "\ud800", "caractère de contrôle"),
        (parse.text(5), "abcdef", "6 caractères, au lieu de 5"),
    ],
)
def test_parsers_refuse_in_french(parser, cell, message):
    with pytest.raises(ValueError, match=message):
        parser(cell)
