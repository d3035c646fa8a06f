"""``manage.py export_decp [--year Y | REFERENCE] --format json|xml --out FILE``, and the companion of members."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from groupings.essential_data import Publication, member_rows, of_year, publication
from groupings.exchange.decp.companion import write_members
from groupings.exchange.decp.writer import FORMATS, JSON_VERSION, XSD_VERSION, InvalidFile, write
from groupings.management.lookup import find_grouping
from groupings.models import Award, Grouping
from procurement.core.disk import why


class Command(BaseCommand):
    help = (
        "Écrit les données essentielles (DECP) des lots attribués et notifiés, à partir du seuil de publication, et à "
        "côté le fichier des membres. Ce qui manque est dit lot par lot\u00a0: rien n’est alors écrit."
    )

    def add_arguments(self, parser):
        parser.add_argument("reference", nargs="?", default="", metavar="REFERENCE", help="un seul groupement")
        parser.add_argument("--year", type=int, default=None, metavar="YYYY", help="année de la notification")
        parser.add_argument(
            "--format",
            choices=sorted(FORMATS),
            required=True,
            help=f"json (schéma {JSON_VERSION}) ou xml (XSD {XSD_VERSION})",
        )
        parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="fichier, remplacé s’il existe")
        parser.add_argument("--coordinator", default="", metavar="SIREN", help="un seul coordonnateur")
        parser.add_argument(
            "--members",
            type=Path,
            default=None,
            metavar="FILE.csv",
            help="fichier des membres\u00a0; par défaut, le nom de --out suivi de «\u00a0-membres.csv\u00a0»",
        )

    def handle(self, *, reference: str, year: int | None, coordinator: str, out: Path | str, **options):
        if reference and year is not None:
            raise CommandError("Donnez une référence ou une année, pas les deux.")
        if year is not None and not 2000 <= year <= 9999:
            raise CommandError(f"{year} n’est pas une année\u00a0: écrivez-la 2026.")
        out = Path(out)
        members = Path(options["members"]) if options["members"] else out.with_name(f"{out.stem}-membres.csv")
        if members.resolve() == out.resolve():
            raise CommandError("Le fichier des membres et celui des marchés portent le même nom.")
        awards, scope = self._select(reference, year, coordinator)
        found = publication(awards, timezone.localdate())
        for item in found.left_out:
            self.stderr.write(f"Non publié\u00a0: {item}")
        if not found.lots:
            raise CommandError(f"Aucun marché à publier {scope}\u00a0: rien n’est écrit.")
        if found.incomplete:
            raise CommandError(missing(found))
        try:
            content = write(found.contracts, options["format"])
        except InvalidFile as error:
            raise CommandError(f"Le schéma officiel refuse le fichier, rien n’est écrit. {error}") from error
        _write({out: content, members: write_members(member_rows(found.lots))})
        self._tell(found, out, members)

    def _select(self, reference: str, year: int | None, coordinator: str):
        """The awards asked for, and how to name them after « Aucun marché à publier »."""
        awards, scope = Award.objects.all(), "dans cette base"
        if coordinator:
            awards = awards.filter(lot__grouping__coordinator__siren=coordinator)
            scope = f"pour le coordonnateur {coordinator}"
            if not Grouping.objects.filter(coordinator__siren=coordinator).exists():
                raise CommandError(f"Aucun groupement n’est coordonné par un organisme de SIREN {coordinator}.")
        if year is not None:
            return of_year(awards, year), f"en {year}"
        if reference:
            return awards.filter(lot__grouping=find_grouping(reference, coordinator)), f"pour {reference}"
        return awards, scope

    def _tell(self, found: Publication, out: Path, members: Path) -> None:
        count = len(found.lots)
        plural = "s" * (count > 1)
        self.stdout.write(f"{count} marché{plural} écrit{plural} dans {out}, membres dans {members}.")
        if first := found.first_published:
            self.stdout.write(
                f"Sans date de publication\u00a0: {len(first)}. Le fichier y porte celle d’aujourd’hui\u00a0: une fois "
                "déposé, notez-la dans «\u00a0données essentielles publiées le\u00a0»."
            )
        if without := [lot.name for lot in found.lots if not lot.award.shares.all()]:
            listed = "\u202f; ".join(without)
            self.stdout.write(f"Parts des membres non saisies, laissées vides\u00a0: {listed}.")


def missing(found: Publication) -> str:
    """Every box to fill, lot by lot."""
    count = len(found.incomplete)
    lines = [f"Rien n’est écrit\u00a0: {count} lot{'s' * (count > 1)} à compléter."]
    for lot in found.incomplete:
        lines += [f"{lot.name}\u00a0:", *(f"  – {sentence}" for sentence in lot.told())]
    return "\n".join(lines)


def _write(files: dict[Path, bytes]) -> None:
    """All of them beside, then moved: a reader never sees half a file."""
    for out in files:
        if out.is_dir():
            raise CommandError(f"{out} est un dossier\u00a0: donnez le nom du fichier à écrire.")
        if not out.parent.is_dir():
            raise CommandError(f"{out} ne peut pas être écrit\u00a0: son dossier n’existe pas.")
    aside = {out: out.with_name(f"{out.name}.partial") for out in files}
    try:
        for out, content in files.items():
            aside[out].write_bytes(content)
        for out, partial in aside.items():
            partial.replace(out)
    except OSError as error:
        for partial in aside.values():
            partial.unlink(missing_ok=True)
        raise CommandError(f"{out} ne peut pas être écrit\u00a0: {why(error)}.") from error
