"""One's own account, the role one acts with, and, for an administrator, the people of its organisation."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from members.forms import InvitationForm, NameForm
from members.middleware import SESSION_KEY
from members.models import Affiliation
from members.people import affiliation_remove, person_invite, person_rename
from members.roles import require
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.submission import posted, submit


@require_http_methods(["GET", "HEAD", "POST"])
def my_account(request: HttpRequest) -> HttpResponse:
    """The name, the ways to sign in, the organisations one acts for."""
    form = NameForm(posted(request), user=request.user, use_required_attribute=False)

    def write() -> None:
        person_rename(user=request.user, actor=request.affiliation, **form.cleaned_data)

    if request.method == "POST" and submit(form, write):
        messages.success(request, "Votre nom est enregistré.")
        return redirect("my_account")
    return render(request, "members/my_account.html", {"form": form}, status=422 if form.is_bound else 200)


@require_POST
def switch_affiliation(request: HttpRequest) -> HttpResponse:
    """Act for another of one's own organisations, from now on in this session."""
    chosen = request.POST.get("affiliation", "")
    affiliation = next((a for a in request.affiliations if str(a.pk) == chosen), None)
    if affiliation is None:
        raise Http404
    request.session[SESSION_KEY] = affiliation.pk
    messages.success(request, f"Vous agissez pour {affiliation.organisation.name} ({affiliation.get_role_display()}).")
    return redirect("home")


@require_safe
def people(request: HttpRequest) -> HttpResponse:
    """Who acts for the administrator's organisation."""
    _require_administrator(request)
    return _people_page(request)


def _people_page(request: HttpRequest, *, refusal: str = "") -> HttpResponse:
    rows = Affiliation.objects.visible_to(request.affiliation).select_related("user", "organisation")
    context = {
        "rows": rows.order_by("user__last_name", "user__first_name", "user__email", "pk"),
        "refusal": refusal,
    }
    return render(request, "members/people.html", context, status=422 if refusal else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def person_invite_view(request: HttpRequest) -> HttpResponse:
    _require_administrator(request)
    form = InvitationForm(posted(request), use_required_attribute=False)

    def write() -> None:
        person_invite(
            organisation=request.affiliation.organisation,
            sign_in_url=request.build_absolute_uri(reverse("account_login")),
            actor=request.affiliation,
            **form.cleaned_data,
        )

    if request.method == "POST" and submit(form, write):
        messages.success(request, f"{form.cleaned_data['email']}\u00a0: accès ouvert, un courriel lui est envoyé.")
        return redirect("people")
    return render(request, "members/invite.html", {"form": form}, status=422 if form.is_bound else 200)


@require_POST
def person_remove_view(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a role back from somebody of the administrator's own organisation."""
    _require_administrator(request)
    affiliation = get_object_or_404(Affiliation.objects.visible_to(request.affiliation), pk=pk)
    try:
        affiliation_remove(affiliation=affiliation, actor=request.affiliation)
    except NotAllowed:
        raise
    except BusinessError as error:
        return _people_page(request, refusal=error.message)
    messages.success(request, f"{affiliation.user} n’agit plus avec ce rôle.")
    return redirect("people")


def _require_administrator(request: HttpRequest) -> None:
    organisation_id = getattr(request.affiliation, "organisation_id", None)
    require(request.affiliation, "people.manage", organisation_id=organisation_id)
