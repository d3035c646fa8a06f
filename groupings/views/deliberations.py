"""The page of one deliberation: where it stands, what comes next, the form of each step, the remarks of a jurist."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any

from django.contrib import messages
from django.db.models import Prefetch, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from groupings.actions.deliberation import remark_override
from groupings.actions.stepping import may_take
from groupings.choices import (
    AWAITING_VOTE,
    IN_FORCE,
    LATE_BADGE,
    ON_A_SESSION,
    WITHOUT_EFFECT,
    ConventionStatus,
    DeliberationStatus,
)
from groupings.evidence import Reading, read_stamp
from groupings.forecast import next_usable_session, reference_population
from groupings.forms.deliberation import DepositForm, OverrideForm, StepForm, shown
from groupings.links import closed_sentence
from groupings.models import Deliberation, LegalOverride, Signature, SignedLink
from groupings.remarks import facts_of
from groupings.rules import clear_days
from groupings.rules.deadlines import challenge_ends_on
from groupings.rules.remarks import PRESIDENT, Remark, notice_owed, remarks
from groupings.steps import CONVENE, EFFECT, SCHEDULE, SIGN, STEPS, VOTE, VOTE_AGAIN, WITHDRAW, Step, may_ask, offered
from groupings.todo import chosen_session, effect_step, other_text_step, vote_step
from groupings.views.common import may_change, sees_all
from members.models import Affiliation, CouncilSession
from members.roles import may
from procurement.core.errors import NotAllowed
from procurement.core.journal.models import JournalEntry
from procurement.core.submission import posted_or_back, submit

JOURNAL_SHOWN = 15
#: The signatures of a member, each with the state of its version.
SIGNATURES = Prefetch(
    "membership__signatures", Signature.objects.select_related("convention").defer("convention__values")
)


@dataclass
class OpenStep:
    """A step with its form, as the page shows it."""

    step: Step
    form: StepForm
    is_next: bool


@dataclass
class Conflict:
    """One box of a refused form whose stored value changed: what the person typed, what somebody else saved."""

    label: str
    typed: str
    stored: str


@dataclass
class RemarkLine:
    """A legal remark, and who went past it; ``form`` when the reader may."""

    remark: Remark
    override: LegalOverride | None
    form: OverrideForm | None


class Page:
    """What one deliberation's page shows to one affiliation, read in a fixed number of queries.

    Everybody in the grouping sees the state and the dates; files, attempts, remarks and journal are for the member
    itself and the coordinator's people (``is_own``).
    """

    def __init__(self, deliberation: Deliberation, affiliation: Affiliation, today: date):
        self.deliberation, self.affiliation, self.today = deliberation, affiliation, today
        self.membership = deliberation.membership
        self.grouping, self.organisation = self.membership.grouping, self.membership.organisation
        is_member = self.membership.organisation_id == affiliation.organisation_id
        self.is_own = is_member or sees_all(self.grouping, affiliation)
        self.may_write = self.is_own and may_take(deliberation, "record_effect", affiliation)
        self.steps = offered(deliberation, self.signature, affiliation) if self.is_own else []
        if deliberation.voted_other_text:  # nobody signs a text that its assembly did not approve
            self.steps = [step for step in self.steps if step is not SIGN]

    @cached_property
    def signature(self) -> Signature | None:
        """The one of the convention that still counts: of a text kept outside, or of the version that is not replaced.

        That of an amendment is told and written on the amendment's own page.
        """
        if not self.is_own or self.deliberation.amendment_id:
            return None
        return next((s for s in self.membership.signatures.all() if self._counts(s)), None)

    def _counts(self, signature: Signature) -> bool:
        signed = signature.convention
        if signed is None or signed.status != ConventionStatus.SUPERSEDED:
            return True
        current = next((c for c in self.conventions if c.status != ConventionStatus.SUPERSEDED), None)
        return current is None or (bool(signed.text_sha256) and signed.text_sha256 == current.text_sha256)

    @property
    def answering_link(self) -> SignedLink | None:
        """The member's answering link, if it ever had one."""
        return getattr(self.membership, "signed_link", None)

    @property
    def may_manage_link(self) -> bool:
        """Whether to offer to open, renew or revoke it: to the coordinator, while it can still answer something."""
        return may_change(self.grouping, self.affiliation) and not closed_sentence(self.membership)

    @cached_property
    def documents(self) -> list:
        return list(self.deliberation.documents.all()) if self.is_own else []

    @cached_property
    def coming(self) -> list[CouncilSession]:
        return list(self.organisation.sessions.filter(meeting_on__gte=self.today).order_by("meeting_on"))

    @property
    def next_session(self) -> CouncilSession | None:
        """The next meeting known, for a text that is on the agenda of none."""
        is_free = self.deliberation.status in AWAITING_VOTE and chosen_session(self.deliberation) is None
        return self.coming[0] if is_free and self.deliberation.kind != PRESIDENT and self.coming else None

    @cached_property
    def conventions(self) -> list:
        return list(self.grouping.conventions.defer("values"))

    @property
    def is_late(self) -> bool:
        due = self.deliberation.due_on
        is_open = self.grouping.is_in_preparation or self.deliberation.amendment_id is not None
        is_waited = self.deliberation.status in AWAITING_VOTE and is_open
        return is_waited and not self.membership.is_gone and due is not None and due < self.today

    @property
    def attempts(self) -> list:
        return list(self.deliberation.attempts.all()) if self.is_own else []

    @cached_property
    def next_step(self) -> Step | None:
        """The form to fill first."""
        status, chosen = self.deliberation.status, chosen_session(self.deliberation)
        if self.deliberation.voted_other_text:
            return WITHDRAW
        if status in WITHOUT_EFFECT:
            return VOTE_AGAIN
        if status in IN_FORCE and not self.deliberation.executory_on:
            return EFFECT
        if self.deliberation.is_cleared:
            return SIGN
        if self.deliberation.kind == PRESIDENT or (chosen and chosen <= self.today):
            return VOTE
        if chosen is None:
            return SCHEDULE
        return CONVENE if status == DeliberationStatus.ON_AGENDA else None

    def open_steps(self, refused: StepForm | None, initial: dict[str, Any] | None) -> list[OpenStep]:
        """One form per step, the next one first; ``refused`` takes the place of its own, with what was typed.
        ``initial``: what a stamp says, even nothing: the dates are then to be typed; None when none was read."""
        lines = []
        for step in self.steps:
            own = {"initial": initial or {}} if step is EFFECT else {}
            is_refused = refused is not None and refused.step is step
            form = refused if is_refused else self.form(step, **own)
            lines.append(
                OpenStep(step, form, is_next=step is self.next_step or is_refused or bool(own and initial is not None))
            )
        return sorted(lines, key=lambda line: not line.is_next)

    def form(self, step: Step, data: Any = None, **options: Any) -> StepForm:
        """The form of one step, empty or as it was sent."""
        initial = options.pop("initial", {})
        if step is SCHEDULE:
            may_add = may(self.affiliation, "organisation.change", organisation_id=self.organisation.pk)
            options |= {"coming": self.coming, "may_add": may_add}
            usable = next_usable_session(self.organisation, self.coming, self.today)
            if self.deliberation.session_id is None or self.deliberation.status not in ON_A_SESSION:
                initial["session"] = next((s.pk for s in self.coming if s.meeting_on == usable), None)
        elif step is CONVENE:
            owed = notice_owed(self.facts)
            options["document"] = owed.document if owed else ""
        elif step is SIGN:
            options["conventions"] = self.conventions
            signatory = self.organisation.representatives.in_office(self.today).first() if data is None else None
            initial |= {"signatory": f"{signatory}, {signatory.title}"} if signatory else {}
        form = step.form_class(
            data,
            deliberation=self.deliberation,
            today=self.today,
            initial=initial,
            auto_id=f"{step.slug}-%s",
            **options,
        )
        form.step = step
        return form

    @cached_property
    def facts(self):
        return facts_of(self.deliberation)

    def remark_lines(self, refused: OverrideForm | None = None) -> list[RemarkLine]:
        if not self.is_own:
            return []
        found = remarks(self.facts)
        overrides = {override.code: override for override in self.deliberation.overrides.all()} if found else {}
        may_override = may(
            self.affiliation, "deliberation.override", organisation_id=self.grouping.coordinator_id
        ) and bool(self.steps)
        lines = []
        for remark in found:
            override, form = overrides.get(remark.code), None
            if may_override and override is None:
                is_refused = refused is not None and refused.code == remark.code
                form = refused if is_refused else OverrideForm(code=remark.code)
            lines.append(RemarkLine(remark, override, form))
        return lines

    def calendar(self) -> dict[str, Any] | None:
        """What the convocation of the chosen session owes; None without one."""
        chosen, owed = chosen_session(self.deliberation), notice_owed(self.facts)
        if chosen is None:
            return None
        latest = clear_days.latest_dispatch_on(chosen, owed.days) if owed else None
        return {
            "owed": owed,
            "latest_on": latest,
            "is_past": bool(latest and latest < self.today and not self.deliberation.session.convened_on),
            "population_unknown": self.organisation.kind in ("commune", "ccas")
            and reference_population(self.organisation) is None,
        }

    def challenges(self) -> list[dict[str, Any]]:
        """Until when the act can be challenged; nothing blocks on it."""
        deliberation = self.deliberation
        if deliberation.status not in IN_FORCE:
            return []
        starts = (("des tiers", deliberation.published_on), ("du préfet", deliberation.received_on))
        ends = [(who, challenge_ends_on(start_on)) for who, start_on in starts if start_on]
        return [{"who": who, "ends_on": ends_on, "is_open": ends_on >= self.today} for who, ends_on in ends]

    def next_sentence(self) -> str:
        """What is to be done now, in one sentence."""
        deliberation, status = self.deliberation, self.deliberation.status
        if deliberation.voted_other_text:
            return f"{other_text_step(deliberation)}."
        if status == DeliberationStatus.NOT_REQUIRED:
            return self._signature_sentence("Aucune délibération n’est demandée")
        if status in WITHOUT_EFFECT:
            return "Décider si l’assemblée délibère de nouveau, ou si le groupement se fait sans ce membre."
        if status not in IN_FORCE and deliberation.kind == PRESIDENT:
            return "Prendre la décision, puis l’enregistrer ici."
        if status not in IN_FORCE:
            return f"{vote_step(deliberation, self.today)}."
        if not deliberation.executory_on:
            return f"{effect_step(deliberation)}."
        return self._signature_sentence("L’acte est exécutoire")

    def _signature_sentence(self, state: str) -> str:
        if not self.is_own:
            return f"{state}."
        if self.deliberation.amendment is not None:
            return f"{state}\u00a0: le coordonnateur enregistre ensuite la signature de l’avenant."
        if self.signature:
            return f"{state} et la convention est signée\u00a0: plus rien n’est attendu."
        return f"{state}\u00a0: la convention reste à signer."

    def reading(self, piece: str) -> Reading | None:
        """What the file of that number says, when the reader may record it."""
        document = next((document for document in self.documents if str(document.pk) == piece), None)
        return read_stamp(document) if document and EFFECT in self.steps else None

    def journal(self):
        """The entries about this deliberation and its signature, for those it is about."""
        if not self.is_own:
            return JournalEntry.objects.none()
        signature = Q(verb__startswith="signature.", concerns_id=self.organisation.pk)
        entries = JournalEntry.objects.of_thread(self.grouping.thread, self.affiliation)
        return entries.filter(Q(after__deliberation=self.deliberation.pk) | signature).defer("before", "after")


