"""The year's figures, on the terminal or as one JSON object."""

import json
from dataclasses import asdict

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from groupings.figures import all_groupings, annual_figures
from procurement.core.money import format_euros

LABELS = {
    "groupings": "Groupements",
    "communes": "Communes",
    "ccas": "CCAS",
    "organisations": "Organismes",
    "estimated_total_excl_tax": "Montant estimé HT",
    "participants_min": "Participants, au moins",
    "participants_max": "Participants, au plus",
}


class Command(BaseCommand):
    help = "Chiffres d’une année\u00a0: groupements suivis, communes, CCAS, montant estimé HT, participants."

    def add_arguments(self, parser) -> None:
        parser.add_argument("year", nargs="?", type=int, metavar="ANNÉE", help="par défaut, l’année en cours")
        parser.add_argument("--json", action="store_true", help="un objet JSON")

    def handle(self, *, year: int | None, json: bool, **options) -> None:
        year = timezone.localdate().year if year is None else year
        if not 1982 <= year <= 2200:
            raise CommandError(f"{year} n’est pas une année de la commande publique locale\u00a0: entre 1982 et 2200.")
        figures = asdict(annual_figures(all_groupings(), year))
        if json:
            self.stdout.write(to_json(figures))
            return
        for key, value in figures.items():
            shown = format_euros(value) if key == "estimated_total_excl_tax" else value
            self.stdout.write(f"{LABELS[key]}\u00a0: {shown}")


def to_json(figures: dict) -> str:
    """Amounts as strings with two decimals: a JSON number would be read back as a float."""
    return json.dumps({**figures, "estimated_total_excl_tax": str(figures["estimated_total_excl_tax"])})
