"""The bulletins d'adhésion of a permanent grouping: a member fills its own, the coordinator accepts them."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from groupings.actions import joining_forms as actions
from groupings.amendment_choices import JoiningStatus
from groupings.choices import GroupingKind
from groupings.convention_life import current_of
from groupings.conventions.amended import values_on
from groupings.conventions.joining_form import JoiningValues, render_joining_form
from groupings.forms.joining_form import JoiningFormForm, JoiningSignForm
from groupings.models import Grouping, JoiningForm, Membership
from groupings.reference import cpv
from groupings.views.common import find_grouping, may_change, may_change_needs, require_change
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.exports import download_response
from procurement.core.submission import posted, posted_or_back, submit
from procurement.core.uploads import PDF_TYPE, read_checked


def _grouping(request: HttpRequest, pk: int) -> Grouping:
    """404 for an ad hoc grouping: it has no bulletins."""
    grouping = find_grouping(request, pk)
    if grouping.kind != GroupingKind.PERMANENT:
        raise Http404
    return grouping


def _find(request: HttpRequest, pk: int, form_pk) -> tuple[Grouping, JoiningForm]:
    grouping = _grouping(request, pk)
    rows = JoiningForm.objects.visible_to(request.affiliation).filter(membership__grouping=grouping)
    found = get_object_or_404(rows.select_related("membership__organisation"), pk=form_pk)
    found.membership.grouping = grouping
    return grouping, found


def _writable(grouping: Grouping, affiliation) -> list[Membership]:
    """The members a person fills bulletins for: its own body, or all of them for the coordinator's people."""
    members = grouping.memberships.active().select_related("organisation").order_by("organisation__sort_name")
    return [m for m in members if may_change_needs(grouping, m.organisation_id, affiliation)]


def _require_own(grouping: Grouping, form: JoiningForm, affiliation) -> None:
    if not may_change_needs(grouping, form.membership.organisation_id, affiliation):
        raise NotAllowed("Ce bulletin est celui d’un autre organisme.")


@require_safe
def joining_forms(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, _grouping(request, pk))