def find_deliberation(request: HttpRequest, pk: int) -> Deliberation:
    """The deliberation of that number, 404 outside the perimeter of the person's affiliation."""
    found = (
        Deliberation.objects.visible_to(request.affiliation)
        .select_related("session", "amendment", "membership__organisation__parent", "membership__grouping__coordinator")
        .select_related("membership__signed_link")
        .with_text_voted()
        .prefetch_related("attempts", SIGNATURES)
    )
    return get_object_or_404(found, pk=pk)


@require_safe
def deliberation_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """One deliberation; 404 outside the perimeter. ``?piece=`` proposes what the stamp of that file says."""
    deliberation = find_deliberation(request, pk)
    page = Page(deliberation, request.affiliation, timezone.localdate())
    return render_page(request, page, reading=page.reading(request.GET.get("piece", "")))


def render_page(request: HttpRequest, page: Page, *, status: int = 200, **extra: Any) -> HttpResponse:
    """The page, also used to show why something was refused."""
    reading = extra.setdefault("reading", None)
    whole_journal = request.GET.get("journal") == "tout"
    entries = page.journal()
    journal = list(entries if whole_journal else entries[: JOURNAL_SHOWN + 1]) if page.is_own else []
    context = {
        "page": page,
        "deliberation": page.deliberation,
        "grouping": page.grouping,
        "organisation": page.organisation,
        "today": page.today,
        "late_badge": LATE_BADGE if page.is_late else None,
        "open_steps": page.open_steps(extra.pop("refused_step", None), reading.initial if reading else None),
        "remark_lines": page.remark_lines(extra.pop("refused_override", None)),
        "deposit_form": DepositForm(use_required_attribute=False, auto_id="piece-%s") if page.may_write else None,
        "journal": journal if whole_journal else journal[:JOURNAL_SHOWN],
        "journal_goes_on": len(journal) > JOURNAL_SHOWN and not whole_journal,
        "refusal": [],
        "conflicts": [],
        **extra,
    }
    return render(request, "groupings/deliberation.html", context, status=status)


