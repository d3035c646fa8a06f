"""The lines of gain on screen: their filters, their table, and the same columns as an export."""

import django_filters
import django_tables2 as tables
from django import forms
from django.db.models import IntegerField, OuterRef, Q, QuerySet, Subquery, Sum
from django.utils.text import Truncator

from groupings.filters import FilterForm
from procurement.core.exports import Column
from procurement.core.money import format_euros, format_number
from savings.choices import LINE_BADGES, GainStage, Grade, LineStatus
from savings.coverage import in_family
from savings.forms.selection import family_label
from savings.models import LedgerEntry, PriceLine
from savings.models.ledger import euros_of
from savings.overview import PROVEN
from savings.rules.rates import rate

#: The grades a reader asks for: the proven ones together, as the headline counts them, or one alone.
GRADES_ASKED = (("".join(PROVEN), "A–B, prouvée"), *((grade.value, grade.value) for grade in Grade))
KINDS_ASKED = (("recurrent", "Récurrent"), ("ponctuel", "Ponctuel"))


def line_rows(affiliation) -> QuerySet[PriceLine]:
    """The lines the affiliation may read, in the order of groupings, lots and members."""
    return (
        PriceLine.objects.visible_to(affiliation)
        .select_related("baseline__lot__grouping", "baseline__membership__organisation")
        .order_by(
            "baseline__lot__grouping__reference",
            "baseline__lot__grouping_id",
            "baseline__lot__number",
            "baseline__membership__organisation__sort_name",
            "baseline__designation",
            "stage",
            "pk",
        )
    )


def counted_in(lines: QuerySet[PriceLine], year: int) -> QuerySet[PriceLine]:
    """The lines with a posting in ``year``, with what they count there: their sum is the total of that year."""
    of_line = LedgerEntry.objects.filter(line=OuterRef("pk"), year=year).order_by().values("line")

    def total(name: str) -> Subquery:
        return Subquery(of_line.annotate(total=Sum(name)).values("total"), output_field=IntegerField())

    return lines.annotate(
        counted_budget=total("budget_gain_cents"),
        counted_purchase=total("purchase_gain_cents"),
        counted_base=total("baseline_budget_cents"),
    ).filter(counted_budget__isnull=False)


