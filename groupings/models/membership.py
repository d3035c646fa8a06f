"""The place of one body in one grouping."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q

from groupings.models.grouping import Grouping
from groupings.querysets import MembershipQuerySet
from members.models import Organisation, validate_one_line
from procurement.core.journal.record import Scope


class Membership(models.Model):
    """An organisation in a grouping: joined, perhaps withdrawn, with its contact for this purchase."""

    grouping = models.ForeignKey(Grouping, models.CASCADE, related_name="memberships")
    organisation = models.ForeignKey(Organisation, models.PROTECT, related_name="memberships", verbose_name="organisme")
    joined_on = models.DateField("adhésion le", null=True, blank=True)
    withdrawn_on = models.DateField("retrait le", null=True, blank=True)
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
        ]

    def __str__(self) -> str:
        return f"{self.organisation} – {self.grouping.reference}"

    def clean(self) -> None:
        if self.withdrawn_on and (self.joined_on is None or self.withdrawn_on < self.joined_on):
            raise ValidationError({"withdrawn_on": "Le retrait ne peut pas précéder l’adhésion."})

    @property
    def is_active(self) -> bool:
        return self.withdrawn_on is None

    @property
    def journal_scope(self) -> Scope:
        return self.grouping.journal_scope._replace(concerns_id=self.organisation_id)
