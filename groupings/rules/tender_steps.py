"""A consultation told as steps, and what comes next in one sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from groupings.rules.told import the_lots


@dataclass(frozen=True)
class LotFacts:
    """One lot. ``is_decided``: awarded, unsuccessful or dropped; a postponed one is not. ``earliest_signature_on``:
    None while its rejections, which are owed, have not left."""

    number: int
    is_decided: bool = False
    is_awarded: bool = False
    earliest_signature_on: date | None = None
    signed_on: date | None = None
    notified_on: date | None = None


@dataclass(frozen=True)
class TenderFacts:
    """One consultation. ``now`` and ``offers_due_at`` at Paris time. ``tells_awards``: the reader is the coordinator's;
    a member knows of an award once it is notified, and its ``lots`` hold nothing else. ``has_contract_elsewhere``: a
    lot of another consultation of the grouping is awarded."""

    launched_on: date
    now: datetime
    notice_sent_on: date | None = None
    offers_due_at: datetime | None = None
    opened_on: date | None = None
    closed_on: date | None = None
    committee_is_due: bool = False
    committee_met_on: date | None = None
    lots: Sequence[LotFacts] = ()
    tells_awards: bool = True
    has_contract_elsewhere: bool = False


@dataclass(frozen=True)
class TenderStep:
    """``detail``: a date or a count, empty when nothing is known; ``is_next``: what comes now."""

    label: str
    is_done: bool
    detail: str = ""
    is_next: bool = False


def tender_steps(facts: TenderFacts) -> list[TenderStep]:
    """The steps in their order, done or not, the one after the last done marked."""
    due, lots = facts.offers_due_at, facts.lots
    awarded = [lot for lot in lots if lot.is_awarded]
    steps = [
        TenderStep("Lancement", True, _day(facts.launched_on)),
        TenderStep("Avis envoyé", facts.notice_sent_on is not None, _day(facts.notice_sent_on)),
        TenderStep("Offres remises", due is not None and due <= facts.now, f"{due:%d/%m/%Y, %H h %M}" if due else ""),
        TenderStep("Plis ouverts", facts.opened_on is not None, _day(facts.opened_on)),
        TenderStep("Consultation close", facts.closed_on is not None, _day(facts.closed_on)),
    ]
    if facts.committee_is_due or facts.committee_met_on:
        steps.append(TenderStep("Commission réunie", facts.committee_met_on is not None, _day(facts.committee_met_on)))
    if facts.tells_awards:
        steps += [
            _counted("Lots décidés", sum(lot.is_decided for lot in lots), len(lots)),
            _counted("Marchés signés", sum(lot.signed_on is not None for lot in awarded), len(awarded)),
        ]
    notified = sum(lot.notified_on is not None for lot in lots)
    steps.append(_counted("Marchés notifiés", notified, len(awarded) if facts.tells_awards else len(lots)))
    # A step passed over (no opening recorded, and the consultation closed) is not what comes next.
    following = max(place for place, step in enumerate(steps) if step.is_done) + 1
    return [TenderStep(step.label, step.is_done, step.detail, place == following) for place, step in enumerate(steps)]


def _counted(label: str, done: int, total: int) -> TenderStep:
    return TenderStep(label, total > 0 and done == total, f"{done} sur {total}" if total else "")


def _day(day: date | None) -> str:
    return f"{day:%d/%m/%Y}" if day else ""


def next_sentence(facts: TenderFacts) -> str:
    """What comes next, for the reader: one French sentence."""
    if facts.closed_on is None:
        return _before_closing(facts)
    if not facts.tells_awards:
        if facts.lots and all(lot.notified_on for lot in facts.lots):
            return "Les marchés sont notifiés\u00a0: vous pouvez commander."
        return "Les offres sont analysées\u00a0: vous connaîtrez le titulaire à la notification du marché."
    if facts.committee_is_due and facts.committee_met_on is None:
        return "Réunissez la commission d’appel d’offres, puis indiquez la date de sa réunion."
    undecided = [lot.number for lot in facts.lots if not lot.is_decided]
    if undecided:
        return f"Enregistrez la décision prise sur {the_lots(undecided)}."
    waiting = [lot for lot in facts.lots if lot.is_awarded and lot.signed_on is None]
    if rejections := [lot.number for lot in waiting if lot.earliest_signature_on is None]:
        return f"Envoyez les lettres de rejet pour {the_lots(rejections)}\u00a0: la signature en dépend."
    if waiting:
        earliest = max(lot.earliest_signature_on for lot in waiting)
        if earliest > facts.now.date():
            return f"Délai de suspension en cours\u00a0: signature à partir du {earliest:%d/%m/%Y}."
        return f"Signez le marché pour {the_lots([lot.number for lot in waiting])}."
    if unnotified := [lot.number for lot in facts.lots if lot.is_awarded and lot.notified_on is None]:
        return f"Notifiez le marché pour {the_lots(unnotified)}."
    if not any(lot.is_awarded for lot in facts.lots):
        if facts.has_contract_elsewhere:
            return "Aucun lot de cette consultation n’est attribué\u00a0: relancez-les, ou continuez sans eux."
        return "Aucun lot n’est attribué\u00a0: relancez-les, ou abandonnez le groupement."
    return "Tous les marchés sont notifiés."


def is_over(facts: TenderFacts) -> bool:
    """Every lot is decided, one at least is awarded, here or elsewhere, and every awarded one notified."""
    awarded = [lot for lot in facts.lots if lot.is_awarded]
    decided = facts.closed_on is not None and all(lot.is_decided for lot in facts.lots)
    return (
        decided
        and bool(awarded or facts.has_contract_elsewhere)
        and all(lot.notified_on is not None for lot in awarded)
    )


def is_waited_for(facts: TenderFacts, soon: timedelta) -> bool:
    """Whether what comes next is somebody's today; offers due later than ``soon`` leave nothing to do until then."""
    if facts.closed_on is None and facts.notice_sent_on is not None and facts.offers_due_at is not None:
        return facts.offers_due_at.date() <= facts.now.date() + soon
    return not is_over(facts)


def _before_closing(facts: TenderFacts) -> str:
    if facts.notice_sent_on is None:
        told = "Indiquez l’envoi de l’avis et la date limite de remise des offres."
        return told if facts.tells_awards else "L’avis de la consultation est en préparation."
    if facts.offers_due_at is None:
        told = "Indiquez la date limite de remise des offres."
        return told if facts.tells_awards else "La date limite de remise des offres n’est pas encore connue."
    if facts.offers_due_at > facts.now:
        return f"Les offres sont attendues jusqu’au {facts.offers_due_at:%d/%m/%Y à %H h %M}."
    if not facts.tells_awards:
        return "Les offres sont remises\u00a0: la consultation va être close."
    if facts.opened_on is None:
        return "Les offres sont remises\u00a0: ouvrez les plis, puis clôturez la consultation."
    return "Les plis sont ouverts\u00a0: clôturez la consultation pour attribuer les lots."
