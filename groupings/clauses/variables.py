"""What a clause may name: the catalogue of variables, each with its meaning in French, its kind and its source.

Names are flat and French, because the person who writes them is a jurist. The value is taken from the context of the
convention (``conventions.render``), made from its frozen values alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from groupings.conventions import wording
from procurement.core.money import NARROW_SPACE, NO_BREAK_SPACE

Context = Mapping[str, Any]


class Kind(StrEnum):
    """What a variable holds, in the words shown beside the editor."""

    TEXT = "texte"
    AMOUNT = "montant"
    DATE = "date"
    NUMBER = "nombre"
    YES_NO = "oui ou non"
    CHOICE = "choix"
    LIST = "liste"


@dataclass(frozen=True, slots=True)
class Variable:
    """``optional``: it may be empty, and is then printed only under a condition. ``filled_when``: the (variable, value)
    pairs that make it filled, when that is known; a value of None means « filled ». ``item``: the name of one element
    of a list. ``choices``: the French values of a closed list, by their stored code."""

    name: str
    kind: Kind
    meaning: str
    sample: Any
    read: Callable[[Context], Any]
    optional: bool = False
    filled_when: tuple[tuple[str, Any], ...] = ()
    choices: Mapping[str, str] | None = None
    item: str = ""

    @property
    def values(self) -> tuple[str, ...]:
        return tuple(self.choices.values()) if self.choices else ()

    @property
    def is_printed(self) -> bool:
        """Whether its name between double braces is how it is mostly used."""
        return self.kind not in (Kind.LIST, Kind.CHOICE, Kind.YES_NO)

    @property
    def written(self) -> str:
        """How a jurist writes it, ready to copy."""
        if self.kind == Kind.LIST:
            return f"{{% for {self.item} in {self.name} %}}<li>{{{{ {self.item} }}}}</li>{{% endfor %}}"
        if self.kind == Kind.CHOICE:
            return f'{{% if {self.name} == "{self.values[0]}" %}}…{{% endif %}}'
        if self.kind == Kind.YES_NO:
            return f"{{% if {self.name} %}}…{{% endif %}}"
        return f"{{{{ {self.name} }}}}"


INTEGRATION_LEVELS = {
    "COORDINATED": "coordination",
    "PARTIAL": "intégration partielle",
    "FULL": "intégration totale",
}
KINDS = {"ad_hoc": "ponctuel", "permanent": "permanent"}
COMMITTEES = {"COORDINATOR": "du coordonnateur", "SPECIFIC": "propre au groupement"}
FEE_RULES = {
    "FREE": "gratuité",
    "EQUAL_SHARES": "parts égales",
    "POPULATION": "population",
    "ESTIMATED_AMOUNT": "montant estimé",
    "ACTUAL_SPEND": "dépenses réelles",
    "FLAT_FEE": "forfait",
}
PERIODS = {
    "CMP_8": "code des marchés publics",
    "ORD_2015_899_28": "ordonnance de 2015",
    "CCP_L2113_6": "code de la commande publique",
}
CATEGORIES = {
    "supplies": "fournitures",
    "services": "services",
    "works": "travaux",
    "social_services": "services sociaux",
}


def _choice(name: str, meaning: str, choices: Mapping[str, str], read: Callable[[Context], str]) -> Variable:
    first = next(iter(choices.values()))
    return Variable(name, Kind.CHOICE, meaning, first, lambda c: choices[read(c)], choices=choices)


def _has(name: str, meaning: str, *kinds: str) -> Variable:
    return Variable(name, Kind.YES_NO, meaning, True, lambda c: any(member.kind in kinds for member in c["v"].members))


def enumerated(items: list[str]) -> list[str]:
    """Each element with its punctuation: a semicolon, and a full stop for the last."""
    last = len(items) - 1
    return [f"{item}." if place == last else f"{item}{NARROW_SPACE};" for place, item in enumerate(items)]


def _lots(context: Context) -> list[str]:
    return enumerated([f"lot {lot.number}{NO_BREAK_SPACE}: {lot.title}" for lot in context["v"].lots])


def _date(key: str) -> Callable[[Context], str]:
    return lambda c: next(
        (wording.long_date(m.planned_on) for m in c["v"].calendar if m.key == key and m.planned_on), ""
    )


def _euros(text: str) -> str:
    return text.replace(" ", NARROW_SPACE, text.count(" ") - 1).replace(" ", NO_BREAK_SPACE)


_T, _A, _D, _N, _L = Kind.TEXT, Kind.AMOUNT, Kind.DATE, Kind.NUMBER, Kind.LIST
_ROWS = (
    Variable("objet", _T, "L’objet du groupement", "Fournitures de bureau", lambda c: c["v"].title),
    Variable("reference", _T, "La référence du groupement", "GC-2027-01", lambda c: c["v"].reference),
    Variable(
        "de_categorie",
        _T,
        "La catégorie d’achats, après un nom\u00a0: de fournitures, de services, de travaux…",
        "de fournitures",
        lambda c: c["category_of"].strip(),
    ),
    Variable("code_cpv", _T, "Le code CPV", "30192000", lambda c: c["v"].cpv_code, optional=True),
    Variable(
        "libelle_cpv",
        _T,
        "L’intitulé du code CPV",
        "Fournitures de bureau",
        lambda c: c["v"].cpv_label,
        optional=True,
    ),
    Variable(
        "coordonnateur",
        _T,
        "Le coordonnateur, avec son article",
        "Montpellier Méditerranée Métropole",
        lambda c: c["coordinator"].the,
    ),
    Variable(
        "du_coordonnateur",
        _T,
        "Le coordonnateur, après «\u00a0de\u00a0»\u00a0: de la commune de Lattes, du CCAS…",
        "de Montpellier Méditerranée Métropole",
        lambda c: c["coordinator"].of,
    ),
    Variable(
        "siege_coordonnateur",
        _T,
        "L’adresse du coordonnateur",
        "50 place Zeus, 34000 Montpellier",
        lambda c: c["coordinator"].address,
        optional=True,
    ),
    Variable(
        "clause_statuts",
        _T,
        "La clause des statuts qui permet de coordonner sans besoin propre",
        "article 5.2",
        lambda c: c["v"].statutes_clause_ref,
        optional=True,
        filled_when=(("coordonnateur_achete", False),),
    ),
    Variable(
        "lot_unique",
        _T,
        "L’intitulé du lot quand il n’y en a qu’un",
        "Papier",
        lambda c: c["v"].lots[0].title if len(c["v"].lots) == 1 else "",
        optional=True,
        filled_when=(("nombre_lots", 1),),
    ),
    Variable(
        "tribunal",
        _T,
        "Le tribunal compétent",
        "tribunal administratif de Montpellier",
        lambda c: c["v"].court,
    ),
    Variable(
        "texte_fondateur",
        _T,
        "Le texte qui régit les groupements de commandes à la date de la convention",
        "les articles L.\u00a02113-6 à L.\u00a02113-8 du code de la commande publique",
        lambda c: c["v"].legal_basis.article,
    ),
    Variable(
        "regles_achat_public",
        _T,
        "Les règles de la commande publique à la date de la convention",
        "le code de la commande publique",
        lambda c: c["v"].legal_basis.rules,
    ),
    Variable(
        "texte_commission",
        _T,
        "Le texte sur la commission propre au groupement",
        "l’article L.\u00a01414-3 du code général des collectivités territoriales",
        lambda c: c["v"].legal_basis.tender_committee,
    ),
    Variable(
        "au_texte_commission_coordonnateur",
        _T,
        "Le texte sur la commission du coordonnateur, après «\u00a0conformément\u00a0»",
        "au II de l’article L.\u00a01414-3 du code général des collectivités territoriales",
        lambda c: c["coordinator_committee_to"],
    ),
    Variable(
        "texte_solidarite",
        _T,
        "Le texte qui rend les membres solidaires\u00a0; vide avant avril 2016",
        "l’article L.\u00a02113-7 du code de la commande publique",
        lambda c: c["v"].legal_basis.joint_liability,
        optional=True,
    ),
    Variable(
        "texte_donnees_personnelles",
        _T,
        "Le texte sur les données à caractère personnel",
        "le règlement (UE) 2016/679 du 27 avril 2016 (RGPD)",
        lambda c: c["v"].legal_basis.data_protection,
    ),
    Variable("nombre_membres", _N, "Le nombre de membres", 12, lambda c: len(c["v"].members)),
    Variable("nombre_lots", _N, "Le nombre de lots", 3, lambda c: len(c["v"].lots)),
    Variable("duree_mois", _N, "La durée ferme, en mois", 24, lambda c: c["v"].duration_months),
    Variable("nombre_reconductions", _N, "Le nombre de reconductions", 2, lambda c: c["v"].extension_count),
    Variable(
        "duree_reconduction_mois", _N, "La durée d’une reconduction, en mois", 12, lambda c: c["v"].extension_months
    ),
    Variable(
        "duree_totale_mois", _N, "La durée totale, en mois, reconductions comprises", 48, lambda c: c["total_months"]
    ),
    Variable(
        "preavis_retrait_mois", _N, "Le préavis de retrait, en mois", 3, lambda c: c["v"].withdrawal_notice_months
    ),
    Variable(
        "estimation_totale", _A, "Le total estimé des besoins (HT)", _euros("412 000,00 €"), lambda c: c["needs_total"]
    ),
    Variable(
        "montant_frais",
        _A,
        "Le total des frais de fonctionnement (HT)\u00a0; vide s’il n’est pas connu",
        _euros("6 400,00 €"),
        lambda c: c["fees_total"],
        optional=True,
    ),
    Variable(
        "plafond_frais",
        _A,
        "Le plafond des frais (HT)",
        _euros("8 000,00 €"),
        lambda c: c["fees_ceiling"],
        optional=True,
    ),
    Variable(
        "forfait_par_membre",
        _A,
        "Le forfait dû par chaque membre (HT)",
        "150,00\u00a0€",
        lambda c: c["flat_fee"],
        optional=True,
        filled_when=(("regle_frais", "forfait"), ("montant_frais", None)),
    ),
    Variable(
        "date_convention",
        _D,
        "La date que porte la convention",
        "15\u00a0mars 2027",
        lambda c: wording.long_date(c["v"].as_of),
    ),
    Variable("date_besoins", _D, "La date d’envoi des besoins", "29\u00a0janvier 2027", _date("needs"), optional=True),
    Variable(
        "date_deliberations",
        _D,
        "La date où les délibérations sont attendues",
        "15\u00a0mars 2027",
        _date("deliberations"),
        optional=True,
    ),
    Variable(
        "date_lancement",
        _D,
        "Le lancement prévu de la consultation",
        "1er\u00a0avril 2027",
        _date("launch"),
        optional=True,
    ),
    Variable(
        "date_notification",
        _D,
        "La notification prévue des marchés",
        "15\u00a0septembre 2027",
        _date("notification"),
        optional=True,
    ),
    Variable(
        "date_execution",
        _D,
        "Le début d’exécution prévu",
        "1er\u00a0novembre 2027",
        _date("performance"),
        optional=True,
    ),
    Variable(
        "date_fin",
        _D,
        "La fin prévue des marchés, reconductions comprises",
        "31\u00a0octobre 2031",
        _date("end"),
        optional=True,
    ),
    _choice("niveau_integration", "Le degré d’intégration", INTEGRATION_LEVELS, lambda c: c["v"].integration_level),
    _choice("type_groupement", "Ponctuel ou permanent", KINDS, lambda c: c["v"].kind),
    _choice("commission", "La commission d’appel d’offres compétente", COMMITTEES, lambda c: c["v"].committee_mode),
    _choice("regle_frais", "La règle des frais de fonctionnement", FEE_RULES, lambda c: c["v"].fees.rule),
    _choice(
        "periode_juridique",
        "Le droit applicable à la date de la convention",
        PERIODS,
        lambda c: c["v"].legal_basis.code,
    ),
    _choice("categorie", "La catégorie d’achats", CATEGORIES, lambda c: c["v"].category),
    Variable(
        "coordonnateur_achete",
        Kind.YES_NO,
        "Le coordonnateur achète aussi pour lui-même",
        True,
        lambda c: c["v"].coordinator_has_own_need,
    ),
    _has("avec_ccas", "Un CCAS au moins est membre", "ccas"),
    _has("avec_communes", "Une commune au moins est membre", "commune"),
    _has(
        "avec_intercommunalites", "Une métropole ou une autre intercommunalité au moins est membre", "metropole", "epci"
    ),
    _has("avec_syndicats", "Un syndicat au moins est membre", "syndicat"),
    Variable(
        "lots", _L, "Les lots, ponctués", ["lot 1\u00a0: Papier\u202f;", "lot 2\u00a0: Cartouches."], _lots, item="lot"
    ),
    Variable(
        "membres",
        _L,
        "Les membres, ponctués",
        ["la commune de Lattes\u202f;", "le CCAS de Lattes."],
        lambda c: enumerated([member.the for member in c["members"]]),
        item="membre",
    ),
    Variable(
        "visas",
        _L,
        "Les textes visés, selon la date de la convention",
        ["le code de la commande publique, notamment ses articles L.\u00a02113-6 à L.\u00a02113-8"],
        lambda c: list(c["v"].legal_basis.visas),
        item="visa",
    ),
)
VARIABLES: Mapping[str, Variable] = {row.name: row for row in _ROWS}
#: The name of one element → the list it comes from.
ITEMS: Mapping[str, str] = {row.item: row.name for row in _ROWS if row.item}


def values_of(context: Context) -> dict[str, Any]:
    """The value of every variable for one convention, from the context its layout is made with."""
    return {name: variable.read(context) for name, variable in VARIABLES.items()}
