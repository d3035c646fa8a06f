"""Every field that a member or the coordinator fills for the convention, and where the convention prints it.

A field printed by the layout (parties, annexes, signature page) cannot be lost; a field that clauses alone print is
lost with the last of them that names it, and the check of a clause says so before the publication.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from groupings.clauses import language
from groupings.clauses.articles import ClauseText


@dataclass(frozen=True, slots=True)
class PrintedField:
    """``path`` is Model.field; ``variables`` print it, any of them; ``layout`` is the (file, expression) that does so
    whatever the clauses say."""

    path: str
    label: str
    variables: tuple[str, ...] = ()
    layout: tuple[str, str] | None = None


FIELDS = (
    PrintedField("Grouping.reference", "la référence", ("reference",), ("title.html", "v.reference")),
    PrintedField("Grouping.title", "l’objet", ("objet",), ("title.html", "v.title")),
    PrintedField("Grouping.category", "la catégorie", ("de_categorie", "categorie")),
    PrintedField("Grouping.cpv", "le code CPV", ("code_cpv", "libelle_cpv")),
    PrintedField("Grouping.coordinator", "le coordonnateur", ("coordonnateur",), ("title.html", "coordinator.name")),
    PrintedField("Grouping.kind", "le type", ("type_groupement",), ("title.html", "v.kind")),
    PrintedField(
        "Grouping.integration_level",
        "le degré d’intégration",
        ("niveau_integration",),
        ("title.html", "v.integration_level"),
    ),
    PrintedField("Grouping.tender_committee_mode", "la commission d’appel d’offres", ("commission",)),
    PrintedField("Grouping.coordinator_has_own_need", "le besoin propre du coordonnateur", ("coordonnateur_achete",)),
    PrintedField("Grouping.statutes_clause_ref", "la clause des statuts", ("clause_statuts",)),
    PrintedField("Grouping.fee_rule", "la règle des frais", ("regle_frais",), ("annex_3_fees.html", "v.fees.rule")),
    PrintedField(
        "Grouping.fee_base",
        "les frais prévisionnels",
        ("montant_frais", "forfait_par_membre"),
        ("annex_3_fees.html", "fees_total"),
    ),
    PrintedField("Grouping.fee_ceiling", "le plafond des frais", ("plafond_frais",)),
    PrintedField("Grouping.duration_months", "la durée ferme", ("duree_mois",)),
    PrintedField("Grouping.extension_count", "le nombre de reconductions", ("nombre_reconductions",)),
    PrintedField("Grouping.extension_months", "la durée d’une reconduction", ("duree_reconduction_mois",)),
    PrintedField(
        "Grouping.convention_on",
        "la date de la convention, qui décide du droit applicable",
        ("texte_fondateur", "date_convention"),
        ("title.html", "basis_article_capital"),
    ),
    PrintedField(
        "Grouping.needs_due_on",
        "la date d’envoi des besoins",
        ("date_besoins",),
        ("annex_6_calendar.html", "step.planned_on"),
    ),
    PrintedField(
        "Grouping.deliberations_due_on",
        "la date attendue des délibérations",
        ("date_deliberations",),
        ("annex_6_calendar.html", "step.planned_on"),
    ),
    PrintedField(
        "Grouping.launch_planned_on",
        "le lancement prévu",
        ("date_lancement",),
        ("annex_6_calendar.html", "step.planned_on"),
    ),
    PrintedField(
        "Grouping.award_planned_on",
        "la notification prévue",
        ("date_notification",),
        ("annex_6_calendar.html", "step.planned_on"),
    ),
    PrintedField(
        "Grouping.performance_planned_on",
        "le début d’exécution prévu",
        ("date_execution",),
        ("annex_6_calendar.html", "step.planned_on"),
    ),
    PrintedField("Lot.title", "l’intitulé des lots", ("lots", "lot_unique"), ("annex_2_needs.html", "lot.title")),
    PrintedField("Lot.number", "le numéro des lots", ("lots",), ("annex_2_needs.html", "lot.number")),
    PrintedField(
        "NeedLine.estimated_amount_excl_tax",
        "les montants estimés",
        ("estimation_totale",),
        ("annex_2_needs.html", "row.amounts"),
    ),
    PrintedField("Membership.organisation", "les membres", ("membres",), ("parties.html", "m.the_capital")),
    PrintedField("Membership.contact_name", "le nom du référent", (), ("annex_1_members.html", "m.contact")),
    PrintedField("Membership.contact_email", "l’adresse du référent", (), ("annex_1_members.html", "m.contact")),
    PrintedField("Membership.contact_phone", "le téléphone du référent", (), ("annex_1_members.html", "m.contact")),
    PrintedField("Organisation.name", "le nom des membres", ("membres",), ("parties.html", "m.the_capital")),
    PrintedField("Organisation.kind", "la nature des membres", ("membres",), ("parties.html", "m.the_capital")),
    PrintedField("Organisation.siren", "le SIREN", (), ("parties.html", "m.siren_spaced")),
    PrintedField("Organisation.address", "l’adresse", (), ("parties.html", "m.address")),
    PrintedField("Organisation.postcode", "le code postal", (), ("parties.html", "m.address")),
    PrintedField("Organisation.city", "la ville", (), ("signature.html", "m.at_place")),
    PrintedField("Organisation.population", "la population", (), ("annex_3_fees.html", "share.weight")),
    PrintedField("Organisation.insee_code", "le département, qui désigne le tribunal", ("tribunal",)),
)


def lost_fields(texts: Iterable[ClauseText]) -> tuple[PrintedField, ...]:
    """The fields that no longer come out anywhere in a convention made of ``texts``."""
    named: set[str] = set()
    for text in texts:
        named |= language.read(text.body).named
    return tuple(field for field in FIELDS if field.layout is None and not named.intersection(field.variables))
