"""How the gains are counted, in words: the same text in every report and on its page, with its version and its date.

Whoever changes a rule of the ledger changes this text, its version and its date: a report made before keeps its own.
"""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Section:
    title: str
    paragraphs: tuple[str, ...]


VERSION = "1.0"
DATED = date(2026, 11, 28)
TITLE = "Méthode de calcul des gains"

SECTIONS: tuple[Section, ...] = (
    Section(
        "Ce qui est mesuré",
        (
            "Un gain est la différence entre un prix de référence et le prix obtenu, pour la même chose et la même "
            "quantité, membre par membre et ligne par ligne. Les montants sont en euros hors taxes, arrondis au "
            "centime ligne par ligne (demi supérieur)\u202f; tout total est une somme de lignes.",
            "Seules les lignes validées par les finances comptent. Celui qui a saisi ou soumis une ligne ne la valide "
            "pas\u202f; le membre confirme son prix de référence.",
        ),
    ),
    Section(
        "Deux lectures, jamais mélangées",
        (
            "Gain budgétaire\u00a0: quantité × (prix de référence − prix obtenu). Ce que le budget dépense en moins, "
            "à volume constant.",
            "Gain achat\u00a0: quantité × (prix de référence × coefficient d’indexation − prix obtenu). Ce que l’achat "
            "a fait gagner par rapport à un marché dont les prix ont évolué\u00a0: il existe aussi quand le prix monte "
            "moins que l’indice. Sans indice, le coefficient est 1 et les deux lectures sont égales.",
        ),
    ),
    Section(
        "Trois stades, jamais additionnés",
        (
            "Potentiel\u00a0: recensement clos. Notifié\u00a0: marché notifié, quantités prévues. Réalisé\u00a0: "
            "consommation de l’année, prix révisés et quantités réelles\u202f; l’effet prix est le gain, l’effet "
            "volume (acheter plus ou moins que prévu) est indiqué à part et n’est jamais un gain.",
        ),
    ),
    Section(
        "Prix de référence et fiabilité",
        (
            "A\u00a0: prix payé auparavant, indexé ou non, prouvé par une pièce. B\u00a0: prix d’un autre acheteur, "
            "étude de marché ou devis, prouvé par une pièce. C\u00a0: moyenne des offres conformes, ou toute méthode "
            "sans pièce. D\u00a0: budget, ou référence tardive.",
            "Le prix de référence est saisi et figé avant la date limite des offres. Figé après, il demande un motif "
            "et vaut D. Un écart de périmètre (quantité ou spécification) est décrit et coûte un degré.",
        ),
    ),
    Section(
        "Part de l’exercice",
        (
            "Le gain d’un achat qui revient chaque année est calculé pour douze mois, puis réparti par mois entiers à "
            "compter du mois d’effet du marché\u00a0: un marché qui prend effet en mars compte dix douzièmes la "
            "première année. Un achat ponctuel compte une fois, l’année de son effet. Les parts "
            "d’exercice font exactement le gain de toute la durée.",
            "Un exercice verrouillé ne reçoit plus d’écriture\u00a0: une correction contre-passe l’ancienne ligne et "
            "inscrit la nouvelle dans le premier exercice ouvert.",
        ),
    ),
    Section(
        "Taux et couverture",
        (
            "Un taux est un gain total rapporté à sa référence totale\u00a0: il est pondéré. La moyenne des taux n’est "
            "calculée nulle part. Sans référence, il n’y a pas de taux.",
            "La couverture dit combien de lots sont mesurés, sur tous ceux qui devraient l’être. Un lot sans prix de "
            "référence n’est pas compté pour zéro\u00a0: il n’est pas compté. Les pertes sont gardées et montrées.",
        ),
    ),
    Section(
        "Ce qui n’est jamais compté",
        (
            "L’écart entre le montant estimé et le montant attribué\u00a0: l’acheteur fixe l’estimation. Les "
            "procédures évitées, les heures gagnées, la qualité, les clauses sociales\u00a0: ils se comptent dans leur "
            "propre unité. Les pénalités. Le coût de la coordination n’est pas déduit\u00a0: il est indiqué à part.",
        ),
    ),
    Section(
        "Sources",
        (
            "Direction des achats de l’État, méthodologie de calcul des économies achats, document de référence "
            "applicable à compter de l’exercice 2025\u00a0: montant de référence actualisé, prix obtenu à la "
            "conclusion du marché, présentation sur douze mois et sur toute la durée. Ce document n’oblige pas les "
            "collectivités\u00a0: le territoire l’adapte. Sa règle pour les marchés mutualisés n’a pas été consultée.",
            "IGF et IGA, La fonction achats des collectivités territoriales, revue de dépenses, avril 2016\u00a0: gain "
            "achat et gain budgétaire, gain potentiel, notifié, réalisé.",
        ),
    ),
)

VERSION_LABEL = f"Version {VERSION} du {DATED:%d/%m/%Y}"
