"""The annual sheet « Groupements d’achats »: the headings of the bilan 2016 in their order, the figures of one year.

A draft shows the figures of the day; once frozen, those of its own day, kept as exact texts with their SHA-256.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from django.db.models import Q

from groupings.figures import followed_year
from groupings.models import Grouping, Meeting
from members.bodies import Kind
from members.models import Organisation
from procurement.core.money import format_euros
from procurement.core.templatetags.fr import pct
from savings.choices import PROVEN, GainStage
from savings.coverage import coverage
from savings.ledger import entries, totals
from savings.models import AnnualSheet, YearLock
from savings.readers import TerritoryReader
from savings.rules.rates import rate

NBSP, NARROW = "\u00a0", "\u202f"

THEMES = {
    "territory": "Aménagement et développement durable du territoire",
    "services": "Services à la population",
    "technical": "Interventions techniques",
    "resources": "Fonctions ressources",
}
PHASES = {1: "Diagnostic", 2: "Plan d’action", 3: "Mise en œuvre", 4: "Suivi ou fin"}
#: Heading → what stands under it, as (key of the text, its own heading), in the order of the bilan.
PROJECT = ("1 - Le projet", (("objectives", "Rappel des objectifs"), ("expected", "Résultats attendus")))
WORK = "2 - La mise en œuvre"
PROGRESS = (
    "3 - Le niveau d’avancement de l’action",
    (
        ("strengths", "Points forts identifiés de l’action / amélioration notable constatée"),
        ("difficulties", "Difficultés rencontrées"),
    ),
)
PROSPECTS = (
    "4 - Les perspectives",
    (("upcoming", "Résultats à venir"), ("improvements", "Axes d’amélioration et perspectives")),
)
THEME_HEADING = "Thème de rattachement de la coopération / mutualisation"
TITLE_HEADING = "Titre de la fiche-action"
DEFAULT_TITLE = "Groupements d’achats"
#: Every text a person writes, the most signs and lines it may have: a cell of the PDF is never cut between two pages.
TEXTS = ("title", "objectives", "expected", "others", "strengths", "difficulties", "upcoming", "improvements")
LONGEST, MOST_LINES = 2500, 30
#: Where a sheet begun from an earlier one says which; it goes once a person has read the texts again.
TAKEN_FROM = "taken_from"
#: How many subjects the number of groupings is illustrated with, as in the bilan.
SUBJECTS_SHOWN = 3


def quarters(year: int) -> list[tuple[str, str]]:
    """(key, label) of the seventeen quarters of the sheet of ``year``: from the last of the year before to the last of
    the third year after, as the bilan of 2016 goes from 2015 to 2019."""
    found = [(year - 1, 4), *((y, quarter) for y in range(year, year + 4) for quarter in range(1, 5))]
    return [(f"{y}-T{quarter}", f"Trim. {quarter} {y}") for y, quarter in found]


def begun_from(former: AnnualSheet | None, year: int) -> tuple[dict[str, Any], dict[str, int]]:
    """The texts and calendar a new sheet begins with: those of the latest one before it, to be read again."""
    if former is None:
        return {"title": DEFAULT_TITLE, "themes": []}, {}
    known = {key for key, _ in quarters(year)}
    texts = {name: value for name, value in former.texts.items() if name != TAKEN_FROM}
    calendar = {key: phase for key, phase in former.calendar.items() if key in known}
    return {**texts, TAKEN_FROM: str(former.year)}, calendar


def former_sheet(territory: Organisation, year: int) -> AnnualSheet | None:
    """The latest sheet of a year before ``year``."""
    return AnnualSheet.objects.filter(territory=territory, year__lt=year).order_by("-year").first()


def has_groupings(territory: Organisation, year: int) -> bool:
    """Whether anything was followed, or declared, in that year."""
    groupings = Grouping.objects.visible_to(TerritoryReader(territory.pk))
    return groupings.open_in(year).exists() or _declared(groupings, year).exists()


def _declared(groupings, year: int):
    is_open = Q(closed_on__isnull=True) | Q(closed_on__gte=date(year, 1, 1))
    return groupings.filter(is_open, is_declared_only=True, opened_on__lte=date(year, 12, 31)).exclude(
        status="cancelled"
    )


def figures_of(territory: Organisation, year: int) -> dict[str, Any]:
    """What the groupings and the ledger say of ``year`` today, in nine queries; amounts as exact texts in € excl. tax.

    A meeting held for several groupings together, the same day with the same subject, counts once.
    """
    reader = TerritoryReader(territory.pk)
    visible = Grouping.objects.visible_to(reader)
    followed = followed_year(visible, year)
    held = Meeting.objects.visible_to(reader).filter(held_on__year=year).order_by()
    largest = sorted(followed.subjects, key=lambda subject: -subject[1])
    return {
        "territory": territory.name,
        "communes": followed.figures.communes,
        "actors": followed.figures.organisations,
        "kinds": {kind.value: followed.kinds[kind.value] for kind in Kind if kind.value in followed.kinds},
        "estimated_excl_tax": str(followed.figures.estimated_total_excl_tax),
        "meetings": len({(day, subject.strip().casefold()) for day, subject in held.values_list("held_on", "subject")}),
        "groupings": followed.figures.groupings,
        "subjects": [title for title, _ in largest[:SUBJECTS_SHOWN]],
        "participants_min": followed.figures.participants_min,
        "participants_max": followed.figures.participants_max,
        "declared_only": _declared(visible, year).count(),
        "gains": _gains(reader, year),
        "lock": YearLock.objects.visible_to(reader).filter(year=year).values_list("sha256", flat=True).first() or "",
    }


def _gains(reader: TerritoryReader, year: int) -> dict[str, Any]:
    """The validated gains of the year, stage « Notifié », and how many of its lots they speak of (``coverage``)."""
    found = entries(reader, stage=GainStage.AWARDED, year=year)
    sums, proven = totals(found), totals(found.filter(grade__in=PROVEN))
    covered = coverage(reader, year=year)
    return {
        "lines": sums.lines,
        "budget_gain": str(sums.budget_gain),
        "budget_gain_proven": str(proven.budget_gain),
        "purchase_gain": str(sums.purchase_gain),
        "baseline_budget": str(sums.baseline_budget),
        "baseline_purchase": str(sums.baseline_purchase),
        "lots_measured": covered.measured,
        "lots": covered.total,
    }


def sheet_figures(sheet: AnnualSheet) -> dict[str, Any]:
    """Its own once it is frozen, those of today before."""
    return sheet.figures if sheet.is_frozen else figures_of(sheet.territory, sheet.year)


def digest(sheet: AnnualSheet) -> str:
    """The SHA-256 of all a frozen sheet says, in one canonical JSON: whoever doubts computes it again."""
    said = {
        "territory": sheet.territory.siren,
        "year": sheet.year,
        "texts": sheet.texts,
        "calendar": sheet.calendar,
        "figures": sheet.figures,
        "figures_on": sheet.figures_on.isoformat(),
    }
    content = json.dumps(said, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(content.encode()).hexdigest()


def figure_lines(figures: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(heading, value) of the bilan's row of figures, in its order and words."""
    return [
        ("Nombre de communes", str(figures["communes"])),
        ("Nombre d’acteurs associés", _actors(figures)),
        ("Montants estimatifs", f"{_whole_euros(Decimal(figures['estimated_excl_tax']))} HT"),
        ("Nombre de réunions", str(figures["meetings"])),
        ("Nombre de groupements d’achats", _groupings(figures)),
    ]


