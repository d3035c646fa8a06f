"""One published contract, made of what its buyer wrote: every quirk seen in the field, and why one is passed over."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from groupings.reference import cpv
from procurement.core.calendar import add_months
from procurement.core.money import LARGEST_AMOUNT, parse_euros, round_half_up

#: Months. Beyond, days or euros were typed in the place of months.
LONGEST_MONTHS = 600
_MODIFICATION_DATES = ("dateNotificationModification", "datePublicationDonneesModification")
EARLIEST = date(1990, 1, 1)


class PassedOver(ValueError):
    """The contract says too little to know when it ends; ``str(error)`` is the French reason, the same for its kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedContract:
    """What is kept of one contract. ``amount``: € excl. tax, None when it is not told or is not an amount.

    ``cpv``: eight digits, "" when not told. ``duration_months`` and the rest are those of the last modification.
    ``told_on``: the last date the entry bears, to choose between two entries of one contract.
    """

    buyer_siret: str
    reference: str
    title: str
    cpv: str
    amount: Decimal | None
    notified_on: date
    duration_months: int
    ends_on: date
    holders: str
    told_on: date

    @property
    def siren(self) -> str:
        return self.buyer_siret[:9]


def is_concession(values: Any) -> bool:
    """Whether the entry, in a list of contracts, is a concession: ``_type`` or ``nature`` says so."""
    if not isinstance(values, dict):
        return False
    said = f"{values.get('_type') or ''} {values.get('nature') or ''}".casefold()
    return "concession" in said or "délégation de service public" in said


def buyer_of(values: Any) -> str:
    """The buyer's SIRET, or its SIREN alone; "" when none is told. Cheap: asked of every contract of a file."""
    if not isinstance(values, dict):
        return ""
    buyer = values.get("acheteur")
    if isinstance(buyer, dict):
        buyer = buyer.get("id")
    digits = re.sub(r"[\s\u00a0.]", "", _text(buyer))
    if not digits.isascii() or not digits.isdigit():
        return ""
    if len(digits) in (12, 13):  # written as a number, without its first zeros
        digits = digits.zfill(14)
    return digits if len(digits) in (9, 14) else ""


def published_contract(values: dict[str, Any], today: date) -> PublishedContract:
    """The contract of ``values`` (see ``reader.read_raw``). Raises PassedOver."""
    buyer = buyer_of(values)
    if not buyer:
        raise PassedOver("acheteur sans SIRET")
    reference = _line(_text(values.get("id")), 60)
    if not reference:
        raise PassedOver("marché sans identifiant")
    notified_on = _date(values.get("dateNotification"))
    if notified_on is None:
        raise PassedOver("date de notification absente ou illisible")
    if not EARLIEST <= notified_on <= today:
        raise PassedOver("date de notification impossible")
    latest = dict(values)
    told = [notified_on, _date(values.get("datePublicationDonnees"))]
    for change in sorted(_modifications(values), key=_order):
        told += [
            _date(change.get(name)) for name in ("dateNotificationModification", "datePublicationDonneesModification")
        ]
        latest |= {name: change[name] for name in ("dureeMois", "montant", "titulaires") if change.get(name)}
    months = _months(latest.get("dureeMois"))
    if months is None:
        raise PassedOver("durée absente ou illisible")
    if months > LONGEST_MONTHS:
        raise PassedOver(f"durée de plus de {LONGEST_MONTHS} mois")
    return PublishedContract(
        buyer_siret=buyer,
        reference=reference,
        title=_line(_text(values.get("objet")), 1000) or "Objet non publié",
        cpv=_code(values.get("codeCPV")),
        amount=_amount(latest.get("montant")),
        notified_on=notified_on,
        duration_months=months,
        ends_on=add_months(notified_on, months),
        holders=_holders(latest.get("titulaires")),
        told_on=max(day for day in told if day),
    )


