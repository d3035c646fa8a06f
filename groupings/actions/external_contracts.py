"""The published contracts of the bodies of the directory, taken in from essential data: what the radar watches."""

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import date
from typing import IO, Any

from django.db import transaction
from django.utils import timezone
from djmoney.money import Money

from groupings.exchange.decp.json_stream import CONCESSIONS
from groupings.exchange.decp.published import (
    PassedOver,
    PublishedContract,
    buyer_of,
    is_concession,
    published_contract,
)
from groupings.exchange.decp.reader import read_raw
from groupings.models import ExternalContract
from members.models import Organisation
from members.roles import SYSTEM, require
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.journal.record import record
from procurement.core.uploads import clean_name

#: Contracts of bodies of the directory that one file may hold: ten times what a large métropole publishes in ten years.
MAX_KEPT = 50_000
_BATCH = 500
_FIELDS = ("title", "cpv", "amount_excl_tax", "notified_on", "duration_months", "ends_on", "holders")


@dataclass(frozen=True, slots=True)
class ContractsReport:
    """What became of the entries of a file. ``passed_over``: French reason → how many."""

    read: int
    added: int
    changed: int
    unchanged: int
    passed_over: dict[str, int]

    @property
    def kept(self) -> int:
        return self.added + self.changed + self.unchanged

    def as_json(self) -> dict[str, Any]:
        return {
            "read": self.read,
            "added": self.added,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "passed_over": self.passed_over,
        }

    def __str__(self) -> str:
        return (
            f"{self.read} marché(s) lu(s), {self.kept} d’organismes de l’annuaire\u00a0: {self.added} ajouté(s), "
            f"{self.changed} modifié(s), {self.unchanged} déjà connu(s)."
        )


def external_contracts_import(
    *, stream: IO[bytes], filename: str, actor: Actor, today: date, territory: Organisation | None = None
) -> ContractsReport:
    """Take in the contracts of a file of essential data whose buyer is a body of the directory; the others are counted.

    ``stream``: seekable, read piece by piece. ``territory``: for a command, the only one concerned; all by default. The
    same file twice changes nothing. Raises NotAllowed, UnreadableFile, or BusinessError beyond MAX_KEPT; nothing is
    then written.
    """
    bodies = _bodies(actor, territory)
    kept, passed_over, read = _read(stream, {body.siren for body in bodies}, today)
    by_siren = defaultdict(list)
    for body in bodies:
        by_siren[body.siren].append(body)
    wanted = {
        (body.pk, contract.buyer_siret, contract.reference): (body, contract)
        for contract in kept
        for body in by_siren[contract.siren]
    }
    with transaction.atomic():
        added, changed = _store(wanted, clean_name(filename)[:200])
        _journal(added, changed, actor, clean_name(filename))
    counts = Counter(passed_over)
    return ContractsReport(
        read=read,
        added=len(added),
        changed=len(changed),
        unchanged=len(wanted) - len(added) - len(changed),
        passed_over=dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))),
    )


def require_import(actor: Actor) -> None:
    """Raise NotAllowed unless ``actor`` may take in published contracts: the coordinator's buyers and jurists."""
    require(actor, "grouping.create", organisation_id=getattr(actor, "organisation_id", None))
    if actor.role != SYSTEM and not actor.sees_whole_territory:
        raise NotAllowed("Les marchés publiés se lisent au nom du coordonnateur.")


def _bodies(actor: Actor, territory: Organisation | None) -> list[Organisation]:
    require_import(actor)
    if actor.role != SYSTEM:
        return list(Organisation.objects.visible_to(actor))
    everywhere = Organisation.objects.all()
    return [body for body in everywhere if territory is None or body.root_id == territory.pk]


def _read(stream: IO[bytes], sirens: set[str], today: date) -> tuple[list[PublishedContract], Counter, int]:
    """The contracts kept, one per buyer and identifier; reason → count of the others; how many entries there were."""
    kept: dict[tuple[str, str], PublishedContract] = {}
    passed_over: Counter = Counter()
    read = 0
    for kind, values in read_raw(stream):
        read += 1
        if kind == CONCESSIONS or is_concession(values):
            passed_over["concession"] += 1
            continue
        buyer = buyer_of(values)
        if buyer and buyer[:9] not in sirens:
            passed_over["acheteur hors de l’annuaire"] += 1
            continue
        try:
            contract = published_contract(values if isinstance(values, dict) else {}, today)
        except PassedOver as reason:
            passed_over[str(reason)] += 1
            continue
        key = (contract.buyer_siret, contract.reference)
        former = kept.get(key)
        if former is not None:
            passed_over["doublon dans le fichier"] += 1
        if former is None or contract.told_on >= former.told_on:
            kept[key] = contract
        if len(kept) > MAX_KEPT:
            raise BusinessError(
                f"Le fichier contient plus de {MAX_KEPT} marchés d’organismes de l’annuaire\u00a0: découpez-le par "
                "année."
            )
    return list(kept.values()), passed_over, read


def _store(wanted: dict, source: str) -> tuple[list[ExternalContract], list[ExternalContract]]:
    """(added, changed) rows, written."""
    pks = sorted({pk for pk, _, _ in wanted})
    list(Organisation.objects.select_for_update().filter(pk__in=pks).order_by("pk"))  # two files at once: one row
    stored = {}
    for start in range(0, len(pks), _BATCH):
        for row in ExternalContract.objects.filter(organisation_id__in=pks[start : start + _BATCH]):
            stored[(row.organisation_id, row.buyer_siret, row.reference)] = row
    added, changed = [], []
    for key, (body, contract) in wanted.items():
        values = _values(contract)
        row = stored.get(key)
        if row is None:
            identity = {"organisation": body, "buyer_siret": contract.buyer_siret, "reference": contract.reference}
            added.append(ExternalContract(**identity, source_name=source, **values))
        elif any(getattr(row, name) != value for name, value in values.items()):
            for name, value in values.items():
                setattr(row, name, value)
            row.organisation, row.source_name, row.read_at = body, source, timezone.now()
            changed.append(row)
    ExternalContract.objects.bulk_create(added, batch_size=_BATCH)
    columns = [*_FIELDS, "amount_excl_tax_currency", "source_name", "read_at"]
    ExternalContract.objects.bulk_update(changed, columns, batch_size=_BATCH)
    return added, changed


def _values(contract: PublishedContract) -> dict[str, Any]:
    values = {name: getattr(contract, name) for name in _FIELDS if name != "amount_excl_tax"}
    # The column holds cents: the reader has rounded them, and a bulk write does not pass through the model's save().
    return values | {"amount_excl_tax": None if contract.amount is None else Money(contract.amount, "EUR")}


def _journal(added: list, changed: list, actor: Actor, filename: str) -> None:
    """One entry for each territory that gained something, on the page of its head."""
    counts: dict[int, Counter] = defaultdict(Counter)
    for word, rows in (("added", added), ("changed", changed)):
        for row in rows:
            counts[row.organisation.root_id][word] += 1
    for head in Organisation.objects.filter(pk__in=counts):
        thread, territory_id, concerns_id = head.journal_scope
        told = counts[head.pk]
        record(
            actor=actor,
            territory_id=territory_id,
            thread=thread,
            concerns_id=concerns_id,
            verb="external_contract.import",
            sentence=f"Marchés publiés lus, {filename}\u00a0: {told['added']} ajouté(s), {told['changed']} modifié(s)",
            after={"file": filename, "added": told["added"], "changed": told["changed"]},
        )
