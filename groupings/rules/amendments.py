"""What may change in a convention in force, who must vote and sign it, and who is bound by a purchase.

The articles are those the product comes with (``clauses/shipped``): 13 joining, 14 leaving, 15 amendments, 16 the
coordinator. A convention that says otherwise is amended by its own rules, and the jurist knows it.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from procurement.core.calendar import ONE_DAY, add_months

#: The words of ``groupings.amendment_choices``, which a rule does not import.
JOIN, LEAVE, COORDINATOR, OBJECT, DURATION = "join", "leave", "coordinator", "object", "duration"
_NEWCOMER_TOO_LATE = (
    "La consultation est lancée depuis le {:%d/%m/%Y}\u00a0: un groupement ponctuel n’accueille plus personne "
    "(article 13.2 de la convention\u202f; réponse ministérielle n° 100136 du 17/05/2011)."
)


def is_bound(*, joined_on: date | None, withdrawn_on: date | None, is_pending: bool, launched_on: date | None) -> bool:
    """Whether a member takes part in the purchase launched on ``launched_on`` (None: not launched yet).

    A newcomer does not benefit from a tender already launched (rép. min. n° 100136 du 17/05/2011, on CCP L2111-1); who
    leaves after the launch stays bound until the end of the contracts (article 14.2). Who left on the very day of the
    launch left before it: the launch without some members withdraws them that day.
    """
    if is_pending:
        return False
    if launched_on is None:
        return withdrawn_on is None
    if joined_on is not None and joined_on > launched_on:
        return False
    return withdrawn_on is None or withdrawn_on > launched_on


@dataclass(frozen=True)
class Situation:
    """The grouping an amendment would change, on ``today``. Bodies are named by any key.

    ``convention_status``: « in_force » or another of ConventionStatus, empty without a convention. ``members``: the
    keys of the members today; ``former``: of those that have left. ``notice_months``: the convention's notice.
    ``contracts_end_on``: the last day of the running contracts, ``starts_on`` the day the duration counts from.
    """

    today: date
    convention_status: str
    is_permanent: bool
    launched_on: date | None
    members: Collection[int]
    former: Collection[int]
    coordinator: int
    coordinator_has_own_need: bool
    notice_months: int
    starts_on: date | None = None
    contracts_end_on: date | None = None
    title: str = ""
    months: tuple[int, int, int] = (0, 0, 0)


def refusal(
    kind: str,
    now: Situation,
    *,
    body: int | None = None,
    effective_on: date | None = None,
    title: str = "",
    months: tuple[int, int, int] = (0, 0, 0),
) -> tuple[str, str]:
    """Why the amendment is not possible now, as (French sentence, field it is about); two empty strings when it is.

    ``months``: firm duration, number of extensions, months of one. An amendment waits for the convention to be in
    force: until the last signature the text is a draft, and it is the draft that is mended and voted (CCP, L2113-7).
    """
    if now.convention_status != "in_force":
        return (
            "La convention n’est pas encore en vigueur\u00a0: modifiez son projet, que les assemblées voteront. "
            "L’avenant vient après la dernière signature.",
            "",
        )
    if effective_on is not None and effective_on < now.today:
        return "La date d’effet ne peut pas être passée.", "effective_on"
    if kind == JOIN:
        return _join_refusal(now, body)
    if kind == LEAVE:
        return _leave_refusal(now, body, effective_on)
    if kind == COORDINATOR:
        return _coordinator_refusal(now, body)
    if kind == OBJECT:
        if now.launched_on and not now.is_permanent:
            return (
                f"La consultation est lancée depuis le {now.launched_on:%d/%m/%Y} sur cet objet\u00a0: il ne change "
                f"plus.",
                "new_title",
            )
        return ("C’est déjà l’objet de la convention.", "new_title") if title == now.title else ("", "")
    return _duration_refusal(now, months)


def _join_refusal(now: Situation, body: int | None) -> tuple[str, str]:
    if now.launched_on and not now.is_permanent:
        return _NEWCOMER_TOO_LATE.format(now.launched_on), "organisation"
    if body in now.members:
        return "Cet organisme est déjà membre du groupement.", "organisation"
    if body in now.former:
        return (
            "Cet organisme a quitté le groupement\u00a0: les marchés en cours gardent la trace de son retrait, il ne "
            "peut pas "
            "y revenir par un avenant.",
            "organisation",
        )
    return "", ""


def _leave_refusal(now: Situation, body: int | None, effective_on: date | None) -> tuple[str, str]:
    if body not in now.members:
        return "Cet organisme n’est pas membre du groupement.", "organisation"
    if body == now.coordinator:
        return (
            "Le coordonnateur ne peut se retirer qu’une fois un autre désigné\u00a0: faites d’abord un avenant de "
            "changement de coordonnateur (article 16.1).",
            "organisation",
        )
    if len(now.members) <= 2:
        return "Un groupement garde au moins deux membres (CCP, L2113-6).", "organisation"
    if not now.is_permanent:
        if now.launched_on:
            return (
                f"La consultation est lancée depuis le {now.launched_on:%d/%m/%Y}\u00a0: un membre d’un groupement "
                "ponctuel reste tenu jusqu’au terme des marchés (article 14).",
                "organisation",
            )
        return "", ""
    earliest = add_months(now.today, now.notice_months)
    if effective_on is None or effective_on < earliest:
        return (
            f"Le préavis est de {now.notice_months} mois (article 14.1)\u00a0: le retrait ne peut pas prendre effet "
            f"avant le "
            f"{earliest:%d/%m/%Y}.",
            "effective_on",
        )
    return "", ""


def _coordinator_refusal(now: Situation, body: int | None) -> tuple[str, str]:
    if body == now.coordinator:
        return "Cet organisme est déjà le coordonnateur.", "organisation"
    if body not in now.members:
        return "Le nouveau coordonnateur doit être membre du groupement.", "organisation"
    if not now.coordinator_has_own_need:
        return (
            "Le coordonnateur intervient sans besoin propre, par une clause de ses statuts (CGCT, L5211-4-4)\u00a0: "
            "un autre "
            "membre ne peut pas lui succéder à ce titre.",
            "organisation",
        )
    return "", ""


def _duration_refusal(now: Situation, months: tuple[int, int, int]) -> tuple[str, str]:
    firm, count, each = months
    if count and not each:
        return "Indiquez la durée d’une reconduction.", "new_extension_months"
    if months == now.months:
        return "C’est déjà la durée de la convention.", "new_duration_months"
    if (
        now.starts_on
        and now.contracts_end_on
        and add_months(now.starts_on, firm + count * each) <= now.contracts_end_on
    ):
        return (
            f"Des marchés courent jusqu’au {now.contracts_end_on:%d/%m/%Y}\u00a0: la convention ne peut pas finir "
            f"avant eux "
            "(article 14.2).",
            "new_duration_months",
        )
    return "", ""


def voters(kind: str, *, is_permanent: bool, members: Iterable[int], body: int | None) -> list[int]:
    """The keys of those whose assembly votes, in the order of ``members``.

    All the members for what changes everybody's contract (article 15.1), and for a newcomer of an ad hoc grouping
    (13.1), who votes too; the newcomer alone when the grouping is permanent (13.1), the leaver alone (15.2).
    """
    if kind == LEAVE or (kind == JOIN and is_permanent):
        return [body]
    others = [key for key in members if key != body or kind != JOIN]
    return [*others, body] if kind == JOIN else others


def signatories(voting: Iterable[int], *, coordinator: int) -> list[int]:
    """The keys of those who sign: who voted, and the coordinator, who accepts a newcomer and takes note of a leaver
    (articles 13.1 and 14.1) without any vote of its own."""
    voting = list(voting)
    return voting if coordinator in voting else [*voting, coordinator]


def takes_effect_on(
    *, effective_on: date | None, signed_on: Iterable[date], decided_on: Iterable[date], notice_months: int = 0
) -> date:
    """The first day of the amendment: when it was asked for, once everybody signed, and after the leaver's notice.

    ``signed_on``: every signature, one at least; ``decided_on``: the votes, from which a notice of ``notice_months``
    runs
    at the earliest, since a decision is notified after it is taken. ``notice_months`` is 0 for all but a withdrawal.
    """
    days = list(signed_on)
    if effective_on is not None:
        days.append(effective_on)
    if notice_months:
        days += [add_months(day, notice_months) for day in decided_on]
    return max(days)


def after_launch(day: date, launched_on: date | None) -> date:
    """``day``, or the day after the launch when it is not later: recorded since, it does not change the tender."""
    return day if launched_on is None or day > launched_on else launched_on + ONE_DAY


def signing_refusal(*, signed_on: date, executory_on: date | None, votes: bool, frozen_on: date, today: date) -> str:
    """Why a signature is not taken; empty when it is.

    ``votes``: its assembly votes this amendment, and the act must then be enforceable first, as for the convention (CE,
    avis, 10/06/1996, préfet de la Côte-d’Or).
    """
    if signed_on > today:
        return f"Le {signed_on:%d/%m/%Y} n’est pas encore venu."
    if votes and executory_on is None:
        return (
            "L’acte n’est pas encore exécutoire\u00a0: la transmission et la publication précèdent la signature (CE, "
            "avis, "
            "10/06/1996, préfet de la Côte-d’Or)."
        )
    earliest = executory_on if votes and executory_on else frozen_on
    if signed_on < earliest:
        why = "l’acte n’est exécutoire que depuis" if votes else "le texte n’est arrêté que depuis"
        return f"La signature ne peut pas précéder le {earliest:%d/%m/%Y}\u00a0: {why} cette date."
    return ""


def joining_refusal(*, accepted_on: date, signed_on: date | None, launched_on: date | None) -> str:
    """Why the coordinator cannot accept a bulletin; empty when it can. The bulletin has no effect on a consultation
    launched before it was received (annexe 5; rép. min. n° 100136 du 17/05/2011)."""
    if signed_on is None:
        return "Ce bulletin n’est pas signé."
    if launched_on is not None and accepted_on >= launched_on:
        return (
            f"La consultation est lancée depuis le {launched_on:%d/%m/%Y}\u00a0: un bulletin accepté ensuite n’a pas "
            "d’effet sur elle (réponse ministérielle n° 100136 du 17/05/2011)."
        )
    if accepted_on < signed_on:
        return "L’acceptation ne peut pas précéder la signature."
    return ""


def unjoined(needing: Iterable[str], joined: Iterable[str]) -> str:
    """Why the launch of a permanent grouping that uses bulletins waits; empty when it does not.

    ``needing``: names of the members whose needs are in the tender; ``joined``: of those whose bulletin is accepted.
    """
    known = set(joined)
    missing = [name for name in needing if name not in known]
    if not missing:
        return ""
    told = ", ".join(missing[:5]) + (f" et {len(missing) - 5} autres" if len(missing) > 5 else "")
    return (
        f"Lancement impossible\u00a0: aucun bulletin d’adhésion accepté pour {told}. Acceptez le bulletin, ou "
        f"retirez les besoins "
        "de ces membres."
    )
