"""The language of a clause: the closed HTML, the variables of the catalogue, and conditions on them. Nothing else.

A text is first cut into its pieces (words, ``{{ variable }}``, ``{% if … %}``) to follow the tags branch by branch and
to say where each mistake is. Then the tree that Jinja2 itself reads is walked: a node outside the whitelist stops the
text, so that no attribute, call, filter, loop of one's own, import or assignment ever reaches the sandbox that prints.
"""

import difflib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

from groupings.clauses.markup import Reader
from groupings.clauses.problems import ClauseProblem, located
from groupings.clauses.variables import ITEMS, VARIABLES, Kind, Variable

MAX_LENGTH = 20_000  # signs: ten pages of a convention
_PIECE = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
_LOOSE_BRACE = re.compile(r"\{\{|\}\}|\{%|%\}|\{#|#\}")
_NAME = re.compile(r"[a-z_][a-z0-9_]*\Z")
_WORD = re.compile(r"[A-Za-zÀ-ÿ_][\wÀ-ÿ]*")
_STRING = re.compile(r"\"[^\"]*\"|'[^']*'")
_FOR = re.compile(r"([a-z_]+)\s+in\s+([a-z_]+)\Z")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_NUMBER_TESTS = frozenset({"eq", "ne", "gt", "gteq", "lt", "lteq"})
_CHOICE_TESTS = frozenset({"eq", "ne"})
#: Every node a clause may hold; anything else stops it.
_NODES = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.If,
    nodes.For,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Const,
)
_FAILURES = (TemplateError, RecursionError, ValueError, OverflowError, SyntaxError, TypeError, MemoryError)
_ONLY = "seules if, elif, else, endif, for et endfor sont permises"

_environment = ImmutableSandboxedEnvironment(autoescape=True, undefined=StrictUndefined, cache_size=0)
_environment.globals.clear()
_environment.filters.clear()
_environment.tests.clear()


@dataclass(frozen=True, slots=True)
class Reading:
    """What one text says: its problems, the variables it prints, those its conditions test, the numbers it compares."""

    problems: tuple[ClauseProblem, ...]
    printed: frozenset[str] = frozenset()
    tested: frozenset[str] = frozenset()
    numbers: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    @property
    def named(self) -> frozenset[str]:
        return self.printed | self.tested


def normalised(body: str) -> str:
    """A text as it is kept: one kind of line end, composed accents, no control character, one final line end."""
    text = _CONTROL.sub("", unicodedata.normalize("NFC", body.replace("\r\n", "\n").replace("\r", "\n")))
    return "\n".join(line.rstrip(" \t") for line in text.strip("\n \t").split("\n")) + "\n"


@lru_cache(maxsize=256)
def read(body: str) -> Reading:
    """Read a text; whatever it holds, the answer is a Reading, with a French sentence for each mistake."""
    if len(body) > MAX_LENGTH:
        return Reading(
            (
                ClauseProblem(
                    f"l’article compte {_count(len(body))} signes\u00a0; il ne peut pas dépasser "
                    f"{_count(MAX_LENGTH)} signes (une dizaine de pages). Mettez le surplus en annexe."
                ),
            )
        )
    scan = _Scan(body)
    scan.run()
    if not scan.problems:
        scan.walk_the_whole()
    ordered = sorted(scan.problems, key=lambda problem: (problem.line, problem.column))
    return Reading(
        tuple(dict.fromkeys(ordered)),
        frozenset(scan.printed),
        frozenset(scan.tested),
        {name: tuple(sorted(found)) for name, found in scan.numbers.items()},
    )


def render(body: str, values: Mapping[str, Any]) -> str:
    """The HTML of a clause for these values of its variables; data are escaped. Raises ValueError for a wrong text."""
    if problems := read(body).problems:
        raise ValueError(problems[0].told("Clause"))
    return _template(body).render(values)


