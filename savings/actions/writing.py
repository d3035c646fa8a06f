"""How a row of the ledger is written: locked at the version the person read, saved and journalled as the next one."""

from typing import TypeVar

from django.db import models

from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.record import save_recorded, snapshot

Row = TypeVar("Row", bound=models.Model)


def locked(row: Row, *, what: str, at_version: bool = True) -> Row:
    """The stored row, alone to be written until the transaction ends. ``what``: « Ce prix de référence »…

    Raises BusinessError when it is gone, or when somebody changed it since ``row`` was read.
    """
    stored = type(row)._base_manager.select_for_update().filter(pk=row.pk).first()
    if stored is None:
        raise BusinessError(f"{what} n’existe plus\u00a0: rechargez la page.")
    if at_version and stored.version != row.version:
        raise BusinessError(
            f"{what} a changé pendant votre saisie\u00a0: rien n’a été écrasé. Relisez, puis recommencez si besoin."
        )
    return stored


def save_next(row: models.Model, before: dict, *, actor: Actor, verb: str, sentence: str, reason: str = "") -> bool:
    """Save ``row`` as the next version of what ``before`` (its snapshot, empty for a new one) holds.

    False, and nothing is written, when nothing differs. Raises django's ValidationError, field by field.
    """
    if before:
        row.version = before["version"]
        if snapshot(row) == before:
            return False
        row.version += 1
    return save_recorded(row, actor=actor, verb=verb, sentence=sentence, reason=reason)
