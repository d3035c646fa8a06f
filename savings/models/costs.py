"""What is told beside the gains and never netted in silence: buying outside the contract, the cost of coordinating."""

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from groupings.models import Grouping, Lot, Membership
from groupings.models.grouping import euros, euros_constraints, to_cents
from groupings.querysets import OfGroupingQuerySet, OwnMembershipQuerySet
from members.models import validate_one_line
from procurement.core.journal.record import Scope


def budget_year() -> models.PositiveSmallIntegerField:
    return models.PositiveSmallIntegerField("exercice", validators=[MinValueValidator(2000), MaxValueValidator(2100)])


class OffContractSpend(models.Model):
    """What one member bought elsewhere in one year of what a lot provides, € excl. tax."""

    lot = models.ForeignKey(Lot, models.CASCADE, related_name="off_contract")
    membership = models.ForeignKey(Membership, models.CASCADE, related_name="off_contract")
    year = budget_year()
    amount_excl_tax = euros("hors marché (€ HT)")
    source = models.CharField("source", max_length=200, validators=[validate_one_line])
    entered_label = models.CharField("saisi par", max_length=200)
    entered_at = models.DateTimeField("saisi le", auto_now=True)

    objects = OwnMembershipQuerySet.as_manager()

    class Meta:
        verbose_name = "achat hors marché"
        verbose_name_plural = "achats hors marché"
        ordering = ["year", "lot__number"]
        constraints = [
            models.UniqueConstraint(
                fields=["lot", "membership", "year"],
                name="off_contract_once",
                violation_error_message="Le montant hors marché de ce membre est déjà saisi pour cette année.",
            ),
            models.CheckConstraint(
                condition=Q(amount_excl_tax__isnull=False),
                name="off_contract_known",
                violation_error_message="Indiquez le montant.",
            ),
            *euros_constraints("off_contract", "amount_excl_tax"),
        ]

    def __str__(self) -> str:
        return f"Hors marché, {self.membership}, {self.year}"

    def save(self, *args, **kwargs) -> None:
        self.amount_excl_tax = to_cents(self.amount_excl_tax)
        super().save(*args, **kwargs)

    @property
    def journal_scope(self) -> Scope:
        return self.membership.journal_scope


class CoordinationCost(models.Model):
    """What coordinating one grouping cost in one year: hours at their rate, legal notices, advice. € excl. tax."""

    grouping = models.ForeignKey(Grouping, models.CASCADE, related_name="coordination_costs")
    year = budget_year()
    label = models.CharField("nature", max_length=200, validators=[validate_one_line])
    hours = models.DecimalField(
        "heures", max_digits=8, decimal_places=2, null=True, blank=True, validators=[MinValueValidator(0)]
    )
    hourly_rate = euros("coût horaire (€)")
    amount_excl_tax = euros("montant (€ HT)")
    entered_label = models.CharField("saisi par", max_length=200)
    entered_at = models.DateTimeField("saisi le", auto_now=True)

    objects = OfGroupingQuerySet.as_manager()

    class Meta:
        verbose_name = "coût de coordination"
        verbose_name_plural = "coûts de coordination"
        ordering = ["year", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["grouping", "year", "label"],
                name="coordination_cost_once",
                violation_error_message="Ce coût est déjà saisi pour cette année.",
            ),
            models.CheckConstraint(
                condition=Q(amount_excl_tax__isnull=False),
                name="coordination_cost_known",
                violation_error_message="Indiquez le montant, ou les heures et leur coût.",
            ),
            *euros_constraints("coordination_cost", "amount_excl_tax"),
            *euros_constraints("coordination_rate", "hourly_rate"),
        ]

    def __str__(self) -> str:
        return f"{self.label}, {self.year}"

    def save(self, *args, **kwargs) -> None:
        self.amount_excl_tax = to_cents(self.amount_excl_tax)
        self.hourly_rate = to_cents(self.hourly_rate)
        super().save(*args, **kwargs)

    @property
    def journal_scope(self) -> Scope:
        return self.grouping.journal_scope
