"""Replacing the price list of a contract: in one transaction, after saying what changes."""

import hashlib
import json
from collections.abc import Sequence

from django.db import transaction

from groupings.models import Award, PriceItem
from groupings.price_file import Price, PriceChanges, compare, kept_prices
from members.roles import require
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.record import record

_BATCH = 1000
#: How many references the journal names; the counts are always whole.
_NAMED = 50


def list_mark(prices: Sequence[Price]) -> str:
    """The fingerprint of a list: two people who read the same one have the same mark."""
    lines = [[price.code, price.designation, price.unit, str(price.price)] for price in prices]
    return hashlib.sha256(json.dumps(lines, ensure_ascii=False).encode()).hexdigest()


def price_list_replace(
    *, award: Award, prices: Sequence[Price], actor: Actor, source: str, expected_mark: str | None = None
) -> PriceChanges:
    """Make ``prices`` the price list of ``award``; the same list again changes nothing.

    ``source`` is the name of the file; ``expected_mark``: the mark of the list the person was told the changes of.
    Raises BusinessError when the lot is not awarded or when the list has changed since, and NotAllowed.
    """
    grouping = award.lot.grouping
    require(actor, "grouping.change", organisation_id=grouping.coordinator_id)
    if not award.is_awarded:
        raise BusinessError("Ce lot n’est pas attribué\u00a0: il n’a pas de bordereau.")
    with transaction.atomic():
        Award.objects.select_for_update().get(pk=award.pk)
        before = kept_prices(award)
        if expected_mark is not None and list_mark(before) != expected_mark:
            raise BusinessError(
                "Le bordereau a changé entre-temps\u00a0: déposez de nouveau votre fichier, les différences seront "
                "recalculées.",
                field="file",
            )
        changes = compare(before, prices)
        if changes.is_empty:
            return changes
        award.price_items.all().delete()
        for start in range(0, len(prices), _BATCH):
            PriceItem.objects.bulk_create(
                PriceItem(
                    award=award,
                    code=price.code,
                    designation=price.designation,
                    unit=price.unit,
                    price_excl_tax=price.price,
                    position=start + place,
                )
                for place, price in enumerate(prices[start : start + _BATCH], start=1)
            )
        old = {price.code: str(price.price) for price in before}
        new = {price.code: str(price.price) for price in prices}
        record(
            actor=actor,
            territory_id=grouping.territory_id,
            thread=grouping.thread,
            # Told to the members once the contract is: until then, to the coordinator's people alone.
            concerns_id=None if award.notified_on else grouping.coordinator_id,
            verb="prices.replace",
            sentence=f"Bordereau des prix du lot {award.lot.number} remplacé par {source[:120]}\u00a0: {changes}",
            before={code: old[code] for code in (*changes.changed, *changes.removed)[:_NAMED]},
            after={code: new[code] for code in (*changes.changed, *changes.added)[:_NAMED]},
        )
    return changes
