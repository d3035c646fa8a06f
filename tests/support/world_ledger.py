"""The ledger of one territory, for the tests that walk through every address: its lines, its locks, its report."""

import hashlib
from datetime import date

from django.core.files.base import ContentFile
from django.utils import timezone
from djmoney.money import Money

from groupings.models import (
    Award,
    Meeting,
    Membership,
)
from members.models import Organisation
from savings.models import (
    AnnualSheet,
    CoordinationCost,
    OffContractSpend,
    SavingsReportFile,
    YearLock,
)
from tests.support.savings import make_baseline, make_line


def make_ledger(marker: str, membership: Membership, award: Award) -> dict:
    """What the commune's contract brought: one validated line, one submitted, and what is told beside."""
    grouping, lot = membership.grouping, award.lot
    metropole = grouping.coordinator
    baseline = make_baseline(
        membership, lot, "1.50", "1000", designation=f"Gazole {marker}", source=f"marché {marker}", unit="litre"
    )
    line = make_line(baseline, "1.25", starts_on=date(2026, 6, 1), months=48, comment=f"Commentaire {marker}")
    other = make_baseline(membership, lot, "2.00", "10", designation=f"Additif {marker}")
    return {
        "baseline": baseline,
        "line": line,
        "submitted_line": make_line(other, "1.80", status="SUBMITTED", starts_on=date(2026, 6, 1), months=48),
        "meeting": Meeting.objects.create(
            grouping=grouping, held_on=date(2026, 6, 9), subject=f"Réunion {marker}", notes=f"Relevé {marker}"
        ),
        "off_contract": OffContractSpend.objects.create(
            lot=lot,
            membership=membership,
            year=2026,
            amount_excl_tax=Money("50.00", "EUR"),
            source=f"mandats {marker}",
            entered_label=f"Acheteur {marker}",
        ),
        "cost": CoordinationCost.objects.create(
            grouping=grouping,
            year=2026,
            label=f"Annonce {marker}",
            amount_excl_tax=Money("90.00", "EUR"),
            entered_label=f"Acheteur {marker}",
        ),
        # A year of its own for each world: the address of the one's sheet is that of nothing for the other.
        "sheet": AnnualSheet.objects.create(
            territory=metropole, year=2026 - AnnualSheet.objects.count(), texts={"strengths": f"Points {marker}"}
        ),
        "report": make_report(marker, metropole),
        "lock": YearLock.objects.create(
            territory=metropole,
            year=2025,
            sha256="0" * 64,
            entry_count=0,
            totals={},
            locked_at=timezone.now(),
            locked_label=f"Finances {marker}",
        ),
    }


def make_report(marker: str, metropole: Organisation) -> SavingsReportFile:
    """A report kept, whose content holds ``marker``."""
    content = f"ligne;{marker}".encode()
    report = SavingsReportFile(
        territory=metropole,
        job_key=f"job {marker}",
        year=2026,
        stage="AWARDED",
        by="grouping",
        format="csv",
        line_count=1,
        budget_gain="250.00",
        filename="gains_2026_notifie.csv",
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        made_at=timezone.now(),
        made_label=f"Finances {marker}",
    )
    report.file.save(report.filename, ContentFile(content))
    return report
