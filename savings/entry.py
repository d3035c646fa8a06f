"""The page of entry of one grouping: per lot, who has which reference prices, what stands on them, what is missing."""

from dataclasses import dataclass, field
from datetime import datetime

from django.utils import timezone

from groupings.choices import Badge
from groupings.models import Award, AwardShare, Grouping, GroupingDocument, Lot, Membership, NeedLine
from groupings.price_file import decimals
from savings.actions.baseline import freeze_refusal
from savings.actions.line import submission_refusal
from savings.choices import EDITABLE, GainStage, LineStatus
from savings.models import Baseline, PriceLine
from savings.rules.baseline import is_late
from savings.stages import deadlines, notified_awards, stage_refusal

_STAGES = list(GainStage)


@dataclass(frozen=True)
class LineRow:
    """One line under its reference. ``refusal``: why it cannot be submitted now; ``may_edit``: still the buyer's."""

    line: PriceLine
    refusal: str
    may_edit: bool

    @property
    def price(self) -> str:
        """The price obtained, written to its last decimal."""
        return "—" if self.line.price_obtained is None else decimals(self.line.price_obtained)

    @property
    def label(self) -> str:
        stage = self.line.get_stage_display()
        return f"{stage} {self.line.year}" if self.line.year else stage

    @property
    def may_take_back(self) -> bool:
        return self.line.status == LineStatus.SUBMITTED


@dataclass
class Reference:
    """One reference price, its state, its lines, and the stages another line may be written at."""

    baseline: Baseline
    evidence: GroupingDocument | None
    freeze_refusal: str
    lines: list[LineRow] = field(default_factory=list)
    stages: list[tuple[str, str]] = field(default_factory=list)

    @property
    def price(self) -> str:
        return "—" if self.baseline.price_before is None else decimals(self.baseline.price_before)

    @property
    def badge(self) -> Badge:
        return baseline_badge(self.baseline)

    @property
    def awaits_mean(self) -> bool:
        return self.baseline.is_frozen and self.baseline.price_before is None

    @property
    def is_replaceable(self) -> bool:
        standing = (LineStatus.SUBMITTED, LineStatus.VALIDATED)
        return self.baseline.is_frozen and not any(row.line.status in standing for row in self.lines)


@dataclass
class MemberPart:
    membership: Membership
    references: list[Reference] = field(default_factory=list)


@dataclass
class LotPart:
    """One lot: its members, when its references must be frozen, what is ready."""

    lot: Lot
    award: Award | None
    due_at: datetime | None
    is_late: bool
    members: list[MemberPart] = field(default_factory=list)

    @property
    def references(self) -> list[Reference]:
        return [reference for member in self.members for reference in member.references]

    @property
    def to_freeze(self) -> list[Baseline]:
        """Those complete and not frozen."""
        return [one.baseline for one in self.references if not one.baseline.is_frozen and not one.freeze_refusal]

    @property
    def incomplete(self) -> list[Reference]:
        return [one for one in self.references if not one.baseline.is_frozen and one.freeze_refusal]

    @property
    def unmeasured(self) -> list[MemberPart]:
        return [member for member in self.members if not member.references]


@dataclass
class Entry:
    """The whole page: the lots shown, and ``all_lots`` to choose from."""

    grouping: Grouping
    lots: list[LotPart]
    all_lots: list[Lot]

    @property
    def ready(self) -> list[PriceLine]:
        """The drafts finance would take as they are."""
        rows = [row for lot in self.lots for reference in lot.references for row in reference.lines]
        return [row.line for row in rows if row.may_edit and not row.refusal]


def baseline_badge(baseline: Baseline) -> Badge:
    """The state of a reference: colour, icon and word."""
    if baseline.is_confirmed:
        return Badge("Confirmé", "green", "check-circle-fill")
    if baseline.objection:
        return Badge("Contesté", "late", "exclamation-triangle-fill")
    if not baseline.is_frozen:
        return Badge("À figer", "neutral", "pencil")
    if baseline.price_before is None:
        return Badge("Figé, prix à venir", "amber", "clock")
    return Badge("Figé, à confirmer", "amber", "clock")


