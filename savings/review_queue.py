"""The lines that wait for finance, as a controller reads them: by lot, the one that waits longest first."""

from dataclasses import dataclass

import django_filters
from django.db.models import F, Min, QuerySet, Window
from django.db.models.functions import Coalesce

from procurement.core.forms import style
from savings.choices import GainStage, Grade
from savings.four_eyes import budget_rate, needs_comment, own_part, purchase_rate, refusal
from savings.models import PriceLine

_MEMBERSHIP = "baseline__membership__"


def waiting(affiliation) -> QuerySet[PriceLine]:
    """The submitted lines the affiliation may read, those of a lot together, the oldest lot first."""
    lines = PriceLine.objects.visible_to(affiliation).awaiting_finance()
    return lines.select_related(
        "baseline__lot",
        f"{_MEMBERSHIP}grouping__coordinator",
        f"{_MEMBERSHIP}organisation",
        "baseline__evidence",
    )


def by_lot(lines: QuerySet[PriceLine]) -> QuerySet[PriceLine]:
    """In the order of the page."""
    oldest = Window(Min("submitted_at"), partition_by=F("baseline__lot"))
    return lines.annotate(lot_waits_since=Coalesce(oldest, F("submitted_at"))).order_by(
        "lot_waits_since", "baseline__lot", "submitted_at", "pk"
    )


class QueueFilter(django_filters.FilterSet):
    """By grouping, by member, by stage, by grade: what the queue holds is what can be chosen."""

    groupement = django_filters.ChoiceFilter(
        field_name=f"{_MEMBERSHIP}grouping_id", label="Groupement", empty_label="Tous"
    )
    membre = django_filters.ChoiceFilter(field_name=f"{_MEMBERSHIP}organisation_id", label="Membre", empty_label="Tous")
    stade = django_filters.ChoiceFilter(field_name="stage", label="Stade", choices=GainStage, empty_label="Tous")
    fiabilite = django_filters.ChoiceFilter(
        field_name="baseline__grade", label="Fiabilité", choices=Grade, empty_label="Toutes"
    )

    class Meta:
        model = PriceLine
        fields: list[str] = []

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        lines = self.queryset.order_by()
        grouping, body = f"{_MEMBERSHIP}grouping", f"{_MEMBERSHIP}organisation"
        groupings = lines.values_list(f"{grouping}_id", f"{grouping}__reference", f"{grouping}__title").distinct()
        bodies = lines.values_list(f"{body}_id", f"{body}__name", f"{body}__sort_name").distinct()
        self.filters["groupement"].extra["choices"] = [
            (pk, f"{reference} – {title}") for pk, reference, title in sorted(groupings, key=lambda row: row[1])
        ]
        self.filters["membre"].extra["choices"] = [(pk, name) for pk, name, _ in sorted(bodies, key=lambda row: row[2])]
        for field in self.form.fields.values():
            style(field)


@dataclass(frozen=True)
class QueueRow:
    """One waiting line as it is shown. ``blocked``: why the reader cannot check its box, "" when it can."""

    line: PriceLine
    blocked: str

    @property
    def key(self) -> str:
        """What the box sends: the line, and the version that was read."""
        return f"{self.line.pk}:{self.line.version}"

    @property
    def budget_rate(self):
        return budget_rate(self.line)

    @property
    def purchase_rate(self):
        return purchase_rate(self.line)

    @property
    def is_plausible(self) -> bool:
        return not needs_comment(self.line)


@dataclass(frozen=True)
class LotRows:
    """The waiting lines of one lot."""

    lot: object
    rows: list[QueueRow]


def queue_rows(lines: list[PriceLine], affiliation, *, may_validate: bool) -> list[LotRows]:
    """``lines`` in their order, cut at each lot."""
    lots: list[LotRows] = []
    for line in lines:
        if not lots or lots[-1].lot.pk != line.baseline.lot_id:
            lots.append(LotRows(line.baseline.lot, []))
        lots[-1].rows.append(QueueRow(line, _blocked(line, affiliation) if may_validate else ""))
    return lots


def _blocked(line: PriceLine, affiliation) -> str:
    if part := own_part(line, affiliation.user_id):
        return f"À valider par une autre personne\u00a0: {part}."
    return refusal(line)
