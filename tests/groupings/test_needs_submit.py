"""The answer of a member: written whole or not at all, frozen, journalled, receipted; when it is taken and when not."""

import hashlib
import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from groupings.actions.grouping import grouping_advance, grouping_save
from groupings.actions.membership import need_set
from groupings.actions.needs import Read, needs_submit, receipt_lines
from groupings.models import Grouping, Membership, NeedLine, NeedsDraft, NeedsReopening, NeedsSubmission
from groupings.rules.needs import NeedEntry
from members.roles import Role
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.journal.models import JournalEntry
from procurement.core.mail.models import OutgoingMessage
from tests.support.factories import make_affiliation, make_lot, make_need, make_organisation
from tests.support.needs import in_days, make_survey, open_campaign

pytestmark = pytest.mark.django_db
NO_NEED = NeedEntry(has_no_need=True)
PAPER = NeedEntry(
    yearly_amount=Decimal("1234.56"),
    quantity=Decimal("300"),
    unit="rame",
    unit_price=Decimal("4.1152"),
    supplier="Lacoste",
    contract_ends_on=date(2028, 2, 29),
)


@pytest.fixture
def survey():
    return make_survey()


def send(survey, entries=None, actor=None, **options):
    return needs_submit(
        membership=Membership.objects.get(pk=survey.membership.pk),
        entries=entries if entries is not None else {1: PAPER, 2: NO_NEED},
        actor=actor or survey.agent,
        now=options.pop("now", timezone.now()),
        **options,
    )


def test_a_whole_answer_is_written_frozen_and_journalled(survey):
    make_need(survey.membership, survey.lots[1], "700.00")
    NeedsDraft.objects.create(membership=survey.membership, lines={"1": {"quantity": "3"}}, saved_by="Essai")
    submission = send(survey)
    line = survey.membership.needs.get()
    assert (line.lot, line.quantity, line.unit, line.current_supplier) == (survey.lots[0], 300, "rame", "Lacoste")
    assert line.yearly_amount_excl_tax.amount == Decimal("1234.56")
    assert line.estimated_amount_excl_tax.amount == Decimal("4938.24")  # × 4 years
    assert line.current_unit_price == Decimal("4.115200")
    assert line.current_contract_ends_on == date(2028, 2, 29)
    assert not NeedsDraft.objects.exists()
    assert (submission.number, submission.is_late) == (1, False)
    assert submission.submitted_by == survey.agent.actor_label
    told = json.dumps(submission.lines, sort_keys=True, ensure_ascii=False).encode()
    assert submission.sha256 == hashlib.sha256(told).hexdigest()
    verbs = list(JournalEntry.objects.order_by("pk").values_list("verb", flat=True))
    assert verbs == ["need.set", "need.remove", "needs.submit"]
    assert JournalEntry.objects.latest("pk").concerns_id == survey.commune.pk


def test_what_was_sent_stays_when_a_lot_or_the_duration_changes(survey):
    submission = send(survey)
    survey.lots[0].title = "Autre nom"
    survey.lots[0].save()
    Grouping.objects.update(duration_months=12)
    first, second = receipt_lines(NeedsSubmission.objects.get(pk=submission.pk))
    assert (first.title, first.months, first.estimated) == ("Lot de fournitures 1", 48, Decimal("4938.24"))
    assert first.quantity_text == "300 rame"
    assert first.unit_price_text == "4,1152\u00a0€\u00a0HT"
    assert (second.entry.has_no_need, second.estimated) == (True, None)


def test_every_lot_is_answered_and_all_the_refusals_are_told_at_once(survey):
    make_lot(survey.grouping, 3)
    with pytest.raises(ValidationError) as caught:
        send(survey, {1: NeedEntry(yearly_amount=Decimal("-1"))})
    assert set(caught.value.error_dict) == {"1.yearly_amount", "2.yearly_amount", "3.yearly_amount"}
    with pytest.raises(BusinessError, match="pas de lot 9"):
        send(survey, {1: PAPER, 2: NO_NEED, 3: NO_NEED, 9: PAPER})
    assert not NeedLine.objects.exists()
    assert not NeedsSubmission.objects.exists()
    assert not JournalEntry.objects.exists()


