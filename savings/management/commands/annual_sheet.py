"""``manage.py annual_sheet YEAR --format docx|pdf --out FILE [--territory SIREN]``"""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from members.models import Organisation
from members.session_imports import find_territory
from procurement.core.documents.docx import DocxError
from procurement.core.documents.pdf import PdfError
from procurement.core.errors import BusinessError
from savings.management.output import check_place, unwritable
from savings.models import AnnualSheet
from savings.outfiles import written_whole
from savings.sheet import begun_from, former_sheet, has_groupings
from savings.sheet_print import FORMATS


class Command(BaseCommand):
    help = (
        "Écrit la fiche annuelle «\u00a0Groupements d’achats\u00a0» d’une année, en Word ou en PDF. Non figée, "
        "elle porte «\u00a0PROJET\u00a0» et les chiffres du jour."
    )

    def add_arguments(self, parser) -> None:
        parser.add_argument("year", type=int, metavar="ANNÉE")
        parser.add_argument("--format", choices=sorted(FORMATS), required=True, help="docx ou pdf")
        parser.add_argument("--out", type=Path, required=True, metavar="FICHIER", help="remplacé s’il existe")
        parser.add_argument("--territory", default="", metavar="SIREN", help="s’il y a plusieurs territoires")

    def handle(self, *, year: int, format: str, out: Path | str, territory: str, **options) -> None:
        if not 2000 <= year <= 2100:
            raise CommandError(f"{year} n’est pas une année de fiche\u00a0: entre 2000 et 2100.")
        try:
            sheet = _sheet(find_territory(territory), year)
        except BusinessError as error:
            raise CommandError(str(error)) from None
        check_place(Path(out))
        make, _ = FORMATS[format]
        try:
            content = make(sheet, timezone.now())
        except (PdfError, DocxError) as error:
            raise CommandError(f"La fiche {year} n’a pas été produite\u00a0: {error}") from None
        try:
            with written_whole(Path(out)) as stream:
                stream.write(content)
        except OSError as error:
            raise unwritable(out, error) from error
        state = f"figée, chiffres arrêtés au {sheet.figures_on:%d/%m/%Y}" if sheet.is_frozen else "projet, non figée"
        self.stdout.write(f"Fiche {year} ({state}) dans {out}.")


def _sheet(head: Organisation, year: int) -> AnnualSheet:
    """The one kept; else a draft with the texts of the latest before it, which nothing stores."""
    sheet = AnnualSheet.objects.filter(territory=head, year=year).select_related("territory").first()
    if sheet is not None:
        return sheet
    if not has_groupings(head, year):
        raise BusinessError(
            f"Aucune fiche n’est commencée pour {year}, et aucun groupement n’était suivi cette année-là\u00a0: "
            "rien n’a été écrit."
        )
    texts, calendar = begun_from(former_sheet(head, year), year)
    return AnnualSheet(territory=head, year=year, texts=texts, calendar=calendar)
