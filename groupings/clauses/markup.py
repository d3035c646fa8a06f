"""The closed HTML of a clause: twelve tags without attributes, each in its place. A text is read, never trusted.

``Reader`` follows the tags piece by piece, so that the language can check that every branch of a condition closes what
it opened. ``pieces`` reads a rendered clause again, at the very last moment, before it enters a document or a page:
whatever the language let through, nothing but these tags comes out.
"""

import html
import re
from collections.abc import Iterator

from groupings.clauses.problems import ClauseProblem, located

_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)[ ]*(/?)>")
_LOOSE_TAG = re.compile(r"</?([a-zA-Z][a-zA-Z0-9:-]*)[^<>]*>")
_BLANK = re.compile(r"\s*")
_INLINE = frozenset({"b", "i", "br"})
#: What each element may hold; "" is the article itself. A text stands only where _TEXT says.
_CHILDREN = {
    "": frozenset({"p", "h3", "ul", "ol", "table"}),
    "p": _INLINE,
    "h3": _INLINE,
    "li": _INLINE,
    "th": _INLINE,
    "td": _INLINE,
    "b": _INLINE,
    "i": _INLINE,
    "ul": frozenset({"li"}),
    "ol": frozenset({"li"}),
    "table": frozenset({"tr"}),
    "tr": frozenset({"th", "td"}),
}
_TEXT = frozenset({"p", "h3", "li", "th", "td", "b", "i"})
TAGS = "p, b, i, br, ul, ol, li, h3, table, tr, th, td"


class Reader:
    """Follows the tags of a text read in several pieces, and gathers what is wrong with them."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.open: list[tuple[str, int]] = []
        self.problems: list[ClauseProblem] = []

    def _say(self, message: str, offset: int) -> None:
        self.problems.append(located(message, self.source, offset))

    @property
    def inside(self) -> str:
        return self.open[-1][0] if self.open else ""

    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.open)

    def text(self, start: int, end: int) -> None:
        """Read source[start:end], which holds text and tags only."""
        place = start
        while place < end:
            mark = self.source.find("<", place, end)
            stop = end if mark < 0 else mark
            self.words(place, self.source[place:stop])
            if mark < 0:
                return
            tag = _TAG.match(self.source, mark, end)
            if tag is None:
                loose = _LOOSE_TAG.match(self.source, mark, end)
                self._say(_why_not_a_tag(self.source[mark:end], loose), mark)
                place = loose.end() if loose else mark + 1
                continue
            self._tag(tag, mark)
            place = tag.end()

    def words(self, start: int, text: str) -> None:
        """Words, or what a variable prints: only where words may stand."""
        if text.strip() and self.inside not in _TEXT:
            where = f"dans <{self.inside}>" if self.inside else "hors de tout paragraphe"
            self._say(
                f"il y a du texte {where}\u00a0; écrivez-le entre <p> et </p>, <li> et </li> ou <td> et </td>.",
                start + _BLANK.match(text).end(),
            )

    def _tag(self, tag: re.Match, offset: int) -> None:
        is_closing, name, is_empty = bool(tag[1]), tag[2], bool(tag[3])
        if name not in _CHILDREN and name != "br":
            self._say(f"la balise <{name}> n’est pas permise\u00a0; les balises permises sont {TAGS}.", offset)
        elif is_closing:
            self._close(name, offset)
        elif is_empty and name != "br":
            self._say(f"la balise <{name}/> ne contient rien\u00a0; écrivez <{name}> puis </{name}>.", offset)
        elif name not in _CHILDREN[self.inside]:
            where = f"dans <{self.inside}>" if self.inside else "à cet endroit"
            self._say(f"la balise <{name}> ne peut pas être placée {where}.", offset)
            if name != "br":
                self.open.append((name, offset))
        elif name != "br":
            self.open.append((name, offset))

    def _close(self, name: str, offset: int) -> None:
        if name == "br":
            self._say("la balise </br> n’existe pas\u00a0; écrivez <br>.", offset)
        elif self.inside == name:
            self.open.pop()
        elif name in self.names():
            self._say(f"la balise </{name}> ferme <{name}> alors que <{self.inside}> est encore ouverte.", offset)
            while self.open.pop()[0] != name:
                pass
        else:
            self._say(f"la balise </{name}> ne ferme aucune balise ouverte.", offset)

    def finish(self) -> None:
        """Every element must be closed."""
        for name, offset in self.open:
            self._say(f"la balise <{name}> n’est jamais fermée\u00a0; ajoutez </{name}>.", offset)


def _why_not_a_tag(text: str, loose: re.Match | None) -> str:
    if text.startswith("<!"):
        return "les commentaires <!-- … --> et les déclarations ne sont pas permis."
    if loose is None:
        return "le signe «\u00a0<\u00a0» n’ouvre aucune balise complète\u00a0; dans un texte, écrivez &lt;."
    name = loose[1].lower()
    if name in _CHILDREN or name == "br":
        return f"la balise <{name}> ne prend aucun attribut\u00a0; écrivez <{name}> seul."
    return f"la balise <{name}> n’est pas permise\u00a0; les balises permises sont {TAGS}."


def problems_of(source: str) -> list[ClauseProblem]:
    """What is wrong with a text without variables nor conditions."""
    reader = Reader(source)
    reader.text(0, len(source))
    reader.finish()
    return reader.problems


def pieces(source: str) -> Iterator[tuple[str, str]]:
    """A rendered clause as ("<p>", ""), ("</p>", ""), ("<br>", "") and ("", plain words, entities read).

    Raises ValueError for anything that is not the closed HTML: it is never printed.
    """
    if found := problems_of(source):
        raise ValueError(found[0].told("Clause"))
    place = 0
    for tag in _TAG.finditer(source):
        if words := source[place : tag.start()]:
            yield "", html.unescape(words)
        yield f"<{tag[1]}{tag[2]}>", ""
        place = tag.end()
    if words := source[place:]:
        yield "", html.unescape(words)


def plain_text(source: str) -> str:
    """The words alone, one line per block: what a person reads, for comparing and counting."""
    lines = "".join(
        words or ("\n" if mark.startswith(("</p", "</li", "</h3", "</tr", "<br")) else " " * ("td" in mark))
        for mark, words in pieces(source)
    )
    return "\n".join(" ".join(line.split()) for line in lines.splitlines() if line.strip())
