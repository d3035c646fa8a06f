"""What a controller checks, done by the machine: one function per check, each giving what it found, as sentences.

A function receives the ``Scope`` to look at and yields ``Finding``s; nothing is read twice into memory: rows come by
chunks, whatever the size of the ledger. Nothing is ever mended here: a finding is for people.
"""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice

from django.db.models import Count, DateTimeField, Exists, F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from groupings.models import Consultation, GroupingDocument
from savings.choices import PROVEN, EntryKind, GainStage, LineStatus
from savings.models import AnnualSheet, Baseline, LedgerEntry, PriceLine, YearLock
from savings.models.ledger import cents_of
from savings.posting import SPLIT, parts_by_year
from savings.rules.amounts import AMOUNTS
from savings.rules.rates import price_and_volume
from savings.sheet import digest
from savings.year_facts import of_territory, verify

#: Lines held at a time.
CHUNK = 2000
_GROUPING = "baseline__membership__grouping__"
_READ = 1 << 20


@dataclass(frozen=True)
class Scope:
    """What is looked at: one territory or all of them, one budget year or all."""

    territory_id: int | None = None
    year: int | None = None

    def entries(self) -> QuerySet[LedgerEntry]:
        found = LedgerEntry.objects.order_by("pk")
        if self.territory_id is not None:
            found = found.filter(territory_id=self.territory_id)
        return found if self.year is None else found.filter(year=self.year)

    def validated(self) -> QuerySet[PriceLine]:
        """The validated lines, superseded ones included; of a year, those that have a part in it."""
        found = PriceLine.objects.validated().order_by("pk")
        if self.territory_id is not None:
            found = found.filter(of_territory(_GROUPING, self.territory_id))
        if self.year is None:
            return found
        has_part = LedgerEntry.objects.filter(line=OuterRef("pk")).filter(Q(year=self.year) | Q(origin_year=self.year))
        return found.filter(Exists(has_part))

    def locks(self) -> QuerySet[YearLock]:
        found = YearLock.objects.select_related("territory").order_by("territory", "year")
        if self.territory_id is not None:
            found = found.filter(territory_id=self.territory_id)
        return found if self.year is None else found.filter(year=self.year)

    def sheets(self) -> QuerySet[AnnualSheet]:
        """The frozen ones."""
        found = AnnualSheet.objects.filter(frozen_at__isnull=False).select_related("territory")
        found = found.order_by("territory", "year")
        if self.territory_id is not None:
            found = found.filter(territory_id=self.territory_id)
        return found if self.year is None else found.filter(year=self.year)


@dataclass(frozen=True)
class Finding:
    """One thing that does not hold: ``sentence`` is French; ``line_pk`` leads to the line, when it is about one."""

    check: str
    sentence: str
    line_pk: int | None = None


def amounts(scope: Scope) -> Iterator[Finding]:
    """The amounts of each validated line are those of its prices, computed again by the engine."""
    import pandas as pd  # a second and 95 MB to load: only where lines are computed

    from savings.rules.gains import INPUTS, gain_lines

    names = ("pk", *INPUTS, *AMOUNTS, "stage", "volume_effect", "baseline__quantity")

    def computed(lines: list[dict]) -> list[tuple]:
        frame = pd.DataFrame({name: pd.Series([line[name] for line in lines], dtype=object) for name in INPUTS})
        return list(gain_lines(frame)[list(AMOUNTS)].itertuples(index=False, name=None))

    rows = scope.validated().values(*names).iterator(chunk_size=CHUNK)
    while chunk := list(islice(rows, CHUNK)):
        # A price erased behind our back: it has no amount at all, and ``postings`` tells it.
        lines = [line for line in chunk if None not in (line["price_before"], line["price_obtained"])]
        try:
            found = computed(lines)
        except ValueError:  # a figure that no column holds: found one by one, for the others to be read
            found = [_computed_alone(line, computed) for line in lines]
        for line, expected in zip(lines, found, strict=True):
            if tuple(line[name] for name in AMOUNTS) != expected or line["volume_effect"] != _volume_effect(line):
                yield Finding(
                    "amounts", f"Ligne {line['pk']}\u00a0: ses montants ne sont pas ceux de ses prix.", line["pk"]
                )


def _computed_alone(line: dict, computed: Callable[[list[dict]], list[tuple]]) -> tuple | None:
    """The amounts of one line; None when it has none that the ledger can hold."""
    try:
        return computed([line])[0]
    except ValueError:
        return None


