"""Addresses that open a little without an account: a member's signed link, a person's calendar feed."""

import secrets

from django.db import models
from django.db.models import Q
from django.utils import timezone

from groupings.models.membership import Membership
from groupings.querysets import OwnMembershipQuerySet
from members.models import Affiliation
from procurement.core.journal.record import Scope


def make_nonce() -> str:
    return secrets.token_urlsafe(16)


class SignedLink(models.Model):
    """Lets one member answer about one grouping without an account. Renewed by each reminder, revocable.

    The address holds the row's number and ``nonce`` signed with the site's key: a copy of the database opens nothing.
    """

    membership = models.OneToOneField(Membership, models.CASCADE, related_name="signed_link")
    nonce = models.CharField(max_length=40, default=make_nonce, editable=False)
    expires_at = models.DateTimeField("valable jusqu’au")
    revoked_at = models.DateTimeField("révoqué le", null=True, blank=True)
    last_used_at = models.DateTimeField("dernière utilisation", null=True, blank=True)
    created_at = models.DateTimeField("créé le", auto_now_add=True)

    objects = OwnMembershipQuerySet.as_manager()

    class Meta:
        verbose_name = "lien de réponse"
        verbose_name_plural = "liens de réponse"

    def __str__(self) -> str:
        return f"Lien de {self.membership}"

    @property
    def is_open(self) -> bool:
        return self.revoked_at is None and self.expires_at > timezone.now()

    @property
    def journal_scope(self) -> Scope:
        return self.membership.journal_scope


class CalendarFeed(models.Model):
    """The secret address of one person's calendar, for one of its affiliations."""

    affiliation = models.ForeignKey(Affiliation, models.CASCADE, related_name="calendar_feeds")
    nonce = models.CharField(max_length=40, default=make_nonce, editable=False)
    created_at = models.DateTimeField("créé le", auto_now_add=True)
    revoked_at = models.DateTimeField("révoqué le", null=True, blank=True)

    class Meta:
        verbose_name = "flux de calendrier"
        verbose_name_plural = "flux de calendrier"
        constraints = [
            models.UniqueConstraint(
                fields=["affiliation"],
                condition=Q(revoked_at__isnull=True),
                name="calendar_feed_one_open",
                violation_error_message="Un flux est déjà ouvert.",
            )
        ]

    def __str__(self) -> str:
        return f"Calendrier de {self.affiliation}"
