"""The member's answer to the survey: its form, draft and receipt, the same for an account and for a signed link."""

import uuid

from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from groupings.actions.needs import needs_submit, receipt_lines, survey_refusal
from groupings.actions.needs_draft import BOXES, evidence_add, evidence_remove, needs_draft_discard, needs_draft_save
from groupings.forms.needs import NeedsAnswerForm
from groupings.models import Lot, Membership, NeedsSubmission
from groupings.views.common import may_change_needs
from groupings.views.links import contact_of
from groupings.views.needs_page import Door, Page, find_answering
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.money import ZERO, round_half_up
from procurement.core.submission import posted, submit
from procurement.core.uploads import PDF_MAX_BYTES


@require_http_methods(["GET", "HEAD", "POST"])
def needs_change(request: HttpRequest, pk: int, membership_pk: int) -> HttpResponse:
    """The answer of one member, all lots at once, by itself or by the coordinator's people for it."""
    visible = Membership.objects.visible_to(request.affiliation)
    membership = find_answering(pk=membership_pk, grouping_id=pk, pk__in=visible)
    if not may_change_needs(membership.grouping, membership.organisation_id, request.affiliation):
        raise NotAllowed("Seuls ce membre et le coordonnateur du groupement peuvent faire cette modification.")
    return answer(request, membership, request.affiliation, account_door(membership))


def account_door(membership: Membership) -> Door:
    """The addresses of the account's page."""
    pk = membership.grouping_id
    return Door(
        form=reverse("needs_change", args=[pk, membership.pk]),
        receipt=reverse("needs_receipt", args=[pk, membership.pk]),
        back=reverse("grouping_detail", args=[pk]),
        file=lambda document: reverse("grouping_file", args=[pk, document.pk]),
    )


@require_safe
def needs_receipt(request: HttpRequest, pk: int, membership_pk: int) -> HttpResponse:
    """What was sent, when, by whom, with its fingerprint; ``?n=1`` shows an earlier answer."""
    sent = NeedsSubmission.objects.visible_to(request.affiliation)
    membership = find_answering(pk=membership_pk, grouping_id=pk, needs_submissions__in=sent.filter(number=1))
    may_edit = may_change_needs(membership.grouping, membership.organisation_id, request.affiliation)
    return receipt(request, membership, request.affiliation, account_door(membership), may_edit=may_edit)


def receipt(
    request: HttpRequest, membership: Membership, actor: Actor, door: Door, *, may_edit: bool = True
) -> HttpResponse:
    """The receipt page, printable. 404 before the first answer."""
    answers = list(membership.needs_submissions.all())
    asked = request.GET.get("n", "")
    chosen = [one for one in answers if not asked or str(one.number) == asked]
    if not chosen:
        raise Http404
    lines = receipt_lines(chosen[0])
    known = [line.estimated for line in lines if line.estimated is not None]
    yearly = [line.entry.yearly_amount for line in lines if line.entry.yearly_amount is not None]
    today = timezone.localdate()
    context = {
        "membership": membership,
        "grouping": membership.grouping,
        "door": door,
        "submission": chosen[0],
        "is_latest": chosen[0] == answers[0],
        "answers": answers,
        "lines": lines,
        "total": round_half_up(sum(known, ZERO)) if known else None,
        "yearly_total": round_half_up(sum(yearly, ZERO)) if yearly else None,
        "unknown_count": sum(1 for line in lines if line.estimated is None and not line.entry.has_no_need),
        "has_draft": getattr(membership, "needs_draft", None) is not None,
        "may_change": may_edit and not survey_refusal(membership.grouping, membership, actor, today),
        "contact": contact_of(membership.grouping),
        "for_another": not door.is_link
        and request.affiliation is not None
        and request.affiliation.organisation_id != membership.organisation_id,
    }
    return render(request, "groupings/needs_receipt.html", context)


def answer(request: HttpRequest, membership: Membership, actor: Actor, door: Door) -> HttpResponse:
    """Show the form, or take what was sent: the files first, each kept by itself, then the draft or the answer."""
    page = Page(membership, actor, timezone.localdate(), door)
    form = page.form(posted(request))
    if request.method != "POST":
        return _render(request, page, form)
    if page.refusal:
        form.add_error(None, page.refusal)
        form.tell_only_the_files()
        return _render(request, page, form, status=422)
    kept = _keep_files(request, form, page)
    try:
        done = _act(request, form, page, kept)
    except NotAllowed:
        raise
    except BusinessError as error:
        form.add_error(None, error.message)
        done = None
    if done is None and request.POST.get("action") != "submit":
        form.tell_only_the_files()
    return done or _refused(request, form, page)


