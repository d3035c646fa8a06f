"""What a contract is worth before it is put out: all members, all lots, the whole duration with its extensions.

CCP, R2121-1 and following. An accord-cadre counts at its maximum (R2121-8), compulsory since 1 January 2022 (R2162-4);
while it has none, at the sum of its needs. An unknown amount is told, it is not zero. Amounts are € excl. tax.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from groupings.rules.framework import is_maximum_compulsory
from groupings.rules.thresholds import EXEMPT, Procedure
from procurement.core.money import ZERO, format_euros, round_half_up


@dataclass(frozen=True)
class LotValue:
    """One lot. ``needs``: what is known of the members that stay; ``unknown``: names of those whose amount is not.

    ``departed``: what those who left, or would leave, had asked for.
    """

    key: int
    number: int
    title: str
    needs: Decimal
    unknown: tuple[str, ...] = ()
    is_framework: bool = False
    maximum: Decimal | None = None
    departed: Decimal = ZERO

    @property
    def counts_maximum(self) -> bool:
        return self.is_framework and self.maximum is not None

    @property
    def amount(self) -> Decimal:
        """What it adds to the value: its maximum, else its known needs."""
        return self.maximum if self.counts_maximum else self.needs

    @property
    def is_known(self) -> bool:
        """Whether its amount is complete: nobody's is missing, or the maximum says it all."""
        return self.counts_maximum or not self.unknown

    @property
    def lacks_maximum(self) -> bool:
        return self.is_framework and self.maximum is None

    def remarks(self, on: date) -> list[str]:
        """What a buyer should look at again, French sentences. ``on``: the day of the launch."""
        found = []
        name = f"Lot {self.number}\u00a0:"
        if self.lacks_maximum and is_maximum_compulsory(on):
            found.append(
                f"{name} le maximum manque. Il est obligatoire depuis le 01/01/2022 (CCP, R2162-4)\u202f; les besoins "
                "connus comptent en attendant."
            )
        if self.counts_maximum and self.maximum < self.needs:
            found.append(
                f"{name} le maximum ({euros(self.maximum)}) est inférieur aux besoins recensés ({euros(self.needs)})."
            )
        elif self.counts_maximum and self.departed and self.maximum >= self.needs + self.departed:
            found.append(
                f"{name} le maximum ({euros(self.maximum)}) couvre encore les {euros(self.departed)} de ceux qui sont "
                f"partis\u202f; les besoins de ceux qui restent font {euros(self.needs)}. Réexaminez-le."
            )
        return found


@dataclass(frozen=True)
class ContractValue:
    """The value of one contract. ``silent``: names of the members that have not answered the survey."""

    members: int
    lots: tuple[LotValue, ...]
    silent: tuple[str, ...] = ()

    @property
    def total(self) -> Decimal:
        return round_half_up(sum((lot.amount for lot in self.lots), ZERO))

    @property
    def unknown(self) -> tuple[str, ...]:
        """Names of the members one of whose amounts is missing from the total, each once, in order."""
        return tuple(dict.fromkeys(name for lot in self.lots if not lot.is_known for name in lot.unknown))

    @property
    def is_known(self) -> bool:
        return not self.unknown and not self.silent

    @property
    def has_framework(self) -> bool:
        return any(lot.is_framework for lot in self.lots)

    @property
    def gaps(self) -> list[str]:
        """What is missing from the total, French sentences without final stop; empty when all is known."""
        found = []
        if self.unknown:
            found.append(f"montant inconnu pour {_members(len(self.unknown))}")
        if self.silent:
            found.append(f"pas de réponse au recensement de {_members(len(self.silent))}")
        return found

    def remarks(self, on: date) -> list[str]:
        return [remark for lot in self.lots for remark in lot.remarks(on)]

    def told(self, procedure: Procedure | None) -> str:
        """« 240 000 € HT pour 12 membres : procédure formalisée, seuil 216 000 € depuis le 01/01/2026 »."""
        value = f"{euros(self.total)} HT pour {_members(self.members)}"
        return f"{value}\u00a0: {why(procedure)}" if procedure else value


def why(procedure: Procedure) -> str:
    """The procedure and the threshold that decided, with the day since when."""
    reached = "sous le seuil" if procedure.code == EXEMPT else "seuil"
    return f"{procedure.label}, {reached} {euros(procedure.threshold)} depuis le {procedure.since:%d/%m/%Y}"


def euros(amount: Decimal) -> str:
    """A whole amount without its cents: « 216 000 € », « 20 000,50 € »."""
    return format_euros(amount).replace(",00\u00a0€", "\u00a0€")


def names(found: Iterable[str], shown: int = 5) -> str:
    """The first names, and how many others."""
    found = list(found)
    rest = f" et {len(found) - shown} autres" if len(found) > shown else ""
    return ", ".join(found[:shown]) + rest


def _members(number: int) -> str:
    return f"{number} membre{'s' if number > 1 else ''}"
