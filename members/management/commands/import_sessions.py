"""``manage.py import_sessions FILE [--territory SIREN]``"""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from members.session_imports import COLUMNS, find_territory, import_sessions
from procurement.core.actors import SystemActor
from procurement.core.disk import why
from procurement.core.errors import BusinessError
from procurement.core.imports import ImportRefused


class Command(BaseCommand):
    help = (
        "Crée ou met à jour les séances d’un fichier csv ou xlsx, reconnues par leur organisme et leur date. "
        f"Colonnes\u00a0: {', '.join(column.name for column in COLUMNS)}. Une erreur, et rien n’est écrit."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path, metavar="FILE", help="fichier .csv ou .xlsx")
        parser.add_argument(
            "--territory",
            default="",
            metavar="SIREN",
            help="SIREN de la métropole, quand la base tient plusieurs territoires",
        )

    def handle(self, *, file: Path, territory: str, **options):
        try:
            report = import_sessions(
                file, actor=SystemActor("Commande import_sessions"), territory=find_territory(territory)
            )
        except OSError as error:
            raise CommandError(f"Le fichier {file} ne peut pas être lu\u00a0: {why(error)}.") from error
        except ImportRefused as refused:
            lines = "\n".join(map(str, refused.errors))
            raise CommandError(f"{lines}\nRien n’a été importé\u00a0: {len(refused.errors)} à corriger.") from refused
        except BusinessError as refused:
            raise CommandError(str(refused)) from refused
        self.stdout.write(str(report))
