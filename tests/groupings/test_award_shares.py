"""The parts of the members: the lot to the cent, whatever is typed, and read by each member for itself alone."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from djmoney.money import Money

from groupings.actions.shares import ShareEntry, shares_proposed, shares_save
from groupings.models import Award, AwardShare, NeedLine
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.journal.models import JournalEntry
from tests.support.factories import make_need
from tests.support.tenders import decide, make_tender, notify

pytestmark = pytest.mark.django_db


def share(tender, award, *amounts, adjusted=(), version=None, actor=None):
    parts = {
        member.pk: ShareEntry(Decimal(amount), place in adjusted)
        for place, (member, amount) in enumerate(zip(tender.members, amounts, strict=False))
    }
    read = Award.objects.get(pk=award.pk).version if version is None else version
    return shares_save(award=award, parts=parts, actor=actor or tender.buyer, expected_version=read)


def stored():
    return [share.amount_excl_tax.amount for share in AwardShare.objects.order_by("membership_id")]


def test_the_needs_propose_and_the_sum_is_the_lot():
    tender = make_tender()
    award = decide(tender, amount_excl_tax=Money("1000.00", "EUR")).award
    proposal = shares_proposed(award)
    assert sorted(proposal.parts.values()) == [Decimal("333.33"), Decimal("333.33"), Decimal("333.34")]
    share(tender, award, "333.34", "333.33", "333.33")
    assert sum(stored()) == Decimal("1000.00")


@pytest.mark.parametrize(("last", "told"), [("333.32", "Il manque 0,01"), ("333.34", "Il y a 0,01")])
def test_a_missing_cent_is_told(last, told):
    tender = make_tender()
    award = decide(tender, amount_excl_tax=Money("1000.00", "EUR")).award
    with pytest.raises(BusinessError, match=told):
        share(tender, award, "333.34", "333.33", last)
    assert stored() == []


def test_a_member_with_a_need_has_a_part_even_of_nothing_and_never_a_silent_one():
    tender = make_tender()
    award = decide(tender).award
    with pytest.raises(ValidationError) as error:
        share(tender, award, "1500.00", "1500.00")
    assert set(error.value.message_dict) == {f"part_{tender.members[2].pk}"}
    share(tender, award, "1500.00", "1500.00", "0")
    assert stored() == [1500, 1500, 0]


def test_a_member_that_left_before_the_launch_has_no_part():
    tender = make_tender()
    award = decide(tender).award
    gone = tender.members[2]
    gone.withdrawn_on = tender.grouping.launched_on
    gone.save()
    with pytest.raises(BusinessError, match=f"{gone.organisation.name} ne participe plus"):
        share(tender, award, "1000.00", "1000.00", "1000.00")
    assert gone.pk not in shares_proposed(award).parts
    share(tender, award, "1000.00", "2000.00")


def test_a_member_that_left_since_the_launch_keeps_its_part():
    tender = make_tender()
    award = decide(tender).award
    gone = tender.members[2]
    gone.withdrawn_on = tender.grouping.launched_on + timedelta(days=1)
    gone.save()
    assert gone.pk in shares_proposed(award).parts
    share(tender, award, "1000.00", "1000.00", "1000.00")
    assert stored() == [1000, 1000, 1000]


def test_neither_a_stranger_nor_a_negative_part():
    tender = make_tender()
    award = decide(tender).award
    other = make_tender().members[1]
    with pytest.raises(BusinessError, match="celle d’un membre"):
        shares_save(
            award=award, parts={other.pk: ShareEntry(Decimal(3000))}, actor=tender.buyer, expected_version=award.version
        )
    with pytest.raises(ValidationError, match="négative"):
        share(tender, award, "3000.01", "-0.01", "0.00")
    with pytest.raises(NotAllowed):
        share(tender, award, "1000.00", "1000.00", "1000.00", actor=tender.agent)


def test_the_second_of_two_writers_is_told():
    tender = make_tender()
    award = decide(tender).award
    share(tender, award, "1000.00", "1000.00", "1000.00", version=1)
    with pytest.raises(BusinessError, match="modifiée entre-temps"):
        share(tender, award, "3000.00", "0", "0", version=1)
    assert stored() == [1000, 1000, 1000]


def test_a_new_value_keeps_what_was_adjusted_and_spreads_the_rest():
    tender = make_tender()
    award = decide(tender).award
    share(tender, award, "1400.00", "800.00", "800.00", adjusted={0})
    decided = decide(tender, amount_excl_tax=Money("3000.01", "EUR"))
    assert "proposées de nouveau" in decided.shares_told
    amounts = stored()
    assert amounts[0] == 1400
    assert sum(amounts) == Decimal("3000.01")
    assert sorted(amounts[1:]) == [Decimal("800.00"), Decimal("800.01")]


def test_a_new_value_below_what_was_adjusted_proposes_all_again():
    tender = make_tender()
    award = decide(tender).award
    share(tender, award, "2000.00", "500.00", "500.00", adjusted={0})
    decide(tender, amount_excl_tax=Money("900.00", "EUR"))
    assert stored() == [300, 300, 300]


def test_a_new_value_that_nobody_can_split_removes_the_parts_and_says_so():
    tender = make_tender()
    award = decide(tender).award
    share(tender, award, "1000.00", "1000.00", "1000.00")
    NeedLine.objects.filter(membership=tender.members[1]).update(estimated_amount_excl_tax=None)
    decided = decide(tender, amount_excl_tax=Money("900.00", "EUR"))
    assert "à répartir de nouveau" in decided.shares_told
    assert tender.members[1].organisation.name in decided.shares_told
    assert stored() == []


def test_a_lot_no_longer_awarded_has_no_parts_and_the_same_value_keeps_them():
    tender = make_tender()
    award = decide(tender).award
    share(tender, award, "1000.00", "1000.00", "1000.00")
    assert decide(tender, price_index="ICC").shares_told == ""
    assert stored() == [1000, 1000, 1000]
    decide(tender, outcome="postponed", reason="Nouvelle analyse.", holders=[])
    assert stored() == []
    with pytest.raises(BusinessError, match="Seul un lot attribué"):
        share(tender, award, "1000.00", "1000.00", "1000.00")


def test_a_framework_is_shared_on_its_maximum():
    tender = make_tender()
    maximum = {"maximum_excl_tax": Money("6000.00", "EUR"), "minimum_excl_tax": Money("600.00", "EUR")}
    award = decide(tender, technique="framework", **maximum).award
    assert set(shares_proposed(award).parts.values()) == {Decimal("2000.00")}


def test_a_member_reads_its_own_part_and_only_once_notified():
    tender = make_tender()
    award = decide(tender).award
    share(tender, award, "1000.00", "1200.00", "800.00")
    agent = tender.agent
    assert not AwardShare.objects.visible_to(agent).exists()
    notify(tender, award)
    assert [s.amount_excl_tax.amount for s in AwardShare.objects.visible_to(agent)] == [Decimal("1200.00")]
    told = JournalEntry.objects.of_thread(tender.grouping.thread, agent)
    assert not told.filter(verb="award.share").exists()


def test_an_unknown_need_is_named_and_proposed_nothing():
    tender = make_tender()
    award = decide(tender).award
    NeedLine.objects.filter(membership=tender.members[2], lot=tender.lots[0]).delete()
    make_need(tender.members[2], tender.lots[0], None)
    proposal = shares_proposed(award)
    assert proposal.parts[tender.members[2].pk] is None
    assert proposal.unknown == (tender.members[2].organisation.name,)
