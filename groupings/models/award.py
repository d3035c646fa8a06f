"""What became of a lot: who holds it, at what price, until when, and the share of each member to the cent."""

import re
from datetime import date, timedelta
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q

from groupings.contract_choices import (
    Ccag,
    EnvironmentalConsideration,
    IdentifierType,
    Modality,
    OperatorsKind,
    Outcome,
    PriceForm,
    PriceType,
    SocialConsideration,
    Technique,
)
from groupings.models.consultation import Consultation
from groupings.models.grouping import Lot, euros, euros_constraints, to_cents
from groupings.models.membership import Membership
from groupings.querysets import AwardQuerySet, AwardShareQuerySet, OfAwardQuerySet, OwnMembershipQuerySet
from groupings.rules.suppliers import check_siret
from members.models import validate_one_line
from procurement.core.calendar import add_months
from procurement.core.journal.record import Scope

#: Sixteen characters at most, without those the essential data refuse (DECP 2.0.4, « id »).
CONTRACT_REFERENCE = RegexValidator(
    r"""^[^\s&"\\<,;]{1,16}$""",
    'Seize caractères au plus, sans espace ni & " \\ < , ; (identifiant des données essentielles).',
)


class Award(models.Model):
    """The decision on one lot of one consultation. An awarded one holds what the contract says."""

    consultation = models.ForeignKey(Consultation, models.PROTECT, related_name="awards")
    lot = models.ForeignKey(Lot, models.PROTECT, related_name="awards")
    outcome = models.CharField("décision", max_length=12, choices=Outcome)
    decided_on = models.DateField("décidée le")
    reason = models.CharField("motif", max_length=500, blank=True, help_text="Pour un lot qui n’est pas attribué.")
    offers_received = models.PositiveSmallIntegerField("offres reçues", null=True, blank=True)

    reference = models.CharField("numéro du marché", max_length=16, blank=True, validators=[CONTRACT_REFERENCE])
    amount_excl_tax = euros("montant (€ HT)", help_text="Sur toute la durée, reconductions comprises.")
    minimum_excl_tax = euros("minimum (€ HT)")
    maximum_excl_tax = euros("maximum (€ HT)", help_text="Sur toute la durée, reconductions comprises.")
    price_form = models.CharField("forme du prix", max_length=8, choices=PriceForm, blank=True)
    price_type = models.CharField("type de prix", max_length=11, choices=PriceType, blank=True)
    price_index = models.CharField("indice de révision", max_length=200, blank=True, validators=[validate_one_line])
    starts_on = models.DateField("début", null=True, blank=True)
    duration_months = models.PositiveSmallIntegerField(
        "durée ferme (mois)", null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(360)]
    )
    extension_count = models.PositiveSmallIntegerField("reconductions possibles", default=0)
    extension_months = models.PositiveSmallIntegerField("durée d’une reconduction (mois)", default=0)
    extensions_taken = models.PositiveSmallIntegerField("reconductions prises", default=0)
    notice_months = models.PositiveSmallIntegerField(
        "préavis de reconduction (mois)", default=3, validators=[MaxValueValidator(24)]
    )

    rejection_sent_on = models.DateField("lettres de rejet envoyées le", null=True, blank=True)
    signed_on = models.DateField("signé le", null=True, blank=True)
    notified_on = models.DateField("notifié le", null=True, blank=True)
    data_published_on = models.DateField("données essentielles publiées le", null=True, blank=True)

    technique = models.CharField("technique d’achat", max_length=13, choices=Technique, blank=True)
    modality = models.CharField("modalité d’exécution", max_length=15, choices=Modality, blank=True)
    ccag = models.CharField("CCAG", max_length=18, choices=Ccag, blank=True)
    operators_kind = models.CharField(
        "groupement d’entreprises", max_length=7, choices=OperatorsKind, default=OperatorsKind.NONE
    )
    has_advance = models.BooleanField("avance attribuée", null=True, blank=True)
    advance_rate = models.DecimalField(
        "taux de l’avance (%)",
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )
    has_subcontracting = models.BooleanField("sous-traitance déclarée", null=True, blank=True)
    is_innovative = models.BooleanField("achat innovant", default=False)
    social_considerations = models.JSONField("considérations sociales", default=list, blank=True)
    environmental_considerations = models.JSONField("considérations environnementales", default=list, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = AwardQuerySet.as_manager()

    class Meta:
        verbose_name = "attribution"
        ordering = ["lot__number", "-consultation__number"]
        constraints = [
            models.UniqueConstraint(
                fields=["consultation", "lot"],
                name="award_once_per_consultation",
                violation_error_message="Ce lot a déjà une décision dans cette consultation.",
            ),
            models.UniqueConstraint(
                fields=["lot"],
                condition=Q(outcome=Outcome.AWARDED),
                name="award_lot_once",
                violation_error_message="Ce lot est déjà attribué.",
            ),
            models.CheckConstraint(
                condition=~Q(outcome=Outcome.AWARDED)
                | Q(amount_excl_tax__isnull=False)
                | Q(maximum_excl_tax__isnull=False),
                name="award_has_value",
                violation_error_message="Indiquez le montant du marché, ou le maximum de l’accord-cadre.",
            ),
            models.CheckConstraint(
                condition=Q(outcome=Outcome.AWARDED) | Q(amount_excl_tax__isnull=True, maximum_excl_tax__isnull=True),
                name="award_not_awarded_without_value",
                violation_error_message="Un lot qui n’est pas attribué n’a pas de montant.",
            ),
            models.CheckConstraint(
                condition=Q(outcome=Outcome.AWARDED) | ~Q(reason=""),
                name="award_not_awarded_has_reason",
                violation_error_message="Indiquez pourquoi ce lot n’est pas attribué.",
            ),
            models.CheckConstraint(
                condition=Q(minimum_excl_tax__isnull=True)
                | Q(maximum_excl_tax__isnull=True)
                | Q(maximum_excl_tax__gte=F("minimum_excl_tax")),
                name="award_bounds_in_order",
                violation_error_message="Le maximum ne peut pas être inférieur au minimum.",
            ),
            models.CheckConstraint(
                condition=Q(signed_on__isnull=True) | Q(signed_on__gte=F("decided_on")),
                name="award_signed_after_decision",
                violation_error_message="Le marché ne peut pas être signé avant d’être attribué.",
            ),
            models.CheckConstraint(
                condition=Q(notified_on__isnull=True) | Q(signed_on__isnull=False, notified_on__gte=F("signed_on")),
                name="award_notified_after_signature",
                violation_error_message="Un marché est signé avant d’être notifié.",
            ),
            models.CheckConstraint(
                condition=Q(extension_count=0) | Q(extension_months__gt=0),
                name="award_extension_has_length",
                violation_error_message="Indiquez la durée d’une reconduction.",
            ),
            models.CheckConstraint(
                condition=Q(extensions_taken__lte=F("extension_count")),
                name="award_extensions_within_count",
                violation_error_message="Plus de reconductions prises que le marché n’en prévoit.",
            ),
            *euros_constraints("award_amount", "amount_excl_tax"),
            *euros_constraints("award_minimum", "minimum_excl_tax"),
            *euros_constraints("award_maximum", "maximum_excl_tax"),
        ]

    def __str__(self) -> str:
        return f"{self.lot}\u00a0: {self.get_outcome_display().lower()}"

    def save(self, *args, **kwargs) -> None:
        for field in ("amount_excl_tax", "minimum_excl_tax", "maximum_excl_tax"):
            setattr(self, field, to_cents(getattr(self, field)))
        super().save(*args, **kwargs)

    def clean(self) -> None:
        if self.lot_id and self.consultation_id and self.lot.grouping_id != self.consultation.grouping_id:
            raise ValidationError({"lot": "Ce lot appartient à un autre groupement."})
        for field, allowed in (
            ("social_considerations", SocialConsideration),
            ("environmental_considerations", EnvironmentalConsideration),
        ):
            chosen = getattr(self, field)
            if not isinstance(chosen, list) or any(item not in allowed.values for item in chosen):
                raise ValidationError({field: "Choisissez parmi les valeurs proposées."})
            if "none" in chosen and len(chosen) > 1:
                raise ValidationError({field: "«\u00a0Pas de considération\u00a0» exclut les autres choix."})

    @property
    def journal_scope(self) -> Scope:
        """Until the notification, told to the coordinator's people alone."""
        scope = self.consultation.grouping.journal_scope
        return scope if self.notified_on else scope._replace(concerns_id=self.consultation.grouping.coordinator_id)

    @property
    def is_formal(self) -> bool:
        """Whether the rules of the formalised procedures hold for this lot: a small lot may be apart (R2123-1)."""
        return self.consultation.is_formal and not self.lot.takes_small_lot_exception

    @property
    def is_awarded(self) -> bool:
        return self.outcome == Outcome.AWARDED

    @property
    def value(self) -> Decimal | None:
        """What the shares add up to, € excl. tax: the maximum of an accord-cadre, else the amount; None without."""
        money = self.maximum_excl_tax if self.maximum_excl_tax is not None else self.amount_excl_tax
        return None if money is None else money.amount

    @property
    def total_months(self) -> int | None:
        """Whole duration in months, extensions included: what the essential data publish."""
        return (
            None
            if self.duration_months is None
            else self.duration_months + self.extension_count * self.extension_months
        )

    @property
    def ends_on(self) -> date | None:
        """The last day of the contract with the extensions taken so far; None before its beginning is known."""
        if self.starts_on is None or self.duration_months is None:
            return None
        months = self.duration_months + self.extensions_taken * self.extension_months
        return add_months(self.starts_on, months) - timedelta(days=1)

    @property
    def notice_due_on(self) -> date | None:
        """The last day to tell whether the next extension is taken; None when none is left."""
        if self.ends_on is None or self.extensions_taken >= self.extension_count:
            return None
        return add_months(self.ends_on, -self.notice_months)


class AwardHolder(models.Model):
    """A company that holds the lot; several for a group of companies, one of them its lead."""

    award = models.ForeignKey(Award, models.CASCADE, related_name="holders")
    name = models.CharField("entreprise", max_length=200, validators=[validate_one_line])
    identifier_type = models.CharField(
        "type d’identifiant", max_length=10, choices=IdentifierType, default=IdentifierType.SIRET
    )
    identifier = models.CharField("identifiant", max_length=18, validators=[validate_one_line])
    is_lead = models.BooleanField("mandataire", default=True)

    objects = OfAwardQuerySet.as_manager()

    class Meta:
        verbose_name = "titulaire"
        ordering = ["-is_lead", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["award", "identifier"],
                name="holder_once",
                violation_error_message="Cette entreprise est déjà titulaire de ce lot.",
            ),
            models.UniqueConstraint(
                fields=["award"],
                condition=Q(is_lead=True),
                name="holder_one_lead",
                violation_error_message="Un groupement d’entreprises a un seul mandataire.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if self.identifier_type == IdentifierType.SIRET:
            self.identifier = re.sub(r"[\s\u00a0\u202f]", "", self.identifier or "")
            try:
                check_siret(self.identifier)
            except ValueError as error:
                raise ValidationError({"identifier": str(error)}) from None

    @property
    def journal_scope(self) -> Scope:
        return self.award.journal_scope


class AwardShare(models.Model):
    """One member's part of an awarded lot, € excl. tax. The parts of a lot always add up to it: the action holds it."""

    award = models.ForeignKey(Award, models.CASCADE, related_name="shares")
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="shares")
    amount_excl_tax = euros("part (€ HT)")
    is_adjusted = models.BooleanField("ajustée à la main", default=False)

    objects = AwardShareQuerySet.as_manager()

    class Meta:
        verbose_name = "part d’un membre"
        verbose_name_plural = "parts des membres"
        ordering = ["membership__organisation__sort_name"]
        constraints = [
            models.UniqueConstraint(
                fields=["award", "membership"],
                name="award_share_once",
                violation_error_message="Ce membre a déjà une part de ce lot.",
            ),
            models.CheckConstraint(
                condition=Q(amount_excl_tax__isnull=False),
                name="award_share_known",
                violation_error_message="Indiquez la part de ce membre.",
            ),
            *euros_constraints("award_share", "amount_excl_tax"),
        ]

    def __str__(self) -> str:
        return f"{self.membership}, lot {self.award.lot.number}"

    def save(self, *args, **kwargs) -> None:
        self.amount_excl_tax = to_cents(self.amount_excl_tax)
        super().save(*args, **kwargs)

    @property
    def journal_scope(self) -> Scope:
        return self.membership.journal_scope


class MemberContract(models.Model):
    """Where each member signs its own contract (integration COORDINATED): its signature and its notification."""

    award = models.ForeignKey(Award, models.CASCADE, related_name="member_contracts")
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="contracts")
    signed_on = models.DateField("signé le")
    notified_on = models.DateField("notifié le", null=True, blank=True)

    objects = OwnMembershipQuerySet.as_manager()

    class Meta:
        verbose_name = "marché d’un membre"
        verbose_name_plural = "marchés des membres"
        ordering = ["membership__organisation__sort_name"]
        constraints = [
            models.UniqueConstraint(
                fields=["award", "membership"],
                name="member_contract_once",
                violation_error_message="Ce membre a déjà signé son marché de ce lot.",
            ),
            models.CheckConstraint(
                condition=Q(notified_on__isnull=True) | Q(notified_on__gte=F("signed_on")),
                name="member_contract_notified_after_signature",
                violation_error_message="Un marché est signé avant d’être notifié.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.membership}, lot {self.award.lot.number}"

    @property
    def journal_scope(self) -> Scope:
        return self.membership.journal_scope