@posted_or_back("deliberation_detail", "pk")
def deliberation_step(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    """Take one step; refused, the page is shown again with the reason, what was typed, and what somebody else saved."""
    deliberation = find_deliberation(request, pk)
    if step not in STEPS:
        raise Http404
    asked = STEPS[step]
    if not may_ask(asked, deliberation, request.affiliation):
        raise NotAllowed("Votre rôle ne permet pas cette étape. Adressez-vous à l’acheteur de votre coordonnateur.")
    page = Page(deliberation, request.affiliation, timezone.localdate())
    form, told = page.form(asked, request.POST), []
    if submit(form, lambda: told.append(asked.write(form, request.affiliation, page.today))):
        messages.success(request, f"{page.organisation.name}\u00a0: {told[0] or 'enregistré'}.")
        return redirect("deliberation_detail", pk)
    now = Page(find_deliberation(request, pk), request.affiliation, page.today)
    is_shown = asked in now.steps
    refusal = [] if is_shown else [error for errors in form.errors.values() for error in errors]
    conflicts = _conflicts(form, now) if form.version_read != now.deliberation.version else []
    return render_page(
        request, now, status=422, refused_step=form, refusal=refusal, conflicts=conflicts, refused_title=asked.title
    )


def _conflicts(form: StepForm, now: Page) -> list[Conflict]:
    """Box by box, what was typed and what is stored now, where they differ; sending the form again is then a choice."""
    stored = now.form(form.step)
    form.deliberation = now.deliberation
    form.read_again()
    return [
        Conflict(stored[name].label, shown(form[name]) if name in form.fields else "", shown(stored[name]))
        for name, field in stored.fields.items()
        if name != "version" and field.has_changed(stored[name].initial, form[name].data)
    ]


@posted_or_back("deliberation_detail", "pk")
def deliberation_override(request: HttpRequest, pk: int, code: str) -> HttpResponse:
    """A jurist goes past one legal remark, with a reason."""
    deliberation = find_deliberation(request, pk)
    if not may(
        request.affiliation,
        "deliberation.override",
        organisation_id=deliberation.membership.grouping.coordinator_id,
    ):
        raise NotAllowed("Seul un juriste du coordonnateur peut lever une remarque.")
    form = OverrideForm(request.POST, code=code)
    page = Page(deliberation, request.affiliation, timezone.localdate())

    def write() -> None:
        reason = form.cleaned_data["reason"]
        remark_override(
            deliberation=deliberation, code=code, reason=reason, actor=request.affiliation, today=page.today
        )

    if submit(form, write):
        messages.success(request, "La remarque est levée.")
        return redirect("deliberation_detail", pk)
    lines = page.remark_lines(form)
    is_shown = any(line.form is form for line in lines)
    refusal = [] if is_shown else [error for errors in form.errors.values() for error in errors]
    return render_page(
        request, page, status=422, refused_override=form, refusal=refusal, refused_title="Lever la remarque"
    )
