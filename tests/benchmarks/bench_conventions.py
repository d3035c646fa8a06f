"""How fast the membership conventions of a large grouping are made, beside LibreOffice's mail merge of the same text.

    python -m tests.benchmarks.bench_conventions [ROUNDS]

31 members, 6 lots, one batch, one core; rates are per second of that core's time. Each contender runs in a process of
its own, alternately, and is warmed up by one small document before the clock starts (imports for us, the first start of
LibreOffice for the other). The clock stops when the last file is on disk. Memory is the highest resident set of the
process, LibreOffice's own included.
Exit code 0 when we are at least six times as fast and under 200 MB, 1 otherwise, 2 when the comparison could not run.
"""

import importlib.util
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WANTED_RATIO = 6
WANTED_MEGABYTES = 200
MEMBERS, LOTS = 31, 6


def say(line: str = "") -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--contender"]:
        say(json.dumps(CONTENDERS[arguments[1]]()))
        return 0
    rounds = int(arguments[0]) if arguments else 3
    pinned = pin_to_one_core()
    missing = [name for name, found in (("soffice", shutil.which("soffice")), ("docxtpl", has_docxtpl())) if not found]
    names = ["ours"] if missing else ["ours", "mail merge"]
    say(f"Conventions : {MEMBERS} membres, {LOTS} lots, {rounds} tours alternés, {pinned}.")
    results: dict[str, list[dict]] = {name: [] for name in names}
    for number in range(1, rounds + 1):
        for name in names:
            result = run(name)
            results[name].append(result)
            say(f"  tour {number}, {LABELS[name]} : {describe(result)}")
    ours = summary("ours", results["ours"])
    is_light = ours["megabytes"] < WANTED_MEGABYTES
    say(f"Mémoire : {ours['megabytes']:.0f} Mo, {'moins' if is_light else 'PAS moins'} de {WANTED_MEGABYTES} Mo.")
    if missing:
        say(f"Comparaison impossible, il manque {' et '.join(missing)} (paquets docxtpl et libreoffice-writer).")
        return 2
    theirs = summary("mail merge", results["mail merge"])
    ratio, elapsed_ratio = ours["rate"] / theirs["rate"], ours["elapsed_rate"] / theirs["elapsed_rate"]
    is_fast = ratio >= WANTED_RATIO
    say(f"Rapport : {ratio:.1f} fois plus vite par seconde de processeur ({elapsed_ratio:.1f} à l’horloge).")
    say(f"Objectif d’au moins {WANTED_RATIO} fois : {'atteint' if is_fast else 'NON ATTEINT'}.")
    return 0 if is_fast and is_light else 1


def has_docxtpl() -> bool:
    return importlib.util.find_spec("docxtpl") is not None


def pin_to_one_core() -> str:
    """This process and its children on one core, where the system allows it."""
    if not hasattr(os, "sched_setaffinity"):
        return "cœurs non imposés par ce système"
    core = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {core})
    return "un cœur"


def run(name: str) -> dict:
    command = [sys.executable, "-m", "tests.benchmarks.bench_conventions", "--contender", name]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=900)
    if finished.returncode:
        raise SystemExit(finished.stderr)
    return json.loads(finished.stdout.splitlines()[-1])


def describe(result: dict) -> str:
    low, high = min(result["pages"]), max(result["pages"])
    pages = f"{low}" if low == high else f"{low} à {high}"
    return (
        f"{result['documents']} documents de {pages} pages et {result['words']} mots en {result['cpu']:.2f} s "
        f"de processeur ({result['seconds']:.2f} s à l’horloge), {result['megabytes']:.0f} Mo"
    )


def summary(name: str, results: list[dict]) -> dict:
    """Medians. The rate is per second of processor: another program on the core slows the clock, not the count."""
    rate = statistics.median(result["documents"] / result["cpu"] for result in results)
    elapsed_rate = statistics.median(result["documents"] / result["seconds"] for result in results)
    megabytes = max(result["megabytes"] for result in results)
    say(
        f"{LABELS[name]} : {rate:.1f} documents par seconde d’un cœur ({elapsed_rate:.1f} à l’horloge), "
        f"{megabytes:.0f} Mo au plus haut."
    )
    return {"rate": rate, "elapsed_rate": elapsed_rate, "megabytes": megabytes}


def ours() -> dict:
    """The common part once, then each member's own page, as the job does."""
    values, small = prepare()
    from groupings.clauses.articles import shipped_texts
    from groupings.conventions.render import render_common, render_member

    render_member(small, render_common(small, shipped_texts()), small.coordinator_siren)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wall, cpu = time.perf_counter(), time.process_time()
        common = render_common(values, shipped_texts())
        for member in values.members:
            (folder / f"{values.reference}_{member.siren}.pdf").write_bytes(render_member(values, common, member.siren))
        seconds, cpu = time.perf_counter() - wall, time.process_time() - cpu
        megabytes = highest_megabytes()
        content = measured(folder)
    return {"seconds": seconds, "cpu": cpu, "megabytes": megabytes, **content}


def mail_merge() -> dict:
    """docxtpl for the 31 Word files, then one LibreOffice for the 31 conversions."""
    values, small = prepare()
    from tests.benchmarks import mail_merge as rival

    soffice = shutil.which("soffice")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        out, profile = folder / "out", folder / "profile"
        out.mkdir()
        rival.build_template(small, folder / "small.docx")
        rival.convert(soffice, rival.merge(small, folder / "small.docx", folder)[:1], folder, profile)
        rival.build_template(values, folder / "template.docx")
        wall, cpu = time.perf_counter(), all_cpu()
        files = rival.merge(values, folder / "template.docx", out)
        rival.convert(soffice, files, out, profile)
        seconds, cpu = time.perf_counter() - wall, all_cpu() - cpu
        children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
        megabytes = max(highest_megabytes(), children)
        content = measured(out)
        if kept := os.environ.get("BENCH_KEEP"):
            shutil.copytree(out, kept, dirs_exist_ok=True)
    return {"seconds": seconds, "cpu": cpu, "megabytes": megabytes, **content}


def measured(folder: Path) -> dict:
    """What was made: pages of each document, and the words of one, so that both contenders can be compared."""
    from pypdf import PdfReader

    readers = [PdfReader(path) for path in sorted(folder.glob("*.pdf"))]
    words = sum(len(page.extract_text().split()) for page in readers[0].pages)
    return {"documents": len(readers), "pages": [len(reader.pages) for reader in readers], "words": words}


def prepare() -> tuple:
    """The values of the large grouping and of a small one; Django set up, no database touched."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "procurement.settings")
    import django

    django.setup()
    from tests.support.conventions import sample_values

    return sample_values(members=MEMBERS, lots=LOTS), sample_values(members=2, lots=1)


def highest_megabytes() -> float:
    """VmHWM: the highest resident set since the process started."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 * 1024 if sys.platform == "darwin" else 1024)


def all_cpu() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


CONTENDERS = {"ours": ours, "mail merge": mail_merge}
LABELS = {"ours": "Cet outil", "mail merge": "Publipostage LibreOffice"}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
