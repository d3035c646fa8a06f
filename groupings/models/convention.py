"""The founding agreement, frozen: the values it was made from, and the bytes that came out."""

from pathlib import PurePath

from django.db import models
from django.db.models import F, Q

from groupings.choices import COMMENT_BADGES, CONVENTION_BADGES, Badge, ConventionOrigin, ConventionStatus
from groupings.models.grouping import Grouping
from groupings.models.membership import Membership
from groupings.querysets import ConventionDocumentQuerySet, OfConventionQuerySet, OfGroupingQuerySet

#: The longest remark, and the longest answer, in signs.
COMMENT_MAX = 4000


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
    clauses = models.JSONField(
        "articles",
        default=list,
        blank=True,
        help_text="Article, intitulé, version et empreinte\u00a0; vide\u00a0: la version 1 de chacun.",
    )
    legal_basis = models.CharField("fondement juridique", max_length=300)
    is_draft = models.BooleanField("projet", help_text="Une délibération manque encore.")
    status = models.CharField("état", max_length=10, choices=ConventionStatus, default=ConventionStatus.DRAFT)
    frozen_at = models.DateTimeField("figée le")
    comments_on = models.DateField("relecture ouverte le", null=True, blank=True)
    final_on = models.DateField("arrêtée le", null=True, blank=True)
    votes_on = models.DateField("envoyée aux assemblées le", null=True, blank=True)
    signature_on = models.DateField("signature ouverte le", null=True, blank=True)
    in_force_on = models.DateField("en vigueur le", null=True, blank=True)
    ended_on = models.DateField("terminée le", null=True, blank=True)
    origin = models.CharField("origine", max_length=10, choices=ConventionOrigin, default=ConventionOrigin.GENERATED)
    file = models.FileField("fichier déposé", upload_to=deposit_path, max_length=200, blank=True)
    file_name = models.CharField("nom d’origine", max_length=200, blank=True)
    file_sha256 = models.CharField("empreinte SHA-256 du fichier", max_length=64, blank=True)
    file_size = models.PositiveIntegerField("taille (octets)", null=True, blank=True)
    signed_on = models.DateField("signée le", null=True, blank=True, help_text="Avant l’outil.")
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
            models.CheckConstraint(
                condition=Q(ended_on__isnull=True) | Q(status=ConventionStatus.ENDED),
                name="convention_end_has_state",
                violation_error_message="Seule une convention terminée porte une date de fin.",
            ),
            models.CheckConstraint(
                condition=Q(in_force_on__isnull=True)
                | Q(status__in=(ConventionStatus.IN_FORCE, ConventionStatus.ENDED)),
                name="convention_force_has_state",
                violation_error_message="Seule une convention entrée en vigueur porte cette date.",
            ),
            models.CheckConstraint(
                condition=Q(ended_on__isnull=True) | Q(in_force_on__isnull=True) | Q(ended_on__gte=F("in_force_on")),
                name="convention_ends_after_force",
                violation_error_message="La fin ne peut pas précéder l’entrée en vigueur.",
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
                violation_error_message="Un texte venu d’ailleurs a son fichier\u00a0; un texte produit n’en a pas.",
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


class ConventionComment(models.Model):
    """A dated remark on one article of one version, or a reply to it: read by all the members, never changed.

    ``membership`` is empty for the coordinator. Only a remark, not a reply, receives the coordinator’s ``answer``.
    """

    class Outcome(models.TextChoices):
        KEPT = "kept", "Retenue"
        DISMISSED = "dismissed", "Écartée"
        ANSWERED = "answered", "Réponse"

    convention = models.ForeignKey(Convention, models.CASCADE, related_name="comments")
    article_key = models.CharField("article", max_length=80)
    article_title = models.CharField("titre de l’article", max_length=300)
    membership = models.ForeignKey(
        Membership, models.PROTECT, null=True, blank=True, related_name="convention_comments"
    )
    author = models.CharField("auteur", max_length=200)
    body = models.TextField("remarque", max_length=COMMENT_MAX)
    created_at = models.DateTimeField("écrite le")
    parent = models.ForeignKey("self", models.CASCADE, null=True, blank=True, related_name="replies")
    outcome = models.CharField("suite", max_length=9, choices=Outcome, blank=True)
    answer = models.TextField("réponse", max_length=COMMENT_MAX, blank=True)
    answered_at = models.DateTimeField("répondue le", null=True, blank=True)
    answered_by = models.CharField("répondue par", max_length=200, blank=True)

    objects = OfConventionQuerySet.as_manager()

    class Meta:
        verbose_name = "remarque"
        ordering = ["created_at", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome="", answer="", answered_at__isnull=True, answered_by="")
                | (~Q(outcome="") & ~Q(answer="") & Q(answered_at__isnull=False) & ~Q(answered_by="")),
                name="convention_comment_answered_whole",
                violation_error_message="Une remarque répondue porte sa suite, sa réponse, sa date et son auteur.",
            ),
            models.CheckConstraint(
                condition=Q(parent__isnull=True) | Q(outcome=""),
                name="convention_comment_reply_unanswered",
                violation_error_message="La réponse du coordonnateur se donne à la remarque, pas à ce qui la commente.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.author}, {self.article_title}"

    @property
    def speaker(self) -> str:
        """In whose name it is said."""
        return self.membership.organisation.name if self.membership else "Coordonnateur"

    @property
    def badge(self) -> Badge:
        """What became of it; of an answered remark alone."""
        return COMMENT_BADGES[self.outcome]

    @property
    def is_open(self) -> bool:
        """Whether the coordinator has not answered this remark yet."""
        return self.parent_id is None and not self.outcome


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
