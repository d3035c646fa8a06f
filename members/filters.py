"""The filters of the directory; the export takes the same ones."""

import django_filters
from django.db.models import Q, QuerySet

from members.models import Organisation, sort_key
from procurement.core.forms import style

#: How many groupings a body takes part in: key → (label, condition on ``grouping_count``).
PARTICIPATION = {
    "aucun": ("Aucun", Q(grouping_count=0)),
    "1-4": ("De 1 à 4", Q(grouping_count__gte=1, grouping_count__lte=4)),
    "5": ("5 et plus", Q(grouping_count__gte=5)),
}


class OrganisationFilter(django_filters.FilterSet):
    """Text (name without accents, SIREN, INSEE code), kind, number of groupings.

    The rows come from ``members.participation.counted``.
    """

    q = django_filters.CharFilter(method="search", label="Recherche", max_length=200)
    nature = django_filters.ChoiceFilter(
        field_name="kind", label="Nature", choices=Organisation.Kind.choices, empty_label="Toutes"
    )
    groupements = django_filters.ChoiceFilter(
        method="taking_part",
        label="Groupements",
        choices=[(key, label) for key, (label, _) in PARTICIPATION.items()],
        empty_label="Peu importe",
    )

    class Meta:
        model = Organisation
        fields: list[str] = []

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for field in self.form.fields.values():
            style(field)

    def search(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        """Every word must be found in the name, or begin the SIREN or the INSEE code."""
        words = sort_key(value).split()
        if not words:
            return queryset.none()
        for word in words:
            number = word.upper()
            queryset = queryset.filter(
                Q(sort_name__contains=word) | Q(siren__startswith=number) | Q(insee_code__startswith=number)
            )
        return queryset

    def taking_part(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        return queryset.filter(PARTICIPATION[value][1])
