"""Reference data: the communes and EPCI of France."""

from members.reference.territories import (
    Commune,
    Epci,
    commune_by_insee_code,
    communes,
    epci_by_siren,
    epcis,
    find_communes,
    find_epcis,
)

__all__ = [
    "Commune",
    "Epci",
    "commune_by_insee_code",
    "communes",
    "epci_by_siren",
    "epcis",
    "find_communes",
    "find_epcis",
]
