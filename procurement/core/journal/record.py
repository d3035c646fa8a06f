"""Writing to the journal, and naming what changed."""

from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from django.db import models, transaction

from procurement.core.actors import Actor
from procurement.core.journal.models import JournalEntry


class Scope(NamedTuple):
    """Where an entry belongs: the file it is read from, the territory it never leaves, the body it is about."""

    thread: str
    territory_id: int
    concerns_id: int | None = None


def save_recorded(obj: models.Model, *, actor: Actor, verb: str, sentence: str, reason: str = "") -> bool:
    """Validate, save and journal ``obj`` in one transaction; ``obj.journal_scope`` says where the entry belongs.

    Returns False, and writes nothing, when nothing changed. Raises django's ValidationError, field by field, in French.
    """
    with transaction.atomic():
        before: dict[str, Any] = {}
        if obj.pk and not obj._state.adding:
            before = snapshot(type(obj)._base_manager.select_for_update().get(pk=obj.pk))
        obj.full_clean()
        if before and snapshot(obj) == before:
            return False
        obj.save()
        old, new = changes(before, snapshot(obj))
        thread, territory_id, concerns_id = obj.journal_scope
        record(
            actor=actor,
            territory_id=territory_id,
            thread=thread,
            concerns_id=concerns_id,
            verb=verb,
            sentence=sentence,
            before=old if before else {},
            after=new,
            reason=reason,
        )
        return True


def delete_recorded(obj: models.Model, *, actor: Actor, verb: str, sentence: str, reason: str = "") -> None:
    """Remove ``obj`` and journal what it held."""
    with transaction.atomic():
        thread, territory_id, concerns_id = obj.journal_scope
        record(
            actor=actor,
            territory_id=territory_id,
            thread=thread,
            concerns_id=concerns_id,
            verb=verb,
            sentence=sentence,
            before=snapshot(obj),
            reason=reason,
        )
        obj.delete()


def record(
    *,
    actor: Actor,
    territory_id: int,
    thread: str,
    verb: str,
    sentence: str,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
    reason: str = "",
    concerns_id: int | None = None,
) -> JournalEntry:
    """Append one entry, inside the transaction of the act it tells. ``sentence`` is French, without final stop."""
    return JournalEntry.objects.create(
        actor_id=actor.user_id,
        actor_label=actor.actor_label[:200],
        organisation_id=actor.organisation_id,
        territory_id=territory_id,
        concerns_id=concerns_id,
        thread=thread,
        verb=verb,
        sentence=sentence if len(sentence) <= 500 else sentence[:499] + "…",
        before=before or {},
        after=after or {},
        reason=reason,
    )


def snapshot(obj: models.Model, *, exclude: tuple[str, ...] = ()) -> dict[str, Any]:
    """The stored values of ``obj`` as JSON: Decimals as strings, dates in ISO, foreign keys by their id."""
    values = {}
    for field in obj._meta.concrete_fields:
        if field.name in exclude or field.primary_key:
            continue
        values[field.attname] = json_value(_as_stored(field, getattr(obj, field.attname)))
    return values


def _as_stored(field: models.Field, value: Any) -> Any:
    """A decimal with the places of its column: 12 and 12.00 are one amount, and no change between them."""
    if value is None or not isinstance(field, models.DecimalField):
        return value
    places = Decimal(1).scaleb(-field.decimal_places)
    amount = getattr(value, "amount", value)
    if not isinstance(amount, Decimal) or not amount.is_finite():
        return value
    amount = amount.quantize(places, rounding=ROUND_HALF_UP)
    return type(value)(amount, value.currency) if hasattr(value, "currency") else amount


def changes(before: dict[str, Any], after: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What differs between two snapshots, as the pair (old values, new values)."""
    keys = [key for key in after if before.get(key) != after[key]]
    return {key: before.get(key) for key in keys}, {key: after[key] for key in keys}


def json_value(value: Any) -> Any:
    """A JSON value that loses nothing: 12.50 € becomes {"amount": "12.50", "currency": "EUR"}."""
    if value is None or isinstance(value, (str, int)):
        return value
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if hasattr(value, "currency"):
        return {"amount": str(value.amount), "currency": str(value.currency)}
    if isinstance(value, (list, tuple)):
        return [json_value(item) for item in value]
    if isinstance(value, dict):
        return {str(key): json_value(item) for key, item in value.items()}
    return str(value)
