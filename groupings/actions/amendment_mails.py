"""The mail that asks an assembly for its vote on an amendment."""

from datetime import datetime

from groupings import mailing
from groupings.links import closed_sentence, link_open, link_url
from groupings.models import Amendment
from procurement.core.actors import Actor
from procurement.core.mail.sending import queue


def amendment_announce(*, amendment: Amendment, actor: Actor, now: datetime) -> int:
    """Write to every body that votes the amendment, but the coordinator, with its own link. Returns how many mails.

    Once per amendment and address, inside the transaction that opens the votes.
    """
    grouping, stored = amendment.grouping, 0
    votes = amendment.votes.exclude(membership__organisation=grouping.coordinator_id)
    for vote in votes.select_related("membership__organisation", "membership__grouping__coordinator").order_by("pk"):
        membership = vote.membership
        addresses = mailing.recipients(membership)
        if not addresses or closed_sentence(membership):
            continue
        link = link_open(membership=membership, actor=actor, now=now)
        text = mailing.text(
            "amendment_votes",
            membership=membership,
            grouping=membership.grouping,
            amendment=amendment,
            link=link_url(link),
            expires_at=link.expires_at,
        )
        for address in addresses:
            queued = queue(
                key=f"amendment:{amendment.pk}:{membership.pk}:{address}",
                recipient=address,
                subject=mailing.subject(f"Délibérer sur l’avenant n°\u00a0{amendment.number}", None, grouping.title),
                text=text,
                territory_id=grouping.territory_id,
                thread=grouping.thread,
                organisation_id=membership.organisation_id,
                now=now,
            )
            stored += queued is not None
    return stored