@lru_cache(maxsize=256)
def _template(body: str) -> Template:
    return _environment.from_string(body)


class _Scan:
    """One reading of one text, from its first sign to its last."""

    def __init__(self, body: str) -> None:
        self.body = body
        self.html = Reader(body)
        self.problems = self.html.problems
        self.printed: set[str] = set()
        self.tested: set[str] = set()
        self.numbers: dict[str, set[int]] = {}
        #: Open conditions and loops: (if or for, offset, elements open when it began, loop's element).
        self.blocks: list[tuple[str, int, tuple[str, ...], str]] = []
        self.elses: set[int] = set()

    def say(self, message: str, offset: int) -> None:
        self.problems.append(located(message, self.body, offset))

    def run(self) -> None:
        place = 0
        for piece in _PIECE.finditer(self.body):
            self.words(place, piece.start())
            place = piece.end()
            inner, start = piece[0][2:-2], piece.start() + 2
            if piece[0].startswith("{{"):
                self.output(inner, piece.start(), start)
            elif piece[0].startswith("{%"):
                self.block(inner, piece.start(), start)
        self.words(place, len(self.body))
        for kind, offset, _, _ in self.blocks:
            what = "la condition {% if %}" if kind == "if" else "la boucle {% for %}"
            self.say(f"{what} n’est jamais fermée\u00a0; ajoutez {{% end{kind} %}}.", offset)
        if not self.blocks:
            self.html.finish()

    def words(self, start: int, end: int) -> None:
        if loose := _LOOSE_BRACE.search(self.body, start, end):
            what = "n’est jamais refermée" if loose[0].startswith("{") else "ne referme rien"
            self.say(f"l’accolade «\u00a0{loose[0]}\u00a0» {what}.", loose.start())
        self.html.text(start, end)

    def output(self, inner: str, offset: int, start: int) -> None:
        name = inner.strip()
        place = start + len(inner) - len(inner.lstrip())
        self.html.words(offset, name or "?")
        if not name:
            self.say("les accolades {{ }} ne nomment aucune variable.", offset)
        elif not _NAME.match(name):
            self.say(f"«\u00a0{_short(name)}\u00a0» n’est pas une variable\u00a0; {_why_not_a_name(name)}", place)
        elif name in ITEMS:
            if name not in (block[3] for block in self.blocks):
                self.say(
                    f"«\u00a0{name}\u00a0» ne s’écrit que dans une boucle {{% for {name} in {ITEMS[name]} %}}.", place
                )
        elif name not in VARIABLES:
            self.say(_unknown(name), place)
        else:
            variable = VARIABLES[name]
            if variable.kind in (Kind.YES_NO, Kind.LIST):
                self.say(
                    f"«\u00a0{name}\u00a0» ({variable.kind}) ne s’imprime pas\u00a0; écrivez {variable.written}.", place
                )
            self.printed.add(name)

    def block(self, inner: str, offset: int, start: int) -> None:
        text = inner.strip()
        word, _, rest = text.partition(" ")
        rest_place = start + inner.index(text) + len(text) - len(rest.lstrip()) if rest else start
        rest = rest.strip()
        if word == "if":
            self.blocks.append(("if", offset, self.html.names(), ""))
            self.condition(rest, offset, rest_place)
        elif word == "for":
            self.loop(rest, offset, rest_place)
        elif word in ("elif", "else", "endif", "endfor"):
            self.next_branch(word, rest, offset, rest_place)
        else:
            self.say(f"l’instruction «\u00a0{_short(word) or '…'}\u00a0» n’est pas permise\u00a0; {_ONLY}.", offset)

    def next_branch(self, word: str, rest: str, offset: int, rest_place: int) -> None:
        kind = "for" if word == "endfor" else "if"
        if not self.blocks or self.blocks[-1][0] != kind:
            what = "aucune boucle n’est ouverte" if kind == "for" else "aucune condition n’est ouverte"
            self.say(f"{{% {word} %}} est de trop\u00a0: {what} à cet endroit.", offset)
            return
        opened_at, before = self.blocks[-1][1:3]
        if word in ("elif", "else") and opened_at in self.elses:
            self.say(f"{{% {word} %}} vient après {{% else %}}\u00a0; {{% else %}} est la dernière branche.", offset)
        if word != "elif" and rest:
            self.say(f"{{% {word} %}} s’écrit seul, sans «\u00a0{_short(rest)}\u00a0».", rest_place)
        self.balance(before, offset)
        if word == "elif":
            self.condition(rest, offset, rest_place)
        elif word == "else":
            self.elses.add(opened_at)
        else:
            self.blocks.pop()

    def balance(self, before: tuple[str, ...], offset: int) -> None:
        """Every branch closes what it opens and nothing more: the text is then balanced in every variant."""
        after = self.html.names()
        if after == before:
            return
        if len(after) > len(before):
            name = after[-1]
            self.say(f"cette branche ouvre <{name}> sans la fermer\u00a0; ajoutez </{name}> avant.", offset)
        else:
            name = before[-1]
            self.say(f"cette branche ferme <{name}>, ouverte avant la condition.", offset)
        self.html.open = [(name, offset) for name in before]

    def loop(self, rest: str, offset: int, place: int) -> None:
        found = _FOR.match(rest)
        item, name = (found[1], found[2]) if found else ("", "")
        self.blocks.append(("for", offset, self.html.names(), item))
        if name not in VARIABLES or VARIABLES[name].item != item:
            allowed = ", ".join(f"{{% for {one} in {many} %}}" for one, many in ITEMS.items())
            self.say(f"cette boucle n’existe pas\u00a0; les boucles permises sont {allowed}.", place)
            return
        self.printed.add(name)

    def condition(self, text: str, offset: int, place: int) -> None:
        if not text:
            self.say("la condition ne dit rien\u00a0; nommez une variable après «\u00a0if\u00a0».", offset)
            return
        known = len(self.problems)
        for word in _WORD.finditer(_STRING.sub(lambda string: " " * len(string[0]), text)):
            name = word[0]
            if name not in VARIABLES and name not in ("and", "or", "not", "True", "False"):
                self.say(_unknown(name), place + word.start())
        if len(self.problems) > known:
            return
        try:
            tree = _environment.parse(f"{{% if {text} %}}{{% endif %}}")
            test = tree.body[0].test if len(tree.body) == 1 and isinstance(tree.body[0], nodes.If) else None
            for message in _wrong_tests(test):
                self.say(message, place)
            self.remember(test)
        except _FAILURES:
            self.say(f"la condition «\u00a0{_short(text)}\u00a0» est mal écrite\u00a0; {_HOW_TO_TEST}", place)

    def remember(self, test: nodes.Node | None) -> None:
        for node in _nodes_of(test):
            if isinstance(node, nodes.Name):
                self.tested.add(node.name)
            elif isinstance(node, nodes.Compare) and isinstance(node.expr, nodes.Name):
                for operand in node.ops:
                    if isinstance(operand.expr, nodes.Const) and isinstance(operand.expr.value, int):
                        self.numbers.setdefault(node.expr.name, set()).add(operand.expr.value)

    def walk_the_whole(self) -> None:
        """The last gate: what Jinja2 read is what was checked piece by piece, and nothing else."""
        try:
            tree = _environment.parse(self.body)
            for node in _nodes_of(tree):
                if not isinstance(node, _NODES):
                    self.problems.append(
                        ClauseProblem("cette écriture n’est pas permise dans une clause.", node.lineno or 0, 1)
                    )
                    return
                if isinstance(node, nodes.Name) and node.name not in VARIABLES and node.name not in ITEMS:
                    self.problems.append(ClauseProblem(_unknown(node.name), node.lineno, 1))
            _template(self.body)
        except _FAILURES:
            self.problems.append(ClauseProblem("les accolades de ce texte ne se lisent pas.", 1, 1))


