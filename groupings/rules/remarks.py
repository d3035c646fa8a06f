"""What a jurist would point at in a deliberation: each remark with its source. They warn; a jurist may go past one."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from groupings.rules import clear_days, vote

COUNCIL, BUREAU, PRESIDENT = "council", "bureau", "president"
#: The bodies whose assembly may delegate this decision (CGCT, L5211-10, and L5711-1 for the syndicats).
_DELEGATING = ("metropole", "epci", "syndicat")


@dataclass(frozen=True)
class Facts:
    """What is known of one decision. ``body`` is the kind of the organisation, ``maker`` who decided.

    ``sent_on`` is the dispatch of the convocation; ``note_sent`` None when nobody said. ``was_reconvened``: the meeting
    follows one without quorum.
    """

    body: str
    maker: str = COUNCIL
    reference_population: int | None = None
    meeting_on: date | None = None
    sent_on: date | None = None
    is_first_session: bool = False
    note_sent: bool | None = None
    in_office: int | None = None
    present: int | None = None
    was_reconvened: bool = False


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
    return [remark for rule in (_delegation, _first_session, _notice, _note, _quorum) for remark in rule(facts)]


def _delegation(facts: Facts) -> Iterator[Remark]:
    if facts.maker == COUNCIL or facts.body in (*_DELEGATING, "other"):
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
    if facts.is_first_session and facts.meeting_on and not clear_days.can_be_first_session(facts.meeting_on):
        yield Remark(
            "first_session",
            f"La séance du {facts.meeting_on:%d/%m/%Y} ne tombe pas dans les jours d’installation d’un conseil "
            "renouvelé\u00a0: le délai ordinaire s’applique.",
            "CGCT, L2121-7",
        )


def _notice(facts: Facts) -> Iterator[Remark]:
    rule = _rule(facts)
    if rule is None or facts.sent_on is None:
        return
    days = rule.days
    if facts.is_first_session and clear_days.can_be_first_session(facts.meeting_on):
        days = clear_days.first_session_notice_days(facts.body, facts.reference_population or 0, facts.meeting_on)
    if clear_days.is_notice_valid(facts.sent_on, facts.meeting_on, days):
        return
    latest = clear_days.latest_dispatch_on(facts.meeting_on, days)
    urgency = ""
    if rule.urgent_days is not None and clear_days.is_notice_valid(facts.sent_on, facts.meeting_on, rule.urgent_days):
        urgency = " L’urgence, admise par l’assemblée à l’ouverture de la séance, peut la couvrir."
    yield Remark(
        "notice",
        f"Convocation envoyée le {facts.sent_on:%d/%m/%Y} pour le {facts.meeting_on:%d/%m/%Y}\u00a0: il fallait "
        f"{days} jours francs, donc un envoi le {latest:%d/%m/%Y} au plus tard.{urgency}",
        rule.source,
    )


def _note(facts: Facts) -> Iterator[Remark]:
    rule = _rule(facts)
    if rule is not None and rule.document and facts.sent_on is not None and facts.note_sent is False:
        yield Remark(
            "note",
            f"La convocation devait être accompagnée d’un document\u00a0: {rule.document}.",
            rule.source,
        )


def _quorum(facts: Facts) -> Iterator[Remark]:
    if facts.in_office is None or facts.present is None or facts.was_reconvened:
        return
    needed = vote.quorum(facts.in_office)
    if facts.present < needed:
        yield Remark(
            "quorum",
            f"{facts.present} présents pour {facts.in_office} membres en exercice\u00a0: le quorum est de {needed}, "
            "pouvoirs non comptés.",
            "CASF, R123-17" if facts.body == "ccas" else "CGCT, L2121-17",
        )


def _rule(facts: Facts) -> clear_days.NoticeRule | None:
    """The notice rule of an ordinary meeting; None for a decision without a meeting, or a body the table ignores."""
    if facts.meeting_on is None or facts.maker == PRESIDENT:
        return None
    try:
        return clear_days.notice_rule(facts.body, facts.reference_population or 0, facts.meeting_on)
    except LookupError:
        return None
