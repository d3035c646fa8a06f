"""``manage.py import_organisations FILE``"""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from members.imports import COLUMNS, import_organisations
from procurement.core.actors import SystemActor
from procurement.core.disk import why
from procurement.core.imports import ImportRefused


class Command(BaseCommand):
    help = (
        "Crée ou met à jour par leur SIREN les organismes d’un fichier csv ou xlsx. Colonnes\u00a0: "
        f"{', '.join(column.name for column in COLUMNS)}. Une erreur, et rien n’est écrit."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path, metavar="FILE", help="fichier .csv ou .xlsx")

    def handle(self, *, file: Path, **options):
        try:
            report = import_organisations(file, actor=SystemActor("Commande import_organisations"))
        except OSError as error:
            raise CommandError(f"Le fichier {file} ne peut pas être lu\u00a0: {why(error)}.") from error
        except ImportRefused as refused:
            lines = "\n".join(map(str, refused.errors))
            raise CommandError(f"{lines}\nRien n’a été importé\u00a0: {len(refused.errors)} à corriger.") from refused
        self.stdout.write(str(report))
