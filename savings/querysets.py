"""The one gate of reading in the ledger.

The coordinator's people see every line of their territory. A member's people see their own reference prices (they
confirm them) and their own lines once validated: a price hoped for is the buyer's, and a neighbour's its own.
"""

from django.db import models
from django.db.models import Q

from groupings.querysets import coordinated_by, own_rows, visible_groupings


def _of_membership(prefix: str, affiliation) -> Q:
    """Rows whose membership is at ``prefix``: the reader's own, or all for the coordinator's people."""
    grouping = f"{prefix}grouping__"
    return visible_groupings(grouping, affiliation) & own_rows(f"{prefix}organisation_id", grouping, affiliation)


class BaselineQuerySet(models.QuerySet):
    def visible_to(self, affiliation) -> "BaselineQuerySet":
        return self.filter(_of_membership("membership__", affiliation))

    def current(self) -> "BaselineQuerySet":
        """Without those that another one replaces."""
        return self.filter(is_replaced=False)

    def to_confirm(self) -> "BaselineQuerySet":
        """Frozen, and waiting for the click of their member."""
        return self.current().filter(frozen_at__isnull=False, confirmed_at__isnull=True, objection="")


class PriceLineQuerySet(models.QuerySet):
    """A validated line is immutable in bulk too, ``is_superseded`` apart: its correction, once validated, writes it."""

    def update(self, **kwargs):
        if set(kwargs) - {"is_superseded"} and self._has_validated():
            raise TypeError("Une ligne validée ne change plus\u00a0: une correction est une nouvelle ligne.")
        return super().update(**kwargs)

    update.alters_data = True

    def delete(self):
        if self._has_validated():
            raise TypeError("Une ligne validée ne se supprime pas.")
        return super().delete()

    delete.alters_data = True
    delete.queryset_only = True  # never ``PriceLine.objects.delete()``

    def _has_validated(self) -> bool:
        return self.model._base_manager.filter(pk__in=self.order_by().values("pk"), status="VALIDATED").exists()

    def visible_to(self, affiliation) -> "PriceLineQuerySet":
        visible = self.filter(_of_membership("baseline__membership__", affiliation))
        if affiliation is None or affiliation.sees_whole_territory:
            return visible
        return visible.filter(Q(status="VALIDATED") | coordinated_by("baseline__membership__grouping__", affiliation))

    def current(self) -> "PriceLineQuerySet":
        """Without those a validated correction stands for, nor those finance rejected."""
        return self.filter(is_superseded=False).exclude(status="REJECTED")

    def validated(self) -> "PriceLineQuerySet":
        return self.filter(status="VALIDATED")

    def awaiting_finance(self) -> "PriceLineQuerySet":
        return self.filter(status="SUBMITTED")


class LedgerEntryQuerySet(models.QuerySet):
    """Append-only: an entry is posted once, and reversed by another one."""

    def visible_to(self, affiliation) -> "LedgerEntryQuerySet":
        return self.filter(_of_membership("membership__", affiliation))

    def update(self, **kwargs):
        raise TypeError("Une écriture du registre ne se modifie pas.")

    update.alters_data = True

    def delete(self):
        raise TypeError("Une écriture du registre ne se supprime pas.")

    delete.alters_data = True
    delete.queryset_only = True


class OfTerritoryQuerySet(models.QuerySet):
    """Rows of a whole territory, for the people of the body at its head alone: locks, annual sheets."""

    def visible_to(self, affiliation) -> "OfTerritoryQuerySet":
        if affiliation is None or not affiliation.sees_whole_territory:
            return self.none()
        return self.filter(territory_id=affiliation.territory_id)
