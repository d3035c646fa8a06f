"""The fees of a grouping: what was spent for it, what each member owes of it once approved, what it was called for."""

from decimal import Decimal

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q

from groupings.choices import FEE_STATEMENT_BADGES, Badge, FeeNature, FeeRule, FeeStatementStatus
from groupings.models.document import GroupingDocument
from groupings.models.grouping import Grouping, Lot, euros, to_cents
from groupings.models.membership import Membership
from groupings.querysets import FrozenOfGroupingQuerySet, FundCallQuerySet, OfGroupingQuerySet
from members.models import Organisation, validate_one_line
from procurement.core.journal.record import Scope
from procurement.core.money import ZERO


def fee_year(verbose_name: str = "exercice", **options) -> models.PositiveSmallIntegerField:
    return models.PositiveSmallIntegerField(
        verbose_name,
        validators=[
            MinValueValidator(2000, "Saisissez une année à partir de 2000."),
            MaxValueValidator(2100, "Saisissez une année jusqu’à 2100."),
        ],
        **options,
    )


def _known(name: str, field: str) -> models.CheckConstraint:
    """EUR, and not unknown. An amount that may be negative: a credit note, a difference given back."""
    return models.CheckConstraint(
        condition=Q(**{f"{field}__isnull": False, f"{field}_currency": "EUR"}),
        name=name,
        violation_error_message="Les montants sont connus, et en euros.",
    )


class FeeStatement(models.Model):
    """The fees of one year, approved: expenses and shares frozen in ``values`` with their SHA-256.

    Never edited: what is corrected is approved again under the next ``number``, and the former stays, replaced.
    ``operating_total`` is what the ceiling counts; ``total`` adds the disputes (€ excl. tax).
    """

    grouping = models.ForeignKey(Grouping, models.PROTECT, related_name="fee_statements")
    year = fee_year()
    number = models.PositiveSmallIntegerField("version", validators=[MinValueValidator(1)])
    status = models.CharField("état", max_length=8, choices=FeeStatementStatus, default=FeeStatementStatus.APPROVED)
    rule = models.CharField("règle", max_length=16, choices=FeeRule)
    is_provisional = models.BooleanField("provisoire", default=False)
    values = models.JSONField("valeurs")
    sha256 = models.CharField("empreinte SHA-256", max_length=64)
    total = euros("total (€ HT)")
    operating_total = euros("dont frais de fonctionnement (€ HT)")
    ceiling_agreement = models.CharField(
        "accord sur le dépassement du plafond", max_length=200, blank=True, validators=[validate_one_line]
    )
    reason = models.CharField("motif de la correction", max_length=500, blank=True)
    approved_at = models.DateTimeField("arrêté le")
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    approved_label = models.CharField("arrêté par", max_length=200)

    objects = FrozenOfGroupingQuerySet.as_manager()

    class Meta:
        verbose_name = "état des frais"
        verbose_name_plural = "états des frais"
        ordering = ["-year", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["grouping", "year", "number"], name="fee_statement_number_once"),
            models.UniqueConstraint(
                fields=["grouping", "year"],
                condition=~Q(status=FeeStatementStatus.REPLACED),
                name="fee_statement_current_once",
                violation_error_message="L’état des frais de cette année est déjà arrêté.",
            ),
            models.CheckConstraint(
                condition=Q(number=1) | ~Q(reason=""),
                name="fee_statement_correction_has_reason",
                violation_error_message="Indiquez le motif de la correction.",
            ),
            models.CheckConstraint(
                condition=~Q(sha256="") & ~Q(approved_label=""),
                name="fee_statement_approved_whole",
                violation_error_message="Un état arrêté a son auteur et son empreinte.",
            ),
            models.CheckConstraint(
                condition=Q(operating_total__gte=0, total__gte=F("operating_total")),
                name="fee_statement_totals_in_order",
                violation_error_message="Le total d’un état comprend ses frais de fonctionnement.",
            ),
            _known("fee_statement_in_euros", "total"),
            _known("fee_statement_operating_in_euros", "operating_total"),
        ]

    def __str__(self) -> str:
        return f"État des frais {self.year}, version {self.number}"

    def save(self, *args, **kwargs) -> None:
        if not self._state.adding and set(kwargs.get("update_fields") or {"*"}) != {"status"}:
            raise TypeError("Un état arrêté ne change plus\u00a0: il est remplacé.")
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        raise TypeError("Un état arrêté ne se supprime pas.")

    @property
    def badge(self) -> Badge:
        return FEE_STATEMENT_BADGES[FeeStatementStatus(self.status)]

    @property
    def journal_scope(self) -> Scope:
        """Told to the coordinator's people: it holds every member's share. Each member is told of its own call."""
        return self.grouping.journal_scope._replace(concerns_id=self.grouping.coordinator_id)


