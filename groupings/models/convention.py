"""The founding agreement, frozen: the values it was made from, and the bytes that came out."""

from pathlib import PurePath

from django.db import models
from django.db.models import Q

from groupings.choices import CONVENTION_BADGES, Badge, ConventionOrigin, ConventionStatus
from groupings.models.grouping import Grouping
from groupings.models.membership import Membership
from groupings.querysets import ConventionDocumentQuerySet, OfGroupingQuerySet


def deposit_path(convention: "Convention", filename: str) -> str:
    """Where a text brought from outside lies: nothing of the name it came under decides where."""
    return f"conventions/{convention.grouping_id}/v{convention.version}/depot{PurePath(filename).suffix.lower()}"


class Convention(models.Model):
    """One version of a grouping's convention constitutive. Replaced by the next version, never edited.

    ``origin``: its text is the tool's own, or the file ``file`` brought from outside, which stands for every member.
    """

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
    origin = models.CharField("origine", max_length=10, choices=ConventionOrigin, default=ConventionOrigin.GENERATED)
    file = models.FileField("fichier déposé", upload_to=deposit_path, max_length=200, blank=True)
    file_name = models.CharField("nom d’origine", max_length=200, blank=True)
    file_sha256 = models.CharField("empreinte SHA-256 du fichier", max_length=64, blank=True)
    file_size = models.PositiveIntegerField("taille (octets)", null=True, blank=True)
    signed_on = models.DateField("signée le", null=True, blank=True, help_text="Avant l’outil.")

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
            models.CheckConstraint(
                condition=Q(origin=ConventionOrigin.GENERATED, file="", file_sha256="", file_size__isnull=True)
                | (
                    ~Q(origin=ConventionOrigin.GENERATED)
                    & ~Q(file="")
                    & ~Q(file_name="")
                    & ~Q(file_sha256="")
                    & Q(file_size__isnull=False)
                ),
                name="convention_file_as_origin",
                violation_error_message="Un texte venu d’ailleurs a son fichier ; un texte produit n’en a pas.",
            ),
            models.CheckConstraint(
                condition=~Q(origin=ConventionOrigin.PRIOR) | Q(signed_on__isnull=False),
                name="convention_prior_signed",
                violation_error_message="Indiquez la date de signature de cette convention.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.grouping.reference}, convention version {self.version}"

    @property
    def is_generated(self) -> bool:
        return self.origin == ConventionOrigin.GENERATED

    @property
    def is_prior(self) -> bool:
        return self.origin == ConventionOrigin.PRIOR

    @property
    def badge(self) -> Badge:
        return CONVENTION_BADGES[ConventionStatus(self.status)]


def document_path(document: "ConventionDocument", filename: str) -> str:
    """Where a document lies: never guessable by a visitor, since nothing serves the folder."""
    convention = document.convention
    return f"conventions/{convention.grouping_id}/v{convention.version}/{filename}"


class ConventionDocument(models.Model):
    """The file of one member: the common articles and its own pages, or the text negotiated outside, the same for all.

    The SHA-256 of the bytes is the evidence. ``pages`` is 0 when unknown, as that of a Word file.
    """

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
    def extension(self) -> str:
        """``pdf``, or ``docx`` for a text negotiated in Word."""
        return "docx" if self.file.name and self.file.name.lower().endswith(".docx") else "pdf"

    @property
    def format_name(self) -> str:
        """As people say it: « PDF », « Word »."""
        return "Word" if self.extension == "docx" else "PDF"

    @property
    def filename(self) -> str:
        """``GC-2027-01_213401722.pdf``: the reference and the member's SIREN."""
        return f"{self.convention.grouping.reference}_{self.membership.organisation.siren}.{self.extension}"
