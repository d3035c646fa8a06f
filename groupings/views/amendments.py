"""The amendments of a convention: read by its members, moved by its coordinator; and the text as it reads on any
day."""

from datetime import date
from typing import Any

from django.contrib import messages
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from groupings.actions import amendments as actions
from groupings.amendment_choices import AmendmentKind, AmendmentStatus
from groupings.amendment_workflow import AMENDMENT_WORKFLOW
from groupings.amendments import Party, effect_day, parties, voting_bodies
from groupings.choices import ConventionStatus
from groupings.convention_life import current_of
from groupings.conventions.amended import consolidated
from groupings.conventions.amendment_text import word_amendment
from groupings.conventions.amendment_values import from_json as amendment_from_json
from groupings.forms.amendment import AmendmentForm, AmendmentSignForm
from groupings.models import Amendment, AmendmentSignature, Grouping, Signature
from groupings.rules.amendments import signatories
from groupings.views.common import find_grouping, may_change, require_change, sees_all
from members.models import Organisation
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.exports import download_response
from procurement.core.submission import posted, posted_or_back, submit
from procurement.core.uploads import DOCX_TYPE, PDF_TYPE, read_checked

_NEXT = {
    AmendmentStatus.DRAFT: ("freeze", "Relisez le projet, puis arrêtez son texte\u00a0: il prend alors son numéro."),
    AmendmentStatus.FINAL: ("start_votes", "Le texte est arrêté. Envoyez-le aux assemblées qui le votent."),
    AmendmentStatus.VOTES: (
        "start_signatures",
        "Les assemblées délibèrent\u202f; chaque acte doit devenir exécutoire.",
    ),
    AmendmentStatus.SIGNATURE: ("enter", "Enregistrez les signatures\u202f; la dernière permet l’entrée en vigueur."),
}


def _amendments(request: HttpRequest, grouping: Grouping) -> QuerySet[Amendment]:
    """Those the person may read: a member is shown the texts once final, never the coordinator's drafts."""
    found = Amendment.objects.visible_to(request.affiliation).filter(grouping=grouping)
    if not sees_all(grouping, request.affiliation):
        found = found.filter(number__isnull=False)
    return found.select_related("organisation", "convention")


def _find(request: HttpRequest, pk: int, amendment_pk: int) -> tuple[Grouping, Amendment]:
    grouping = find_grouping(request, pk)
    found = get_object_or_404(_amendments(request, grouping), pk=amendment_pk)
    found.grouping = grouping
    return grouping, found


@require_safe
def amendments(request: HttpRequest, pk: int) -> HttpResponse:
    """Every amendment in the order of its number, drafts last; what may be amended now."""
    grouping = find_grouping(request, pk)
    convention = current_of(grouping)
    rows = sorted(_amendments(request, grouping), key=lambda row: (row.number is None, row.number or 0, row.pk))
    changes = may_change(grouping, request.affiliation) and not grouping.is_declared_only
    is_open = convention is not None and convention.status == ConventionStatus.IN_FORCE
    context = {
        "grouping": grouping,
        "convention": convention,
        "rows": rows,
        "kinds": AmendmentKind.choices if changes and is_open else [],
        "may_change": changes,
        "is_open": is_open,
    }
    return render(request, "groupings/amendments.html", context)


@require_safe
def amendment(request: HttpRequest, pk: int, amendment_pk: int) -> HttpResponse:
    grouping, found = _find(request, pk, amendment_pk)
    return _page(request, grouping, found)


