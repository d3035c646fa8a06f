"""``manage.py export_deliberations --out FILE [--year YYYY] [--territory SIREN]``"""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from groupings.actions.proposals import of_territory
from groupings.exchange.scdl import VERSION, write_deliberations
from groupings.models import Deliberation
from groupings.publication import published, records_of
from members.session_imports import find_territory
from procurement.core.disk import why
from procurement.core.errors import BusinessError


class Command(BaseCommand):
    help = (
        f"Écrit les délibérations adoptées au format SCDL {VERSION} (csv). Celles à qui il manque une valeur "
        "obligatoire n’y figurent pas et sont dites sur la sortie d’erreur."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--out", type=Path, required=True, metavar="FILE", help="fichier à écrire, remplacé s’il existe"
        )
        parser.add_argument("--year", type=int, default=None, metavar="YYYY", help="année des votes")
        parser.add_argument("--territory", default="", metavar="SIREN", help="un seul territoire")

    def handle(self, *, out: Path | str, year: int | None, territory: str, **options):
        if year is not None and not 1982 <= year <= 9999:
            raise CommandError(f"{year} n’est pas une année\u00a0: écrivez-la 2026.")
        try:
            root = find_territory(territory) if territory else None
        except BusinessError as error:
            raise CommandError(str(error)) from error
        records, left_out = records_of(published(of_territory(Deliberation.objects.all(), root), year))
        for item in left_out:
            self.stderr.write(f"Non exportée\u00a0: {item}")
        _write(Path(out), write_deliberations(records))
        plural = "s" * (len(records) > 1)
        self.stdout.write(f"{len(records)} délibération{plural} exportée{plural} dans {out}.")


def _write(out: Path, content: bytes) -> None:
    """Beside, then moved: a reader never sees half a file."""
    if out.is_dir():
        raise CommandError(f"{out} est un dossier\u00a0: donnez le nom du fichier à écrire.")
    if not out.parent.is_dir():
        raise CommandError(f"{out} ne peut pas être écrit\u00a0: son dossier n’existe pas.")
    aside = out.with_name(f"{out.name}.partial")
    try:
        aside.write_bytes(content)
        aside.replace(out)
    except OSError as error:
        raise CommandError(f"{out} ne peut pas être écrit\u00a0: {why(error)}.") from error
