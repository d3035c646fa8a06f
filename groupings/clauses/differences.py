"""What changed between two versions of a clause, word by word, as a jurist reads an amendment."""

import re
from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby

_TOKEN = re.compile(r"\s*(?:\{[{%#].*?[}%#]\}|</?[a-z0-9]+ ?/?>|\w+|[^\w\s<{]+|.)|\s+", re.DOTALL)
#: Pairs of equal words beyond which two texts are told whole, one then the other: comparing them would take minutes.
_MAX_PAIRS = 300_000
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
        elif b - a == d - c:
            for one, other in zip(old[a:b], new[c:d], strict=True):
                passages += _words(one, other)
        else:
            passages += _words("".join(old[a:b]), "".join(new[c:d]))
    return [
        Passage(state, "".join(text for _, text in run)) for state, run in groupby(passages, key=lambda pair: pair[0])
    ]


def _words(before: str, after: str) -> list[tuple[str, str]]:
    old, new = _TOKEN.findall(before), _TOKEN.findall(after)
    head = _common(old, new)
    tail = _common(old[head:][::-1], new[head:][::-1])
    found = [(KEPT, "".join(old[:head]))]
    middle, other = old[head : len(old) - tail], new[head : len(new) - tail]
    counts, others = Counter(middle), Counter(other)
    if sum(count * others[token] for token, count in counts.items()) > _MAX_PAIRS:
        found += [(REMOVED, "".join(middle)), (ADDED, "".join(other))]
    else:
        for tag, a, b, c, d in SequenceMatcher(None, middle, other, autojunk=False).get_opcodes():
            if tag == "equal":
                found.append((KEPT, "".join(middle[a:b])))
            else:
                found += [(REMOVED, "".join(middle[a:b])), (ADDED, "".join(other[c:d]))]
    found.append((KEPT, "".join(old[len(old) - tail :])))
    return [(state, text) for state, text in found if text]


def _common(old: list[str], new: list[str]) -> int:
    """How many tokens both begin with."""
    count = 0
    while count < min(len(old), len(new)) and old[count] == new[count]:
        count += 1
    return count