def _render(request: HttpRequest, page: Page, form: NeedsAnswerForm, *, status: int = 200) -> HttpResponse:
    context = {
        "page": page,
        "door": page.door,
        "form": form,
        "cards": page.cards(form),
        "grouping": page.grouping,
        "membership": page.membership,
        "convention": page.grouping.conventions.defer("values").first(),
        "contact": contact_of(page.grouping),
    }
    return render(request, "groupings/needs_form.html", context, status=status)


def _keep_files(request: HttpRequest, form: NeedsAnswerForm, page: Page) -> int:
    """Deposit the files that came, whatever the other boxes say; a refused one is told by its own box."""
    kept = 0
    for lot in page.lots:
        for upload in request.FILES.getlist(f"file_{lot.pk}"):
            try:
                evidence_add(
                    membership=page.membership,
                    lot=lot,
                    content=upload.read(PDF_MAX_BYTES + 1),  # one byte too many is enough to refuse it
                    filename=upload.name,
                    actor=page.actor,
                    today=page.today,
                )
                kept += 1
            except NotAllowed:
                raise
            except BusinessError as error:
                form.add_error(f"file_{lot.pk}", error.message)
    return kept


def _act(request: HttpRequest, form: NeedsAnswerForm, page: Page, kept: int) -> HttpResponse | None:
    """What the button asks for; None when the form is refused and says why."""
    common = {"membership": page.membership, "actor": page.actor, "read": form.read}
    asked = request.POST.get("action", "")
    if removed := request.POST.get("remove", ""):
        needs_draft_save(lines=form.typed(), today=page.today, **common)
        name = evidence_remove(
            membership=page.membership, document_id=_uuid(removed), actor=page.actor, today=page.today
        )
        messages.success(request, f"Pièce retirée\u00a0: {name}." if name else "Cette pièce était déjà retirée.")
        return redirect(page.door.form)
    if asked == "discard":
        needs_draft_discard(today=page.today, **common)
        messages.success(request, "Brouillon abandonné.")
        return redirect(page.door.form)
    if asked == "draft":
        needs_draft_save(lines=form.typed(), today=page.today, **common)
        if form.has_refused_file:
            form.is_kept = True
            return None
        files = f" {kept} pièce{'s' if kept > 1 else ''} jointe{'s' if kept > 1 else ''}." if kept else ""
        messages.warning(request, f"Brouillon enregistré.{files} Il ne compte pas tant qu’il n’est pas transmis.")
        return redirect(page.door.form)
    sent: list[NeedsSubmission] = []

    def write() -> None:
        try:
            sent.append(needs_submit(entries=form.entries(), now=timezone.now(), **common))
        except ValidationError as error:
            raise _placed(error, page.lots) from error

    if not submit(form, write):
        return None
    late = " Elle est arrivée hors délai\u00a0: le coordonnateur le voit." if sent[0].is_late else ""
    messages.success(request, f"Réponse n° {sent[0].number} transmise.{late}")
    return redirect(page.door.receipt)


def _placed(error: ValidationError, lots: list[Lot]) -> ValidationError:
    """The action's refusals, by lot number and box, under the names of the form's fields."""
    if not hasattr(error, "error_dict"):
        return error
    pks = {str(lot.number): lot.pk for lot in lots}
    placed: dict[str, list] = {}
    for name, problems in error.error_dict.items():
        number, _, box = name.partition(".")
        placed.setdefault(f"{box}_{pks[number]}" if number in pks else "__all__", []).extend(problems)
    return ValidationError(placed)


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise Http404 from None


def _refused(request: HttpRequest, form: NeedsAnswerForm, page: Page) -> HttpResponse:
    """The page as it is now, with what was typed: kept as a draft too, unless somebody else wrote meanwhile, whose
    figures are then told beside one's own."""
    membership = find_answering(pk=page.membership.pk)
    now = Page(membership, page.actor, page.today, page.door)
    if not now.refusal and not form.is_kept and form.typed() and form.read == now.read:
        try:
            needs_draft_save(
                membership=membership, lines=form.typed(), actor=page.actor, today=page.today, read=form.read
            )
            now = Page(find_answering(pk=membership.pk), page.actor, page.today, page.door)
            form.is_kept = True
        except BusinessError:
            form.is_kept = False  # somebody wrote between the two: the next sending will say so
    elif form.read is not None and form.read != now.read and not form.is_kept:
        now.others = {
            f"{number}.{box}": shown.texts.get(box, "")
            for number, shown in now.shown.items()
            for box in BOXES
            if box != "has_no_need"
        }
    form.read_again(now.read)
    return _render(request, now, form, status=422)
