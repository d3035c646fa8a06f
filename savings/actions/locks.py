"""Closing a budget year: from then on nothing is posted in it, and its fingerprint says that nothing changed."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from members.models import Organisation
from members.roles import require
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.record import save_recorded
from savings.models import LedgerEntry, YearLock
from savings.year_facts import year_facts

FIRST_YEAR = 2000


def lock_territory(territory_id: int) -> Organisation:
    """The row every posting and every lock takes first: nothing is posted in a year while it is being closed."""
    return Organisation.objects.select_for_update().get(pk=territory_id)


def year_lock(*, territory: Organisation, year: int, actor: Actor, now: datetime) -> YearLock:
    """Close ``year`` for that territory, with the fingerprint of all its entries.

    Raises NotAllowed for others than its finance people; BusinessError for a year not begun, already locked, or while
    an earlier year that has entries is still open: years close in order, so that what is corrected later always counts
    after everything that is closed.
    """
    require(actor, "savings.validate", organisation_id=territory.pk)
    if year > timezone.localtime(now).year:
        raise BusinessError(f"L’exercice {year} n’a pas commencé\u00a0: il ne se verrouille pas.")
    if year < FIRST_YEAR:
        raise BusinessError(f"{year} n’est pas un exercice du registre.")
    with transaction.atomic():
        lock_territory(territory.pk)
        former = YearLock.objects.filter(territory=territory, year=year).first()
        if former is not None:
            raise BusinessError(
                f"L’exercice {year} est déjà verrouillé, le {timezone.localtime(former.locked_at):%d/%m/%Y} par "
                f"{former.locked_label}."
            )
        if earlier := open_years_before(territory.pk, year):
            raise BusinessError(f"Verrouillez d’abord l’exercice {earlier[0]}, qui a des écritures.")
        facts = year_facts(territory.pk, year)
        lock = YearLock(
            territory=territory,
            year=year,
            sha256=facts.sha256,
            entry_count=facts.entry_count,
            totals=facts.totals,
            locked_at=now,
            locked_by_id=actor.user_id,
            locked_label=actor.actor_label[:200],
        )
        s = "s" if facts.entry_count > 1 else ""
        save_recorded(
            lock,
            actor=actor,
            verb="year.lock",
            sentence=f"Exercice {year} verrouillé\u00a0: {facts.entry_count} écriture{s}, empreinte {lock.sha256[:12]}",
        )
    return lock


def open_years_before(territory_id: int, year: int) -> list[int]:
    """The earlier years that have entries and no lock, in order."""
    locked = YearLock.objects.filter(territory_id=territory_id).values("year")
    entries = LedgerEntry.objects.filter(territory_id=territory_id, year__lt=year).exclude(year__in=locked)
    return list(entries.order_by("year").values_list("year", flat=True).distinct())