def _page(
    request: HttpRequest, grouping: Grouping, found: Amendment, *, status: int = 200, **extra: Any
) -> HttpResponse:
    everybody = parties(found)
    own = request.affiliation.organisation_id
    everything = sees_all(grouping, request.affiliation)
    changes = may_change(grouping, request.affiliation)
    next_step, sentence = _NEXT.get(AmendmentStatus(found.status), ("", ""))
    waiting = [p.membership.organisation.name for p in everybody if p.signs and not _has_voted(p)]
    signing = found.status in (AmendmentStatus.VOTES, AmendmentStatus.SIGNATURE)
    unsigned = [p.membership.organisation.name for p in everybody if p.signs and p.signature is None]
    waiting_for = (waiting if found.status == AmendmentStatus.VOTES else []) or (
        unsigned if found.status == AmendmentStatus.SIGNATURE else []
    )
    offered = {t.name: t for t in AMENDMENT_WORKFLOW.open_to(found, request.affiliation.role)} if changes else {}
    context = {
        "grouping": grouping,
        "amendment": found,
        "parties": [(p, everything or p.membership.organisation_id == own) for p in everybody],
        "may_change": changes,
        # A step that waits for somebody is not offered: the page says for whom.
        "step": None if waiting_for else offered.get(next_step),
        "abandon": offered.get("abandon"),
        "sentence": sentence,
        "waiting": waiting if found.status == AmendmentStatus.VOTES else [],
        "unsigned": unsigned if found.status == AmendmentStatus.SIGNATURE else [],
        "effect_on": effect_day(found) if found.status == AmendmentStatus.SIGNATURE and not unsigned else None,
        "vote_to_pass": next(
            (
                p.deliberation
                for p in everybody
                if not changes
                and found.status == AmendmentStatus.VOTES
                and p.membership.organisation_id == own
                and not _has_voted(p)
            ),
            None,
        ),
        "voters": _announced(found, grouping) if found.status in (AmendmentStatus.DRAFT, AmendmentStatus.FINAL) else {},
        "may_sign": signing and any(p.may_sign_now for p in _own(everybody, found, request)),
        "refusal": "",
        "form_reason": "",
        **extra,
    }
    return render(request, "groupings/amendment.html", context, status=status)


def _announced(found: Amendment, grouping: Grouping) -> dict[str, list[str]]:
    """Who will vote and who will sign, before the votes are opened: one query for their names."""
    voting = voting_bodies(found)
    signing = signatories(voting, coordinator=grouping.coordinator_id)
    names = dict(Organisation.objects.filter(pk__in=signing).values_list("pk", "name"))
    return {"voting": [names[key] for key in voting if key in names], "signing": [names[key] for key in signing]}


def _own(everybody: list[Party], found: Amendment, request: HttpRequest) -> list[Party]:
    """Those whose signature the person may record: all of them for the coordinator, its own body for a member."""
    return [party for party in everybody if actions.may_sign(party.membership, found, request.affiliation)]


def _has_voted(party: Party) -> bool:
    return party.deliberation is None or party.deliberation.is_cleared


@require_http_methods(["GET", "HEAD", "POST"])
def amendment_create(request: HttpRequest, pk: int, kind: str) -> HttpResponse:
    grouping = find_grouping(request, pk)
    require_change(grouping, request.affiliation)
    if kind not in AmendmentKind:
        raise Http404
    draft = Amendment(grouping=grouping, kind=kind)
    if kind == AmendmentKind.DURATION:
        draft.new_duration_months, draft.new_extension_count = grouping.duration_months, grouping.extension_count
        draft.new_extension_months = grouping.extension_months
    return _edit(request, grouping, draft, f"Avenant\u00a0: {AmendmentKind(kind).label.lower()}")


@require_http_methods(["GET", "HEAD", "POST"])
def amendment_change(request: HttpRequest, pk: int, amendment_pk: int) -> HttpResponse:
    grouping, found = _find(request, pk, amendment_pk)
    require_change(grouping, request.affiliation)
    if found.status != AmendmentStatus.DRAFT:
        messages.info(request, f"{found.name} est arrêté\u00a0: son texte ne change plus.")
        return redirect("amendment", pk, amendment_pk)
    return _edit(request, grouping, found, f"Projet d’avenant\u00a0: {found.get_kind_display().lower()}")


