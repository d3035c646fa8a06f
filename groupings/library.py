"""Reading the clause library: the text in force in a territory, and the text a convention was made from.

A territory that has never published anything reads the shipped text as its version 1; the rows are written with the
first act that needs them (``actions.clauses.library_open``), since a page that is read writes nothing.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import OuterRef, Q, QuerySet, Subquery

from groupings.clauses.articles import ARTICLES, ClauseText, Texts, shipped_texts
from groupings.models import ClauseDraft, ClauseVersion, Convention
from members.models import Organisation


def latest_versions(territory_id: int) -> dict[str, ClauseVersion]:
    """The published version of each article of a territory, by key; those never written are absent."""
    newest = ClauseVersion.objects.filter(territory=OuterRef("territory"), key=OuterRef("key")).order_by("-number")
    rows = ClauseVersion.objects.filter(territory_id=territory_id, number=Subquery(newest.values("number")[:1]))
    return {row.key: row for row in rows}


def published_texts(territory_id: int) -> Texts:
    """The text in force: the last published version of each article, the shipped one where there is none."""
    rows = latest_versions(territory_id)
    return tuple(rows[text.key].text if text.key in rows else text for text in shipped_texts())


def published_text(territory_id: int, key: str) -> ClauseText:
    """The version in force of one article."""
    return version_text(territory_id, key, None)


def version_text(territory_id: int, key: str, number: int | None) -> ClauseText:
    """One version of one article, the last when ``number`` is None. Raises LookupError when it does not exist."""
    rows = ClauseVersion.objects.filter(territory_id=territory_id, key=key)
    row = rows.order_by("-number").first() if number is None else rows.filter(number=number).first()
    if row is not None:
        return row.text
    if number in (None, 1) and key in ARTICLES:
        return next(text for text in shipped_texts() if text.key == key)
    raise LookupError(f"Il n’existe pas de version {number} de cet article.")


def texts_of(convention: Convention) -> Texts:
    """The articles ``convention`` was made from, whatever has been published since.

    Raises ValueError when a stored text is not the one the convention was frozen with.
    """
    frozen = {row["key"]: row for row in convention.clauses}
    territory_id = convention.grouping.territory_id
    wanted = {(key, frozen[key]["version"] if key in frozen else 1) for key in ARTICLES}
    rows = ClauseVersion.objects.filter(territory_id=territory_id, number__in={number for _, number in wanted})
    kept = {(row.key, row.number): row for row in rows}
    texts = []
    for shipped in shipped_texts():
        number = frozen[shipped.key]["version"] if shipped.key in frozen else 1
        row = kept.get((shipped.key, number))
        text = row.text if row is not None else shipped
        if shipped.key in frozen and text.sha256 != frozen[shipped.key]["sha256"]:
            raise ValueError(f"{text.heading}\u00a0: le texte de la version {number} a changé depuis la convention.")
        texts.append(text)
    return tuple(texts)


def frozen_clauses(texts: Iterable[ClauseText]) -> list[dict]:
    """``texts`` as a convention keeps them: enough to find each again and to prove that it is the same."""
    return [{"key": t.key, "title": t.title, "version": t.version, "sha256": t.sha256} for t in texts]


def conventions_using(key: str, number: int, affiliation) -> list[Convention]:
    """The conventions of the perimeter made from that version, the latest first; the current ones and the replaced."""
    visible = Convention.objects.visible_to(affiliation).filter(
        grouping__coordinator__in=_territory(affiliation.territory_id)
    )
    rows = visible.select_related("grouping").defer("values").order_by("-frozen_at", "-pk")
    return [row for row in rows if _uses(row, key, number)]


def _territory(territory_id: int) -> QuerySet:
    return Organisation.objects.filter(Q(pk=territory_id) | Q(territory_id=territory_id))


def _uses(convention: Convention, key: str, number: int) -> bool:
    return next((row["version"] for row in convention.clauses if row["key"] == key), 1) == number


@dataclass(frozen=True, slots=True)
class Shelf:
    """One article as the list shows it."""

    text: ClauseText
    version: ClauseVersion | None
    draft: ClauseDraft | None


def shelves(territory_id: int) -> list[Shelf]:
    """Every article of the library in order, in two queries."""
    rows = latest_versions(territory_id)
    drafts = {draft.key: draft for draft in ClauseDraft.objects.filter(territory_id=territory_id)}
    return [
        Shelf(rows[text.key].text if text.key in rows else text, rows.get(text.key), drafts.get(text.key))
        for text in shipped_texts()
    ]
