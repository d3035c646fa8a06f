"""``manage.py import_price_lines RÉFÉRENCE FICHIER [--json] [--dry-run]``"""

import json
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from groupings.management.lookup import find_grouping
from procurement.core.actors import SystemActor
from procurement.core.disk import why
from procurement.core.errors import BusinessError
from procurement.core.imports import ImportError_, ImportRefused
from savings.actions.price_import import PriceImportReport, price_lines_import


class Command(BaseCommand):
    help = (
        "Importe les prix de référence et les prix obtenus d’un groupement, en CSV ou Excel. Une erreur dans le "
        "fichier, et rien n’est écrit (code de retour 1)\u202f; le même fichier deux fois n’ajoute rien."
    )

    def add_arguments(self, parser) -> None:
        parser.add_argument("reference", metavar="RÉFÉRENCE")
        parser.add_argument("file", type=Path, metavar="FICHIER")
        parser.add_argument(
            "--json",
            action="store_true",
            help="objet JSON\u00a0: created, updated, unchanged, dry_run, errors (line, column, message)",
        )
        parser.add_argument("--dry-run", action="store_true", help="dire ce qui changerait, sans rien écrire")
        parser.add_argument(
            "--coordinator", metavar="SIREN", help="quand plusieurs coordonnateurs ont un groupement de cette référence"
        )

    def handle(self, *, reference: str, file: Path, coordinator: str | None, **options) -> None:
        try:
            report = self._import(reference, file, coordinator, dry_run=options["dry_run"])
        except CommandError as refusal:
            errors, told = [ImportError_(None, "", str(refusal))], str(refusal)
        except ImportRefused as refused:
            errors = refused.errors
            told = f"Rien n’a été importé\u00a0: {len(errors)} à corriger."
            if not options["json"]:
                told = "\n".join([*map(str, errors), told])
        else:
            if options["json"]:
                self.stdout.write(json.dumps(report.as_json() | {"errors": []}, ensure_ascii=False, indent=2))
            else:
                self.stdout.write(f"{reference}\u00a0: {report}.")
            return
        if options["json"]:
            nothing = PriceImportReport(is_dry_run=options["dry_run"]).as_json()
            listed = [{"line": e.line, "column": e.column, "message": e.message} for e in errors]
            self.stdout.write(json.dumps(nothing | {"errors": listed}, ensure_ascii=False, indent=2))
        raise CommandError(told)

    def _import(self, reference: str, file: Path, coordinator: str | None, *, dry_run: bool) -> PriceImportReport:
        grouping = find_grouping(reference, coordinator)
        try:
            with file.open("rb") as stream:
                return price_lines_import(
                    grouping=grouping,
                    file=stream,
                    filename=file.name,
                    actor=SystemActor("Commande import_price_lines"),
                    now=timezone.now(),
                    dry_run=dry_run,
                )
        except OSError as error:
            raise CommandError(f"{file} ne peut pas être lu\u00a0: {why(error)}.") from error
        except ImportRefused:
            raise
        except BusinessError as refusal:
            raise CommandError(str(refusal)) from refusal
