"""The founding agreement, frozen: the values it was made from, and the bytes that came out."""

from django.db import models
from django.db.models import Q

from groupings.choices import CONVENTION_BADGES, Badge, ConventionStatus
from groupings.models.grouping import Grouping
from groupings.models.membership import Membership
from groupings.querysets import ConventionDocumentQuerySet, OfGroupingQuerySet


class Convention(models.Model):
    """One version of a grouping's convention constitutive. Replaced by the next version, never edited."""

    grouping = models.ForeignKey(Grouping, models.CASCADE, related_name="conventions")
    version = models.PositiveIntegerField("version")
    values = models.JSONField("valeurs")
    values_sha256 = models.CharField("empreinte des valeurs", max_length=64)
    texts_sha256 = models.CharField("empreinte des textes", max_length=64)
    text_sha256 = models.CharField(
        "empreinte du texte approuvé",
        max_length=64,
        default="",
        help_text="Sans les décisions\u00a0: ce que les assemblées votent.",
    )
    legal_basis = models.CharField("fondement juridique", max_length=300)
    is_draft = models.BooleanField("projet", help_text="Une délibération manque encore.")
    status = models.CharField("état", max_length=10, choices=ConventionStatus, default=ConventionStatus.DRAFT)
    frozen_at = models.DateTimeField("figée le")
    coordinator_signs_last = models.BooleanField(
        "le coordonnateur signe en dernier",
        default=True,
        help_text="Les membres signent dans n’importe quel ordre\u00a0; lui une fois qu’ils ont tous signé.",
    )

    objects = OfGroupingQuerySet.as_manager()

    class Meta:
        verbose_name = "convention"
        ordering = ["-version"]
        constraints = [
            models.UniqueConstraint(fields=["grouping", "version"], name="convention_version_once"),
            models.UniqueConstraint(
                fields=["grouping"],
                condition=~Q(status=ConventionStatus.SUPERSEDED),
                name="convention_current_once",
                violation_error_message="Ce groupement a déjà une version de sa convention qui n’est pas remplacée.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.grouping.reference}, convention version {self.version}"

    @property
    def badge(self) -> Badge:
        return CONVENTION_BADGES[ConventionStatus(self.status)]


def document_path(document: "ConventionDocument", filename: str) -> str:
    """Where a document lies: never guessable by a visitor, since nothing serves the folder."""
    convention = document.convention
    return f"conventions/{convention.grouping_id}/v{convention.version}/{filename}"


class ConventionDocument(models.Model):
    """The PDF of one member: the common articles and its own pages. The SHA-256 of the bytes is the evidence."""

    convention = models.ForeignKey(Convention, models.CASCADE, related_name="documents")
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="documents")
    file = models.FileField("fichier", upload_to=document_path, max_length=200)
    sha256 = models.CharField("empreinte SHA-256", max_length=64)
    size = models.PositiveIntegerField("taille (octets)")
    pages = models.PositiveSmallIntegerField("pages")
    created_at = models.DateTimeField("produit le", auto_now_add=True)

    objects = ConventionDocumentQuerySet.as_manager()

    class Meta:
        verbose_name = "document de convention"
        verbose_name_plural = "documents de convention"
        ordering = ["membership__organisation__sort_name"]
        constraints = [
            models.UniqueConstraint(fields=["convention", "membership"], name="convention_document_once"),
            models.CheckConstraint(
                condition=~Q(sha256=""),
                name="convention_document_has_hash",
                violation_error_message="Empreinte absente.",
            ),
        ]

    def __str__(self) -> str:
        return self.filename

    @property
    def filename(self) -> str:
        """``GC-2027-01_213401722.pdf``: the reference and the member's SIREN."""
        return f"{self.convention.grouping.reference}_{self.membership.organisation.siren}.pdf"