def test_a_double_click_is_one_answer(survey):
    read = Read(0, 0)
    assert send(survey, read=read) == send(survey, read=read)
    assert NeedsSubmission.objects.count() == 1
    with pytest.raises(BusinessError, match="La réponse n° 1 a été transmise entre-temps par"):
        send(survey, {1: NO_NEED, 2: NO_NEED}, read=read)
    assert survey.membership.needs.count() == 1
    assert send(survey, {1: NO_NEED, 2: NO_NEED}, read=Read(0, 1)).number == 2
    assert not survey.membership.needs.exists()


def test_a_draft_saved_meanwhile_by_somebody_else_is_not_lost(survey):
    NeedsDraft.objects.create(membership=survey.membership, lines={}, saved_by="Une collègue", version=2)
    with pytest.raises(BusinessError, match="Le brouillon a été enregistré entre-temps par Une collègue"):
        send(survey, read=Read(1, 0))
    assert NeedsDraft.objects.exists()


def test_a_late_answer_is_taken_and_said_so_until_the_closing(survey):
    Grouping.objects.update(needs_due_on=in_days(-1))
    assert send(survey).is_late
    assert JournalEntry.objects.latest("pk").sentence.endswith("hors délai")


def test_the_day_itself_is_not_late(survey):
    Grouping.objects.update(needs_due_on=in_days(0))
    assert not send(survey).is_late


def test_the_day_ends_at_midnight_in_paris(survey):
    """In November Paris is an hour ahead: 22:59 UTC is 23:59, 23:00 UTC is the next day."""
    Grouping.objects.filter(pk=survey.grouping.pk).update(needs_due_on=date(2026, 11, 10))
    assert send(survey, now=datetime(2026, 11, 10, 22, 59, tzinfo=UTC)).is_late is False
    assert send(survey, entries={1: NO_NEED, 2: NO_NEED}, now=datetime(2026, 11, 10, 23, 0, tzinfo=UTC)).is_late is True


def test_a_survey_that_locks_takes_nothing_after_its_day_but_from_the_coordinator(survey):
    open_campaign(survey, locks_when_due=True)
    Grouping.objects.update(needs_due_on=in_days(-1))
    with pytest.raises(BusinessError, match="s’est fermé le"):
        send(survey)
    submission = send(survey, actor=survey.buyer)
    assert submission.submitted_by.endswith(", pour Saussan")
    assert "saisis pour Saussan" in JournalEntry.objects.latest("pk").sentence


def test_before_its_first_day_a_survey_takes_nothing(survey):
    open_campaign(survey, opens_on=in_days(3))
    with pytest.raises(BusinessError, match="Le recensement ouvre le"):
        send(survey)


@pytest.mark.parametrize(
    ("status", "fields", "sentence"),
    [
        ("convention", {}, "Le recensement est clos"),
        ("consultation", {"launched_on": date(2026, 11, 1)}, "la consultation est lancée"),
        ("cancelled", {}, "ce groupement est abandonné"),
    ],
)
def test_once_closed_launched_or_abandoned_nothing_is_taken(survey, status, fields, sentence):
    Grouping.objects.update(status=status, **fields)
    with pytest.raises(BusinessError, match=sentence):
        send(survey)
    if status != "convention":
        with pytest.raises(BusinessError, match=sentence):
            send(survey, actor=survey.buyer)
    assert not NeedLine.objects.exists()


def test_a_member_let_in_again_answers_until_its_day_and_is_not_late(survey):
    Grouping.objects.update(status="convention", needs_due_on=in_days(-10))
    reopening = NeedsReopening.objects.create(membership=survey.membership, until=in_days(0), reason="Oubli")
    assert not send(survey).is_late
    reopening.until = in_days(-1)
    reopening.save()
    with pytest.raises(BusinessError, match="Le recensement est clos"):
        send(survey)


