"""``manage.py compile_reference TARBALL_OR_DIR``"""

import os
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from members.reference import territories
from members.reference.compile import compile_territories, read_package


class Command(BaseCommand):
    help = (
        "Compile le paquet npm @etalab/decoupage-administratif (Licence Ouverte) en un seul fichier compact, "
        "members/reference/territories.json.gz\u00a0: les communes actuelles et les EPCI à fiscalité propre avec leurs "
        "membres. À relancer une fois par an, au nouveau millésime\u00a0: obtenir l’archive avec "
        "«\u00a0npm pack @etalab/decoupage-administratif\u00a0», puis mettre à jour members/reference/README.md."
    )

    requires_system_checks = []  # it touches neither the database nor the settings

    def add_arguments(self, parser):
        parser.add_argument("source", type=Path, help="archive .tgz du paquet, ou dossier où elle est décompressée")
        parser.add_argument("--output", type=Path, default=territories.DATA_FILE, help="fichier à écrire")

    def handle(self, *, source: Path, output: Path, **options):
        if not source.exists():
            raise CommandError(f"{source} n’existe pas.")
        try:
            data, commune_count, epci_count = compile_territories(*read_package(source))
        except ValueError as error:
            raise CommandError(str(error)) from error
        except (KeyError, TypeError) as error:
            raise CommandError(f"{source.name} n’a pas la structure attendue\u00a0: {error}.") from error
        # Written aside then moved: a reader never meets half a file.
        temporary = output.with_name(f"{output.name}.{os.getpid()}.tmp")
        temporary.write_bytes(data)
        temporary.replace(output)
        self.stdout.write(f"{commune_count} communes")
        self.stdout.write(f"{epci_count} EPCI")
        self.stdout.write(f"{output.name}\u00a0: {len(data)} octets")