def _page(request: HttpRequest, grouping: Grouping, *, status: int = 200, refusal: str = "") -> HttpResponse:
    rows = JoiningForm.objects.visible_to(request.affiliation).filter(membership__grouping=grouping)
    is_open = not grouping.is_launched
    accepts = may_change(grouping, request.affiliation)
    lines = []
    for form in rows.select_related("membership__organisation"):
        writes = is_open and may_change_needs(grouping, form.membership.organisation_id, request.affiliation)
        state = JoiningStatus(form.status)
        lines.append(
            {
                "form": form,
                "may_change": writes and state != JoiningStatus.ACCEPTED,
                "may_sign": writes and state in (JoiningStatus.DRAFT, JoiningStatus.REFUSED),
                "may_accept": accepts and is_open and state == JoiningStatus.SIGNED,
            }
        )
    context = {
        "grouping": grouping,
        "lines": lines,
        "may_add": is_open and bool(_writable(grouping, request.affiliation)),
        "refusal": refusal,
    }
    return render(request, "groupings/joining_forms.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def joining_form_create(request: HttpRequest, pk: int) -> HttpResponse:
    grouping = _grouping(request, pk)
    memberships = _writable(grouping, request.affiliation)
    if not memberships:
        raise NotAllowed("Seuls un membre du groupement et son coordonnateur remplissent un bulletin.")
    own = memberships[0] if len(memberships) == 1 else None
    draft = JoiningForm(subject=grouping.title[:200])
    if own is not None:
        draft.membership = own
        draft.contact_name, draft.contact_email = own.contact_name, own.contact_email
        draft.contact_phone = own.contact_phone
    return _edit(request, grouping, draft, memberships, "Remplir un bulletin d’adhésion")


@require_http_methods(["GET", "HEAD", "POST"])
def joining_form_change(request: HttpRequest, pk: int, form_pk) -> HttpResponse:
    grouping, found = _find(request, pk, form_pk)
    _require_own(grouping, found, request.affiliation)
    return _edit(request, grouping, found, [found.membership], f"Bulletin de {found.membership.organisation.name}")


def _edit(
    request: HttpRequest, grouping: Grouping, row: JoiningForm, memberships: list[Membership], title: str
) -> HttpResponse:
    is_new = row._state.adding
    form = JoiningFormForm(
        posted(request), instance=row, memberships=memberships, is_new=is_new, use_required_attribute=False
    )

    def write() -> None:
        form.instance.membership.grouping = grouping
        actions.joining_save(form=form.instance, actor=request.affiliation)

    if request.method == "POST" and submit(form, write):
        messages.success(
            request, "Bulletin enregistré\u00a0: imprimez-le, faites-le signer, puis saisissez la signature."
        )
        return redirect("joining_forms", grouping.pk)
    return _form_page(request, grouping, form, title)


def _form_page(request: HttpRequest, grouping: Grouping, form, title: str, *, is_upload: bool = False) -> HttpResponse:
    context = {"form": form, "grouping": grouping, "title": title, "is_upload": is_upload}
    return render(request, "groupings/joining_form_form.html", context, status=422 if form.is_bound else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def joining_form_sign(request: HttpRequest, pk: int, form_pk) -> HttpResponse:
    """Who signed, when, and the signed copy."""
    grouping, found = _find(request, pk, form_pk)
    _require_own(grouping, found, request.affiliation)
    form = JoiningSignForm(posted(request), request.FILES or None, use_required_attribute=False)

    def write() -> None:
        sent = form.cleaned_data["file"]
        actions.joining_sign(
            form=found,
            signed_on=form.cleaned_data["signed_on"],
            signatory=form.cleaned_data["signatory"],
            content=sent.read() if sent else None,
            filename=sent.name if sent else "",
            actor=request.affiliation,
            today=timezone.localdate(),
        )

    if request.method == "POST" and submit(form, write):
        messages.success(request, "Signature enregistrée\u00a0: le coordonnateur accepte maintenant le bulletin.")
        return redirect("joining_forms", pk)
    title = f"Signature du bulletin de {found.membership.organisation.name}"
    return _form_page(request, grouping, form, title, is_upload=True)


@posted_or_back("joining_forms", "pk")
def joining_form_accept(request: HttpRequest, pk: int, form_pk) -> HttpResponse:
    grouping, found = _find(request, pk, form_pk)
    require_change(grouping, request.affiliation)
    try:
        actions.joining_accept(form=found, actor=request.affiliation, today=timezone.localdate())
    except NotAllowed:
        raise
    except BusinessError as error:
        return _page(request, grouping, status=422, refusal=error.message)
    messages.success(request, f"Bulletin de {found.membership.organisation.name} accepté.")
    return redirect("joining_forms", pk)


@posted_or_back("joining_forms", "pk")
def joining_form_refuse(request: HttpRequest, pk: int, form_pk) -> HttpResponse:
    grouping, found = _find(request, pk, form_pk)
    require_change(grouping, request.affiliation)
    try:
        actions.joining_refuse(form=found, actor=request.affiliation, reason=request.POST.get("reason", ""))
    except NotAllowed:
        raise
    except BusinessError as error:
        return _page(request, grouping, status=422, refusal=error.message)
    messages.success(request, f"Bulletin renvoyé à {found.membership.organisation.name}.")
    return redirect("joining_forms", pk)


@require_safe
def joining_form_pdf(request: HttpRequest, pk: int, form_pk) -> HttpResponse:
    """The bulletin filled in, to be signed."""
    grouping, found = _find(request, pk, form_pk)
    convention = current_of(grouping)
    if convention is None:
        raise Http404
    today = timezone.localdate()
    values = values_on(convention, today)
    organisation = found.membership.organisation
    member = next((m for m in values.members if m.siren == organisation.siren), None)
    if member is None:
        raise Http404
    contact = ", ".join(filter(None, (found.contact_name, found.contact_email, found.contact_phone)))
    content = render_joining_form(
        JoiningValues(
            member=member,
            subject=found.subject,
            family=found.family,
            family_label=cpv.label(found.family) if found.family else "",
            needs_statement=found.needs_statement,
            leaves_contract_on=found.leaves_contract_on,
            contact=contact,
            as_of=values.as_of,
        ),
        values,
    )
    name = f"{grouping.reference}_{organisation.siren}_bulletin.pdf"
    return download_response(content, filename=name, content_type=PDF_TYPE)


@require_safe
def joining_form_file(request: HttpRequest, pk: int, form_pk) -> HttpResponse:
    """The signed copy."""
    grouping, found = _find(request, pk, form_pk)
    if not found.file:
        raise Http404
    name = f"{grouping.reference}_{found.membership.organisation.siren}_bulletin_signe.pdf"
    content = read_checked(found.file, sha256=found.sha256, name=name)
    return download_response(content, filename=name, content_type=PDF_TYPE)
