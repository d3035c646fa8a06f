"""Five renewals in preparation around today, so that the tracker has something to say."""

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from django.contrib.auth.models import AbstractBaseUser

from groupings.actions.grouping import grouping_save, lot_save
from groupings.actions.membership import membership_add, need_set
from groupings.choices import DeliberationStatus as D
from groupings.choices import FeeRule, GroupingKind, GroupingStatus, IntegrationLevel
from groupings.demonstration.calendars import create_session
from groupings.demonstration.history import count_votes, sign
from groupings.demonstration.survey import survey
from groupings.models import Deliberation, DeliberationAttempt, Grouping, Lot
from members.models import CouncilSession
from procurement.core.actors import Actor
from procurement.core.money import round_half_up

SOURCE = "illustratif\u00a0: renouvellement fictif"


@dataclass(frozen=True)
class Renewal:
    """One renewal. ``launch_in`` and ``votes_in``: days from today; ``states``: how far its members went, in turn."""

    reference: str
    renews: str
    title: str
    status: str
    launch_in: int
    votes_in: int
    states: tuple[str, ...]
    kind: str = GroupingKind.AD_HOC
    integration_level: str = IntegrationLevel.PARTIAL
    fee_rule: str = FeeRule.FREE
    fee_base: Decimal | None = None


#: Its survey is under way: half of its members have answered, and the secretary of the demonstration has not.
IN_SURVEY = "GC-2027-05"
_E = "executory"
RENEWALS = (
    Renewal(
        "GC-2027-01", "GC-2016-01", "Fourniture de carburants et recharge des véhicules", GroupingStatus.DELIBERATIONS,
        45, -4,
        (_E, _E, _E, D.ADOPTED, _E, "received", "published", _E, D.ON_AGENDA, D.CONVENED, D.CHALLENGED, D.TO_SCHEDULE),
    ),
    Renewal(
        "GC-2027-02", "GC-2016-03", "Vêtements professionnels et équipements de protection",
        GroupingStatus.DELIBERATIONS,
        60, 12,
        (
            _E, D.ON_AGENDA, D.ADOPTED, D.REJECTED, D.POSTPONED, D.WITHDRAWN, D.NO_QUORUM, D.CONVENED, D.ANNULLED,
            D.DRAFT_SENT,
        ),
        fee_rule=FeeRule.POPULATION, fee_base=Decimal("4200.00"),
    ),
    Renewal(
        "GC-2027-03", "GC-2016-06", "Produits d’hygiène et d’entretien", GroupingStatus.DELIBERATIONS,
        95, 40, (D.DRAFT_SENT, D.ON_AGENDA, D.TO_SCHEDULE, D.DRAFT_SENT, D.NOT_REQUIRED, D.ON_AGENDA),
        kind=GroupingKind.PERMANENT, fee_rule=FeeRule.EQUAL_SHARES, fee_base=Decimal("3000.00"),
    ),
    Renewal(
        "GC-2027-04", "GC-2016-09", "Fournitures de bureau et papier recyclé", GroupingStatus.CONVENTION,
        150, 90, (D.TO_SCHEDULE,), integration_level=IntegrationLevel.COORDINATED,
    ),
    Renewal(
        "GC-2027-05", "GC-2016-13", "Services de télécommunications", GroupingStatus.NEEDS,
        210, 150, (D.TO_SCHEDULE,), integration_level=IntegrationLevel.FULL,
        fee_rule=FeeRule.ESTIMATED_AMOUNT, fee_base=Decimal("6000.00"),
    ),
)  # fmt: skip


def create_renewals(
    *, actor: Actor, buyer: AbstractBaseUser, jurist: AbstractBaseUser, random: Random, today: date
) -> None:
    """The five renewals with members, needs and deliberations in every state, coherent with the calendar."""
    for renewal in RENEWALS:
        previous = Grouping.objects.get(reference=renewal.renews)
        grouping = _create(renewal, previous, actor=actor, buyer=buyer, jurist=jurist, today=today)
        copy_members_and_needs(grouping, previous, actor=actor, random=random)
        if grouping.reference == IN_SURVEY:
            survey(grouping, previous, actor=actor, random=random, today=today)
        deliberations = Deliberation.objects.filter(membership__grouping=grouping).select_related(
            "membership__organisation"
        )
        for rank, deliberation in enumerate(deliberations):
            state = renewal.states[rank % len(renewal.states)]
            if deliberation.purpose == Deliberation.Purpose.CONVENTION and _E in renewal.states:
                state = _E  # the coordinator shows the way
            _bring_to(deliberation, state, random, today)
            _keep_history(deliberation)
            _sign(deliberation, random, today)
        Grouping.objects.filter(pk=grouping.pk).update(status=renewal.status)


