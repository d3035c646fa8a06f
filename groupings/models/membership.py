"""The place of one body in one grouping."""

from datetime import date

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from groupings.models.grouping import Grouping
from groupings.querysets import MembershipQuerySet
from groupings.rules.amendments import is_bound
from members.models import Organisation, validate_one_line
from procurement.core.journal.record import Scope


class Membership(models.Model):
    """An organisation in a grouping: joined, perhaps withdrawn, with its contact for this purchase."""

    grouping = models.ForeignKey(Grouping, models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="memberships", verbose_name="organisme")
    joined_on = models.DateField("adhésion le", null=True, blank=True)
    withdrawn_on = models.DateField("retrait le", null=True, blank=True)
    is_pending = models.BooleanField(
        "adhésion en cours",
        default=False,
        help_text="Un avenant l’accueille\u00a0: il délibère et n’est pas encore membre.",
    )
    contact_name = models.CharField("référent", max_length=200, blank=True, validators=[validate_one_line])
    contact_email = models.EmailField("adresse du référent", blank=True)
    contact_phone = models.CharField("téléphone du référent", max_length=20, blank=True, validators=[validate_one_line])

    objects = MembershipQuerySet.as_manager()

    class Meta:
        verbose_name = "adhésion"
        ordering = ["organisation__sort_name"]
        constraints = [
            models.UniqueConstraint(
                fields=["grouping", "organisation"],
                name="membership_once",
                violation_error_message="Cet organisme est déjà membre du groupement.",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_on__isnull=True) | Q(joined_on__isnull=False, withdrawn_on__gte=F("joined_on")),
                name="membership_withdrawn_after_joining",
                violation_error_message="Le retrait ne peut pas précéder l’adhésion.",
            ),
            models.CheckConstraint(
                condition=Q(is_pending=False) | Q(joined_on__isnull=True, withdrawn_on__isnull=True),
                name="membership_pending_not_joined",
                violation_error_message="Une adhésion en cours n’a ni date d’adhésion ni date de retrait.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation} – {self.grouping.reference}"

    def clean(self) -> None:
        if self.withdrawn_on and (self.joined_on is None or self.withdrawn_on < self.joined_on):
            raise ValidationError({"withdrawn_on": "Le retrait ne peut pas précéder l’adhésion."})

    @property
    def is_active(self) -> bool:
        """A member today."""
        return self.withdrawn_on is None and not self.is_pending

    @property
    def is_gone(self) -> bool:
        return self.withdrawn_on is not None

    @property
    def is_bound(self) -> bool:
        """Whether it takes part in the grouping's purchase: a member today until the tender is launched, one at the
        launch ever after. Who joined since is not in that tender, who left since stays bound."""
        return self.is_bound_by(self.grouping.launched_on)

    def is_bound_by(self, launched_on: date | None) -> bool:
        """The same, the day of the launch being known already."""
        return is_bound(
            joined_on=self.joined_on,
            withdrawn_on=self.withdrawn_on,
            is_pending=self.is_pending,
            launched_on=launched_on,
        )

    @property
    def journal_scope(self) -> Scope:
        return self.grouping.journal_scope._replace(concerns_id=self.organisation_id)