class FeeExpense(models.Model):
    """One expense the coordinator advanced for the grouping, € excl. tax; a credit note is negative.

    ``statement``: the first statement that counted it. From then on it does not change: a credit note corrects it.
    """

    grouping = models.ForeignKey(Grouping, models.PROTECT, related_name="fee_expenses")
    nature = models.CharField("nature", max_length=17, choices=FeeNature)
    label = models.CharField("libellé", max_length=200, validators=[validate_one_line])
    amount_excl_tax = euros("montant (€ HT)")
    spent_on = models.DateField("engagée le", help_text="Elle décide de l’exercice, et des membres qui la partagent.")
    lot = models.ForeignKey(
        Lot, models.PROTECT, null=True, blank=True, related_name="fee_expenses", verbose_name="lot en cause"
    )
    evidence = models.ForeignKey(
        GroupingDocument,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="fee_expenses",
        verbose_name="justificatif",
    )
    statement = models.ForeignKey(FeeStatement, models.PROTECT, null=True, blank=True, related_name="expenses")
    entered_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    entered_label = models.CharField("saisie par", max_length=200)
    changed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    changed_at = models.DateTimeField("saisie le", auto_now=True)

    objects = OfGroupingQuerySet.as_manager()

    class Meta:
        verbose_name = "dépense du groupement"
        verbose_name_plural = "dépenses du groupement"
        ordering = ["spent_on", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(amount_excl_tax=0),
                name="fee_expense_not_zero",
                violation_error_message="Une dépense n’est pas de zéro euro\u00a0; un avoir est négatif.",
            ),
            models.CheckConstraint(
                condition=Q(lot__isnull=True) | Q(nature=FeeNature.LITIGATION),
                name="fee_expense_lot_of_dispute",
                violation_error_message="Seul un contentieux se rattache à un lot.",
            ),
            _known("fee_expense_in_euros", "amount_excl_tax"),
        ]
        indexes = [models.Index(fields=["grouping", "spent_on"], name="fee_expense_grouping_day")]

    def __str__(self) -> str:
        return f"{self.get_nature_display()}, {self.label}"

    def save(self, *args, **kwargs) -> None:
        self.amount_excl_tax = to_cents(self.amount_excl_tax)
        super().save(*args, **kwargs)

    @property
    def year(self) -> int:
        """The budget year it counts in."""
        return self.spent_on.year

    @property
    def is_counted(self) -> bool:
        return self.statement_id is not None

    @property
    def is_litigation(self) -> bool:
        return self.nature == FeeNature.LITIGATION

    @property
    def journal_scope(self) -> Scope:
        """The coordinator's own until finance approves the year."""
        return self.grouping.journal_scope._replace(concerns_id=self.grouping.coordinator_id)


def call_path(call: "FundCall", filename: str) -> str:
    """Where the PDF of a call lies: the name says which, so that it is written once."""
    return f"fees/{call.coordinator_id}/{call.reference}.pdf"