def _create(renewal: Renewal, previous: Grouping, *, actor, buyer, jurist, today: date) -> Grouping:
    launch_on = today + timedelta(days=renewal.launch_in)
    grouping = Grouping(
        reference=renewal.reference,
        title=renewal.title,
        category=previous.category,
        cpv=previous.cpv,
        coordinator=previous.coordinator,
        kind=renewal.kind,
        integration_level=renewal.integration_level,
        fee_rule=renewal.fee_rule,
        fee_base=renewal.fee_base,
        duration_months=24,
        extension_count=2,
        extension_months=12,
        opened_on=launch_on - timedelta(days=240),
        needs_due_on=launch_on - timedelta(days=170),
        deliberations_due_on=today + timedelta(days=renewal.votes_in),
        launch_planned_on=launch_on,
        award_planned_on=launch_on + timedelta(days=110),
        performance_planned_on=launch_on + timedelta(days=150),
        buyer=buyer,
        jurist=jurist,
        renews=previous,
        source=SOURCE,
    )
    return grouping_save(grouping=grouping, actor=actor)


def copy_members_and_needs(grouping: Grouping, previous: Grouping, *, actor: Actor, random: Random) -> None:
    """The lots and members of ``previous``, with needs of the same order."""
    lots: dict[int, Lot] = {}
    for lot in previous.lots.all():
        lots[lot.number] = lot_save(lot=Lot(grouping=grouping, number=lot.number, title=lot.title), actor=actor)
    memberships = {membership.organisation_id: membership for membership in grouping.memberships.all()}
    for former in previous.memberships.select_related("organisation").prefetch_related("needs__lot"):
        membership = memberships.get(former.organisation_id) or membership_add(
            grouping=grouping, organisation=former.organisation, joined_on=grouping.opened_on, actor=actor
        )
        if grouping.reference == IN_SURVEY:
            continue  # its members answer by themselves
        for need in former.needs.all():
            factor = Decimal(random.randint(95, 125)) / 100
            amount = round_half_up((need.estimated_amount_excl_tax.amount * factor / 10).quantize(Decimal(1)) * 10)
            need_set(membership=membership, lot=lots[need.lot.number], amount=amount, actor=actor)


def _bring_to(deliberation: Deliberation, state: str, random: Random, today: date) -> None:
    """Put the deliberation in ``state`` with dates its body's calendar allows; else in the nearest state that fits."""
    sessions = CouncilSession.objects.filter(organisation=deliberation.membership.organisation_id)
    last = sessions.filter(meeting_on__lt=today - timedelta(days=12)).last()
    coming = sessions.filter(meeting_on__gt=today).first()
    if state in _HELD:
        _vote(deliberation, state, last, random)
    else:
        if state == D.CONVENED and not coming.convened_on:
            coming = create_session(deliberation.membership.organisation, today + timedelta(days=5), today)
        deliberation.status = state
        deliberation.session = coming if state in (D.ON_AGENDA, D.CONVENED) else None
    deliberation.full_clean()
    deliberation.save()


#: The states of a text whose meeting was held.
_HELD = (
    _E, "received", "published", D.ADOPTED, D.REJECTED, D.POSTPONED, D.NO_QUORUM, D.CHALLENGED, D.WITHDRAWN, D.ANNULLED,
)  # fmt: skip
#: Those of an act that had become enforceable.
_ENFORCEABLE = (_E, D.CHALLENGED, D.WITHDRAWN, D.ANNULLED)


def _vote(deliberation: Deliberation, state: str, session: CouncilSession, random: Random) -> None:
    deliberation.session = session
    if state in (D.POSTPONED, D.NO_QUORUM):
        deliberation.status = state
        return
    deliberation.decided_on = session.meeting_on
    deliberation.number = f"{session.meeting_on.year}-{random.randint(10, 180):03d}"
    deliberation.status = state if state in D.values else D.ADOPTED
    count_votes(deliberation, random)
    if state in (*_ENFORCEABLE, "received"):
        deliberation.transmitted_on = session.meeting_on + timedelta(days=random.randint(1, 5))
        deliberation.received_on = deliberation.transmitted_on + timedelta(days=random.randint(0, 1))
    if state in (*_ENFORCEABLE, "published"):
        deliberation.published_on = session.meeting_on + timedelta(days=random.randint(1, 7))


_REASONS = {
    D.REJECTED: "Le conseil préfère attendre la fin du contrat en cours.",
    D.POSTPONED: "Point retiré en séance, faute de temps.",
    D.NO_QUORUM: "Trop d’absents à l’ouverture de la séance.",
    D.WITHDRAWN: "Erreur matérielle dans le montant prévisionnel.",
    D.ANNULLED: "Convocation hors délai.",
}


def _keep_history(deliberation: Deliberation) -> None:
    """What came to nothing is kept as an attempt, as the actions do."""
    if deliberation.status in _REASONS:
        DeliberationAttempt.objects.create(
            deliberation=deliberation,
            outcome=deliberation.status,
            meeting_on=deliberation.session.meeting_on,
            facts={"number": deliberation.number},
            reason=_REASONS[D(deliberation.status)],
        )


def _sign(deliberation: Deliberation, random: Random, today: date) -> None:
    """Two enforceable members out of three have signed, some days later."""
    if deliberation.status == D.ADOPTED and deliberation.executory_on and random.random() < 0.67:
        signed_on = min(today, deliberation.executory_on + timedelta(days=random.randint(2, 9)))
        sign(deliberation.membership, signed_on)
