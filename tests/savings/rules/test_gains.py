"""The engine on the worked numbers of domain.md §8 and users.md §3.3, and on what a table may hold."""

from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from savings.rules.gains import AMOUNTS, INPUTS, gain_lines, summary

PAPER = [("M1", "1000", "4.80", "1", "3.60"), ("M2", "300", "5.40", "1", "3.60"), ("M3", "100", "3.50", "1", "3.60")]
INDEXED = [("M1", "2000", "100", "1.08", "95")]
TWO_READINGS = [
    ("Commune A", "1000", "4.20", "1.03", "3.60"),
    ("Commune B", "500", "4.80", "1.03", "3.60"),
    ("CCAS C", "100", "5.10", "1.03", "3.60"),
    ("Ville D", "5000", "3.55", "1.03", "3.60"),
]


def frame_of(rows, **options) -> pd.DataFrame:
    """Columns of Decimal objects; None stays None."""
    members, *columns = zip(*rows, strict=True)
    values = {
        name: pd.Series([None if text is None else Decimal(text) for text in column], dtype=object)
        for name, column in zip(INPUTS, columns, strict=True)
    }
    return pd.DataFrame({"member": list(members), **values}, **options)


def one(**changes) -> pd.DataFrame:
    """One line of 1 × 1, the value put as it is."""
    values = dict.fromkeys(INPUTS, Decimal(1)) | changes
    return pd.DataFrame({name: pd.Series([value], dtype=object) for name, value in values.items()})


def amounts_of(frame: pd.DataFrame) -> list[str | None]:
    (row,) = gain_lines(frame)[list(AMOUNTS)].itertuples(index=False)
    return [None if pd.isna(value) else str(value) for value in row]


def column(frame: pd.DataFrame, name: str) -> list[str]:
    return [str(value) for value in frame[name]]


def test_recurrent_gains_with_a_reference_of_each_member():
    """domain.md §8: gains 1 200.00 / 540.00 / −10.00, in all 1 730.00 on 6 770.00, 25.55 %. The loss is kept."""
    lines = gain_lines(frame_of(PAPER))
    assert column(lines, "budget_gain") == ["1200.00", "540.00", "-10.00"]
    assert column(lines, "baseline_budget") == ["4800.00", "1620.00", "350.00"]
    (total,) = summary(lines).to_dict("records")
    assert total == {
        "lines": 3,
        "measured": 3,
        "baseline_budget": Decimal("6770.00"),
        "baseline_purchase": Decimal("6770.00"),
        "obtained": Decimal("5040.00"),
        "budget_gain": Decimal("1730.00"),
        "purchase_gain": Decimal("1730.00"),
        "budget_rate": Decimal("25.55"),
        "purchase_rate": Decimal("25.55"),
    }


def test_the_rate_of_each_member_is_its_own():
    """1 200 / 4 800, 540 / 1 620 and −10 / 350."""
    by_member = summary(gain_lines(frame_of(PAPER)), ["member"])
    assert column(by_member, "member") == ["M1", "M2", "M3"]
    assert column(by_member, "budget_rate") == ["25.00", "33.33", "-2.86"]


def test_an_indexed_gain_and_the_same_without_index():
    """domain.md §8: p0 100, k 1.08, p1 95, q 2 000: 10 000.00 (5.00 %) and 26 000.00 (12.04 %)."""
    (total,) = summary(gain_lines(frame_of(INDEXED))).to_dict("records")
    assert (str(total["budget_gain"]), str(total["budget_rate"])) == ("10000.00", "5.00")
    assert (str(total["purchase_gain"]), str(total["purchase_rate"])) == ("26000.00", "12.04")


def test_two_readings_of_one_contract():
    """users.md §3.3: 1 845.80 (7.2 %) and 1 100 (4.4 %); the big member loses 250 in one reading, gains in the other.

    To two decimals: 1 845.80 / 25 605.80 = 7.2085… % and 1 100 / 24 860 = 4.4247… %.
    """
    lines = gain_lines(frame_of(TWO_READINGS))
    assert column(lines, "purchase_gain") == ["726.00", "672.00", "165.30", "282.50"]
    assert column(lines, "budget_gain") == ["600.00", "600.00", "150.00", "-250.00"]
    (total,) = summary(lines).to_dict("records")
    assert (str(total["purchase_gain"]), str(total["baseline_purchase"])) == ("1845.80", "25605.80")
    assert (str(total["budget_gain"]), str(total["baseline_budget"])) == ("1100.00", "24860.00")
    assert (str(total["purchase_rate"]), str(total["budget_rate"])) == ("7.21", "4.42")


