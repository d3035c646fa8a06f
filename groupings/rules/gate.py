"""What a grouping must have before each step; each answer is the French sentence of the refusal, or nothing."""

from collections.abc import Sequence
from datetime import datetime

from groupings.rules.told import the_lots


def convention_refusal(*, lots: int, members: int, members_answered: int, members_with_needs: int) -> str:
    """Needs are known before the contract (CCP, L2111-1): two members at least, a lot, a need.

    ``members_answered``: those whose needs are known, « no need » included, which is an answer.
    """
    if members < 2:
        return "Un groupement compte au moins deux membres (CCP, L2113-6)."
    if lots == 0:
        return "Décrivez au moins un lot avant de clore le recensement."
    if members_answered == 0:
        return "Aucun membre n’a encore indiqué ses besoins."
    if members_with_needs == 0:
        return "Les membres qui ont répondu n’ont aucun besoin\u00a0: il n’y a rien à acheter."
    return ""


def votes_refusal(*, has_convention: bool) -> str:
    """The assemblies approve a text: it exists, and it is frozen."""
    return "" if has_convention else "Produisez d’abord la convention\u00a0: c’est elle que les assemblées approuvent."


def launch_refusal(*, waiting: Sequence[str], unsigned: Sequence[str], unbounded: Sequence[int] = ()) -> str:
    """The convention is in force before the procedure starts (CE, 25/04/1994, Région Aquitaine, n° 99926), and an
    accord-cadre says its maximum (CCP, R2162-4).

    Names of the members whose needs are in the tender: ``waiting`` those whose act is not enforceable yet,
    ``unsigned`` those whose act is, or who need none, and who have not signed the convention. ``unbounded``: numbers of
    the lots that lack a maximum compulsory on the day of the launch (``framework.is_maximum_compulsory``).
    """
    causes = []
    if waiting:
        causes.append(f"la délibération n’est pas exécutoire pour {_names(waiting)}")
    if unsigned:
        causes.append(f"la convention n’est pas signée par {_names(unsigned)}")
    told = []
    if causes:
        told.append(f"{' et '.join(causes)}. La convention doit être en vigueur avant la consultation.")
    if unbounded:
        verb = "est un accord-cadre" if len(unbounded) == 1 else "sont des accords-cadres"
        told.append(f"{the_lots(unbounded)} {verb} sans maximum, obligatoire depuis le 01/01/2022 (CCP, R2162-4).")
        told[-1] = told[-1] if len(told) == 1 else told[-1][0].upper() + told[-1][1:]
    return f"Lancement impossible\u00a0: {' '.join(told)}" if told else ""


def _names(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" et {len(names) - 5} autres" if len(names) > 5 else "")


def closing_refusal(*, has_consultation: bool, offers_due_at: datetime | None) -> str:
    """A consultation closes once its offers were due: the date is recorded (that it has passed, the action checks)."""
    if not has_consultation:
        return "Ce groupement n’a pas de consultation."
    if offers_due_at is None:
        return "Indiquez d’abord la date limite de remise des offres, sur la page de la consultation."
    return ""


def still_open_refusal(*, offers_due_at: datetime, now: datetime) -> str:
    """Nobody reads the offers before the hour everybody was given (CCP, R2143-2). Both instants at Paris time."""
    if offers_due_at <= now:
        return ""
    return (
        f"Les offres sont attendues jusqu’au {offers_due_at:%d/%m/%Y à %H h %M}\u00a0: "
        "la consultation ne se clôt pas avant."
    )


def notification_refusal(*, undecided: Sequence[int], not_notified: Sequence[int], awarded: int) -> str:
    """Every lot has its decision, and every awarded one is notified. The numbers of the lots that keep waiting."""
    causes = []
    if undecided:
        causes.append(f"aucune décision pour {the_lots(undecided)}")
    if not_notified:
        causes.append(f"marché non notifié pour {the_lots(not_notified)}")
    if causes:
        return f"Notification incomplète\u00a0: {' et '.join(causes)}."
    if not awarded:
        return "Aucun lot n’est attribué\u00a0: relancez les lots, ou abandonnez le groupement."
    return ""
