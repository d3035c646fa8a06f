"""What another package has to tell on the first screen: groupings never imports savings, which gives its provider when
the applications are ready."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from members.models import Affiliation


@dataclass(frozen=True)
class Notice:
    """One thing waiting for the reader: a French sentence, and the one button that leads there."""

    sentence: str
    url: str
    label: str
    icon: str = "list-check"


Provider = Callable[[Affiliation, date], list[Notice]]
_providers: list[Provider] = []


def provide(provider: Provider) -> None:
    """Register one who tells; called once, from ``AppConfig.ready``."""
    if provider not in _providers:
        _providers.append(provider)


def notices(affiliation: Affiliation, today: date) -> list[Notice]:
    """What waits for ``affiliation``, in the order the packages registered."""
    return [notice for provider in _providers for notice in provider(affiliation, today)]
