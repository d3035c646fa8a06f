"""The one gate of reading: what an affiliation may see of the bodies and people of its territory."""

from datetime import date

from django.db import models
from django.db.models import Q


class OrganisationQuerySet(models.QuerySet):
    def visible_to(self, affiliation) -> "OrganisationQuerySet":
        """Every body of the affiliation's territory: who belongs to the métropole is public, what it buys is not."""
        if affiliation is None:
            return self.none()
        territory = affiliation.territory_id
        return self.filter(Q(pk=territory) | Q(territory_id=territory))


class OfOrganisationQuerySet(models.QuerySet):
    """Rows that belong to one organisation: representatives, sessions."""

    def visible_to(self, affiliation) -> "OfOrganisationQuerySet":
        """The rows of the bodies of the affiliation's territory."""
        if affiliation is None:
            return self.none()
        territory = affiliation.territory_id
        return self.filter(Q(organisation_id=territory) | Q(organisation__territory_id=territory))


class RepresentativeQuerySet(OfOrganisationQuerySet):
    def in_office(self, on: date) -> "RepresentativeQuerySet":
        """Those whose mandate covers that day, both ends included: the head first, then the latest mandate."""
        serving = self.filter(Q(start_on__lte=on), Q(end_on__isnull=True) | Q(end_on__gte=on))
        return serving.order_by("-capacity", "-start_on", "pk")  # « head » comes after « deputy » in the alphabet


class AffiliationQuerySet(models.QuerySet):
    def visible_to(self, affiliation) -> "AffiliationQuerySet":
        """An administrator sees the people of its own organisation; anybody sees its own affiliations."""
        if affiliation is None:
            return self.none()
        if affiliation.role == "administrator":
            return self.filter(organisation_id=affiliation.organisation_id)
        return self.filter(user_id=affiliation.user_id)
