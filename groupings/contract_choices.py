"""The closed lists of an awarded contract. A label is the exact spelling of the essential data (DECP 2.0.4): the export
writes it as it is, straight apostrophes and all (arrêté du 22/12/2022, annexe)."""

from django.db import models


class Outcome(models.TextChoices):
    """What became of a lot. Not a list of the essential data: only awarded lots are published."""

    AWARDED = "awarded", "Attribué"
    UNSUCCESSFUL = "unsuccessful", "Infructueux"
    DROPPED = "dropped", "Sans suite"
    POSTPONED = "postponed", "Ajourné"


class PriceForm(models.TextChoices):
    UNIT = "unit", "Unitaire"
    LUMP_SUM = "lump_sum", "Forfaitaire"
    MIXED = "mixed", "Mixte"


class PriceType(models.TextChoices):
    FIRM = "firm", "Définitif ferme"
    ADJUSTABLE = "adjustable", "Définitif actualisable"
    REVISABLE = "revisable", "Définitif révisable"
    PROVISIONAL = "provisional", "Provisoire"


class Technique(models.TextChoices):
    FRAMEWORK = "framework", "Accord-cadre"
    CONTEST = "contest", "Concours"
    QUALIFICATION = "qualification", "Système de qualification"
    DYNAMIC = "dynamic", "Système d'acquisition dynamique"
    CATALOGUE = "catalogue", "Catalogue électronique"
    AUCTION = "auction", "Enchère électronique"
    NONE = "none", "Sans objet"


class Modality(models.TextChoices):
    TRANCHES = "tranches", "Tranches"
    PURCHASE_ORDERS = "purchase_orders", "Bons de commande"
    SUBSEQUENT = "subsequent", "Marchés subséquents"
    NONE = "none", "Sans objet"


class Ccag(models.TextChoices):
    WORKS = "works", "Travaux"
    PROJECT_MANAGEMENT = "project_management", "Maitrise d'œuvre"
    SUPPLIES_SERVICES = "supplies_services", "Fournitures courantes et services"
    INDUSTRIAL = "industrial", "Marchés industriels"
    INTELLECTUAL = "intellectual", "Prestations intellectuelles"
    ICT = "ict", "Techniques de l'information et de la communication"
    NONE = "none", "Pas de CCAG"


class SocialConsideration(models.TextChoices):
    CLAUSE = "clause", "Clause sociale"
    CRITERION = "criterion", "Critère social"
    RESERVED = "reserved", "Marché réservé"
    NONE = "none", "Pas de considération sociale"


class EnvironmentalConsideration(models.TextChoices):
    CLAUSE = "clause", "Clause environnementale"
    CRITERION = "criterion", "Critère environnemental"
    NONE = "none", "Pas de considération environnementale"


class OperatorsKind(models.TextChoices):
    """The group of COMPANIES that holds the contract; a groupement de commandes is not one."""

    NONE = "none", "Pas de groupement"
    JOINT = "joint", "Conjoint"
    SEVERAL = "several", "Solidaire"


class IdentifierType(models.TextChoices):
    SIRET = "siret", "SIRET"
    VAT = "vat", "TVA"
    TAHITI = "tahiti", "TAHITI"
    RIDET = "ridet", "RIDET"
    FRWF = "frwf", "FRWF"
    IREP = "irep", "IREP"
    OUTSIDE_EU = "outside_eu", "HORS-UE"
