"""The signature of the convention by each member, and the copy it is given to sign."""

import uuid

from django.db import models
from django.db.models import Q

from groupings.choices import SIGNATURE_BADGES, Badge
from groupings.models.convention import Convention
from groupings.models.membership import Membership
from groupings.querysets import OwnMembershipQuerySet
from members.models import Representative, validate_one_line
from procurement.core.journal.record import Scope


def signed_path() -> str:
    """Under a random name: nothing of what the person sent decides where the file lies."""
    name = uuid.uuid4().hex
    return f"signatures/{name[:2]}/{name}.pdf"


class Signature(models.Model):
    """A member's signature of one version of the convention. Without ``convention``: of a text kept outside this tool.

    The row exists once the member has signed. ``capacity`` is the signatory's title on that day, kept when the mandate
    ends. ``reading`` is what the electronic signatures of ``file`` say, as checked on the day it came.
    """

    class Mode(models.TextChoices):
        DECLARED = "declared", "Déclarée, sans fichier"
        PAPER = "paper", "Sur papier, numérisée"
        ELECTRONIC = "electronic", "Électronique"

    membership = models.ForeignKey(Membership, models.CASCADE, related_name="signatures")
    convention = models.ForeignKey(Convention, models.PROTECT, null=True, blank=True, related_name="signatures")
    position = models.PositiveSmallIntegerField("rang de signature", default=1)
    signed_on = models.DateField("signée le")
    signatory = models.CharField("signataire", max_length=200, validators=[validate_one_line])
    capacity = models.CharField("qualité", max_length=100, blank=True, validators=[validate_one_line])
    representative = models.ForeignKey(
        Representative, models.SET_NULL, null=True, blank=True, related_name="signatures", verbose_name="représentant"
    )
    mode = models.CharField("forme", max_length=10, choices=Mode, default=Mode.DECLARED)
    file = models.FileField("exemplaire signé", max_length=200, blank=True)
    original_name = models.CharField("nom d’origine", max_length=200, blank=True)
    sha256 = models.CharField("empreinte SHA-256", max_length=64, blank=True)
    size = models.PositiveIntegerField("taille (octets)", null=True, blank=True)
    reading = models.JSONField("signatures électroniques lues", null=True, blank=True)
    #: The codes of ``rules.signatures`` a person went past, separated by spaces.
    accepted = models.CharField("remarques acceptées", max_length=200, blank=True)
    reason = models.CharField("motif", max_length=500, blank=True)
    recorded_at = models.DateTimeField("saisie le", auto_now_add=True)

    objects = OwnMembershipQuerySet.as_manager()

    class Meta:
        verbose_name = "signature"
        ordering = ["-signed_on", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["membership", "convention"],
                name="signature_once",
                violation_error_message="La signature de ce membre est déjà enregistrée.",
            ),
            models.UniqueConstraint(
                fields=["membership"],
                condition=Q(convention__isnull=True),
                name="signature_once_outside",
                violation_error_message="La signature de ce membre est déjà enregistrée.",
            ),
            models.CheckConstraint(
                condition=~Q(signatory=""),
                name="signature_has_signatory",
                violation_error_message="Indiquez qui a signé.",
            ),
            models.CheckConstraint(
                condition=Q(position__gte=1),
                name="signature_has_position",
                violation_error_message="Le rang de signature commence à 1.",
            ),
            models.CheckConstraint(
                condition=Q(mode="declared", file="", original_name="", sha256="", size__isnull=True)
                | (
                    Q(mode__in=("paper", "electronic"), size__isnull=False)
                    & ~Q(file="")
                    & ~Q(original_name="")
                    & ~Q(sha256="")
                ),
                name="signature_mode_as_file",
                violation_error_message=(
                    "Une signature sur papier ou électronique a son fichier et son empreinte\u00a0; une signature "
                    "déclarée n’en a pas."
                ),
            ),
            models.CheckConstraint(
                condition=Q(accepted="", reason="") | (~Q(accepted="") & ~Q(reason="")),
                name="signature_accepted_has_reason",
                violation_error_message="Une remarque acceptée a son motif, et elle seule.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.membership}, signée le {self.signed_on:%d/%m/%Y}"

    @property
    def journal_scope(self) -> Scope:
        return self.membership.journal_scope

    @property
    def badge(self) -> Badge:
        return SIGNATURE_BADGES["signed"]

    @property
    def who(self) -> str:
        """« Madame Anne Essai, Maire »: the capacity once, whatever was typed."""
        is_told = not self.capacity or self.capacity.casefold() in self.signatory.casefold()
        return self.signatory if is_told else f"{self.signatory}, {self.capacity}"


def copy_path() -> str:
    """Under a random name, as every file a single member may read."""
    name = uuid.uuid4().hex
    return f"copies/{name[:2]}/{name}.pdf"


class SigningCopy(models.Model):
    """The frozen version as one member signs it: same text, the decisions filled in, the dates of signature blank.

    Never changed: when a decision changes, another copy is made, the latest is the one to sign. ``made_from`` holds
    what was filled in, by SIREN.
    """

    convention = models.ForeignKey(Convention, models.CASCADE, related_name="signing_copies")
    membership = models.ForeignKey(Membership, models.CASCADE, related_name="signing_copies")
    file = models.FileField("fichier", max_length=200)
    sha256 = models.CharField("empreinte SHA-256", max_length=64)
    size = models.PositiveIntegerField("taille (octets)")
    pages = models.PositiveSmallIntegerField("pages")
    made_from = models.JSONField("décisions portées", default=dict)
    made_from_sha256 = models.CharField("empreinte des décisions", max_length=64)
    made_at = models.DateTimeField("produit le", auto_now_add=True)

    objects = OwnMembershipQuerySet.as_manager()

    class Meta:
        verbose_name = "exemplaire à signer"
        verbose_name_plural = "exemplaires à signer"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["convention", "membership", "made_from_sha256"], name="signing_copy_once"),
            models.CheckConstraint(
                condition=~Q(sha256="") & ~Q(made_from_sha256=""),
                name="signing_copy_has_hash",
                violation_error_message="Empreinte absente.",
            ),
        ]

    def __str__(self) -> str:
        return self.filename

    @property
    def filename(self) -> str:
        """``GC-2027-01_213401722_a-signer_v2.pdf``."""
        grouping, siren = self.membership.grouping, self.membership.organisation.siren
        return f"{grouping.reference}_{siren}_a-signer_v{self.convention.version}.pdf"
