"""A validated line never changes: a correction is a new line that cites it."""

from datetime import date
from decimal import Decimal

import pytest

from members.roles import Role
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.journal.models import JournalEntry
from savings.actions.review import line_correct, line_decide
from savings.models import Baseline, LedgerEntry, PriceLine
from savings.rules.budget_years import full_term
from tests.savings.review_world import NOW, make_review
from tests.support.factories import make_affiliation

pytestmark = pytest.mark.django_db


@pytest.fixture
def review():
    return make_review()


def validated(review, **fields):
    return line_decide(line=review.line(**fields), step="validate", actor=review.finance, now=NOW)


def correct(line, review, reason="Prix mal relevé.", **values):
    return line_correct(line=line, values=values, reason=reason, actor=review.buyer)


def submit(line, review):
    line.status, line.submitted_at = "SUBMITTED", NOW
    line.submitted_by, line.submitted_label = review.buyer.user, review.buyer.actor_label
    line.save()
    return line


def test_a_correction_is_a_draft_that_cites_the_old_line(review):
    line = validated(review)
    draft = correct(line, review, price_obtained=Decimal("3.80"))
    assert (draft.status, draft.corrects, draft.entered_by) == ("DRAFT", line, review.buyer.user)
    assert draft.budget_gain == Decimal("1000.00")  # 1 000 × (4.80 − 3.80)
    assert not PriceLine.objects.get(pk=line.pk).is_superseded
    assert LedgerEntry.objects.count() == 1
    told = JournalEntry.objects.get(verb="price_line.correct")
    assert told.reason == "Prix mal relevé."
    assert (told.before["price_obtained"], told.after["price_obtained"]) == ("3.600000", "3.800000")
    assert told.after["line"] == draft.pk


def test_once_validated_it_stands_for_the_old_line_to_the_cent(review):
    """Twelve months from 15/03/2026: 10/12 in 2026, 2/12 in 2027, before and after; the sum is the right one."""
    line = validated(review, starts_on=date(2026, 3, 15))
    draft = submit(correct(line, review, price_obtained=Decimal("3.80")), review)
    line_decide(line=draft, step="validate", actor=review.finance, now=NOW)
    line.refresh_from_db()
    assert line.is_superseded
    by_year = {}
    for entry in LedgerEntry.objects.all():
        by_year[entry.year] = by_year.get(entry.year, 0) + entry.budget_gain_cents
    assert by_year == {2026: 83_333, 2027: 16_667}
    assert sum(by_year.values()) == full_term(draft.budget_gain, 12).scaleb(2) == 100_000


def test_only_a_validated_line_is_corrected(review):
    with pytest.raises(BusinessError, match="Seule une ligne validée"):
        correct(review.line(), review, price_obtained=Decimal(3))


def test_a_line_has_one_correction_at_a_time(review):
    line = validated(review)
    draft = submit(correct(line, review, price_obtained=Decimal("3.80")), review)
    with pytest.raises(BusinessError, match="a déjà une correction"):
        correct(line, review, price_obtained=Decimal("3.70"))
    line_decide(line=draft, step="reject", actor=review.finance, now=NOW, reason="Sans preuve.")
    again = submit(correct(line, review, price_obtained=Decimal("3.70")), review)
    line_decide(line=again, step="validate", actor=review.finance, now=NOW)
    with pytest.raises(BusinessError, match="a déjà une correction"):
        correct(line, review, price_obtained=Decimal("3.50"))
    assert correct(again, review, price_obtained=Decimal("3.50")).corrects == again


def test_a_correction_says_why_and_changes_something(review):
    line = validated(review)
    with pytest.raises(BusinessError, match="Indiquez pourquoi"):
        correct(line, review, reason=" ", price_obtained=Decimal("3.80"))
    with pytest.raises(BusinessError, match="ne change rien"):
        correct(line, review, price_obtained=Decimal("3.60"))
    with pytest.raises(BusinessError, match="Une correction ne change pas"):
        correct(line, review, price_before=Decimal("9.00"))
    with pytest.raises(BusinessError, match="remplacez la référence"):
        correct(line, review, quantity=Decimal(2000))
    assert PriceLine.objects.count() == 1


def test_of_a_realised_line_the_quantity_is_corrected(review):
    line = validated(review, stage="REALISED", quantity=Decimal(900))
    draft = correct(line, review, quantity=Decimal(950))
    assert draft.budget_gain == Decimal("1140.00")  # 950 × 1.20
    assert draft.volume_effect == Decimal("240.00")  # (1 000 − 950) × 4.80


def test_when_the_reference_was_replaced_the_correction_is_of_the_new_one(review):
    line = validated(review)
    old = line.baseline
    Baseline.objects.filter(pk=old.pk).update(is_replaced=True)
    new = review.baseline("4.50", replaces=old)
    draft = correct(line, review)
    assert (draft.baseline, draft.price_before) == (new, Decimal("4.50"))
    assert draft.budget_gain == Decimal("900.00")  # 1 000 × (4.50 − 3.60)


def test_who_may_correct(review):
    line = validated(review)
    for role in (Role.READER, Role.ADMINISTRATOR):
        with pytest.raises(NotAllowed):
            line_correct(
                line=line,
                values={"price_obtained": Decimal(3)},
                reason="Motif.",
                actor=make_affiliation(review.metropole, role),
            )
    agent = make_affiliation(review.membership.organisation, Role.MEMBER_AGENT)
    with pytest.raises(NotAllowed):
        line_correct(line=line, values={"price_obtained": Decimal(3)}, reason="Motif.", actor=agent)


def test_the_correction_too_needs_other_eyes(review):
    line = validated(review)
    draft = line_correct(line=line, values={"price_obtained": Decimal(3)}, reason="Motif.", actor=review.finance)
    with pytest.raises(BusinessError, match="saisie par vous"):
        line_decide(line=submit(draft, review), step="validate", actor=review.finance, now=NOW)
