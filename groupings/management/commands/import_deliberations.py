"""``manage.py import_deliberations FILE [--json] [--territory SIREN]``"""

import json
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from groupings.actions.open_data import DeliberationsReport, deliberations_propose
from members.session_imports import find_territory
from procurement.core.actors import SystemActor
from procurement.core.disk import why
from procurement.core.documents.tabular import MAX_BYTES
from procurement.core.errors import BusinessError


class Command(BaseCommand):
    help = (
        "Lit un fichier de délibérations au format SCDL (csv, xlsx ou export JSON) et propose celles qui peuvent être "
        "attendues ici. Rien n’est rapproché sans qu’une personne le confirme."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path, metavar="FILE", help="fichier .csv, .xlsx ou .json")
        parser.add_argument("--json", action="store_true", help="objet JSON\u00a0: rows, read, warnings, candidates")
        parser.add_argument(
            "--territory", default="", metavar="SIREN", help="ne proposer que des délibérations de ce territoire"
        )

    def handle(self, *, file: Path, territory: str, **options):
        try:
            with file.open("rb") as stream:
                content = stream.read(MAX_BYTES + 1)
            report = deliberations_propose(
                content=content,
                filename=file.name,
                actor=SystemActor("Commande import_deliberations"),
                today=timezone.localdate(),
                territory=find_territory(territory) if territory else None,
            )
        except OSError as error:
            raise CommandError(f"Le fichier {file} ne peut pas être lu\u00a0: {why(error)}.") from error
        except BusinessError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), ensure_ascii=False, indent=2))
        else:
            self._tell(report)

    def _tell(self, report: DeliberationsReport) -> None:
        for warning in report.warnings:
            self.stdout.write(str(warning))
        for candidate in report.candidates:
            told = candidate.as_json()
            self.stdout.write(
                f"Ligne {told['line']}, {told['DELIB_ID'] or 'sans numéro'}\u00a0: {told['organisation']}, "
                f"{told['grouping']}. {told['reason']}"
            )
        self.stdout.write(
            f"{report.rows} ligne(s), {report.read} lue(s), {len(report.warnings)} avertissement(s), "
            f"{len(report.candidates)} rapprochement(s) à confirmer."
        )
