"""What moves a deliberation, by the table of ``groupings.workflow``: agenda, convocation, vote, effects.

Each function locks the row, refuses when somebody changed it since the person read it (``expected_version``), checks
the step, saves and journals in one transaction. Refusals are BusinessError, or ValidationError field by field.
"""

from dataclasses import asdict, dataclass
from datetime import date

from django.db import transaction

from groupings.actions.stepping import (
    ACTES_ID_TAKEN,
    advancing,
    keep_attempt,
    locked,
    require_deliberation,
    require_followed,
    save,
    stepping,
    tell,
)
from groupings.choices import LAUNCHED, ON_A_SESSION, DeliberationStatus, GroupingStatus
from groupings.convention_life import version_voted
from groupings.models import Deliberation, LegalOverride
from groupings.models.deliberation import COUNTS
from groupings.remarks import remarks_of
from groupings.rules import vote
from groupings.rules.actes import ActesIdError, mismatches, parse_actes_id
from groupings.rules.remarks import PRESIDENT, makers
from members.actions import session_save
from members.models import CouncilSession
from members.roles import require
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.record import snapshot

#: An act of the assembly is sent as DE; those of the bureau or the president as préfectures have them.
_NATURES = {"council": ("DE",), "bureau": ("DE", "AU", "AR"), "president": ("DE", "AU", "AR", "AI", "CC")}
_LARGEST_ASSEMBLY = 9999
_UNDONE = ("decided_on", "number", "transmitted_on", "received_on", "published_on", "actes_id", *COUNTS)


@dataclass(frozen=True)
class VoteCounts:
    """The numbers of a vote. ``president_vote``: for, against, abstained, or empty when nobody asked."""

    in_office: int
    present: int
    proxies: int
    votes_for: int
    votes_against: int
    abstained: int
    is_secret: bool = False
    president_vote: str = ""


def deliberation_draft_sent(*, deliberation: Deliberation, actor: Actor) -> Deliberation:
    """The kit has left for the member."""
    with stepping(deliberation, "send_draft", actor, None) as stored:
        stored.told = "modèle envoyé"
    return stored


def deliberation_schedule(
    *,
    deliberation: Deliberation,
    session: CouncilSession,
    actor: Actor,
    today: date,
    expected_version: int | None = None,
) -> Deliberation:
    """Put the text on the agenda of a coming session of its body."""
    with stepping(deliberation, "schedule", actor, expected_version) as stored:
        session = _check_session(stored, session)
        if session.meeting_on < today:
            raise BusinessError(
                f"La séance du {session.meeting_on:%d/%m/%Y} est passée\u00a0: saisissez son résultat, ou choisissez "
                "une séance à venir.",
                field="session",
            )
        if stored.former_status in ON_A_SESSION and stored.session_id == session.pk:
            stored.status = stored.former_status  # said twice: it stays convened if it was
        stored.session = session
        stored.told = f"inscrite à la séance du {session.meeting_on:%d/%m/%Y}"
    return stored


def deliberation_unschedule(
    *, deliberation: Deliberation, actor: Actor, reason: str, expected_version: int | None = None
) -> Deliberation:
    """Take the text off the agenda before any vote; the reason is journalled."""
    with stepping(deliberation, "unschedule", actor, expected_version, reason) as stored:
        stored.session = None
        stored.told = "retirée de l’ordre du jour"
    return stored


def deliberation_convene(
    *,
    deliberation: Deliberation,
    sent_on: date,
    has_note: bool | None,
    actor: Actor,
    today: date,
    expected_version: int | None = None,
) -> Deliberation:
    """Record the dispatch of the convocation (CGCT, L2121-10): a fact of the whole session, so every text on its
    agenda is convened with it. Too short a notice is a legal remark, not a refusal."""
    with transaction.atomic():
        # All the texts of the session, in one order: two people convening it at once would wait for each other.
        list(Deliberation.objects.select_for_update().filter(session=deliberation.session_id).order_by("pk"))
        with stepping(deliberation, "convene", actor, expected_version) as stored:
            session = CouncilSession.objects.select_for_update().get(pk=stored.session_id)
            if sent_on > today:
                raise BusinessError("La convocation n’est pas encore partie à cette date.", field="sent_on")
            session.convened_on, session.has_explanatory_note = sent_on, has_note
            session_save(session=session, actor=actor)
            stored.session = session
            stored.told = f"convocation envoyée le {sent_on:%d/%m/%Y}"
        others = session.deliberations.filter(
            status=DeliberationStatus.ON_AGENDA, membership__withdrawn_on__isnull=True
        ).exclude(membership__grouping__status=GroupingStatus.CANCELLED)
        for other in others.order_by("pk"):
            with advancing(locked(other), "convene", actor) as sibling:
                sibling.told = stored.told
    return stored


