"""The page of a consultation: where it stands, its dates, its questions, its lots, its files."""

from datetime import datetime

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from groupings.actions.consultation import (
    consultation_close,
    consultation_relaunch,
    consultation_save,
    question_save,
    short_delay,
)
from groupings.actions.files import grouping_file_deposit
from groupings.forms.consultation import AnswerForm, ConsultationForm, QuestionForm, RelaunchForm, TenderFileForm
from groupings.models import Consultation, Grouping, GroupingDocument, Question
from groupings.rules.tender_steps import TenderFacts, next_sentence, tender_steps
from groupings.tender import LotState, consultations_of, lot_states, tender_facts
from groupings.views.common import find_grouping, may_change, require_change, sees_all
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.submission import posted_or_back, submit
from procurement.core.uploads import PDF_MAX_BYTES


class Page:
    """One grouping's consultations as one affiliation reads them, the latest first, in a fixed number of queries."""

    def __init__(self, grouping: Grouping, affiliation, now: datetime):
        self.grouping, self.affiliation, self.now = grouping, affiliation, timezone.localtime(now)
        self.sees_all, self.may_change = sees_all(grouping, affiliation), may_change(grouping, affiliation)
        self.consultations = consultations_of(grouping)
        self.lots = list(grouping.lots.all())
        self.states = lot_states(grouping, affiliation, lots=self.lots, consultations=self.consultations)

    @property
    def latest(self) -> Consultation | None:
        return self.consultations[0] if self.consultations else None

    @property
    def earlier(self) -> list[Consultation]:
        return self.consultations[1:]

    def facts(self) -> TenderFacts:
        """What the steps of the latest consultation depend on, as the reader may know it."""
        return tender_facts(self.latest, self.states, now=self.now, tells_awards=self.sees_all)

    def may_close(self) -> bool:
        tender = self.latest
        is_due = tender.offers_due_at is not None and tender.offers_due_at <= self.now
        return self.may_change and tender.closed_on is None and is_due

    def relaunchable(self) -> list[LotState]:
        if not self.may_change or self.latest.closed_on is None:
            return []
        return [state for state in self.states if state.may_relaunch]

    def files(self) -> list[GroupingDocument]:
        """Those of the tender the reader may open; the evidence of the needs stays with the needs."""
        found = GroupingDocument.objects.visible_to(self.affiliation).filter(grouping=self.grouping)
        return list(found.filter(kind__in=TenderFileForm.KINDS).select_related("lot"))


