"""What proves a decision: the files deposited, the drafts handed over."""

import uuid

from django.db import models
from django.db.models import Q

from groupings.models.convention import Convention
from groupings.models.deliberation import Deliberation
from groupings.models.membership import Membership
from groupings.querysets import OfDeliberationQuerySet, OwnMembershipQuerySet


def random_path(document: "DeliberationDocument", filename: str) -> str:
    """Under a random name: nothing of what the person sent decides where the file lies."""
    return f"deliberations/{document.id.hex[:2]}/{document.id.hex}.{document.extension}"


class DeliberationDocument(models.Model):
    """A file deposited as evidence of a deliberation: the signed act, the stamped act, the préfecture's receipt."""

    class Kind(models.TextChoices):
        ACT = "act", "Délibération"
        RECEIPT = "receipt", "Accusé de réception"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    deliberation = models.ForeignKey(Deliberation, models.CASCADE, related_name="documents")
    kind = models.CharField("nature", max_length=7, choices=Kind, default=Kind.ACT)
    file = models.FileField("fichier", upload_to=random_path, max_length=200)
    extension = models.CharField(max_length=3, choices=[("pdf", "PDF"), ("xml", "XML")], default="pdf")
    original_name = models.CharField("nom d’origine", max_length=200)
    sha256 = models.CharField("empreinte SHA-256", max_length=64)
    size = models.PositiveIntegerField("taille (octets)")
    has_text = models.BooleanField("texte lisible", default=True)
    deposited_by = models.CharField("déposé par", max_length=200)
    deposited_at = models.DateTimeField("déposé le", auto_now_add=True)

    objects = OfDeliberationQuerySet.as_manager()

    class Meta:
        verbose_name = "pièce"
        ordering = ["-deposited_at"]
        constraints = [
            models.UniqueConstraint(fields=["deliberation", "sha256"], name="deliberation_document_once"),
            models.CheckConstraint(
                condition=~Q(sha256=""),
                name="deliberation_document_has_hash",
                violation_error_message="Empreinte absente.",
            ),
        ]

    def __str__(self) -> str:
        return self.original_name


def draft_path(draft: "DraftDocument", filename: str) -> str:
    return f"drafts/{draft.membership.grouping_id}/v{draft.convention.version}/{filename}"


class DraftDocument(models.Model):
    """The model délibération handed to one member with its kit: a help, replaced when it is made again."""

    class Format(models.TextChoices):
        DOCX = "docx", "Word"
        PDF = "pdf", "PDF"

    membership = models.ForeignKey(Membership, models.CASCADE, related_name="drafts")
    convention = models.ForeignKey(Convention, models.CASCADE, related_name="drafts")
    format = models.CharField("format", max_length=4, choices=Format)
    file = models.FileField("fichier", upload_to=draft_path, max_length=200)
    sha256 = models.CharField("empreinte SHA-256", max_length=64)
    size = models.PositiveIntegerField("taille (octets)")
    created_at = models.DateTimeField("produit le", auto_now=True)

    objects = OwnMembershipQuerySet.as_manager()

    class Meta:
        verbose_name = "modèle de délibération"
        verbose_name_plural = "modèles de délibération"
        constraints = [
            models.UniqueConstraint(fields=["membership", "convention", "format"], name="draft_document_once"),
        ]

    def __str__(self) -> str:
        return self.filename

    @property
    def filename(self) -> str:
        """``GC-2027-01_213401722_deliberation.docx``."""
        grouping, organisation = self.membership.grouping, self.membership.organisation
        return f"{grouping.reference}_{organisation.siren}_deliberation.{self.format}"
