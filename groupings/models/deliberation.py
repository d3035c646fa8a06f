"""The vote each member must pass."""

from datetime import date

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from groupings.choices import DELIBERATION_BADGES, EXECUTORY_BADGE, Badge, DeliberationStatus
from groupings.models.membership import Membership
from groupings.querysets import DeliberationQuerySet
from groupings.rules.executory import executory_on
from members.models import CouncilSession, validate_one_line
from procurement.core.journal.record import Scope

_VOTED = (DeliberationStatus.ADOPTED, DeliberationStatus.REJECTED)
_DATED = (DeliberationStatus.ON_AGENDA, DeliberationStatus.CONVENED)


class Deliberation(models.Model):
    """One decision of one member about one grouping. Publication and reception are independent."""

    class Purpose(models.TextChoices):
        MEMBERSHIP = "membership", "Adhésion et convention"
        AMENDMENT = "amendment", "Avenant"
        AWARD = "award", "Attribution"

    class Kind(models.TextChoices):
        COUNCIL = "council", "Délibération de l’assemblée"
        BUREAU = "bureau", "Délibération du bureau"
        PRESIDENT = "president", "Décision du président"

    membership = models.ForeignKey(Membership, models.CASCADE, related_name="deliberations")
    purpose = models.CharField("objet", max_length=10, choices=Purpose, default=Purpose.MEMBERSHIP)
    kind = models.CharField("nature", max_length=9, choices=Kind, default=Kind.COUNCIL)
    status = models.CharField("état", max_length=12, choices=DeliberationStatus, default=DeliberationStatus.TO_SCHEDULE)
    session = models.ForeignKey(
        CouncilSession, models.SET_NULL, null=True, blank=True, related_name="deliberations", verbose_name="séance"
    )
    number = models.CharField("numéro", max_length=40, blank=True, validators=[validate_one_line])
    decided_on = models.DateField("votée le", null=True, blank=True)
    transmitted_on = models.DateField("transmise le", null=True, blank=True)
    received_on = models.DateField("reçue en préfecture le", null=True, blank=True)
    published_on = models.DateField("publiée le", null=True, blank=True)
    actes_id = models.CharField("identifiant ACTES", max_length=60, null=True, blank=True, unique=True)

    objects = DeliberationQuerySet.as_manager()

    class Meta:
        verbose_name = "délibération"
        verbose_name_plural = "délibérations"
        ordering = ["membership__organisation__sort_name"]
        constraints = [
            models.UniqueConstraint(fields=["membership", "purpose"], name="deliberation_once"),
            models.CheckConstraint(
                condition=Q(status__in=_VOTED, decided_on__isnull=False)
                | (~Q(status__in=_VOTED) & Q(decided_on__isnull=True)),
                name="deliberation_voted_has_date",
                violation_error_message="Une délibération votée porte la date du vote, et elle seule.",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=_DATED) | Q(session__isnull=False),
                name="deliberation_on_agenda_has_session",
                violation_error_message="Une délibération inscrite désigne sa séance.",
            ),
            models.CheckConstraint(
                condition=Q(status=DeliberationStatus.ADOPTED)
                | Q(transmitted_on__isnull=True, received_on__isnull=True, published_on__isnull=True),
                name="deliberation_acts_follow_vote",
                violation_error_message="Seule une délibération adoptée se transmet et se publie.",
            ),
            models.CheckConstraint(
                condition=Q(transmitted_on__isnull=True) | Q(transmitted_on__gte=F("decided_on")),
                name="deliberation_transmitted_after_vote",
                violation_error_message="La transmission ne peut pas précéder le vote.",
            ),
            models.CheckConstraint(
                condition=Q(received_on__isnull=True)
                | Q(transmitted_on__isnull=False, received_on__gte=F("transmitted_on")),
                name="deliberation_received_after_sending",
                violation_error_message="La réception ne peut pas précéder la transmission.",
            ),
            models.CheckConstraint(
                condition=Q(published_on__isnull=True) | Q(published_on__gte=F("decided_on")),
                name="deliberation_published_after_vote",
                violation_error_message="La publication ne peut pas précéder le vote.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.membership} – {self.get_purpose_display()}"

    def clean(self) -> None:
        if self.session_id and self.session.organisation_id != self.membership.organisation_id:
            raise ValidationError({"session": "Cette séance est celle d’un autre organisme."})

    @property
    def executory_on(self) -> date | None:
        """Computed, never typed (CGCT, L2131-1)."""
        if self.status != DeliberationStatus.ADOPTED:
            return None
        return executory_on(self.published_on, self.received_on)

    @property
    def badge(self) -> Badge:
        return EXECUTORY_BADGE if self.executory_on else DELIBERATION_BADGES[DeliberationStatus(self.status)]

    @property
    def journal_scope(self) -> Scope:
        return self.membership.journal_scope
