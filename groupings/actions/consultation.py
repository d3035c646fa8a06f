"""A consultation: opened by the launch, its dates and its commission recorded, its questions answered, closed, and the
lots it left without a contract put out again."""

from collections.abc import Collection
from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from djmoney.money import Money

from groupings.actions.grouping import grouping_advance
from groupings.actions.launch import Scope, tender_scope
from groupings.choices import Category, GroupingStatus
from groupings.contract_choices import Outcome
from groupings.models import Award, Consultation, Grouping, Lot, Question
from groupings.rules.gate import closing_refusal, still_open_refusal
from groupings.rules.offer_delay import minimum_due_on
from groupings.rules.thresholds import ADAPTED, ADAPTED_ADVERTISED, FORMAL
from groupings.rules.told import lots_told
from groupings.tender import RELAUNCHED
from members.roles import may, require
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.record import save_recorded

#: What a threshold usually calls for; below the dispense the buyer says it (CCP, R2122-8 lets it choose).
_USUAL = {
    FORMAL: Consultation.Procedure.OPEN,
    ADAPTED: Consultation.Procedure.ADAPTED,
    ADAPTED_ADVERTISED: Consultation.Procedure.ADAPTED,
}
#: What the candidates were told: it does not change once they have answered.
_FROZEN_BY_CLOSING = ("procedure", "notice_sent_on", "offers_due_at", "short_delay_reason")
_WITHOUT_NOTICE = "Seul un juriste choisit un marché sans publicité ni mise en concurrence (CCP, R2122-1 à R2122-9)."
#: (procedure, category) → the refusal to who is no jurist, though the value calls for a formalised procedure.
_LEFT_TO_A_JURIST = {(Consultation.Procedure.WITHOUT_NOTICE, category): _WITHOUT_NOTICE for category in Category} | {
    (Consultation.Procedure.ADAPTED, Category.SOCIAL_SERVICES): (
        "Seul un juriste choisit une procédure adaptée pour des services sociaux de cette valeur (CCP, R2123-1, 3°)."
    )
}
_DELAY = ("procedure", "notice_sent_on", "offers_due_at", "short_delay_reason", "is_electronic")


def consultation_open(*, grouping: Grouping, actor: Actor, today: date) -> Consultation:
    """Consultation n° 1, in the transaction of the launch and through its gate: all the lots, and the members, value
    and procedure frozen as they are ``today``. Only ``grouping_advance`` calls it."""
    lots = list(grouping.lots.all())
    if not lots:
        raise BusinessError("Décrivez au moins un lot avant de lancer la consultation.")
    return _open(grouping, lots, tender_scope(grouping, today), actor, today, number=1)


def _open(
    grouping: Grouping, lots: list[Lot], scope: Scope, actor: Actor, today: date, *, number: int, procedure: str = ""
) -> Consultation:
    code = scope.procedure.code if scope.procedure else ""
    consultation = Consultation(
        grouping=grouping,
        number=number,
        launched_on=today,
        value_excl_tax=Money(scope.total, "EUR"),
        member_count=scope.members,
        procedure_code=code,
        procedure_sentence=scope.sentence,  # counts and amounts, no name: 300 characters hold the longest
        procedure=procedure or _USUAL.get(code, ""),
    )
    # Read by the members too: the value is the sum of what each of them keeps to itself.
    told = f"Consultation n° {number} ouverte\u00a0: {lots_told([lot.number for lot in lots])}, {scope.members} membres"
    save_recorded(consultation, actor=actor, verb="consultation.open", sentence=told)
    consultation.lots.set(lots)
    return consultation


