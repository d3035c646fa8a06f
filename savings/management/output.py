"""Where a command writes its file, and how it says that it cannot."""

from pathlib import Path

from django.core.management.base import CommandError

from procurement.core.disk import why


def check_place(out: Path) -> None:
    """Raise CommandError, before anything long is computed, when ``out`` cannot be a file: a folder, or in none."""
    try:
        if out.is_dir():
            raise CommandError(f"{out} est un dossier\u00a0: donnez le nom du fichier à écrire.")
        if not out.parent.is_dir():
            raise CommandError(f"{out} ne peut pas être écrit\u00a0: son dossier n’existe pas.")
    except OSError as error:  # a name too long, a link that turns in circles
        raise unwritable(out, error) from error


def unwritable(out: Path | str, error: OSError) -> CommandError:
    """The sentence of a disk that refuses."""
    return CommandError(f"{out} ne peut pas être écrit\u00a0: {why(error)}.")
