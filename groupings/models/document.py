"""The files of a grouping that are neither a convention nor the evidence of a deliberation."""

import uuid

from django.db import models
from django.db.models import Q

from groupings.models.grouping import Grouping, Lot
from groupings.models.membership import Membership
from groupings.querysets import GroupingDocumentQuerySet
from procurement.core.journal.record import Scope


def document_path(document: "GroupingDocument", filename: str) -> str:
    """Under a random name: nothing of what the person sent decides where the file lies."""
    return f"groupings/{document.id.hex[:2]}/{document.id.hex}.{document.extension}"


class GroupingDocument(models.Model):
    """One file, with its fingerprint. ``membership``: it is about that member, who may read it; ``is_shared``: every
    member of the grouping may."""

    class Kind(models.TextChoices):
        NEED_EVIDENCE = "need_evidence", "Justificatif d’un besoin"
        BASELINE_EVIDENCE = "price_evidence", "Preuve d’un prix de référence"
        NOTICE = "notice", "Avis ou dossier de consultation"
        COMMITTEE_RECORD = "committee_record", "Procès-verbal de la commission"
        CONTRACT = "contract", "Pièce du marché"
        ORDERING = "ordering", "Document pour commander"
        FEE_EVIDENCE = "fee_evidence", "Justificatif d’une dépense"
        OTHER = "other", "Autre pièce"

    class Extension(models.TextChoices):
        PDF = "pdf", "PDF"
        PNG = "png", "PNG"
        JPG = "jpg", "JPEG"
        XLSX = "xlsx", "Excel"
        DOCX = "docx", "Word"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    grouping = models.ForeignKey(Grouping, models.CASCADE, related_name="files")
    lot = models.ForeignKey(Lot, models.CASCADE, null=True, blank=True, related_name="files")
    membership = models.ForeignKey(Membership, models.CASCADE, null=True, blank=True, related_name="files")
    kind = models.CharField("nature", max_length=16, choices=Kind)
    is_shared = models.BooleanField("visible de tous les membres", default=False)
    file = models.FileField("fichier", upload_to=document_path, max_length=200)
    extension = models.CharField(max_length=4, choices=Extension)
    original_name = models.CharField("nom d’origine", max_length=200)
    sha256 = models.CharField("empreinte SHA-256", max_length=64)
    size = models.PositiveIntegerField("taille (octets)")
    deposited_by = models.CharField("déposé par", max_length=200)
    deposited_at = models.DateTimeField("déposé le", auto_now_add=True)

    objects = GroupingDocumentQuerySet.as_manager()

    class Meta:
        verbose_name = "pièce du groupement"
        verbose_name_plural = "pièces du groupement"
        ordering = ["-deposited_at"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(sha256=""), name="grouping_document_has_hash", violation_error_message="Empreinte absente."
            ),
            models.CheckConstraint(
                condition=Q(is_shared=False) | ~Q(kind__in=["need_evidence", "price_evidence"]),
                name="grouping_document_evidence_not_shared",
                violation_error_message="Le justificatif d’un membre n’est pas montré aux autres.",
            ),
        ]

    def __str__(self) -> str:
        return self.original_name

    @property
    def journal_scope(self) -> Scope:
        """A file not shared is told to its member, else to the coordinator's people alone: its name says much."""
        if self.membership:
            return self.membership.journal_scope
        scope = self.grouping.journal_scope
        return scope if self.is_shared else scope._replace(concerns_id=self.grouping.coordinator_id)
