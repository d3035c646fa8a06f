"""Who: the bodies that buy together, who signs for them, who uses the tool for them, when their assemblies meet."""

import unicodedata

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from stdnum.exceptions import ValidationError as NumberError
from stdnum.fr import siren as siren_number
from stdnum.fr import siret as siret_number

from members import bodies
from members.querysets import (
    AffiliationQuerySet,
    OfOrganisationQuerySet,
    OrganisationQuerySet,
    RepresentativeQuerySet,
)
from members.roles import COORDINATION, Role
from procurement.core.journal.record import Scope


def validate_siren(value: str) -> None:
    """Nine digits with a right key (Luhn)."""
    try:
        if siren_number.validate(value) != value:
            raise ValidationError("Saisissez les neuf chiffres sans espace.")
    except NumberError:
        raise ValidationError(f"«\u00a0{value}\u00a0» n’est pas un SIREN\u00a0: neuf chiffres, clé comprise.") from None


def validate_siret(value: str) -> None:
    """Fourteen digits with a right key (Luhn; La Poste's exception included)."""
    try:
        if siret_number.validate(value) != value:
            raise ValidationError("Saisissez les quatorze chiffres sans espace.")
    except NumberError:
        raise ValidationError(
            f"«\u00a0{value}\u00a0» n’est pas un SIRET\u00a0: quatorze chiffres, clé comprise."
        ) from None


def validate_one_line(value: str) -> None:
    """No control character and no text-direction mark: a name is printed in legal documents."""
    if any(unicodedata.category(character) in ("Cc", "Cf") for character in value):
        raise ValidationError("Ce texte contient un caractère invisible\u00a0: ressaisissez-le.")


def sort_key(name: str) -> str:
    """Lower case without accents nor punctuation: SQLite sorts É after Z."""
    decomposed = unicodedata.normalize("NFKD", name.replace("œ", "oe").replace("Œ", "OE").replace("æ", "ae"))
    letters = "".join(c if c.isalnum() else " " for c in decomposed if not unicodedata.combining(c))
    return " ".join(letters.lower().split())


