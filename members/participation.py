"""What a body takes part in, told to its page by the package that knows: members never imports groupings.

``groupings`` gives its provider when the applications are ready; without it, a body takes part in nothing.
"""

from dataclasses import dataclass
from typing import Protocol

from django.db.models import IntegerField, QuerySet, Value

from members.models import Affiliation, Organisation


@dataclass(frozen=True)
class Participation:
    """One line of a body's page. ``badge`` has ``word``, ``tone`` and ``icon``; ``detail`` is a short French text."""

    title: str
    url: str
    badge: object
    detail: str = ""


class Provider(Protocol):
    """Answers inside the perimeter of the affiliation that reads, and only there."""

    def counted(self, organisations: QuerySet[Organisation], affiliation: Affiliation | None) -> QuerySet[Organisation]:
        """Adds ``grouping_count``: the groupings each body takes part in, among those the reader may see."""

    def of(self, organisation: Organisation, affiliation: Affiliation | None) -> list[Participation]:
        """The groupings the body takes part in, among those the reader may see, the latest first."""


class _Nothing:
    def counted(self, organisations, affiliation):
        return organisations.annotate(grouping_count=Value(0, output_field=IntegerField()))

    def of(self, organisation, affiliation):
        return []


_provider: Provider = _Nothing()


def provide(provider: Provider) -> None:
    """Register who answers; called once, from ``AppConfig.ready``."""
    global _provider
    _provider = provider


def counted(organisations: QuerySet[Organisation], affiliation: Affiliation | None) -> QuerySet[Organisation]:
    """``organisations`` with ``grouping_count``."""
    return _provider.counted(organisations, affiliation)


def participations(organisation: Organisation, affiliation: Affiliation | None) -> list[Participation]:
    """What ``organisation`` takes part in and ``affiliation`` may see."""
    return _provider.of(organisation, affiliation)