class LineFilter(django_filters.FilterSet):
    """By year of counting, stage, state, family, grouping, member; losses only, unmeasured only.

    With a year, every line that counts in it, corrected ones included: they add up to the total of the year. Without,
    the lines that stand today.
    """

    annee = django_filters.ChoiceFilter(method="of_year", label="Compte dans l’exercice", empty_label="Tous")
    stade = django_filters.ChoiceFilter(
        field_name="stage", label="Stade", choices=GainStage.choices, empty_label="Tous"
    )
    etat = django_filters.ChoiceFilter(
        field_name="status", label="État", choices=LineStatus.choices, empty_label="Tous"
    )
    famille = django_filters.ChoiceFilter(method="of_family", label="Famille", empty_label="Toutes")
    groupement = django_filters.ChoiceFilter(
        field_name="baseline__membership__grouping_id", label="Groupement", empty_label="Tous"
    )
    membre = django_filters.ChoiceFilter(
        field_name="baseline__membership__organisation_id", label="Membre", empty_label="Tous"
    )
    fiabilite = django_filters.ChoiceFilter(
        method="of_grade", label="Fiabilité", choices=GRADES_ASKED, empty_label="Toutes"
    )
    achat = django_filters.ChoiceFilter(method="of_kind", label="Achat", choices=KINDS_ASKED, empty_label="Tous")
    pertes = django_filters.BooleanFilter(method="losing", label="Pertes seulement", widget=forms.CheckboxInput)
    non_mesurees = django_filters.BooleanFilter(
        method="unmeasured", label="Non mesurées seulement", widget=forms.CheckboxInput
    )

    class Meta:
        model = PriceLine
        form = FilterForm
        fields: list[str] = []

    def __init__(self, *args, affiliation, **kwargs):
        super().__init__(*args, **kwargs)
        entries = LedgerEntry.objects.visible_to(affiliation).order_by()
        years = sorted(set(entries.values_list("year", flat=True).distinct()), reverse=True)
        self.filters["annee"].extra["choices"] = [(year, str(year)) for year in years]
        visible = PriceLine.objects.visible_to(affiliation).order_by()
        keys = list(
            visible.values_list(
                "baseline__lot__grouping_id",
                "baseline__lot__grouping__reference",
                "baseline__lot__grouping__title",
                "baseline__lot__cpv",
                "baseline__lot__grouping__cpv",
            ).distinct()
        )
        groupings = sorted({(reference, title, pk) for pk, reference, title, _, _ in keys})
        self.filters["groupement"].extra["choices"] = [
            (pk, Truncator(f"{reference} – {title}").chars(60)) for reference, title, pk in groupings
        ]
        families = sorted({(cpv or grouping_cpv)[:2] for *_, cpv, grouping_cpv in keys})
        self.filters["famille"].extra["choices"] = [(each, family_label(each)) for each in families]
        bodies = visible.values_list(
            "baseline__membership__organisation__sort_name",
            "baseline__membership__organisation_id",
            "baseline__membership__organisation__name",
        ).distinct()
        members = [(pk, name) for _, pk, name in sorted(bodies)]
        if len(members) > 1:  # the coordinator's people; a member has its own lines alone
            self.filters["membre"].extra["choices"] = members
        else:
            del self.filters["membre"]

    @property
    def year(self) -> int | None:
        """The year asked, None without or with one that is not offered."""
        asked = self._asked("annee")
        return int(asked) if asked else None

    @property
    def is_one_stage(self) -> bool:
        return bool(self._asked("stade"))

    def _asked(self, name: str):
        """The value of one filter; None when it was refused: the others still count."""
        return self.form.cleaned_data.get(name) if self.is_bound and self.errors is not None else None

    def filter_queryset(self, queryset: QuerySet) -> QuerySet:
        if self.year is None:
            queryset = queryset.filter(is_superseded=False)
            if self._asked("etat") != LineStatus.REJECTED:
                queryset = queryset.exclude(status=LineStatus.REJECTED)
        return super().filter_queryset(queryset)

    def of_year(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        return counted_in(queryset, int(value))

    def of_family(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        return queryset.filter(in_family("baseline__lot__", value))

    def of_grade(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        return queryset.filter(baseline__grade__in=list(value))

    def of_kind(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        return queryset.filter(is_one_off=value == "ponctuel")

    def losing(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        """In the year when one is asked, else of the line; the reversal of a corrected line is no loss."""
        if not value:
            return queryset
        counting = "budget_gain__lt" if self.year is None else "counted_budget__lt"
        return queryset.filter(**{counting: 0}, is_superseded=False)

    def unmeasured(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        """A price is missing: the line counts in no total, and nowhere as zero."""
        missing = Q(price_before__isnull=True) | Q(price_obtained__isnull=True)
        return queryset.filter(missing) if value else queryset


def counted(line: PriceLine, name: str):
    """What ``line`` counts in the year asked, € excl. tax; None without a year."""
    value = getattr(line, f"counted_{name}", None)
    return None if value is None else euros_of(value)


AMOUNT = {"td": {"class": "amount"}, "th": {"class": "text-end"}}


class LineTable(tables.Table):
    """One row per line: what it is, its two prices, its two gains (those of the year when one is asked), its state."""

    designation = tables.TemplateColumn(
        template_name="savings/_line_cell.html",
        verbose_name="Désignation",
        accessor="baseline__designation",
        attrs={"td": {"class": "wrap name"}},
    )
    member = tables.Column(
        "Membre",
        accessor="baseline__membership__organisation__name",
        order_by="baseline__membership__organisation__sort_name",
    )
    quantity = tables.Column("Quantité", orderable=False, attrs=AMOUNT)
    price_before = tables.Column(
        "Prix de référence",
        orderable=False,
        default="—",
        attrs=AMOUNT,
    )
    price_obtained = tables.Column("Prix obtenu", orderable=False, default="—", attrs=AMOUNT)
    counted_budget = tables.Column("Gain budgétaire compté", default="—", attrs=AMOUNT)
    counted_purchase = tables.Column("Gain achat compté", default="—", attrs=AMOUNT)
    budget_gain = tables.Column("Gain budgétaire", default="—", attrs=AMOUNT)
    purchase_gain = tables.Column("Gain achat", default="—", attrs=AMOUNT)
    grade = tables.Column("Fiabilité", accessor="baseline__grade", orderable=False)
    status = tables.TemplateColumn("{% etat record.badge %}", verbose_name="État", orderable=False)

    class Meta:
        model = PriceLine
        fields = (
            "designation",
            "member",
            "quantity",
            "price_before",
            "price_obtained",
            "counted_budget",
            "counted_purchase",
            "budget_gain",
            "purchase_gain",
            "grade",
            "status",
        )
        sequence = fields

    caption = "Lignes de gain"

    def render_grade(self, record) -> str:
        return record.baseline.grade

    def render_quantity(self, value) -> str:
        return format_number(value)

    def render_price_before(self, value) -> str:
        return f"{format_number(value, 2)}\u00a0€"

    render_price_obtained = render_price_before

    def render_counted_budget(self, value) -> str:
        return format_euros(euros_of(value))

    render_counted_purchase = render_counted_budget

    def render_budget_gain(self, value) -> str:
        return format_euros(value)

    render_purchase_gain = render_budget_gain


LINE_COLUMNS = (
    Column("Groupement", "baseline.lot.grouping.reference", width=16),
    Column("Objet", "baseline.lot.grouping.title", width=40),
    Column("Lot", "baseline.lot.number", "integer", width=8),
    Column("Membre", "baseline.membership.organisation.name", width=36),
    Column("SIREN du membre", "baseline.membership.organisation.siren", width=20),
    Column("Désignation", "baseline.designation", width=44),
    Column("Unité", lambda line: line.baseline.unit or None, width=12),
    Column("Stade", lambda line: line.get_stage_display(), width=12),
    Column("Année réalisée", "year", width=14),
    Column("Quantité", "quantity", "decimal"),
    Column("Prix de référence (€ HT)", "price_before", "decimal", width=22),
    Column("Coefficient d’indexation", "index_factor", "decimal", width=22),
    Column("Prix obtenu (€ HT)", "price_obtained", "decimal", width=20),
    Column("Référence (€ HT)", "baseline_budget", "euros", width=18),
    Column("Obtenu (€ HT)", "obtained", "euros"),
    Column("Gain budgétaire (€ HT)", "budget_gain", "euros", width=22),
    Column(
        "Taux de gain budgétaire",
        lambda line: None if line.budget_gain is None else rate(line.budget_gain, line.baseline_budget),
        "percent",
        width=22,
    ),
    Column("Gain achat (€ HT)", "purchase_gain", "euros", width=18),
    Column("Compté dans l’exercice, gain budgétaire (€ HT)", lambda line: counted(line, "budget"), "euros", width=44),
    Column("Compté dans l’exercice, gain achat (€ HT)", lambda line: counted(line, "purchase"), "euros", width=40),
    Column("Achat ponctuel", "is_one_off", "boolean", width=14),
    Column("Effet au", "starts_on", "date"),
    Column("Durée (mois)", "months", "integer"),
    Column("Fiabilité", "baseline.grade", width=10),
    Column("Méthode", lambda line: line.baseline.get_method_display(), width=32),
    Column("État", lambda line: LINE_BADGES[line.status].word, width=12),
    Column("Remplacée par sa correction", "is_superseded", "boolean", width=26),
)
