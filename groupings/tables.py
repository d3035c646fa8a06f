"""The groupings list: its rows, its columns on screen, and the same columns as an export."""

from decimal import Decimal

import django_tables2 as tables
from django.db.models import Case, DecimalField, F, IntegerField, OuterRef, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Cast

from groupings.choices import Category, GroupingStatus
from groupings.models import Grouping, NeedLine
from members.models import sort_key
from procurement.core.exports import Column
from procurement.core.money import format_euros

TOTAL = "Total estimé (€ HT)"
OWN_TOTAL = "Vos besoins (€ HT)"


def _kept_together(heading: str) -> str:
    """On screen « € HT » is never cut in two; a spreadsheet's heading keeps plain spaces, easier to look for."""
    return heading.replace("€ HT", "€\u00a0HT")


def grouping_rows(affiliation) -> QuerySet:
    """The groupings an affiliation may see, with the figures of the list.

    Adds ``members`` (declared participants when the grouping is only declared), ``executory_count``, and ``amount`` in
    euros excluding tax: for the coordinator's people the total of the needs, or the declared amount; for a member's
    people the needs of their own body, never the others'.
    """
    rows = Grouping.objects.visible_to(affiliation).with_figures().select_related("coordinator")
    rows = rows.order_by("-opened_on", "reference", "pk")  # grouping by for the counts drops the model's own order
    if affiliation is not None and not affiliation.sees_whole_territory:
        own = NeedLine.objects.active().filter(membership__organisation_id=affiliation.organisation_id)
        return rows.annotate(
            members=F("member_count"),
            amount=_known_total(own),
        )
    amounts = DecimalField(max_digits=18, decimal_places=2)
    return rows.annotate(
        members=Case(When(is_declared_only=True, then=F("declared_participants")), default=F("member_count")),
        amount=Case(
            When(is_declared_only=True, then=Cast("declared_amount_excl_tax", amounts)),
            default=_known_total(NeedLine.objects.active()),
            output_field=amounts,
        ),
    )


def _known_total(needs: QuerySet) -> Subquery:
    """The sum of a grouping's needs in euros excluding tax; null when nobody said an amount: unknown is not zero."""
    of_grouping = needs.order_by().filter(membership__grouping=OuterRef("pk")).values("membership__grouping")
    return Subquery(
        of_grouping.annotate(total=Sum("estimated_amount_excl_tax")).values("total"),
        output_field=DecimalField(max_digits=18, decimal_places=2),
    )


def _ranked(queryset: QuerySet, field: str, ordered: list, *, descending: bool) -> tuple[QuerySet, bool]:
    """Sort by the place of ``field`` in ``ordered``, then by reference; the answer django-tables2 expects."""
    rank = Case(
        *(When(**{field: value}, then=Value(place)) for place, value in enumerate(ordered)),
        default=Value(len(ordered)),
        output_field=IntegerField(),
    )
    return queryset.order_by(rank.desc() if descending else rank.asc(), "reference", "pk"), True


class GroupingTable(tables.Table):
    """One row of ``grouping_rows`` per grouping. ``own_amounts``: the amounts are those of the reader's own body."""

    reference = tables.Column("Référence", attrs={"td": {"class": "text-nowrap"}})
    title = tables.Column("Objet", linkify=("grouping_detail", [tables.A("pk")]))
    status = tables.TemplateColumn(template_name="groupings/_stage_cell.html", verbose_name="Étape")
    category = tables.Column("Catégorie")
    coordinator = tables.Column("Coordonnateur", order_by=("coordinator__sort_name", "reference"))
    members = tables.Column("Membres", attrs={"th": {"class": "text-end"}, "td": {"class": "text-end"}})
    opened_on = tables.DateColumn("d/m/Y", verbose_name="Ouvert le")
    amount = tables.Column(
        _kept_together(TOTAL), attrs={"th": {"class": "text-end"}, "td": {"class": "text-end text-nowrap"}}, default="—"
    )

    class Meta:
        model = Grouping
        fields = ("reference", "title", "status", "category", "coordinator", "members", "opened_on", "amount")
        empty_text = "Aucun groupement ne correspond."

    caption = "Groupements de commandes, triables par colonne"

    def __init__(self, *args, own_amounts: bool = False, **kwargs):
        super().__init__(*args, **kwargs)
        if own_amounts:
            self.columns["amount"].column.verbose_name = _kept_together(OWN_TOTAL)

    def render_amount(self, value: Decimal) -> str:
        return format_euros(value)

    def order_title(self, queryset: QuerySet, descending: bool) -> tuple[QuerySet, bool]:
        """In French order: SQLite would put É after Z."""
        titles = sorted(queryset.order_by("pk").values_list("title", "pk"), key=lambda row: (sort_key(row[0]), row[1]))
        return _ranked(queryset, "pk", [pk for _, pk in titles], descending=descending)

    def order_status(self, queryset: QuerySet, descending: bool) -> tuple[QuerySet, bool]:
        """In the order of the life cycle."""
        return _ranked(queryset, "status", GroupingStatus.values, descending=descending)

    def order_amount(self, queryset: QuerySet, descending: bool) -> tuple[QuerySet, bool]:
        return self._known_first("amount", queryset, descending)

    def order_members(self, queryset: QuerySet, descending: bool) -> tuple[QuerySet, bool]:
        return self._known_first("members", queryset, descending)

    def _known_first(self, field: str, queryset: QuerySet, descending: bool) -> tuple[QuerySet, bool]:
        """What is unknown comes last either way, whatever the database."""
        known = F(field).desc(nulls_last=True) if descending else F(field).asc(nulls_last=True)
        return queryset.order_by(known, "reference", "pk"), True

    def order_category(self, queryset: QuerySet, descending: bool) -> tuple[QuerySet, bool]:
        return _ranked(queryset, "category", Category.values, descending=descending)


def export_columns(*, own_amounts: bool) -> tuple[Column, ...]:
    """The columns of the screen, with real numbers and dates, and the ones a spreadsheet has room for."""
    return (
        Column("Référence", "reference", width=16),
        Column("Objet", "title", width=48),
        Column("Étape", lambda row: row.get_status_display(), width=26),
        Column("Catégorie", lambda row: row.get_category_display(), width=18),
        Column("Coordonnateur", "coordinator.name", width=36),
        Column("Membres", "members", "integer"),
        Column("Ouvert le", "opened_on", "date"),
        Column(OWN_TOTAL if own_amounts else TOTAL, "amount", "euros", width=20),
        Column("Seulement déclaré", "is_declared_only", "boolean"),
        Column("Direction qui le suit", "declaring_department"),
        Column("Délibérations attendues le", "deliberations_due_on", "date", width=16),
        Column("Lancement prévu le", "launch_planned_on", "date", width=16),
        Column("Consultation lancée le", "launched_on", "date", width=16),
        Column("Clos le", "closed_on", "date"),
        Column("Source", "source"),
    )
