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
    """What waits for ``affiliation`` in the ledger: one query, and one more for finance."""
    return [*_to_validate(affiliation), *_prices(affiliation)]


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


def _prices(affiliation: Affiliation) -> list[Notice]:
    """In one query: the reference prices its own body has not confirmed; for who enters prices, the lines finance sent
    back, and the prices a member contests."""
    own = affiliation.organisation_id
    asked = Q(
        membership__organisation_id=own,
        frozen_at__isnull=False,
        confirmed_at__isnull=True,
        objection="",
        price_before__isnull=False,
    )
    contested = ~Q(objection="") & Q(confirmed_at__isnull=True)
    returned = Q(lines__status=LineStatus.RETURNED, lines__is_superseded=False)
    grouping = "membership__grouping_id"
    found = (
        Baseline.objects.visible_to(affiliation)
        .current()
        .aggregate(
            asked=Count("pk", filter=asked, distinct=True),
            contested=Count("pk", filter=contested, distinct=True),
            contested_in=Min(grouping, filter=contested),
            returned=Count("lines", filter=returned, distinct=True),
            returned_in=Min(grouping, filter=returned),
            returned_groupings=Count(grouping, filter=returned, distinct=True),
        )
    )
    told = []
    if may(affiliation, "savings.enter", organisation_id=own):
        told += [*_returned(found), *_contested(found)]
    if (count := found["asked"]) and may(affiliation, "savings.confirm", organisation_id=own):
        sentence = f"{count} prix de référence à confirmer"
        told.append(Notice(sentence, reverse("baselines_to_confirm"), "Confirmer", "check-circle-fill"))
    return told


def _returned(found: dict) -> list[Notice]:
    """The lines finance sent back; on the page of their grouping when there is one."""
    if not (count := found["returned"]):
        return []
    s = "s" if count > 1 else ""
    url = f"{reverse('savings_lines')}?etat={LineStatus.RETURNED}"
    if found["returned_groupings"] == 1:
        url = reverse("savings_entry", args=[found["returned_in"]])
    sentence = f"{count} ligne{s} de gain renvoyée{s} par les finances"
    return [Notice(sentence, url, "Corriger", "exclamation-triangle-fill")]


def _contested(found: dict) -> list[Notice]:
    """A member reads its own objections on its page: only who enters the prices answers them."""
    if not (count := found["contested"]):
        return []
    s = "s" if count > 1 else ""
    url = reverse("savings_entry", args=[found["contested_in"]])
    sentence = f"{count} prix de référence contesté{s} par le membre"
    return [Notice(sentence, url, "Lire et répondre", "exclamation-triangle-fill")]
