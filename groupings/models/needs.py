"""What each member needs, lot by lot: the survey, the draft of an answer, its submissions, and what counts."""

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from groupings.models.grouping import Grouping, Lot, euros, euros_constraints, to_cents, unit_price
from groupings.models.membership import Membership
from groupings.querysets import NeedLineQuerySet, OfGroupingQuerySet, OwnMembershipQuerySet
from members.models import validate_one_line
from procurement.core.journal.record import Scope


class NeedsCampaign(models.Model):
    """The survey of one grouping. It closes softly on ``grouping.needs_due_on``: a late answer is taken and told late,
    until the coordinator closes the survey, unless it ``locks_when_due``."""

    grouping = models.OneToOneField(Grouping, models.CASCADE, related_name="needs_campaign")
    opens_on = models.DateField("ouvert aux membres le")
    locks_when_due = models.BooleanField(
        "fermer à l’échéance",
        default=False,
        help_text="Sinon une réponse tardive est acceptée, signalée hors délai, jusqu’à la clôture du recensement.",
    )
    instructions = models.TextField(
        "consigne aux membres", blank=True, max_length=2000, help_text="Ce qu’il faut compter, et ce qu’il ne faut pas."
    )

    objects = OfGroupingQuerySet.as_manager()

    class Meta:
        verbose_name = "recensement des besoins"
        verbose_name_plural = "recensements des besoins"

    def __str__(self) -> str:
        return f"Recensement des besoins, {self.grouping.reference}"

    @property
    def journal_scope(self) -> Scope:
        return self.grouping.journal_scope


class NeedLine(models.Model):
    """Member × lot: euros excluding tax over the whole duration, units where known. Unknown is null, never zero.

    Only what was submitted, or entered by the coordinator, is here: a draft counts nowhere.
    """

    membership = models.ForeignKey(Membership, models.CASCADE, related_name="needs")
    lot = models.ForeignKey(Lot, models.CASCADE, related_name="needs")
    estimated_amount_excl_tax = euros("montant estimé (€ HT)")
    yearly_amount_excl_tax = euros("montant annuel (€ HT)")
    quantity = models.DecimalField("quantité", max_digits=14, decimal_places=3, null=True, blank=True)
    unit = models.CharField("unité", max_length=40, blank=True, validators=[validate_one_line])
    current_unit_price = unit_price("prix unitaire actuel (€ HT)")
    current_supplier = models.CharField(
        "fournisseur actuel", max_length=200, blank=True, validators=[validate_one_line]
    )
    current_contract_ends_on = models.DateField("fin du contrat actuel", null=True, blank=True)

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
            models.CheckConstraint(
                condition=Q(current_unit_price__isnull=True) | Q(current_unit_price__gte=0),
                name="need_price_not_negative",
                violation_error_message="Un prix ne peut pas être négatif.",
            ),
            *euros_constraints("need", "estimated_amount_excl_tax"),
            *euros_constraints("need_yearly", "yearly_amount_excl_tax"),
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
        self.yearly_amount_excl_tax = to_cents(self.yearly_amount_excl_tax)
        super().save(*args, **kwargs)

    @property
    def journal_scope(self) -> Scope:
        return self.membership.journal_scope


class NeedsDraft(models.Model):
    """What a member has typed and not submitted yet: it counts nowhere, and waits for it on every device.

    ``lines``: lot number → what its boxes hold, exact texts. Removed when it is submitted.
    """

    membership = models.OneToOneField(Membership, models.CASCADE, related_name="needs_draft")
    lines = models.JSONField("lignes", default=dict)
    version = models.PositiveIntegerField(default=1, editable=False)
    saved_at = models.DateTimeField("enregistré le", auto_now=True)
    saved_by = models.CharField("par", max_length=200)

    objects = OwnMembershipQuerySet.as_manager()

    class Meta:
        verbose_name = "brouillon de besoins"
        verbose_name_plural = "brouillons de besoins"

    def __str__(self) -> str:
        return f"Brouillon de {self.membership}"


class NeedsSubmission(models.Model):
    """One answer as it was sent, frozen: the member's receipt, and where finance finds who said the figure."""

    membership = models.ForeignKey(Membership, models.CASCADE, related_name="needs_submissions")
    number = models.PositiveSmallIntegerField("numéro")
    lines = models.JSONField("lignes")
    sha256 = models.CharField("empreinte SHA-256", max_length=64)
    is_late = models.BooleanField("hors délai", default=False)
    submitted_at = models.DateTimeField("transmis le")
    submitted_by = models.CharField("par", max_length=200)

    objects = OwnMembershipQuerySet.as_manager()

    class Meta:
        verbose_name = "réponse au recensement"
        verbose_name_plural = "réponses au recensement"
        ordering = ["-number"]
        constraints = [models.UniqueConstraint(fields=["membership", "number"], name="needs_submission_once")]

    def __str__(self) -> str:
        return f"{self.membership}, réponse n° {self.number}"


class NeedsReopening(models.Model):
    """The coordinator lets one member answer again after the survey was closed, until a day."""

    membership = models.OneToOneField(Membership, models.CASCADE, related_name="needs_reopening")
    until = models.DateField("rouvert jusqu’au")
    reason = models.CharField("motif", max_length=500)

    objects = OwnMembershipQuerySet.as_manager()

    class Meta:
        verbose_name = "réouverture du recensement"
        verbose_name_plural = "réouvertures du recensement"

    def __str__(self) -> str:
        return f"{self.membership}, jusqu’au {self.until:%d/%m/%Y}"

    @property
    def journal_scope(self) -> Scope:
        return self.membership.journal_scope
