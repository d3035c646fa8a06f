"""One truth for what is done after the launch: the consultation's page, the back-planning and the life cycle agree; and
the page of a grouping stays within its queries at each of its stages."""

from datetime import date

import pytest
from django.urls import reverse
from django.utils import timezone

from groupings.actions.convention import conventions_request
from groupings.actions.grouping import grouping_advance
from groupings.back_planning import contracted
from groupings.choices import GroupingStatus
from groupings.models import Award, AwardShare, Consultation, ConventionDocument
from groupings.rules.tender_steps import is_over, tender_steps
from groupings.tender import consultations_of, lot_states, tender_facts
from procurement.core.errors import TransitionRefused
from tests.support.factories import make_consultation
from tests.support.tenders import CLOSED, MET, TODAY, decide, make_tender, notify

pytestmark = pytest.mark.django_db


def done_on_page(tender) -> tuple[set[str], bool]:
    """Labels of the steps that are done for the latest consultation, and whether it is over."""
    grouping = type(tender.grouping).objects.get(pk=tender.grouping.pk)
    consultations = consultations_of(grouping)
    states = lot_states(grouping, tender.buyer, lots=list(grouping.lots.all()), consultations=consultations)
    facts = tender_facts(consultations[0], states, now=timezone.now(), tells_awards=True)
    return {step.label for step in tender_steps(facts) if step.is_done}, is_over(facts)


def done_in_plan(tender, who=None) -> dict:
    grouping = type(tender.grouping).objects.get(pk=tender.grouping.pk)
    return contracted(grouping, grouping.consultations.first(), who or tender.buyer)


def may_go_on(tender) -> bool:
    try:
        grouping_advance(grouping=tender.grouping, step="start_performance", actor=tender.buyer, today=TODAY)
    except TransitionRefused:
        return False
    return True


def test_each_step_is_done_at_once_everywhere_with_its_real_date():
    """Offers due on 15/03, decided on 12/04, signed on 24/04, notified on 26/04."""
    tender = make_tender(lots=2)
    assert done_in_plan(tender) == {"tender": CLOSED}
    first = decide(tender, tender.lots[0]).award
    decide(tender, tender.lots[1], outcome="postponed", reason="Échantillons attendus.")
    assert done_in_plan(tender) == {"tender": CLOSED}  # a postponed lot is not decided
    assert "Lots décidés" not in done_on_page(tender)[0]
    second = decide(tender, tender.lots[1], outcome="awarded", amount_excl_tax="5.00").award
    assert done_in_plan(tender) == {"tender": CLOSED, "analysis": MET}
    assert "Lots décidés" in done_on_page(tender)[0]
    notify(tender, first)
    assert "Marchés notifiés" not in done_on_page(tender)[0]
    assert (done_in_plan(tender).keys(), may_go_on(tender)) == ({"tender", "analysis"}, False)
    notify(tender, second)
    assert done_in_plan(tender) == {
        "tender": CLOSED,
        "analysis": MET,
        "standstill": date(2026, 4, 24),
        "notification": date(2026, 4, 26),
    }
    assert done_on_page(tender)[1]
    assert may_go_on(tender)


def test_a_lot_put_out_again_is_to_decide_again():
    tender = make_tender(lots=2)
    notify(tender, decide(tender, tender.lots[0]).award)
    decide(tender, tender.lots[1], outcome="unsuccessful", reason="Aucune offre.", offers_received=0)
    assert "notification" in done_in_plan(tender)
    make_consultation(tender.grouping, tender.lots[1], number=2, launched_on=date(2026, 5, 4))
    assert done_in_plan(tender) == {}


def test_a_member_reads_the_notification_though_another_lot_was_not_awarded(client):
    tender = make_tender(lots=2)
    notify(tender, decide(tender, tender.lots[0]).award)
    decide(tender, tender.lots[1], outcome="unsuccessful", reason="Aucune offre.", offers_received=0)
    agent = tender.agent
    assert done_in_plan(tender, agent) == {"tender": CLOSED}  # the métropole has not told it yet
    type(tender.grouping).objects.update(status=GroupingStatus.PERFORMANCE)
    assert done_in_plan(tender, agent)["notification"] == date(2026, 4, 26)


@pytest.mark.parametrize("count", [2, 50])
@pytest.mark.parametrize("who", ["buyer", "agent"])
@pytest.mark.parametrize("status", ["deliberations", "consultation", "award", "performance"])
def test_the_page_of_a_grouping_stays_within_its_queries(client, django_assert_max_num_queries, count, who, status):
    """With its conventions, its needs and, once awarded, its shares."""
    tender = make_tender(members=count, lots=3, status="deliberations", launched_on=None)
    grouping = tender.grouping
    conventions_request(grouping=grouping, actor=tender.buyer, now=timezone.now())
    convention = grouping.conventions.get()
    for membership in tender.members:
        document = ConventionDocument(convention=convention, membership=membership, sha256="0" * 64, size=1, pages=9)
        document.file.name = f"conventions/{membership.pk}.pdf"
        document.save()
    type(grouping).objects.update(status=status, launched_on=None if status == "deliberations" else date(2026, 2, 1))
    if status == "deliberations":
        Consultation.objects.all().delete()
    elif status != "consultation":
        for lot in tender.lots:
            award = decide(tender, lot).award
            AwardShare.objects.bulk_create(
                AwardShare(award=award, membership=membership, amount_excl_tax="10.00") for membership in tender.members
            )
        Award.objects.update(signed_on=MET, notified_on=MET)
    client.force_login(getattr(tender, who).user)
    for name in ("grouping_detail", "back_planning", "procedure_page"):
        if name == "procedure_page" and who == "agent":
            continue
        with django_assert_max_num_queries(12):
            assert client.get(reverse(name, args=[grouping.pk])).status_code == 200