def _whole_euros(amount: Decimal) -> str:
    """« 21 214 690 € »; with its cents when there are any."""
    return format_euros(amount).replace(f",00{NBSP}€", f"{NBSP}€")


_KIND_NAMES = {
    Kind.METROPOLE: ("métropole", "métropoles"),
    Kind.EPCI: ("communauté", "communautés"),
    Kind.COMMUNE: ("commune", "communes"),
    Kind.CCAS: ("CCAS", "CCAS"),
    Kind.SYNDICATE: ("syndicat", "syndicats"),
    Kind.OTHER: ("autre organisme", "autres organismes"),
}


def _actors(figures: Mapping[str, Any]) -> str:
    """« 27 (métropole, 23 communes, 3 CCAS) »: the body at the head without its number, as in the bilan."""
    parts = []
    for kind, (one, several) in _KIND_NAMES.items():
        count = figures["kinds"].get(kind.value, 0)
        if count == 1 and kind in (Kind.METROPOLE, Kind.EPCI):
            parts.append(one)
        elif count:
            parts.append(f"{count} {several if count > 1 else one}")
    return f"{figures['actors']} ({', '.join(parts)})" if parts else str(figures["actors"])


def _groupings(figures: Mapping[str, Any]) -> str:
    """« 16 (fourniture de carburants, matériel électrique…) impliquant de 7 à 18 participants »."""
    told = str(figures["groupings"])
    if figures["subjects"]:
        shown = ", ".join(title[:1].lower() + title[1:] for title in figures["subjects"])
        told += f" ({shown}{'…' if figures['groupings'] > len(figures['subjects']) else ''})"
    fewest, most = figures["participants_min"], figures["participants_max"]
    if most:
        count = f"de {fewest} à {most}" if fewest != most else str(most)
        told += f" impliquant {count} participant{'s' if most > 1 else ''}"
    return told


