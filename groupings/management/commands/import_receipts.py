"""``manage.py import_receipts PATH… [--json] [--territory SIREN]``"""

import json
import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from groupings.actions.exchange import Fate, Outcome, receipt_import
from groupings.exchange.receipts import MAX_BYTES
from members.models import Organisation
from members.session_imports import find_territory
from procurement.core.actors import SystemActor
from procurement.core.disk import why
from procurement.core.errors import BusinessError

WORDS = {
    Fate.MATCHED: "Enregistré",
    Fate.PROPOSED: "À confirmer",
    Fate.REFUSED: "Refusé",
    Fate.CANCELLED: "Annulé",
}
_ACTOR = SystemActor("Commande import_receipts")


class Command(BaseCommand):
    help = (
        "Importe des accusés de réception du contrôle de légalité\u00a0: messages XML de l’application ACTES et PDF "
        "tamponnés. Un refus n’arrête rien et ne change pas le code de retour, qui n’est 1 que si rien n’a pu être lu."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "paths", type=Path, nargs="+", metavar="PATH", help="fichier, ou dossier et ses sous-dossiers"
        )
        parser.add_argument(
            "--json", action="store_true", help="liste JSON\u00a0: file, outcome, actes_id, received_on, reason"
        )
        parser.add_argument(
            "--territory", default="", metavar="SIREN", help="ne rapprocher que des délibérations de ce territoire"
        )

    def handle(self, *, paths: list[Path], territory: str, **options):
        try:
            root = find_territory(territory) if territory else None
        except BusinessError as error:
            raise CommandError(str(error)) from error
        outcomes = []
        for path, reason in files_of(paths):
            outcome = _refusal(path, reason) if reason else self._import(path, root)
            outcomes.append(outcome)
            if not options["json"]:
                self.stdout.write(f"{WORDS[outcome.outcome]:<11}  {outcome.file}\u00a0: {outcome.reason}")
        if options["json"]:
            self.stdout.write(json.dumps([outcome.as_json() for outcome in outcomes], ensure_ascii=False, indent=2))
        elif outcomes:
            counts = ((fate, sum(outcome.outcome == fate for outcome in outcomes)) for fate in Fate)
            self.stdout.write(", ".join(f"{WORDS[fate].lower()}\u00a0: {count}" for fate, count in counts))
        else:
            self.stdout.write("Aucun fichier à importer.")
        if not any(map(_is_readable, paths)):
            raise CommandError("Aucun des chemins donnés ne peut être lu.")

    def _import(self, path: Path, territory: Organisation | None) -> Outcome:
        try:
            with path.open("rb") as stream:
                content = stream.read(MAX_BYTES + 1)
        except OSError as error:
            return _refusal(path, f"Ce fichier ne peut pas être lu\u00a0: {why(error)}.")
        outcome = receipt_import(
            content=content, filename=path.name, actor=_ACTOR, today=timezone.localdate(), territory=territory
        )
        return replace(outcome, file=_shown(path))


def files_of(paths: list[Path]) -> Iterator[tuple[Path, str]]:
    """(file, why it cannot be read): the files given and those of the folders, in order; links are not followed."""
    for path in paths:
        if not path.is_dir():
            yield path, _reason(path)
            continue
        unreadable: list[OSError] = []
        for folder, subfolders, names in os.walk(path, onerror=unreadable.append):
            subfolders.sort()
            for name in sorted(names):
                yield Path(folder, name), _reason(Path(folder, name))
        for error in unreadable:
            yield Path(error.filename), f"Ce dossier ne peut pas être lu\u00a0: {why(error)}."


def _reason(path: Path) -> str:
    """Why ``path`` is not opened: absent, or no ordinary file (a pipe would never end)."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        return f"Ce chemin ne peut pas être lu\u00a0: {why(error)}."
    return "" if stat.S_ISREG(mode) else "Ce chemin n’est pas celui d’un fichier."


def _is_readable(path: Path) -> bool:
    return os.access(path, os.R_OK)


def _refusal(path: Path, reason: str) -> Outcome:
    return Outcome(file=_shown(path), outcome=Fate.REFUSED, reason=reason)


def _shown(path: Path) -> str:
    """The path as text, whatever bytes the disk holds."""
    return os.fsencode(path).decode("utf-8", "replace")