_VOTES = {
    DeliberationStatus.ADOPTED: ("adopt", "adoptée"),
    DeliberationStatus.REJECTED: ("reject", "rejetée"),
    DeliberationStatus.POSTPONED: ("postpone", "reportée"),
    DeliberationStatus.NO_QUORUM: ("miss_quorum", "sans quorum"),
}


def deliberation_vote(
    *,
    deliberation: Deliberation,
    outcome: str,
    meeting_on: date,
    actor: Actor,
    today: date,
    number: str = "",
    counts: VoteCounts | None = None,
    reason: str = "",
    expected_version: int | None = None,
) -> Deliberation:
    """Record what the meeting of ``meeting_on`` decided: adopted, rejected, postponed or no_quorum.

    A vote that came to nothing is kept as an attempt, and the text goes back to the calendar. The numbers, when given,
    must be possible together and give that outcome (CGCT, L2121-20).
    """
    if outcome not in _VOTES:
        raise BusinessError("Ce résultat n’existe pas.", field="outcome")
    step, told = _VOTES[DeliberationStatus(outcome)]
    with stepping(deliberation, step, actor, expected_version, reason) as stored:
        if meeting_on > today:
            raise BusinessError(f"La séance du {meeting_on:%d/%m/%Y} n’a pas encore eu lieu.", field="meeting_on")
        if meeting_on < stored.membership.grouping.opened_on:
            raise BusinessError(
                "Le groupement n’était pas ouvert à cette date\u00a0: vérifiez l’année.", field="meeting_on"
            )
        if stored.amendment is not None and meeting_on < stored.amendment.frozen_on:
            raise BusinessError(
                f"Le texte de l’avenant n’est arrêté que depuis le {stored.amendment.frozen_on:%d/%m/%Y}\u00a0: la "
                f"séance du {meeting_on:%d/%m/%Y} n’a pas pu le voter.",
                field="meeting_on",
            )
        _check_follows_convocation(stored, meeting_on)
        _check_counts(stored, counts, outcome)
        stored.session = _session_of(stored, meeting_on)
        if outcome in (DeliberationStatus.ADOPTED, DeliberationStatus.REJECTED):
            stored.decided_on, stored.number = meeting_on, number.strip()
            for name, value in (asdict(counts) if counts else {}).items():
                setattr(stored, name, value)
        if outcome == DeliberationStatus.ADOPTED and stored.purpose in Deliberation.APPROVALS:
            stored.convention = version_voted(stored.membership.grouping, meeting_on)
        stored.told = f"{told} le {meeting_on:%d/%m/%Y}"
        if outcome != DeliberationStatus.ADOPTED:
            facts = {"number": number.strip(), **(asdict(counts) if counts else {})}
            keep_attempt(stored, outcome, meeting_on, facts, reason)
    return stored


def deliberation_record_effect(
    *,
    deliberation: Deliberation,
    actor: Actor,
    today: date,
    transmitted_on: date | None = None,
    received_on: date | None = None,
    published_on: date | None = None,
    actes_id: str = "",
    number: str = "",
    expected_version: int | None = None,
    reason: str = "",
) -> Deliberation:
    """Set the dates that make an adopted act enforceable, as they now stand: None erases one.

    A reception without a transmission date was transmitted the day it was received at the latest. The ACTES identifier
    must be that of this body, this day and this nature (domain.md §3.5).
    """
    with stepping(deliberation, "record_effect", actor, expected_version, reason) as stored:
        for name, value in (
            ("transmitted_on", transmitted_on), ("received_on", received_on), ("published_on", published_on),
        ):  # fmt: skip
            if value is not None and value > today:
                raise BusinessError(f"Le {value:%d/%m/%Y} n’est pas encore venu.", field=name)
        stored.transmitted_on = transmitted_on or received_on
        stored.received_on, stored.published_on = received_on, published_on
        stored.actes_id = check_actes_id(stored, actes_id) if actes_id.strip() else None
        stored.number = number.strip() or stored.number
        stored.told = _effect_sentence(stored)
    return stored


