"""What changed between two versions of a clause, word by word, as a jurist reads an amendment."""

import re
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby

_TOKEN = re.compile(r"\{[{%#].*?[}%#]\}|</?[a-z0-9]+ ?/?>|\s+|[^\s<{]+|.", re.DOTALL)
KEPT, REMOVED, ADDED = "kept", "removed", "added"


@dataclass(frozen=True, slots=True)
class Passage:
    """A run of text that is kept, removed or added."""

    state: str
    text: str


def differences(before: str, after: str) -> list[Passage]:
    """The passages of both texts, in their order. Whole lines first, words within the lines that changed: a long text
    is compared in a moment."""
    passages: list[tuple[str, str]] = []
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            passages.append((KEPT, "".join(old[a:b])))
        else:
            passages += _words("".join(old[a:b]), "".join(new[c:d]))
    return [
        Passage(state, "".join(text for _, text in run)) for state, run in groupby(passages, key=lambda pair: pair[0])
    ]


def _words(before: str, after: str) -> list[tuple[str, str]]:
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    found = []
    for tag, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if tag == "equal":
            found.append((KEPT, "".join(old[a:b])))
            continue
        found += [(state, text) for state, text in ((REMOVED, "".join(old[a:b])), (ADDED, "".join(new[c:d]))) if text]
    return found
