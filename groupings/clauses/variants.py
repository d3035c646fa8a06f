"""Every variant of one clause: the combinations of what its conditions test and of what may be empty in it."""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import combinations, product
from typing import Any

from groupings.clauses import language
from groupings.clauses.problems import ClauseProblem
from groupings.clauses.variables import VARIABLES, Kind

#: Above it, every pair of values is tried instead of every combination: no clause shipped comes near.
MAX_VARIANTS = 512
_WORDS = re.compile(r">[^<]*[^<\s][^<]*<")
_FILLED, _EMPTY = "renseigné", "vide"


class _PrintedEmpty(Exception):
    """A variable that may be empty is printed outside the condition that tests it."""


class _Empty(str):
    """An empty value that refuses to be printed; false in a condition, as the empty string is."""

    def __html__(self) -> str:
        raise _PrintedEmpty(self.name)


def _empty(name: str) -> _Empty:
    value = _Empty("")
    value.name = name
    return value


@lru_cache(maxsize=64)
def problems_of_variants(body: str) -> tuple[ClauseProblem, ...]:
    """Render ``body``, already free of mistakes of language, once for each variant; what is wrong with the results.

    A variant may not print an empty variable, nor leave the article empty. Its tags need no second reading: the
    language has followed them branch by branch, so that they are balanced in every variant.
    """
    found: dict[str, ClauseProblem] = {}
    for choice in _choices(language.read(body)):
        try:
            rendered = language.render(body, _values(choice))
        except _PrintedEmpty as error:
            name = str(error)
            found.setdefault(
                name,
                ClauseProblem(
                    f"«\u00a0{name}\u00a0» peut être vide\u00a0; placez ce qui la nomme sous {{% if {name} %}} … "
                    "{% endif %}.",
                    *_place_of(body, name),
                ),
            )
            continue
        if not _WORDS.search(rendered):
            found.setdefault("", ClauseProblem(f"l’article n’imprime rien {_told(choice)}".strip() + "."))
    return tuple(found.values())


def longest_rendering(body: str) -> str:
    """The HTML of the variant that prints the most, with sample values: what the layout is tried on."""
    return max((language.render(body, _values(choice)) for choice in _choices(language.read(body))), key=len)


def _place_of(body: str, name: str) -> tuple[int, int]:
    for number, line in enumerate(body.split("\n"), 1):
        for opening in (f"{{{{ {name} }}}}", f"{{{{{name}}}}}"):
            if opening in line:
                return number, line.index(opening) + 1
    return 0, 0


def _axes(reading: language.Reading) -> dict[str, list[Any]]:
    """What varies: each variable tested, each one printed that may be empty, and what decides of these."""
    axes: dict[str, list[Any]] = {}
    waiting = sorted(reading.named)
    while waiting:
        name = waiting.pop()
        variable = VARIABLES[name]
        if name in axes:
            continue
        if variable.kind == Kind.CHOICE and name in reading.tested | {other for other, _ in _deciding(reading)}:
            axes[name] = list(variable.values)
        elif variable.kind == Kind.YES_NO:
            axes[name] = [True, False]
        elif variable.kind == Kind.LIST and name in reading.tested:
            axes[name] = [variable.sample, []]
        elif variable.kind == Kind.NUMBER:
            compared = {n + step for n in reading.numbers.get(name, ()) for step in (-1, 0, 1) if n + step >= 0}
            if name in reading.tested or name in {other for other, _ in _deciding(reading)}:
                axes[name] = sorted(compared | {0, 1, variable.sample})
        elif variable.optional and not variable.filled_when:
            axes[name] = [_FILLED, _EMPTY]
        elif variable.filled_when:
            waiting.extend(other for other, _ in variable.filled_when)
    return axes


def _deciding(reading: language.Reading) -> list[tuple[str, Any]]:
    return [pair for name in reading.named for pair in VARIABLES[name].filled_when]


def _choices(reading: language.Reading) -> Iterator[dict[str, Any]]:
    axes = _axes(reading)
    total = 1
    for values in axes.values():
        total *= len(values)
    if total <= MAX_VARIANTS:
        for values in product(*axes.values()):
            yield dict(zip(axes, values, strict=True))
        return
    usual = {name: values[0] for name, values in axes.items()}
    for first, second in combinations(axes, 2):
        for one, other in product(axes[first], axes[second]):
            yield usual | {first: one, second: other}


def _values(choice: Mapping[str, Any]) -> dict[str, Any]:
    """The sample of every variable, changed by the choice."""
    values = {name: variable.sample for name, variable in VARIABLES.items()}
    for name, value in choice.items():
        if value == _EMPTY:
            values[name] = _empty(name)
        elif value != _FILLED:
            values[name] = value
    for name, variable in VARIABLES.items():
        # Only when the choice says something of what decides: the sample is filled otherwise.
        deciding = [(other, wanted) for other, wanted in variable.filled_when if other in choice]
        if any(not values[other] if wanted is None else values[other] != wanted for other, wanted in deciding):
            values[name] = _empty(name)
    return values


def _told(choice: Mapping[str, Any]) -> str:
    if not choice:
        return ""
    words = {True: "oui", False: "non"}
    facts = []
    for name, value in choice.items():
        word = words[value] if isinstance(value, bool) else "vide" if value == [] else value
        facts.append(f"{name}\u00a0= {'des éléments' if isinstance(word, list) else word}")
    return f"quand {', '.join(facts)}"
