"""How long 20,000 invoice lines take to be imported, on one core, and how much memory.

    python -m tests.benchmarks.bench_consumption [ROUNDS]

31 members, 6 lots; a CSV, then the same lines in an XLSX, each in a process of its own and in an empty database of its
own; then the same CSV with 37 wrong lines, which writes nothing. The clock runs from the opened file to the committed
transaction. Exit code 0 when each takes at most 10 s and 300 MB, 1 otherwise.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

LINES, MEMBERS, LOTS, WRONG = 20_000, 31, 6, 37
WANTED_SECONDS, WANTED_MEGABYTES = 10, 300
LABELS = {"csv": "CSV", "xlsx": "XLSX", "wrong": f"CSV, {WRONG} lignes fausses"}
TODAY = date(2026, 11, 28)


def say(line: str = "") -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--contender"]:
        say(json.dumps(run_one(arguments[1])))
        return 0
    rounds = int(arguments[0]) if arguments else 3
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    say(f"Consommation : {LINES} lignes, {MEMBERS} membres, {LOTS} lots, {rounds} tours, un cœur.")
    holds = True
    for name, label in LABELS.items():
        results = [in_a_process(name) for _ in range(rounds)]
        seconds = statistics.median(result["seconds"] for result in results)
        cpu = statistics.median(result["cpu"] for result in results)
        megabytes = max(result["megabytes"] for result in results)
        holds = holds and cpu <= WANTED_SECONDS and megabytes <= WANTED_MEGABYTES
        say(
            f"  {label} : {seconds:.1f} s à l’horloge, {cpu:.1f} s de processeur, {megabytes:.0f} Mo ; "
            f"{results[0]['told']}"
        )
    say(f"Objectif de {WANTED_SECONDS} s et {WANTED_MEGABYTES} Mo : {'atteint' if holds else 'NON ATTEINT'}.")
    return 0 if holds else 1


def in_a_process(name: str) -> dict:
    command = [sys.executable, "-m", "tests.benchmarks.bench_consumption", "--contender", name]
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"DATA_DIR": folder}
        finished = subprocess.run(command, capture_output=True, text=True, timeout=900, env=environment)
    if finished.returncode:
        raise SystemExit(finished.stderr)
    return json.loads(finished.stdout.splitlines()[-1])


def run_one(name: str) -> dict:
    """One import in the empty database of ``DATA_DIR``."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "procurement.settings")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    grouping, sirens = prepare()
    lines = rows(sirens)
    if name == "wrong":
        for place in range(WRONG):
            lines[place * (LINES // WRONG)][4] = "#DIV/0!" if place % 2 else "12,345,6"
    path = Path(os.environ["DATA_DIR"], f"factures.{'xlsx' if name == 'xlsx' else 'csv'}")
    write(path, lines)
    del lines

    from groupings.actions.consumption import consumption_import
    from procurement.core.actors import SystemActor
    from procurement.core.imports import ImportRefused

    wall, cpu = time.perf_counter(), time.process_time()
    try:
        with path.open("rb") as stream:
            report = consumption_import(
                grouping=grouping, file=stream, filename=path.name, actor=SystemActor("bench"), today=TODAY
            )
        told = str(report)
    except ImportRefused as refused:
        told = f"{len(refused.errors)} erreurs, rien d’écrit"
    return {
        "seconds": time.perf_counter() - wall,
        "cpu": time.process_time() - cpu,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "told": told,
    }


def prepare() -> tuple:
    """A grouping in execution: its six lots awarded and notified, its members' SIREN."""
    from tests.support.factories import (
        make_award,
        make_consultation,
        make_grouping,
        make_lot,
        make_membership,
        make_metropole,
        make_organisation,
    )

    metropole = make_metropole()
    grouping = make_grouping(metropole, status="performance", launched_on=date(2024, 10, 1), opened_on=date(2024, 5, 2))
    bodies = [metropole, *(make_organisation(parent=metropole) for _ in range(MEMBERS - 1))]
    members = [make_membership(grouping, body) for body in bodies]
    lots = [make_lot(grouping, number) for number in range(1, LOTS + 1)]
    consultation = make_consultation(grouping)
    for lot in lots:
        make_award(
            consultation,
            lot,
            "3100000.00",
            shares=[(member, "100000.00") for member in members],
            signed_on=date(2024, 12, 1),
            notified_on=date(2024, 12, 2),
            starts_on=date(2025, 1, 1),
        )
    return grouping, [body.siren for body in bodies]


def rows(sirens: list[str]) -> list[list]:
    start = date(2025, 1, 2)
    return [
        [
            number % LOTS + 1,
            sirens[number % len(sirens)],
            f"2026-F{number:06}",
            start + timedelta(days=number % 600),
            f"{100 + number % 900},{number % 100:02}",
            f"Livraison n° {number}, bon de commande {number // 3}",
            number % 40 + 1,
        ]
        for number in range(LINES)
    ]


HEADINGS = ["Lot", "SIREN", "N° de facture", "Date", "Montant HT", "Libellé", "Quantité"]


def write(path: Path, lines: list[list]) -> None:
    if path.suffix == ".csv":
        told = [[f"{cell:%d/%m/%Y}" if isinstance(cell, date) else str(cell) for cell in line] for line in lines]
        path.write_text("\n".join(";".join(line) for line in [HEADINGS, *told]), encoding="utf-8")
        return
    import xlsxwriter

    # Row by row on the disk: the memory measured is the reader's, not the writer's.
    book = xlsxwriter.Workbook(path, {"constant_memory": True, "in_memory": False})
    sheet, day = book.add_worksheet(), book.add_format({"num_format": "dd/mm/yyyy"})
    sheet.write_row(0, 0, HEADINGS)
    for number, line in enumerate(lines, start=1):
        for place, cell in enumerate(line):
            if isinstance(cell, date):
                sheet.write_datetime(number, place, cell, day)
            elif place == 4:
                sheet.write_number(number, place, float(cell.replace(",", ".")))
            else:
                sheet.write(number, place, cell)
    book.close()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
