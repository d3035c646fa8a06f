"""Drawing lines to check by hand: the larger the amount, the likelier the draw, and anybody can draw them again.

Draws are without replacement: each is among the lines not drawn yet, with a probability in proportion to their amount.
The chance comes from SHA-256 of the seed and of the rank of the draw; whole cents and whole numbers only, so that the
same seed over the same lines gives the same sample on every machine.
"""

import hashlib
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

_RANGE = 1 << 256


def draw(amounts: Sequence[tuple[int, int]], count: int, seed: str) -> list[int]:
    """The numbers of ``count`` lines, in the order drawn.

    ``amounts``: (number of the line, whole cents), a loss weighing as much as a gain of its size. A line of zero has no
    chance; fewer lines than ``count`` are all drawn. Raises ValueError for a negative ``count``.
    """
    if count < 0:
        raise ValueError("On ne tire pas un nombre négatif de lignes.")
    lines = sorted((number, abs(cents)) for number, cents in amounts if cents)
    sums = list(accumulate(cents for _, cents in lines))
    drawn: list[int] = []
    left = sums[-1] if sums else 0
    for turn in range(min(count, len(lines))):
        point = _below(left, f"{seed}:{turn}")
        for place in sorted(drawn):  # step over what is drawn already: the point lies among the others
            if point >= sums[place] - lines[place][1]:
                point += lines[place][1]
        drawn.append(bisect_right(sums, point))
        left -= lines[drawn[-1]][1]
    return [lines[place][0] for place in drawn]


def _below(bound: int, text: str) -> int:
    """A whole number from 0 to ``bound`` - 1, each as likely: what would favour the first ones is thrown again."""
    limit = _RANGE - _RANGE % bound
    value = int.from_bytes(hashlib.sha256(text.encode()).digest())
    while value >= limit:
        value = int.from_bytes(hashlib.sha256(value.to_bytes(32)).digest())
    return value % bound