_HOW_TO_TEST = (
    "écrivez par exemple {% if nombre_lots > 1 %}, {% if not date_lancement %} ou "
    '{% if niveau_integration == "intégration totale" %}.'
)


def _nodes_of(tree: nodes.Node | None) -> Iterator[nodes.Node]:
    """Every node, without recursion: a text cannot exhaust the stack."""
    waiting = [tree] if tree is not None else []
    while waiting:
        node = waiting.pop()
        yield node
        waiting.extend(node.iter_child_nodes())


def _wrong_tests(test: nodes.Node | None) -> Iterator[str]:
    """What forbids this condition: only names of the catalogue, compared with what they can be."""
    if test is None:
        yield f"la condition est mal écrite\u00a0; {_HOW_TO_TEST}"
        return
    compared: set[int] = set()
    for node in _nodes_of(test):
        if id(node) in compared:
            continue
        if isinstance(node, nodes.Compare):
            compared |= {id(child) for child in _nodes_of(node)}
            yield from _wrong_comparison(node)
        elif isinstance(node, nodes.Name):
            variable = VARIABLES.get(node.name)
            if variable is None:
                yield _unknown(node.name)
            elif variable.kind == Kind.CHOICE:
                yield f"«\u00a0{node.name}\u00a0» se compare à l’une de ses valeurs\u00a0; écrivez {variable.written}."
        elif not isinstance(node, nodes.And | nodes.Or | nodes.Not):
            yield f"la condition est mal écrite\u00a0; {_HOW_TO_TEST}"


