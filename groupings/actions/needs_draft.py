"""What a member keeps while it prepares its answer: the draft, exact texts, and the evidence of its figures."""

import uuid
from collections.abc import Mapping
from datetime import date

from django.db import transaction

from groupings.actions.files import grouping_file_deposit, grouping_file_remove
from groupings.actions.membership import require_needs
from groupings.actions.needs import Read, lock_survey, refuse_if_changed, survey_refusal
from groupings.models import GroupingDocument, Lot, Membership, NeedsDraft
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError

#: The boxes of one lot, as the form, the draft and ``groupings.rules.needs`` name them.
BOXES = (
    "has_no_need",
    "quantity",
    "unit",
    "unit_price",
    "supplier",
    "contract_ends_on",
    "yearly_amount",
    "total_amount",
)
_TEXT_LENGTH = 500


def needs_draft_save(
    *,
    membership: Membership,
    lines: Mapping[str, Mapping[str, str]],
    actor: Actor,
    today: date,
    read: Read | None = None,
) -> NeedsDraft:
    """Keep what was typed, complete or not (``lines``: lot number → box → exact text). It counts nowhere.

    A box that did not come keeps its text. The same texts twice are one draft. Raises NotAllowed; BusinessError when
    the survey takes no answer, or when somebody else wrote since ``read``.
    """
    require_needs(membership, actor)
    with transaction.atomic():
        grouping, stored = lock_survey(membership)
        if refusal := survey_refusal(grouping, stored, actor, today):
            raise BusinessError(refusal)
        draft = getattr(stored, "needs_draft", None)
        merged = _merge(draft.lines if draft else {}, lines, {str(lot.number) for lot in grouping.lots.all()})
        if draft is not None and merged == draft.lines:
            return draft
        refuse_if_changed(stored, stored.needs_submissions.first(), read)
        draft = draft or NeedsDraft(membership=stored, version=0)
        draft.lines, draft.saved_by = merged, actor.actor_label[:200]
        draft.version += 1
        draft.save()
    return draft


def _merge(kept: Mapping, typed: Mapping[str, Mapping[str, str]], numbers: set[str]) -> dict[str, dict[str, str]]:
    """``kept`` with the boxes of ``typed``; a lot that left the grouping, or a box nobody knows, is dropped."""
    merged = {}
    for number in sorted(numbers & (set(kept) | set(typed)), key=int):
        both = {**kept.get(number, {}), **typed.get(number, {})}
        merged[number] = {box: str(both[box])[:_TEXT_LENGTH] for box in BOXES if box in both}
    return merged


def needs_draft_discard(*, membership: Membership, actor: Actor, today: date, read: Read | None = None) -> None:
    """Drop the draft: the last answer, if any, is what stands. Refused like saving it."""
    require_needs(membership, actor)
    with transaction.atomic():
        grouping, stored = lock_survey(membership)
        if refusal := survey_refusal(grouping, stored, actor, today):
            raise BusinessError(refusal)
        if getattr(stored, "needs_draft", None) is not None:
            refuse_if_changed(stored, stored.needs_submissions.first(), read)
            stored.needs_draft.delete()


def evidence_add(
    *, membership: Membership, lot: Lot, content: bytes, filename: str, actor: Actor, today: date
) -> GroupingDocument:
    """Keep an invoice or a photograph with the need of one lot, while the survey takes answers."""
    require_needs(membership, actor)
    with transaction.atomic():
        grouping, stored = lock_survey(membership)
        if refusal := survey_refusal(grouping, stored, actor, today):
            raise BusinessError(refusal)
        return grouping_file_deposit(
            grouping=grouping,
            content=content,
            filename=filename,
            kind=GroupingDocument.Kind.NEED_EVIDENCE,
            actor=actor,
            lot=lot,
            membership=stored,
        )


def evidence_remove(*, membership: Membership, document_id: uuid.UUID, actor: Actor, today: date) -> str:
    """Take one file of this member's own evidence off its list; returns its name. Already gone: nothing is done."""
    require_needs(membership, actor)
    with transaction.atomic():
        grouping, stored = lock_survey(membership)
        if refusal := survey_refusal(grouping, stored, actor, today):
            raise BusinessError(refusal)
        document = stored.files.filter(pk=document_id, kind=GroupingDocument.Kind.NEED_EVIDENCE).first()
        if document is None:
            return ""
        document.grouping = grouping
        grouping_file_remove(document=document, actor=actor)
    return document.original_name
