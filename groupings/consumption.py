"""The lines of consumption on screen: their filters, their table, and the same columns as an export."""

import django_filters
import django_tables2 as tables
from django.db.models import Q, QuerySet

from groupings.execution import Contract, MemberPart
from groupings.models import ConsumptionLine, Grouping
from procurement.core.exports import Column
from procurement.core.forms import style
from procurement.core.money import format_euros, format_number


def consumption_rows(grouping: Grouping, affiliation) -> QuerySet:
    """The lines of one grouping the affiliation may read: a member, its own alone."""
    lines = ConsumptionLine.objects.visible_to(affiliation).filter(membership__grouping=grouping)
    return lines.select_related("award__lot", "membership__organisation").order_by("-invoiced_on", "reference", "pk")


class ConsumptionFilter(django_filters.FilterSet):
    """By lot, by member (for who sees them all), by number or label, between two dates."""

    lot = django_filters.ChoiceFilter(field_name="award__lot__number", label="Lot", empty_label="Tous")
    membre = django_filters.ChoiceFilter(field_name="membership_id", label="Membre", empty_label="Tous")
    q = django_filters.CharFilter(method="search", label="Facture, mandat ou libellé", max_length=200)

    class Meta:
        model = ConsumptionLine
        fields: list[str] = []

    def __init__(self, *args, contracts: list[Contract], with_members: bool, **kwargs):
        super().__init__(*args, **kwargs)
        self.filters["lot"].extra["choices"] = [
            (contract.award.lot.number, str(contract.award.lot)) for contract in contracts
        ]
        if with_members:
            bodies = {part.membership.pk: part.membership.organisation for c in contracts for part in c.parts}
            named = sorted(bodies.items(), key=lambda item: item[1].sort_name)
            self.filters["membre"].extra["choices"] = [(pk, body.name) for pk, body in named]
        else:
            del self.filters["membre"]
        for field in self.form.fields.values():
            style(field)

    def search(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        return queryset.filter(Q(reference__icontains=value) | Q(label__icontains=value))


class ConsumptionTable(tables.Table):
    """One row per line of invoice or mandat."""

    invoiced_on = tables.DateColumn("d/m/Y", verbose_name="Date", attrs={"td": {"class": "text-nowrap"}})
    lot = tables.Column("Lot", accessor="award__lot__number", order_by="award__lot__number")
    member = tables.Column(
        "Membre", accessor="membership__organisation__name", order_by="membership__organisation__sort_name"
    )
    reference = tables.Column("Facture ou mandat", attrs={"td": {"class": "wrap"}})
    label = tables.Column("Libellé", orderable=False, default="—", attrs={"td": {"class": "wrap name"}})
    quantity = tables.Column("Quantité", orderable=False, default="—", attrs={"td": {"class": "amount"}})
    amount_excl_tax = tables.Column(
        "Montant (€\u00a0HT)", attrs={"td": {"class": "amount"}, "th": {"class": "text-end"}}
    )

    class Meta:
        model = ConsumptionLine
        fields = ("invoiced_on", "member", "amount_excl_tax", "lot", "reference", "label", "quantity")
        sequence = fields

    caption = "Lignes de consommation, de la plus récente à la plus ancienne"

    def render_quantity(self, value) -> str:
        return format_number(value)

    def render_amount_excl_tax(self, value) -> str:
        return format_euros(value.amount)


LINE_COLUMNS = (
    Column("Date", "invoiced_on", "date"),
    Column("Lot", "award.lot.number", "integer", width=8),
    Column("Membre", "membership.organisation.name", width=36),
    Column("SIREN du membre", "membership.organisation.siren", width=20),
    Column("Facture ou mandat n°", "reference", width=24),
    Column("Libellé", lambda line: line.label or None, width=40),
    Column("Quantité", "quantity", "decimal", width=12),
    Column("Montant (€ HT)", "amount_excl_tax", "euros"),
)

TABLE_COLUMNS = (
    Column("Lot", lambda row: row[0].award.lot.number, "integer", width=8),
    Column("Intitulé du lot", lambda row: row[0].award.lot.title, width=60),
    Column("Membre", lambda row: row[1].membership.organisation.name, width=36),
    Column("SIREN du membre", lambda row: row[1].membership.organisation.siren, width=20),
    Column("Part (€ HT)", lambda row: row[1].share, "euros"),
    Column("Consommé (€ HT)", lambda row: row[1].consumed, "euros"),
    Column("Consommé sur la part", lambda row: row[1].percent, "percent", width=24),
    Column("Lignes", lambda row: row[1].lines, "integer"),
    Column("Dernière facture", lambda row: row[1].last_on, "date", width=18),
)


def table_rows(contracts: list[Contract]) -> list[tuple[Contract, MemberPart]]:
    """One row per lot and member, as the table shows them."""
    return [(contract, part) for contract in contracts for part in contract.parts]
