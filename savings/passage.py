"""From the ledger to the bridge between two years: which line is new, ended, corrected, and which runs on."""

from collections import defaultdict
from dataclasses import dataclass, replace

from django.db.models import Max, Q, Sum

from savings.choices import EntryKind, Reading
from savings.ledger import entries
from savings.models import PriceLine
from savings.models.ledger import euros_of
from savings.overview import Selection
from savings.rules.bridge import Bridge, Thread, YearPart, bridge

#: (attribute of the bridge, label), in the order they are told.
TERMS = (
    ("new", "Nouvelles lignes"),
    ("ended", "Lignes terminées"),
    ("corrected", "Corrections"),
    ("prorata", "Effet année pleine (nombre de mois)"),
    ("remeasured", "Nouvelle mesure des prix et volumes réels"),
    ("indexed", "Effet de l’indexation"),
)


@dataclass
class _Line:
    """What is known of one reference price while its entries are read."""

    before: YearPart
    after: YearPart
    root_before: int | None = None
    root_after: int | None = None
    is_corrected: bool = False


def year_bridge(affiliation, selection: Selection) -> dict[str, Bridge]:
    """Reading → the bridge from the year before to ``selection.year``, in two queries."""
    threads = _threads(affiliation, selection)
    return {reading: bridge(threads, reading=reading) for reading in (Reading.BUDGET, Reading.PURCHASE)}


def told_terms(found: Bridge, reading: str) -> list[tuple[str, object]]:
    """(label, amount) of the terms worth a line: those that changed something, the four usual ones always."""
    usual = {"new", "ended", "corrected", "prorata"} | ({"indexed"} if reading == Reading.PURCHASE else set())
    return [(label, getattr(found, name)) for name, label in TERMS if name in usual or getattr(found, name)]


def _threads(affiliation, selection: Selection) -> list[Thread]:
    chain = PriceLine.objects.visible_to(affiliation).filter(corrects__isnull=False, status="VALIDATED")
    corrects = dict(chain.order_by().values_list("pk", "corrects_id"))
    year = selection.year
    rows = (
        entries(affiliation, stage=selection.stage, **selection.filters())
        .filter(year__in=(year - 1, year))
        .order_by("line_id", "year", "origin_year")
        .values("line_id", "line__baseline_id", "year", "origin_year")
        .annotate(
            budget=Sum("budget_gain_cents"),
            purchase=Sum("purchase_gain_cents"),
            month_count=Max("months", filter=Q(kind=EntryKind.POSTED, line__is_superseded=False)),
        )
    )
    rows = list(rows)
    baselines = {row["line_id"]: row["line__baseline_id"] for row in rows}
    found: dict[int, _Line] = defaultdict(lambda: _Line(YearPart(), YearPart()))
    for row in rows:
        root = _root(row["line_id"], corrects)
        # A correction may stand on a new reference price: the first one names the thread.
        line = found[baselines.get(root, row["line__baseline_id"])]
        _read(line, row, root, year)
    return [
        Thread(line.before, line.after, line.root_before, line.root_after, line.is_corrected) for line in found.values()
    ]


def _read(line: _Line, row: dict, root: int, year: int) -> None:
    side = "after" if row["year"] == year else "before"
    part: YearPart = getattr(line, side)
    budget, purchase = euros_of(row["budget"]), euros_of(row["purchase"])
    line.is_corrected = line.is_corrected or root != row["line_id"]
    if row["origin_year"] != row["year"]:
        part = replace(part, late_budget=part.late_budget + budget, late_purchase=part.late_purchase + purchase)
    else:
        months = max(part.months, row["month_count"] or 0)
        part = replace(part, budget=part.budget + budget, purchase=part.purchase + purchase, months=months)
        setattr(line, f"root_{side}", root)
    setattr(line, side, part)


def _root(line_id: int, corrects: dict[int, int]) -> int:
    """The first line of the chain of corrections."""
    while line_id in corrects:
        line_id = corrects[line_id]
    return line_id
