"""The figures of one report: a budget year of one territory, at one stage, cut as asked. Every format reads this."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from functools import cached_property

from django.db.models import QuerySet
from django.utils import timezone

from groupings.radar import division_label
from members.models import Organisation
from procurement.core.errors import BusinessError
from savings.choices import PROVEN
from savings.coverage import Coverage, coverage
from savings.ledger import Totals, entries, totals, totals_by
from savings.models import LedgerEntry, YearLock
from savings.readers import TerritoryReader
from savings.reports import lines as rows
from savings.reports import method
from savings.reports.asked import Asked

#: The greatest losses, listed one by one; all are lines of the report.
LOSSES_LISTED = 30

#: Cut → the fields it is sorted and named by, the last one telling two groups apart.
_FIELDS = {
    "grouping": ("grouping__reference", "grouping__title", "grouping_id"),
    "member": ("organisation__sort_name", "organisation__name", "organisation__siren", "organisation_id"),
    "lot": ("grouping__reference", "lot__number", "lot__title", "lot_id"),
    "family": ("family",),
}
#: Cut → the field of a line that tells its group.
_IDENTITIES = {"grouping": "grouping", "member": "member", "lot": "lot", "family": "family"}


@dataclass(frozen=True)
class Lock:
    """The lock of the year the report came from."""

    sha256: str
    locked_at: datetime
    locked_by: str
    entry_count: int


@dataclass(frozen=True)
class Group:
    """One group of the cut. ``labels``: one per cut, as read; ``values``: the same as data; ``key``: as its lines bear
    it."""

    labels: tuple[str, ...]
    values: dict[str, dict]
    key: str
    totals: Totals


@dataclass(frozen=True)
class SavingsReport:
    """Amounts in € excl. tax. ``through``: the last entry counted: what is posted afterwards changes nothing here."""

    asked: Asked
    territory: str
    siren: str
    #: The member whose lines alone are told; empty for the whole territory.
    member: str
    made_at: datetime
    lock: Lock | None
    totals: Totals
    proven: Totals
    groups: tuple[Group, ...]
    #: The same by grouping alone, for the drawing.
    groupings: tuple[Group, ...]
    coverage: Coverage
    losses: tuple[rows.Loss, ...]
    loss_count: int
    loss_total: Decimal
    through: int
    territory_id: int
    reader: object = field(repr=False)
    found: QuerySet[LedgerEntry] = field(repr=False)

    def lines(self) -> Iterator[rows.Line]:
        """Every line of the year in the order of the groups, read one at a time."""
        return rows.read_lines(self.found, _order(self.asked.by))

    def evidence(self) -> Iterator[rows.Evidence]:
        return rows.read_evidence(self.found)

    def journal(self) -> Iterator[rows.Act]:
        return rows.read_acts(self.reader, self.territory_id, self.found, self.made_at)

    def key_of(self, line: rows.Line) -> str:
        """The key of the group of a line."""
        return _key({name: getattr(line, _IDENTITIES[name]) for name in self.asked.by})

    @property
    def method(self) -> tuple[method.Section, ...]:
        return method.SECTIONS

    @property
    def is_locked(self) -> bool:
        return self.lock is not None

    @property
    def title(self) -> str:
        return f"Gains {self.asked.year}, stade «\u00a0{self.asked.stage_label}\u00a0»"

    @property
    def whose(self) -> str:
        """The territory, and the member when its lines alone are told."""
        return f"{self.territory}, lignes de {self.member}" if self.member else self.territory

    @cached_property
    def provenance(self) -> str:
        """Which figures these are: those of a lock, or those of a day."""
        if self.lock is None:
            return f"Exercice {self.asked.year} ouvert, chiffres au {timezone.localtime(self.made_at):%d/%m/%Y}"
        return (
            f"Exercice {self.asked.year} verrouillé le {timezone.localtime(self.lock.locked_at):%d/%m/%Y} par "
            f"{self.lock.locked_by}, empreinte SHA-256 {self.lock.sha256}"
        )

    @property
    def coverage_told(self) -> str:
        measured, total = self.coverage.measured, self.coverage.total
        if not total:
            return "Couverture\u00a0: aucun lot à mesurer connu pour cet exercice"
        s = "s" if measured > 1 else ""
        return f"Couverture\u00a0: {measured} lot{s} mesuré{s} sur {total}"


def build_report(
    asked: Asked, *, territory: Organisation, made_at: datetime, reader=None, through: int | None = None
) -> SavingsReport:
    """The report of ``territory``, as ``reader`` may know it (an affiliation; the whole territory without one).

    ``through``: count no entry after that one; all of those there are now by default. Raises BusinessError when the
    year has nothing at that stage, or when it is no longer what its lock says.
    """
    through = rows.last_entry(territory.pk) if through is None else through
    whole = reader is None or reader.sees_whole_territory
    reader = reader or TerritoryReader(territory.pk)
    # One after the other in the territory (validation holds its row), entries up to a number are a stable picture.
    found = entries(reader, stage=asked.stage, year=asked.year, territory=territory.pk, pk__lte=through)
    sums = totals(found)
    if not sums.lines:
        raise BusinessError(
            f"Aucun gain validé en {asked.year} au stade «\u00a0{asked.stage_label}\u00a0»\u00a0: il n’y a pas de "
            "rapport, et rien n’est écrit.",
            field="year",
        )
    lock = _lock(territory.pk, asked.year)
    losses, loss_count, loss_total = rows.read_losses(found, LOSSES_LISTED)
    return SavingsReport(
        asked=asked,
        territory=territory.name,
        siren=territory.siren,
        member="" if whole else reader.organisation.name,
        made_at=made_at,
        lock=lock,
        totals=sums,
        proven=totals(found.filter(grade__in=PROVEN)),
        groups=(groups := tuple(_groups(found, asked.by))),
        groupings=groups if asked.by == ("grouping",) else tuple(_groups(found, ("grouping",))),
        coverage=coverage(reader, year=asked.year, stage=asked.stage),
        losses=tuple(losses),
        loss_count=loss_count,
        loss_total=loss_total,
        through=through,
        territory_id=territory.pk,
        reader=reader,
        found=found,
    )


def _lock(territory_id: int, year: int) -> Lock | None:
    """The lock of the year. Not through ``visible_to``: a member's report of a closed year says that it is closed."""
    lock = YearLock.objects.filter(territory_id=territory_id, year=year).first()
    if lock is None:
        return None
    if LedgerEntry.objects.filter(territory_id=territory_id, year=year).count() != lock.entry_count:
        raise BusinessError(
            f"L’exercice {year} n’est plus celui de son verrou\u00a0: pas de rapport. Lancez check_ledger.",
            field="year",
        )
    return Lock(lock.sha256, lock.locked_at, lock.locked_label, lock.entry_count)


