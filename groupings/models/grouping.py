"""The grouping and its lots."""

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from djmoney.models.fields import MoneyField

from groupings.choices import (
    GROUPING_BADGES,
    IN_PREPARATION,
    LAUNCHED,
    Badge,
    Category,
    FeeRule,
    GroupingKind,
    GroupingStatus,
    IntegrationLevel,
    LegalVehicle,
    TenderCommitteeMode,
)
from groupings.querysets import GroupingQuerySet, OfGroupingQuerySet
from groupings.reference import cpv
from members.models import Organisation, validate_one_line
from procurement.core.journal.record import Scope
from procurement.core.money import round_half_up

REFERENCE = RegexValidator(
    r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,29}$",
    "Trente caractères au plus\u00a0: lettres sans accent, chiffres, tiret, point, tiret bas.",
)


def validate_cpv(value: str) -> None:
    """Eight digits of the CPV 2008 list (règlement (CE) n° 213/2008)."""
    try:
        if cpv.parse(value) != value:
            raise ValidationError("Saisissez les huit chiffres du code CPV, sans la clé.")
    except ValueError as error:
        raise ValidationError(str(error)) from None


def euros(verbose_name: str, **options) -> MoneyField:
    """A column of euros excluding tax, two decimals, EUR only (each model adds its constraint)."""
    return MoneyField(
        verbose_name, max_digits=14, decimal_places=2, null=True, blank=True, default_currency="EUR", **options
    )


def unit_price(verbose_name: str, **options) -> models.DecimalField:
    """A column of a price per unit, € excl. tax, six decimals: a kilowatt-hour is priced below the cent."""
    return models.DecimalField(
        verbose_name,
        max_digits=16,
        decimal_places=6,
        null=True,
        blank=True,
        validators=[MinValueValidator(0, "Un prix ne peut pas être négatif.")],
        **options,
    )


def euros_constraints(name: str, field: str) -> list[models.CheckConstraint]:
    """EUR and not negative, in the database; unknown stays null."""
    return [
        models.CheckConstraint(
            condition=Q(**{f"{field}_currency": "EUR"}),
            name=f"{name}_in_euros",
            violation_error_message="Les montants sont en euros.",
        ),
        models.CheckConstraint(
            condition=Q(**{f"{field}__isnull": True}) | Q(**{f"{field}__gte": 0}),
            name=f"{name}_not_negative",
            violation_error_message="Un montant ne peut pas être négatif.",
        ),
    ]


def to_cents(money):
    """Money rounded half up before it is stored: django-money would round half to even, SQLite not at all."""
    return None if money is None else type(money)(round_half_up(money.amount), "EUR")


