"""One contract as the essential data tell it, and what would make it refused: the schema's rules and stricter ones.

Sources: schema 2.0.4 (arrêté du 22 décembre 2022, annexe); the keys, the order of dates and the exactness of amounts
are ours, because the schema accepts « 2026-13-45 » and any fourteen digits.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from groupings.reference import cpv
from groupings.rules.suppliers import check_siret
from procurement.core.money import LARGEST_AMOUNT, round_half_up

#: Characters « à éviter » in an identifier; we refuse them.
_IDENTIFIER = re.compile(r'[^\s&"\\<,;]{1,16}')
LONGEST_SUBJECT = 1000
DEPARTMENT = re.compile(r"(?:0[1-9]|1\d|2[1-9AB]|[3-8]\d|9[0-5]|97[1-8]|98[4-9])")


@dataclass(frozen=True, slots=True)
class Holder:
    """A company: its identifier, and which kind it is (``SIRET``, ``TVA``…, spelt as the schema does)."""

    identifier: str
    kind: str = "SIRET"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """One ``marche``. Closed lists hold the schema's own spellings; a value not known is None, "" or ().

    ``amount``: € excl. tax, the maximum of an accord-cadre. ``months``: the extensions included. ``advance_rate``: in
    percent, None when there is no advance or its rate is not known. The parts of European or French products are not
    held: the schema refuses an empty one, and nobody here enters them.
    """

    identifier: str
    buyer_siret: str
    subject: str
    cpv: str
    techniques: tuple[str, ...]
    modalities: tuple[str, ...]
    ccag: str
    offers_received: int | None
    has_advance: bool | None
    advance_rate: Decimal | None
    operators_kind: str
    procedure: str
    place_department: str
    months: int | None
    notified_on: date | None
    published_on: date | None
    amount: Decimal | None
    price_types: tuple[str, ...]
    price_form: str
    has_subcontracting: bool | None
    is_innovative: bool | None
    holders: tuple[Holder, ...]
    social: tuple[str, ...]
    environmental: tuple[str, ...]
    nature: str = "Marché"


@dataclass(frozen=True, slots=True)
class Problem:
    """What keeps a contract from being published: the ``field`` of ``Contract``, and a French sentence."""

    field: str
    message: str
    is_missing: bool = False


#: Field → what a person is asked for. All are compulsory (arrêté du 22/12/2022).
_REQUIRED = {
    "identifier": "le numéro du marché",
    "buyer_siret": "le SIRET du coordonnateur",
    "subject": "l’objet",
    "cpv": "le code CPV du lot",
    "techniques": "la technique d’achat",
    "modalities": "la modalité d’exécution",
    "ccag": "le CCAG",
    "offers_received": "le nombre d’offres reçues",
    "has_advance": "si une avance est attribuée",
    "operators_kind": "le type de groupement d’entreprises",
    "procedure": "la procédure",
    "place_department": "le code postal du coordonnateur",
    "months": "la durée ferme",
    "notified_on": "la date de notification",
    "published_on": "la date de publication des données",
    "amount": "le montant",
    "price_types": "le type de prix",
    "price_form": "la forme du prix",
    "has_subcontracting": "si une sous-traitance est déclarée",
    "is_innovative": "si l’achat est innovant",
    "holders": "le titulaire",
    "social": "les considérations sociales",
    "environmental": "les considérations environnementales",
}
FRAMEWORK = "Accord-cadre"


def problems(contract: Contract, today: date) -> list[Problem]:
    """Everything to correct before ``contract`` is published, missing values first, in the order of the format."""
    missing = [
        Problem(name, f"il manque {label}.", is_missing=True)
        for name, label in _REQUIRED.items()
        if getattr(contract, name) in (None, "", ())
    ]
    return missing + [Problem(name, message) for name, message in _wrong(contract, today)]


def duplicates(contracts: list[Contract]) -> dict[int, int]:
    """Position → position of the first one, for a contract whose identifier another of the same buyer bears."""
    first: dict[tuple[str, str], int] = {}
    found = {}
    for position, contract in enumerate(contracts):
        if contract.identifier:
            other = first.setdefault((contract.buyer_siret, contract.identifier), position)
            if other != position:
                found[position] = other
    return found


def _wrong(contract: Contract, today: date) -> Iterator[tuple[str, str]]:
    """(field, French sentence) for each value that is there and cannot be published."""
    if contract.identifier and not _IDENTIFIER.fullmatch(contract.identifier):
        yield (
            "identifier",
            f"le numéro «\u00a0{contract.identifier[:40]}\u00a0» a plus de seize caractères, ou contient une espace "
            'ou l’un des signes & " \\ < , ;.',
        )
    if contract.buyer_siret and (sentence := _siret_problem(contract.buyer_siret)):
        yield "buyer_siret", f"le SIRET du coordonnateur est faux. {sentence}"
    if len(contract.subject) > LONGEST_SUBJECT:
        yield "subject", f"l’objet a plus de {LONGEST_SUBJECT} caractères."
    if any(unicodedata.category(character) in ("Cc", "Cs", "Cn") for character in contract.subject):
        yield "subject", "l’objet contient un caractère invisible\u00a0: ressaisissez l’intitulé."
    if contract.cpv and not cpv.is_known(contract.cpv):
        yield "cpv", f"le code CPV {contract.cpv[:20]} n’est pas dans la nomenclature de 2008."
    if contract.offers_received is not None and contract.offers_received < 1:
        yield "offers_received", "un marché attribué a reçu au moins une offre."
    if contract.months is not None and contract.months < 1:
        yield "months", "la durée est d’un mois au moins."
    if contract.place_department and not DEPARTMENT.fullmatch(contract.place_department):
        yield "place_department", f"le département {contract.place_department} n’existe pas."
    yield from _wrong_amounts(contract)
    yield from _wrong_dates(contract, today)
    yield from _wrong_holders(contract)


def _wrong_amounts(contract: Contract) -> Iterator[tuple[str, str]]:
    amount, rate = contract.amount, contract.advance_rate
    if amount is not None:
        if not amount.is_finite() or amount != round_half_up(amount):
            yield "amount", "le montant a plus de deux décimales."
        elif not 1 <= amount <= LARGEST_AMOUNT:
            yield "amount", "le montant est d’un euro au moins."
    if rate is not None and not 0 <= rate <= 100:
        yield "advance_rate", "le taux de l’avance va de 0 à 100\u00a0%."
    elif contract.has_advance and rate == 0:
        yield "advance_rate", "une avance est attribuée, au taux de 0\u00a0%\u00a0: corrigez l’un ou l’autre."
    elif contract.has_advance is False and rate:
        yield "advance_rate", "un taux d’avance est indiqué alors qu’aucune avance n’est attribuée."


def _wrong_dates(contract: Contract, today: date) -> Iterator[tuple[str, str]]:
    notified, published = contract.notified_on, contract.published_on
    for name, label, day in (
        ("notified_on", "notification", notified),
        ("published_on", "publication des données", published),
    ):
        if day is not None and day > today:
            yield name, f"la date de {label} ({day:%d/%m/%Y}) n’est pas encore venue."
    if notified and published and published < notified:
        yield (
            "published_on",
            f"les données sont publiées le {published:%d/%m/%Y}, avant la notification du {notified:%d/%m/%Y}.",
        )


def _wrong_holders(contract: Contract) -> Iterator[tuple[str, str]]:
    seen = set()
    for holder in contract.holders:
        if not holder.identifier.strip():
            yield "holders", "un titulaire n’a pas d’identifiant."
        elif holder.kind == "SIRET" and (sentence := _siret_problem(holder.identifier)):
            yield "holders", f"le SIRET d’un titulaire est faux. {sentence}"
        if holder in seen:
            yield "holders", f"le titulaire {holder.identifier} est écrit deux fois."
        seen.add(holder)
    # Several holders without a group of companies: an accord-cadre given to several, and nothing else.
    is_group = contract.operators_kind not in ("", "Pas de groupement")
    if len(contract.holders) > 1 and not is_group and FRAMEWORK not in contract.techniques:
        yield "operators_kind", "plusieurs titulaires forment un groupement d’entreprises\u00a0: conjoint ou solidaire."
    if len(contract.holders) == 1 and is_group:
        yield "operators_kind", "un groupement d’entreprises a plusieurs titulaires\u00a0: un seul est saisi."


def _siret_problem(siret: str) -> str:
    try:
        check_siret(siret)
    except ValueError as error:
        return str(error)
    return ""
