"""Builders of the ledger for tests: real rows, valid by default, through the models and the posting."""

import hashlib
from datetime import date
from decimal import Decimal
from itertools import count

from django.core.files.base import ContentFile
from django.utils import timezone

from groupings.models import GroupingDocument, Lot, Membership
from savings.choices import GainStage, LineStatus
from savings.models import Baseline, PriceLine
from savings.posting import compute, post

_numbers = count(1)


def make_evidence(membership: Membership, lot: Lot | None = None, name: str = "facture.pdf") -> GroupingDocument:
    content = f"%PDF preuve {next(_numbers)}".encode()
    document = GroupingDocument(
        grouping=membership.grouping,
        membership=membership,
        lot=lot,
        kind=GroupingDocument.Kind.BASELINE_EVIDENCE,
        extension="pdf",
        original_name=name,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        deposited_by="Acheteur d’essai",
    )
    document.file.save("preuve.pdf", ContentFile(content))
    return document


def make_baseline(
    membership: Membership,
    lot: Lot,
    price_before: str | None = "4.80",
    quantity: str = "1000",
    *,
    is_frozen: bool = True,
    is_confirmed: bool = True,
    **fields,
) -> Baseline:
    """A historic price of grade A with its evidence, frozen and confirmed unless told otherwise."""
    fields.setdefault("designation", "Papier A4, ramette de 500 feuilles")
    fields.setdefault("unit", "ramette")
    fields.setdefault("method", "HISTORIC_PRICE")
    fields.setdefault("grade", "A")
    if fields["grade"] in "AB" and "evidence" not in fields:
        fields["evidence"] = make_evidence(membership, lot)
    if "index_factor" in fields:
        fields["index_factor"] = Decimal(fields["index_factor"])
        fields.setdefault("index_name", "INSEE, indice des prix du papier (essai)")
    fields.setdefault("entered_label", "Acheteur d’essai")
    if is_frozen:
        fields |= {"frozen_at": timezone.now(), "frozen_label": "Acheteur d’essai"}
    if is_frozen and is_confirmed:
        fields |= {"confirmed_at": timezone.now(), "confirmed_label": "Agent d’essai"}
    return Baseline.objects.create(
        membership=membership,
        lot=lot,
        price_before=None if price_before is None else Decimal(price_before),
        quantity=Decimal(quantity),
        **fields,
    )


def make_line(
    baseline: Baseline,
    price_obtained: str | None = "3.60",
    *,
    stage: str = GainStage.AWARDED,
    status: str = LineStatus.VALIDATED,
    **fields,
) -> PriceLine:
    """A line of ``baseline``, validated and posted unless told otherwise: twelve months from 1 January 2026."""
    if stage == GainStage.REALISED:
        fields.setdefault("year", 2026)
    fields.setdefault("starts_on", date(fields.get("year") or 2026, 1, 1))
    fields.setdefault("months", 12)
    fields.setdefault("quantity", baseline.quantity)
    fields.setdefault("price_before", baseline.price_before)
    fields.setdefault("entered_label", "Acheteur d’essai")
    fields.setdefault("is_one_off", baseline.is_one_off)
    if status != LineStatus.DRAFT:
        fields |= {"submitted_at": timezone.now(), "submitted_label": "Acheteur d’essai"}
    if status not in (LineStatus.DRAFT, LineStatus.SUBMITTED):
        fields |= {"decided_at": timezone.now(), "decided_label": "Finances d’essai"}
    if status in (LineStatus.RETURNED, LineStatus.REJECTED):
        fields.setdefault("decision_reason", "Preuve illisible.")
    line = PriceLine(
        baseline=baseline,
        stage=stage,
        status=status,
        index_factor=baseline.index_factor,
        price_obtained=None if price_obtained is None else Decimal(price_obtained),
        **fields,
    )
    compute(line)
    line.save()
    if status == LineStatus.VALIDATED:
        if line.corrects_id:
            PriceLine.objects.filter(pk=line.corrects_id).update(is_superseded=True)
        post(line)
    return line
