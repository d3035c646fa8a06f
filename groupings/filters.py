"""The filters of the groupings list; the export takes the same ones."""

from datetime import date

import django_filters
from django import forms
from django.db.models import Max, Min, Q, QuerySet

from groupings.choices import Category, GroupingStatus
from groupings.models import Grouping
from members.models import sort_key
from procurement.core.forms import StyledFormMixin


class FilterForm(StyledFormMixin, forms.Form):
    """The filters, with the project's look."""


class GroupingFilter(django_filters.FilterSet):
    """Text (reference, title, coordinator; accents and case do not matter), stage, category, year, declared only.

    ``years`` are those offered, newest first; see ``years_of``.
    """

    q = django_filters.CharFilter(method="search", label="Recherche", max_length=200)
    etape = django_filters.ChoiceFilter(
        field_name="status", label="Étape", choices=GroupingStatus.choices, empty_label="Toutes"
    )
    categorie = django_filters.ChoiceFilter(
        field_name="category", label="Catégorie", choices=Category.choices, empty_label="Toutes"
    )
    annee = django_filters.ChoiceFilter(method="followed_in", label="Année", choices=[], empty_label="Toutes")

    declares = django_filters.BooleanFilter(method="declared", label="Seulement déclarés", widget=forms.CheckboxInput)

    class Meta:
        model = Grouping
        form = FilterForm
        fields: list[str] = []

    def __init__(self, *args, years: list[int] = (), **kwargs):
        super().__init__(*args, **kwargs)
        self.filters["annee"].extra["choices"] = [(year, str(year)) for year in years]

    def search(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """Every word typed must begin a word of the grouping. Done here because SQLite knows neither É = e nor É = é; a
        territory has at most some hundreds of groupings."""
        words = sort_key(value).split()
        if not words:
            return queryset.none() if value.strip() else queryset
        rows = queryset.order_by().values_list("pk", "reference", "title", "coordinator__name")
        return queryset.filter(pk__in=[pk for pk, *texts in rows if _says(" ".join(texts), words)])

    def followed_in(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """Open at some moment of the year."""
        year = int(value)
        return queryset.filter(
            Q(closed_on__isnull=True) | Q(closed_on__gte=date(year, 1, 1)), opened_on__lte=date(year, 12, 31)
        )

    def declared(self, queryset: QuerySet, name: str, value: bool) -> QuerySet:
        return queryset.filter(is_declared_only=True) if value else queryset


def _says(text: str, words: list[str]) -> bool:
    known = sort_key(text).split()
    return all(any(word.startswith(typed) for word in known) for typed in words)


def years_of(queryset: QuerySet, today: date) -> list[int]:
    """The years a list of groupings spans, newest first: from the first opening to this year, or the last opening."""
    span = queryset.order_by().aggregate(first=Min("opened_on"), last=Max("opened_on"))
    if span["first"] is None:
        return []
    return list(range(max(span["last"].year, today.year), span["first"].year - 1, -1))
