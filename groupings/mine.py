"""Mes délibérations: what one body must do next for each grouping, by when, with which document.

``agenda_of`` reads one body's approvals in five queries, whatever the number of groupings. A pending act is late by the
tracker's own rule: never on one screen and not on the other.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

from django.db.models import Exists, OuterRef

from groupings.actions.stepping import may_take
from groupings.choices import (
    AWAITING_VOTE,
    IN_FORCE,
    LATE_BADGE,
    WITHOUT_EFFECT,
    Badge,
    DeliberationStatus,
    GroupingStatus,
)
from groupings.forecast import launch_states, next_usable_session, notice_of
from groupings.models import Convention, ConventionDocument, Deliberation, DraftDocument, Grouping, Membership
from groupings.reminders import filing_date
from groupings.rules.clear_days import latest_dispatch_on
from groupings.rules.lateness import Lateness, lateness, needed_by
from groupings.todo import Urgency, chosen_session, classify, effect_step, other_text_step, vote_step
from groupings.tracker import EXPECTED_LATE_BADGE, expected_executory_on
from members.models import Affiliation, CouncilSession, Organisation
from members.roles import may

NBSP, NARROW = "\u00a0", "\u202f"


@dataclass(frozen=True)
class Card:
    """One deliberation of the body.

    ``step``: the next step as a French sentence without its final stop, empty when nothing is waited for, ``ending``
    then says why. ``due_on``: the deadline of that step, None when no date was planned. ``why_late``: « En retard de
    12 jours : délibération exécutoire attendue pour le 01/11/2026 », empty when it is not. ``council``: what is known
    of the assembly's calendar, as one sentence; ``asks_for_session`` when no usable meeting is known. ``draft``, while
    there is something to vote, and ``convention``: the files of the latest kit, None until they exist.
    """

    deliberation: Deliberation
    step: str = ""
    ending: str = ""
    due_on: date | None = None
    lateness: Lateness | None = None
    why_late: str = ""
    council: str = ""
    asks_for_session: bool = False
    may_update: bool = False
    draft: DraftDocument | None = None
    convention: ConventionDocument | None = None

    @property
    def membership(self) -> Membership:
        return self.deliberation.membership

    @property
    def grouping(self) -> Grouping:
        return self.membership.grouping

    @property
    def late_badge(self) -> Badge | None:
        if self.lateness is None:
            return None
        return EXPECTED_LATE_BADGE if self.lateness.is_expected else LATE_BADGE

    @property
    def deadline(self) -> str:
        """By when, as one sentence without its final stop; why it is late when it is."""
        if self.why_late or self.due_on is None:
            return self.why_late or "Échéance non fixée"
        what = "Lancement prévu" if self.deliberation.is_cleared else "Délibération exécutoire attendue pour"
        return f"{what} le {self.due_on:%d/%m/%Y}"

    @property
    def is_late(self) -> bool:
        return self.lateness is not None and not self.lateness.is_expected


@dataclass
class Agenda:
    """The cards of one body: ``followed`` oldest deadline first, ``coming`` (no text to vote yet), ``done``."""

    organisation: Organisation
    followed: list[Card] = field(default_factory=list)
    coming: list[Card] = field(default_factory=list)
    done: list[Card] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        return not (self.followed or self.coming or self.done)

    @property
    def sentence(self) -> str:
        """« 7 délibérations à suivre, dont 2 en retard ; 1 à venir, 5 terminées. »"""
        followed, late, done = len(self.followed), sum(card.is_late for card in self.followed), len(self.done)
        first = f"{followed} délibération{_s(followed)} à suivre"
        first += f", dont {late} en retard" if late else ""
        others = [f"{len(self.coming)} à venir"] if self.coming else []
        others.append(f"{done} terminée{_s(done)}")
        return f"{first}{NARROW}; {', '.join(others)}."


def _s(count: int) -> str:
    return "s" if count > 1 else ""


def memberships_of(organisation: Organisation, affiliation: Affiliation, today: date) -> list[Membership]:
    """Every place of ``organisation`` in a followed grouping, with what its approval depends on, in three queries."""
    return list(
        Membership.objects.visible_to(affiliation)
        .filter(organisation=organisation, grouping__is_declared_only=False)
        .with_approval(today, with_texts=True)
        .select_related("organisation__parent", "grouping__coordinator", "grouping__buyer")
    )


def agenda_of(organisation: Organisation, affiliation: Affiliation, today: date) -> Agenda:
    """What ``organisation`` has to do, as far as ``affiliation`` may see. The caller found it in its perimeter."""
    drafts, conventions = _kits(organisation, affiliation)
    memberships = memberships_of(organisation, affiliation, today)
    agenda = agenda_from(memberships, organisation, affiliation, today, drafts=drafts, conventions=conventions)
    _add_amendments(agenda, memberships, affiliation, today)
    return agenda


def _add_amendments(agenda: Agenda, memberships: list[Membership], affiliation: Affiliation, today: date) -> None:
    """The amendments its assembly votes now, in one query; a newcomer's vote is its approval, already there."""
    known = {membership.pk: membership for membership in memberships}
    votes = Deliberation.objects.on_amendments().filter(membership__in=known).select_related("session", "amendment")
    for vote in votes.filter(purpose=Deliberation.Purpose.AMENDMENT):
        vote.membership = known[vote.membership_id]
        if not vote.is_cleared:
            agenda.followed.append(_open_card(vote, affiliation, today, None, None))
    agenda.followed.sort(key=lambda card: (card.due_on or date.max, card.grouping.reference))


