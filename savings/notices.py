"""What the ledger has to tell on the first screen."""

from datetime import date

from django.db.models import Count, Min, Q
from django.urls import reverse

from groupings.notices import Notice
from members.models import Affiliation
from members.roles import may
from savings.choices import LineStatus
from savings.models import Baseline, PriceLine


def savings_notices(affiliation: Affiliation, today: date) -> list[Notice]:
    """What waits for ``affiliation`` in the ledger, one query per kind of thing."""
    return [*_to_validate(affiliation), *_returned(affiliation), *_prices(affiliation)]


def _to_validate(affiliation: Affiliation) -> list[Notice]:
    """To finance: the lines somebody else has to decide of are counted, its own are not."""
    if not may(affiliation, "savings.validate", organisation_id=affiliation.organisation_id):
        return []
    own = Q(entered_by=affiliation.user_id) | Q(submitted_by=affiliation.user_id)
    own |= Q(baseline__entered_by=affiliation.user_id)
    waiting = PriceLine.objects.visible_to(affiliation).awaiting_finance()
    count = waiting.exclude(pk__in=waiting.filter(own).values("pk")).count()
    if not count:
        return []
    s = "s" if count > 1 else ""
    return [Notice(f"{count} ligne{s} de gain à valider.", reverse("review_queue"), "Valider", "check-circle-fill")]


def _returned(affiliation: Affiliation) -> list[Notice]:
    """To who enters prices: the lines finance sent back; on the page of their grouping when there is one."""
    if not may(affiliation, "savings.enter", organisation_id=affiliation.organisation_id):
        return []
    returned = PriceLine.objects.visible_to(affiliation).current().filter(status=LineStatus.RETURNED)
    found = returned.aggregate(
        count=Count("pk"),
        groupings=Count("baseline__lot__grouping", distinct=True),
        grouping=Min("baseline__lot__grouping"),
    )
    if not (count := found["count"]):
        return []
    s = "s" if count > 1 else ""
    url = f"{reverse('savings_lines')}?etat={LineStatus.RETURNED}"
    if found["groupings"] == 1:
        url = reverse("savings_entry", args=[found["grouping"]])
    sentence = f"{count} ligne{s} de gain renvoyée{s} par les finances"
    return [Notice(sentence, url, "Corriger", "exclamation-triangle-fill")]


def _prices(affiliation: Affiliation) -> list[Notice]:
    """The reference prices its own body has not confirmed; those a member contests, for who enters them."""
    own = affiliation.organisation_id
    contested = ~Q(objection="") & Q(confirmed_at__isnull=True)
    found = (
        Baseline.objects.visible_to(affiliation)
        .current()
        .aggregate(
            asked=Count(
                "pk",
                filter=Q(
                    membership__organisation_id=own,
                    frozen_at__isnull=False,
                    confirmed_at__isnull=True,
                    objection="",
                    price_before__isnull=False,
                ),
            ),
            contested=Count("pk", filter=contested),
            grouping=Min("membership__grouping_id", filter=contested),
        )
    )
    told = []
    if (count := found["asked"]) and may(affiliation, "savings.confirm", organisation_id=own):
        sentence = f"{count} prix de référence à confirmer"
        told.append(Notice(sentence, reverse("baselines_to_confirm"), "Confirmer", "check-circle-fill"))
    # A member reads its own objections on its page: only who enters the prices answers them.
    if (count := found["contested"]) and may(affiliation, "savings.enter", organisation_id=own):
        s = "s" if count > 1 else ""
        told.append(
            Notice(
                f"{count} prix de référence contesté{s} par le membre",
                reverse("savings_entry", args=[found["grouping"]]),
                "Lire et répondre",
                "exclamation-triangle-fill",
            )
        )
    return told
