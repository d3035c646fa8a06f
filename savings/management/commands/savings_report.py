"""``manage.py savings_report --year Y [--stage …] [--by …] --format xlsx|csv|json|pdf --out FILE``"""

import sys
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from members.session_imports import find_territory
from procurement.core.errors import BusinessError
from savings.management.output import check_place, unwritable
from savings.reports.asked import CUTS, Asked, read_by, read_stage, read_year
from savings.reports.data import build_report
from savings.reports.render import FORMATS, write_file, write_report

STANDARD_OUTPUT = "-"
ON_STANDARD_OUTPUT = ("csv", "json")


class Command(BaseCommand):
    help = (
        "Écrit le rapport des gains validés d’un exercice, à un stade. Un exercice sans gain, ou un fichier qui ne "
        "peut pas être écrit, laisse l’ancien fichier tel quel."
    )

    def add_arguments(self, parser) -> None:
        parser.add_argument("--year", type=int, required=True, metavar="ANNÉE", help="l’exercice budgétaire")
        parser.add_argument(
            "--stage",
            default="awarded",
            metavar="STADE",
            help="estimated (potentiel), awarded (notifié, par défaut) ou realised (réalisé)",
        )
        parser.add_argument(
            "--by", default="grouping", metavar="LISTE", help=f"regroupements, dans l’ordre\u00a0: {', '.join(CUTS)}"
        )
        parser.add_argument("--format", choices=sorted(FORMATS), required=True, help="xlsx, csv, json ou pdf")
        parser.add_argument(
            "--out",
            required=True,
            metavar="FICHIER",
            help="remplacé s’il existe\u202f; «\u00a0-\u00a0» pour la sortie standard (csv et json)",
        )
        parser.add_argument(
            "--territory",
            "--coordinator",
            dest="territory",
            default="",
            metavar="SIREN",
            help="la métropole, s’il y en a plusieurs",
        )

    def handle(self, *, year: int, stage: str, by: str, format: str, out: Path | str, territory: str, **options):
        is_streamed = str(out) == STANDARD_OUTPUT
        if is_streamed and format not in ON_STANDARD_OUTPUT:
            raise CommandError(f"Un {format.upper()} s’écrit dans un fichier\u00a0: donnez son nom avec --out.")
        if not is_streamed:
            check_place(Path(out))
        try:
            asked = Asked(read_year(year), read_stage(stage), read_by(by))
            report = build_report(asked, territory=find_territory(territory), made_at=timezone.now())
            if is_streamed:
                write_report(report, format, getattr(self.stdout._out, "buffer", sys.stdout.buffer))
                return
            write_file(report, format, Path(out))
        except BusinessError as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise unwritable(out, error) from error
        count = report.totals.lines
        self.stdout.write(f"{report.title}, {count} ligne{'s' * (count > 1)}, dans {out}. {report.provenance}.")