def _volume_effect(line: dict) -> Decimal | None:
    if line["stage"] != GainStage.REALISED:
        return None
    _, effect = price_and_volume(
        price_before=line["price_before"],
        forecast=line["baseline__quantity"],
        price_obtained=line["price_obtained"],
        actual=line["quantity"],
    )
    return effect


def postings(scope: Scope) -> Iterator[Finding]:
    """The entries of each validated line are its parts per budget year, to the cent; those of a corrected one are
    reversed, each by its exact opposite; a line that is not validated has none."""
    rows = scope.validated().iterator(chunk_size=CHUNK)
    while chunk := list(islice(rows, CHUNK)):
        posted: dict[int, list[LedgerEntry]] = {line.pk: [] for line in chunk}
        for entry in LedgerEntry.objects.filter(line__in=posted):
            posted[entry.line_id].append(entry)
        for line in chunk:
            if sentence := _posting_flaw(line, posted[line.pk]):
                yield Finding("postings", f"Ligne {line.pk}\u00a0: {sentence}", line.pk)
    stray = scope.entries().exclude(line__status=LineStatus.VALIDATED).order_by("line").values_list("line", flat=True)
    for pk in stray.distinct().iterator():
        yield Finding("postings", f"Ligne {pk}\u00a0: elle a des écritures sans être validée.", pk)


def _posting_flaw(line: PriceLine, entries: list[LedgerEntry]) -> str:
    if line.starts_on is None or line.months is None or not line.is_measured or line.budget_gain is None:
        return "elle est validée sans prix, montant, date d’effet ou durée."
    found = {entry.origin_year: _cents(entry) for entry in entries if entry.kind == EntryKind.POSTED}
    months = {entry.origin_year: entry.months for entry in entries if entry.kind == EntryKind.POSTED}
    parts = parts_by_year(line)
    expected = {year: tuple(cents_of(amounts[name]) for name in SPLIT) for year, (_, amounts) in parts.items()}
    if found != expected or months != {year: count for year, (count, _) in parts.items()}:
        return "ses écritures ne s’additionnent pas à son montant, exercice par exercice."
    opposite = {entry.origin_year: _cents(entry, -1) for entry in entries if entry.kind == EntryKind.REVERSED}
    if line.is_superseded and opposite != expected:
        return "une correction la remplace, et ses écritures ne sont pas toutes contre-passées."
    if not line.is_superseded and opposite:
        return "ses écritures sont contre-passées sans qu’une correction la remplace."
    return ""


def _cents(entry: LedgerEntry, sign: int = 1) -> tuple[int, ...]:
    return tuple(sign * getattr(entry, f"{name}_cents") for name in SPLIT)


def copies(scope: Scope) -> Iterator[Finding]:
    """What an entry copies of its line is still the line's: stage, grade, body, lot, grouping, territory. The family is
    that of the day of the posting: the CPV code of a lot may be made more precise later."""
    line = "line__baseline__"
    coordinator = f"{line}membership__grouping__coordinator"
    same = Q(
        stage=F("line__stage"),
        is_one_off=F("line__is_one_off"),
        grade=F(f"{line}grade"),
        lot=F(f"{line}lot"),
        membership=F(f"{line}membership"),
        grouping=F(f"{line}membership__grouping"),
        organisation=F(f"{line}membership__organisation"),
        territory=Coalesce(f"{coordinator}__territory_id", f"{coordinator}_id"),
    )
    for pk, line_pk in scope.entries().exclude(same).values_list("pk", "line").iterator():
        yield Finding("copies", f"Écriture {pk}\u00a0: elle ne dit pas la même chose que sa ligne {line_pk}.", line_pk)


def stages(scope: Scope) -> Iterator[Finding]:
    """A stage is never mixed with another: a realised line, and it alone, is of one year, and its entries are too; a
    correction is of the stage and year of the line it corrects."""
    realised = Q(stage=GainStage.REALISED)
    dated = Q(year__isnull=False)
    for pk in scope.validated().filter(realised & ~dated | ~realised & dated).values_list("pk", flat=True).iterator():
        yield Finding("stages", f"Ligne {pk}\u00a0: une ligne réalisée, et elle seule, est celle d’une année.", pk)
    elsewhere = scope.entries().filter(stage=GainStage.REALISED).exclude(origin_year=F("line__year"))
    for pk, line_pk in elsewhere.values_list("pk", "line").iterator():
        yield Finding(
            "stages", f"Écriture {pk}\u00a0: elle n’est pas de l’année de sa ligne réalisée {line_pk}.", line_pk
        )
    corrections = scope.validated().filter(corrects__isnull=False)
    other_year = ~Q(year=F("corrects__year")) & Q(year__isnull=False)
    for pk in corrections.filter(~Q(stage=F("corrects__stage")) | other_year).values_list("pk", flat=True).iterator():
        yield Finding("stages", f"Ligne {pk}\u00a0: elle corrige une ligne d’un autre stade ou d’une autre année.", pk)


