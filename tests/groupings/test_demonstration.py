"""The demonstration: the bilan's figures, and renewals whose dates hold together."""

import json
from datetime import date, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from groupings.choices import DeliberationStatus
from groupings.convention_life import is_text_current, voted_another_text
from groupings.demonstration.load import load
from groupings.execution import grouping_contracts
from groupings.links import LinkActor
from groupings.models import (
    Award,
    Consultation,
    ConsumptionImport,
    ConsumptionLine,
    Convention,
    ConventionComment,
    Deliberation,
    Grouping,
    NeedLine,
    PriceItem,
    Signature,
)
from groupings.models.deliberation import COUNTS
from groupings.needs_overview import Overview
from groupings.radar import ending_contracts
from groupings.rules.legal_basis import legal_basis_on
from groupings.rules.radar import radar
from groupings.rules.vote import counts_refusal, outcome
from groupings.views.needs_page import Door, Page, find_answering
from members.models import Affiliation, CouncilSession, Organisation, Representative
from members.roles import Role
from procurement.core.journal.models import JournalEntry
from procurement.core.money import round_half_up

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 22)


@pytest.fixture(scope="module")
def demonstration(django_db_setup, django_db_blocker):
    from django.db import connection, transaction

    with django_db_blocker.unblock(), transaction.atomic():
        load(today=TODAY)
        yield
        transaction.set_rollback(True, using=connection.alias)


@pytest.fixture(autouse=True)
def _loaded(demonstration, db):
    """Each test in its own transaction, inside the one that holds the data."""


def _json(*arguments):
    out = StringIO()
    call_command(*arguments, stdout=out)
    return json.loads(out.getvalue())


def test_figures_of_2016_are_those_of_the_bilan():
    """Bilan d’étape 2016, action existante 5: 16 groupings, 23 communes, 3 CCAS, 21 214 690 € HT, 7 to 18 members."""
    assert _json("annual_figures", "2016", "--json") == {
        "groupings": 16,
        "communes": 23,
        "ccas": 3,
        "organisations": 27,
        "estimated_total_excl_tax": "21214690.00",
        "participants_min": 7,
        "participants_max": 18,
    }


def test_a_year_before_any_grouping_counts_zero():
    figures = _json("annual_figures", "2010", "--json")
    assert figures["groupings"] == figures["organisations"] == figures["participants_max"] == 0
    assert figures["estimated_total_excl_tax"] == "0.00"


def test_without_a_year_the_figures_are_those_of_this_year():
    assert _json("annual_figures", "--json") == _json("annual_figures", str(date.today().year), "--json")  # noqa: DTZ011


def test_an_impossible_year_is_refused():
    with pytest.raises(CommandError, match="n’est pas une année"):
        call_command("annual_figures", "0", "--json")


def test_five_renewals_are_in_preparation_around_today():
    renewals = Grouping.objects.filter(reference__startswith="GC-2027-")
    assert renewals.count() == 5
    assert all(renewal.is_in_preparation and renewal.launch_planned_on > TODAY for renewal in renewals)
    assert all(renewal.renews.reference.startswith("GC-2016-") for renewal in renewals)


def test_every_state_of_a_deliberation_is_shown():
    assert set(Deliberation.objects.values_list("status", flat=True)) == set(DeliberationStatus.values)


def test_nothing_future_is_voted_published_or_executory():
    for deliberation in Deliberation.objects.select_related("session"):
        for field in ("decided_on", "transmitted_on", "received_on", "published_on", "executory_on"):
            value = getattr(deliberation, field)
            assert value is None or value <= TODAY, (deliberation, field)
        if deliberation.status in (DeliberationStatus.ON_AGENDA, DeliberationStatus.CONVENED):
            assert deliberation.session.meeting_on > TODAY
        if deliberation.decided_on and deliberation.session:
            assert deliberation.session.meeting_on == deliberation.decided_on


def test_convocations_left_in_time_and_never_tomorrow():
    for session in CouncilSession.objects.exclude(convened_on=None):
        assert session.convened_on <= TODAY
        assert (session.meeting_on - session.convened_on).days >= 6  # five clear days, the stricter rule


def test_the_sixteen_conventions_are_under_the_law_of_their_day():
    """CMP art. 8 until 31/03/2016, ordonnance 2015-899 from 01/04/2016: both are represented."""
    dates = Grouping.objects.filter(reference__startswith="GC-2016-").values_list("convention_on", flat=True)
    before = [day for day in dates if day < date(2016, 4, 1)]
    assert len(dates) == 16 and 0 < len(before) < 16
    assert len({legal_basis_on(day).code for day in dates}) == 2


