"""When an act becomes enforceable."""

from datetime import date


def executory_on(published_on: date | None, received_on: date | None) -> date | None:
    """The day an act is enforceable: published **and** received by the préfet, whichever comes last.

    None while one of the two is missing: publishing alone is not enough (CGCT, L2131-1, since 01/07/2022; L2131-12 for
    the CCAS, L5211-3 for the EPCI).
    """
    if published_on is None or received_on is None:
        return None
    return max(published_on, received_on)
