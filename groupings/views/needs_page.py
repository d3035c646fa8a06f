"""One member's answer to the survey, as one person sees it: what its form shows, and where it stands."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import cached_property
from typing import Any

from django.forms import BoundField
from django.shortcuts import get_object_or_404

from groupings.actions.needs import Read, is_past_due, survey_refusal
from groupings.actions.needs_draft import BOXES
from groupings.choices import Badge, answer_badge
from groupings.forms.needs import LABELS, NeedsAnswerForm
from groupings.models import GroupingDocument, Lot, Membership, NeedsDraft, NeedsSubmission
from groupings.needs_prefill import LotTexts, lot_texts, units_of
from groupings.needs_state import current_entries, former_figures
from groupings.rules.needs import whole_amount
from procurement.core.actors import Actor
from procurement.core.money import parse_euros


@dataclass(frozen=True)
class Door:
    """The addresses of the page, by which one enters: an account's, or a signed link's (``is_link``)."""

    form: str
    receipt: str
    back: str
    file: Callable[[GroupingDocument], str]
    is_link: bool = False


@dataclass
class Box:
    """One box of a card: ``source`` says where its figure comes from, ``note`` what is worth knowing of it."""

    field: BoundField
    label: str
    source: str = ""
    note: str = ""


@dataclass
class Card:
    """One lot of the form. ``whole`` is what the yearly amount makes, € excl. tax; ``is_unfolded``: the amount over the
    whole duration is in use, or refused."""

    lot: Lot
    boxes: dict[str, Box]
    files: list[tuple[GroupingDocument, str]]
    told: str
    whole: Decimal | None
    is_unfolded: bool


@dataclass
class Page:
    """One member's answer as one person sees it, read in a fixed number of queries."""

    membership: Membership
    actor: Actor
    today: date
    door: Door
    others: dict[str, str] = field(default_factory=dict)

    def __post_init__(self):
        self.grouping = self.membership.grouping
        self.organisation = self.membership.organisation
        self.draft: NeedsDraft | None = getattr(self.membership, "needs_draft", None)
        self.last: NeedsSubmission | None = self.membership.needs_submissions.first()
        self.lots = list(self.grouping.lots.all())
        answers = {self.membership.pk: self.last} if self.last else {}
        current = current_entries([self.membership], self.lots, answers)
        former = former_figures(self.grouping, [self.membership], self.actor)
        self.current = {number: entry for (_, number), entry in current.items()}
        self.former = {number: figures for (_, number), figures in former.items()}

    @cached_property
    def refusal(self) -> str:
        """Why nothing may be answered today, empty when it may."""
        return survey_refusal(self.grouping, self.membership, self.actor, self.today)

    @property
    def is_on_behalf(self) -> bool:
        return self.actor.organisation_id != self.membership.organisation_id

    @property
    def is_late(self) -> bool:
        return is_past_due(self.grouping, self.membership, self.today)

    @property
    def due_on(self) -> date | None:
        reopening = getattr(self.membership, "needs_reopening", None)
        is_reopened = reopening is not None and reopening.until >= self.today
        return reopening.until if is_reopened else self.grouping.needs_due_on

    @property
    def instructions(self) -> str:
        campaign = getattr(self.grouping, "needs_campaign", None)
        return campaign.instructions if campaign else ""

    @property
    def badge(self) -> Badge:
        return answer_badge(has_draft=self.draft is not None, has_submission=self.last is not None)

    @property
    def is_known_unsent(self) -> bool:
        """The coordinator holds figures of this member that the member has never sent."""
        return self.draft is None and self.last is None and bool(self.current)

    @property
    def new_lots(self) -> list[Lot]:
        """The lots added since the last answer."""
        return [lot for lot in self.lots if self.last is not None and str(lot.number) not in self.last.lines]

    @property
    def read(self) -> Read:
        return Read(self.draft.version if self.draft else 0, self.last.number if self.last else 0)

    @cached_property
    def shown(self) -> dict[int, LotTexts]:
        """Lot number → what its boxes hold before anybody types."""
        drafted = self.draft.lines if self.draft else {}
        return {
            lot.number: lot_texts(
                grouping=self.grouping,
                draft=drafted.get(str(lot.number)),
                current=self.current.get(lot.number),
                is_sent=self.last is not None,
                former=self.former.get(lot.number),
            )
            for lot in self.lots
        }

    @property
    def units(self) -> list[str]:
        return units_of([*self.current.values(), *(figures.entry for figures in self.former.values())])

    def form(self, data: Any = None) -> NeedsAnswerForm:
        initial = {"version": self.read.draft_version, "number": self.read.submission_number}
        return NeedsAnswerForm(
            data, lots=self.lots, shown=self.shown, months=self.grouping.total_months, initial=initial
        )

    @cached_property
    def files(self) -> dict[int | None, list[GroupingDocument]]:
        found: dict[int | None, list[GroupingDocument]] = {}
        for document in self.membership.files.filter(kind=GroupingDocument.Kind.NEED_EVIDENCE):
            found.setdefault(document.lot_id, []).append(document)
        return found

    def cards(self, form: NeedsAnswerForm) -> list[Card]:
        cards = []
        for lot in self.lots:
            shown = self.shown[lot.number]
            boxes = {
                box: Box(
                    field := form[f"{box}_{lot.pk}"],
                    LABELS[box],
                    source=shown.sources.get(box, "") if _text(field) == shown.texts.get(box, "") else "",
                    note=self._note(box, lot, _text(field)),
                )
                for box in (*BOXES, "file")
            }
            cards.append(
                Card(
                    lot=lot,
                    boxes=boxes,
                    files=[(document, self.door.file(document)) for document in self.files.get(lot.pk, [])],
                    told=shown.told,
                    whole=self._whole(_text(boxes["yearly_amount"].field)),
                    is_unfolded=bool(_text(boxes["total_amount"].field) or boxes["total_amount"].field.errors),
                )
            )
        return cards

    def _note(self, box: str, lot: Lot, text: str) -> str:
        other = self.others.get(f"{lot.number}.{box}")
        if other is not None and other != text:
            return f"Enregistré entre-temps\u00a0: {other or 'rien'}."
        if box == "contract_ends_on" and text:
            try:
                is_past = date.fromisoformat(text) < self.today
            except ValueError:
                return ""
            return "Cette date est passée\u00a0: le contrat est-il bien terminé\u202f?" if is_past else ""
        return ""

    def _whole(self, text: str) -> Decimal | None:
        try:
            yearly = parse_euros(text)
        except ValueError:
            return None
        return whole_amount(yearly, self.grouping.total_months) if yearly > 0 else None


def _text(bound: BoundField) -> str:
    """What the box holds, as it is written in the page."""
    value = bound.value()
    return "" if value in (None, False) else str(value)


def find_answering(**lookup: Any) -> Membership:
    """The member with all that its answer needs, in one query; 404 when ``lookup`` finds none."""
    members = Membership.objects.select_related(
        "organisation__parent",
        "needs_draft",
        "needs_reopening",
        "grouping__coordinator",
        "grouping__buyer",
        "grouping__renews",
        "grouping__needs_campaign",
    )
    return get_object_or_404(members, **lookup)
