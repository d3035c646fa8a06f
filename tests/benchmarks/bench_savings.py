"""How long the figures of a report take over 1,500,000 lines of the ledger, beside PostgreSQL adding them itself.

    python -m tests.benchmarks.bench_savings [ROUNDS] [LINES]

In a database of its own, made and dropped here, on the server of DATABASE_URL (else the local one of .ci/run). By
grouping, member and budget year: how many lines, their three amounts and their two gains.

- « rapport »: what the screens and the report read, ``savings/ledger.py`` over the entries;
- « moteur »: the same from the prices, as the nightly check does: ``savings/frames.py``, ``savings/rules/gains.py``;
- « PostgreSQL »: the same GROUP BY over the prices in its own numeric, each line rounded to the cent;
- polars and DuckDB on the columns we read, as the limit of what the computing could cost.

Each in a process of its own, alternately, after one round that does not count. The clock starts on an open connection,
libraries loaded, and stops when the last figure is a Decimal here. Memory is the highest resident set of the process.
Exit code 0 when both of ours take at most three times PostgreSQL and less than 1.5 GB, 1 otherwise or when one cent
differs, 2 when no server answers.
"""

import hashlib
import json
import os
import statistics
import subprocess
import sys
import time
from urllib.parse import urlsplit, urlunsplit

from tests.benchmarks.bench_conventions import highest_megabytes, say

LINES, GROUPINGS, MEMBERS, LOTS = 1_500_000, 40, 31, 3
WANTED_RATIO, WANTED_MEGABYTES = 3, 1536
SERVER = "postgres://groupements:groupements@127.0.0.1:5432/postgres"
#: One row of figures: lines, reference, indexed reference, obtained, budget gain, purchase gain; in cents.
Figures = dict[tuple[int, int, int], tuple[int, ...]]


def main(arguments: list[str]) -> int:
    if arguments[:1] == ["--contender"]:
        return as_contender(arguments[1])
    if arguments[:1] == ["--fill"]:
        return fill(int(arguments[1]))
    rounds = int(arguments[0]) if arguments else 3
    lines = int(arguments[1]) if len(arguments) > 1 else LINES
    server = os.environ.get("DATABASE_URL", "")
    server = server if server.startswith("postgres") else SERVER
    name = f"bench_savings_{os.getpid()}"
    if not on_server(server, f"CREATE DATABASE {name}"):
        say("Aucun serveur PostgreSQL ne répond : DATABASE_URL, ou celui que .ci/run démarre.")
        return 2
    try:
        os.environ["DATABASE_URL"] = urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
        return compare(rounds, lines)
    finally:
        on_server(server, f"DROP DATABASE {name} WITH (FORCE)")


def on_server(server: str, command: str) -> bool:
    import psycopg

    try:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(command)
    except psycopg.OperationalError:
        return False
    return True


def compare(rounds: int, lines: int) -> int:
    started = time.perf_counter()
    told = in_a_process("--fill", str(lines))
    say(f"Registre : {told['lines']} lignes, {told['entries']} écritures, {told['version']} ; {rounds} tours alternés.")
    say(f"  rempli en {time.perf_counter() - started:.0f} s, sur {os.cpu_count()} cœurs.")
    results: dict[str, list[dict]] = {name: [] for name in CONTENDERS}
    for number in range(rounds + 1):
        for name in CONTENDERS:
            result = in_a_process("--contender", name)
            if number:
                results[name].append(result)
                say(f"  tour {number}, {LABELS[name]} : {describe(result)}")
    return verdict(results)


def verdict(results: dict[str, list[dict]]) -> int:
    holds = True
    for name, label in LABELS.items():
        seconds = [result["seconds"] for result in results[name]]
        ratio = statistics.median(
            ours / theirs["seconds"] for ours, theirs in zip(seconds, results["sql"], strict=True)
        )
        megabytes = max(result["megabytes"] for result in results[name])
        say(f"{label} : {statistics.median(seconds):.2f} s (médiane), {ratio:.2f} fois PostgreSQL, {megabytes:.0f} Mo.")
        if name in ("report", "engine"):
            holds = holds and ratio <= WANTED_RATIO and megabytes < WANTED_MEGABYTES
    said = {result["sha256"] for name in LABELS for result in results[name]}
    rows = results["sql"][0]["rows"]
    say(f"Au centime : {f'les {rows} rangées sont égales partout' if len(said) == 1 else 'DES RANGÉES DIFFÈRENT'}.")
    holds = holds and len(said) == 1
    say(f"Objectif, {WANTED_RATIO} fois et {WANTED_MEGABYTES} Mo au plus : {'atteint' if holds else 'NON ATTEINT'}.")
    return 0 if holds else 1