def test_the_members_of_the_two_readings_have_their_published_rates():
    """users.md §3.3, to one decimal there: 16.8 / 27.2 / 31.5 / 1.5 and 14.3 / 25.0 / 29.4 / −1.4."""
    by_member = summary(gain_lines(frame_of(TWO_READINGS)), ["member"]).set_index("member")
    purchase = {"Commune A": "16.78", "Commune B": "27.18", "CCAS C": "31.47", "Ville D": "1.55"}
    budget = {"Commune A": "14.29", "Commune B": "25.00", "CCAS C": "29.41", "Ville D": "-1.41"}
    assert {name: str(value) for name, value in by_member["purchase_rate"].items()} == purchase
    assert {name: str(value) for name, value in by_member["budget_rate"].items()} == budget


@pytest.mark.parametrize(("rows", "mean"), [(PAPER, "18.49"), (TWO_READINGS, "19.2")])
@pytest.mark.parametrize("by", [None, ["member"], ["lot"], ["lot", "member"]])
def test_a_mean_of_rates_appears_nowhere(rows, mean, by):
    """18.49 % of three members, 19.2 % of four: neither in a total nor in a group, however one groups."""
    frame = frame_of(rows).assign(lot="Papier")
    said = summary(gain_lines(frame), by).astype(str)
    assert not said.apply(lambda values: values.str.contains(mean, regex=False)).any(axis=None)


@pytest.mark.parametrize(
    ("quantity", "price", "amount"),
    [
        ("1", "0.005", "0.01"),
        ("1", "0.004999", "0.00"),
        ("0.5", "2.33", "1.17"),  # 1.165
        ("3", "-0.005", "-0.02"),  # −0.015, away from zero
        ("1", "-0.004999", "0.00"),
        ("333.333", "0.123457", "41.15"),  # 41.152292181
        ("0", "5", "0.00"),
    ],
)
def test_each_product_is_rounded_once_half_up(quantity, price, amount):
    assert amounts_of(one(quantity=Decimal(quantity), price_obtained=Decimal(price)))[2] == amount


@pytest.mark.parametrize(
    ("price", "index", "amount"),
    [
        ("0.5", "1.01", "0.51"),  # 0.505, half up
        ("0.5", "1.00999999", "0.50"),  # 0.504999995
        ("0.333333", "1.015", "0.34"),  # 0.338332995: the indexed price is not rounded before
        ("100000", "0.00000001", "0.00"),
        ("500000", "0.00000001", "0.01"),  # 0.005
        ("1", "12.345", "12.35"),  # an index over ten
    ],
)
def test_the_index_multiplies_the_exact_product(price, index, amount):
    line = one(price_before=Decimal(price), index_factor=Decimal(index))
    assert amounts_of(line)[1] == amount


def test_a_gain_is_the_difference_of_what_is_printed():
    """0.125 − 0.114 is 0.011 whole; printed, 0.13 − 0.11 is 0.02, and 0.02 is the gain."""
    assert amounts_of(one(price_before=Decimal("0.125"), price_obtained=Decimal("0.114"))) == [
        "0.13",
        "0.13",
        "0.11",
        "0.02",
        "0.02",
    ]


@pytest.mark.parametrize("missing", [None, float("nan"), np.float64("nan"), pd.NA, Decimal("NaN"), Decimal("sNaN")])
def test_a_line_without_its_price_counts_in_coverage_and_not_as_zero(missing):
    frame = pd.concat([one(price_before=Decimal(2)), one(price_obtained=missing)], ignore_index=True)
    lines = gain_lines(frame)
    assert lines.loc[1, "baseline_budget"] == Decimal("1.00")
    assert lines.loc[1, ["obtained", "budget_gain", "purchase_gain"]].isna().all()
    (total,) = summary(lines).to_dict("records")
    assert (total["lines"], total["measured"]) == (2, 1)
    assert (str(total["baseline_budget"]), str(total["budget_gain"]), str(total["budget_rate"])) == (
        "2.00",
        "1.00",
        "50.00",
    )


