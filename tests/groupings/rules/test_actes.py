"""Identifiers of acts: real ones read and given back, every fault with its reason."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.luhn import calc_check_digit

from groupings.rules.actes import NATURES, ActesId, ActesIdError, mismatches, parse_actes_id
from tests.groupings.rules.calendars import day, days

MONTPELLIER = "034-213401722-20160526-D2016_123-DE"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (MONTPELLIER, ActesId("034", "213401722", day("26/05/2016"), "D2016_123", "DE")),
        (
            "034-213401722-20160526-D2016-123-DE",  # a hyphen in the number
            ActesId("034", "213401722", day("26/05/2016"), "D2016-123", "DE"),
        ),
        (
            "034-491011698-20171207-CL20171227_06-DE",
            ActesId("034", "491011698", day("07/12/2017"), "CL20171227_06", "DE"),
        ),
        ("034-213401722-20140424-0000071285-DE", ActesId("034", "213401722", day("24/04/2014"), "0000071285", "DE")),
        ("013-211300561-20210602-RA21_21646-AI", ActesId("013", "211300561", day("02/06/2021"), "RA21_21646", "AI")),
        ("013-211301106-20210201-1212-AI", ActesId("013", "211301106", day("01/02/2021"), "1212", "AI")),
        # Ajaccio and Saint-Denis de La Réunion: 21, the INSEE code and the key (interop.md §4).
        ("02A-212000046-20240229-7-DE", ActesId("02A", "212000046", day("29/02/2024"), "7", "DE")),
        ("02B-212000046-20260101-A-CC", ActesId("02B", "212000046", day("01/01/2026"), "A", "CC")),
        ("974-219740115-20261231-X23456789012345-BF", None),
        ("976-219740115-20261231-a_b-c-AU", ActesId("976", "219740115", day("31/12/2026"), "a_b-c", "AU")),
    ],
)
def test_identifiers_are_read_and_given_back(text, expected):
    actes_id = parse_actes_id(text)
    assert str(actes_id) == text
    if expected is not None:
        assert actes_id == expected


def test_fifteen_characters_are_the_longest_number():
    assert parse_actes_id("034-213401722-20160526-D2016-123456-78-DE").number == "D2016-123456-78"
    with pytest.raises(ActesIdError, match="compte 16 caractères"):
        parse_actes_id("034-213401722-20160526-D2016-123456-789-DE")


@pytest.mark.parametrize(
    "text",
    [
        f"  {MONTPELLIER}\n",
        f"\u00a0{MONTPELLIER}",
        MONTPELLIER.replace("-", "\u2011"),  # the hyphen that does not break lines
        MONTPELLIER.replace("-", "–"),
        MONTPELLIER.replace("-DE", "-de"),
        MONTPELLIER.replace("_123", "_\u00ad123"),
    ],
)
def test_what_a_copy_adds_is_forgiven(text):
    assert str(parse_actes_id(text)) == MONTPELLIER


def test_corsica_in_lower_case():
    assert parse_actes_id("02a-212000046-20240229-7-DE").department == "02A"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "est vide"),
        (" \n", "est vide"),
        ("D2016_123", "n’a pas la forme"),
        ("034-213401722-20160526-DE", "n’a pas la forme"),
        ("034 213401722 20160526 D2016 DE", "n’a pas la forme"),
        ("34-213401722-20160526-D2016_123-DE", "Le département «\u00a034\u00a0» n’existe pas"),
        ("000-213401722-20160526-D2016_123-DE", "Le département"),
        ("020-213401722-20160526-D2016_123-DE", "Le département"),
        ("096-213401722-20160526-D2016_123-DE", "Le département"),
        ("02C-213401722-20160526-D2016_123-DE", "Le département"),
        ("034A-213401722-20160526-D2016_123-DE", "Le département"),
        ("979-213401722-20160526-D2016_123-DE", "Le département"),
        ("034-213401723-20160526-D2016_123-DE", "sa clé ne correspond pas"),
        ("034-21340172-20160526-D2016_123-DE", "il faut neuf chiffres"),
        ("034-21340172200017-20160526-D2016_123-DE", "il faut neuf chiffres"),
        ("034-21340172O-20160526-D2016_123-DE", "il faut neuf chiffres"),
        ("034-213.401.722-20160526-D2016_123-DE", "il faut neuf chiffres"),
        ("034-٢١٣٤٠١٧٢٢-20160526-D2016_123-DE", "il faut neuf chiffres"),
        ("034-213401722-20160230-D2016_123-DE", "«\u00a020160230\u00a0» n’existe pas dans le calendrier"),
        ("034-213401722-20250229-D2016_123-DE", "n’existe pas dans le calendrier"),
        ("034-213401722-20161301-D2016_123-DE", "n’existe pas dans le calendrier"),
        ("034-213401722-00000000-D2016_123-DE", "n’existe pas dans le calendrier"),
        ("034-213401722-2016052-D2016_123-DE", "il faut huit chiffres"),
        ("034-213401722-26052016-D2016_123-DE", "n’existe pas dans le calendrier"),
        ("034-213401722-10021003-D2016_123-DE", "antérieure au contrôle de légalité"),
        ("034-213401722-20160526--DE", "Le numéro interne de l’acte manque"),
        ("034-213401722-20160526-é-DE", "contient «\u00a0é\u00a0»"),
        ("034-213401722-20160526---DE", "Le numéro interne de l’acte manque"),
        ("034-213401722-20160526-D2016.123-DE", "contient «\u00a0.\u00a0»"),
        ("034-213401722-20160526-D2016/123-DE", "contient «\u00a0/\u00a0»"),
        ("034-213401722-20160526-D2016 123-DE", "contient une espace"),
        ("034-213401722-20160526-Dél16-DE", "contient «\u00a0é\u00a0»"),
        ("034-213401722-20160526-1234567890123456-DE", "compte 16 caractères"),
        ("034-213401722-20160526-D2016_123-DX", "La nature «\u00a0DX\u00a0» est inconnue"),
        ("034-213401722-20160526-D2016_123-", "est inconnue"),
        (f"{MONTPELLIER}-1-1_1.pdf", "est inconnue"),
    ],
)
def test_every_fault_has_its_reason_in_french(text, reason):
    with pytest.raises(ActesIdError, match=re.escape(reason)) as refusal:
        parse_actes_id(text)
    assert str(refusal.value).endswith(".")
    assert isinstance(refusal.value, ValueError)


def test_long_garbage_is_cut_in_the_message():
    with pytest.raises(ActesIdError) as refusal:
        parse_actes_id("x" * 100_000)
    assert len(str(refusal.value)) < 300


@given(
    st.sampled_from(["001", "034", "095", "02A", "02B", "971", "988"]),
    st.integers(0, 99_999_999).map(lambda number: f"{number:08d}"),
    days,
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,14}", fullmatch=True),
    st.sampled_from(sorted(NATURES)),
)
def test_what_is_written_is_read_back(department, root, decided_on, number, nature):
    expected = ActesId(department, root + calc_check_digit(root), decided_on, number, nature)
    assert parse_actes_id(str(expected)) == expected


@given(st.text(max_size=60))
def test_any_text_is_an_identifier_or_a_french_refusal(text):
    try:
        actes_id = parse_actes_id(text)
    except ActesIdError as refusal:
        assert str(refusal).endswith(".")
    else:
        assert parse_actes_id(str(actes_id)) == actes_id


@given(st.integers(0, 8), st.integers(1, 9))
def test_one_wrong_digit_in_the_siren_is_always_caught(place, shift):
    digits = list("213401722")
    digits[place] = str((int(digits[place]) + shift) % 10)
    with pytest.raises(ActesIdError, match="sa clé"):
        parse_actes_id(MONTPELLIER.replace("213401722", "".join(digits)))


def test_identifier_of_the_awaited_act():
    assert mismatches(parse_actes_id(MONTPELLIER), siren="213401722", session_on=day("26/05/2016")) == ()


def test_identifier_of_another_session():
    (sentence,) = mismatches(parse_actes_id(MONTPELLIER), siren="213401722", session_on=day("27/05/2016"))
    assert sentence == "Cet identifiant est celui d’un acte du 26/05/2016, et non de la séance du 27/05/2016."


def test_identifier_of_another_body():
    (sentence,) = mismatches(parse_actes_id(MONTPELLIER), siren="243400017", session_on=day("26/05/2016"))
    assert "autre organisme\u00a0: SIREN 213401722, et non 243400017" in sentence


def test_identifier_of_another_nature():
    decree = parse_actes_id(MONTPELLIER.replace("-DE", "-AR"))
    (sentence,) = mismatches(decree, siren="213401722", session_on=day("26/05/2016"))
    assert "AR (acte réglementaire), et non DE (délibération)" in sentence
    accepted = ("DE", "AR", "AU")
    assert mismatches(decree, siren="213401722", session_on=day("26/05/2016"), natures=accepted) == ()


def test_every_contradiction_is_said():
    decree = parse_actes_id(MONTPELLIER.replace("-DE", "-AI"))
    assert len(mismatches(decree, siren="243400017", session_on=day("01/01/2026"))) == 3


def test_natures_follow_the_numbers_of_the_messages():
    assert [number for number, _ in NATURES.values()] == ["1", "2", "3", "4", "5", "6"]
