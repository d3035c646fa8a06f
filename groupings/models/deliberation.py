"""The vote each member must pass, its former attempts, and what a jurist decided about a legal remark."""

from datetime import date

from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q

from groupings.choices import (
    DELIBERATION_BADGES,
    EXECUTORY_BADGE,
    IN_FORCE,
    ON_A_SESSION,
    Badge,
    DeliberationStatus,
)
from groupings.models.membership import Membership
from groupings.querysets import DeliberationQuerySet, OfDeliberationQuerySet
from groupings.rules.executory import executory_on
from members.models import CouncilSession, validate_one_line
from procurement.core.journal.record import Scope

_S = DeliberationStatus
_VOTED = (*IN_FORCE, _S.REJECTED, _S.WITHDRAWN, _S.ANNULLED)
_ADOPTED = (*IN_FORCE, _S.WITHDRAWN, _S.ANNULLED)
#: The numbers of a vote: all known, or none.
COUNTS = ("in_office", "present", "proxies", "votes_for", "votes_against", "abstained")


class Deliberation(models.Model):
    """One decision of one member about one grouping. Publication and reception are independent."""

    class Purpose(models.TextChoices):
        CONVENTION = "convention", "Convention constitutive"
        MEMBERSHIP = "membership", "Adhésion et convention"
        AMENDMENT = "amendment", "Avenant"
        AWARD = "award", "Attribution"

    class Kind(models.TextChoices):
        COUNCIL = "council", "Délibération de l’assemblée"
        BUREAU = "bureau", "Délibération du bureau"
        PRESIDENT = "president", "Décision du président ou du maire"

    class PresidentVote(models.TextChoices):
        FOR = "for", "Pour"
        AGAINST = "against", "Contre"
        ABSTAINED = "abstained", "Abstention"

    #: The decision by which a member enters the grouping: the one the launch waits for, one per member.
    APPROVALS = (Purpose.CONVENTION, Purpose.MEMBERSHIP)

    membership = models.ForeignKey(Membership, models.CASCADE, related_name="deliberations")
    purpose = models.CharField("objet", max_length=10, choices=Purpose, default=Purpose.MEMBERSHIP)
    kind = models.CharField("nature", max_length=9, choices=Kind, default=Kind.COUNCIL)
    status = models.CharField("état", max_length=12, choices=DeliberationStatus, default=DeliberationStatus.TO_SCHEDULE)
    session = models.ForeignKey(
        CouncilSession, models.SET_NULL, null=True, blank=True, related_name="deliberations", verbose_name="séance"
    )
    convention = models.ForeignKey(
        "groupings.Convention",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="votes",
        verbose_name="texte voté",
        help_text="La version qui était en délibération le jour du vote.",
    )
    amendment = models.ForeignKey(
        "groupings.Amendment",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="votes",
        verbose_name="avenant voté",
        help_text="Un nouveau membre approuve par le même acte la convention et l’avenant qui l’accueille.",
    )
    number = models.CharField("numéro", max_length=40, blank=True, validators=[validate_one_line])
    decided_on = models.DateField("votée le", null=True, blank=True)
    transmitted_on = models.DateField("transmise le", null=True, blank=True)
    received_on = models.DateField("reçue en préfecture le", null=True, blank=True)
    published_on = models.DateField("publiée le", null=True, blank=True)
    actes_id = models.CharField("identifiant ACTES", max_length=60, null=True, blank=True, unique=True)
    matter_code = models.CharField(
        "code matière ACTES",
        max_length=4,
        blank=True,
        validators=[RegexValidator(r"^[1-9]\.\d{1,2}$", "Un chiffre, un point, un ou deux chiffres\u00a0: 1.7.")],
        help_text="Vide\u00a0: celui de l’organisme.",
    )
    in_office = models.PositiveSmallIntegerField("membres en exercice", null=True, blank=True)
    present = models.PositiveSmallIntegerField("présents", null=True, blank=True)
    proxies = models.PositiveSmallIntegerField("pouvoirs", null=True, blank=True)
    votes_for = models.PositiveSmallIntegerField("pour", null=True, blank=True)
    votes_against = models.PositiveSmallIntegerField("contre", null=True, blank=True)
    abstained = models.PositiveSmallIntegerField("abstentions", null=True, blank=True)
    is_secret = models.BooleanField("scrutin secret", default=False)
    president_vote = models.CharField(
        "vote du président",
        max_length=9,
        choices=PresidentVote,
        blank=True,
        help_text="Il l’emporte à égalité de voix.",
    )
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = DeliberationQuerySet.as_manager()

    class Meta:
        verbose_name = "délibération"
        verbose_name_plural = "délibérations"
        ordering = ["membership__organisation__sort_name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["membership"],
                condition=Q(purpose__in=("convention", "membership")),
                name="deliberation_approval_once",
                violation_error_message="Ce membre a déjà une délibération d’adhésion à ce groupement.",
            ),
            models.UniqueConstraint(
                fields=["membership", "amendment"],
                name="deliberation_amendment_once",
                violation_error_message="Ce membre a déjà une délibération sur cet avenant.",
            ),
            models.CheckConstraint(
                condition=Q(amendment__isnull=True) | Q(purpose__in=("amendment", "membership")),
                name="deliberation_amendment_of_its_purpose",
                violation_error_message="Seule une délibération d’avenant ou d’adhésion désigne un avenant.",
            ),
            models.CheckConstraint(
                condition=Q(status__in=_VOTED, decided_on__isnull=False)
                | (~Q(status__in=_VOTED) & Q(decided_on__isnull=True)),
                name="deliberation_voted_has_date",
                violation_error_message="Une délibération votée porte la date du vote, et elle seule.",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=ON_A_SESSION) | Q(session__isnull=False),
                name="deliberation_on_agenda_has_session",
                violation_error_message="Une délibération inscrite désigne sa séance.",
            ),
            models.CheckConstraint(
                condition=Q(status__in=_ADOPTED)
                | Q(transmitted_on__isnull=True, received_on__isnull=True, published_on__isnull=True, actes_id=None),
                name="deliberation_acts_follow_vote",
                violation_error_message="Seule une délibération adoptée se transmet et se publie.",
            ),
            models.CheckConstraint(
                condition=Q(transmitted_on__isnull=True) | Q(transmitted_on__gte=F("decided_on")),
                name="deliberation_transmitted_after_vote",
                violation_error_message="La transmission ne peut pas précéder le vote.",
            ),
            models.CheckConstraint(
                condition=Q(received_on__isnull=True)
                | Q(transmitted_on__isnull=False, received_on__gte=F("transmitted_on")),
                name="deliberation_received_after_sending",
                violation_error_message="La réception ne peut pas précéder la transmission.",
            ),
            models.CheckConstraint(
                condition=Q(published_on__isnull=True) | Q(published_on__gte=F("decided_on")),
                name="deliberation_published_after_vote",
                violation_error_message="La publication ne peut pas précéder le vote.",
            ),
            models.CheckConstraint(
                condition=Q(**{f"{name}__isnull": True for name in COUNTS})
                | Q(**{f"{name}__isnull": False for name in COUNTS}),
                name="deliberation_counts_together",
                violation_error_message="Indiquez tous les nombres du vote, ou aucun.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.membership} – {self.get_purpose_display()}"

    def clean(self) -> None:
        if self.session_id and self.session.organisation_id != self.membership.organisation_id:
            raise ValidationError({"session": "Cette séance est celle d’un autre organisme."})

    @property
    def executory_on(self) -> date | None:
        """Computed, never typed (CGCT, L2131-1)."""
        if self.status not in IN_FORCE:
            return None
        return executory_on(self.published_on, self.received_on)

    @property
    def is_cleared(self) -> bool:
        """Whether nothing more is waited for: enforceable, or no vote required."""
        return self.status == DeliberationStatus.NOT_REQUIRED or self.executory_on is not None

    @property
    def due_on(self) -> date | None:
        """When its act should be enforceable: by the effect its amendment asks for, else by the grouping's date."""
        if self.amendment is not None:
            return self.amendment.effective_on
        return self.membership.grouping.deliberations_due_on

    @property
    def about(self) -> str:
        """What the assembly decides: « Avenant n° 1 », « Adhésion et convention »."""
        return self.amendment.name if self.amendment is not None else self.get_purpose_display()

    @property
    def badge(self) -> Badge:
        if self.status == DeliberationStatus.ADOPTED and self.executory_on:
            return EXECUTORY_BADGE
        return DELIBERATION_BADGES[DeliberationStatus(self.status)]

    @property
    def matter(self) -> str:
        """The ACTES subject code of this act, else that of its body."""
        return self.matter_code or self.membership.organisation.matter_code

    @property
    def has_counts(self) -> bool:
        return self.in_office is not None

    @property
    def journal_scope(self) -> Scope:
        return self.membership.journal_scope


class DeliberationAttempt(models.Model):
    """A vote that came to nothing: rejected, postponed, without quorum, withdrawn or annulled. Kept for the history."""

    deliberation = models.ForeignKey(Deliberation, models.CASCADE, related_name="attempts")
    outcome = models.CharField("issue", max_length=12, choices=DeliberationStatus)
    meeting_on = models.DateField("séance du", null=True, blank=True)
    facts = models.JSONField("valeurs", default=dict)
    reason = models.CharField("motif", max_length=500, blank=True)
    recorded_at = models.DateTimeField("saisi le", auto_now_add=True)

    objects = OfDeliberationQuerySet.as_manager()

    class Meta:
        verbose_name = "tentative"
        ordering = ["-recorded_at", "-pk"]

    def __str__(self) -> str:
        return f"{self.get_outcome_display()} ({self.deliberation})"


class LegalOverride(models.Model):
    """A jurist's written decision to go past a legal remark."""

    deliberation = models.ForeignKey(Deliberation, models.CASCADE, related_name="overrides")
    code = models.CharField("remarque", max_length=30)
    reason = models.CharField("motif", max_length=500)
    author = models.CharField("juriste", max_length=200)
    made_at = models.DateTimeField("décidé le", auto_now_add=True)

    objects = OfDeliberationQuerySet.as_manager()

    class Meta:
        verbose_name = "dérogation"
        constraints = [
            models.UniqueConstraint(fields=["deliberation", "code"], name="legal_override_once"),
            models.CheckConstraint(
                condition=~Q(reason=""),
                name="legal_override_has_reason",
                violation_error_message="Indiquez le motif.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} ({self.deliberation})"