def takers(grouping: Grouping) -> dict[int, set[int]]:
    """Lot → the memberships that buy it: those with a need or a share. A lot whose needs nobody recorded is absent:
    every member may buy it. Two queries."""
    found: dict[int, set[int]] = {}
    needs = NeedLine.objects.filter(lot__grouping=grouping).values_list("lot_id", "membership_id")
    shares = AwardShare.objects.filter(award__lot__grouping=grouping).values_list("award__lot_id", "membership_id")
    for lot_id, membership_id in (*needs.order_by(), *shares.order_by()):
        found.setdefault(lot_id, set()).add(membership_id)
    return found


def entry_of(grouping: Grouping, affiliation, now: datetime, *, own: int | None, lot_number: str = "") -> Entry:
    """What ``affiliation`` may read of the prices of ``grouping``. ``own``: the body whose rows alone are told, None
    for the coordinator's people; ``lot_number``: one lot when it is one of the grouping's. Seven queries."""
    all_lots = list(grouping.lots.all())
    lots = [lot for lot in all_lots if str(lot.number) == lot_number] or all_lots
    members = grouping.memberships.select_related("organisation")
    if own is not None:
        members = members.filter(organisation_id=own)
    memberships = {membership.pk: membership for membership in members}
    buying = takers(grouping)
    due, awards = deadlines(lot.pk for lot in lots), notified_awards(lot.pk for lot in lots)
    parts = {lot.pk: LotPart(lot, awards.get(lot.pk), due.get(lot.pk), is_late(now, due.get(lot.pk))) for lot in lots}
    found: dict[tuple[int, int], MemberPart] = {}
    for lot_id, part in parts.items():
        for membership in memberships.values():
            membership.grouping = grouping
            found[lot_id, membership.pk] = MemberPart(membership)
            if membership.is_bound and membership.pk in buying.get(lot_id, memberships):
                part.members.append(found[lot_id, membership.pk])
    references = _references(parts, memberships, affiliation, now)
    for reference in references.values():
        key = (reference.baseline.lot_id, reference.baseline.membership_id)
        if not found[key].references and found[key] not in parts[key[0]].members:
            parts[key[0]].members.append(found[key])
        found[key].references.append(reference)
    _add_lines(references, parts, affiliation, timezone.localtime(now).year)
    for part in parts.values():
        part.members.sort(key=lambda member: (member.membership.organisation.sort_name, member.membership.pk))
    return Entry(grouping, list(parts.values()), all_lots)


def _references(
    parts: dict[int, LotPart], memberships: dict[int, Membership], affiliation, now: datetime
) -> dict[int, Reference]:
    rows = Baseline.objects.visible_to(affiliation).current().filter(lot__in=parts, membership__in=memberships)
    found = {}
    for baseline in rows.select_related("evidence").order_by("designation", "pk"):
        part = parts[baseline.lot_id]
        baseline.lot, baseline.membership = part.lot, memberships[baseline.membership_id]
        found[baseline.pk] = Reference(baseline, baseline.evidence, freeze_refusal(baseline, now, part.due_at))
    return found


def _add_lines(references: dict[int, Reference], parts: dict[int, LotPart], affiliation, this_year: int) -> None:
    lines = PriceLine.objects.visible_to(affiliation).current().filter(baseline__lot__in=parts)
    for line in lines.order_by("pk"):
        if line.baseline_id not in references:
            continue
        reference = references[line.baseline_id]
        line.baseline = reference.baseline
        is_open = line.status in EDITABLE
        award = parts[reference.baseline.lot_id].award
        refusal = submission_refusal(line, award, this_year) if is_open else ""
        reference.lines.append(LineRow(line, refusal, is_open))
    for reference in references.values():
        award, grouping = parts[reference.baseline.lot_id].award, reference.baseline.membership.grouping
        taken = {row.line.stage for row in reference.lines if row.line.stage != GainStage.REALISED}
        reference.lines.sort(key=lambda row: (_STAGES.index(row.line.stage), row.line.year or 0))
        reference.stages = [
            (stage.value, stage.label)
            for stage in GainStage
            if stage not in taken
            # The year of a realised line is asked for by its form.
            and not stage_refusal(stage, grouping, award, (award.starts_on or award.notified_on).year if award else 0)
        ]
