"""The exception of the small lots: which may leave the common procedure, and how much of the 20 % they take.

Out of a formalised procedure a lot may be put out under an adapted one when it is worth less than 80 000 € (supplies,
services) or 1 000 000 € (works) and the lots so treated make at most 20 % of all (CCP, R2123-1, 2°). Below the dispense
it may even be bought without publicity, under the same 20 % (R2122-8). A jurist chooses; nothing is taken by itself.
"""

import tomllib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from groupings.rules.contract_value import LotValue, euros
from groupings.rules.thresholds import EXEMPT, FORMAL, procedure, threshold_on
from procurement.core.money import ZERO, round_half_up

_TABLE = Path(__file__).parent / "tables" / "small_lots.toml"


@dataclass(frozen=True)
class SmallLot:
    """One lot: whether the exception is taken or may be (``refusal`` empty), and without publicity at all."""

    lot: LotValue
    is_taken: bool
    refusal: str
    could_be_exempt: bool

    @property
    def is_lost(self) -> bool:
        """Taken, and not lawful any more: its needs, or the others', have changed."""
        return self.is_taken and bool(self.refusal)


@dataclass(frozen=True)
class SmallLots:
    """The exception for one contract. ``ceiling``: a lot stays strictly below; ``allowance``: 20 % of all lots; both €
    excl. tax. ``source`` is the article that applies; ``exempt_source`` the one of the variant without publicity, empty
    while there was none."""

    lots: tuple[SmallLot, ...]
    ceiling: Decimal
    share: int
    allowance: Decimal
    taken: Decimal
    source: str
    is_exempt_variant: bool
    exempt_source: str

    @property
    def percentage(self) -> Decimal | None:
        """What the lots taken make of the whole, in %; None when nothing is worth anything."""
        whole = sum((line.lot.amount for line in self.lots), ZERO)
        return self.taken * 100 / whole if whole else None

    @property
    def remaining(self) -> Decimal:
        return max(ZERO, self.allowance - self.taken)

    @property
    def has_candidates(self) -> bool:
        return any(line.is_taken or not line.refusal for line in self.lots)

    @property
    def warnings(self) -> list[str]:
        return [f"Lot {line.lot.number}\u00a0: {line.refusal}" for line in self.lots if line.is_lost]

    def refusal_for(self, key: int) -> str:
        """Why the lot of that key may not take the exception; empty when it may. Raises KeyError."""
        for line in self.lots:
            if line.lot.key == key:
                return line.refusal
        raise KeyError(key)


def small_lots(
    lots: Sequence[LotValue], category: str, launched_on: date, *, taken: Collection[int] = ()
) -> SmallLots | None:
    """The exception among ``lots``; ``taken`` are the keys of those a jurist chose. None when it has no object: one
    lot, or a contract already without publicity. Raises LookupError for a date outside the tables.
    """
    total = sum((lot.amount for lot in lots), ZERO)
    code = procedure(total, category, launched_on).code
    if len(lots) < 2 or code == EXEMPT:
        return None
    row = _row("adapted" if code == FORMAL else "exempt", category, launched_on)
    dispense = threshold_on("exempt", category, launched_on)
    try:
        exempt_source = _row("exempt", category, launched_on)["source"]
    except LookupError:  # the code created it in 2019
        exempt_source = ""
    ceiling = Decimal(row["amount"]) if code == FORMAL else dispense
    share = row["share"]
    cumulated = sum((lot.amount for lot in lots if lot.key in taken), ZERO)
    lines = []
    for lot in lots:
        is_taken = lot.key in taken
        with_it = cumulated if is_taken else cumulated + lot.amount
        refusal = _refusal(lot, ceiling, with_it, total, share)
        lines.append(SmallLot(lot, is_taken, refusal, bool(exempt_source) and not refusal and lot.amount < dispense))
    return SmallLots(
        lots=tuple(lines),
        ceiling=ceiling,
        share=share,
        allowance=round_half_up(total * share / 100),
        taken=cumulated,
        source=row["source"],
        is_exempt_variant=code != FORMAL,
        exempt_source=exempt_source,
    )


def _refusal(lot: LotValue, ceiling: Decimal, cumulated: Decimal, total: Decimal, share: int) -> str:
    if not lot.is_known:
        return "son montant n’est pas connu de tous les membres."
    if lot.amount == ZERO:
        return "aucun besoin n’est connu."
    if lot.amount >= ceiling:
        return f"{euros(lot.amount)}, il faut moins de {euros(ceiling)}."
    if cumulated * 100 > total * share:
        return f"les petits lots feraient {euros(cumulated)}, plus de {share}\u00a0% de {euros(total)}."
    return ""


def _row(table: str, category: str, day: date) -> dict:
    for row in _rows()[table]:
        if category in row["categories"] and row["valid_from"] <= day <= row["valid_to"]:
            return row
    raise LookupError(f"L’exception des petits lots n’est pas enregistrée au {day:%d/%m/%Y}.")


@lru_cache(maxsize=1)
def _rows() -> dict[str, list[dict]]:
    with _TABLE.open("rb") as file:
        return tomllib.load(file)