def in_a_process(*arguments: str) -> dict:
    command = [sys.executable, "-m", "tests.benchmarks.bench_savings", *arguments]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=3600)
    if finished.returncode:
        raise SystemExit(finished.stderr)
    return json.loads(finished.stdout.splitlines()[-1])


def describe(result: dict) -> str:
    read = f" dont {result['read']:.2f} s de lecture" if result["read"] else ""
    return f"{result['seconds']:.2f} s{read}, {result['megabytes']:.0f} Mo"


def as_contender(name: str) -> int:
    set_up()
    from django.db import connection

    connection.ensure_connection()
    contender = CONTENDERS[name]()
    next(contender)  # libraries loaded
    started = time.perf_counter()
    read = next(contender)
    figures = next(contender)
    seconds, megabytes = time.perf_counter() - started, highest_megabytes()
    told = json.dumps(sorted([*key, *map(int, row)] for key, row in figures.items())).encode()
    say(
        json.dumps(
            {
                "seconds": seconds,
                "read": (read or started) - started,
                "megabytes": megabytes,
                "rows": len(figures),
                "sha256": hashlib.sha256(told).hexdigest(),
            }
        )
    )
    return 0


def set_up() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "procurement.settings")
    import django

    django.setup()


def report():
    """What the product's own figures come from: one query over whole cents."""
    from savings.choices import GainStage
    from savings.ledger import AMOUNTS, totals_by
    from savings.models import LedgerEntry

    yield
    yield None
    found = totals_by(LedgerEntry.objects.filter(stage=GainStage.AWARDED), "grouping", "organisation", "year")
    yield {key: (row.lines, *(cents(getattr(row, name)) for name in AMOUNTS)) for key, row in found}


def engine():
    """From the prices: read, compute every line, add up."""
    from savings.rules.gains import AMOUNTS, gain_lines, summary

    yield
    frame = read_lines()
    yield time.perf_counter()
    totals = summary(gain_lines(frame), ["grouping", "member", "year"])
    rows = totals[["grouping", "member", "year", "lines", *AMOUNTS]].itertuples(index=False)
    yield {tuple(map(int, row[:3])): (row[3], *map(cents, row[4:])) for row in rows}


SQL = """
SELECT m.grouping_id, m.organisation_id, coalesce(l.year, extract(year FROM l.starts_on)),
  count(*), sum(round(l.quantity * l.price_before, 2)), sum(round(l.quantity * l.price_before * l.index_factor, 2)),
  sum(round(l.quantity * l.price_obtained, 2)),
  sum(round(l.quantity * l.price_before, 2) - round(l.quantity * l.price_obtained, 2)),
  sum(round(l.quantity * l.price_before * l.index_factor, 2) - round(l.quantity * l.price_obtained, 2))
FROM savings_priceline l
JOIN savings_baseline b ON b.id = l.baseline_id JOIN groupings_membership m ON m.id = b.membership_id
WHERE l.stage = 'AWARDED' AND l.status = 'VALIDATED'
GROUP BY 1, 2, 3
"""


def sql():
    from django.db import connection

    yield
    yield None
    with connection.cursor() as cursor:
        cursor.execute(SQL)
        rows = cursor.fetchall()
    yield {(row[0], row[1], int(row[2])): (row[3], *map(cents, row[4:])) for row in rows}


