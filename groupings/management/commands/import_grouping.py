"""``manage.py import_grouping DIR``"""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from groupings.imports import COLUMNS, import_grouping
from procurement.core.actors import SystemActor
from procurement.core.disk import why
from procurement.core.imports import ImportRefused


class Command(BaseCommand):
    help = (
        "Crée ou met à jour les groupements d’un dossier, avec leurs lots, leurs membres et leurs besoins\u00a0: "
        f"{', '.join(COLUMNS)}. Une erreur dans un fichier, et rien n’est écrit."
    )

    def add_arguments(self, parser):
        parser.add_argument("directory", type=Path, metavar="DIR", help="dossier des trois fichiers")

    def handle(self, *, directory: Path, **options):
        if not directory.is_dir():
            raise CommandError(f"{directory} n’est pas un dossier.")
        try:
            report = import_grouping(
                directory, actor=SystemActor("Commande import_grouping"), today=timezone.localdate()
            )
        except OSError as error:
            raise CommandError(f"{error.filename} ne peut pas être lu\u00a0: {why(error)}.") from error
        except ImportRefused as refused:
            lines = "\n".join(map(str, refused.errors))
            raise CommandError(f"{lines}\nRien n’a été importé\u00a0: {len(refused.errors)} à corriger.") from refused
        self.stdout.write(str(report))
