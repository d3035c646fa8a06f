"""The articles of a convention, one by one: what an amendment compares."""

import html
import re
from dataclasses import dataclass

from groupings.clauses.articles import Texts
from groupings.conventions import render
from groupings.conventions.values import ConventionValues

_PARAGRAPH = re.compile(r"<(p|li|h3|th|td)>(.*?)</\1>", re.DOTALL)
_NUMBER = re.compile(r"\s*<b>(\d+\.\d+)</b>\s*")
_TAG = re.compile(r"<[^>]+>")


@dataclass(frozen=True)
class Article:
    """``body`` is the closed HTML of its clause; every value in it is escaped."""

    number: int
    title: str
    body: str

    @property
    def lines(self) -> list[tuple[str, str]]:
        """Each paragraph as (number or empty, plain text), in order: what a screen prints and escapes itself."""
        found = []
        for content in _PARAGRAPH.findall(self.body):
            match = _NUMBER.match(content)
            found.append((match[1] if match else "", _text(content[match.end() :] if match else content)))
        return found

    @property
    def paragraphs(self) -> dict[str, str]:
        """The plain text of each numbered paragraph, « 2.1 » → text; the items of a list belong to the one before."""
        found: dict[str, str] = {}
<<<<<<< HEAD
        number = str(self.number)
        for _, content in _PARAGRAPH.findall(self.body):
            if match := _NUMBER.match(content):
                number, content = match[1], content[match.end() :]
            text = re.sub(r"[ \n\t]+", " ", html.unescape(_TAG.sub("", content))).strip()
            found[number] = f"{found[number]} {text}" if number in found else text
        return found


def articles_of(values: ConventionValues, texts: Texts) -> list[Article]:
    """Every article of the convention these values and texts make, in order."""
    return [Article(t.article.number, t.title, render.article_html(values, t)) for t in texts if t.article.number]
=======
        last = str(self.number)
        for number, text in self.lines:
            last = number or last
            found[last] = f"{found[last]} {text}" if last in found else text
        return found


def _text(content: str) -> str:
    return re.sub(r"[ \n\t]+", " ", html.unescape(_TAG.sub("", content))).strip()


def articles_of(values: ConventionValues) -> list[Article]:
    """Every article of the convention these values make, in order."""
    context = render._context(values)
    folder = Path(settings.BASE_DIR) / "templates" / "conventions"
    found = []
    for path in sorted(folder.glob("article_*.html")):
        whole = pdf.template_html(f"conventions/{path.name}", context)
        heading = _HEADING.search(whole)
        if heading is not None:
            found.append(Article(int(heading[1]), html.unescape(heading[2]), whole[heading.end() :].strip()))
    return found
>>>>>>> k-amendments
