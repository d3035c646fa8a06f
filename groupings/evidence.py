"""What a deposited file says of its act, for a person to confirm: reading it writes nothing."""

from dataclasses import dataclass, field
from typing import Any

from groupings.exchange.receipts import ReceiptKind, UnreadableReceipt, read_receipt
from groupings.models import DeliberationDocument
from procurement.core.uploads import read_checked


@dataclass
class Reading:
    """``initial``: the boxes of the form of effects that the file fills; empty when ``sentence`` says why not."""

    sentence: str
    initial: dict[str, Any] = field(default_factory=dict)


def read_stamp(document: DeliberationDocument) -> Reading:
    """What the receipt or the stamp says. Raises BusinessError when the stored file is missing or altered."""
    name = document.original_name
    content = read_checked(document.file, sha256=document.sha256, name=name)
    try:
        receipt = read_receipt(content, name)
    except UnreadableReceipt as error:
        return Reading(str(error))
    if receipt.kind != ReceiptKind.RECEIVED:
        return Reading(f"Ce fichier ne prouve pas une réception. {receipt.reason}".strip())
    read = {
        "transmitted_on": receipt.sent_on,
        "received_on": receipt.received_on,
        "published_on": receipt.published_on,
        "actes_id": str(receipt.actes_id) if receipt.actes_id else "",
    }
    return Reading(
        f"Lu dans «\u00a0{name}\u00a0»\u00a0: vérifiez ces valeurs, puis enregistrez-les. {receipt.reason}".strip(),
        {box: value for box, value in read.items() if value},  # what it does not say stays as it is stored
    )
