"""Asking for a report of the gains, and making its file as a job."""

import hashlib
import io
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from members.models import Organisation
from members.roles import require
from procurement.core.actors import SystemActor
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.jobs import runner
from procurement.core.jobs.models import Job
from procurement.core.journal.record import record
from procurement.core.uploads import write_aside_and_move
from savings.models import LedgerEntry, SavingsReportFile
from savings.models.report import report_path
from savings.reports.asked import Asked
from savings.reports.data import SavingsReport, build_report
from savings.reports.lines import last_entry
from savings.reports.render import FORMATS, report_name, write_report

JOB_KIND = "savings.report"
_ITEM = "report"


def require_reports(actor) -> None:
    """Raise NotAllowed for others than the people of the territory's head."""
    require(actor, "export")
    if not actor.sees_whole_territory:
        raise NotAllowed("Les rapports du territoire sont ceux du coordonnateur.")


def report_request(*, asked: Asked, file_format: str, actor, now: datetime) -> Job:
    """Ask for the report of the actor's territory as a job. Asked twice while running: one job.

    Raises NotAllowed for others than the people of the territory's head, BusinessError for a year with nothing at that
    stage. The figures are those of now: what is posted while the job waits is not in it.
    """
    require_reports(actor)
    territory = Organisation.objects.get(pk=actor.territory_id)
    if file_format not in FORMATS:
        raise BusinessError("Choisissez un format.", field="format")
    through = last_entry(territory.pk)
    if not LedgerEntry.objects.filter(
        territory=territory, year=asked.year, stage=asked.stage, pk__lte=through
    ).exists():
        raise BusinessError(
            f"Aucun gain validé en {asked.year} au stade «\u00a0{asked.stage_label}\u00a0»\u00a0: il n’y a pas de "
            "rapport à faire.",
            field="year",
        )
    by = ",".join(asked.by)
    with transaction.atomic():
        return runner.enqueue(
            kind=JOB_KIND,
            label=f"Rapport des gains {asked.year}, stade {asked.stage_label.lower()}, {file_format.upper()}",
            actor=actor,
            organisation_id=actor.organisation_id,
            parameters={
                "territory": territory.pk,
                "year": asked.year,
                "stage": asked.stage,
                "by": by,
                "format": file_format,
                "through": through,
                "made_at": now.isoformat(),
                "made_by": actor.user_id,
                "made_label": actor.actor_label[:200],
            },
            dedupe_key=f"{JOB_KIND}:{asked.year}:{asked.stage}:{by}:{file_format}",
        )


@dataclass(frozen=True)
class Made:
    report: SavingsReport
    content: bytes


@runner.register(JOB_KIND)
class ReportJob:
    """One file. The same figures and the same instant give the same bytes, whichever worker makes it."""

    def items(self, job: Job) -> list[str]:
        return [_ITEM]

    def begin(self, job: Job, pending: list[str]) -> Organisation:
        return Organisation.objects.get(pk=job.parameters["territory"])

    def make(self, job: Job, shared: Organisation, key: str) -> Made:
        asked, wanted = _asked(job), job.parameters
        made_at = datetime.fromisoformat(wanted["made_at"])
        out = io.BytesIO()
        with runner.kept_alive(job):  # a hundred thousand lines take a minute or two
            report = build_report(asked, territory=shared, made_at=made_at, through=wanted["through"])
            write_report(report, wanted["format"], out)
        return Made(report, out.getvalue())

    def keep(self, job: Job, shared: Organisation, key: str, made: Made) -> None:
        store_report(job, made.report, made.content)

    def finish(self, job: Job, shared: Organisation) -> str:
        kept = SavingsReportFile.objects.filter(job=job).first()
        return "Rapport produit." if kept is None else f"{kept.filename} est prêt."


def store_report(job: Job, report: SavingsReport, content: bytes) -> SavingsReportFile:
    """Keep the bytes, their SHA-256 and where the figures came from, and journal it."""
    wanted = job.parameters
    name = report_name(report.asked, wanted["format"])
    kept = SavingsReportFile(
        territory_id=report.territory_id,
        job=job,
        job_key=str(job.pk),
        year=report.asked.year,
        stage=report.asked.stage,
        by=wanted["by"],
        format=wanted["format"],
        lock_sha256=report.lock.sha256 if report.lock else "",
        line_count=report.totals.lines,
        budget_gain=report.totals.budget_gain,
        filename=name,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        made_at=report.made_at,
        made_by_id=wanted["made_by"],
        made_label=wanted["made_label"],
    )
    kept.file.name = write_aside_and_move(report_path(kept, name), content)
    kept.full_clean()
    kept.save()
    record(
        actor=SystemActor(wanted["made_label"], user_id=wanted["made_by"], organisation_id=job.organisation_id),
        territory_id=report.territory_id,
        thread=f"savings:{report.territory_id}",
        concerns_id=report.territory_id,
        verb="report.make",
        sentence=f"Rapport {name} produit, {report.provenance[:1].lower()}{report.provenance[1:]}",
        after={"sha256": kept.sha256, "size": kept.size, "lock_sha256": kept.lock_sha256},
    )
    return kept


def _asked(job: Job) -> Asked:
    return Asked(job.parameters["year"], job.parameters["stage"], tuple(job.parameters["by"].split(",")))