def in_polars():
    """Whole numbers of 128 bits: polars rounds a product of decimals otherwise."""
    import polars as pl

    import savings.rules.gains  # noqa: F401  as our reader loads it

    yield
    table = to_arrow(read_lines())
    yield time.perf_counter()
    whole = {
        name: pl.col(name).to_physical().cast(pl.Int128) for name in ("quantity", "price_before", "price_obtained")
    }
    index = pl.col("index_factor").to_physical().cast(pl.Int128)
    budget = (whole["quantity"] * whole["price_before"] + 5 * 10**6) // 10**7
    purchase = (whole["quantity"] * whole["price_before"] * index + 5 * 10**14) // 10**15
    obtained = (whole["quantity"] * whole["price_obtained"] + 5 * 10**6) // 10**7
    amounts = [budget, purchase, obtained, budget - obtained, purchase - obtained]
    columns = [amount.cast(pl.Int64).sum().alias(f"a{number}") for number, amount in enumerate(amounts)]
    rows = pl.from_arrow(table).lazy().group_by("grouping", "member", "year").agg(pl.len(), *columns).collect().rows()
    yield {row[:3]: row[3:] for row in rows}


def in_duckdb():
    """Its widest decimal has 38 digits: columns are narrowed to what these lines hold."""
    import duckdb

    import savings.rules.gains  # noqa: F401

    yield
    lines = to_arrow(read_lines())  # noqa: F841  found by its name
    yield time.perf_counter()
    rows = duckdb.sql("""
        WITH narrow AS (
          SELECT grouping, member, year, quantity::DECIMAL(19,3) q, price_before::DECIMAL(9,6) p,
            index_factor::DECIMAL(10,8) k, price_obtained::DECIMAL(9,6) o FROM lines),
        amounts AS (
          SELECT grouping, member, year, round(q * p, 2) b, round(q * p * k, 2) i, round(q * o, 2) o FROM narrow)
        SELECT grouping, member, year, count(*), sum(b), sum(i), sum(o), sum(b - o), sum(i - o)
        FROM amounts GROUP BY ALL""").fetchall()
    yield {row[:3]: (row[3], *map(cents, row[4:])) for row in rows}


def read_lines():
    """The reader of the product, without the order that a sum does not need."""
    from savings.choices import GainStage
    from savings.frames import lines_frame
    from savings.models import PriceLine

    lines = PriceLine.objects.validated().filter(stage=GainStage.AWARDED).order_by()
    return lines_frame(lines, ["grouping", "member", "year"])


def to_arrow(frame):
    import pyarrow as pa

    return pa.Table.from_pandas(frame, preserve_index=False)


def cents(amount) -> int:
    whole = amount.scaleb(2)
    assert whole == int(whole), "une somme de montants arrondis n’est plus au centime"
    return int(whole)


def fill(lines: int) -> int:
    """A ledger of ``lines`` in the empty database of DATABASE_URL: one row through the models, then copies of it."""
    import tempfile

    os.environ["DATA_DIR"] = tempfile.mkdtemp()
    set_up()
    from django.core.management import call_command
    from django.db import connection

    from savings.models import Baseline, LedgerEntry, PriceLine
    from tests.support.factories import make_grouping, make_lot, make_membership, make_metropole, make_organisation
    from tests.support.savings import make_baseline, make_line

    call_command("migrate", verbosity=0)
    metropole = make_metropole()
    bodies = [metropole, *(make_organisation(parent=metropole) for _ in range(MEMBERS - 1))]
    pairs = []
    for _ in range(GROUPINGS):
        grouping = make_grouping(metropole)
        members = [make_membership(grouping, body) for body in bodies]
        lots = [make_lot(grouping, number) for number in range(1, LOTS + 1)]
        pairs += [(lot.pk, member.pk, grouping.pk, member.organisation_id) for lot in lots for member in members]
    lot, membership = lots[0], members[0]
    baseline = make_baseline(membership, lot, index_factor="1.03")
    line = make_line(baseline)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE pair (n int PRIMARY KEY, lot int, membership int, grp int, body int)")
        cursor.executemany(
            "INSERT INTO pair VALUES (%s, %s, %s, %s, %s)", [(number, *pair) for number, pair in enumerate(pairs)]
        )
        drop_foreign_keys(cursor, Baseline, PriceLine, LedgerEntry)
        cursor.execute("CREATE TEMPORARY TABLE drawn AS " + DRAWN.format(lines=lines, pairs=len(pairs)))
        copies(cursor, Baseline, baseline.pk, BASELINE)
        copies(cursor, PriceLine, line.pk, LINE)
        copies(cursor, LedgerEntry, line.entries.get().pk, ENTRY)
        for model in (LedgerEntry, PriceLine, Baseline):
            cursor.execute(f"DELETE FROM {model._meta.db_table} WHERE id <= {OFFSET}")
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("SELECT split_part(version(), ' on ', 1)")
        (version,) = cursor.fetchone()
    counts = {"lines": PriceLine.objects.count(), "entries": LedgerEntry.objects.count()}
    say(json.dumps(counts | {"version": version}))
    return 0


