"""The CPV list: count, labels, check digits, search."""

import csv

import pytest

from groupings.reference import cpv


def test_the_whole_list_is_there():
    with cpv._FILE.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len({row["code"] for row in rows}) == 9_454
    for row in rows:
        assert cpv.is_known(row["code"])
        assert cpv.parse(f"{row['code']}-{row['cle']}") == row["code"]
        assert cpv.label(row["code"])


def test_label_and_is_known():
    assert cpv.label("03111000") == "Graines"
    assert not cpv.is_known("03111001")
    assert not cpv.is_known("03111000-2")
    with pytest.raises(KeyError):
        cpv.label("99999999")


@pytest.mark.parametrize("text", ["09130000", "09130000-9", " 09130000-9 ", "09130000 - 9"])
def test_parse(text):
    assert cpv.parse(text) == "09130000"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("09130000-8", "est 9, et non 8"),
        ("99999999", "n’est pas dans la nomenclature"),
        ("9130000", "huit chiffres"),
        ("", "huit chiffres"),
        ("Carburants", "huit chiffres"),
        ("09130000-", "huit chiffres"),
        ("\u0660\u0669\u0661\u0663\u0660\u0660\u0660\u0660", "huit chiffres"),  # Arabic digits
    ],
)
def test_parse_refuses(text, message):
    with pytest.raises(ValueError, match=message):
        cpv.parse(text)


def test_search_by_words_without_accents():
    assert cpv.search("vetements professionnels")[0] == (
        "18100000",
        "Vêtements professionnels, vêtements de travail spéciaux et accessoires",
    )
    assert cpv.search("GRAINES", 1)[0].label.startswith("Graines")
    assert all("carbur" in code.label.casefold() for code in cpv.search("carbur", 5))


def test_search_by_digits():
    found = cpv.search("0913", 100)
    assert found[0].code == "09130000"
    assert all(code.code.startswith("0913") for code in found)


def test_search_limits():
    assert len(cpv.search("de", 7)) == 7
    assert cpv.search("de", 0) == []
    assert cpv.search("") == cpv.search("zzzzqq") == cpv.search("%") == []