def _text(value: Any) -> str:
    """A text or a number as it was written: 2019001 and 2019001.0 are the same identifier."""
    if value is None or isinstance(value, (bool, dict, list)):
        return ""
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value() and abs(value) < 10**40:
        return f"{value.to_integral_value():f}"
    return str(value).strip()


def _line(text: str, length: int) -> str:
    """One line, without control characters nor direction marks, cut with « … »."""
    bare = "".join(" " if unicodedata.category(c) in ("Cc", "Zl", "Zp") else c for c in text)
    bare = "".join(c for c in bare if unicodedata.category(c) not in ("Cf", "Cs", "Cn"))
    bare = " ".join(bare.split())
    return bare if len(bare) <= length else bare[: length - 1] + "…"


def _date(value: Any) -> date | None:
    """``2024-05-15``, with an hour or a zone behind, or ``15/05/2024``; None for anything else."""
    text = _text(value)
    if found := re.match(r"(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)", text, re.ASCII):
        year, month, day = map(int, found.groups())
    elif found := re.match(r"(\d{1,2})/(\d{1,2})/(\d{4})(?!\d)", text, re.ASCII):
        day, month, year = map(int, found.groups())
    else:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _months(value: Any) -> int | None:
    """Whole months, ``48``, ``"48"`` or ``48.0``; a part of a month counts as one. None unless above zero."""
    number = _number(value)
    if number is None or number <= 0 or number > 10**6:
        return None
    return int(number) + (number != int(number))


def _amount(value: Any) -> Decimal | None:
    """€ excl. tax, to the cent; None for zero, a negative or what is not an amount: the buyer did not tell it."""
    number = _number(value)
    if number is None:
        try:
            number = parse_euros(_text(value))
        except ValueError:
            return None
    if not 0 < number <= LARGEST_AMOUNT:
        return None
    return round_half_up(number) or None


def _number(value: Any) -> Decimal | None:
    """A number, or a text that holds one with a point or a comma and no thousands."""
    text = _text(value)
    if len(text) > 40 or not re.fullmatch(r"-?\d+(?:[.,]\d+)?(?:[eE][+-]?\d{1,2})?", text, re.ASCII):
        return None
    try:
        return Decimal(text.replace(",", "."))
    except InvalidOperation:
        return None


def _code(value: Any) -> str:
    """``45000000-7``, ``45000000``, or ``9134100`` whose zero a spreadsheet took away; "" for what is no code."""
    text = re.sub(r"\s", "", _text(value))
    found = re.fullmatch(r"(\d{7,8})(?:-\d)?", text, re.ASCII)
    if not found:
        return ""
    code = found[1].zfill(8)
    return code if cpv.is_known(f"{code[:2]}000000") else ""


def _modifications(values: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """``[{"modification": {…}}]``, ``[{…}]``, ``{"modification": […]}``: each as its own dict."""
    for item in _listed(values.get("modifications"), "modification"):
        if isinstance(item, dict):
            yield item


def _order(change: dict[str, Any]) -> tuple[date, Decimal]:
    day = _date(change.get("dateNotificationModification")) or _date(change.get("datePublicationDonneesModification"))
    return day or date.min, _number(change.get("id")) or Decimal(0)


def _listed(value: Any, name: str) -> list[Any]:
    """The items of a list, under whatever wrapping the version of the format gives them."""
    if isinstance(value, dict):
        inner = value.get(name, value)
        return inner if isinstance(inner, list) else [inner]
    if not isinstance(value, list):
        return []
    return [inner for item in value for inner in (_listed(item, name) if isinstance(item, dict) else [item])]


def _holders(value: Any) -> str:
    """« Entreprise (55204599900869), … »: the name when it is published (2019), always the identifier."""
    found = []
    for holder in _listed(value, "titulaire"):
        if not isinstance(holder, dict):
            continue
        name = _line(_text(holder.get("denominationSociale")), 200)
        identifier = _line(_text(holder.get("id")), 40)
        shown = f"{name} ({identifier})" if name and identifier else name or identifier
        if shown and shown not in found:
            found.append(shown)
    return _line(", ".join(found), 500)