def test_without_a_reference_the_obtained_price_weighs_on_nothing():
    (total,) = summary(gain_lines(one(price_before=None))).to_dict("records")
    assert (total["lines"], total["measured"], str(total["obtained"])) == (1, 0, "0.00")
    assert total["budget_rate"] is None
    assert total["purchase_rate"] is None


def test_a_zero_base_has_no_rate():
    (total,) = summary(gain_lines(one(price_before=Decimal(0)))).to_dict("records")
    assert (str(total["budget_gain"]), total["budget_rate"], total["purchase_rate"]) == ("-1.00", None, None)


@pytest.mark.parametrize("value", [1.5, np.float64(1.5), "1,5", "#DIV/0!", True])
@pytest.mark.parametrize("name", INPUTS)
def test_what_is_not_a_decimal_is_refused(name, value):
    with pytest.raises(TypeError, match=rf"^{name}\u00a0: Decimal attendu, reçu "):
        gain_lines(one(**{name: value}))


@pytest.mark.parametrize("dtype", ["float64", "Float64", "double[pyarrow]", "string", "bool", "string[pyarrow]"])
def test_a_column_of_another_type_is_refused(dtype):
    frame = one()
    frame["price_before"] = pd.Series(["1"] if "string" in dtype else [1]).astype(dtype)
    with pytest.raises(TypeError, match="price_before\u00a0: Decimal attendu, reçu "):
        gain_lines(frame)


@pytest.mark.parametrize("name", INPUTS)
def test_a_missing_column_is_named(name):
    with pytest.raises(KeyError, match=name):
        gain_lines(one().drop(columns=name))


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("quantity", "0.0001", "quantity\u00a0: 3 décimales et 15 chiffres avant la virgule au plus."),
        ("price_before", "0.0000001", "price_before\u00a0: 6 décimales et 12 chiffres avant la virgule au plus."),
        ("index_factor", "1.000000001", "index_factor\u00a0: 8 décimales et 10 chiffres avant la virgule au plus."),
        ("price_obtained", "1E+12", "price_obtained\u00a0: 6 décimales et 12 chiffres avant la virgule au plus."),
        ("quantity", "1E+40", "quantity\u00a0: 3 décimales et 15 chiffres avant la virgule au plus."),
        ("quantity", "Infinity", "quantity\u00a0: une valeur n’est pas un nombre."),
    ],
)
def test_what_a_column_cannot_hold_is_refused_and_never_rounded(name, value, sentence):
    with pytest.raises(ValueError) as refused:
        gain_lines(one(**{name: Decimal(value)}))
    assert str(refused.value) == sentence


def test_decimals_that_are_zeros_are_no_loss():
    assert amounts_of(one(price_before=Decimal("4.8000000000")))[0] == "4.80"


def test_the_largest_amount_and_the_one_after():
    """The columns of the ledger hold 99 999 999 999 999.99 €."""
    largest = one(quantity=Decimal("999999999999.999"), price_before=Decimal("100"))
    assert amounts_of(largest)[0] == "99999999999999.90"
    largest["price_before"] = [Decimal("100.0001")]
    with pytest.raises(ValueError, match="Un montant dépasse 99\u202f999\u202f999\u202f999\u202f999,99\u00a0€"):
        gain_lines(largest)


def test_sums_beyond_sixty_four_bits_are_exact():
    """12 000 lines of 99 999 899 000 001.00 €: more cents than a machine word holds."""
    frame = pd.concat([one(quantity=Decimal(99_999_999), price_before=Decimal(999_999))] * 12_000, ignore_index=True)
    lines = gain_lines(frame.assign(member="M"))
    for totals in (summary(lines), summary(lines, ["member"])):
        assert str(totals.loc[0, "baseline_budget"]) == "1199998788000012000.00"