def test_a_member_withdrawn_meanwhile_is_told(survey):
    stale = Membership.objects.get(pk=survey.membership.pk)
    Membership.objects.filter(pk=stale.pk).update(withdrawn_on=in_days(0))
    with pytest.raises(BusinessError, match="Saussan ne participe plus"):
        needs_submit(
            membership=stale, entries={1: PAPER, 2: NO_NEED}, actor=survey.agent, now=timezone.now(), read=Read(0, 0)
        )


def test_who_may_answer(survey):
    neighbour = make_organisation(parent=survey.metropole)
    for actor in (
        make_affiliation(neighbour, Role.MEMBER_AGENT),
        make_affiliation(neighbour, Role.BUYER),
        make_affiliation(survey.metropole, Role.FINANCE),
        make_affiliation(survey.commune, Role.READER),
    ):
        with pytest.raises(NotAllowed):
            send(survey, actor=actor)


def test_the_receipt_goes_to_the_contact_and_to_nobody_else(survey):
    send(survey)
    assert not OutgoingMessage.objects.exists()  # the town hall's shared mailbox does not receive figures
    Membership.objects.filter(pk=survey.membership.pk).update(contact_email="lea@saussan.example")
    submission = send(survey, now=timezone.now() + timedelta(hours=1))
    message = OutgoingMessage.objects.get()
    assert message.recipient == "lea@saussan.example"
    assert message.subject.startswith("Reçu n° 2\u00a0: besoins de Saussan")
    for told in (submission.sha256, "4\u202f938,24\u00a0€ HT sur 48 mois", "pas de besoin", survey.receipt_url):
        assert told in message.text


def test_a_grouping_without_lots_has_nothing_to_ask(survey):
    for lot in survey.lots:
        lot.delete()
    with pytest.raises(BusinessError, match="Aucun lot n’est encore décrit"):
        send(survey, {})
    assert not NeedsSubmission.objects.exists()


def test_a_change_of_duration_recounts_the_yearly_needs_and_nothing_else(survey):
    send(survey, {1: PAPER, 2: NeedEntry(total_amount=Decimal("900.00"))})
    grouping = Grouping.objects.get()
    grouping.duration_months = 12
    grouping_save(grouping=grouping, actor=survey.buyer)
    first, second = survey.membership.needs.all()
    assert first.estimated_amount_excl_tax.amount == Decimal("1234.56")
    assert second.estimated_amount_excl_tax.amount == Decimal("900.00")
    assert JournalEntry.objects.filter(verb="need.recount", concerns_id=survey.commune.pk).count() == 1
    Grouping.objects.update(status="consultation", launched_on=date(2026, 11, 1))
    grouping = Grouping.objects.get()
    grouping.duration_months = 24
    grouping_save(grouping=grouping, actor=survey.buyer)
    assert survey.membership.needs.first().estimated_amount_excl_tax.amount == Decimal("1234.56")


def test_a_whole_amount_set_by_the_coordinator_does_not_live_beside_another_yearly_one(survey):
    send(survey)
    membership = Membership.objects.get(pk=survey.membership.pk)
    common = {"membership": membership, "lot": survey.lots[0], "actor": survey.buyer}
    assert need_set(amount=Decimal("4938.24"), **common).yearly_amount_excl_tax.amount == Decimal("1234.56")
    assert need_set(amount=Decimal("5000.00"), **common).yearly_amount_excl_tax is None


def test_no_need_everywhere_has_answered_and_does_not_make_a_purchase(survey):
    Grouping.objects.update(needs_due_on=in_days(5))
    grouping = Grouping.objects.get()
    with pytest.raises(BusinessError, match="n’a encore indiqué"):
        grouping_advance(grouping=grouping, step="close_needs", actor=survey.buyer, today=in_days(0))
    send(survey, {1: NO_NEED, 2: NO_NEED})
    assert [m.pk for m in grouping.memberships.silent()] == [survey.own.pk]
    with pytest.raises(BusinessError, match="aucun besoin"):
        grouping_advance(grouping=grouping, step="close_needs", actor=survey.buyer, today=in_days(0))
    make_need(survey.own, survey.lots[0])
    assert grouping_advance(grouping=grouping, step="close_needs", actor=survey.buyer, today=in_days(0))
