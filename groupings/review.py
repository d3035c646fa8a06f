"""What a convention in review asks of each: remarks of its members, answers of its coordinator.

``with_review`` rides on the first screen's own query of the groupings followed; ``review_notices`` reads nothing more.
"""

from collections.abc import Iterable

from django.db.models import Count, Exists, IntegerField, OuterRef, Subquery, Value
from django.db.models.functions import Coalesce
from django.urls import reverse

from groupings.choices import ConventionStatus
from groupings.models import Convention, ConventionComment, Grouping, Membership
from groupings.notices import Notice
from groupings.querysets import GroupingQuerySet
from members.models import Affiliation
from members.roles import may

_S = ConventionStatus
#: While the text is there, the coordinator owes an answer to what was said of it.
_ANSWERED_WHILE = (_S.DRAFT, _S.COMMENTS, _S.FINAL)
NBSP = "\u00a0"


def with_review(groupings: GroupingQuerySet, affiliation: Affiliation) -> GroupingQuerySet:
    """Adds is_in_review (its text is open to remarks), is_party (the reader's body is an active member) and
    unanswered_count (remarks without the coordinator's answer, on whichever version, while the text may change)."""
    of_grouping = Convention.objects.filter(grouping=OuterRef("pk"))
    own = Membership.objects.active().filter(grouping=OuterRef("pk"), organisation=affiliation.organisation_id)
    unanswered = (
        ConventionComment.objects.filter(
            convention__grouping=OuterRef("pk"),
            convention__grouping__conventions__status__in=_ANSWERED_WHILE,
            parent__isnull=True,
            outcome="",
        )
        .order_by()
        .values("convention__grouping")
        .annotate(total=Count("pk", distinct=True))
        .values("total")
    )
    return groupings.annotate(
        is_in_review=Exists(of_grouping.filter(status=_S.COMMENTS)),
        is_party=Exists(own),
        unanswered_count=Coalesce(Subquery(unanswered, output_field=IntegerField()), Value(0)),
    )


def review_notices(affiliation: Affiliation, groupings: Iterable[Grouping]) -> list[Notice]:
    """What the reviews of ``groupings``, read by ``with_review``, ask of the reader."""
    found = []
    for grouping in groupings:
        if may(affiliation, "grouping.change", organisation_id=grouping.coordinator_id):
            if count := grouping.unanswered_count:
                s = "s" if count > 1 else ""
                found.append(
                    _notice(grouping, f"{count} remarque{s} sans réponse sur le projet de convention", "Répondre")
                )
        elif (
            grouping.is_in_review
            and grouping.is_party
            and may(affiliation, "deliberation.change", organisation_id=affiliation.organisation_id)
        ):
            told = (
                "le projet de convention est en relecture, vos remarques sont attendues avant que le texte soit arrêté"
            )
            found.append(_notice(grouping, told, "Relire"))
    return found


def _notice(grouping: Grouping, told: str, label: str) -> Notice:
    url = f"{reverse('convention_page', args=[grouping.pk])}#articles-title"
    return Notice(f"{grouping.title}{NBSP}: {told}.", url, label, "file-earmark-text")
