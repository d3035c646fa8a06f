"""A rendered clause in a document or on a page: read again by the closed HTML, then set; nothing else is marked."""

from django import template
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from groupings.clauses.markup import pieces

register = template.Library()


@register.filter
def clause_layout(rendered: str) -> SafeString:
    """As the documents set it: dashes and numbers in the text itself, ruled tables, « Vu » paragraphs close together.

    Raises ValueError for anything but the closed HTML.
    """
    out: list[str] = []
    numbers: list[int] = []  # one per open list: 0 for dashes
    for mark, words in pieces(rendered):
        if mark in ("<ul>", "<ol>"):
            numbers.append(1 if mark == "<ol>" else 0)
        elif mark in ("</ul>", "</ol>"):
            numbers.pop()
        elif mark == "<li>":
            out.append(f'<p class="item">{f"{numbers[-1]}°" if numbers[-1] else "–"} ')
            numbers[-1] += bool(numbers[-1])
        elif mark == "</li>":
            out.append("</p>")
        elif mark == "<table>":
            out.append('<table class="grid">')
        elif mark:
            out.append(mark)
        elif out and out[-1] == "<p>" and words.startswith("Vu "):
            out[-1] = '<p class="visa">'
            out.append(escape(words))
        else:
            out.append(escape(words))
    return mark_safe("".join(out))


@register.filter
def clause_screen(rendered: str) -> SafeString:
    """As a page shows it, under the article's own h2: real lists, tables of the product."""
    table = '<table class="table table-bordered">'
    return mark_safe(
        "".join((table if mark == "<table>" else mark) or escape(words) for mark, words in pieces(rendered))
    )
