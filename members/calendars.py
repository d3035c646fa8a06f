"""The council calendars of a whole territory: its rows, its filters, its columns on screen and as an export."""

from datetime import date

import django_filters
import django_tables2 as tables
from django import forms
from django.db.models import Case, F, FilteredRelation, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When

from members.models import Affiliation, CouncilSession, Organisation
from procurement.core.exports import Column
from procurement.core.forms import StyledFormMixin

#: Which lines to show: key → (label, condition on the rows of ``calendar_rows``).
LINES = {
    "prochaines": ("La prochaine de chacun", Q(session_pk=None) | Q(meeting_on=F("next_on"))),
    "sans": ("Organismes sans séance connue", Q(session_pk=None)),
}
_WIDE_SCREEN = {"th": {"class": "d-none d-md-table-cell"}, "td": {"class": "d-none d-md-table-cell wrap"}}


def calendar_rows(affiliation: Affiliation | None, today: date) -> QuerySet[Organisation]:
    """One row per body and coming session (today included), and one per body without any.

    Adds ``session_pk``, ``meeting_on``, ``agenda_closes_on``, ``convened_on``, ``is_first_after_renewal``,
    ``has_explanatory_note``, ``session_source``, all None without a session, and ``next_on``, the body's next date.
    First the bodies nobody knows a session of, then the next one of each by date, then the later ones.
    """
    upcoming = CouncilSession.objects.filter(organisation=OuterRef("pk"), meeting_on__gte=today).order_by("meeting_on")
    rows = Organisation.objects.visible_to(affiliation).annotate(
        coming=FilteredRelation("sessions", condition=Q(sessions__meeting_on__gte=today)),
        session_pk=F("coming__pk"),
        meeting_on=F("coming__meeting_on"),
        agenda_closes_on=F("coming__agenda_closes_on"),
        convened_on=F("coming__convened_on"),
        is_first_after_renewal=F("coming__is_first_after_renewal"),
        has_explanatory_note=F("coming__has_explanatory_note"),
        session_source=F("coming__source"),
        next_on=Subquery(upcoming.values("meeting_on")[:1]),
    )
    rank = Case(
        When(session_pk=None, then=Value(0)),
        When(meeting_on=F("next_on"), then=Value(1)),
        default=Value(2),
        output_field=IntegerField(),
    )
    return rows.order_by(rank, "meeting_on", "sort_name", "pk")


class FilterForm(StyledFormMixin, forms.Form):
    """The filters, with the project's look."""


class CalendarFilter(django_filters.FilterSet):
    """One body, and which lines. ``bodies`` are those offered, as (number, name)."""

    organisme = django_filters.ChoiceFilter(field_name="pk", label="Organisme", choices=[], empty_label="Tous")
    lignes = django_filters.ChoiceFilter(
        method="among",
        label="Séances",
        choices=[(key, label) for key, (label, _) in LINES.items()],
        empty_label="Toutes celles à venir",
    )

    class Meta:
        model = Organisation
        form = FilterForm
        fields: list[str] = []

    def __init__(self, *args, bodies: list[tuple[int, str]], **kwargs):
        super().__init__(*args, **kwargs)
        self.filters["organisme"].extra["choices"] = bodies

    def among(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        return queryset.filter(LINES[value][1])


class CalendarTable(tables.Table):
    """One row of ``calendar_rows`` per session. ``writable``: the bodies whose calendar the reader may write."""

    name = tables.TemplateColumn(
        template_name="members/session_name_cell.html",
        verbose_name="Organisme",
        order_by=("sort_name", "pk", "meeting_on"),
    )
    meeting_on = tables.TemplateColumn(template_name="members/session_date_cell.html", verbose_name="Séance")
    agenda_closes_on = tables.DateColumn(
        "d/m/Y", verbose_name="Clôture de l’ordre du jour", default="—", attrs=_WIDE_SCREEN
    )
    convened_on = tables.DateColumn("d/m/Y", verbose_name="Convocation envoyée le", default="—", attrs=_WIDE_SCREEN)
    session_source = tables.Column("Source", orderable=False, default="—", attrs=_WIDE_SCREEN)
    action = tables.TemplateColumn(
        template_name="members/session_action_cell.html",
        verbose_name="Saisie",
        orderable=False,
        attrs={"th": {"class": "no-print"}, "td": {"class": "no-print text-nowrap"}},
    )

    class Meta:
        model = Organisation
        fields = ("name", "meeting_on", "agenda_closes_on", "convened_on", "session_source", "action")
        empty_text = "Aucune séance ne correspond."

    caption = "Séances à venir, triables par colonne"

    def __init__(self, *args, writable: frozenset[int] = frozenset(), **kwargs):
        super().__init__(*args, exclude=() if writable else ("action",), **kwargs)
        self.writable = writable

    def order_meeting_on(self, queryset: QuerySet, descending: bool) -> tuple[QuerySet, bool]:
        """By date alone; the bodies without a session stay on top, whatever the database."""
        known = F("meeting_on").desc(nulls_last=True) if descending else F("meeting_on").asc(nulls_first=True)
        return queryset.order_by(known, "sort_name", "pk"), True

    def order_agenda_closes_on(self, queryset: QuerySet, descending: bool) -> tuple[QuerySet, bool]:
        return _known_first("agenda_closes_on", queryset, descending)

    def order_convened_on(self, queryset: QuerySet, descending: bool) -> tuple[QuerySet, bool]:
        return _known_first("convened_on", queryset, descending)


def _known_first(field: str, queryset: QuerySet, descending: bool) -> tuple[QuerySet, bool]:
    """What is unknown comes last either way, whatever the database."""
    known = F(field).desc(nulls_last=True) if descending else F(field).asc(nulls_last=True)
    return queryset.order_by(known, F("meeting_on").asc(nulls_last=True), "sort_name", "pk"), True


def _note(row: Organisation) -> str | None:
    return None if row.has_explanatory_note is None else "oui" if row.has_explanatory_note else "non"


EXPORT_COLUMNS = (
    Column("Organisme", "name", width=40),
    Column("Nature", lambda row: row.get_kind_display(), width=22),
    Column("SIREN", "siren", width=12),
    Column("Séance du", "meeting_on", "date"),
    Column("Clôture de l’ordre du jour", "agenda_closes_on", "date", width=16),
    Column("Convocation envoyée le", "convened_on", "date", width=16),
    Column("Séance d’installation", "is_first_after_renewal", "boolean", width=14),
    Column("Note de synthèse jointe", _note, width=14),
    Column("Source", "session_source"),
)
#: The sample to fill in: one line per body, its dates left blank.
TEMPLATE_COLUMNS = (
    Column("SIREN", "siren", width=12),
    Column("Organisme", "name", width=40),
    Column("Séance du", lambda body: None, "date", width=14),
    Column("Clôture de l’ordre du jour", lambda body: None, "date", width=16),
    Column("Convocation envoyée le", lambda body: None, "date", width=16),
    Column("Source", lambda body: None),
)
