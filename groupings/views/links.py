"""The page of a signed link: a member's secretary answers without an account, about one membership and nothing else."""

import ipaddress
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, wraps
from typing import Any

from allauth.account.adapter import get_adapter
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from groupings.actions.evidence import document_deposit
from groupings.actions.needs import survey_refusal
from groupings.choices import AWAITING_VOTE, LATE_BADGE, WITHOUT_EFFECT, ConventionStatus, answer_badge
from groupings.evidence import Reading
from groupings.forecast import next_usable_session
from groupings.forms.answer import AnswerForm, EffectAnswerForm, PieceAnswerForm, VoteAnswerForm, list_sessions
from groupings.forms.deliberation import StepForm, shown
from groupings.links import (
    ClosedLink,
    LinkActor,
    UnknownLink,
    asked_of,
    closed_sentence,
    find_link,
    link_token,
    link_used,
)
from groupings.models import (
    Amendment,
    Convention,
    ConventionDocument,
    DeliberationDocument,
    DraftDocument,
    Grouping,
    Membership,
    SignedLink,
)
from groupings.steps import CONVENE, EFFECT, SCHEDULE, VOTE, VOTE_AGAIN, Step
from groupings.todo import chosen_session, vote_step
from groupings.views.deliberations import SIGNATURES, Page
from members.models import CouncilSession
from procurement.core.errors import BusinessError
from procurement.core.exports import download_response
from procurement.core.submission import submit
from procurement.core.uploads import DOCX_TYPE, FILE_TYPES, PDF_MAX_BYTES, PDF_TYPE, read_checked

HOUR = 3600
POSTS_AN_HOUR = 30
UNKNOWN_AN_HOUR = 60
#: The address is a key: no search engine keeps it, no cache, no site the page links to.
#: « no-referrer » would also empty the Origin of the page's own forms, which the CSRF check then refuses.
HEADERS = {
    "X-Robots-Tag": "noindex, nofollow",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}

ANSWER_VOTE = replace(VOTE, form_class=VoteAnswerForm)
ANSWER_EFFECT = replace(EFFECT, form_class=EffectAnswerForm)
PIECE = Step("piece", "", "Déposer la délibération", PieceAnswerForm, lambda form, actor, today: "")
ANSWERS = {step.slug: step for step in (SCHEDULE, CONVENE, ANSWER_VOTE, ANSWER_EFFECT, VOTE_AGAIN, PIECE)}
#: Each answer as the question a secretary is asked.
_QUESTIONS = {
    SCHEDULE.slug: "À quelle séance est-elle inscrite\u202f?",
    CONVENE.slug: "Quand la convocation est-elle partie\u202f?",
    VOTE.slug: "Qu’a décidé l’assemblée\u202f?",
    EFFECT.slug: "Quand a-t-elle été transmise, reçue, publiée\u202f?",
    VOTE_AGAIN.slug: "L’assemblée délibère-t-elle de nouveau\u202f?",
    PIECE.slug: "Déposer la délibération signée",
}
#: The same, when it is not what is expected now.
_OTHERWISE = {
    SCHEDULE.slug: "Elle passe à une autre séance",
    VOTE.slug: "Le vote a déjà eu lieu",
}


@dataclass
class Question:
    """One form of the page: open when it is the one to answer, folded under its title otherwise."""

    step: Step
    title: str
    form: StepForm
    is_open: bool


@dataclass
class Offered:
    """A document of the member's kit; ``name`` ends its address."""

    name: str
    label: str
    content_type: str
    row: ConventionDocument | DraftDocument | Amendment


