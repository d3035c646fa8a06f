"""The directory: its rows, its columns on screen, and the same columns as an export."""

from datetime import date

import django_tables2 as tables
from django.db.models import OuterRef, QuerySet, Subquery

from members.models import Affiliation, CouncilSession, Organisation
from members.participation import counted
from procurement.core.exports import Column
from procurement.core.money import NARROW_SPACE

_WIDE_SCREEN = {"th": {"class": "d-none d-md-table-cell"}, "td": {"class": "d-none d-md-table-cell"}}
_NUMBER = {"th": {"class": "text-end"}, "td": {"class": "amount"}}


def organisation_rows(affiliation: Affiliation | None, today: date) -> QuerySet[Organisation]:
    """The bodies an affiliation may see, with ``grouping_count`` and ``next_session_on`` (today included)."""
    upcoming = CouncilSession.objects.filter(organisation=OuterRef("pk"), meeting_on__gte=today).order_by("meeting_on")
    rows = Organisation.objects.visible_to(affiliation).select_related("parent")
    return counted(rows, affiliation).annotate(next_session_on=Subquery(upcoming.values("meeting_on")[:1]))


class OrganisationTable(tables.Table):
    """One row of ``organisation_rows`` per body."""

    name = tables.TemplateColumn(
        template_name="members/_name_cell.html",
        verbose_name="Organisme",
        order_by=("sort_name", "pk"),
        attrs={"td": {"class": "name"}},
    )
    kind = tables.Column("Nature", order_by=("kind", "sort_name"))
    parent = tables.Column("Rattaché à", order_by=("parent__sort_name", "sort_name"), default="—", attrs=_WIDE_SCREEN)
    population = tables.Column("Population", attrs=_NUMBER, default="—")
    next_session_on = tables.DateColumn("d/m/Y", verbose_name="Prochaine séance", default="—")
    grouping_count = tables.Column("Groupements", attrs=_NUMBER)

    class Meta:
        model = Organisation
        fields = ("name", "kind", "parent", "population", "next_session_on", "grouping_count")
        empty_text = "Aucun organisme ne correspond."

    caption = "Organismes membres, triables par colonne"

    def render_population(self, value: int) -> str:
        return f"{value:,}".replace(",", NARROW_SPACE)


EXPORT_COLUMNS = (
    Column("Organisme", "name", width=40),
    Column("Nature", lambda row: row.get_kind_display(), width=22),
    Column("SIREN", "siren", width=12),
    Column("SIRET du siège", "siret", width=16),
    Column("Code INSEE", "insee_code", width=12),
    Column("Rattaché à", lambda row: row.parent.name if row.parent else None, width=36),
    Column("Population municipale", "population", "integer"),
    Column("Population de référence", "reference_population", "integer"),
    Column("Prochaine séance", "next_session_on", "date"),
    Column("Groupements", "grouping_count", "integer"),
    Column("Adresse", "address", width=36),
    Column("Code postal", "postcode", width=12),
    Column("Ville", "city"),
    Column("Adresse électronique", "email"),
    Column("Téléphone", "phone", width=16),
    Column("Source", "source"),
)