def _edit(request: HttpRequest, grouping: Grouping, draft: Amendment, title: str) -> HttpResponse:
    form = AmendmentForm(posted(request), instance=draft, affiliation=request.affiliation, use_required_attribute=False)
    today = timezone.localdate()
    # The action sets the convention and the day of the draft: they are not the form's to check.
    form.instance.convention = current_of(grouping)
    form.instance.drafted_on = form.instance.drafted_on or today
    if request.method == "POST" and submit(
        form, lambda: actions.amendment_save(amendment=form.instance, actor=request.affiliation, today=today)
    ):
        messages.success(request, "Projet d’avenant enregistré.")
        return redirect("amendment", grouping.pk, form.instance.pk)
    context = {"form": form, "grouping": grouping, "title": title, "is_upload": False}
    return render(request, "groupings/amendment_form.html", context, status=422 if form.is_bound else 200)


@posted_or_back("amendment", "pk", "amendment_pk")
def amendment_step(request: HttpRequest, pk: int, amendment_pk: int, step: str) -> HttpResponse:
    """Take one step of the table; refused, the page comes back with the reason."""
    grouping, found = _find(request, pk, amendment_pk)
    require_change(grouping, request.affiliation)
    today, actor = timezone.localdate(), request.affiliation
    read = request.POST.get("version", "")
    version = int(read) if read.isdecimal() and len(read) < 10 else None
    reason = request.POST.get("reason", "")
    common = {"amendment": found, "actor": actor, "expected_version": version}
    steps = {
        "freeze": lambda: actions.amendment_freeze(today=today, **common),
        "start_votes": lambda: actions.amendment_start_votes(now=timezone.now(), **common),
        "start_signatures": lambda: actions.amendment_start_signatures(**common),
        "enter": lambda: actions.amendment_enter(today=today, **common),
        "abandon": lambda: actions.amendment_abandon(reason=reason, **common),
    }
    if step not in steps:
        raise Http404
    try:
        stored = steps[step]()
    except NotAllowed:
        raise
    except BusinessError as error:
        return _page(request, grouping, found, status=422, refusal=error.message, form_reason=reason)
    messages.success(request, f"{stored.name}\u00a0: {stored.told}.")
    return redirect("amendment", pk, amendment_pk)


@require_http_methods(["GET", "HEAD", "POST"])
def amendment_sign(request: HttpRequest, pk: int, amendment_pk: int) -> HttpResponse:
    """Record one signature; only those who may sign today are offered: to a member's people, their own body."""
    grouping, found = _find(request, pk, amendment_pk)
    own = [party for party in _own(parties(found), found, request) if party.signs]
    if not own:
        require_change(grouping, request.affiliation)
    ready = [party.membership.pk for party in own if party.may_sign_now]
    if request.method != "POST" and not ready:
        messages.info(request, f"{found.name}\u00a0: personne n’est à signer aujourd’hui, faute d’acte exécutoire.")
        return redirect("amendment", pk, amendment_pk)
    # Sent twice, or too early: the action says which, so the form does not narrow the choice it receives.
    offered = [party.membership.pk for party in own] if request.method == "POST" else ready
    form = AmendmentSignForm(posted(request), request.FILES or None, memberships=offered, use_required_attribute=False)

    def write() -> None:
        typed, sent = form.cleaned_data, form.cleaned_data["file"]
        actions.amendment_sign(
            amendment=found,
            membership=typed["membership"],
            signed_on=typed["signed_on"],
            signatory=typed["signatory"],
            content=sent.read() if sent else None,
            filename=sent.name if sent else "",
            actor=request.affiliation,
            today=timezone.localdate(),
        )

    if request.method == "POST" and submit(form, write):
        messages.success(request, f"Signature enregistrée\u00a0: {form.cleaned_data['membership'].organisation.name}.")
        return redirect("amendment", pk, amendment_pk)
    context = {
        "form": form,
        "grouping": grouping,
        "amendment": found,
        "title": f"{found.name}\u00a0: enregistrer une signature",
        "is_upload": True,
    }
    return render(request, "groupings/amendment_form.html", context, status=422 if form.is_bound else 200)


