"""One call for tenders: its procedure frozen at the launch, its notice, its dates, its questions, its commission."""

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q

from groupings.models.grouping import Grouping, Lot, euros, euros_constraints, to_cents
from groupings.querysets import OfConsultationQuerySet, OfGroupingQuerySet
from members.models import validate_one_line
from procurement.core.journal.record import Scope


class Consultation(models.Model):
    """Opened by the launch of its grouping, through the gate; a later number puts the unsuccessful lots out again."""

    class Procedure(models.TextChoices):
        """The procedures of the essential data (DECP), which are those of the code."""

        ADAPTED = "adapted", "Procédure adaptée"
        OPEN = "open", "Appel d’offres ouvert"
        RESTRICTED = "restricted", "Appel d’offres restreint"
        NEGOTIATED = "negotiated", "Procédure avec négociation"
        DIALOGUE = "dialogue", "Dialogue compétitif"
        WITHOUT_NOTICE = "without_notice", "Marché passé sans publicité ni mise en concurrence préalable"

    class Committee(models.TextChoices):
        TENDER_COMMITTEE = "tender_committee", "Commission d’appel d’offres (CAO)"
        ADAPTED_COMMITTEE = "adapted_committee", "Commission de la procédure adaptée"
        NONE = "none", "Sans commission"

    grouping = models.ForeignKey(Grouping, models.CASCADE, related_name="consultations")
    number = models.PositiveSmallIntegerField("numéro", default=1)
    lots = models.ManyToManyField(Lot, related_name="consultations", verbose_name="lots")
    launched_on = models.DateField("lancée le")
    value_excl_tax = euros("valeur estimée (€ HT)", help_text="Tous les membres, tous les lots, toute la durée.")
    member_count = models.PositiveSmallIntegerField("membres")
    procedure_code = models.CharField("seuil applicable", max_length=20, blank=True)
    procedure_sentence = models.CharField("pourquoi cette procédure", max_length=300, blank=True)
    procedure = models.CharField("procédure", max_length=14, choices=Procedure, blank=True)

    boamp_reference = models.CharField("avis au BOAMP n°", max_length=40, blank=True, validators=[validate_one_line])
    ojeu_reference = models.CharField("avis au JOUE n°", max_length=40, blank=True, validators=[validate_one_line])
    buyer_profile_url = models.URLField("profil d’acheteur", max_length=500, blank=True)
    notice_sent_on = models.DateField("avis envoyé le", null=True, blank=True)
    offers_due_at = models.DateTimeField("remise des offres avant le", null=True, blank=True)
    is_electronic = models.BooleanField(
        "par voie électronique",
        default=True,
        help_text="Les offres et les lettres de rejet passent par le profil d’acheteur.",
    )
    short_delay_reason = models.CharField("motif du délai réduit", max_length=500, blank=True)
    opened_on = models.DateField("plis ouverts le", null=True, blank=True)
    committee = models.CharField("commission", max_length=18, choices=Committee, blank=True)
    committee_met_on = models.DateField("commission réunie le", null=True, blank=True)
    closed_on = models.DateField("close le", null=True, blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = OfGroupingQuerySet.as_manager()

    class Meta:
        verbose_name = "consultation"
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["grouping", "number"],
                name="consultation_number_once",
                violation_error_message="Ce groupement a déjà une consultation de ce numéro.",
            ),
            models.CheckConstraint(
                condition=Q(closed_on__isnull=True) | Q(offers_due_at__isnull=False, closed_on__gte=F("launched_on")),
                name="consultation_closed_after_due",
                violation_error_message="Une consultation close porte la date limite de remise des offres.",
            ),
            models.CheckConstraint(
                condition=Q(notice_sent_on__isnull=True) | Q(notice_sent_on__gte=F("launched_on")),
                name="consultation_notice_after_launch",
                violation_error_message="L’avis ne part pas avant le lancement.",
            ),
            models.CheckConstraint(
                condition=Q(committee_met_on__isnull=True) | ~Q(committee__in=("", "none")),
                name="consultation_committee_named",
                violation_error_message="Indiquez quelle commission s’est réunie.",
            ),
            *euros_constraints("consultation_value", "value_excl_tax"),
        ]

    def __str__(self) -> str:
        again = f", consultation n° {self.number}" if self.number > 1 else ""
        return f"{self.grouping.reference}{again}"

    def save(self, *args, **kwargs) -> None:
        self.value_excl_tax = to_cents(self.value_excl_tax)
        super().save(*args, **kwargs)

    @property
    def journal_scope(self) -> Scope:
        return self.grouping.journal_scope

    @property
    def needs_tender_committee(self) -> bool:
        """The CAO chooses the holder: formalised procedure, value at the European threshold or above (L1414-2)."""
        return self.is_formal and self.procedure_code in ("", "formal")

    @property
    def is_formal(self) -> bool:
        """A formalised procedure: the standstill and the CAO are the law's, not a choice."""
        return self.procedure in (
            self.Procedure.OPEN,
            self.Procedure.RESTRICTED,
            self.Procedure.NEGOTIATED,
            self.Procedure.DIALOGUE,
        )


class Question(models.Model):
    """A question of a candidate, and the answer given to all of them."""

    consultation = models.ForeignKey(Consultation, models.CASCADE, related_name="questions")
    number = models.PositiveSmallIntegerField("numéro", validators=[MinValueValidator(1)])
    asked_on = models.DateField("reçue le")
    text = models.TextField("question", max_length=4000)
    answered_on = models.DateField("réponse envoyée le", null=True, blank=True)
    answer = models.TextField("réponse", max_length=4000, blank=True)

    objects = OfConsultationQuerySet.as_manager()

    class Meta:
        verbose_name = "question"
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(
                fields=["consultation", "number"],
                name="question_number_once",
                violation_error_message="Cette consultation a déjà une question de ce numéro.",
            ),
            models.CheckConstraint(
                condition=Q(answered_on__isnull=True, answer="")
                | (Q(answered_on__isnull=False, answered_on__gte=F("asked_on")) & ~Q(answer="")),
                name="question_answer_has_date",
                violation_error_message="Une réponse a un texte et une date, qui suit celle de la question.",
            ),
        ]

    def __str__(self) -> str:
        return f"Question n° {self.number}"

    @property
    def journal_scope(self) -> Scope:
        return self.consultation.journal_scope