def other_groupings(figures: Mapping[str, Any]) -> str:
    """What is said of the groupings other departments run: declared here, and counted in no figure above."""
    count = figures["declared_only"]
    if not count:
        return ""
    if count == 1:
        return "1 autre groupement de commandes est déclaré, non recensé dans ce bilan."
    return f"{count} autres groupements de commandes sont déclarés, non recensés dans ce bilan."


def gain_sentences(sheet: AnnualSheet, figures: Mapping[str, Any]) -> list[str]:
    """What the ledger says beside the strengths: euros first, then the rate with its base and coverage."""
    gains, year = figures["gains"], sheet.year
    said = []
    if gains["lines"]:
        budget, base = Decimal(gains["budget_gain"]), Decimal(gains["baseline_budget"])
        purchase, indexed = Decimal(gains["purchase_gain"]), Decimal(gains["baseline_purchase"])
        said.append(
            f"Gain budgétaire validé de {year}, stade Notifié{NBSP}: {_ht(budget)}, dont fiabilité A–B "
            f"{_ht(Decimal(gains['budget_gain_proven']))}{NARROW}; gain achat{NBSP}: "
            f"{_ht(purchase)}."
        )
        said.append(
            f"Soit {pct(rate(budget, base), 2)} d’une référence de {_ht(base)} (budget) et "
            f"{pct(rate(purchase, indexed), 2)} d’une référence indexée de {_ht(indexed)} (achat)."
        )
    else:
        said.append(f"Aucun gain n’est validé pour {year} dans le registre des économies.")
    said.append(_coverage(gains))
    if figures["lock"]:
        said.append(f"Exercice {year} verrouillé, empreinte {figures['lock'][:12]}.")
    elif gains["lines"]:
        said.append(f"Exercice {year} non verrouillé.")
    if any("%" in str(sheet.texts.get(name, "")) for name in TEXTS):
        said.append(
            "Les pourcentages cités dans les textes sont ceux de leurs auteurs\u00a0: le registre ne les établit pas."
        )
    return said


def _ht(amount: Decimal) -> str:
    return f"{format_euros(amount)}{NBSP}HT"


def _coverage(gains: Mapping[str, Any]) -> str:
    measured, lots = gains["lots_measured"], gains["lots"]
    if not lots:
        return "Aucun marché notifié n’est enregistré pour cette année\u00a0: aucun lot n’est mesuré."
    s = "s" if measured > 1 else ""
    return f"{measured} lot{s} mesuré{s} sur {lots} en vigueur dans l’année."