@posted_or_back("amendment", "pk", "amendment_pk")
def amendment_unsign(request: HttpRequest, pk: int, amendment_pk: int, signature_pk) -> HttpResponse:
    """Erase one signature, with its reason; a second click finds it gone."""
    grouping, found = _find(request, pk, amendment_pk)
    require_change(grouping, request.affiliation)
    signature = found.signatures.select_related("membership__organisation").filter(pk=signature_pk).first()
    if signature is not None:
        signature.amendment = found
        try:
            actions.amendment_unsign(
                signature=signature, actor=request.affiliation, reason=request.POST.get("reason", "")
            )
        except NotAllowed:
            raise
        except BusinessError as error:
            return _page(request, grouping, found, status=422, refusal=error.message)
        messages.success(request, "Signature effacée.")
    return redirect("amendment", pk, amendment_pk)


@require_safe
def amendment_document(request: HttpRequest, pk: int, amendment_pk: int) -> HttpResponse:
    """The frozen text."""
    _, found = _find(request, pk, amendment_pk)
    if not found.file:
        raise Http404
    content = read_checked(found.file, sha256=found.sha256, name=found.filename)
    return download_response(content, filename=found.filename, content_type=PDF_TYPE)


@require_safe
def amendment_word(request: HttpRequest, pk: int, amendment_pk: int) -> HttpResponse:
    """The same text in Word, from the frozen values."""
    _, found = _find(request, pk, amendment_pk)
    if not found.file:
        raise Http404
    name = found.filename.removesuffix(".pdf") + ".docx"
    content = word_amendment(amendment_from_json(found.values))
    return download_response(content, filename=name, content_type=DOCX_TYPE)


@require_safe
def amendment_signed_copy(request: HttpRequest, pk: int, amendment_pk: int, signature_pk) -> HttpResponse:
    """A member's own signed copy; all of them for the coordinator's people."""
    _, found = _find(request, pk, amendment_pk)
    copies = AmendmentSignature.objects.visible_to(request.affiliation).filter(amendment=found).exclude(file="")
    signature = get_object_or_404(copies.select_related("membership__organisation"), pk=signature_pk)
    name = f"{found.grouping.reference}_avenant_{found.number}_{signature.membership.organisation.siren}.pdf"
    content = read_checked(signature.file, sha256=signature.sha256, name=name)
    return download_response(content, filename=name, content_type=PDF_TYPE)


@require_safe
def convention_consolidated(request: HttpRequest, pk: int) -> HttpResponse:
    """The whole convention as it reads on ``?le=AAAA-MM-JJ``, today by default, with what each amendment changed."""
    grouping = find_grouping(request, pk)
    convention, today = current_of(grouping), timezone.localdate()
    asked = request.GET.get("le", "")
    try:
        day, error = (date.fromisoformat(asked) if asked else today), ""
    except ValueError:
        day, error = today, f"«\u00a0{asked[:30]}\u00a0» n’est pas une date\u00a0: voici le texte d’aujourd’hui."
    signed = (ConventionStatus.IN_FORCE, ConventionStatus.ENDED)
    text, members, is_before = None, [], False
    if convention is not None and convention.status in signed:
        is_before = day < (convention.signed_on or timezone.localtime(convention.frozen_at).date())
        if not is_before:
            text, members = consolidated(convention, day), _members_on(grouping, day)
    context = {
        "grouping": grouping,
        "convention": convention,
        "text": text,
        "members": members,
        "is_before": is_before,
        "day": day,
        "error": error,
    }
    return render(request, "groupings/consolidated.html", context, status=422 if error else 200)


def _members_on(grouping: Grouping, day: date) -> list[dict[str, Any]]:
    """Who is party that day, since when, until when; the day of the signature for want of a day of joining."""
    signatures = Prefetch("signatures", Signature.objects.order_by("signed_on"), to_attr="signed")
    memberships = grouping.memberships.filter(is_pending=False).select_related("organisation")
    rows = []
    for membership in memberships.prefetch_related(signatures).order_by("organisation__sort_name", "pk"):
        since = membership.joined_on or (membership.signed[0].signed_on if membership.signed else None)
        is_here = (since is None or since <= day) and (membership.withdrawn_on is None or membership.withdrawn_on > day)
        is_gone = membership.withdrawn_on is not None and membership.withdrawn_on <= day
        if is_here or is_gone:
            rows.append({"membership": membership, "since": since, "is_here": is_here})
    return rows
