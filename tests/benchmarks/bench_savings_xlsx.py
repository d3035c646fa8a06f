"""A year's report as a workbook, 10,000 then 100,000 lines: seconds, and megabytes that do not follow the lines.

``python -m tests.benchmarks.bench_savings_xlsx [ROUNDS]``. Each size is a process of its own on one core: a database
filled first by another process, then the command, and nothing else.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date
from decimal import Decimal
from pathlib import Path

SIZES = (10_000, 100_000)
MEMBERS, LOTS = 31, 6
#: What a hundred thousand lines may take on top of ten thousand, in MB: buffers, not lines.
WANTED_GROWTH = 20


def say(line: str = "") -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--prepare"]:
        prepare(int(arguments[1]))
        return 0
    if arguments[:1] == ["--contender"]:
        say(json.dumps(run_one()))
        return 0
    rounds = int(arguments[0]) if arguments else 3
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    say(f"Rapport XLSX : {MEMBERS} membres, {LOTS} lots, {rounds} tours, un cœur.")
    peaks = {}
    for size in SIZES:
        with tempfile.TemporaryDirectory() as folder:
            in_a_process(folder, "--prepare", str(size))
            results = [json.loads(in_a_process(folder, "--contender")) for _ in range(rounds)]
        peaks[size] = max(result["megabytes"] for result in results)
        seconds = statistics.median(result["seconds"] for result in results)
        cpu = statistics.median(result["cpu"] for result in results)
        say(
            f"  {size} lignes : {seconds:.1f} s à l’horloge, {cpu:.1f} s de processeur, {peaks[size]:.0f} Mo, dont "
            f"{peaks[size] - results[0]['before']:.0f} pour le rapport ; fichier de {results[0]['file']:.1f} Mo"
        )
    growth = peaks[SIZES[1]] - peaks[SIZES[0]]
    holds = growth <= WANTED_GROWTH
    say(f"Dix fois plus de lignes : {growth:+.0f} Mo. Mémoire {'constante' if holds else 'NON CONSTANTE'}.")
    return 0 if holds else 1


def in_a_process(folder: str, *arguments: str) -> str:
    command = [sys.executable, "-m", "tests.benchmarks.bench_savings_xlsx", *arguments]
    finished = subprocess.run(
        command, capture_output=True, text=True, timeout=1800, env=os.environ | {"DATA_DIR": folder}
    )
    if finished.returncode:
        raise SystemExit(finished.stderr)
    return (finished.stdout.splitlines() or [""])[-1]


def setup() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "procurement.settings")
    import django

    django.setup()


def run_one() -> dict:
    setup()
    from django.core.management import call_command

    out = Path(os.environ["DATA_DIR"], "gains.xlsx")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    wall, cpu = time.perf_counter(), time.process_time()
    call_command("savings_report", year=2026, by="grouping,member", format="xlsx", out=out, verbosity=0)
    return {
        "seconds": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "before": before,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "file": out.stat().st_size / 1024**2,
    }


def prepare(size: int) -> None:
    """``size`` validated lines of one year, in chunks."""
    setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from django.utils import timezone

    from savings.models import Baseline, LedgerEntry, PriceLine
    from tests.support.factories import make_grouping, make_lot, make_membership, make_metropole, make_organisation
    from tests.support.savings import make_evidence

    metropole = make_metropole()
    grouping = make_grouping(metropole, opened_on=date(2025, 1, 6))
    lots = [make_lot(grouping, number) for number in range(1, LOTS + 1)]
    bodies = [make_organisation(parent=metropole) for _ in range(MEMBERS)]
    members = [make_membership(grouping, body) for body in bodies]
    proofs = {member.pk: make_evidence(member) for member in members}
    now, who = timezone.now(), "Camille Durand"
    for first in range(0, size, 5000):
        baselines = Baseline.objects.bulk_create(
            Baseline(
                lot=lots[number % LOTS],
                membership=members[number % MEMBERS],
                designation=f"Article {number} du bordereau, conditionnement de {number % 12 + 1}",
                unit="unité",
                quantity=Decimal(number % 900 + 1),
                price_before=Decimal("4.80"),
                method="HISTORIC_PRICE",
                grade="A",
                evidence=proofs[members[number % MEMBERS].pk],
                entered_label=who,
                frozen_at=now,
                frozen_label=who,
                confirmed_at=now,
                confirmed_label=who,
            )
            for number in range(first, min(first + 5000, size))
        )
        lines = PriceLine.objects.bulk_create(
            PriceLine(
                baseline=baseline,
                stage="AWARDED",
                quantity=baseline.quantity,
                price_before=Decimal("4.80"),
                price_obtained=Decimal("3.60"),
                starts_on=date(2026, 1, 1),
                months=12,
                baseline_budget=baseline.quantity * Decimal("4.80"),
                baseline_purchase=baseline.quantity * Decimal("4.80"),
                obtained=baseline.quantity * Decimal("3.60"),
                budget_gain=baseline.quantity * Decimal("1.20"),
                purchase_gain=baseline.quantity * Decimal("1.20"),
                status="VALIDATED",
                entered_label=who,
                submitted_at=now,
                submitted_label=who,
                decided_at=now,
                decided_label="Jean Martin",
            )
            for baseline in baselines
        )
        LedgerEntry.objects.bulk_create(
            LedgerEntry(
                line=line,
                territory=metropole,
                grouping=grouping,
                lot=line.baseline.lot,
                membership=line.baseline.membership,
                organisation=line.baseline.membership.organisation,
                family="30",
                stage="AWARDED",
                grade="A",
                is_one_off=False,
                year=2026,
                origin_year=2026,
                months=12,
                baseline_budget_cents=int(line.quantity) * 480,
                baseline_purchase_cents=int(line.quantity) * 480,
                obtained_cents=int(line.quantity) * 360,
                budget_gain_cents=int(line.quantity) * 120,
                purchase_gain_cents=int(line.quantity) * 120,
            )
            for line in lines
        )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
