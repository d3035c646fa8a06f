"""A contract in use: its price list, whom to call, what each member has consumed."""

from django.db import models
from django.db.models import Q

from groupings.models.award import Award
from groupings.models.grouping import Grouping, euros, euros_constraints, to_cents, unit_price
from groupings.models.membership import Membership
from groupings.querysets import ExternalContractQuerySet, OfAwardQuerySet, OfGroupingQuerySet, OwnMembershipQuerySet
from members.models import Organisation, validate_one_line
from procurement.core.journal.record import Scope


class PriceItem(models.Model):
    """One line of the price list (bordereau des prix unitaires, BPU) of an awarded lot."""

    award = models.ForeignKey(Award, models.CASCADE, related_name="price_items")
    code = models.CharField("référence", max_length=60, validators=[validate_one_line])
    designation = models.CharField("désignation", max_length=500, validators=[validate_one_line])
    unit = models.CharField("unité", max_length=40, blank=True, validators=[validate_one_line])
    price_excl_tax = unit_price("prix unitaire (€ HT)")
    position = models.PositiveIntegerField("rang", default=0)

    objects = OfAwardQuerySet.as_manager()

    class Meta:
        verbose_name = "prix du bordereau"
        verbose_name_plural = "prix du bordereau"
        ordering = ["position", "code"]
        constraints = [
            models.UniqueConstraint(
                fields=["award", "code"],
                name="price_item_once",
                violation_error_message="Cette référence est déjà au bordereau de ce lot.",
            ),
            models.CheckConstraint(
                condition=Q(price_excl_tax__isnull=False, price_excl_tax__gte=0),
                name="price_item_not_negative",
                violation_error_message="Un prix est connu, et n’est pas négatif.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} – {self.designation}"

    @property
    def journal_scope(self) -> Scope:
        return self.award.journal_scope


class ContractContact(models.Model):
    """Whom to call about a contract: at the holder's, or at the coordinator's."""

    award = models.ForeignKey(Award, models.CASCADE, related_name="contacts")
    name = models.CharField("nom", max_length=200, validators=[validate_one_line])
    role = models.CharField("pour quoi", max_length=200, blank=True, validators=[validate_one_line])
    email = models.EmailField("adresse électronique", blank=True)
    phone = models.CharField("téléphone", max_length=20, blank=True, validators=[validate_one_line])

    objects = OfAwardQuerySet.as_manager()

    class Meta:
        verbose_name = "contact du marché"
        verbose_name_plural = "contacts du marché"
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(email="") | ~Q(phone=""),
                name="contract_contact_reachable",
                violation_error_message="Indiquez une adresse ou un téléphone.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def journal_scope(self) -> Scope:
        return self.award.journal_scope


class ConsumptionImport(models.Model):
    """One file of invoices or mandats taken in: who brought it, when, how much it held."""

    grouping = models.ForeignKey(Grouping, models.CASCADE, related_name="consumption_imports")
    filename = models.CharField("fichier", max_length=200)
    sha256 = models.CharField("empreinte SHA-256", max_length=64)
    line_count = models.PositiveIntegerField("lignes ajoutées")
    imported_at = models.DateTimeField("importé le", auto_now_add=True)
    imported_by = models.CharField("par", max_length=200)

    objects = OfGroupingQuerySet.as_manager()

    class Meta:
        verbose_name = "import de consommation"
        verbose_name_plural = "imports de consommation"
        ordering = ["-imported_at"]

    def __str__(self) -> str:
        return self.filename


class ConsumptionLine(models.Model):
    """One invoice or mandat line of one member on one lot, € excl. tax; a credit note is negative.

    ``fingerprint`` tells a line already taken in: the same file twice adds nothing.
    """

    source = models.ForeignKey(ConsumptionImport, models.CASCADE, related_name="lines")
    award = models.ForeignKey(Award, models.PROTECT, related_name="consumption")
    membership = models.ForeignKey(Membership, models.PROTECT, related_name="consumption")
    reference = models.CharField("facture ou mandat n°", max_length=60)
    label = models.CharField("libellé", max_length=200, blank=True)
    invoiced_on = models.DateField("date")
    quantity = models.DecimalField("quantité", max_digits=14, decimal_places=3, null=True, blank=True)
    amount_excl_tax = euros("montant (€ HT)")
    fingerprint = models.CharField(max_length=64, editable=False)

    objects = OwnMembershipQuerySet.as_manager()

    class Meta:
        verbose_name = "ligne de consommation"
        verbose_name_plural = "lignes de consommation"
        ordering = ["-invoiced_on", "reference"]
        constraints = [
            models.UniqueConstraint(fields=["award", "fingerprint"], name="consumption_once"),
            models.CheckConstraint(
                condition=Q(amount_excl_tax__isnull=False, amount_excl_tax_currency="EUR"),
                name="consumption_in_euros",
                violation_error_message="Les montants sont connus, et en euros.",
            ),
        ]
        indexes = [models.Index(fields=["award", "membership"], name="consumption_award_member")]

    def __str__(self) -> str:
        return f"{self.reference}, {self.membership}"

    def save(self, *args, **kwargs) -> None:
        self.amount_excl_tax = to_cents(self.amount_excl_tax)
        super().save(*args, **kwargs)


class ExternalContract(models.Model):
    """A contract of a body of the territory read in published essential data (DECP): what the radar watches."""

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="external_contracts")
    reference = models.CharField("identifiant", max_length=60)
    buyer_siret = models.CharField("SIRET de l’acheteur", max_length=14)
    title = models.CharField("objet", max_length=1000)
    cpv = models.CharField("code CPV", max_length=8)
    amount_excl_tax = euros("montant (€ HT)")
    notified_on = models.DateField("notifié le")
    duration_months = models.PositiveSmallIntegerField("durée (mois)")
    ends_on = models.DateField("fin")
    holders = models.CharField("titulaires", max_length=500, blank=True)
    source_name = models.CharField("fichier lu", max_length=200)
    read_at = models.DateTimeField("lu le", auto_now=True)

    objects = ExternalContractQuerySet.as_manager()

    class Meta:
        verbose_name = "marché publié"
        verbose_name_plural = "marchés publiés"
        ordering = ["ends_on"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "buyer_siret", "reference"],
                name="external_contract_once",
                violation_error_message="Ce marché est déjà connu.",
            ),
            *euros_constraints("external_contract", "amount_excl_tax"),
        ]
        indexes = [models.Index(fields=["organisation", "ends_on"], name="external_contract_end")]

    def __str__(self) -> str:
        return f"{self.reference} – {self.title}"

    def save(self, *args, **kwargs) -> None:
        self.amount_excl_tax = to_cents(self.amount_excl_tax)
        super().save(*args, **kwargs)

    @property
    def journal_scope(self) -> Scope:
        return self.organisation.journal_scope
