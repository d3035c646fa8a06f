"""A locked year: its fingerprint, what may still be posted, and who sees that something moved."""

import hashlib
import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from django.db import connection

from members.roles import Role
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.journal.models import JournalEntry
from savings.actions.locks import year_lock
from savings.actions.review import line_correct, line_decide
from savings.models import LedgerEntry, YearLock
from savings.rules.locks import COLUMNS, YearHash, canonical
from savings.year_facts import verify, waiting_lines, year_facts
from tests.savings.review_world import NOW, make_review
from tests.support.factories import make_affiliation
from tests.support.savings import make_line


@pytest.fixture
def review(db):
    return make_review()


def lock(review, year=2026, actor=None, now=NOW):
    return year_lock(territory=review.metropole, year=year, actor=actor or review.finance, now=now)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Decimal("4.800000"), "4.8"),
        (Decimal("100.000"), "100"),
        (Decimal("1E+2"), "100"),
        (Decimal("0.000"), "0"),
        (datetime(2026, 9, 15, 11, 0, tzinfo=timezone(timedelta(hours=2))), "2026-09-15T09:00:00.000000+00:00"),
        (None, None),
        (True, True),
    ],
)
def test_a_value_has_one_text(value, text):
    assert canonical(value) == text


def test_a_float_has_none():
    with pytest.raises(TypeError):
        canonical(4.8)


def test_the_rule_of_the_fingerprint_as_anybody_would_write_it():
    """Heading, then one JSON array per entry, each ended by a line feed: the docstring, by hand."""
    entry = [7, 3, "posted", *range(1, 6), "30", "AWARDED", "A", False, 2026, 2026, 12, 480000, 480000, 360000, 120000]
    entry += [120000, datetime(2026, 9, 15, 9, tzinfo=UTC), Decimal("1000.000"), Decimal("4.800000"), Decimal(1)]
    entry += [Decimal("3.600000"), "é" * 3]
    text = "registre-des-gains/1 2026 " + ",".join(COLUMNS) + "\n"
    text += (
        '[7,3,"posted",1,2,3,4,5,"30","AWARDED","A",false,2026,2026,12,480000,480000,360000,120000,120000,'
        '"2026-09-15T09:00:00.000000+00:00","1000","4.8","1","3.6","ééé"]\n'
    )
    hashed = YearHash(2026)
    hashed.add(entry)
    assert hashed.hexdigest() == hashlib.sha256(text.encode()).hexdigest()
    with pytest.raises(ValueError, match="colonnes"):
        hashed.add(entry[:-1])


def test_locking_counts_every_stage_apart(review):
    """1 200.00 awarded and 50 × (4.80 − 3.60) = 60.00 realised: two sums, and no third."""
    baseline = review.baseline()
    make_line(baseline, "3.60")
    make_line(baseline, "3.60", stage="REALISED", quantity=Decimal(50))
    locked = lock(review)
    assert locked.entry_count == 2
    assert locked.totals["AWARDED"]["budget_gain"] == "1200.00"
    assert locked.totals["REALISED"]["budget_gain"] == "60.00"
    assert locked.totals["ESTIMATED"] == {
        "lines": 0,
        "baseline_budget": "0.00",
        "baseline_purchase": "0.00",
        "obtained": "0.00",
        "budget_gain": "0.00",
        "purchase_gain": "0.00",
    }
    assert json.loads(json.dumps(locked.totals)) == locked.totals
    assert verify(YearLock.objects.get()).is_unchanged
    told = JournalEntry.objects.get(verb="year.lock")
    assert told.concerns == review.metropole
    assert locked.sha256[:12] in told.sentence


def test_only_finance_of_the_territory_locks(review):
    for role in (Role.BUYER, Role.READER, Role.ADMINISTRATOR):
        with pytest.raises(NotAllowed):
            lock(review, actor=make_affiliation(review.metropole, role))
    with pytest.raises(NotAllowed):
        lock(review, actor=make_affiliation(review.membership.organisation, Role.FINANCE))


def test_a_year_not_begun_is_refused(review):
    with pytest.raises(BusinessError, match="L’exercice 2027 n’a pas commencé"):
        lock(review, 2027)
    # In Paris 2027 has begun when it is still 2026 in UTC.
    assert lock(review, 2027, now=datetime(2026, 12, 31, 23, 30, tzinfo=UTC)).year == 2027


def test_a_year_is_locked_once(review):
    lock(review)
    with pytest.raises(BusinessError, match="déjà verrouillé, le 15/09/2026"):
        lock(review, actor=review.colleague)
    assert YearLock.objects.count() == 1


def test_years_close_in_order(review):
    make_line(review.baseline(), starts_on=date(2024, 1, 1))
    with pytest.raises(BusinessError, match="Verrouillez d’abord l’exercice 2024"):
        lock(review)
    lock(review, 2024)
    assert lock(review).year == 2026  # 2025 has no entry: nothing waits there


def test_what_is_corrected_after_the_lock_counts_in_the_open_year(review):
    line = line_decide(line=review.line(), step="validate", actor=review.finance, now=NOW)
    locked = lock(review)
    draft = line_correct(
        line=line, values={"price_obtained": Decimal("3.80")}, reason="Avoir reçu.", actor=review.buyer
    )
    draft.status, draft.submitted_at, draft.submitted_label = "SUBMITTED", NOW, review.buyer.actor_label
    draft.save()
    line_decide(line=draft, step="validate", actor=review.finance, now=NOW)
    # 2026 keeps its 1 200.00; 2027 takes −1 200.00 and the right 1 000.00.
    assert year_facts(review.metropole.pk, 2026).totals["AWARDED"]["budget_gain"] == "1200.00"
    assert year_facts(review.metropole.pk, 2027).totals["AWARDED"]["budget_gain"] == "-200.00"
    assert verify(locked).is_unchanged


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE savings_ledgerentry SET obtained_cents = obtained_cents - 1, budget_gain_cents = budget_gain_cents + 1,"
        " purchase_gain_cents = purchase_gain_cents + 1",
        "UPDATE savings_ledgerentry SET grade = 'B'",
        "DELETE FROM savings_ledgerentry",
        "UPDATE savings_priceline SET price_obtained = 3.5",
        "UPDATE groupings_groupingdocument SET sha256 = 'autre'",
    ],
)
def test_whatever_moves_in_a_locked_year_is_seen(review, sql):
    make_line(review.baseline())
    locked = lock(review)
    with connection.cursor() as cursor:
        cursor.execute(sql)
    assert not verify(locked).is_unchanged


def test_the_lock_of_another_territory_is_not_ours(review):
    other = make_review()
    make_line(other.baseline())
    assert lock(review).entry_count == 0
    assert lock(other, actor=other.finance).entry_count == LedgerEntry.objects.count() == 1


def test_who_locks_is_told_what_still_waits(review):
    """48 months from June 2026 touch 2026 to 2030; a one-off counts in its own year, a realised line in its year."""
    spread = review.line(review.baseline(designation="Papier"), starts_on=date(2026, 6, 1), months=48)
    one_off = review.line(review.baseline(designation="Pont", is_one_off=True), starts_on=date(2025, 6, 1), months=24)
    realised = review.line(review.baseline(designation="Colle"), stage="REALISED", year=2026)
    make_line(review.baseline(designation="Validée"))
    other = make_review()
    other.line()
    found = {year: set(waiting_lines(review.metropole.pk, year)) for year in (2025, 2026, 2027, 2030, 2031)}
    assert found == {2025: {one_off}, 2026: {spread, realised}, 2027: {spread}, 2030: {spread}, 2031: set()}