def deadlines(scope: Scope) -> Iterator[Finding]:
    """The reference was frozen before the offers of its lot were due, else it says why and is of grade D. Without a
    consultation there is no deadline to hold; of several, the last one brought the contract."""
    due = Consultation.objects.filter(lots=OuterRef("baseline__lot")).order_by("-number")
    lines = scope.validated().annotate(due_at=Subquery(due.values("offers_due_at")[:1], output_field=DateTimeField()))
    never = lines.filter(baseline__frozen_at__isnull=True)
    for pk in never.values_list("pk", flat=True).iterator():
        yield Finding("deadlines", f"Ligne {pk}\u00a0: elle est validée, et sa référence n’a pas été figée.", pk)
    late = lines.filter(baseline__frozen_at__gte=F("due_at"))
    unsaid = late.filter(Q(baseline__late_reason="") | ~Q(baseline__grade="D"))
    for pk in unsaid.values_list("pk", flat=True).iterator():
        yield Finding(
            "deadlines",
            f"Ligne {pk}\u00a0: sa référence a été figée après la remise des offres, sans motif ou sans fiabilité D.",
            pk,
        )


def evidence(scope: Scope) -> Iterator[Finding]:
    """A reference of grade A or B has its evidence: the row, and on disk the very file that was deposited."""
    proven = scope.validated().filter(baseline__grade__in=PROVEN)
    for pk in proven.filter(baseline__evidence__isnull=True).values_list("pk", flat=True).iterator():
        yield Finding("evidence", f"Ligne {pk}\u00a0: sa référence de fiabilité A ou B n’a pas de preuve.", pk)
    held = GroupingDocument.objects.filter(pk__in=proven.order_by().values("baseline__evidence"))
    for document in held.order_by("pk").iterator(chunk_size=CHUNK):
        if flaw := _file_flaw(document):
            line_pk = proven.filter(baseline__evidence=document).values_list("pk", flat=True)[0]
            yield Finding(
                "evidence", f"Ligne {line_pk}\u00a0: {flaw} («\u00a0{document.original_name}\u00a0»).", line_pk
            )


def _file_flaw(document: GroupingDocument) -> str:
    hashed = hashlib.sha256()
    try:
        with document.file.storage.open(document.file.name) as stored:
            while block := stored.read(_READ):
                hashed.update(block)
    except OSError:
        return "le fichier de sa preuve est introuvable"
    return "" if hashed.hexdigest() == document.sha256 else "le fichier de sa preuve n’est plus celui qui a été déposé"


def four_eyes(scope: Scope) -> Iterator[Finding]:
    """Nobody validated what it had entered, submitted, or given the reference of. Where a person is not known (a taking
    over from a file), labels are compared."""
    own = Q()
    for who in ("entered", "submitted", "baseline__entered"):
        own |= Q(decided_by=F(f"{who}_by"))
    for who in ("entered", "submitted"):
        own |= Q(decided_by__isnull=True, **{f"{who}_by__isnull": True}, decided_label=F(f"{who}_label"))
    for pk in scope.validated().filter(own).values_list("pk", flat=True).iterator():
        yield Finding("four_eyes", f"Ligne {pk}\u00a0: elle a été validée par qui l’a saisie ou soumise.", pk)


def locks(scope: Scope) -> Iterator[Finding]:
    """A locked year holds what it held: same entries, same totals, same fingerprint."""
    for lock in scope.locks():
        if not verify(lock).is_unchanged:
            yield Finding(
                "locks",
                f"Exercice {lock.year} ({lock.territory.name})\u00a0: il a changé depuis son verrou du "
                f"{timezone.localtime(lock.locked_at):%d/%m/%Y}, l’empreinte ne correspond plus.",
            )


def sheets(scope: Scope) -> Iterator[Finding]:
    """A frozen annual sheet says what it said: its texts, calendar and figures still have its fingerprint."""
    for sheet in scope.sheets():
        if digest(sheet) != sheet.sha256:
            yield Finding(
                "sheets",
                f"Fiche annuelle {sheet.year} ({sheet.territory.name})\u00a0: elle a changé depuis son gel, "
                "l’empreinte ne correspond plus.",
            )


_SAME = ("baseline__lot", "baseline__membership", "baseline__designation", "stage", "year")


