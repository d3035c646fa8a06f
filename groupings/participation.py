"""What the pages of members show of groupings, inside the reader's perimeter."""

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse

from groupings.models import Membership
from members.participation import Participation


class GroupingParticipation:
    """The provider registered in ``members.participation``."""

    def counted(self, organisations: QuerySet, affiliation) -> QuerySet:
        """Adds ``grouping_count``: current memberships in groupings the reader may see."""
        memberships = Membership.objects.visible_to(affiliation).active()
        counts = memberships.order_by().filter(organisation=OuterRef("pk")).values("organisation")
        return organisations.annotate(
            grouping_count=Coalesce(
                Subquery(counts.annotate(number=Count("pk")).values("number")), 0, output_field=IntegerField()
            )
        )

    def of(self, organisation, affiliation) -> list[Participation]:
        """One line per grouping, the latest opened first, the withdrawals said."""
        memberships = (
            Membership.objects.visible_to(affiliation)
            .filter(organisation=organisation)
            .select_related("grouping")
            .order_by("-grouping__opened_on", "grouping__reference")
        )
        return [
            Participation(
                title=f"{membership.grouping.reference} – {membership.grouping.title}",
                url=reverse("grouping_detail", args=[membership.grouping_id]),
                badge=membership.grouping.badge,
                detail=_detail(membership, organisation),
            )
            for membership in memberships
        ]


def _detail(membership: Membership, organisation) -> str:
    if membership.withdrawn_on:
        return f"retiré le {membership.withdrawn_on:%d/%m/%Y}"
    if membership.is_pending:
        return "adhésion en cours, par avenant"
    return "coordonnateur" if membership.grouping.coordinator_id == organisation.pk else ""
