"""The reference price: what a member paid, or would have paid, for one thing, and what proves it."""

from decimal import Decimal

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from groupings.models import GroupingDocument, Lot, Membership
from groupings.models.grouping import unit_price
from members.models import validate_one_line
from procurement.core.journal.record import Scope
from savings.choices import BaselineMethod, Grade
from savings.querysets import BaselineQuerySet


def quantity(verbose_name: str, **options) -> models.DecimalField:
    """A column of a quantity, three decimals."""
    return models.DecimalField(verbose_name, max_digits=14, decimal_places=3, **options)


def index_value(verbose_name: str) -> models.DecimalField:
    """A column of the value of an index, as it is published."""
    return models.DecimalField(verbose_name, max_digits=14, decimal_places=4, null=True, blank=True)


class Baseline(models.Model):
    """Lot × member × thing bought. Written and frozen before the offers' deadline; then it never changes: another one
    replaces it, and says why. ``grade`` is computed by ``rules.grades``, never typed."""

    lot = models.ForeignKey(Lot, models.PROTECT, related_name="baselines")
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="baselines")
    designation = models.CharField("désignation", max_length=500, validators=[validate_one_line])
    unit = models.CharField("unité", max_length=40, blank=True, validators=[validate_one_line])
    is_lump_sum = models.BooleanField(
        "forfait", default=False, help_text="Un montant global par an, sans quantité ni prix unitaire."
    )
    is_one_off = models.BooleanField(
        "achat ponctuel",
        default=False,
        help_text="Un achat qui ne revient pas chaque année\u00a0: son gain compte une fois.",
    )
    quantity = quantity("quantité prévue par an", default=Decimal(1))
    price_before = unit_price("prix de référence (€ HT)")

    method = models.CharField("méthode", max_length=22, choices=BaselineMethod)
    source = models.CharField(
        "source", max_length=500, blank=True, validators=[validate_one_line], help_text="Marché, facture, étude…"
    )
    period_starts_on = models.DateField("période du", null=True, blank=True)
    period_ends_on = models.DateField("au", null=True, blank=True)
    perimeter_note = models.CharField(
        "écart de périmètre", max_length=500, blank=True, help_text="Vide\u00a0: même quantité, même spécification."
    )
    index_name = models.CharField("indice", max_length=200, blank=True, validators=[validate_one_line])
    index_base_month = models.DateField("mois de référence de l’indice", null=True, blank=True)
    index_base_value = index_value("valeur de référence")
    index_month = models.DateField("mois de l’indice utilisé", null=True, blank=True)
    index_value = index_value("valeur utilisée")
    index_fixed_part = models.DecimalField("part fixe", max_digits=4, decimal_places=3, default=0)
    index_factor = models.DecimalField("coefficient d’indexation", max_digits=12, decimal_places=8, default=Decimal(1))

    evidence = models.ForeignKey(
        GroupingDocument, models.PROTECT, null=True, blank=True, related_name="baselines", verbose_name="preuve"
    )
    grade = models.CharField("fiabilité", max_length=1, choices=Grade)
    late_reason = models.CharField("motif du retard", max_length=500, blank=True)

    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    entered_label = models.CharField("saisi par", max_length=200)
    entered_at = models.DateTimeField("saisi le", auto_now_add=True)
    frozen_at = models.DateTimeField("figé le", null=True, blank=True)
    frozen_label = models.CharField("figé par", max_length=200, blank=True)
    confirmed_at = models.DateTimeField("confirmé le", null=True, blank=True)
    confirmed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    confirmed_label = models.CharField("confirmé par", max_length=200, blank=True)
    objection = models.CharField("désaccord du membre", max_length=500, blank=True)
    replaces = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="replaced_by", verbose_name="remplace"
    )
    is_replaced = models.BooleanField("remplacée", default=False, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = BaselineQuerySet.as_manager()

    class Meta:
        verbose_name = "prix de référence"
        verbose_name_plural = "prix de référence"
        ordering = ["lot__number", "membership__organisation__sort_name", "designation"]
        constraints = [
            models.UniqueConstraint(
                fields=["lot", "membership", "designation"],
                condition=Q(is_replaced=False),
                name="baseline_once",
                violation_error_message="Ce membre a déjà un prix de référence de cette désignation pour ce lot.",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0),
                name="baseline_quantity_positive",
                violation_error_message="La quantité est supérieure à zéro.",
            ),
            models.CheckConstraint(
                condition=Q(price_before__isnull=True) | Q(price_before__gt=0),
                name="baseline_price_positive",
                violation_error_message="Un prix de référence est supérieur à zéro\u202f; inconnu, laissez-le vide.",
            ),
            models.CheckConstraint(
                condition=Q(index_factor__gt=0),
                name="baseline_index_positive",
                violation_error_message="Un coefficient d’indexation est supérieur à zéro\u00a0: 1 sans indexation.",
            ),
            models.CheckConstraint(
                condition=Q(index_fixed_part__gte=0, index_fixed_part__lt=1),
                name="baseline_fixed_part",
                violation_error_message="La part fixe va de 0 à 1.",
            ),
            models.CheckConstraint(
                condition=Q(index_factor=1) | ~Q(index_name=""),
                name="baseline_index_named",
                violation_error_message="Nommez l’indice (série, source) dont vient le coefficient.",
            ),
            models.CheckConstraint(
                condition=Q(is_lump_sum=False) | Q(quantity=1),
                name="baseline_lump_sum_is_one",
                violation_error_message="Un forfait a la quantité 1.",
            ),
            models.CheckConstraint(
                condition=Q(late_reason="") | Q(grade="D"),
                name="baseline_late_is_d",
                violation_error_message="Une référence tardive a la fiabilité D.",
            ),
            models.CheckConstraint(
                condition=~Q(grade__in=["A", "B"]) | Q(evidence__isnull=False),
                name="baseline_ab_has_evidence",
                violation_error_message="Une fiabilité A ou B demande une preuve.",
            ),
            models.CheckConstraint(
                condition=Q(confirmed_at__isnull=True) | Q(frozen_at__isnull=False, objection=""),
                name="baseline_confirmed_once_frozen",
                violation_error_message="Un prix de référence est figé avant d’être confirmé.",
            ),
            models.CheckConstraint(
                condition=Q(frozen_at__isnull=True, frozen_label="") | Q(frozen_at__isnull=False) & ~Q(frozen_label=""),
                name="baseline_frozen_by_somebody",
                violation_error_message="Dites qui a figé ce prix de référence.",
            ),
            models.CheckConstraint(
                condition=Q(period_ends_on__isnull=True)
                | Q(period_starts_on__isnull=True)
                | Q(period_ends_on__gte=models.F("period_starts_on")),
                name="baseline_period_in_order",
                violation_error_message="La période finit après avoir commencé.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.designation}, {self.membership}"

    def clean(self) -> None:
        if self.lot_id and self.membership_id and self.lot.grouping_id != self.membership.grouping_id:
            raise ValidationError({"membership": "Ce membre n’appartient pas au groupement de ce lot."})
        if self.evidence_id and self.lot_id and self.evidence.grouping_id != self.lot.grouping_id:
            raise ValidationError({"evidence": "Cette pièce appartient à un autre groupement."})

    @property
    def is_frozen(self) -> bool:
        return self.frozen_at is not None

    @property
    def is_confirmed(self) -> bool:
        return self.confirmed_at is not None

    @property
    def journal_scope(self) -> Scope:
        return self.membership.journal_scope