def render_page(request: HttpRequest, page: Page, *, status: int = 200, **refused) -> HttpResponse:
    """The page, also used to show a refused form again: ``form``, ``question_form``, ``answer_form`` (with
    ``answering``, the question's number), ``file_form``, ``relaunch_form``, ``close_error``."""
    context = {"grouping": page.grouping, "page": page, "tender": page.latest, "close_error": "", "answering": 0}
    if page.latest is None:
        return render(request, "groupings/consultation.html", context, status=status)
    tender, facts = page.latest, page.facts()
    states = page.relaunchable()
    context |= {
        "steps": tender_steps(facts),
        "next": next_sentence(facts),
        "minimum_due_on": short_delay(tender),
        "questions": list(tender.questions.all()),
        "files": page.files(),
        "form": None,
        "question_form": None,
        "answer_form": None,
        "file_form": None,
        "relaunch_form": None,
    }
    if page.may_change:
        plain = {"use_required_attribute": False}
        context |= {
            "form": ConsultationForm(instance=tender, **plain),
            "question_form": QuestionForm(auto_id="question-%s", **plain),
            "answer_form": AnswerForm(auto_id="reponse-%s", **plain),
            "file_form": TenderFileForm(lots=page.lots, auto_id="piece-%s", **plain),
            "relaunch_form": RelaunchForm(states=states, auto_id="relance-%s", **plain) if states else None,
        }
    return render(request, "groupings/consultation.html", context | refused, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def consultation(request: HttpRequest, pk: int) -> HttpResponse:
    """The page; a POST records the notice, the dates and the commission of the latest consultation."""
    grouping = find_grouping(request, pk)
    now = timezone.now()
    if request.method != "POST":
        return render_page(request, Page(grouping, request.affiliation, now))
    require_change(grouping, request.affiliation)
    latest = _latest(grouping)
    form = ConsultationForm(request.POST, instance=latest, use_required_attribute=False)

    def write() -> None:
        version = form.cleaned_data.get("version")
        consultation_save(
            consultation=form.instance,
            actor=request.affiliation,
            today=timezone.localtime(now).date(),
            expected_version=0 if version is None else version,
        )

    if submit(form, write):
        messages.success(request, "La consultation est enregistrée.")
        return redirect("consultation", pk)
    page = Page(grouping, request.affiliation, now)
    _carry_version(form, page.latest.version)
    return render_page(request, page, status=422, form=form)


def _latest(grouping: Grouping) -> Consultation:
    """The consultation that is written; BusinessError before the launch."""
    latest = grouping.consultations.first()
    if latest is None:
        raise BusinessError("La consultation de ce groupement n’est pas lancée.")
    latest.grouping = grouping
    return latest


def _carry_version(form, version: int) -> None:
    """Saving again, once what was stored meanwhile has been seen, is a decision taken knowingly."""
    data = form.data.copy()
    data["version"] = str(version)
    form.data = data


@posted_or_back("consultation", "pk")
def consultation_close_step(request: HttpRequest, pk: int) -> HttpResponse:
    """Close it; refused, the page says why."""
    grouping = find_grouping(request, pk)
    require_change(grouping, request.affiliation)
    now = timezone.now()
    try:
        consultation_close(consultation=_latest(grouping), actor=request.affiliation, now=now)
    except NotAllowed:
        raise
    except BusinessError as error:
        page = Page(find_grouping(request, pk), request.affiliation, now)
        return render_page(request, page, status=422, close_error=error.message)
    messages.success(request, f"{grouping.reference}\u00a0: consultation close. Les lots peuvent être attribués.")
    return redirect("consultation", pk)


@posted_or_back("consultation", "pk")
def question_add(request: HttpRequest, pk: int) -> HttpResponse:
    """A new question, numbered after the last one."""
    grouping = find_grouping(request, pk)
    require_change(grouping, request.affiliation)
    question = Question(consultation=_latest(grouping))
    form = QuestionForm(request.POST, instance=question, use_required_attribute=False, auto_id="question-%s")
    return _question(request, grouping, form, question_form=form)


@posted_or_back("consultation", "pk")
def question_answer(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """The answer to a question, or its correction."""
    grouping = find_grouping(request, pk)
    require_change(grouping, request.affiliation)
    latest = _latest(grouping)
    question = get_object_or_404(Question.objects.visible_to(request.affiliation), consultation=latest, number=number)
    question.consultation = latest
    form = AnswerForm(request.POST, instance=question, use_required_attribute=False, auto_id="reponse-%s")
    return _question(request, grouping, form, answer_form=form, answering=number)


def _question(request: HttpRequest, grouping: Grouping, form: QuestionForm, **refused) -> HttpResponse:
    now = timezone.now()

    def write() -> None:
        question_save(question=form.instance, actor=request.affiliation, today=timezone.localtime(now).date())

    if submit(form, write):
        messages.success(request, f"{form.instance}\u00a0: enregistrée.")
        return redirect(f"{reverse('consultation', args=[grouping.pk])}#questions")
    return render_page(request, Page(grouping, request.affiliation, now), status=422, **refused)


@posted_or_back("consultation", "pk")
def consultation_deposit(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep a notice, a record of the commission, a document of the contract."""
    grouping = find_grouping(request, pk)
    require_change(grouping, request.affiliation)
    page = Page(grouping, request.affiliation, timezone.now())
    form = TenderFileForm(request.POST, request.FILES, lots=page.lots, use_required_attribute=False, auto_id="piece-%s")

    def write() -> None:
        upload, typed = form.cleaned_data["file"], form.cleaned_data
        grouping_file_deposit(
            grouping=grouping,
            content=upload.read(PDF_MAX_BYTES + 1),  # one byte too many is enough to refuse it
            filename=upload.name,
            kind=typed["kind"],
            lot=form.lots.get(typed["lot"]),
            is_shared=typed["is_shared"],
            actor=request.affiliation,
        )

    if submit(form, write):
        messages.success(request, "La pièce est déposée.")
        return redirect(f"{reverse('consultation', args=[pk])}#pieces")
    return render_page(request, page, status=422, file_form=form)


@posted_or_back("consultation", "pk")
def consultation_relaunch_lots(request: HttpRequest, pk: int) -> HttpResponse:
    """Put out again the lots ticked, in a consultation of their own."""
    grouping = find_grouping(request, pk)
    require_change(grouping, request.affiliation)
    page = Page(grouping, request.affiliation, timezone.now())
    states = page.relaunchable() if page.latest else []
    form = RelaunchForm(request.POST, states=states, use_required_attribute=False, auto_id="relance-%s")

    def write() -> None:
        consultation_relaunch(
            grouping=grouping,
            lot_ids=form.cleaned_data["lots"],
            actor=request.affiliation,
            today=page.now.date(),
        )

    if submit(form, write):
        messages.success(request, "Une nouvelle consultation est ouverte pour ces lots.")
        return redirect("consultation", pk)
    return render_page(request, page, status=422, relaunch_form=form)
