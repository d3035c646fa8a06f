"""One line of the ledger: what one member pays instead of its reference price, at one stage, and who validated it."""

from decimal import Decimal

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from groupings.choices import Badge
from groupings.models.grouping import unit_price
from procurement.core.journal.record import Scope
from savings.choices import LINE_BADGES, GainStage, LineStatus
from savings.models.baseline import Baseline, quantity
from savings.querysets import PriceLineQuerySet


def cents(verbose_name: str) -> models.DecimalField:
    """A column of computed euros excl. tax, to the cent; negative for a loss. Unknown is null, never zero."""
    return models.DecimalField(verbose_name, max_digits=16, decimal_places=2, null=True, blank=True, editable=False)


class PriceLine(models.Model):
    """One reference price at one stage: each stage is its own line, never overwritten by the next.

    ``quantity``, ``price_before`` and ``index_factor`` are copied from the reference, so that the line stands alone; at
    the stage REALISED ``quantity`` is what was bought in ``year``. The five amounts, for twelve months (for ``year``
    when realised, in all for a one-off), are computed by ``rules.gains``. Once validated nothing changes but
    ``is_superseded``.
    """

    baseline = models.ForeignKey(Baseline, models.PROTECT, related_name="lines")
    stage = models.CharField("stade", max_length=9, choices=GainStage)
    year = models.PositiveSmallIntegerField(
        "année", null=True, blank=True, validators=[MinValueValidator(2000), MaxValueValidator(2100)]
    )
    quantity = quantity("quantité")
    price_before = unit_price("prix de référence (€ HT)")
    index_factor = models.DecimalField("coefficient d’indexation", max_digits=12, decimal_places=8, default=Decimal(1))
    price_obtained = unit_price("prix obtenu (€ HT)")
    is_one_off = models.BooleanField("achat ponctuel", default=False)
    starts_on = models.DateField("effet au", null=True, blank=True)
    months = models.PositiveSmallIntegerField(
        "durée (mois)", null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(360)]
    )

    baseline_budget = cents("référence (€ HT)")
    baseline_purchase = cents("référence indexée (€ HT)")
    obtained = cents("obtenu (€ HT)")
    budget_gain = cents("gain budgétaire (€ HT)")
    purchase_gain = cents("gain achat (€ HT)")
    volume_effect = cents("effet volume, hors gain (€ HT)")

    status = models.CharField("état", max_length=9, choices=LineStatus, default=LineStatus.DRAFT)
    comment = models.CharField(
        "commentaire", max_length=1000, blank=True, help_text="Demandé au-delà des seuils de vraisemblance."
    )
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    entered_label = models.CharField("saisie par", max_length=200)
    entered_at = models.DateTimeField("saisie le", auto_now_add=True)
    submitted_at = models.DateTimeField("soumise le", null=True, blank=True)
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    submitted_label = models.CharField("soumise par", max_length=200, blank=True)
    decided_at = models.DateTimeField("décidée le", null=True, blank=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    decided_label = models.CharField("décidée par", max_length=200, blank=True)
    decision_reason = models.CharField("motif", max_length=500, blank=True)
    corrects = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="corrections", verbose_name="corrige la ligne"
    )
    is_superseded = models.BooleanField("remplacée par sa correction", default=False, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = PriceLineQuerySet.as_manager()

    class Meta:
        verbose_name = "ligne de gain"
        verbose_name_plural = "lignes de gain"
        ordering = [
            "baseline__lot__number",
            "baseline__membership__organisation__sort_name",
            "baseline__designation",
            "pk",
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["baseline", "stage"],
                condition=Q(is_superseded=False, corrects__isnull=True, year__isnull=True) & ~Q(status="REJECTED"),
                name="price_line_once",
                violation_error_message="Ce prix de référence a déjà une ligne à ce stade.",
            ),
            models.UniqueConstraint(
                fields=["baseline", "year"],
                condition=Q(is_superseded=False, corrects__isnull=True) & ~Q(status="REJECTED"),
                name="price_line_realised_once",
                violation_error_message="Ce prix de référence a déjà une ligne réalisée cette année-là.",
            ),
            models.UniqueConstraint(
                fields=["corrects"],
                condition=~Q(status="REJECTED"),
                name="price_line_corrected_once",
                violation_error_message="Cette ligne a déjà une correction.",
            ),
            models.CheckConstraint(
                condition=Q(quantity__gt=0),
                name="price_line_quantity_positive",
                violation_error_message="La quantité est supérieure à zéro.",
            ),
            models.CheckConstraint(
                condition=Q(index_factor__gt=0),
                name="price_line_index_positive",
                violation_error_message="Un coefficient d’indexation est supérieur à zéro\u00a0: 1 sans indexation.",
            ),
            models.CheckConstraint(
                condition=(Q(price_before__isnull=True) | Q(price_before__gt=0))
                & (Q(price_obtained__isnull=True) | Q(price_obtained__gte=0)),
                name="price_line_prices_not_negative",
                violation_error_message="Un prix de référence est supérieur à zéro, un prix obtenu n’est pas négatif.",
            ),
            models.CheckConstraint(
                condition=Q(stage="REALISED", year__isnull=False) | ~Q(stage="REALISED") & Q(year__isnull=True),
                name="price_line_year_of_realised",
                violation_error_message="Une ligne réalisée, et elle seule, est celle d’une année.",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["DRAFT"]) | Q(submitted_at__isnull=False) & ~Q(submitted_label=""),
                name="price_line_submitted_by_somebody",
                violation_error_message="Dites qui a soumis cette ligne.",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["DRAFT", "SUBMITTED"]) | Q(decided_at__isnull=False) & ~Q(decided_label=""),
                name="price_line_decided_by_somebody",
                violation_error_message="Dites qui a décidé de cette ligne.",
            ),
            models.CheckConstraint(
                condition=~Q(status="VALIDATED")
                | Q(decided_by__isnull=True)
                | (~Q(decided_by=F("entered_by")) | Q(entered_by__isnull=True))
                & (~Q(decided_by=F("submitted_by")) | Q(submitted_by__isnull=True)),
                name="price_line_four_eyes",
                violation_error_message="On ne valide pas ce que l’on a saisi ou soumis soi-même.",
            ),
            models.CheckConstraint(
                condition=~Q(status="VALIDATED")
                | Q(
                    budget_gain__isnull=False,
                    purchase_gain__isnull=False,
                    starts_on__isnull=False,
                    months__isnull=False,
                ),
                name="price_line_validated_is_complete",
                violation_error_message="Une ligne validée a ses prix, sa date d’effet et sa durée.",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["RETURNED", "REJECTED"]) | ~Q(decision_reason=""),
                name="price_line_refusal_has_reason",
                violation_error_message="Indiquez pourquoi la ligne est renvoyée ou rejetée.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.baseline.designation}, {self.baseline.membership} ({self.get_stage_display().lower()})"

    def save(self, *args, **kwargs) -> None:
        if self.pk and not self._state.adding:
            stored = type(self)._base_manager.filter(pk=self.pk, status=LineStatus.VALIDATED)
            if stored.exists() and set(kwargs.get("update_fields") or ("all",)) - {"is_superseded"}:
                raise TypeError("Une ligne validée ne change plus\u00a0: une correction est une nouvelle ligne.")
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        stored = type(self)._base_manager.filter(pk=self.pk, status=LineStatus.VALIDATED)
        if self.status == LineStatus.VALIDATED or stored.exists():
            raise TypeError("Une ligne validée ne se supprime pas.")
        return super().delete(*args, **kwargs)

    @property
    def is_measured(self) -> bool:
        """Whether both prices are known: else the line counts in the coverage, and nowhere as zero."""
        return self.price_before is not None and self.price_obtained is not None

    @property
    def badge(self) -> Badge:
        return LINE_BADGES[LineStatus(self.status)]

    @property
    def journal_scope(self) -> Scope:
        """Told to its member once validated; before, to the coordinator's people alone."""
        scope = self.baseline.membership.journal_scope
        if self.status == LineStatus.VALIDATED:
            return scope
        return scope._replace(concerns_id=self.baseline.membership.grouping.coordinator_id)