OFFSET = 1000
#: Quantities of 1.000 to 5,000.000, prices of 0.001 to 900.000 with six decimals, indexes of 1 to 1.08, three years.
DRAWN = """
SELECT i + 1000 AS id, p.*, q, b, k, o, 2025 + i % 3 AS y, round(q * b, 2) AS budget, round(q * b * k, 2) AS purchase,
  round(q * o, 2) AS obtained
FROM generate_series(1, {lines}) i
JOIN pair p ON p.n = (i * 7 + i / {pairs}) % {pairs},
LATERAL (SELECT ((i::bigint * 7919) % 5000000 + 1000)::numeric(14,0) / 1000 AS q,
  ((i::bigint * 104729) % 900000000 + 1000)::numeric(16,0) / 1000000 AS b,
  (100000000 + (i::bigint * 31) % 8000000)::numeric / 100000000 AS k,
  ((i::bigint * 1299709) % 900000000 + 1000)::numeric / 1000000 AS o) a
"""
_PRICES = {"quantity": "d.q", "price_before": "d.b", "index_factor": "d.k"}
BASELINE = {"id": "d.id", "lot_id": "d.lot", "membership_id": "d.membership", "designation": "'Article ' || d.id"}
BASELINE |= _PRICES
LINE = {"id": "d.id", "baseline_id": "d.id", "price_obtained": "d.o", "starts_on": "make_date(d.y, 1, 1)"} | _PRICES
LINE |= {"baseline_budget": "d.budget", "baseline_purchase": "d.purchase", "obtained": "d.obtained"}
LINE |= {"budget_gain": "d.budget - d.obtained", "purchase_gain": "d.purchase - d.obtained"}
ENTRY = {"id": "d.id", "line_id": "d.id", "grouping_id": "d.grp", "lot_id": "d.lot", "membership_id": "d.membership"}
ENTRY |= {"organisation_id": "d.body", "year": "d.y", "origin_year": "d.y"}
ENTRY |= {f"{name}_cents": f"({LINE[name]}) * 100" for name in ("baseline_budget", "baseline_purchase", "obtained")}
ENTRY |= {f"{name}_cents": f"({LINE[name]}) * 100" for name in ("budget_gain", "purchase_gain")}


def drop_foreign_keys(cursor, *models) -> None:
    """Fifteen million checks of rows copied from one that was checked are five minutes, and no reading uses them."""
    for model in models:
        table = model._meta.db_table
        cursor.execute("SELECT conname FROM pg_constraint WHERE contype = 'f' AND conrelid = %s::regclass", [table])
        for (name,) in cursor.fetchall():
            cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"')


def copies(cursor, model, pk: int, drawn: dict[str, str]) -> None:
    """One row of ``model`` per row drawn: what is not drawn is as in the row ``pk``."""
    columns = [field.column for field in model._meta.concrete_fields]
    values = [drawn.get(column, f"t.{column}") for column in columns]
    table = model._meta.db_table
    chosen = f"SELECT {', '.join(values)} FROM {table} t, drawn d WHERE t.id = {pk}"
    cursor.execute(f"INSERT INTO {table} ({', '.join(columns)}) {chosen}")


CONTENDERS = {"report": report, "engine": engine, "sql": sql, "polars": in_polars, "duckdb": in_duckdb}
LABELS = {
    "report": "Cet outil, rapport",
    "engine": "Cet outil, moteur",
    "sql": "PostgreSQL, GROUP BY",
    "polars": "Limite, polars",
    "duckdb": "Limite, DuckDB",
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