def once(scope: Scope) -> Iterator[Finding]:
    """No lot is counted twice for one member: one line at most for a designation, a stage and a year, also when a
    reference was replaced under another designation."""
    current = scope.validated().filter(is_superseded=False)
    repeated = current.order_by(*_SAME).values(*_SAME).annotate(times=Count("pk")).filter(times__gt=1)
    for row in repeated.iterator():
        pks = list(current.filter(**_as_filter(row)).values_list("pk", flat=True))
        yield Finding(
            "once", f"Lignes {', '.join(map(str, pks))}\u00a0: le même achat est compté {len(pks)} fois.", pks[0]
        )
    replaces = dict(Baseline.objects.filter(replaces__isnull=False).order_by().values_list("pk", "replaces"))
    chained = current.filter(Q(baseline__is_replaced=True) | Q(baseline__replaces__isnull=False))
    by_first: dict[tuple, list[tuple[int, str]]] = defaultdict(list)
    for pk, baseline, designation, *when in chained.values_list(
        "pk", "baseline", "baseline__designation", "stage", "year"
    ).iterator():
        by_first[_first(baseline, replaces), *when].append((pk, designation))
    for lines in by_first.values():
        if len({designation for _, designation in lines}) > 1:  # of one designation, told above
            for pk, _ in lines[:-1]:
                yield Finding("once", f"Ligne {pk}\u00a0: une référence qui remplace la sienne est comptée aussi.", pk)


def _first(baseline: int, replaces: dict[int, int]) -> int:
    """The reference the chain of replacements of ``baseline`` began with."""
    while baseline in replaces:
        baseline = replaces[baseline]
    return baseline


def _as_filter(row: dict) -> dict:
    asked = {name: row[name] for name in _SAME}
    if asked["year"] is None:
        asked.pop("year")
        asked["year__isnull"] = True
    return asked


def corrections(scope: Scope) -> Iterator[Finding]:
    """A corrected line is put aside by its correction once that one is validated, and by nothing else."""
    standing = PriceLine.objects.validated().filter(corrects=OuterRef("pk"))
    lines = scope.validated().annotate(has_correction=Exists(standing))
    for pk in lines.filter(has_correction=True, is_superseded=False).values_list("pk", flat=True).iterator():
        yield Finding("corrections", f"Ligne {pk}\u00a0: sa correction est validée, et elle compte encore.", pk)
    for pk in lines.filter(has_correction=False, is_superseded=True).values_list("pk", flat=True).iterator():
        yield Finding("corrections", f"Ligne {pk}\u00a0: elle est remplacée, et sa correction n’est pas validée.", pk)


@dataclass(frozen=True)
class Check:
    """``label`` says what holds when the check finds nothing."""

    code: str
    label: str
    run: Callable[[Scope], Iterator[Finding]]


CHECKS = (
    Check("amounts", "Les montants des lignes sont ceux de leurs prix", amounts),
    Check("postings", "Les écritures s’additionnent aux montants des lignes, exercice par exercice", postings),
    Check("copies", "Les écritures disent la même chose que leurs lignes", copies),
    Check("stages", "Les stades ne se mélangent pas", stages),
    Check(
        "deadlines", "Les références sont figées avant la remise des offres, ou tardives et de fiabilité D", deadlines
    ),
    Check("evidence", "Les fiabilités A et B ont leur preuve, et le fichier déposé est intact", evidence),
    Check("four_eyes", "Personne n’a validé ce qu’il a saisi ou soumis", four_eyes),
    Check("locks", "Les exercices verrouillés n’ont pas changé", locks),
    Check("sheets", "Les fiches annuelles figées n’ont pas changé", sheets),
    Check("once", "Aucun achat n’est compté deux fois", once),
    Check("corrections", "Une ligne corrigée ne compte plus, et elle seule", corrections),
)


@dataclass(frozen=True)
class Checked:
    """What one check found: the first ``findings``, and how many in all (``count``)."""

    check: Check
    findings: list[Finding]
    count: int


@dataclass(frozen=True)
class CheckReport:
    lines: int
    entries: int
    checked: list[Checked]

    @property
    def count(self) -> int:
        return sum(checked.count for checked in self.checked)

    @property
    def findings(self) -> list[Finding]:
        return [finding for checked in self.checked for finding in checked.findings]

    @property
    def is_coherent(self) -> bool:
        return self.count == 0


def check_ledger(scope: Scope, *, keep: int) -> CheckReport:
    """Run every check; the first ``keep`` findings of each are kept, all are counted."""
    checked = []
    for check in CHECKS:
        found, count = [], 0
        for finding in check.run(scope):
            count += 1
            if count <= keep:
                found.append(finding)
        checked.append(Checked(check, found, count))
    return CheckReport(scope.validated().count(), scope.entries().count(), checked)
