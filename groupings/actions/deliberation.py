"""What moves a deliberation, by the table of ``groupings.workflow``: agenda, convocation, vote, effects.

Each function locks the row, refuses when somebody changed it since the person read it (``expected_version``), checks
the step, saves and journals in one transaction. Refusals are BusinessError, or ValidationError field by field.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date

from django.db import transaction

from groupings.choices import DeliberationStatus
from groupings.models import Deliberation, DeliberationAttempt, LegalOverride
from groupings.models.deliberation import COUNTS
from groupings.remarks import remarks_of
from groupings.rules import vote
from groupings.rules.actes import ActesIdError, mismatches, parse_actes_id
from groupings.rules.remarks import PRESIDENT, makers
from groupings.workflow import DELIBERATION_WORKFLOW
from members.actions import session_save
from members.models import CouncilSession
from members.roles import may, require
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.record import changes, record, snapshot

#: An act of the assembly is sent as DE; those of the bureau or the president as préfectures have them.
_NATURES = {"council": ("DE",), "bureau": ("DE", "AU", "AR"), "president": ("DE", "AU", "AR", "AI", "CC")}
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


def require_deliberation(deliberation: Deliberation, actor: Actor) -> None:
    """The coordinator's buyers and jurists write for every member, a member's people for their own body."""
    if not may(actor, "grouping.change", organisation_id=deliberation.membership.grouping.coordinator_id):
        require(actor, "deliberation.change", organisation_id=deliberation.membership.organisation_id)


def deliberation_schedule(
    *,
    deliberation: Deliberation,
    session: CouncilSession,
    actor: Actor,
    today: date,
    expected_version: int | None = None,
) -> Deliberation:
    """Put the text on the agenda of a coming session of its body."""
    with _step(deliberation, "schedule", actor, expected_version) as stored:
        _check_session(stored, session)
        if session.meeting_on < today:
            raise BusinessError(
                f"La séance du {session.meeting_on:%d/%m/%Y} est passée\u00a0: saisissez son résultat, ou choisissez "
                "une séance à venir.",
                field="session",
            )
        stored.session = session
        stored.told = f"inscrite à la séance du {session.meeting_on:%d/%m/%Y}"
    return stored


def deliberation_unschedule(
    *, deliberation: Deliberation, actor: Actor, reason: str, expected_version: int | None = None
) -> Deliberation:
    """Take the text off the agenda before any vote; the reason is journalled."""
    with _step(deliberation, "unschedule", actor, expected_version, reason) as stored:
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
    with _step(deliberation, "convene", actor, expected_version) as stored:
        session = CouncilSession.objects.select_for_update().get(pk=stored.session_id)
        if sent_on > today:
            raise BusinessError("La convocation n’est pas encore partie à cette date.", field="sent_on")
        session.convened_on, session.has_explanatory_note = sent_on, has_note
        session_save(session=session, actor=actor)
        stored.session = session
        stored.told = f"convocation envoyée le {sent_on:%d/%m/%Y}"
    for other in session.deliberations.filter(status=DeliberationStatus.ON_AGENDA).exclude(pk=stored.pk):
        with _step(other, "convene", actor, None) as sibling:
            sibling.told = f"convocation envoyée le {sent_on:%d/%m/%Y}"
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
    with _step(deliberation, step, actor, expected_version, reason) as stored:
        if meeting_on > today:
            raise BusinessError(f"La séance du {meeting_on:%d/%m/%Y} n’a pas encore eu lieu.", field="meeting_on")
        if meeting_on < stored.membership.grouping.opened_on:
            raise BusinessError(
                "Le groupement n’était pas ouvert à cette date\u00a0: vérifiez l’année.", field="meeting_on"
            )
        _check_counts(counts, outcome)
        stored.session = _session_of(stored, meeting_on)
        if outcome in (DeliberationStatus.ADOPTED, DeliberationStatus.REJECTED):
            stored.decided_on, stored.number = meeting_on, number.strip()
            for name, value in (asdict(counts) if counts else {}).items():
                setattr(stored, name, value)
        stored.told = f"{told} le {meeting_on:%d/%m/%Y}"
        if outcome != DeliberationStatus.ADOPTED:
            _keep_attempt(stored, outcome, meeting_on, counts, reason)
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
    with _step(deliberation, "record_effect", actor, expected_version, reason) as stored:
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
        raise BusinessError("Cet identifiant ACTES est déjà celui d’une autre délibération.", field="actes_id")
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


def deliberation_reverse(
    *, deliberation: Deliberation, step: str, actor: Actor, reason: str = "", expected_version: int | None = None
) -> Deliberation:
    """The steps that go back, contest or dispense; an act undone or refused keeps its history."""
    if step not in _REVERSALS:
        raise BusinessError("Cette étape n’existe pas.")
    with _step(deliberation, step, actor, expected_version, reason) as stored:
        stored.told = _REVERSALS[step]
        if step == "undo_vote":
            if stored.membership.signatures.exists():
                raise BusinessError("La convention est signée\u00a0: effacez d’abord la signature.")
            mistaken = stored.attempts.filter(outcome=stored.former_status).first()
            if mistaken:
                mistaken.delete()
        if step in ("annul", "withdraw"):
            _keep_attempt(stored, stored.status, stored.decided_on, None, reason)
        if step in ("undo_vote", "vote_again"):
            stored.session = None
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
        stored = _locked(deliberation, expected_version)
        before = snapshot(stored)
        organisation = stored.membership.organisation
        if kind not in makers(organisation.kind):
            raise BusinessError(f"{organisation.name} n’a pas de bureau qui délibère.", field="kind")
        stored.kind, stored.matter_code = kind, matter_code.strip()
        _save(stored, before, actor, "describe", "nature ou matière modifiée", "")
    return stored


def remark_override(*, deliberation: Deliberation, code: str, reason: str, actor: Actor, today: date) -> LegalOverride:
    """A jurist goes past a legal remark, with a written reason; journalled."""
    require(actor, "deliberation.override", organisation_id=deliberation.membership.grouping.coordinator_id)
    if not reason.strip():
        raise BusinessError("Indiquez le motif\u00a0: il sera inscrit au journal.", field="reason")
    with transaction.atomic():
        stored = _locked(deliberation, None)
        remark = next((remark for remark in remarks_of(stored) if remark.code == code), None)
        if remark is None:
            raise BusinessError("Cette remarque n’a plus lieu d’être.")
        override, created = LegalOverride.objects.get_or_create(
            deliberation=stored, code=code, defaults={"reason": reason.strip(), "author": actor.actor_label[:200]}
        )
        if not created:
            raise BusinessError(f"{override.author} a déjà levé cette remarque\u00a0: {override.reason}")
        _tell(stored, actor, "override", f"remarque levée\u00a0: {remark.sentence}", {}, {"code": code}, reason)
    return override


@contextmanager
def _step(
    deliberation: Deliberation, step: str, actor: Actor, expected_version: int | None, reason: str = ""
) -> Iterator[Deliberation]:
    """Lock, check the step, let the caller set its facts on the stored row (and ``told``), save and journal.

    The caller's own ``deliberation`` is left as it was.
    """
    require_deliberation(deliberation, actor)
    with transaction.atomic():
        stored = _locked(deliberation, expected_version)
        before = snapshot(stored)
        DELIBERATION_WORKFLOW.advance(stored, step, role=actor.role, reason=reason)
        stored.former_status, stored.told = before["status"], ""
        yield stored
        _save(stored, before, actor, step, stored.told, reason)


def _locked(deliberation: Deliberation, expected_version: int | None) -> Deliberation:
    Deliberation.objects.select_for_update().get(pk=deliberation.pk)
    stored = Deliberation.objects.select_related(
        "session", "membership__organisation__parent", "membership__grouping__coordinator"
    ).get(pk=deliberation.pk)
    if expected_version is not None and expected_version != stored.version:
        raise BusinessError(_what_changed(stored, expected_version))
    return stored


def _what_changed(stored: Deliberation, read_version: int) -> str:
    """Who changed what since the person read the row: the second writer is told, and loses nothing."""
    from django.utils import timezone

    from procurement.core.journal.models import JournalEntry

    entries = JournalEntry.objects.filter(
        thread=stored.membership.grouping.thread, after__deliberation=stored.pk, after__version__gt=read_version
    ).order_by("pk")
    told = " ".join(
        f"{entry.actor_label}, le {timezone.localtime(entry.created_at):%d/%m/%Y à %H:%M}\u00a0: {entry.sentence}."
        for entry in entries
    )
    return (
        f"Cette délibération a changé pendant votre saisie. {told} Rien n’a été écrasé\u00a0: relisez, puis "
        "recommencez si besoin."
    )


def _save(stored: Deliberation, before: dict, actor: Actor, verb: str, told: str, reason: str) -> None:
    stored.full_clean()
    if snapshot(stored) == before:
        return
    stored.version += 1
    stored.save()
    old, new = changes(before, snapshot(stored))
    _tell(stored, actor, verb, told, old, new, reason)


def _tell(stored: Deliberation, actor: Actor, verb: str, told: str, old: dict, new: dict, reason: str) -> None:
    thread, territory_id, concerns_id = stored.journal_scope
    record(
        actor=actor,
        territory_id=territory_id,
        thread=thread,
        concerns_id=concerns_id,
        verb=f"deliberation.{verb}",
        sentence=f"Délibération de {stored.membership.organisation.name}\u00a0: {told}",
        before=old,
        after={**new, "deliberation": stored.pk, "version": stored.version},
        reason=reason,
    )


def _check_session(stored: Deliberation, session: CouncilSession) -> None:
    if session.organisation_id != stored.membership.organisation_id:
        raise BusinessError("Cette séance est celle d’un autre organisme.", field="session")
    if stored.kind == PRESIDENT:
        raise BusinessError("Une décision du président ou du maire ne s’inscrit à aucune séance.", field="session")


def _session_of(stored: Deliberation, meeting_on: date) -> CouncilSession | None:
    """The meeting that voted, when the calendar knows it."""
    if stored.kind == PRESIDENT:
        return None
    return CouncilSession.objects.filter(
        organisation_id=stored.membership.organisation_id, meeting_on=meeting_on
    ).first()


def _check_counts(counts: VoteCounts | None, outcome: str) -> None:
    if counts is None or outcome not in (DeliberationStatus.ADOPTED, DeliberationStatus.REJECTED):
        return
    numbers = {name: getattr(counts, name) for name in COUNTS}
    if refusal := vote.counts_refusal(**numbers):
        raise BusinessError(refusal, field="votes_for")
    try:
        found = vote.outcome(
            counts.votes_for,
            counts.votes_against,
            president_vote=counts.president_vote or None,
            secret=counts.is_secret,
        )
    except ValueError as error:
        raise BusinessError(str(error), field="president_vote") from None
    if found != outcome:
        word = "adoptée" if found == vote.ADOPTED else "rejetée"
        raise BusinessError(
            f"{counts.votes_for} pour et {counts.votes_against} contre\u00a0: la délibération est {word}.",
            field="outcome",
        )


def _keep_attempt(
    stored: Deliberation, outcome: str, meeting_on: date | None, counts: VoteCounts | None, reason: str
) -> None:
    facts = {"number": stored.number, **({name: getattr(counts, name) for name in COUNTS} if counts else {})}
    DeliberationAttempt.objects.create(
        deliberation=stored, outcome=outcome, meeting_on=meeting_on, facts=facts, reason=reason[:500]
    )


def _effect_sentence(stored: Deliberation) -> str:
    dated = (("transmise", stored.transmitted_on), ("reçue", stored.received_on), ("publiée", stored.published_on))
    told = [f"{word} le {day:%d/%m/%Y}" for word, day in dated if day]
    if stored.executory_on:
        told.append(f"exécutoire le {stored.executory_on:%d/%m/%Y}")
    return ", ".join(told) or "dates d’effet effacées"