def test_the_acts_of_2016_were_enforceable_before_the_convention():
    """A convention is signed once the votes are enforceable (CE, avis, 10/06/1996, préfet de la Côte-d’Or)."""
    for deliberation in Deliberation.objects.filter(membership__grouping__reference__startswith="GC-2016-"):
        grouping = deliberation.membership.grouping
        assert grouping.opened_on < deliberation.decided_on <= deliberation.executory_on < grouping.convention_on


def test_who_signed_had_an_enforceable_act():
    signed = Signature.objects.select_related("membership")
    assert signed.filter(membership__grouping__reference__startswith="GC-2027-").exists()
    for signature in signed:
        approval = signature.membership.deliberations.approvals().get()
        assert approval.executory_on <= signature.signed_on <= TODAY, signature


def test_a_vote_that_came_to_nothing_is_kept_and_the_numbers_hold_together():
    undone = Deliberation.objects.filter(status__in=["rejected", "postponed", "no_quorum", "withdrawn", "annulled"])
    assert all(deliberation.attempts.count() == 1 for deliberation in undone)
    for deliberation in Deliberation.objects.exclude(in_office=None):
        numbers = {name: getattr(deliberation, name) for name in COUNTS}
        assert counts_refusal(**numbers) == ""
        expected = "rejected" if deliberation.status == "rejected" else "adopted"
        assert outcome(numbers["votes_for"], numbers["votes_against"]) == expected


def test_no_mail_of_the_demonstration_can_reach_anybody():
    assert all(organisation.email.endswith(".example") for organisation in Organisation.objects.all())


def test_what_is_invented_says_so():
    assert Organisation.objects.filter(kind="ccas").count() == 3
    assert all(body.is_fictitious for body in Organisation.objects.filter(kind="ccas"))
    assert all(g.source for g in Grouping.objects.all())
    assert {r.last_name for r in Representative.objects.all()} <= {
        *("Exemple", "Fictif", "Modèle", "Spécimen", "Témoin", "Essai", "Démo", "Gabarit", "Maquette", "Factice"),
        "Imaginaire",
    }


def test_loading_is_journalled():
    entries = JournalEntry.objects.filter(actor_label="Chargement de la démonstration", verb="grouping.create")
    assert entries.count() == 24  # sixteen, five in preparation, three past the launch


def test_three_groupings_are_past_the_launch():
    """In consultation, being awarded, in use: the shares of every awarded lot add up to it, to the cent."""
    stages = dict(Grouping.objects.filter(reference__regex="^GC-202[56]-").values_list("reference", "status"))
    assert stages == {"GC-2025-01": "performance", "GC-2026-01": "award", "GC-2026-02": "consultation"}
    awarded = Award.objects.awarded().prefetch_related("shares", "holders")
    assert len(awarded) == 4
    for award in awarded:
        assert sum(share.amount_excl_tax.amount for share in award.shares.all()) == award.value
        assert sum(holder.is_lead for holder in award.holders.all()) == 1
        assert award.rejection_sent_on + timedelta(days=11) <= (award.signed_on or date.max)
        assert (award.notified_on or date.min) <= TODAY
    consultation = Consultation.objects.get(grouping__reference="GC-2026-02")
    assert consultation.offers_due_at.date() > TODAY and consultation.closed_on is None


def test_a_survey_is_under_way_and_the_secretary_has_not_answered():
    survey = Grouping.objects.get(reference="GC-2027-05")
    answered = survey.memberships.filter(needs_submissions__isnull=False)
    assert survey.needs_campaign.opens_on <= TODAY <= survey.needs_due_on
    assert 0 < answered.count() < survey.memberships.count()
    assert not answered.filter(organisation__name="Prades-le-Lez").exists()
    assert survey.memberships.filter(needs_draft__isnull=False).count() == 1
    entered = [note for row in Overview(survey, None, sees_all=True).rows for note in row.notes if "saisi" in note]
    assert entered == []  # the members answered by themselves