class Answer(Page):
    """What one link shows and asks: the page of the member's approval, seen and written by whoever holds the link."""

    def __init__(self, link: SignedLink):
        approvals = (
            asked_of(link.membership)
            .select_related("session", "amendment", "membership__organisation__parent")
            .select_related("membership__grouping__coordinator", "membership__grouping__buyer")
            .with_text_voted()
            .prefetch_related("attempts", SIGNATURES)
        )
        super().__init__(get_object_or_404(approvals), LinkActor(link.membership), timezone.localdate())
        self.link = link

    @cached_property
    def answers(self) -> list[Step]:
        """What may be answered now. The expected answer; then that the vote was held, or moved; then the file."""
        if closed_sentence(self.membership):
            return []
        possible = [ANSWERS[step.slug] for step in self.steps if step.slug in ANSWERS]
        may_move = chosen_session(self.deliberation) is not None
        found = [step for step in possible if self._is_expected(step)]
        found += [step for step in possible if step is ANSWER_VOTE or (step is SCHEDULE and may_move)]
        if self.deliberation.decided_on:
            found.append(PIECE)
        return list(dict.fromkeys(found))

    def _is_expected(self, step: Step) -> bool:
        return self.next_step is not None and step.slug == self.next_step.slug

    def questions(self, refused: StepForm | None, initial: dict[str, Any]) -> list[Question]:
        """One form per answer; ``refused`` takes the place of its own, with what was typed, and stands open alone."""
        is_shown = refused is not None and refused.step in self.answers
        found = []
        for step in self.answers:
            is_open = step is refused.step if is_shown else self._is_expected(step)
            own = {"initial": dict(initial)} if step is ANSWER_EFFECT else {}
            form = refused if is_shown and is_open else self.form(step, **own)
            asked = _QUESTIONS[step.slug]
            title = asked if is_open else _OTHERWISE.get(step.slug, asked)
            found.append(Question(step, title, form, is_open))
        return sorted(found, key=lambda question: not question.is_open)

    def form(self, step: Step, data: Any = None, **options: Any) -> StepForm:
        form = super().form(step, data, **options)
        if step is SCHEDULE:
            list_sessions(form)
        return form

    def next_sentence(self) -> str:
        """To the member itself: what is left to it when its vote came to nothing."""
        if self.deliberation.status in WITHOUT_EFFECT:
            return f"{vote_step(self.deliberation, self.today)}."
        return super().next_sentence()

    @cached_property
    def next_session(self) -> CouncilSession | None:
        """The first meeting whose agenda can still take the text, while it is on none."""
        if self.deliberation.status not in AWAITING_VOTE or chosen_session(self.deliberation):
            return None
        usable = next_usable_session(self.organisation, self.coming, self.today)
        return next((session for session in self.coming if session.meeting_on == usable), None)

    @cached_property
    def latest(self) -> Convention | None:
        return self.grouping.conventions.order_by("-version").defer("values").first()

    @property
    def is_commented(self) -> bool:
        """Whether the text is open to the remarks of the members."""
        return self.latest is not None and self.latest.status == ConventionStatus.COMMENTS

    @cached_property
    def kit(self) -> list[Offered]:
        """The member's own files of the latest convention, or the amendment it votes."""
        if (amendment := self.deliberation.amendment) is not None:
            return [Offered("avenant.pdf", f"{amendment.name}, à annexer (PDF)", PDF_TYPE, amendment)]
        if self.latest is None:
            return []
        own = {"membership": self.membership, "convention": self.latest}
        drafts = {draft.format: draft for draft in DraftDocument.objects.filter(**own)}
        convention = ConventionDocument.objects.filter(**own).select_related("convention").first()
        suffix, kind = (convention.extension, convention.format_name) if convention else ("pdf", "PDF")
        offered = (
            Offered("deliberation.docx", "Modèle de délibération, à adapter (Word)", DOCX_TYPE, drafts.get("docx")),
            Offered("deliberation.pdf", "Modèle de délibération (PDF)", PDF_TYPE, drafts.get("pdf")),
            Offered(f"convention.{suffix}", f"Convention à annexer ({kind})", FILE_TYPES[suffix], convention),
        )
        return [document for document in offered if document.row is not None]


class Survey:
    """The first card of the page: the needs, while they may be answered, or once they were."""

    def __init__(self, page: Answer):
        membership, self.due_on = page.membership, page.grouping.needs_due_on
        stored = Membership.objects.with_answer().select_related("needs_reopening", "grouping__needs_campaign")
        stored = stored.select_related("organisation", "grouping__coordinator").get(pk=membership.pk)
        self.has_draft, self.is_sent = stored.has_draft, stored.has_submission
        self.is_open = not survey_refusal(stored.grouping, stored, page.affiliation, page.today)
        self.is_begun = self.has_draft or self.is_sent
        self.is_shown = self.is_open or self.is_sent
        self.badge = answer_badge(has_draft=self.has_draft, has_submission=self.is_sent)
        reopening = getattr(stored, "needs_reopening", None)
        if self.is_open and reopening is not None and reopening.until >= page.today:
            self.due_on = reopening.until