class FundCall(models.Model):
    """What one member is asked for after one statement, or given back when negative: the difference with its former
    calls of that year, € excl. tax. Numbered without gaps by coordinator and year of issue: AF-2027-003.

    ``values`` holds all that the PDF prints. Only what happens to the call is written later: its file, the number of
    the titre de recettes, its payment.
    """

    statement = models.ForeignKey(FeeStatement, models.PROTECT, related_name="calls")
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="fund_calls")
    coordinator = models.ForeignKey(Organisation, models.PROTECT, related_name="+")
    year = fee_year("année d’émission")
    number = models.PositiveIntegerField("numéro", validators=[MinValueValidator(1)])
    amount_excl_tax = euros("montant (€ HT)")
    issued_on = models.DateField("émis le")
    due_on = models.DateField("à régler avant le")
    issued_label = models.CharField("émis par", max_length=200)
    values = models.JSONField("valeurs")
    file = models.FileField("fichier", upload_to=call_path, max_length=200, blank=True)
    sha256 = models.CharField("empreinte SHA-256", max_length=64, blank=True)
    title_reference = models.CharField(
        "titre de recettes n°", max_length=60, blank=True, validators=[validate_one_line]
    )
    paid_on = models.DateField("réglé le", null=True, blank=True)

    objects = FundCallQuerySet.as_manager()

    #: What may be written after the issue.
    FOLLOWED = frozenset({"file", "sha256", "title_reference", "paid_on"})

    class Meta:
        verbose_name = "appel de fonds"
        verbose_name_plural = "appels de fonds"
        ordering = ["year", "number"]
        constraints = [
            models.UniqueConstraint(fields=["coordinator", "year", "number"], name="fund_call_number_once"),
            models.UniqueConstraint(
                fields=["statement", "membership"],
                name="fund_call_once",
                violation_error_message="Ce membre est déjà appelé pour cet état.",
            ),
            models.CheckConstraint(
                condition=~Q(amount_excl_tax=0),
                name="fund_call_not_zero",
                violation_error_message="Un appel de fonds n’est pas de zéro euro.",
            ),
            _known("fund_call_in_euros", "amount_excl_tax"),
            models.CheckConstraint(
                condition=Q(due_on__gte=F("issued_on")),
                name="fund_call_due_after_issue",
                violation_error_message="La date limite ne peut pas précéder l’émission de l’appel.",
            ),
            models.CheckConstraint(
                condition=Q(paid_on__isnull=True) | Q(paid_on__gte=F("issued_on")) & ~Q(title_reference=""),
                name="fund_call_paid_by_a_title",
                violation_error_message=(
                    "Un règlement suit l’émission de l’appel, et porte le numéro de son titre de recettes."
                ),
            ),
            models.CheckConstraint(
                condition=Q(file="", sha256="") | ~Q(file="") & ~Q(sha256=""),
                name="fund_call_file_has_hash",
                violation_error_message="Empreinte absente.",
            ),
        ]

    def __str__(self) -> str:
        return self.reference

    def clean(self) -> None:
        # Not a constraint: reading a year takes a function that SQLite only has inside Django.
        if self.issued_on and self.year != self.issued_on.year:
            raise ValidationError({"year": "Un appel est numéroté dans l’année de son émission."})

    def save(self, *args, **kwargs) -> None:
        if not self._state.adding and not set(kwargs.get("update_fields") or {"*"}) <= self.FOLLOWED:
            raise TypeError("Un appel de fonds émis ne change plus\u00a0: une correction est un nouvel appel.")
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        raise TypeError("Un appel de fonds ne se supprime pas\u00a0: sa numérotation est sans trou.")

    @property
    def reference(self) -> str:
        return f"AF-{self.year}-{self.number:03}"

    @property
    def filename(self) -> str:
        """``GC-2027-01_AF-2027-003_213401722.pdf``."""
        return f"{self.values['grouping']['reference']}_{self.reference}_{self.values['member']['siren']}.pdf"

    @property
    def is_refund(self) -> bool:
        return self.amount_excl_tax.amount < ZERO

    @property
    def due(self) -> Decimal:
        """What still has to be paid, € excl. tax: nothing once it is, negative for a sum to give back."""
        return ZERO if self.paid_on else self.amount_excl_tax.amount

    @property
    def journal_scope(self) -> Scope:
        return self.membership.journal_scope