def agenda_from(
    memberships: list[Membership],
    organisation: Organisation,
    affiliation: Affiliation,
    today: date,
    *,
    drafts: Mapping[int, DraftDocument] = MappingProxyType({}),
    conventions: Mapping[int, ConventionDocument] = MappingProxyType({}),
) -> Agenda:
    """The same of ``memberships_of``, without any query; the cards hold the files they are given, by membership."""
    agenda = Agenda(organisation)
    for membership in memberships:
        if not membership.votes:
            continue
        deliberation = membership.votes[0]
        deliberation.membership = membership
        if ending := _ending(deliberation):
            agenda.done.append(Card(deliberation, ending=ending))
            continue
        card = _open_card(deliberation, affiliation, today, drafts.get(membership.pk), conventions.get(membership.pk))
        (agenda.coming if _is_early(deliberation, today) else agenda.followed).append(card)
    for cards in (agenda.followed, agenda.coming):
        cards.sort(key=lambda card: (card.due_on or date.max, card.grouping.reference))
    agenda.done.sort(key=lambda card: (card.deliberation.decided_on or date.min, card.grouping.pk), reverse=True)
    return agenda


def _ending(deliberation: Deliberation) -> str:
    """Why nothing is waited for from this body; empty while something is."""
    membership = deliberation.membership
    grouping = membership.grouping
    if membership.is_gone:
        return f"Retiré du groupement le {membership.withdrawn_on:%d/%m/%Y}"
    if grouping.status == GroupingStatus.CANCELLED:
        return "Groupement abandonné"
    if grouping.is_launched and deliberation.amendment_id is None:
        return f"Consultation lancée le {grouping.launched_on:%d/%m/%Y}"
    if not deliberation.is_cleared:
        return ""
    if deliberation.amendment_id is not None:
        return "L’avenant sera à signer ensuite"
    if membership.signed_on:
        return f"Convention signée le {membership.signed_on:%d/%m/%Y}"
    # Before that stage there is no final text to sign.
    return "" if grouping.status == GroupingStatus.DELIBERATIONS else "La convention sera à signer ensuite"


def _is_early(deliberation: Deliberation, today: date) -> bool:
    """While needs are surveyed there is no text to vote yet: nothing to announce before the deadline is near."""
    grouping = deliberation.membership.grouping
    is_surveyed = grouping.status == GroupingStatus.NEEDS and deliberation.status in (*AWAITING_VOTE, *WITHOUT_EFFECT)
    urgency = classify(deliberation.due_on, chosen_session(deliberation), today)
    return is_surveyed and deliberation.amendment_id is None and urgency == Urgency.LATER


def _open_card(
    deliberation: Deliberation,
    affiliation: Affiliation,
    today: date,
    draft: DraftDocument | None,
    convention: ConventionDocument | None,
) -> Card:
    membership = deliberation.membership
    grouping = membership.grouping
    is_vote = deliberation.status in (*AWAITING_VOTE, *WITHOUT_EFFECT)
    council, asks = _council(deliberation, today) if is_vote else ("", False)
    if is_vote:
        step, due_on = vote_step(deliberation, today), deliberation.due_on
    elif deliberation.voted_other_text:
        step, due_on = other_text_step(deliberation), deliberation.due_on
    elif not deliberation.is_cleared:
        step, due_on = effect_step(deliberation), deliberation.due_on
    else:
        step, due_on = "Signer la convention", grouping.launch_planned_on
    # The signature is recorded by the coordinator's people; the rest by the body itself too.
    may_update = (
        may(affiliation, "grouping.change", organisation_id=grouping.coordinator_id)
        if deliberation.is_cleared
        else may_take(deliberation, "record_effect", affiliation)
    )
    late, why_late = _lateness(deliberation, due_on, today)
    return Card(
        deliberation,
        step=step,
        due_on=due_on,
        lateness=late,
        why_late=why_late,
        council=council,
        asks_for_session=asks,
        may_update=may_update,
        draft=draft if is_vote else None,
        convention=convention,
    )


