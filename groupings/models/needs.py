"""What each member needs, lot by lot."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from groupings.models.grouping import Lot, euros, euros_constraints, to_cents
from groupings.models.membership import Membership
from groupings.querysets import NeedLineQuerySet
from members.models import validate_one_line
from procurement.core.journal.record import Scope


class NeedLine(models.Model):
    """Member × lot: euros excluding tax over the whole duration, units where known. Unknown is null, never zero."""

    membership = models.ForeignKey(Membership, models.CASCADE, related_name="needs")
    lot = models.ForeignKey(Lot, models.CASCADE, related_name="needs")
    estimated_amount_excl_tax = euros("montant estimé (€ HT)")
    quantity = models.DecimalField("quantité", max_digits=14, decimal_places=3, null=True, blank=True)
    unit = models.CharField("unité", max_length=40, blank=True, validators=[validate_one_line])

    objects = NeedLineQuerySet.as_manager()

    class Meta:
        verbose_name = "besoin"
        ordering = ["lot__number"]
        constraints = [
            models.UniqueConstraint(
                fields=["membership", "lot"],
                name="need_once",
                violation_error_message="Ce membre a déjà un besoin pour ce lot.",
            ),
            models.CheckConstraint(
                condition=Q(quantity__isnull=True) | Q(quantity__gte=0),
                name="need_quantity_not_negative",
                violation_error_message="Une quantité ne peut pas être négative.",
            ),
            *euros_constraints("need", "estimated_amount_excl_tax"),
        ]

    def __str__(self) -> str:
        return f"{self.membership} – lot {self.lot.number}"

    def clean(self) -> None:
        if self.lot_id and self.membership_id and self.lot.grouping_id != self.membership.grouping_id:
            raise ValidationError({"lot": "Ce lot appartient à un autre groupement."})

    def save(self, *args, **kwargs) -> None:
        if self.lot.grouping_id != self.membership.grouping_id:
            raise ValidationError({"lot": "Ce lot appartient à un autre groupement."})
        self.estimated_amount_excl_tax = to_cents(self.estimated_amount_excl_tax)
        super().save(*args, **kwargs)

    @property
    def journal_scope(self) -> Scope:
        return self.membership.journal_scope