class Grouping(models.Model):
    """A groupement de commandes, from the survey of needs to the review."""

    reference = models.CharField("référence", max_length=30, validators=[REFERENCE])
    title = models.CharField("objet", max_length=200, validators=[validate_one_line])
    category = models.CharField("catégorie", max_length=15, choices=Category)
    cpv = models.CharField("code CPV", max_length=8, validators=[validate_cpv], help_text="Huit chiffres, sans la clé.")
    coordinator = models.ForeignKey(
        Organisation, models.PROTECT, related_name="coordinated_groupings", verbose_name="coordonnateur"
    )
    kind = models.CharField("type", max_length=9, choices=GroupingKind, default=GroupingKind.AD_HOC)
    integration_level = models.CharField(
        "degré d’intégration", max_length=11, choices=IntegrationLevel, default=IntegrationLevel.PARTIAL
    )
    legal_vehicle = models.CharField("cadre juridique", max_length=20, choices=LegalVehicle, default="grouping")
    tender_committee_mode = models.CharField(
        "commission d’appel d’offres", max_length=11, choices=TenderCommitteeMode, default="COORDINATOR"
    )
    coordinator_has_own_need = models.BooleanField("le coordonnateur achète aussi pour lui-même", default=True)
    statutes_clause_ref = models.CharField(
        "clause des statuts",
        max_length=200,
        blank=True,
        validators=[validate_one_line],
        help_text="Article des statuts qui permet de coordonner sans besoin propre (CGCT, L5211-4-4).",
    )
    fee_rule = models.CharField("frais de fonctionnement", max_length=16, choices=FeeRule, default=FeeRule.FREE)
    fee_base = euros(
        "frais prévisionnels (€ HT)", help_text="Total à répartir\u202f; pour un forfait, montant dû par chaque membre."
    )
    fee_ceiling = euros("plafond des frais (€ HT)")

    duration_months = models.PositiveSmallIntegerField(
        "durée ferme (mois)", validators=[MinValueValidator(1), MaxValueValidator(360)]
    )
    extension_count = models.PositiveSmallIntegerField("nombre de reconductions", default=0)
    extension_months = models.PositiveSmallIntegerField("durée d’une reconduction (mois)", default=0)

    opened_on = models.DateField("ouvert le", help_text="Début du recensement des besoins.")
    convention_on = models.DateField(
        "date de la convention", null=True, blank=True, help_text="Elle décide du droit applicable."
    )
    needs_due_on = models.DateField("besoins attendus le", null=True, blank=True)
    deliberations_due_on = models.DateField("délibérations exécutoires attendues le", null=True, blank=True)
    launch_planned_on = models.DateField("lancement prévu le", null=True, blank=True)
    award_planned_on = models.DateField("notification prévue le", null=True, blank=True)
    performance_planned_on = models.DateField("début d’exécution prévu le", null=True, blank=True)
    launched_on = models.DateField("consultation lancée le", null=True, blank=True)
    closed_on = models.DateField("clos le", null=True, blank=True)

    buyer = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="acheteur"
    )
    jurist = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name="juriste"
    )
    status = models.CharField("étape", max_length=13, choices=GroupingStatus, default=GroupingStatus.NEEDS)
    renews = models.ForeignKey(
        "self", models.SET_NULL, null=True, blank=True, related_name="renewals", verbose_name="renouvelle"
    )
    is_declared_only = models.BooleanField(
        "seulement déclaré",
        default=False,
        help_text="Groupement suivi par une autre direction\u00a0: une fiche légère.",
    )
    declaring_department = models.CharField(
        "direction qui le suit", max_length=200, blank=True, validators=[validate_one_line]
    )
    declared_participants = models.PositiveSmallIntegerField("participants déclarés", null=True, blank=True)
    declared_amount_excl_tax = euros("montant déclaré (€ HT)")
    source = models.CharField("source", max_length=200, blank=True, validators=[validate_one_line])
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = GroupingQuerySet.as_manager()

    class Meta:
        verbose_name = "groupement"
        ordering = ["-opened_on", "reference"]
        constraints = [
            models.UniqueConstraint(
                fields=["coordinator", "reference"],
                name="grouping_reference_once",
                violation_error_message="Ce coordonnateur a déjà un groupement de cette référence.",
            ),
            models.CheckConstraint(
                condition=Q(launched_on__isnull=False) | ~Q(status__in=LAUNCHED) | Q(is_declared_only=True),
                name="grouping_launched_has_date",
                violation_error_message="Un groupement dont la consultation est lancée porte la date du lancement.",
            ),
            models.CheckConstraint(
                condition=Q(launched_on__isnull=True) | ~Q(status__in=IN_PREPARATION),
                name="grouping_in_preparation_not_launched",
                violation_error_message="Un groupement en préparation n’a pas de date de lancement.",
            ),
            models.CheckConstraint(
                condition=Q(closed_on__isnull=True) | Q(closed_on__gte=F("opened_on")),
                name="grouping_dates_in_order",
                violation_error_message="Un groupement ne peut pas être clos avant d’être ouvert.",
            ),
            models.CheckConstraint(
                condition=Q(coordinator_has_own_need=True) | (Q(fee_rule=FeeRule.FREE) & ~Q(statutes_clause_ref="")),
                name="grouping_coordinator_without_need",
                violation_error_message=(
                    "Sans besoin propre du coordonnateur, l’intervention est gratuite et la clause des statuts est "
                    "citée (CGCT, L5211-4-4)."
                ),
            ),
            models.CheckConstraint(
                condition=Q(extension_count=0) | Q(extension_months__gt=0),
                name="grouping_extension_has_length",
                violation_error_message="Indiquez la durée d’une reconduction.",
            ),
            *euros_constraints("grouping_fee_base", "fee_base"),
            *euros_constraints("grouping_fee_ceiling", "fee_ceiling"),
            *euros_constraints("grouping_declared", "declared_amount_excl_tax"),
        ]
        indexes = [models.Index(fields=["coordinator", "status"], name="grouping_coordinator_status")]

    def __str__(self) -> str:
        return f"{self.reference} – {self.title}"

    def save(self, *args, **kwargs) -> None:
        for field in ("fee_base", "fee_ceiling", "declared_amount_excl_tax"):
            setattr(self, field, to_cents(getattr(self, field)))
        super().save(*args, **kwargs)

    @property
    def thread(self) -> str:
        """Its file in the journal."""
        return f"grouping:{self.pk}"

    @property
    def journal_scope(self) -> Scope:
        return Scope(self.thread, self.territory_id)

    @property
    def badge(self) -> Badge:
        return GROUPING_BADGES[GroupingStatus(self.status)]

    @property
    def territory_id(self) -> int:
        return self.coordinator.root_id

    @property
    def is_launched(self) -> bool:
        return self.status in LAUNCHED

    @property
    def is_in_preparation(self) -> bool:
        return self.status in IN_PREPARATION

    @property
    def total_months(self) -> int:
        """Whole duration in months, extensions included."""
        return self.duration_months + self.extension_count * self.extension_months

    @property
    def is_demonstration(self) -> bool:
        return bool(self.source)


