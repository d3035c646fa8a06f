"""Which awaited deliberation an act from outside belongs to: the one that is certain, those that are plausible, or why
none is.

Two assemblies name and number one purchase in two ways, and one body gives a number twice (« interop.md » §0): only a
number already known here links by itself, the rest is for a person to confirm. Nothing here touches the database.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from groupings.choices import AWAITING_VOTE, IN_FORCE, ON_A_SESSION, DeliberationStatus
from groupings.exchange.subjects import groupement_hint, similarity, words

#: Percentage of common words from which two objects speak of one purchase, nothing else being said.
ALIKE = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What a file says of one act. ``actes_id`` is empty for a row of open data, which never gives it.

    ``numbers``: those it goes by, the ACTES internal one and that of the message. ``nature``: letters of ACTES.
    """

    decided_on: date
    numbers: tuple[str, ...] = ()
    subject: str = ""
    actes_id: str = ""
    nature: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Awaited:
    """What is known here of one deliberation of the same body. ``session_on``: the meeting it is put to, or was."""

    pk: int
    title: str
    opened_on: date
    status: str
    kind: str = "council"
    decided_on: date | None = None
    session_on: date | None = None
    number: str = ""
    actes_id: str = ""

    @classmethod
    def of(cls, deliberation) -> "Awaited":
        """From a Deliberation whose session, membership and grouping are loaded."""
        grouping, session = deliberation.membership.grouping, deliberation.session
        return cls(
            pk=deliberation.pk,
            title=grouping.title,
            opened_on=grouping.opened_on,
            status=deliberation.status,
            kind=deliberation.kind,
            decided_on=deliberation.decided_on,
            session_on=session.meeting_on if session else None,
            number=deliberation.number,
            actes_id=deliberation.actes_id or "",
        )

    def is_numbered(self, act: Act) -> bool:
        return any(same_number(self.number, number) for number in act.numbers)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A deliberation an act may belong to. ``score``, 0 to 100, only sorts; ``reason`` is French, for the person."""

    pk: int
    score: int
    reason: str


def same_number(one: str, other: str) -> bool:
    """Whether two numbers are one, whatever their punctuation, case and leading zeros: 2022.00028 and 2022_28.

    A number written in one piece is compared in one piece: D2016123 is D2016_123.
    """
    runs, others = _runs(one), _runs(other)
    if not runs or not others:
        return False
    if runs == others:
        return True
    in_one_piece = any(re.fullmatch(r"[^\W_]+", text.strip()) for text in (one, other))
    return in_one_piece and _compact(one) == _compact(other)


def certain(act: Act, awaited: Sequence[Awaited]) -> Awaited | None:
    """The only deliberation in force of that day that bears a number of ``act``, and no identifier but its own."""
    found = [item for item in awaited if _is_open(item, act) and _is_voted(item, act) and item.is_numbered(act)]
    return found[0] if len(found) == 1 else None


def plausible(act: Act, awaited: Sequence[Awaited], today: date) -> list[Candidate]:
    """Those that ``act`` may belong to, the best first; when some share its words or its number, only they remain.

    Voted here that day under no number, or one that ends alike; or still to be voted, the day of the act falling
    between the opening of the grouping and ``today``. An act that tells its object is judged by its words.
    """
    found = [(likeness, item) for item in awaited if (likeness := _likeness(act, item, today)) is not None]
    if any(likeness.is_strong for likeness, _ in found):
        found = [(likeness, item) for likeness, item in found if likeness.is_strong]
    candidates = [Candidate(item.pk, likeness.score, likeness.reason) for likeness, item in found]
    return sorted(candidates, key=lambda candidate: (-candidate.score, candidate.pk))


def why_none(act: Act, awaited: Sequence[Awaited]) -> str:
    """Why nothing is plausible, as a French sentence about what is known of that day."""
    of_day = [item for item in awaited if act.decided_on in (item.decided_on, item.session_on)]
    day = f"{act.decided_on:%d/%m/%Y}"
    undated = any(_is_open(item, act) and item.status in AWAITING_VOTE and item.session_on is None for item in awaited)
    if not of_day and undated and act.subject:
        return "L’objet de cet acte ne ressemble à celui d’aucune délibération attendue de cet organisme."
    if not of_day and undated:
        return (
            f"Aucune délibération attendue de cet organisme n’est du {day}, et ce fichier ne dit pas l’objet de "
            "l’acte\u00a0: saisissez d’abord le vote."
        )
    if not of_day:
        return f"Aucune délibération attendue de cet organisme n’est du {day}."
    if all(not _is_of_nature(item, act) for item in of_day):
        return f"Cet acte est de nature {act.nature}\u00a0: celui qui est attendu du {day} est une délibération (DE)."
    taken = next((item for item in of_day if item.actes_id and item.actes_id != act.actes_id), None)
    if taken and all(item.actes_id for item in of_day):
        return f"La délibération du {day} porte déjà un autre identifiant ACTES, {taken.actes_id}."
    numbered = next((item for item in of_day if item.status in IN_FORCE and item.number), None)
    if numbered and act.numbers:
        return (
            f"La délibération du {day} porte le numéro «\u00a0{numbered.number}\u00a0», et cet acte le numéro "
            f"«\u00a0{act.numbers[0]}\u00a0»."
        )
    closed = next((item for item in of_day if item.status not in (*IN_FORCE, *AWAITING_VOTE)), None)
    if closed:
        label = DeliberationStatus(closed.status).label
        return f"La délibération du {day} est «\u00a0{label}\u00a0»\u00a0: elle n’attend aucun acte."
    return f"L’objet de cet acte ne ressemble à celui d’aucune délibération attendue du {day}."


@dataclass(frozen=True, slots=True)
class _Likeness:
    is_strong: bool
    score: int
    reason: str


def _likeness(act: Act, item: Awaited, today: date) -> _Likeness | None:
    """How much ``item`` looks like ``act``; None when it cannot be it."""
    if not _is_open(item, act) or (item.status in IN_FORCE and not _is_voted(item, act)):
        return None
    common, hint = _common(act.subject, item.title), _hint(act.subject)
    speaks_of_it = common >= ALIKE or (hint and (common > 0 or not _words(act.subject)))
    known = False
    if item.status in IN_FORCE:
        known = item.is_numbered(act) or any(_end_alike(item.number, number) for number in act.numbers)
        # A receipt names an act of that body and that day: without a number to tell, a person looks.
        unnumbered = not item.number and bool(act.actes_id)
        if not (known or unnumbered or speaks_of_it):
            return None
        number = f"numéro «\u00a0{item.number}\u00a0»" if item.number else "sans numéro"
        told = f"Votée ce jour-là, {number}."
        same_day = True
    else:
        same_day = item.status in ON_A_SESSION and item.session_on == act.decided_on
        in_window = item.opened_on <= act.decided_on <= today
        if not in_window or not (speaks_of_it or (same_day and not act.subject)):
            return None
        told = "Inscrite à la séance de ce jour, vote à saisir." if same_day else "Vote encore attendu."
    score = min(100, common * 6 // 10 + 20 * hint + 20 * same_day + 40 * known)
    return _Likeness(known or common > 0, score, f"{told} {_told_words(act, common, hint)}")


# A file holds twenty thousand objects, each compared with every title its body awaits: they are taken apart once.
_words, _hint = lru_cache(maxsize=256)(words), lru_cache(maxsize=256)(groupement_hint)


@lru_cache(maxsize=256)
def _spellings(title: str) -> frozenset[str]:
    """All that a word of ``title`` may be read as, an article stuck to it or taken for one."""
    return frozenset(spelt for word in words(title) for spelt in (word, f"d{word}", f"l{word}", word[1:]))


def _common(subject: str, title: str) -> int:
    return similarity(subject, title) if _words(subject) & _spellings(title) else 0


def _told_words(act: Act, common: int, hint: bool) -> str:
    if not act.subject:
        return "Le fichier ne donne pas l’objet de l’acte."
    if common:
        return f"Objets semblables à {common}\u00a0%{', et il s’agit d’un groupement de commandes' if hint else ''}."
    return "L’objet parle d’un groupement de commandes." if hint else "L’objet de l’acte ne parle pas de cet achat."


def _is_open(item: Awaited, act: Act) -> bool:
    """Whether ``item`` may still receive that act: in its life, without another identifier, of the right nature."""
    lives = item.status in IN_FORCE or item.status in AWAITING_VOTE
    return lives and item.actes_id in ("", act.actes_id) and _is_of_nature(item, act)


def _is_of_nature(item: Awaited, act: Act) -> bool:
    """An assembly's act is sent as DE; those of a bureau or a president as the préfecture has them."""
    return item.kind != "council" or act.nature in ("", "DE")


def _is_voted(item: Awaited, act: Act) -> bool:
    return item.status in IN_FORCE and item.decided_on == act.decided_on


def _runs(number: str) -> list[str]:
    """Its runs of digits, without leading zeros, and of letters, without case."""
    runs = re.findall(r"\d+|[^\W\d_]+", number.casefold())
    return [run.lstrip("0") or "0" if run.isdigit() else run for run in runs]


def _compact(number: str) -> str:
    return "".join(character for character in number.casefold() if character.isalnum()).lstrip("0")


def _end_alike(one: str, other: str) -> bool:
    """28 and 2026_DEL_028: one of them may be short for the other."""
    ends = [runs[-1] if (runs := _runs(number)) else "" for number in (one, other)]
    return ends[0] == ends[1] != "" and ends[0].isdigit()
