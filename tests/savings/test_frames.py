"""From the database to the engine: the same exact figures on SQLite and PostgreSQL, and never a float."""

from datetime import date
from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest
from django.db.models import Count

from savings.choices import GainStage, LineStatus
from savings.frames import KEYS, lines_frame
from savings.models import PriceLine
from savings.rules.gains import AMOUNTS, INPUTS, gain_lines, summary
from tests.support.contracts import make_scene
from tests.support.factories import make_lot
from tests.support.savings import make_baseline, make_line

pytestmark = pytest.mark.django_db


@pytest.fixture
def scene():
    return make_scene(cpv="09134100")


def lot(scene, number=1):
    return scene.grouping.lots.get(number=number)


def test_a_line_is_read_with_every_decimal_of_its_columns(scene):
    """A kilowatt-hour has six decimals, an index eight: what was written is what the engine takes."""
    baseline = make_baseline(
        scene.membership, lot(scene), "0.123457", "123456.789", index_factor="1.01234567", designation="Électricité"
    )
    line = make_line(baseline, "0.100001", starts_on=date(2026, 3, 15))
    (row,) = lines_frame(PriceLine.objects.all()).to_dict("records")
    assert row == {
        "line": line.pk,
        "grouping": scene.grouping.pk,
        "lot": lot(scene).pk,
        "member": scene.commune.pk,
        "family": "09",
        "stage": "AWARDED",
        "year": 2026,
        "quantity": Decimal("123456.789"),
        "price_before": Decimal("0.123457"),
        "index_factor": Decimal("1.01234567"),
        "price_obtained": Decimal("0.100001"),
    }


def test_every_figure_is_an_arrow_decimal_with_the_places_of_its_column(scene):
    make_line(make_baseline(scene.membership, lot(scene)))
    frame = lines_frame(PriceLine.objects.all())
    types = {name: frame[name].dtype.pyarrow_dtype for name in INPUTS}
    assert all(pa.types.is_decimal128(found) for found in types.values())
    assert {name: found.scale for name, found in types.items()} == {
        "quantity": 3,
        "price_before": 6,
        "index_factor": 8,
        "price_obtained": 6,
    }


def test_an_unknown_price_is_missing_and_not_zero(scene):
    make_line(make_baseline(scene.membership, lot(scene), None), None, status=LineStatus.DRAFT, starts_on=None)
    frame = lines_frame(PriceLine.objects.all())
    assert frame[["price_before", "price_obtained", "year"]].isna().all(axis=None)
    totals = summary(gain_lines(frame)).iloc[0]
    assert (totals["lines"], totals["measured"], totals["budget_rate"]) == (1, 0, None)


@pytest.mark.parametrize("lines", ["none", "nothing found", "impossible"])
def test_no_line_is_an_empty_table_of_the_same_columns(scene, lines):
    make_line(make_baseline(scene.membership, lot(scene)))
    every = PriceLine.objects.all()
    found = {
        "none": every.none(),
        "nothing found": every.filter(stage="REALISED"),
        "impossible": every.filter(pk__in=[]),
    }
    frame = lines_frame(found[lines])
    assert list(frame.columns) == ["line", *KEYS, *INPUTS]
    assert len(gain_lines(frame)) == 0


def test_the_year_of_a_realised_line_is_its_own_and_the_family_of_a_lot_too(scene):
    own = make_lot(scene.grouping, 9, cpv="30192000")
    baseline = make_baseline(scene.membership, own)
    make_line(baseline, starts_on=date(2025, 6, 1))
    make_line(baseline, "3.70", stage=GainStage.REALISED, year=2027)
    frame = lines_frame(PriceLine.objects.order_by("pk"), keys=["year", "stage", "family"])
    assert frame[["year", "stage", "family"]].values.tolist() == [[2025, "AWARDED", "30"], [2027, "REALISED", "30"]]
    assert list(frame.columns) == ["line", "year", "stage", "family", *INPUTS]


def test_an_unknown_key_is_refused(scene):
    with pytest.raises(KeyError):
        lines_frame(PriceLine.objects.all(), keys=["colour"])


def test_lines_keep_the_order_and_the_filter_of_the_query(scene):
    lines = [
        make_line(make_baseline(scene.membership, lot(scene), designation=f"Article {number}")) for number in range(5)
    ]
    found = PriceLine.objects.filter(pk__gt=lines[0].pk, baseline__designation__contains="Article").order_by("-pk")
    assert list(lines_frame(found)["line"]) == [line.pk for line in lines[:0:-1]]


def test_the_engine_on_the_table_gives_what_each_line_says(scene):
    """Two ways from the same rows: the amounts kept with each line, and the whole table computed at once."""
    for number, (before, obtained, index) in enumerate(
        [("4.80", "3.60", "1"), ("0.333333", "0.222222", "1.03"), ("100", "95", "1.08"), ("3.50", "3.60", "0.99999999")]
    ):
        baseline = make_baseline(
            scene.membership, lot(scene), before, "33.333", index_factor=index, designation=f"Article {number}"
        )
        make_line(baseline, obtained)
    computed = gain_lines(lines_frame(PriceLine.objects.order_by("pk")))[list(AMOUNTS)]
    kept = pd.DataFrame(PriceLine.objects.order_by("pk").values(*AMOUNTS))
    assert computed.values.tolist() == kept.values.tolist()


def test_reading_asks_one_query_whatever_the_number_of_lines(scene, django_assert_num_queries):
    for number in range(3):
        make_line(make_baseline(scene.membership, lot(scene), designation=f"Article {number}"))
    with django_assert_num_queries(1):
        assert len(lines_frame(PriceLine.objects.annotate(count=Count("entries")))) == 3