def _order(by: tuple[str, ...]) -> tuple[str, ...]:
    return rows.order_of(*(path for name in by for path in _FIELDS[name]))


def _groups(found: QuerySet[LedgerEntry], by: tuple[str, ...]) -> Iterator[Group]:
    fields = _order(by)
    for values, sums in totals_by(found, *fields):
        row = dict(zip(fields, values, strict=True))
        yield Group(
            labels=tuple(_label(name, row, by) for name in by),
            values={name: _values(name, row) for name in by},
            key=_key({name: row[_FIELDS[name][-1]] for name in by}),
            totals=sums,
        )


def _key(identities: dict) -> str:
    """« grouping 12, member 5 » as one word no spreadsheet takes for a number, a date or a pattern."""
    return "_".join(f"{name[0]}{identity}" for name, identity in identities.items())


def _label(name: str, row: dict, by: tuple[str, ...]) -> str:
    if name == "grouping":
        return f"{row['grouping__reference']} – {row['grouping__title']}"
    if name == "member":
        return row["organisation__name"]
    if name == "lot":
        lot = f"lot {row['lot__number']} – {row['lot__title']}"
        return f"L{lot[1:]}" if "grouping" in by[: by.index("lot")] else f"{row['grouping__reference']}, {lot}"
    return f"{row['family']} – {division_label(row['family'])}"


def _values(name: str, row: dict) -> dict:
    if name == "grouping":
        return {"reference": row["grouping__reference"], "title": row["grouping__title"]}
    if name == "member":
        return {"siren": row["organisation__siren"], "name": row["organisation__name"]}
    if name == "lot":
        reference = row["grouping__reference"]
        return {"grouping": reference, "number": row["lot__number"], "title": row["lot__title"]}
    return {"cpv_division": row["family"], "label": division_label(row["family"])}