def consultation_save(
    *, consultation: Consultation, actor: Actor, today: date, expected_version: int | None = None
) -> Consultation:
    """Record the notice, the dates, the commission. Raises NotAllowed, BusinessError or ValidationError by field.

    Offers due sooner than the legal minimum need the written reason of a jurist (right « procedure.override »).
    """
    grouping = consultation.grouping
    require(actor, "grouping.change", organisation_id=grouping.coordinator_id)
    with transaction.atomic():
        require_running(grouping)
        stored = Consultation.objects.select_for_update().get(pk=consultation.pk)
        if expected_version is not None and stored.version != expected_version:
            raise BusinessError(
                "Cette consultation a été modifiée entre-temps par une autre personne\u00a0: vos saisies sont "
                "rappelées ci-dessous, comparez avant d’enregistrer de nouveau."
            )
        for name in ("grouping_id", "number", "launched_on", "value_excl_tax", "member_count", "procedure_code"):
            setattr(consultation, name, getattr(stored, name))  # frozen by the launch
        consultation.closed_on, consultation.version = stored.closed_on, stored.version
        _check_frozen(consultation, stored)
        if refusals := _date_refusals(consultation, today) | _award_refusals(consultation, stored):
            raise ValidationError(refusals)
        _check_procedure(consultation, stored, actor)
        _check_delay(consultation, stored, actor)
        changed = save_recorded(
            consultation, actor=actor, verb="consultation.change", sentence=_change_told(consultation, stored)
        )
        if changed:
            Consultation.objects.filter(pk=consultation.pk).update(version=stored.version + 1)
            consultation.version += 1
    return consultation


def require_running(grouping: Grouping) -> Grouping:
    """Lock the grouping; raise BusinessError when its tender is not, or no longer, being followed."""
    locked = Grouping.objects.select_for_update().get(pk=grouping.pk)
    if locked.status == GroupingStatus.CANCELLED:
        raise BusinessError("Ce groupement est abandonné\u00a0: sa consultation ne change plus.")
    if not locked.is_launched:
        raise BusinessError("La consultation de ce groupement n’est pas lancée.")
    return locked


def _check_frozen(consultation: Consultation, stored: Consultation) -> None:
    if stored.closed_on is None:
        return
    for name in _FROZEN_BY_CLOSING:
        # Below the dispense nobody had to say it before the essential data ask for it.
        is_completed = name == "procedure" and not stored.procedure
        if getattr(consultation, name) != getattr(stored, name) and not is_completed:
            told = f"La consultation est close depuis le {stored.closed_on:%d/%m/%Y}\u00a0: ceci ne change plus."
            raise BusinessError(told, field=name)


def _date_refusals(consultation: Consultation, today: date) -> dict[str, str]:
    due_on = due_day(consultation)
    refusals: dict[str, str] = {}
    for name in ("notice_sent_on", "opened_on", "committee_met_on"):
        day = getattr(consultation, name)
        if day is not None and day > today:
            refusals[name] = "Cette date est à venir\u00a0: indiquez ce qui est fait."
    notice, opened, met = consultation.notice_sent_on, consultation.opened_on, consultation.committee_met_on
    if notice is not None and notice < consultation.launched_on:
        refusals["notice_sent_on"] = (
            f"La consultation est lancée le {consultation.launched_on:%d/%m/%Y}\u00a0: l’avis ne part pas avant."
        )
    if due_on is not None and due_on <= (notice or consultation.launched_on):
        since = "l’envoi de l’avis" if notice else "le lancement"
        refusals["offers_due_at"] = f"Les offres se remettent après {since}."
    if opened is not None and (due_on is None or opened < due_on):
        refusals.setdefault("opened_on", "Les plis s’ouvrent après la date limite de remise des offres.")
    if met is not None and (due_on is None or met < max(due_on, opened or due_on)):
        refusals.setdefault("committee_met_on", "La commission se réunit après l’ouverture des plis.")
    if met is not None and consultation.committee in ("", Consultation.Committee.NONE):
        refusals.setdefault("committee", "Indiquez quelle commission s’est réunie.")
    return refusals


def due_day(consultation: Consultation) -> date | None:
    """The day the offers are due, at Paris time."""
    due_at = consultation.offers_due_at
    return None if due_at is None else timezone.localtime(due_at).date()


