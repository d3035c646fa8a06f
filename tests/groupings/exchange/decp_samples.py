"""A contract of essential data that is right in every field: each test spoils one."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from groupings.exchange.decp.record import Contract, Holder

TODAY = date(2026, 11, 28)
#: The buyer and the company of the official examples.
PARIS, BOUYGUES = "21750001600019", "55204599900869"

PLAIN = Contract(
    identifier="2026M042L01",
    buyer_siret=PARIS,
    subject="Groupement de commandes – Papier – lot n° 1 : Ramettes",
    cpv="30197630",
    techniques=("Sans objet",),
    modalities=("Sans objet",),
    ccag="Fournitures courantes et services",
    offers_received=3,
    has_advance=False,
    advance_rate=None,
    operators_kind="Pas de groupement",
    procedure="Appel d'offres ouvert",
    place_department="75",
    months=12,
    notified_on=date(2026, 5, 5),
    published_on=date(2026, 6, 1),
    amount=Decimal("123456.70"),
    price_types=("Définitif ferme",),
    price_form="Forfaitaire",
    has_subcontracting=False,
    is_innovative=False,
    holders=(Holder(BOUYGUES),),
    social=("Pas de considération sociale",),
    environmental=("Clause environnementale",),
)
FRAMEWORK = replace(
    PLAIN,
    techniques=("Accord-cadre",),
    modalities=("Bons de commande",),
    months=48,
    amount=Decimal("880000.00"),
    price_types=("Définitif révisable",),
    price_form="Unitaire",
    has_advance=True,
    advance_rate=Decimal("5.00"),
)
GROUP_OF_COMPANIES = replace(
    PLAIN,
    operators_kind="Solidaire",
    holders=(Holder(BOUYGUES), Holder("DE123456789", "TVA")),
    has_subcontracting=True,
    social=("Clause sociale", "Critère social"),
)
