"""Signed links: a member answers about one grouping without an account.

The address holds the link's number and its nonce, signed with the site's key. It opens one membership and nothing
else; it expires, each reminder renews it, and revoking it changes its nonce.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone

from groupings.choices import LAUNCHED, GroupingStatus
from groupings.models import Deliberation, Membership, SignedLink
from groupings.models.access import make_nonce
from members.roles import Role, require
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.record import record

_SALT = "groupings.signed_link"
#: The only shape we ever write, « 12.nonce:signature »: nothing else reaches the key nor the database.
_SHAPE = re.compile(r"[0-9]{1,18}\.[0-9A-Za-z_-]{16,40}:[0-9A-Za-z_-]{43}")


class UnknownLink(Exception):
    """The address was never one of ours."""


class ClosedLink(Exception):
    """The address was ours, and has expired, was revoked, or was replaced; ``link`` is its row as it is now."""

    def __init__(self, link: SignedLink):
        super().__init__(link.pk)
        self.link = link


@dataclass(frozen=True)
class LinkActor:
    """Whoever holds a member's link: it acts for that body alone, and the journal says that it came by the link."""

    membership: Membership
    user_id: int | None = None
    role: str = Role.MEMBER_AGENT
    sees_whole_territory: bool = False
    heads_territory: bool = False

    @property
    def organisation_id(self) -> int:
        return self.membership.organisation_id

    @property
    def territory_id(self) -> int:
        return self.membership.organisation.root_id

    @property
    def actor_label(self) -> str:
        return f"Lien de réponse – {self.membership.organisation.name}"


def awaited_amendment(membership: Membership) -> Deliberation | None:
    """The vote on an amendment that this member still owes, or whose effects it still has to tell; the oldest."""
    found = Deliberation.objects.on_amendments().filter(membership=membership).select_related("amendment")
    return next((vote for vote in found.order_by("amendment__number") if not vote.is_cleared), None)


def asked_of(membership: Membership) -> QuerySet[Deliberation]:
    """The vote its link asks now: an amendment's while that waits for its assembly, else the founding text's."""
    amendment, own = awaited_amendment(membership), Deliberation.objects.filter(membership=membership)
    return own.filter(pk=amendment.pk) if amendment is not None else own.approvals()


def closed_sentence(membership: Membership) -> str:
    """Why a link has nothing left to ask, one French sentence; empty while answers are awaited."""
    if membership.is_gone:
        return f"{membership.organisation.name} ne participe plus à ce groupement\u00a0: plus rien ne lui est demandé."
    if membership.grouping.status == GroupingStatus.CANCELLED:
        return "Ce groupement est abandonné\u00a0: plus aucune réponse n’est attendue."
    if membership.grouping.status in LAUNCHED and not awaited_amendment(membership):
        return "La consultation est lancée\u00a0: plus aucune réponse n’est attendue par ce lien."
    return ""


def link_open(*, membership: Membership, actor: Actor, now: datetime, days: int | None = None) -> SignedLink:
    """The member's link, made or renewed for ``days`` from ``now``. A revoked one gets a new address.

    The right is that of writing to the member: it is asked by the kit, the reminder, or the coordinator's button.
    Raises NotAllowed, or BusinessError when nothing is awaited from the member any more. Renewing a link that is still
    open says nothing in the journal: the mail that carries it does.
    """
    require(actor, "grouping.change", organisation_id=membership.grouping.coordinator_id)
    if refusal := closed_sentence(membership):
        raise BusinessError(refusal)
    expires_at = now + timedelta(days=settings.SIGNED_LINK_DAYS if days is None else days)
    with transaction.atomic():
        link, created = SignedLink.objects.select_for_update().get_or_create(
            membership=membership, defaults={"expires_at": expires_at}
        )
        if created or not _is_open(link, now):
            until = timezone.localtime(expires_at)
            _tell(link, actor, "link.open", f"lien de réponse ouvert jusqu’au {until:%d/%m/%Y}")
        if link.revoked_at:
            link.nonce, link.revoked_at = make_nonce(), None
        link.expires_at = max(link.expires_at, expires_at)
        link.save()
    return link


def link_revoke(*, link: SignedLink, actor: Actor, now: datetime) -> None:
    """Close the address for good: a later one will be another. Raises NotAllowed."""
    require(actor, "grouping.change", organisation_id=link.membership.grouping.coordinator_id)
    with transaction.atomic():
        locked = SignedLink.objects.select_for_update().get(pk=link.pk)
        if locked.revoked_at is None:
            locked.revoked_at = now
            locked.save()
            _tell(link, actor, "link.revoke", "lien de réponse révoqué")


def link_used(*, link: SignedLink, now: datetime) -> None:
    """Note that an answer came by the link. In the transaction of that answer: a refused one leaves no trace.

    Raises BusinessError when the link was closed since its page was opened.
    """
    with transaction.atomic():
        locked = SignedLink.objects.select_for_update().get(pk=link.pk)
        if locked.nonce != link.nonce or not _is_open(locked, now):
            raise BusinessError("Ce lien vient d’être fermé\u00a0: votre réponse n’est pas enregistrée.")
        locked.last_used_at = now
        locked.save()
        _tell(link, LinkActor(link.membership), "link.use", "lien de réponse utilisé")


def link_token(link: SignedLink) -> str:
    """The end of its address."""
    return Signer(salt=_SALT).sign(f"{link.pk}.{link.nonce}")


def link_url(link: SignedLink) -> str:
    """The full address, to be written in a mail."""
    return settings.SITE_URL + reverse("signed_link", args=[link_token(link)])


def find_link(token: str, now: datetime) -> SignedLink:
    """The link that ``token`` opens. Reads only.

    Raises UnknownLink for anything we never signed, ClosedLink for an address expired, revoked or replaced.
    """
    if not _SHAPE.fullmatch(token):
        raise UnknownLink
    try:
        number, _, nonce = Signer(salt=_SALT).unsign(token).partition(".")
    except BadSignature:
        raise UnknownLink from None
    links = SignedLink.objects.select_related(
        "membership__organisation__parent", "membership__grouping__coordinator", "membership__grouping__buyer"
    )
    link = links.filter(pk=int(number)).first()
    if link is None:
        raise UnknownLink
    if link.nonce != nonce or not _is_open(link, now):
        raise ClosedLink(link)
    return link


def _is_open(link: SignedLink, now: datetime) -> bool:
    return link.revoked_at is None and link.expires_at > now


def _tell(link: SignedLink, actor: Actor, verb: str, what: str) -> None:
    scope = link.journal_scope
    record(
        actor=actor,
        territory_id=scope.territory_id,
        thread=scope.thread,
        concerns_id=scope.concerns_id,
        verb=verb,
        sentence=f"{link.membership.organisation.name}\u00a0: {what}",
    )