def _award_refusals(consultation: Consultation, stored: Consultation) -> dict[str, str]:
    """What the decisions already taken rest on: it is not withdrawn from under them."""
    committee = (consultation.committee, consultation.committee_met_on)
    sending = consultation.is_electronic != stored.is_electronic
    if committee == (stored.committee, stored.committee_met_on) and not sending:
        return {}
    awards = list(consultation.awards.select_related("lot").filter(outcome=Outcome.AWARDED))
    for award in awards:
        award.consultation = consultation
    if sending and any(award.rejection_sent_on for award in awards):
        return {"is_electronic": "Des lettres de rejet sont parties\u00a0: le délai de suspension en dépend."}
    formal = [award for award in awards if award.is_formal]
    if not formal or not consultation.needs_tender_committee:
        return {}
    if consultation.committee != Consultation.Committee.TENDER_COMMITTEE:
        return {"committee": "Des lots sont attribués par la commission d’appel d’offres (CGCT, L1414-2)."}
    first = min(award.decided_on for award in formal)
    if consultation.committee_met_on is None or consultation.committee_met_on > first:
        told = f"Un lot est attribué le {first:%d/%m/%Y}\u00a0: la commission d’appel d’offres s’est réunie avant."
        return {"committee_met_on": told}
    return {}


def _check_procedure(consultation: Consultation, stored: Consultation, actor: Actor) -> None:
    """A value at the European threshold calls for a formalised procedure, small lots apart (CCP, L2124-1, R2123-1)."""
    if consultation.procedure == stored.procedure or stored.procedure_code != FORMAL or consultation.is_formal:
        return
    if all(lot.takes_small_lot_exception for lot in stored.lots.all()):
        return
    if told := _LEFT_TO_A_JURIST.get((consultation.procedure, consultation.grouping.category)):
        if may(actor, "procedure.override", organisation_id=consultation.grouping.coordinator_id):
            return
        raise BusinessError(told, field="procedure")
    raise BusinessError(
        "La valeur figée au lancement appelle une procédure formalisée (CCP, L2124-1)\u00a0: choisissez-en une.",
        field="procedure",
    )


def short_delay(consultation: Consultation) -> date | None:
    """The first lawful day for the offers to be due, when they are due sooner; None when the delay is long enough."""
    due_on = due_day(consultation)
    if due_on is None or consultation.notice_sent_on is None:
        return None
    minimum = minimum_due_on(consultation.notice_sent_on, consultation.procedure, consultation.is_electronic)
    return minimum if minimum is not None and due_on < minimum else None


def _check_delay(consultation: Consultation, stored: Consultation, actor: Actor) -> None:
    minimum = short_delay(consultation)
    if minimum is None or all(getattr(consultation, name) == getattr(stored, name) for name in _DELAY):
        return
    if not consultation.short_delay_reason.strip():
        raise BusinessError(
            f"Trop tôt\u00a0: les offres ne peuvent pas être attendues avant le {minimum:%d/%m/%Y}. Un juriste peut "
            "motiver un délai réduit.",
            field="offers_due_at",
        )
    if not may(actor, "procedure.override", organisation_id=consultation.grouping.coordinator_id):
        raise BusinessError("Seul un juriste motive un délai réduit.", field="short_delay_reason")


def _change_told(consultation: Consultation, stored: Consultation) -> str:
    """What a member may read too: dates and links."""
    told = []
    if consultation.notice_sent_on != stored.notice_sent_on and consultation.notice_sent_on:
        told.append(f"avis envoyé le {consultation.notice_sent_on:%d/%m/%Y}")
    if consultation.offers_due_at != stored.offers_due_at and consultation.offers_due_at:
        told.append(f"offres attendues le {timezone.localtime(consultation.offers_due_at):%d/%m/%Y à %H h %M}")
    if consultation.short_delay_reason != stored.short_delay_reason and short_delay(consultation):
        told.append("délai réduit motivé par un juriste")
    if consultation.opened_on != stored.opened_on and consultation.opened_on:
        told.append(f"plis ouverts le {consultation.opened_on:%d/%m/%Y}")
    if consultation.committee_met_on != stored.committee_met_on and consultation.committee_met_on:
        told.append(f"commission réunie le {consultation.committee_met_on:%d/%m/%Y}")
    return f"Consultation n° {consultation.number}\u00a0: {', '.join(told) or 'modifiée'}"