def check_actes_id(deliberation: Deliberation, text: str) -> str:
    """The canonical identifier; raises BusinessError when it is malformed, or that of another act."""
    try:
        actes_id = parse_actes_id(text)
    except ActesIdError as error:
        raise BusinessError(str(error), field="actes_id") from None
    contradictions = mismatches(
        actes_id,
        siren=deliberation.membership.organisation.siren,
        session_on=deliberation.decided_on,
        natures=_NATURES[deliberation.kind],
    )
    if contradictions:
        raise BusinessError(" ".join(contradictions), field="actes_id")
    holder = Deliberation.objects.filter(actes_id=str(actes_id)).exclude(pk=deliberation.pk).first()
    if holder:
        raise BusinessError(ACTES_ID_TAKEN, field="actes_id")
    return str(actes_id)


#: The steps that only need a reason, with what the journal says of them.
_REVERSALS = {
    "vote_again": "à délibérer de nouveau",
    "undo_vote": "saisie du vote annulée",
    "challenge": "acte contesté",
    "dismiss_challenge": "recours écarté",
    "annul": "acte annulé par le juge",
    "withdraw": "acte retiré par son auteur",
    "waive": "dispensée de délibération",
    "require": "délibération demandée",
}


#: A signature follows the vote it rests on: it does not stay while the vote is done again.
_BEFORE_SIGNATURE = ("undo_vote", "vote_again", "require")


def deliberation_reverse(
    *, deliberation: Deliberation, step: str, actor: Actor, reason: str = "", expected_version: int | None = None
) -> Deliberation:
    """The steps that go back, contest or dispense; an act undone or refused keeps its history."""
    if step not in _REVERSALS:
        raise BusinessError("Cette étape n’existe pas.")
    with stepping(deliberation, step, actor, expected_version, reason) as stored:
        stored.told = _REVERSALS[step]
        if step in _BEFORE_SIGNATURE:
            _check_unsigned(stored, step)
        if step == "undo_vote":
            mistaken = stored.attempts.filter(outcome=stored.former_status).first()
            if mistaken:
                mistaken.delete()
        if step in ("annul", "withdraw"):
            facts = {name: value for name, value in snapshot(stored).items() if name in _UNDONE}
            keep_attempt(stored, stored.status, stored.decided_on, facts, reason)
        if step in ("undo_vote", "vote_again"):
            stored.session = stored.convention = None
            for name in _UNDONE:
                setattr(stored, name, "" if name == "number" else None)
            stored.is_secret, stored.president_vote = False, ""
    return stored


def deliberation_describe(
    *,
    deliberation: Deliberation,
    kind: str,
    matter_code: str,
    actor: Actor,
    expected_version: int | None = None,
) -> Deliberation:
    """Who decides (the assembly, the bureau, the executive) and the ACTES subject code. A commune has no bureau; a
    mayor deciding alone is a legal remark (domain.md §1.4), not a refusal."""
    require_deliberation(deliberation, actor)
    with transaction.atomic():
        stored = locked(deliberation, expected_version)
        require_followed(stored)
        before = snapshot(stored)
        organisation = stored.membership.organisation
        if kind not in makers(organisation.kind):
            raise BusinessError(f"{organisation.name} n’a pas de bureau qui délibère.", field="kind")
        if kind == PRESIDENT != stored.kind and (stored.session_id or stored.has_counts):
            raise BusinessError(
                "Cette délibération est inscrite à une séance, ou votée\u00a0: elle ne peut pas devenir une décision "
                "du président ou du maire.",
                field="kind",
            )
        stored.kind, stored.matter_code = kind, matter_code.strip()
        if stored.actes_id:
            check_actes_id(stored, stored.actes_id)
        stored.has_new_attempt, stored.told = False, "nature ou matière modifiée"
        save(stored, before, actor, "describe", "")
    return stored


def remark_override(*, deliberation: Deliberation, code: str, reason: str, actor: Actor, today: date) -> LegalOverride:
    """A jurist goes past a legal remark, with a written reason; journalled."""
    require(actor, "deliberation.override", organisation_id=deliberation.membership.grouping.coordinator_id)
    if not reason.strip():
        raise BusinessError("Indiquez le motif\u00a0: il sera inscrit au journal.", field="reason")
    with transaction.atomic():
        stored = locked(deliberation)
        require_followed(stored)
        remark = next((remark for remark in remarks_of(stored) if remark.code == code), None)
        if remark is None:
            raise BusinessError("Cette remarque n’a plus lieu d’être.")
        if former := stored.overrides.filter(code=code).first():
            raise BusinessError(f"{former.author} a déjà levé cette remarque\u00a0: «\u00a0{former.reason}\u00a0».")
        override = LegalOverride(deliberation=stored, code=code, reason=reason.strip(), author=actor.actor_label[:200])
        override.full_clean()
        override.save()
        stored.told = f"remarque levée\u00a0: {remark.sentence}"
        tell(stored, actor, "override", {}, {"code": code}, reason.strip())
    return override