def _wrong_comparison(node: nodes.Compare) -> Iterator[str]:
    operand = node.ops[0]
    if len(node.ops) != 1 or not isinstance(node.expr, nodes.Name) or not isinstance(operand.expr, nodes.Const):
        yield f"une comparaison met une variable à gauche et une valeur à droite\u00a0; {_HOW_TO_TEST}"
        return
    name, value = node.expr.name, operand.expr.value
    variable = VARIABLES.get(name)
    if variable is None:
        yield _unknown(name)
    elif variable.kind == Kind.CHOICE and operand.op in _CHOICE_TESTS:
        if value not in variable.values:
            yield f"«\u00a0{name}\u00a0» ne vaut jamais «\u00a0{_short(str(value))}\u00a0»\u00a0; {_values(variable)}."
    elif variable.kind == Kind.NUMBER and operand.op in _NUMBER_TESTS:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 100_000:
            yield f"«\u00a0{name}\u00a0» se compare à un nombre entier, positif et sans guillemets."
    else:
        yield f"«\u00a0{name}\u00a0» ({variable.kind}) ne se compare pas ainsi\u00a0; {_HOW_TO_TEST}"


def _values(variable: Variable) -> str:
    return "ses valeurs sont " + ", ".join(f"«\u00a0{value}\u00a0»" for value in variable.values)


def _unknown(name: str) -> str:
    near = difflib.get_close_matches(name[:60], [*VARIABLES, *ITEMS], n=1)
    hint = (
        f"\u00a0; vouliez-vous écrire «\u00a0{near[0]}\u00a0»\u00a0?"
        if near
        else "\u00a0; voyez la liste des variables."
    )
    return f"la variable «\u00a0{_short(name)}\u00a0» n’existe pas{hint}"


def _why_not_a_name(text: str) -> str:
    if "|" in text:
        return "aucun filtre n’est permis."
    if "(" in text:
        return "aucun calcul ni appel n’est permis."
    if "." in text or "[" in text:
        return "une variable se nomme seule, sans point ni crochet."
    return "écrivez le nom d’une variable de la liste, en minuscules et sans accent."


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= 60 else text[:59] + "…"


def _count(number: int) -> str:
    """« 20 000 »."""
    return f"{number:,}".replace(",", "\u202f")