def question_save(*, question: Question, actor: Actor, today: date) -> Question:
    """A question of a candidate, numbered when it is new, and the answer given to all of them."""
    consultation = question.consultation
    require(actor, "grouping.change", organisation_id=consultation.grouping.coordinator_id)
    with transaction.atomic():
        require_running(consultation.grouping)
        created = question.pk is None
        if created:
            question.number = (consultation.questions.aggregate(last=Max("number"))["last"] or 0) + 1
        refusals = {}
        if question.asked_on < consultation.launched_on or question.asked_on > today:
            refusals["asked_on"] = "Une question se pose entre le lancement et aujourd’hui."
        if question.answered_on is not None and question.answered_on > today:
            refusals["answered_on"] = "Cette date est à venir\u00a0: indiquez ce qui est fait."
        if bool(question.answer.strip()) != (question.answered_on is not None):
            missing = "answer" if question.answered_on else "answered_on"
            refusals[missing] = "Une réponse a un texte et une date."
        if refusals:
            raise ValidationError(refusals)
        told = f"répondue le {question.answered_on:%d/%m/%Y}" if question.answered_on else "reçue"
        save_recorded(
            question,
            actor=actor,
            verb="question.add" if created else "question.answer",
            sentence=f"Consultation n° {consultation.number}, question n° {question.number} {told}",
        )
    return question


def consultation_close(*, consultation: Consultation, actor: Actor, now: datetime) -> Consultation:
    """Close it: the offers were due, their hour has passed. The first one moves the grouping to the award.

    Raises BusinessError, or TransitionRefused from the life cycle of the grouping.
    """
    grouping, today = consultation.grouping, timezone.localtime(now).date()
    require(actor, "grouping.change", organisation_id=grouping.coordinator_id)
    with transaction.atomic():
        if consultation.number == 1 and grouping.status == GroupingStatus.CONSULTATION:
            grouping_advance(grouping=grouping, step="start_award", actor=actor, today=today, now=now)
        else:
            require_running(grouping)
            consultation_mark_closed(consultation, actor, now)
        consultation.refresh_from_db()
    return consultation


def consultation_mark_closed(consultation: Consultation, actor: Actor, now: datetime) -> None:
    """Set its closing, inside the caller's transaction, the grouping locked. Raises BusinessError before the hour."""
    stored = Consultation.objects.select_for_update().select_related("grouping__coordinator").get(pk=consultation.pk)
    today = timezone.localtime(now).date()
    if stored.closed_on is not None:
        raise BusinessError(f"Cette consultation est close depuis le {stored.closed_on:%d/%m/%Y}.")
    if refusal := closing_refusal(has_consultation=True, offers_due_at=stored.offers_due_at):
        raise BusinessError(refusal)
    due_at = timezone.localtime(stored.offers_due_at)
    if refusal := still_open_refusal(offers_due_at=due_at, now=timezone.localtime(now)):
        raise BusinessError(refusal)
    stored.closed_on, stored.version = max(today, stored.launched_on), stored.version + 1
    told = f"Consultation n° {stored.number} close le {stored.closed_on:%d/%m/%Y}"
    save_recorded(stored, actor=actor, verb="consultation.close", sentence=told)


def consultation_relaunch(*, grouping: Grouping, lot_ids: Collection[int], actor: Actor, today: date) -> Consultation:
    """Put out again lots that were unsuccessful or dropped: a new consultation, with its own dates.

    The grouping stays where it stands. Its procedure is that of the whole purchase: what is left does not lower it.
    """
    require(actor, "grouping.change", organisation_id=grouping.coordinator_id)
    with transaction.atomic():
        locked = require_running(grouping)
        last = locked.consultations.first()
        if last is None or last.closed_on is None:
            raise BusinessError("Une consultation est encore ouverte\u00a0: elle se clôt avant d’être relancée.")
        lots = list(locked.lots.filter(pk__in=lot_ids))
        if not lots or len(lots) != len(set(lot_ids)):
            raise BusinessError("Cochez au moins un lot à relancer.", field="lots")
        decided: dict[int, Award] = {}
        for award in Award.objects.filter(lot__in=lots).order_by("consultation__number"):
            decided[award.lot_id] = award
        refused = [lot.number for lot in lots if lot.pk not in decided or decided[lot.pk].outcome not in RELAUNCHED]
        if refused:
            told = f"Seul un lot infructueux ou sans suite se relance\u00a0: pas ceux-ci ({lots_told(refused)})."
            raise BusinessError(told, field="lots")
        scope = tender_scope(locked, today)
        usual = last.procedure if last.procedure_code == (scope.procedure and scope.procedure.code) else ""
        return _open(locked, lots, scope, actor, today, number=last.number + 1, procedure=usual)
