"""The bulletin d'adhésion: one member of a permanent grouping takes part in one purchase."""

import uuid

from django.db import models
from django.db.models import F, Q

from groupings.amendment_choices import JOINING_BADGES, JoiningStatus
from groupings.choices import Badge
from groupings.models.grouping import validate_cpv
from groupings.models.membership import Membership
from groupings.querysets import OwnMembershipQuerySet
from members.models import validate_one_line
from procurement.core.journal.record import Scope

_S = JoiningStatus


def joining_path(form: "JoiningForm", filename: str) -> str:
    """Under a random name: nothing of what the person sent decides where the file lies."""
    return f"joining/{form.id.hex[:2]}/{form.id.hex}.pdf"


class JoiningForm(models.Model):
    """What one member says when it joins a family of purchases, or a consultation (domain.md, §2.3).

    ``family``: the CPV code of the family, empty for the whole grouping. Accepted on ``accepted_on`` by the
    coordinator; it counts for the consultations launched afterwards only.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    membership = models.ForeignKey(Membership, models.CASCADE, related_name="joining_forms")
    family = models.CharField(
        "famille d’achats (code CPV)",
        max_length=8,
        blank=True,
        validators=[validate_cpv],
        help_text="Vide\u00a0: toute la consultation.",
    )
    subject = models.CharField("famille ou consultation rejointe", max_length=200, validators=[validate_one_line])
    needs_statement = models.TextField(
        "besoins", max_length=4000, help_text="Quantités, montants annuels hors taxes, sites, date de début."
    )
    leaves_contract_on = models.DateField("fin du marché en cours", null=True, blank=True)
    contact_name = models.CharField("référent", max_length=200, validators=[validate_one_line])
    contact_email = models.EmailField("adresse du référent", blank=True)
    contact_phone = models.CharField("téléphone du référent", max_length=20, blank=True, validators=[validate_one_line])
    status = models.CharField("état", max_length=8, choices=JoiningStatus, default=JoiningStatus.DRAFT)
    signed_on = models.DateField("signé le", null=True, blank=True)
    signatory = models.CharField("signataire", max_length=200, blank=True, validators=[validate_one_line])
    file = models.FileField("bulletin signé", upload_to=joining_path, max_length=200, blank=True)
    original_name = models.CharField("nom d’origine", max_length=200, blank=True)
    sha256 = models.CharField("empreinte SHA-256", max_length=64, blank=True)
    accepted_on = models.DateField("accepté le", null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = OwnMembershipQuerySet.as_manager()

    class Meta:
        verbose_name = "bulletin d’adhésion"
        verbose_name_plural = "bulletins d’adhésion"
        ordering = ["membership__organisation__sort_name", "subject", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["membership", "family", "subject"],
                name="joining_form_once",
                violation_error_message="Ce membre a déjà un bulletin pour cette famille ou cette consultation.",
            ),
            models.CheckConstraint(
                condition=(Q(status__in=(_S.SIGNED, _S.ACCEPTED), signed_on__isnull=False) & ~Q(signatory=""))
                | Q(status__in=(_S.DRAFT, _S.REFUSED), signed_on__isnull=True, signatory=""),
                name="joining_form_signed_has_date",
                violation_error_message="Un bulletin signé porte sa date et son signataire.",
            ),
            models.CheckConstraint(
                condition=Q(status=_S.ACCEPTED, accepted_on__isnull=False)
                | (~Q(status=_S.ACCEPTED) & Q(accepted_on__isnull=True)),
                name="joining_form_accepted_has_date",
                violation_error_message="Un bulletin accepté porte la date de l’acceptation, et lui seul.",
            ),
            models.CheckConstraint(
                condition=Q(accepted_on__isnull=True) | Q(accepted_on__gte=F("signed_on")),
                name="joining_form_accepted_after_signed",
                violation_error_message="L’acceptation ne peut pas précéder la signature.",
            ),
            models.CheckConstraint(
                condition=Q(file="", sha256="") | (~Q(file="") & ~Q(sha256="")),
                name="joining_form_file_has_hash",
                violation_error_message="Empreinte absente.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.membership.organisation} – {self.subject}"

    @property
    def badge(self) -> Badge:
        return JOINING_BADGES[JoiningStatus(self.status)]

    @property
    def journal_scope(self) -> Scope:
        return self.membership.journal_scope
