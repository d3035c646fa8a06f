"""``manage.py import_price_list RÉFÉRENCE LOT FICHIER``"""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from groupings.actions.price_list import price_list_replace
from groupings.management.lookup import find_grouping
from groupings.models import Award
from groupings.price_file import check_prices, compare, kept_prices, prices_of
from procurement.core.actors import SystemActor
from procurement.core.disk import why
from procurement.core.errors import BusinessError
from procurement.core.imports import ImportRefused, read_table


class Command(BaseCommand):
    help = (
        "Remplace le bordereau des prix d’un lot attribué par celui d’un fichier CSV ou Excel. "
        "Une erreur dans le fichier, et rien n’est écrit."
    )

    def add_arguments(self, parser) -> None:
        parser.add_argument("reference", metavar="RÉFÉRENCE")
        parser.add_argument("lot", type=int, metavar="LOT", help="numéro du lot")
        parser.add_argument("file", type=Path, metavar="FICHIER")
        parser.add_argument("--dry-run", action="store_true", help="dire ce qui changerait, sans rien écrire")
        parser.add_argument(
            "--coordinator", metavar="SIREN", help="quand plusieurs coordonnateurs ont un groupement de cette référence"
        )

    def handle(self, *, reference: str, lot: int, file: Path, coordinator: str | None, **options) -> None:
        grouping = find_grouping(reference, coordinator)
        awards = Award.objects.awarded().filter(lot__grouping=grouping, lot__number=lot)
        award = awards.select_related("lot__grouping__coordinator").first()
        if award is None:
            raise CommandError(f"Le lot {lot} de {reference} n’existe pas, ou n’est pas attribué.")
        try:
            checked = check_prices(read_table(file))
            checked.raise_if_refused()
            prices = prices_of(checked)
            if options["dry_run"]:
                self.stdout.write(f"Lot {lot}\u00a0: {compare(kept_prices(award), prices)} (rien n’est écrit).")
                return
            changes = price_list_replace(
                award=award, prices=prices, actor=SystemActor("Commande import_price_list"), source=checked.filename
            )
        except OSError as error:
            raise CommandError(f"{file} ne peut pas être lu\u00a0: {why(error)}.") from error
        except ImportRefused as refused:
            lines = "\n".join(map(str, refused.errors))
            raise CommandError(f"{lines}\nRien n’a été importé\u00a0: {len(refused.errors)} à corriger.") from refused
        except BusinessError as refusal:
            raise CommandError(str(refusal)) from refusal
        self.stdout.write(f"Lot {lot}\u00a0: {changes}.")
