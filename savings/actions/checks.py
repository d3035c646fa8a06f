"""The checks of one night: what does not hold is logged, and told once a day to the finance people of its territory."""

import logging
from datetime import date, datetime

from django.db import transaction

from groupings import mailing
from members.models import Affiliation, Organisation
from members.roles import Role
from procurement.core.mail.sending import queue
from savings.checks import CheckReport, Scope, check_ledger
from savings.models import AnnualSheet, LedgerEntry, PriceLine, YearLock

logger = logging.getLogger(__name__)
#: Told per check in one mail; all are on the page.
TOLD = 20


def ledger_check(*, today: date, now: datetime) -> dict[int, CheckReport]:
    """Check the ledger of every territory; returns the report of each, by its number. Run twice, it mails once."""
    reports = {}
    for territory in Organisation.objects.filter(pk__in=territories()).order_by("pk"):
        try:
            reports[territory.pk] = report = check_ledger(Scope(territory.pk), keep=TOLD)
            if not report.is_coherent:
                logger.error("Registre des gains de %s\u00a0: %s incohérence(s)", territory, report.count)
                _mail(territory, report, today, now)
        except Exception:  # the other territories are checked all the same
            logger.exception("Contrôle du registre de %s", territory)
    return reports


def territories() -> set[int]:
    """Those that have something in the ledger."""
    held = set(LedgerEntry.objects.order_by().values_list("territory", flat=True).distinct())
    held |= set(YearLock.objects.order_by().values_list("territory", flat=True).distinct())
    held |= set(AnnualSheet.objects.filter(frozen_at__isnull=False).order_by().values_list("territory", flat=True))
    coordinator = "baseline__membership__grouping__coordinator"
    rows = PriceLine.objects.validated().order_by().values_list(f"{coordinator}__territory", coordinator).distinct()
    return held | {territory or body for territory, body in rows}


def _mail(territory: Organisation, report: CheckReport, today: date, now: datetime) -> None:
    people = Affiliation.objects.filter(organisation=territory, role=Role.FINANCE, user__is_active=True)
    text = mailing.text(
        "ledger_checks", territory=territory, report=report, today=today, address=mailing.absolute("ledger_checks")
    )
    s = "s" if report.count > 1 else ""
    with transaction.atomic():
        for person in people.select_related("user").order_by("pk"):
            queue(
                key=f"ledger:{territory.pk}:{today:%Y-%m-%d}:{person.user.email}",
                recipient=person.user.email,
                subject=f"Registre des gains\u00a0: {report.count} incohérence{s} à regarder",
                text=text,
                territory_id=territory.pk,
                thread=f"savings:{territory.pk}",
                now=now,
            )
