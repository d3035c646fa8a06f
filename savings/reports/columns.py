"""The columns of the lines, once for the csv and the workbook: one name for machines, one heading for people."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from groupings.radar import division_label
from procurement.core.exports import Kind


@dataclass(frozen=True)
class LineColumn:
    """``name``: in the csv and its Table Schema; ``heading``: in the workbook. ``value``: a field of ``Line``, or a
    function of it. ``minus``: the names of the two columns whose difference it is, as a live formula."""

    name: str
    heading: str
    value: str | Callable[[Any], Any]
    kind: Kind = "text"
    width: float | None = None
    minus: tuple[str, str] | None = None


LINE_COLUMNS: tuple[LineColumn, ...] = (
    LineColumn("ligne", "Ligne n°", "line", "integer", 9),
    LineColumn("nature", "Nature", "kind_label", width=16),
    LineColumn("stade", "Stade", "stage_label", width=10),
    LineColumn("groupement", "Groupement", "reference", width=15),
    LineColumn("groupement_objet", "Objet du groupement", "grouping_title", width=34),
    LineColumn("lot", "Lot", "lot_number", "integer", 6),
    LineColumn("lot_objet", "Objet du lot", "lot_title", width=30),
    LineColumn("membre_siren", "SIREN du membre", "siren", width=12),
    LineColumn("membre", "Membre", "member_name", width=28),
    LineColumn("famille", "Famille (division CPV)", "family", width=10),
    LineColumn("famille_libelle", "Libellé de la famille", lambda line: division_label(line.family), width=30),
    LineColumn("designation", "Désignation", "designation", width=36),
    LineColumn("unite", "Unité", "unit", width=12),
    LineColumn("quantite", "Quantité", "quantity", "decimal", 13),
    LineColumn("prix_reference_ht", "Prix de référence (€ HT)", "price_before", "decimal", 14),
    LineColumn("coefficient_indexation", "Coefficient d’indexation", "index_factor", "decimal", 14),
    LineColumn("prix_obtenu_ht", "Prix obtenu (€ HT)", "price_obtained", "decimal", 14),
    LineColumn("methode", "Méthode de la référence", "method_label", width=26),
    LineColumn("fiabilite", "Fiabilité", "grade", width=9),
    LineColumn("achat_ponctuel", "Achat ponctuel", "is_one_off", "boolean", 10),
    LineColumn("effet", "Effet au", "starts_on", "date"),
    LineColumn("duree_mois", "Durée (mois)", "term_months", "integer", 9),
    LineColumn("exercice_concerne", "Exercice concerné", "origin_year", "integer", 10),
    LineColumn("mois_exercice", "Mois de l’exercice", "months", "integer", 10),
    LineColumn("reference_ht", "Référence de l’exercice (€ HT)", "baseline_budget", "euros", 17),
    LineColumn("reference_indexee_ht", "Référence indexée de l’exercice (€ HT)", "baseline_purchase", "euros", 17),
    LineColumn("obtenu_ht", "Obtenu de l’exercice (€ HT)", "obtained", "euros", 17),
    LineColumn(
        "gain_budgetaire_ht",
        "Gain budgétaire de l’exercice (€ HT)",
        "budget_gain",
        "euros",
        17,
        ("reference_ht", "obtenu_ht"),
    ),
    LineColumn(
        "gain_achat_ht",
        "Gain achat de l’exercice (€ HT)",
        "purchase_gain",
        "euros",
        17,
        ("reference_indexee_ht", "obtenu_ht"),
    ),
    LineColumn(
        "gain_budgetaire_12_mois_ht", "Pour information, gain budgétaire sur 12 mois", "yearly_budget_gain", "euros", 17
    ),
    LineColumn(
        "gain_achat_12_mois_ht", "Pour information, gain achat sur 12 mois", "yearly_purchase_gain", "euros", 17
    ),
    LineColumn(
        "gain_budgetaire_duree_ht",
        "Pour information, gain budgétaire sur toute la durée",
        "full_budget_gain",
        "euros",
        17,
    ),
    LineColumn(
        "gain_achat_duree_ht", "Pour information, gain achat sur toute la durée", "full_purchase_gain", "euros", 17
    ),
    LineColumn("effet_volume_ht", "Effet volume, hors gain (€ HT)", "volume_effect", "euros", 15),
    LineColumn("preuve", "Preuve", "evidence_name", width=26),
    LineColumn("preuve_sha256", "Empreinte SHA-256 de la preuve", "evidence_sha256", width=24),
    LineColumn("saisie_par", "Saisie par", "entered_by", width=24),
    LineColumn("reference_confirmee_par", "Référence confirmée par", "confirmed_by", width=24),
    LineColumn("validee_par", "Validée par", "validated_by", width=24),
    LineColumn("validee_le", "Validée le", "validated_at", "date"),
    LineColumn("corrige_ligne", "Corrige la ligne n°", "corrects", "integer", 10),
)