def _check_session(stored: Deliberation, session: CouncilSession) -> CouncilSession:
    """The session as it is now, locked: it is neither moved nor removed while the text is put on its agenda."""
    if session.organisation_id != stored.membership.organisation_id:
        raise BusinessError("Cette séance est celle d’un autre organisme.", field="session")
    if stored.kind == PRESIDENT:
        raise BusinessError("Une décision du président ou du maire ne s’inscrit à aucune séance.", field="session")
    found = CouncilSession.objects.select_for_update().filter(pk=session.pk).first()
    if found is None:
        raise BusinessError("Cette séance vient d’être retirée du calendrier.", field="session")
    return found


def _session_of(stored: Deliberation, meeting_on: date) -> CouncilSession | None:
    """The meeting that voted, when the calendar knows it."""
    if stored.kind == PRESIDENT:
        return None
    return CouncilSession.objects.filter(
        organisation_id=stored.membership.organisation_id, meeting_on=meeting_on
    ).first()


def _check_follows_convocation(stored: Deliberation, meeting_on: date) -> None:
    convened_on = stored.session.convened_on if stored.former_status == DeliberationStatus.CONVENED else None
    if convened_on and meeting_on <= convened_on:
        raise BusinessError(
            f"La convocation est partie le {convened_on:%d/%m/%Y}\u00a0: la séance n’a pas pu se tenir le "
            f"{meeting_on:%d/%m/%Y}.",
            field="meeting_on",
        )


def _check_counts(stored: Deliberation, counts: VoteCounts | None, outcome: str) -> None:
    if stored.kind == PRESIDENT and (counts or outcome != DeliberationStatus.ADOPTED):
        raise BusinessError("Une décision du président ou du maire est prise, sans vote ni quorum.", field="outcome")
    if counts is None:
        return
    if not 1 <= counts.in_office <= _LARGEST_ASSEMBLY:
        raise BusinessError("Vérifiez le nombre de membres en exercice.", field="in_office")
    if refusal := vote.counts_refusal(**{name: getattr(counts, name) for name in COUNTS}):
        raise BusinessError(refusal, field="votes_for")
    if outcome == DeliberationStatus.NO_QUORUM and counts.present >= vote.quorum(counts.in_office):
        raise BusinessError(
            f"Avec {counts.present} présents pour {counts.in_office} membres en exercice, le quorum est atteint.",
            field="present",
        )
    if outcome not in (DeliberationStatus.ADOPTED, DeliberationStatus.REJECTED):
        return
    ballot = {"president_vote": counts.president_vote or None, "secret": counts.is_secret}
    if vote.is_tie_to_settle(counts.votes_for, counts.votes_against, **ballot):
        raise BusinessError(
            "Les voix sont à égalité\u00a0: indiquez le vote du président, qui l’emporte.", field="president_vote"
        )
    try:
        found = vote.outcome(counts.votes_for, counts.votes_against, **ballot)
    except ValueError as error:
        raise BusinessError(str(error), field="president_vote") from None
    if found != outcome:
        word = "adoptée" if found == vote.ADOPTED else "rejetée"
        raise BusinessError(
            f"{counts.votes_for} pour et {counts.votes_against} contre\u00a0: la délibération est {word}.",
            field="outcome",
        )


def _check_unsigned(stored: Deliberation, step: str) -> None:
    grouping = stored.membership.grouping
    if step == "vote_again" and grouping.status in LAUNCHED:
        return  # the signature of a launched grouping stays; the vote is done again to make it good
    if stored.amendment is not None:
        if stored.amendment.signatures.filter(membership=stored.membership).exists():
            raise BusinessError(
                f"{stored.amendment.name} est signé\u00a0: le coordonnateur efface d’abord la signature."
            )
        return
    if stored.membership.signatures.exists():
        raise BusinessError("La convention est signée\u00a0: le coordonnateur efface d’abord la signature.")


def _effect_sentence(stored: Deliberation) -> str:
    dated = (("transmise", stored.transmitted_on), ("reçue", stored.received_on), ("publiée", stored.published_on))
    told = [f"{word} le {day:%d/%m/%Y}" for word, day in dated if day]
    if stored.executory_on:
        told.append(f"exécutoire le {stored.executory_on:%d/%m/%Y}")
    return ", ".join(told) or "dates d’effet effacées"