class Lot(models.Model):
    """One lot of the future contract."""

    grouping = models.ForeignKey(Grouping, models.CASCADE, related_name="lots")
    number = models.PositiveSmallIntegerField("numéro", validators=[MinValueValidator(1), MaxValueValidator(999)])
    title = models.CharField("intitulé", max_length=200, validators=[validate_one_line])
    cpv = models.CharField("code CPV", max_length=8, blank=True, validators=[validate_cpv])
    is_framework = models.BooleanField(
        "accord-cadre", default=False, help_text="À bons de commande ou à marchés subséquents."
    )
    minimum_excl_tax = euros(
        "minimum (€ HT)", help_text="Sur toute la durée, reconductions comprises. Vide\u00a0: sans minimum."
    )
    maximum_excl_tax = euros(
        "maximum (€ HT)",
        help_text="Sur toute la durée, reconductions comprises. Obligatoire depuis le 1er janvier 2022 (CCP, R2162-4).",
    )
    takes_small_lot_exception = models.BooleanField(
        "exception des petits lots", default=False, help_text="Passé en procédure adaptée (CCP, R2123-1)."
    )
    small_lot_reason = models.CharField("motif du juriste", max_length=500, blank=True)

    objects = OfGroupingQuerySet.as_manager()

    class Meta:
        verbose_name = "lot"
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(
                fields=["grouping", "number"],
                name="lot_number_once",
                violation_error_message="Ce groupement a déjà un lot de ce numéro.",
            ),
            models.CheckConstraint(
                condition=Q(is_framework=True) | Q(minimum_excl_tax__isnull=True, maximum_excl_tax__isnull=True),
                name="lot_bounds_of_framework",
                violation_error_message="Seul un accord-cadre a un minimum et un maximum.",
            ),
            models.CheckConstraint(
                condition=Q(minimum_excl_tax__isnull=True)
                | Q(maximum_excl_tax__isnull=True)
                | Q(maximum_excl_tax__gte=F("minimum_excl_tax")),
                name="lot_bounds_in_order",
                violation_error_message="Le maximum ne peut pas être inférieur au minimum.",
            ),
            models.CheckConstraint(
                condition=Q(takes_small_lot_exception=False) | ~Q(small_lot_reason=""),
                name="lot_exception_has_reason",
                violation_error_message="Indiquez le motif de l’exception des petits lots.",
            ),
            *euros_constraints("lot_minimum", "minimum_excl_tax"),
            *euros_constraints("lot_maximum", "maximum_excl_tax"),
        ]

    def __str__(self) -> str:
        return f"Lot {self.number} – {self.title}"

    def save(self, *args, **kwargs) -> None:
        for field in ("minimum_excl_tax", "maximum_excl_tax"):
            setattr(self, field, to_cents(getattr(self, field)))
        super().save(*args, **kwargs)

    @property
    def journal_scope(self) -> Scope:
        return self.grouping.journal_scope
