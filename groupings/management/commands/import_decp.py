"""``manage.py import_decp FILE [--json] [--territory SIREN]``"""

import json
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from groupings.actions.external_contracts import MAX_KEPT, external_contracts_import
from members.session_imports import find_territory
from procurement.core.actors import SystemActor
from procurement.core.disk import why
from procurement.core.errors import BusinessError


class Command(BaseCommand):
    help = (
        "Lit un fichier de données essentielles (DECP, JSON ou XML, de toute taille) et garde les marchés des "
        f"organismes de l’annuaire, {MAX_KEPT} au plus. Ce qui est laissé de côté est compté, avec la raison."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path, metavar="FILE", help="fichier .json ou .xml")
        parser.add_argument("--json", action="store_true", help="objet JSON\u00a0: read, added, changed, passed_over…")
        parser.add_argument("--territory", default="", metavar="SIREN", help="un seul territoire")

    def handle(self, *, file: Path | str, territory: str, **options):
        file = Path(file)
        try:
            with file.open("rb") as stream:
                report = external_contracts_import(
                    stream=stream,
                    filename=file.name,
                    actor=SystemActor("Commande import_decp"),
                    today=timezone.localdate(),
                    territory=find_territory(territory) if territory else None,
                )
        except OSError as error:
            raise CommandError(f"Le fichier {file} ne peut pas être lu\u00a0: {why(error)}.") from error
        except BusinessError as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(), ensure_ascii=False, indent=2))
            return
        self.stdout.write(str(report))
        for reason, count in report.passed_over.items():
            self.stdout.write(f"Laissés de côté\u00a0: {count}, {reason}.")