def by_link(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Give ``view`` the open link of the address instead of its token; every other case becomes a page that says what
    to do, and every answer is kept out of caches and search engines."""

    @login_not_required
    @wraps(view)
    def guarded(request: HttpRequest, token: str, **kwargs: Any) -> HttpResponse:
        link = None
        try:
            link = find_link(token, timezone.now())
            response = view(request, link, **kwargs)
        except UnknownLink:
            wait = seconds_to_wait(f"unknown:{_address(request)}", UNKNOWN_AN_HOUR)
            response = too_many(request, wait) if wait else _message(request, 404, *_UNKNOWN)
        except ClosedLink as closed:
            response = _message(request, 410, *_CLOSED, membership=closed.link.membership)
        except Http404:
            response = _message(request, 404, *_NOTHING_THERE, membership=link.membership)
        except BusinessError as error:
            response = _message(request, 409, "Cela n’a pas pu être fait", str(error), membership=link.membership)
        for name, value in HEADERS.items():
            response[name] = value
        return response

    return guarded


_UNKNOWN = (
    "Lien inconnu",
    "Cette adresse n’est pas complète, ou n’existe pas. Recopiez-la en entier depuis le message reçu, ou demandez un "
    "nouveau lien à l’acheteur qui vous a écrit.",
)
_CLOSED = ("Ce lien n’est plus valable", "Il a expiré, ou il a été remplacé\u00a0: rien n’est perdu.")
_NOTHING_THERE = ("Page introuvable", "Ce lien n’ouvre rien à cette adresse.")


def _message(
    request: HttpRequest, status: int, title: str, sentence: str, membership: Membership | None = None
) -> HttpResponse:
    contact = contact_of(membership.grouping) if membership else None
    context = {"title": title, "sentence": sentence, "contact": contact, "asks_for_link": status == 410}
    return render(request, "groupings/link_message.html", context, status=status)


def too_many(request: HttpRequest, wait: int, membership: Membership | None = None) -> HttpResponse:
    minutes = -(-wait // 60)
    sentence = f"Trop de demandes en peu de temps. Réessayez dans {minutes} minute{'s' if minutes > 1 else ''}."
    response = _message(request, 429, "Un peu de patience", sentence, membership)
    response["Retry-After"] = str(wait)
    return response


def _address(request: HttpRequest) -> str:
    """Where the request comes from, behind the proxies that the sign-in trusts; one IPv6 network is one visitor."""
    found = get_adapter().get_client_ip(request)
    try:
        address = ipaddress.ip_address(found)
    except ValueError:
        return found
    return str(ipaddress.ip_network(f"{address}/64", strict=False)) if address.version == 6 else found


def seconds_to_wait(who: str, limit: int) -> int:
    """Count one request of ``who``: 0 while it is within ``limit`` an hour, else the seconds until the next hour."""
    now = int(time.time())
    key = f"signed_link:{who}:{now // HOUR}"
    cache.add(key, 0, HOUR)
    try:
        count = cache.incr(key)
    except ValueError:  # expired between the two
        return 0
    return HOUR - now % HOUR if count > limit else 0


def contact_of(grouping: Grouping) -> dict[str, str]:
    """Who to write to: the buyer who follows the grouping, else the coordinating body."""
    buyer = grouping.buyer
    if buyer and buyer.is_active:
        return {"name": buyer.get_full_name(), "email": buyer.email}
    return {"name": grouping.coordinator.name, "email": grouping.coordinator.email}


def _render(request: HttpRequest, page: Answer, *, status: int = 200, **extra: Any) -> HttpResponse:
    reading = extra.setdefault("reading", None)
    refused = extra.setdefault("refused", None)
    context = {
        "page": page,
        "token": link_token(page.link),
        "deliberation": page.deliberation,
        "grouping": page.grouping,
        "organisation": page.organisation,
        "late_badge": LATE_BADGE if page.is_late else None,
        "closed": closed_sentence(page.membership),
        "questions": page.questions(refused, reading.initial if reading else {}),
        "contact": contact_of(page.grouping),
        "needs": Survey(page),
        "refusal": [],
        "typed": [],
        **extra,
    }
    return render(request, "groupings/link.html", context, status=status)


@by_link
@require_safe
def signed_link(request: HttpRequest, link: SignedLink) -> HttpResponse:
    """Where the member stands and the question it is asked; changes nothing, mail scanners open every address.

    ``?piece=`` proposes what the stamp of a file deposited says.
    """
    page = Answer(link)
    return _render(request, page, reading=_reading(page, request.GET.get("piece", "")))


def _reading(page: Answer, piece: str) -> Reading | None:
    return page.reading(piece) if ANSWER_EFFECT in page.answers else None


@by_link
@require_safe
def signed_link_document(request: HttpRequest, link: SignedLink, name: str) -> HttpResponse:
    """One file of the member's own kit."""
    if closed_sentence(link.membership):
        raise Http404
    document = next((document for document in Answer(link).kit if document.name == name), None)
    if document is None:
        raise Http404
    row = document.row
    content = read_checked(row.file, sha256=row.sha256, name=row.filename)
    return download_response(content, filename=row.filename, content_type=document.content_type)


@by_link  # outside, so that the redirection keeps out of caches and search engines too
@require_http_methods(["GET", "HEAD", "POST"])
def signed_link_step(request: HttpRequest, link: SignedLink, step: str) -> HttpResponse:
    """Take one answer, with its file in one transaction; refused, the page comes back with the reason and the input."""
    if step not in ANSWERS:
        raise Http404
    if request.method != "POST":  # a phone opening again the tab of a refused form
        return redirect("signed_link", link_token(link))
    if wait := seconds_to_wait(f"link:{link.pk}:{link.nonce}", POSTS_AN_HOUR):
        return too_many(request, wait, link.membership)
    if refusal := closed_sentence(link.membership):
        raise BusinessError(refusal)
    page, done = Answer(link), []
    form = page.form(ANSWERS[step], request.POST, files=request.FILES)
    if not submit(form, lambda: done.append(_write(page, form))):
        return _refused(request, Answer(link), form)
    told, document = done[0]
    now = Answer(link)
    messages.success(request, f"Merci, c’est enregistré\u00a0: {told}. La suite\u00a0: {now.next_sentence()}")
    here = reverse("signed_link", args=[link_token(link)])
    return redirect(f"{here}?piece={document.pk}#{EFFECT.slug}" if document and ANSWER_EFFECT in now.answers else here)


def _write(page: Answer, form: StepForm) -> tuple[str, DeliberationDocument | None]:
    """Act, keep the file that came with it, and note the use of the link. Returns what was done, in words, and the
    file."""
    if form.step not in page.answers and form.version_read == page.deliberation.version:
        raise BusinessError("Cette réponse n’est pas attendue à cette étape\u00a0: relisez la page.")
    with transaction.atomic():
        link_used(link=page.link, now=timezone.now())
        told, document = form.step.write(form, page.affiliation, page.today), None
        if upload := form.cleaned_data.get("file"):
            document = document_deposit(
                deliberation=page.deliberation,
                content=upload.read(PDF_MAX_BYTES + 1),  # one byte too many is enough to refuse it
                filename=upload.name,
                actor=page.affiliation,
            )
            told = f"{told} et pièce déposée" if told else "pièce déposée"
    return told, document


def _refused(request: HttpRequest, page: Answer, form: AnswerForm) -> HttpResponse:
    """The page as it is now, with the form sent. When somebody else answered meanwhile, its sentence comes first; the
    same form can be sent again knowingly, and what was typed is told even when its question is no longer asked."""
    form.deliberation = page.deliberation
    form.read_again()
    if form.step in page.answers:
        if hasattr(form, "ask_for_the_file_again"):
            form.ask_for_the_file_again()
        return _render(request, page, status=422, refused=form)
    refusal = [error for errors in form.errors.values() for error in errors]
    typed = [(field.label, shown(field)) for field in form.visible_fields() if field.name != "file" and field.data]
    return _render(request, page, status=422, refusal=refusal, typed=typed)
