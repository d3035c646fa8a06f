"""Clauses for tests: a library with a published version and a draft, and the smallest right or wrong texts."""

from dataclasses import replace
from datetime import UTC, datetime

from groupings.clauses.articles import ClauseText, Texts, shipped_texts
from groupings.models import ClauseDraft, ClauseVersion
from members.models import Organisation

NOW = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)


def shipped(key: str) -> ClauseText:
    return next(text for text in shipped_texts() if text.key == key)


def with_body(key: str, body: str) -> Texts:
    """The shipped text with another article ``key``."""
    return tuple(replace(text, body=body) if text.key == key else text for text in shipped_texts())


def make_version(territory: Organisation, text: ClauseText, **fields) -> ClauseVersion:
    defaults = {"note": "Motif", "published_at": NOW, "published_by": "Camille Durand"}
    return ClauseVersion.objects.create(
        territory=territory,
        key=text.key,
        number=text.version,
        title=text.title,
        body=text.body,
        sha256=text.sha256,
        **(defaults | fields),
    )


def make_library(territory: Organisation, marker: str) -> None:
    """Two versions of article 11 and its draft, each holding ``marker``."""
    first = shipped("responsabilite")
    make_version(territory, first)
    body = first.body + f"<p>{marker}</p>\n"
    second = replace(first, title=f"Responsabilité {marker}", body=body, version=2)
    make_version(territory, second, note=f"Motif {marker}", published_by=f"Juriste {marker}")
    ClauseDraft.objects.create(
        territory=territory,
        key="responsabilite",
        title=f"Projet {marker}",
        body=body + f"<p>Projet {marker}</p>\n",
        saved_at=NOW,
        saved_by=f"Juriste {marker}",
    )
