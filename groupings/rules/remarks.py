"""What a jurist would point at in a deliberation: each remark with its source. They warn; a jurist may go past one."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date

from groupings.rules import clear_days, vote

COUNCIL, BUREAU, PRESIDENT = "council", "bureau", "president"
#: The bodies whose assembly may delegate this decision (CGCT, L5211-10, and L5711-1 for the syndicats).
_DELEGATING = ("metropole", "epci", "syndicat")
#: The interval before a meeting convened again for want of quorum (CGCT, L2121-17; L5211-1).
RECONVENED_DAYS = 3


@dataclass(frozen=True)
class Facts:
    """What is known of one decision. ``body`` is the kind of the organisation, ``maker`` who decided; ``is_award``
    of the award of the market, which an executive may take by delegation, and not of the convention.

    ``sent_on`` is the dispatch of the convocation; ``note_sent`` None when nobody said. ``was_reconvened``: the meeting
    comes next after one without quorum. ``signed_on`` and ``executory_on``: of the convention, and of this act.
    """

    body: str
    maker: str = COUNCIL
    is_award: bool = False
    reference_population: int | None = None
    meeting_on: date | None = None
    sent_on: date | None = None
    is_first_session: bool = False
    note_sent: bool | None = None
    in_office: int | None = None
    present: int | None = None
    was_reconvened: bool = False
    signed_on: date | None = None
    executory_on: date | None = None


@dataclass(frozen=True)
class Remark:
    """One legal doubt: a code, the French sentence, and where the rule comes from."""

    code: str
    sentence: str
    source: str


def makers(body: str) -> tuple[str, ...]:
    """Who can take such a decision at all, lawfully or not: a commune and a CCAS have no bureau."""
    return (COUNCIL, BUREAU, PRESIDENT) if body in (*_DELEGATING, "other") else (COUNCIL, PRESIDENT)


def remarks(facts: Facts) -> list[Remark]:
    """The doubts about one decision, in the order of its life; empty when nothing is known against it."""
    return [remark for rule in _RULES for remark in rule(facts)]


def _delegation(facts: Facts) -> Iterator[Remark]:
    if facts.is_award or facts.maker == COUNCIL or facts.body in (*_DELEGATING, "other"):
        return
    if facts.body == "ccas":
        yield Remark(
            "delegation",
            "Le conseil d’administration du CCAS ne peut déléguer que les marchés en procédure adaptée\u00a0: la "
            "convention de groupement relève de lui.",
            "CASF, R123-20 et R123-21",
        )
        return
    yield Remark(
        "delegation",
        "Le conseil municipal ne peut pas déléguer au maire l’adhésion à un groupement de commandes\u00a0: la "
        "convention n’est pas un marché.",
        "CGCT, L2122-22\u202f; réponse ministérielle, QE n° 1560, 28/08/2012",
    )


def _first_session(facts: Facts) -> Iterator[Remark]:
    # The days of installation are those of the municipal councils alone (CE, 22/07/2015, n° 383072).
    if facts.body != "commune" or not facts.is_first_session or facts.meeting_on is None:
        return
    if not clear_days.can_be_first_session(facts.meeting_on):
        yield Remark(
            "first_session",
            f"La séance du {facts.meeting_on:%d/%m/%Y} ne tombe pas dans les jours d’installation d’un conseil "
            "renouvelé\u00a0: le délai ordinaire s’applique.",
            "CGCT, L2121-7",
        )


def _notice(facts: Facts) -> Iterator[Remark]:
    owed = notice_owed(facts)
    if owed is None or facts.sent_on is None:
        return
    days = owed.days
    if clear_days.is_notice_valid(facts.sent_on, facts.meeting_on, days):
        return
    latest = clear_days.latest_dispatch_on(facts.meeting_on, days)
    urgency = ""
    if owed.urgent_days is not None and clear_days.is_notice_valid(facts.sent_on, facts.meeting_on, owed.urgent_days):
        urgency = " L’urgence, admise par l’assemblée à l’ouverture de la séance, peut la couvrir."
    yield Remark(
        "notice",
        f"Convocation envoyée le {facts.sent_on:%d/%m/%Y} pour le {facts.meeting_on:%d/%m/%Y}\u00a0: il fallait "
        f"{days} jours francs, donc un envoi le {latest:%d/%m/%Y} au plus tard.{urgency}",
        owed.source,
    )


def _note(facts: Facts) -> Iterator[Remark]:
    rule = _ordinary_rule(facts)
    if rule is not None and rule.document and facts.sent_on is not None and facts.note_sent is False:
        yield Remark(
            "note",
            f"La convocation devait être accompagnée d’un document\u00a0: {rule.document}.",
            rule.source,
        )


def _quorum(facts: Facts) -> Iterator[Remark]:
    if not facts.in_office or facts.present is None or facts.was_reconvened:
        return
    needed = vote.quorum(facts.in_office)
    if facts.present < needed:
        yield Remark(
            "quorum",
            f"{facts.present} présents pour {facts.in_office} membres en exercice\u00a0: le quorum est de {needed}, "
            "pouvoirs non comptés.",
            "CASF, R123-17" if facts.body == "ccas" else "CGCT, L2121-17",
        )


def _signature(facts: Facts) -> Iterator[Remark]:
    if facts.signed_on and facts.executory_on and facts.signed_on < facts.executory_on:
        yield Remark(
            "signature",
            f"Convention signée le {facts.signed_on:%d/%m/%Y}, avant que l’acte soit exécutoire, le "
            f"{facts.executory_on:%d/%m/%Y}\u00a0: la transmission et la publication précèdent la signature.",
            "CE, avis, 10/06/1996, préfet de la Côte-d’Or",
        )


_RULES = (_delegation, _first_session, _notice, _note, _quorum, _signature)


def notice_owed(facts: Facts) -> clear_days.NoticeRule | None:
    """What the convocation of this meeting owes; None for a decision without a meeting, or a body the table ignores.

    Fewer days for a municipal council being installed (CGCT, L2121-7), or an assembly convened again for want of quorum
    (L2121-17: « à trois jours au moins d’intervalle », read as clear days like the ordinary notice; the CCAS keeps its
    own, CASF, R123-17).
    """
    rule = _ordinary_rule(facts)
    if rule is None:
        return None
    if facts.is_first_session and clear_days.can_be_first_session(facts.meeting_on):
        population = facts.reference_population or 0
        days = clear_days.first_session_notice_days(facts.body, population, facts.meeting_on)
        if days < rule.days:
            return replace(rule, days=days, source="CGCT, L2121-7")
    if facts.was_reconvened and facts.body != "ccas" and rule.days > RECONVENED_DAYS:
        return replace(rule, days=RECONVENED_DAYS, source="CGCT, L2121-17")
    return rule


def _ordinary_rule(facts: Facts) -> clear_days.NoticeRule | None:
    if facts.meeting_on is None or facts.maker == PRESIDENT:
        return None
    try:
        return clear_days.notice_rule(facts.body, facts.reference_population or 0, facts.meeting_on)
    except LookupError:
        return None
