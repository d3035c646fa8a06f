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
class PrintedArticle:
    """``body`` is the closed HTML of its clause; every value in it is escaped."""

    number: int
    title: str
    body: str

    @property
    def paragraphs(self) -> dict[str, str]:
        """The plain text of each numbered paragraph, « 2.1 » → text; the items of a list belong to the one before."""
        found: dict[str, str] = {}
        number = str(self.number)
        for _, content in _PARAGRAPH.findall(self.body):
            if match := _NUMBER.match(content):
                number, content = match[1], content[match.end() :]
            text = re.sub(r"[ \n\t]+", " ", html.unescape(_TAG.sub("", content))).strip()
            found[number] = f"{found[number]} {text}" if number in found else text
        return found


def printed_articles(values: ConventionValues, texts: Texts) -> list[PrintedArticle]:
    """Every article of the convention these values and texts make, in order."""
    return [
        PrintedArticle(t.article.number, t.title, render.article_html(values, t)) for t in texts if t.article.number
    ]
