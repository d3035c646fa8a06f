"""The grouping a command is about: a reference, and its coordinator when two bear it."""

from django.core.management.base import CommandError
from django.db.models import QuerySet

from groupings.models import Grouping


def find_grouping(
    reference: str, coordinator: str | None = None, *, among: QuerySet[Grouping] | None = None
) -> Grouping:
    """The one grouping of that reference, of that coordinator (SIREN, spaces or not) when it is given.

    Raises CommandError when there is none, and when there are several, naming their coordinators.
    """
    groupings = Grouping.objects.all() if among is None else among
    found = groupings.filter(reference=reference).select_related("coordinator").order_by("coordinator__siren")
    of_whom = ""
    if coordinator:
        found = found.filter(coordinator__siren="".join(coordinator.split()))
        of_whom = f" pour le coordonnateur {coordinator}"
    match list(found):
        case [grouping]:
            return grouping
        case []:
            raise CommandError(f"Aucun groupement ne porte la référence {reference}{of_whom}.")
        case several:
            names = ", ".join(f"{item.coordinator.siren} ({item.coordinator.name})" for item in several)
            raise CommandError(
                f"La référence {reference} est celle de plusieurs coordonnateurs\u00a0: ajoutez --coordinator SIREN, "
                f"parmi {names}."
            )
