"""The bulletins d'adhésion of a permanent grouping: filled and signed by the member, accepted by the coordinator."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from django.db import transaction

from groupings.actions.membership import require_needs
from groupings.amendment_choices import JoiningStatus
from groupings.choices import GroupingKind, GroupingStatus
from groupings.convention_life import current_of
from groupings.models import Grouping, JoiningForm, Membership
from groupings.models.joining_form import joining_path
from groupings.rules.amendments import joining_refusal
from members.roles import require
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.record import save_recorded
from procurement.core.uploads import receive_pdf, write_aside_and_move

_CHANGED = "Ce bulletin a été modifié entre-temps par une autre personne\u00a0: relisez, puis recommencez si besoin."


def joining_save(*, form: JoiningForm, actor: Actor) -> JoiningForm:
    """Fill a bulletin, or mend it; what was signed is then to be signed again.

    The member's own agents, and the coordinator's people for every member. Raises NotAllowed, BusinessError, or
    ValidationError field by field.
    """
    require_needs(form.membership, actor)
    with _locked(form.membership) as grouping:
        _check_open(grouping, form.membership)
        stored = JoiningForm.objects.filter(pk=form.pk).first()
        if stored is not None and stored.status == JoiningStatus.ACCEPTED:
            raise BusinessError("Ce bulletin est accepté\u00a0: il ne change plus.")
        if stored is not None and stored.version != form.version:
            raise BusinessError(_CHANGED)
        form.status, form.signed_on, form.signatory = JoiningStatus.DRAFT, None, ""
        form.file, form.original_name, form.sha256 = "", "", ""
        form.version = stored.version + 1 if stored else 1
        save_recorded(form, actor=actor, verb="joining.save", sentence=f"Bulletin d’adhésion\u00a0: {form.subject}")
    return form


def joining_sign(
    *,
    form: JoiningForm,
    signed_on: date,
    signatory: str,
    actor: Actor,
    today: date,
    content: bytes | None = None,
    filename: str = "",
) -> JoiningForm:
    """Record the member's signature, with the signed copy when there is one (PDF, 10 MB)."""
    require_needs(form.membership, actor)
    received = receive_pdf(content, filename) if content is not None else None
    with _locked(form.membership) as grouping:
        _check_open(grouping, form.membership)
        stored = _stored(form)
        if stored.status not in (JoiningStatus.DRAFT, JoiningStatus.REFUSED):
            raise BusinessError("Ce bulletin est déjà signé.")
        if signed_on > today:
            raise BusinessError(f"Le {signed_on:%d/%m/%Y} n’est pas encore venu.", field="signed_on")
        if not signatory.strip():
            raise BusinessError("Indiquez qui a signé.", field="signatory")
        stored.status, stored.signed_on = JoiningStatus.SIGNED, signed_on
        stored.signatory = " ".join(signatory.split())
        if received is not None:
            stored.file.name = write_aside_and_move(joining_path(stored, filename), content)
            stored.original_name, stored.sha256 = received.name, received.sha256
        _save(stored, actor, "joining.sign", f"signé le {signed_on:%d/%m/%Y}")
    return stored


def joining_accept(*, form: JoiningForm, actor: Actor, today: date) -> JoiningForm:
    """The coordinator takes it in: it counts for the consultations launched from now on (annexe 5)."""
    require(actor, "grouping.change", organisation_id=form.membership.grouping.coordinator_id)
    with _locked(form.membership) as grouping:
        stored = _stored(form)
        if stored.status == JoiningStatus.ACCEPTED:
            return stored
        refusal = joining_refusal(accepted_on=today, signed_on=stored.signed_on, launched_on=grouping.launched_on)
        if refusal:
            raise BusinessError(refusal)
        stored.status, stored.accepted_on = JoiningStatus.ACCEPTED, today
        _save(stored, actor, "joining.accept", f"accepté le {today:%d/%m/%Y}")
    return stored


def joining_refuse(*, form: JoiningForm, actor: Actor, reason: str) -> JoiningForm:
    """Send it back to the member, with a reason; accepted by mistake, before the launch only."""
    require(actor, "grouping.change", organisation_id=form.membership.grouping.coordinator_id)
    if not reason.strip():
        raise BusinessError("Indiquez le motif\u00a0: il sera inscrit au journal.", field="reason")
    with _locked(form.membership) as grouping:
        stored = _stored(form)
        if stored.status not in (JoiningStatus.SIGNED, JoiningStatus.ACCEPTED):
            raise BusinessError("Seul un bulletin signé se renvoie.")
        if stored.status == JoiningStatus.ACCEPTED and grouping.is_launched:
            raise BusinessError("La consultation est lancée\u00a0: ce bulletin engage le membre.")
        stored.status, stored.signed_on, stored.signatory, stored.accepted_on = JoiningStatus.REFUSED, None, "", None
        stored.file, stored.original_name, stored.sha256 = "", "", ""
        _save(stored, actor, "joining.refuse", "renvoyé au membre", reason.strip())
    return stored


def _check_open(grouping: Grouping, membership: Membership) -> None:
    if grouping.kind != GroupingKind.PERMANENT:
        raise BusinessError(
            "Seul un groupement permanent a des bulletins d’adhésion\u00a0: changez plutôt les besoins."
        )
    if grouping.status == GroupingStatus.CANCELLED:
        raise BusinessError("Ce groupement est abandonné\u00a0: ses bulletins ne changent plus.")
    if grouping.is_launched:
        raise BusinessError(
            f"La consultation est lancée depuis le {grouping.launched_on:%d/%m/%Y}\u00a0: un bulletin n’a plus d’effet "
            "sur elle (réponse ministérielle n° 100136 du 17/05/2011)."
        )
    if current_of(grouping) is None:
        raise BusinessError("Le bulletin vient après la convention-cadre\u00a0: produisez-la d’abord.")
    if not Membership.objects.active().filter(pk=membership.pk).exists():
        raise BusinessError(f"{membership.organisation.name} n’est pas membre de ce groupement.")


@contextmanager
def _locked(membership: Membership) -> Iterator[Grouping]:
    with transaction.atomic():
        yield Grouping.objects.select_for_update().get(pk=membership.grouping_id)  # the launch counts the bulletins


def _stored(form: JoiningForm) -> JoiningForm:
    return JoiningForm.objects.select_related("membership__organisation", "membership__grouping").get(pk=form.pk)


def _save(stored: JoiningForm, actor: Actor, verb: str, what: str, reason: str = "") -> None:
    stored.version += 1
    save_recorded(
        stored, actor=actor, verb=verb, sentence=f"Bulletin «\u00a0{stored.subject}\u00a0» {what}", reason=reason
    )