class UserManager(BaseUserManager):
    def create_user(self, email: str, password: str | None = None, **fields) -> "User":
        """A person, known by e-mail; without a password the sign-in is by code."""
        if not email:
            raise ValueError("L’adresse électronique est obligatoire.")
        user = self.model(email=self.normalize_email(email).lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields) -> "User":
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A person. What it may do comes from its affiliations, never from the account itself."""

    email = models.EmailField("adresse électronique", unique=True)
    first_name = models.CharField("prénom", max_length=100, blank=True)
    last_name = models.CharField("nom", max_length=100, blank=True)
    is_active = models.BooleanField("compte actif", default=True)
    is_staff = models.BooleanField("équipe technique", default=False)
    date_joined = models.DateTimeField("créé le", auto_now_add=True)

    objects = UserManager()
    USERNAME_FIELD = "email"

    class Meta:
        verbose_name = "personne"

    def __str__(self) -> str:
        return self.get_full_name()

    def get_full_name(self) -> str:
        return f"{self.first_name} {self.last_name}".strip() or self.email


class Organisation(models.Model):
    """A public body: métropole, other EPCI, commune, CCAS, syndicat.

    ``territory`` is the EPCI whose purchasing unit keeps the record (null for that EPCI itself): two métropoles in one
    database each keep their own card of the same body, and neither learns that the other has one.
    """

    Kind = bodies.Kind

    kind = models.CharField("nature", max_length=12, choices=Kind)
    name = models.CharField("nom", max_length=200, validators=[validate_one_line])
    sort_name = models.CharField(max_length=200, editable=False, db_index=True)
    siren = models.CharField("SIREN", max_length=9, validators=[validate_siren], help_text="Neuf chiffres.")
    siret = models.CharField(
        "SIRET du siège", max_length=14, blank=True, validators=[validate_siret], help_text="Quatorze chiffres."
    )
    insee_code = models.CharField(
        "code INSEE",
        max_length=5,
        blank=True,
        validators=[RegexValidator(r"^(\d{2}|2[AB])\d{3}$", "Cinq caractères, par exemple 34172 ou 2A004.")],
    )
    parent = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="rattaché à",
        related_name="children",
        help_text="La commune d’un CCAS, la métropole d’une commune.",
    )
    territory = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, editable=False, verbose_name="territoire", related_name="+"
    )
    population = models.PositiveIntegerField("population municipale", null=True, blank=True)
    reference_population = models.PositiveIntegerField(
        "population de référence du conseil",
        null=True,
        blank=True,
        help_text="Population authentifiée prise en compte au dernier renouvellement général (CGCT, R2151-4).",
    )
    address = models.CharField("adresse", max_length=200, blank=True, validators=[validate_one_line])
    postcode = models.CharField(
        "code postal", max_length=5, blank=True, validators=[RegexValidator(r"^\d{5}$", "Cinq chiffres.")]
    )
    city = models.CharField("ville", max_length=100, blank=True, validators=[validate_one_line])
    email = models.EmailField("adresse électronique", blank=True, help_text="La boîte partagée, par exemple mairie@….")
    phone = models.CharField("téléphone", max_length=20, blank=True, validators=[validate_one_line])
    actes_matter = models.CharField(
        "code matière ACTES",
        max_length=4,
        blank=True,
        validators=[RegexValidator(r"^[1-9]\.\d{1,2}$", "Un chiffre, un point, un ou deux chiffres\u00a0: 1.7.")],
        help_text="Celui que votre préfecture attend pour un groupement de commandes. Vide\u00a0: 1.7.",
    )
    source = models.CharField("source", max_length=200, blank=True, validators=[validate_one_line])

    objects = OrganisationQuerySet.as_manager()

    class Meta:
        verbose_name = "organisme"
        ordering = ["sort_name", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["territory", "siren"],
                name="organisation_siren_once",
                violation_error_message="Un organisme porte déjà ce SIREN.",
            ),
            models.UniqueConstraint(
                fields=["siren"],
                condition=Q(territory__isnull=True),
                name="organisation_root_siren_once",
                violation_error_message="Un organisme porte déjà ce SIREN.",
            ),
            models.CheckConstraint(
                condition=Q(siret="") | Q(siret__startswith=F("siren")),
                name="organisation_siret_of_siren",
                violation_error_message="Le SIRET commence par le SIREN de l’organisme.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        self._refuse_own_descendant_as_parent()
        territory_id = self._territory_of_parent()
        siblings = Organisation.objects.filter(siren=self.siren).exclude(pk=self.pk)
        siblings = (
            siblings.filter(Q(territory_id=territory_id) | Q(pk=territory_id))
            if territory_id
            else siblings.filter(territory__isnull=True)
        )
        if twin := siblings.first():
            raise ValidationError({"siren": f"{twin.name} porte déjà ce SIREN."})

    def save(self, *args, **kwargs) -> None:
        self.sort_name = sort_key(self.name)
        self.territory_id = self._territory_of_parent()
        super().save(*args, **kwargs)

    def _refuse_own_descendant_as_parent(self) -> None:
        ancestor, seen = self.parent, set()
        while self.pk and ancestor is not None and ancestor.pk not in seen:
            if ancestor.pk == self.pk:
                raise ValidationError(
                    {"parent": "Un organisme ne peut être rattaché ni à lui-même, ni à un organisme qui en dépend."}
                )
            seen.add(ancestor.pk)
            ancestor = ancestor.parent

    def _territory_of_parent(self) -> int | None:
        if not self.parent_id:
            return None
        return self.parent.territory_id or self.parent_id

    @property
    def journal_scope(self) -> Scope:
        return Scope(f"organisation:{self.pk}", self.root_id, self.pk)

    @property
    def root_id(self) -> int:
        """The territory the record belongs to: itself for the EPCI at its head."""
        return self.territory_id or self.pk

    @property
    def matter_code(self) -> str:
        """The ACTES subject code of its acts about groupings; local practice, 1.7 « actes spéciaux » by default."""
        return self.actes_matter or "1.7"

    @property
    def body(self) -> bodies.Body:
        """The titles of its assembly and executive, derived from its kind."""
        return bodies.BODIES[self.Kind(self.kind)]

    @property
    def is_fictitious(self) -> bool:
        """Whether the demonstration marks this body's identifiers as invented."""
        return "fictif" in self.source