def _lateness(deliberation: Deliberation, step_due_on: date | None, today: date) -> tuple[Lateness | None, str]:
    """How late it is, by the tracker's rule, and why. A signature, or a vote to decide again, is no pending act: it is
    late once its own deadline has passed, as on the first screen."""
    grouping = deliberation.membership.grouping
    due_on, launch_on = grouping.deliberations_due_on, grouping.launch_planned_on
    if deliberation.amendment is not None or deliberation.is_cleared or deliberation.status in WITHOUT_EFFECT:
        if step_due_on is None or step_due_on >= today:
            return None, ""
        late = Lateness((today - step_due_on).days)
        what = "lancement prévu" if deliberation.is_cleared else "délibération exécutoire attendue pour"
        return late, f"{_capital(late.sentence)}{NBSP}: {what} le {step_due_on:%d/%m/%Y}"
    [state] = launch_states(grouping, [deliberation.membership], today)
    needed_on, is_voted = needed_by(launch_on, due_on), deliberation.status in IN_FORCE
    late = lateness(
        is_voted=is_voted,
        due_on=due_on,
        needed_on=needed_on,
        expected_on=expected_executory_on(deliberation, state, today),
        today=today,
    )
    if late is None:
        return None, ""
    is_asked = launch_on is None or (not is_voted and due_on is not None and due_on < today)
    why = (
        f"délibération exécutoire attendue pour le {due_on:%d/%m/%Y}"
        if is_asked
        else f"exécutoire nécessaire le {needed_on:%d/%m/%Y}, pour signer avant le lancement du {launch_on:%d/%m/%Y}"
    )
    return late, f"{_capital(late.sentence)}{NBSP}: {why}"


def _capital(sentence: str) -> str:
    return sentence[0].upper() + sentence[1:]


def _council(deliberation: Deliberation, today: date) -> tuple[str, bool]:
    """What the assembly's calendar says about this vote, and whether a meeting is missing from it."""
    if deliberation.kind == Deliberation.Kind.PRESIDENT or deliberation.status in WITHOUT_EFFECT:
        return "", False
    organisation = deliberation.membership.organisation
    if chosen_session(deliberation):
        return _convocation(deliberation, organisation, today), False
    usable = next_usable_session(organisation, organisation.coming, today)
    session = next((session for session in organisation.coming if session.meeting_on == usable), None)
    if session is not None:
        closes_on = _closes_on(session, organisation)
        return (
            f"Prochain conseil connu{NBSP}: {session.meeting_on:%d/%m/%Y}{NARROW}; "
            f"ordre du jour clos le {closes_on:%d/%m/%Y}"
        ), False
    if organisation.coming:
        last = organisation.coming[-1]
        return (
            f"L’ordre du jour du conseil du {last.meeting_on:%d/%m/%Y} est clos{NARROW}; "
            "aucun conseil suivant n’est connu"
        ), True
    return "Aucun conseil n’est connu", True


def _closes_on(session: CouncilSession, organisation: Organisation) -> date:
    return filing_date(session, notice_of(organisation, session.meeting_on))


def _convocation(deliberation: Deliberation, organisation: Organisation, today: date) -> str:
    """Until when the convocation of the chosen meeting can lawfully leave; empty once it has, or once it met."""
    session = deliberation.session
    notice = notice_of(organisation, session.meeting_on)
    is_waited = deliberation.status == DeliberationStatus.ON_AGENDA and session.meeting_on >= today
    if not is_waited or session.convened_on or not notice:
        return ""
    latest = latest_dispatch_on(session.meeting_on, notice)
    if latest < today:
        return f"La convocation devait partir le {latest:%d/%m/%Y} au plus tard ({notice}{NBSP}jours francs)"
    return f"Convocation à envoyer le {latest:%d/%m/%Y} au plus tard ({notice}{NBSP}jours francs)"


def _kits(
    organisation: Organisation, affiliation: Affiliation
) -> tuple[dict[int, DraftDocument], dict[int, ConventionDocument]]:
    """The Word draft and the convention of the latest version, by membership: what the other addresses hand over."""
    newer = Convention.objects.filter(
        grouping=OuterRef("convention__grouping"), version__gt=OuterRef("convention__version")
    )
    drafts = (
        DraftDocument.objects.visible_to(affiliation)
        .filter(~Exists(newer), membership__organisation=organisation, format=DraftDocument.Format.DOCX)
        .only("membership_id", "format")
    )
    conventions = (
        ConventionDocument.objects.visible_to(affiliation)
        .of_latest()
        .filter(membership__organisation=organisation)
        .select_related("convention")
        .defer("convention__values")
    )
    return {draft.membership_id: draft for draft in drafts}, {found.membership_id: found for found in conventions}
