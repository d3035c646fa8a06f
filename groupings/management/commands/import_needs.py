"""``manage.py import_needs REFERENCE FILE [--json] [--coordinator SIREN]``"""

import json
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from groupings.actions.needs_import import error_json, needs_import
from groupings.management.lookup import find_grouping
from groupings.models import Grouping
from procurement.core.actors import SystemActor
from procurement.core.disk import why
from procurement.core.errors import BusinessError
from procurement.core.imports import ImportError_, ImportRefused


class Command(BaseCommand):
    help = (
        "Importe les besoins des membres d’un groupement (csv ou xlsx), avec les contrôles de la saisie. Chaque membre "
        "dont un chiffre change a sa réponse. Une erreur, et rien n’est écrit\u00a0: le code de retour est 1."
    )

    def add_arguments(self, parser):
        parser.add_argument("reference", metavar="REFERENCE", help="référence du groupement, par exemple GC-2027-01")
        parser.add_argument("file", type=Path, metavar="FILE", help="fichier .csv ou .xlsx")
        parser.add_argument(
            "--json", action="store_true", help="objet JSON\u00a0: members, lines, unchanged, empty, errors"
        )
        parser.add_argument(
            "--coordinator", default="", metavar="SIREN", help="coordonnateur, quand la référence existe deux fois"
        )

    def handle(self, *, reference: str, file: Path, coordinator: str, **options):
        errors: list[ImportError_] = []
        try:
            report = needs_import(
                grouping=find_grouping(reference, coordinator, among=Grouping.objects.filter(is_declared_only=False)),
                file=file,
                actor=SystemActor("Commande import_needs"),
                now=timezone.now(),
            )
        except OSError as error:
            errors = [ImportError_(None, "", f"Le fichier {file} ne peut pas être lu\u00a0: {why(error)}.")]
        except ImportRefused as refused:
            errors = refused.errors
        except (BusinessError, CommandError) as error:
            errors = [ImportError_(None, "", str(error))]
        if errors:
            if options["json"]:
                told = {"members": 0, "lines": 0, "unchanged": 0, "empty": 0, "errors": list(map(error_json, errors))}
                self._print(told)
            lines = "" if options["json"] else "\n".join(map(str, errors)) + "\n"
            raise CommandError(f"{lines}Rien n’a été importé\u00a0: {len(errors)} à corriger.")
        if options["json"]:
            self._print(report.as_json())
        else:
            self.stdout.write(f"{report}.")

    def _print(self, told: dict) -> None:
        self.stdout.write(json.dumps(told, ensure_ascii=False, indent=2))