class Representative(models.Model):
    """Who signs for a body, in what capacity, from when to when: a mandate ends, a signature stays."""

    class Civility(models.TextChoices):
        MRS = "mrs", "Madame"
        MR = "mr", "Monsieur"

    class Capacity(models.TextChoices):
        HEAD = "head", "Maire ou président(e)"
        DEPUTY = "deputy", "Adjoint(e) ou vice-président(e)"

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="representatives")
    civility = models.CharField("civilité", max_length=3, choices=Civility)
    first_name = models.CharField("prénom", max_length=100, validators=[validate_one_line])
    last_name = models.CharField("nom", max_length=100, validators=[validate_one_line])
    capacity = models.CharField("qualité", max_length=6, choices=Capacity, default=Capacity.HEAD)
    start_on = models.DateField("depuis le")
    end_on = models.DateField("jusqu’au", null=True, blank=True)

    objects = RepresentativeQuerySet.as_manager()

    class Meta:
        verbose_name = "représentant"
        ordering = ["capacity", "-start_on"]
        constraints = [
            models.CheckConstraint(
                condition=Q(end_on__isnull=True) | Q(end_on__gte=F("start_on")),
                name="representative_dates_in_order",
                violation_error_message="La fin du mandat ne peut pas précéder son début.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_civility_display()} {self.first_name} {self.last_name}"

    @property
    def journal_scope(self) -> Scope:
        return self.organisation.journal_scope

    @property
    def title(self) -> str:
        """« Maire », « Présidente », « Vice-président »… agreed with the person and the kind of body."""
        return self.organisation.body.title(self.capacity, feminine=self.civility == self.Civility.MRS)


class Affiliation(models.Model):
    """A person × an organisation × a role: the one who acts, in every action and every journal entry."""

    user = models.ForeignKey(User, models.CASCADE, related_name="affiliations", verbose_name="personne")
    organisation = models.ForeignKey(
        Organisation, models.CASCADE, related_name="affiliations", verbose_name="organisme"
    )
    role = models.CharField("rôle", max_length=14, choices=Role)

    objects = AffiliationQuerySet.as_manager()

    class Meta:
        verbose_name = "affectation"
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "organisation", "role"],
                name="affiliation_once",
                violation_error_message="Cette personne a déjà ce rôle dans cet organisme.",
            ),
            models.CheckConstraint(
                condition=Q(role__in=[role.value for role in Role]),
                name="affiliation_role_known",
                violation_error_message="Ce rôle n’existe pas.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}, {self.get_role_display()}, {self.organisation}"

    @property
    def actor_label(self) -> str:
        return str(self)

    @property
    def territory_id(self) -> int:
        return self.organisation.root_id

    @property
    def heads_territory(self) -> bool:
        """Whether the organisation is the EPCI whose purchasing unit keeps the records of the territory."""
        return self.organisation.territory_id is None

    @property
    def sees_whole_territory(self) -> bool:
        """The coordinator's people see every grouping it coordinates; a member's, what concerns their organisation."""
        return self.role in COORDINATION and self.heads_territory


class CouncilSession(models.Model):
    """One meeting of a body's assembly: the real critical path of a grouping."""

    organisation = models.ForeignKey(Organisation, models.CASCADE, related_name="sessions")
    meeting_on = models.DateField("séance du")
    agenda_closes_on = models.DateField("clôture de l’ordre du jour", null=True, blank=True)
    convened_on = models.DateField("convocation envoyée le", null=True, blank=True)
    is_first_after_renewal = models.BooleanField("séance d’installation", default=False)
    #: Null while nobody has said; owed by communes of 3,500 inhabitants and more (CGCT, L2121-12).
    has_explanatory_note = models.BooleanField("note de synthèse jointe à la convocation", null=True, blank=True)
    source = models.CharField("source", max_length=200, blank=True, validators=[validate_one_line])
    #: Raised by each change: the SEQUENCE of the event in a calendar (RFC 5545, 3.8.7.4), and what a form was read at.
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = OfOrganisationQuerySet.as_manager()

    class Meta:
        verbose_name = "séance"
        ordering = ["meeting_on"]
        constraints = [
            models.UniqueConstraint(
                fields=["organisation", "meeting_on"],
                name="session_once_a_day",
                violation_error_message="Une séance est déjà enregistrée ce jour-là.",
            ),
            models.CheckConstraint(
                condition=Q(agenda_closes_on__isnull=True) | Q(agenda_closes_on__lte=F("meeting_on")),
                name="session_agenda_before_meeting",
                violation_error_message="L’ordre du jour se clôt au plus tard le jour de la séance.",
            ),
            models.CheckConstraint(
                condition=Q(convened_on__isnull=True) | Q(convened_on__lt=F("meeting_on")),
                name="session_convened_before_meeting",
                violation_error_message="La convocation part avant la séance.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.organisation}, séance du {self.meeting_on:%d/%m/%Y}"

    @property
    def journal_scope(self) -> Scope:
        return self.organisation.journal_scope
