"""``manage.py import_consumption RÉFÉRENCE FICHIER [--json]``"""

import json
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from groupings.actions.consumption import consumption_import
from groupings.management.lookup import find_grouping
from procurement.core.actors import SystemActor
from procurement.core.disk import why
from procurement.core.imports import ImportRefused


class Command(BaseCommand):
    help = (
        "Importe les factures ou mandats d’un groupement, en CSV ou Excel. Une erreur dans le fichier, et rien n’est "
        "écrit (code de retour 1)\u202f; une ligne déjà connue est passée et comptée."
    )

    def add_arguments(self, parser) -> None:
        parser.add_argument("reference", metavar="RÉFÉRENCE")
        parser.add_argument("file", type=Path, metavar="FICHIER")
        parser.add_argument(
            "--json",
            action="store_true",
            help="objet JSON\u00a0: added, known, total_excl_tax, errors (line, column, message)",
        )
        parser.add_argument(
            "--coordinator", metavar="SIREN", help="quand plusieurs coordonnateurs ont un groupement de cette référence"
        )

    def handle(self, *, reference: str, file: Path, coordinator: str | None, **options) -> None:
        grouping = find_grouping(reference, coordinator)
        try:
            with file.open("rb") as stream:
                report = consumption_import(
                    grouping=grouping,
                    file=stream,
                    filename=file.name,
                    actor=SystemActor("Commande import_consumption"),
                    today=timezone.localdate(),
                )
        except OSError as error:
            raise CommandError(f"{file} ne peut pas être lu\u00a0: {why(error)}.") from error
        except ImportRefused as refused:
            told = f"Rien n’a été importé\u00a0: {len(refused.errors)} à corriger."
            if options["json"]:
                errors = [{"line": e.line, "column": e.column, "message": e.message} for e in refused.errors]
                nothing = {"added": 0, "known": 0, "total_excl_tax": "0.00", "errors": errors}
                self.stdout.write(json.dumps(nothing, ensure_ascii=False, indent=2))
                raise CommandError(told) from refused
            lines = "\n".join(map(str, refused.errors))
            raise CommandError(f"{lines}\n{told}") from refused
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json() | {"errors": []}, ensure_ascii=False, indent=2))
        else:
            self.stdout.write(f"{grouping.reference}\u00a0: {report}.")
