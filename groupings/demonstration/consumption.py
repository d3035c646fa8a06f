"""What the members of a contract in use have ordered so far, taken in like the files of their finance software."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from groupings.actions.consumption import consumption_import
from groupings.models import Award, Grouping, PriceItem
from procurement.core.actors import Actor
from procurement.core.money import round_half_up, split_exactly

#: Of the first lot, the largest share is exceeded, which brings the lot itself beyond 80 % of its maximum; the second
#: largest comes near its own. Percentages of a share.
_EXCEEDED, _NEAR = 108, 91
_USUAL = {1: (45, 62), 2: (24, 40), 3: (15, 33)}
_HEADINGS = ("Lot", "SIRET", "N° mandat", "Date mandat", "Montant HT", "Objet", "Quantité")
#: An invoice is paid within thirty days (CCP, R2192-10): the last ones are not in the accounts yet.
_LAST_DAYS = 12


def consume(grouping: Grouping, *, actor: Actor, today: date) -> None:
    """One file of mandats a calendar year, from the beginning of the contract to some days before ``today``."""
    random = Random(grouping.reference)  # noqa: S311 - fictitious data, always the same
    files: dict[int, list[tuple[date, tuple]]] = defaultdict(list)
    for award in Award.objects.awarded().filter(lot__grouping=grouping).select_related("lot").order_by("lot__number"):
        for day, cells in _orders(award, random, today):
            files[day.year].append((day, cells))
    for year in sorted(files):
        consumption_import(
            grouping=grouping, file=_file(files[year]), filename=f"mandats-{year}.csv", actor=actor, today=today
        )


def _orders(award: Award, random: Random, today: date) -> Iterator[tuple[date, tuple]]:
    """The mandats of one contract: some a year for each member, whole quantities at the prices of its list."""
    shares = list(award.shares.select_related("membership__organisation").order_by("-amount_excl_tax", "pk"))
    prices = list(award.price_items.all())
    dearest = max(item.price_excl_tax for item in prices)
    days = (today - award.starts_on).days - _LAST_DAYS
    for rank, share in enumerate(shares):
        rate = random.randint(*_USUAL[award.lot.number])
        if award.lot.number == 1 and rank < 2:
            rate = (_EXCEEDED, _NEAR)[rank]
        target = round_half_up(share.amount_excl_tax.amount * rate / 100)
        count = min(random.randint(3, 7), max(1, int(target / dearest)))  # a small commune buys one server, not seven
        parts = split_exactly(target, [random.randint(2, 5) for _ in range(count)])
        for part in parts:
            day = award.starts_on + timedelta(days=random.randint(5, days))
            yield day, _order(award, share.membership.organisation.siren, random.choice(prices), part, day, random)


def _order(award: Award, siren: str, item: PriceItem, part: Decimal, day: date, random: Random) -> tuple:
    quantity = max(1, int(part / item.price_excl_tax))
    amount = round_half_up(quantity * item.price_excl_tax)
    number = f"{day.year}-{random.randint(100, 9999):04d}"
    return (f"Lot {award.lot.number}", siren, number, f"{day:%d/%m/%Y}", f"{amount}".replace(".", ","),
            item.designation, str(quantity))  # fmt: skip


def _file(lines: list[tuple[date, tuple]]) -> io.BytesIO:
    """As a French spreadsheet saves it: semicolons, decimal commas, in the order of the dates."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";")
    writer.writerow(_HEADINGS)
    writer.writerows(cells for _, cells in sorted(lines))
    return io.BytesIO(text.getvalue().encode("cp1252"))
