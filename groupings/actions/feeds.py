"""The secret address of one's own calendar: opened, renewed, revoked by its owner alone; each act is journalled."""

from datetime import datetime

from django.db import transaction

from groupings.models import CalendarFeed
from members.models import Affiliation
from procurement.core.errors import NotAllowed
from procurement.core.journal.record import record


def feed_open(*, actor: Affiliation | None) -> CalendarFeed:
    """The open address of the actor's calendar, made when there is none. Raises NotAllowed for nobody."""
    _require_person(actor)
    with transaction.atomic():
        _lock(actor)
        feed = CalendarFeed.objects.filter(affiliation=actor, revoked_at__isnull=True).first()
        if feed is None:
            feed = CalendarFeed.objects.create(affiliation=actor)
            _tell(actor, "feed.open", "ouvre l’adresse de son calendrier")
    return feed


def feed_renew(*, actor: Affiliation | None, now: datetime) -> CalendarFeed:
    """A new address; the former one, perhaps known of somebody else, shows nothing any more."""
    _require_person(actor)
    with transaction.atomic():
        _lock(actor)
        CalendarFeed.objects.filter(affiliation=actor, revoked_at__isnull=True).update(revoked_at=now)
        feed = CalendarFeed.objects.create(affiliation=actor)
        _tell(actor, "feed.renew", "change l’adresse de son calendrier")
    return feed


def feed_revoke(*, actor: Affiliation | None, now: datetime) -> None:
    """Close the address for good. Asked twice, done and told once."""
    _require_person(actor)
    with transaction.atomic():
        _lock(actor)
        if CalendarFeed.objects.filter(affiliation=actor, revoked_at__isnull=True).update(revoked_at=now):
            _tell(actor, "feed.revoke", "ferme l’adresse de son calendrier")


def _require_person(actor: Affiliation | None) -> None:
    if not isinstance(actor, Affiliation):
        raise NotAllowed("Un calendrier est celui d’une personne rattachée à un organisme.")


def _lock(actor: Affiliation) -> None:
    """Two clicks at once wait for one another: one open address each."""
    Affiliation.objects.select_for_update().get(pk=actor.pk)


def _tell(actor: Affiliation, verb: str, what: str) -> None:
    record(
        actor=actor,
        territory_id=actor.territory_id,
        thread=f"person:{actor.user_id}",
        concerns_id=actor.organisation_id,
        verb=verb,
        sentence=f"{actor.user} {what}",
    )