def test_the_draft_of_the_survey_is_shown_in_its_form():
    """What the form writes: amounts as they are typed, by the number of the lot."""
    membership = find_answering(grouping__reference="GC-2027-05", needs_draft__isnull=False)
    page = Page(membership, LinkActor(membership), TODAY, Door("", "", "", lambda document: ""))
    assert page.refusal == ""
    assert {number: shown.texts for number, shown in page.shown.items()} == {
        int(number): texts for number, texts in membership.needs_draft.lines.items()
    }
    form = page.form(
        {f"{box}_{lot.pk}": text for lot in page.lots for box, text in page.shown[lot.number].texts.items()}
    )
    boxes = {name for card in page.cards(form) for name, box in card.boxes.items() if box.field.value()}
    assert {"yearly_amount", "quantity", "unit", "supplier"} <= boxes
    assert form.is_valid(), form.errors


def test_needs_of_2016_are_the_file_s():
    assert NeedLine.objects.filter(membership__grouping__reference__startswith="GC-2016-").count() == 470


@pytest.fixture
def contracts(demonstration, db):
    """The three lots in use, read by the coordinator's buyer."""
    buyer = Affiliation.objects.get(role=Role.BUYER)
    return grouping_contracts(Grouping.objects.get(reference="GC-2025-01"), buyer, TODAY)


def test_the_contract_in_use_asks_for_something_and_its_other_lots_for_nothing(contracts):
    """Lot 1 is beyond 80 % of its maximum, one member beyond its share, the notice date comes within two months."""
    first, *others = contracts
    assert 80 < first.percent < 100
    assert {alert.kind for alert in first.own_alerts} == {"ceiling", "notice"}
    assert [part.percent > 100 for part in first.parts].count(True) == 1
    assert len(others) == 2 and all(0 < lot.percent < 80 and not lot.alerts for lot in others)
    assert all(part.consumed > 0 for lot in contracts for part in lot.parts)


def test_what_was_consumed_is_whole_quantities_at_the_prices_of_the_list(contracts):
    prices = {(item.award_id, item.designation): item.price_excl_tax for item in PriceItem.objects.all()}
    lines = ConsumptionLine.objects.all()
    assert lines.count() > 100
    for line in lines.select_related("award"):
        assert line.amount_excl_tax.amount == round_half_up(line.quantity * prices[line.award_id, line.label])
        assert line.award.starts_on <= line.invoiced_on <= TODAY
    assert list(ConsumptionImport.objects.order_by("pk").values_list("filename", flat=True)) == [
        "mandats-2025.csv",
        "mandats-2026.csv",
    ]


def test_the_radar_shows_an_opportunity_fed_by_the_survey_and_one_by_the_contract(demonstration, db):
    buyer = Affiliation.objects.get(role=Role.BUYER)
    found = radar(ending_contracts(buyer, TODAY), TODAY)
    origins = {contract.origin for opportunity in found.opportunities for contract in opportunity.contracts}
    assert {"needs", "award"} <= origins


def test_each_convention_is_in_the_state_of_its_grouping_and_its_votes_name_it():
    """No text while needs are surveyed; then read again, before the assemblies, in force, ended."""
    states = {
        grouping.reference: [convention.status for convention in grouping.conventions.all()]
        for grouping in Grouping.objects.filter(is_declared_only=False)
    }
    assert states.pop("GC-2027-05") == []
    assert states.pop("GC-2027-04") == ["comments"]
    assert [states.pop(f"GC-2027-0{number}") for number in (1, 2, 3)] == [["votes"]] * 3
    assert {r: s for r, s in states.items() if r.startswith(("GC-2025", "GC-2026"))} == {
        reference: ["in_force"] for reference in ("GC-2025-01", "GC-2026-01", "GC-2026-02")
    }
    assert all(state == ["ended"] for reference, state in states.items() if reference.startswith("GC-2016"))
    acts = Deliberation.objects.approvals().filter(status__in=("adopted", "challenged"))
    assert not acts.filter(convention=None).exists()
    assert not any(voted_another_text(grouping) for grouping in Grouping.objects.all())
    remarks = ConventionComment.objects.filter(convention__grouping__reference="GC-2027-04", parent=None)
    assert [remark.outcome for remark in remarks] == ["answered", "kept", ""]


def test_the_text_of_each_convention_is_still_that_of_its_grouping():
    """What is printed tomorrow is the version of today: nothing loaded afterwards changes it."""
    current = Convention.objects.select_related("grouping__coordinator").exclude(status="superseded")
    assert current.count() == 23
    assert all(is_text_current(convention) for convention in current)