@pytest.mark.parametrize(
    "kind",
    [pa.decimal128(16, 6), pa.decimal128(38, 18), pa.decimal256(60, 10), pa.decimal128(12, 2), pa.int32(), pa.null()],
    ids=str,
)
def test_arrow_columns_of_any_exact_type(kind):
    values = [None, None] if pa.types.is_null(kind) else [3 if pa.types.is_integer(kind) else Decimal(3), None]
    frame = pd.concat([one(), one()], ignore_index=True)
    frame["price_obtained"] = pd.arrays.ArrowExtensionArray(pa.chunked_array([pa.array(values, kind)]))
    obtained = gain_lines(frame)["obtained"]
    assert pd.isna(obtained[1])
    assert pd.isna(obtained[0]) if pa.types.is_null(kind) else str(obtained[0]) == "3.00"


def test_a_slice_of_arrow_chunks_is_read_where_it_begins():
    whole = pa.array([Decimal(text) if text else None for text in ("9", None, "3", "4")], pa.decimal128(16, 6))
    frame = pd.concat([one()] * 4, ignore_index=True)
    frame["price_obtained"] = pd.arrays.ArrowExtensionArray(
        pa.chunked_array([whole.slice(1, 2), whole.slice(3), whole[:1]])
    )
    assert [None if pd.isna(value) else str(value) for value in gain_lines(frame)["obtained"]] == [
        None,
        "3.00",
        "4.00",
        "9.00",
    ]


def test_whole_numbers_are_exact_too():
    frame = one(quantity=np.int64(3), price_before=2)
    frame["index_factor"] = pd.Series([1], dtype="int64")
    assert amounts_of(frame)[0] == "6.00"


def test_index_order_and_other_columns_are_kept_and_the_frame_is_left_alone():
    frame = frame_of(PAPER)
    frame.index = [7, 7, "x"]
    before = frame.copy(deep=True)
    lines = gain_lines(frame)
    assert list(lines.index) == [7, 7, "x"]
    assert list(lines.columns) == [*before.columns, *AMOUNTS]
    assert column(lines, "budget_gain") == ["1200.00", "540.00", "-10.00"]
    pd.testing.assert_frame_equal(frame, before)
    summary(lines, ["member"])
    assert list(lines.columns) == [*before.columns, *AMOUNTS]


def test_an_empty_frame():
    lines = gain_lines(frame_of(PAPER).iloc[:0])
    assert list(lines.columns) == ["member", *INPUTS, *AMOUNTS]
    assert len(summary(lines, ["member"])) == 0
    (total,) = summary(lines).to_dict("records")
    assert (total["lines"], str(total["budget_gain"]), total["budget_rate"]) == (0, "0.00", None)


@pytest.mark.parametrize(
    "keys",
    [
        ["b", None, "a"],
        pd.Categorical(["b", None, "a"], categories=["a", "unused", "b"]),
        pd.Series(["b", None, "a"], dtype="string[pyarrow]"),
        pd.Series([2, None, 1], dtype="int64[pyarrow]"),
    ],
    ids=["objects", "categories", "strings", "numbers"],
)
def test_an_unknown_key_is_a_group_of_its_own_the_last(keys):
    """Nothing is lost of the total, and a category without line is no row."""
    totals = summary(gain_lines(frame_of(PAPER).assign(key=keys)), ["key"])
    assert column(totals, "budget_gain") == ["-10.00", "1200.00", "540.00"]
    assert list(totals["key"].isna()) == [False, False, True]


def test_a_summary_of_amounts_kept_as_decimals():
    """The lines of the database hold Decimal objects: the same sums."""
    lines = gain_lines(frame_of([*PAPER, ("M4", "1", "2", "1", None)]))
    kept = lines.assign(**{name: [None if pd.isna(v) else v for v in lines[name]] for name in AMOUNTS})
    for by in (None, ["member"]):
        pd.testing.assert_frame_equal(summary(kept, by), summary(lines, by))


def test_a_summary_refuses_floats_and_names_a_missing_key():
    lines = gain_lines(frame_of(PAPER))
    with pytest.raises(TypeError, match="obtained\u00a0: Decimal attendu, reçu float"):
        summary(lines.assign(obtained=[1.0, 2.0, 3.0]))
    with pytest.raises(KeyError, match="colour"):
        summary(lines, ["colour"])
