"""What changes a convention in force: the amendment, its own text, and who signed it."""

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from groupings.amendment_choices import AMENDMENT_BADGES, AmendmentKind, AmendmentStatus
from groupings.choices import Badge
from groupings.models.convention import Convention
from groupings.models.grouping import Grouping
from groupings.models.membership import Membership
from groupings.querysets import OfGroupingQuerySet, OwnAmendmentQuerySet
from members.models import Organisation, validate_one_line
from procurement.core.journal.record import Scope

_K, _S = AmendmentKind, AmendmentStatus
_NUMBERED = (_S.FINAL, _S.VOTES, _S.SIGNATURE, _S.IN_FORCE)


def amendment_path(amendment: "Amendment", filename: str) -> str:
    return f"amendments/{amendment.grouping_id}/{filename}"


class Amendment(models.Model):
    """One avenant: what it changes, the text frozen when it is final, and the day it took effect.

    ``number`` is given with the final text and never used again: a dropped draft leaves no hole. ``changes`` and
    ``values`` are frozen then (``conventions/amendment_values.py``); ``effective_on`` is the day it asks for at the
    earliest, ``in_force_on`` the day it took effect.
    """

    grouping = models.ForeignKey(Grouping, models.CASCADE, related_name="amendments")
    convention = models.ForeignKey(
        Convention, models.PROTECT, related_name="amendments", verbose_name="convention modifiée"
    )
    number = models.PositiveSmallIntegerField("numéro", null=True, blank=True)
    kind = models.CharField("ce qui change", max_length=11, choices=AmendmentKind)
    status = models.CharField("état", max_length=9, choices=AmendmentStatus, default=AmendmentStatus.DRAFT)
    organisation = models.ForeignKey(
        Organisation, models.PROTECT, null=True, blank=True, related_name="amendments", verbose_name="organisme"
    )
    new_title = models.CharField("nouvel objet", max_length=200, blank=True, validators=[validate_one_line])
    new_duration_months = models.PositiveSmallIntegerField(
        "durée ferme (mois)", null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(360)]
    )
    new_extension_count = models.PositiveSmallIntegerField("nombre de reconductions", null=True, blank=True)
    new_extension_months = models.PositiveSmallIntegerField("durée d’une reconduction (mois)", null=True, blank=True)
    reason = models.TextField("exposé des motifs", max_length=2000)
    effective_on = models.DateField("effet au plus tôt le", null=True, blank=True)
    changes = models.JSONField("articles modifiés", default=list, blank=True)
    values = models.JSONField("valeurs", default=dict, blank=True)
    file = models.FileField("texte", upload_to=amendment_path, max_length=200, blank=True)
    sha256 = models.CharField("empreinte SHA-256", max_length=64, blank=True)
    size = models.PositiveIntegerField("taille (octets)", default=0)
    frozen_on = models.DateField("arrêté le", null=True, blank=True)
    in_force_on = models.DateField("en vigueur depuis le", null=True, blank=True)
    drafted_on = models.DateField("rédigé le")
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = OfGroupingQuerySet.as_manager()

    class Meta:
        verbose_name = "avenant"
        ordering = ["number", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["grouping", "number"],
                name="amendment_number_once",
                violation_error_message="Ce groupement a déjà un avenant de ce numéro.",
            ),
            models.CheckConstraint(
                condition=Q(status=_S.DRAFT, number__isnull=True, frozen_on__isnull=True, sha256="")
                | (Q(status__in=_NUMBERED, number__isnull=False, frozen_on__isnull=False) & ~Q(sha256=""))
                | (
                    Q(status=_S.ABANDONED)
                    & (Q(number__isnull=True, sha256="") | (Q(number__isnull=False) & ~Q(sha256="")))
                ),
                name="amendment_final_is_frozen",
                violation_error_message="Un avenant arrêté porte son numéro, sa date et l’empreinte de son texte.",
            ),
            models.CheckConstraint(
                condition=Q(status=_S.IN_FORCE, in_force_on__isnull=False)
                | (~Q(status=_S.IN_FORCE) & Q(in_force_on__isnull=True)),
                name="amendment_in_force_has_date",
                violation_error_message="Un avenant en vigueur porte sa date d’effet, et lui seul.",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=(_K.JOIN, _K.LEAVE, _K.COORDINATOR), organisation__isnull=False)
                | Q(kind__in=(_K.OBJECT, _K.DURATION), organisation__isnull=True),
                name="amendment_body_of_its_kind",
                violation_error_message="Indiquez l’organisme qui adhère, qui se retire ou qui devient coordonnateur.",
            ),
            models.CheckConstraint(
                condition=(Q(kind=_K.OBJECT) & ~Q(new_title="")) | (~Q(kind=_K.OBJECT) & Q(new_title="")),
                name="amendment_title_of_object",
                violation_error_message="Indiquez le nouvel objet.",
            ),
            models.CheckConstraint(
                condition=Q(
                    kind=_K.DURATION,
                    new_duration_months__isnull=False,
                    new_extension_count__isnull=False,
                    new_extension_months__isnull=False,
                )
                | (
                    ~Q(kind=_K.DURATION)
                    & Q(
                        new_duration_months__isnull=True,
                        new_extension_count__isnull=True,
                        new_extension_months__isnull=True,
                    )
                ),
                name="amendment_months_of_duration",
                violation_error_message="Indiquez la nouvelle durée ferme et ses reconductions.",
            ),
            models.CheckConstraint(
                condition=~Q(reason=""),
                name="amendment_has_reason",
                violation_error_message="Dites pourquoi la convention change\u00a0: l’avenant l’expose.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} – {self.grouping.reference}"

    @property
    def name(self) -> str:
        """« Avenant n° 1 », « Projet d’avenant » before it has its number."""
        return f"Avenant n°\u00a0{self.number}" if self.number else "Projet d’avenant"

    @property
    def badge(self) -> Badge:
        return AMENDMENT_BADGES[AmendmentStatus(self.status)]

    def competes_with(self, other: "Amendment") -> bool:
        """Whether both say something of the same body, or of the same term: one would undo the other. The articles
        tell it for a text produced here, these facts for any."""
        if self.organisation_id is not None and self.organisation_id == other.organisation_id:
            return True
        return self.kind == other.kind and self.kind in (_K.COORDINATOR, _K.OBJECT, _K.DURATION)

    @property
    def filename(self) -> str:
        """``GC-2027-01_avenant_1.pdf``."""
        return f"{self.grouping.reference}_avenant_{self.number}.pdf"

    @property
    def journal_scope(self) -> Scope:
        """A draft is the coordinator's own business; the members are told once the text is final."""
        scope = self.grouping.journal_scope
        return scope if self.number else scope._replace(concerns_id=self.grouping.coordinator_id)


def signed_path(signature: "AmendmentSignature", filename: str) -> str:
    """Under a random name: nothing of what the person sent decides where the file lies."""
    return f"amendments/signed/{signature.id.hex[:2]}/{signature.id.hex}.pdf"


class AmendmentSignature(models.Model):
    """One member's signature of one amendment, with the signed copy when it was deposited."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    amendment = models.ForeignKey(Amendment, models.CASCADE, related_name="signatures")
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="amendment_signatures")
    signed_on = models.DateField("signé le")
    signatory = models.CharField("signataire", max_length=200, validators=[validate_one_line])
    file = models.FileField("exemplaire signé", upload_to=signed_path, max_length=200, blank=True)
    original_name = models.CharField("nom d’origine", max_length=200, blank=True)
    sha256 = models.CharField("empreinte SHA-256", max_length=64, blank=True)
    recorded_at = models.DateTimeField("saisie le", auto_now_add=True)

    objects = OwnAmendmentQuerySet.as_manager()

    class Meta:
        verbose_name = "signature d’avenant"
        verbose_name_plural = "signatures d’avenant"
        ordering = ["signed_on", "membership__organisation__sort_name"]
        constraints = [
            models.UniqueConstraint(
                fields=["amendment", "membership"],
                name="amendment_signature_once",
                violation_error_message="La signature de ce membre est déjà enregistrée.",
            ),
            models.CheckConstraint(
                condition=~Q(signatory=""),
                name="amendment_signature_has_signatory",
                violation_error_message="Indiquez qui a signé.",
            ),
            models.CheckConstraint(
                condition=Q(file="", sha256="") | (~Q(file="") & ~Q(sha256="")),
                name="amendment_signature_file_has_hash",
                violation_error_message="Empreinte absente.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.membership.organisation}, signé le {self.signed_on:%d/%m/%Y}"

    @property
    def journal_scope(self) -> Scope:
        return self.membership.journal_scope
