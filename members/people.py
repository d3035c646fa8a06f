"""The people of an organisation: inviting them, giving and taking back a role. Each act is journalled."""

import logging
from typing import Any

from django.core.mail import send_mail
from django.db import transaction
from django.template.loader import render_to_string

from members.models import Affiliation, Organisation, User
from members.roles import Role, require
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.journal.record import record

logger = logging.getLogger(__name__)


def person_invite(
    *,
    email: str,
    first_name: str,
    last_name: str,
    role: str,
    organisation: Organisation,
    sign_in_url: str,
    actor: Actor,
) -> Affiliation:
    """Give ``role`` in ``organisation`` to the person of that e-mail, and tell them how to sign in.

    The account is created when there is none; the name of an existing one stays as its owner wrote it. Raises
    NotAllowed, BusinessError (an account the technical staff closed) or ValidationError (role already held).
    """
    require(actor, "people.manage", organisation_id=organisation.pk)
    address = User.objects.normalize_email(email).lower()
    with transaction.atomic():
        user = User.objects.filter(email=address).first()
        if user is None:
            user = User.objects.create_user(address, first_name=first_name, last_name=last_name)
        elif not user.is_active:
            raise BusinessError("Ce compte est fermé\u00a0: adressez-vous à l’équipe technique.", field="email")
        affiliation = affiliation_grant(user=user, organisation=organisation, role=role, actor=actor)
        transaction.on_commit(lambda: _tell(affiliation, sign_in_url))
    return affiliation


def affiliation_grant(*, user: User, organisation: Organisation, role: str, actor: Actor) -> Affiliation:
    """Give ``role`` in ``organisation`` to ``user``. Raises NotAllowed, or ValidationError (already held, unknown)."""
    require(actor, "people.manage", organisation_id=organisation.pk)
    affiliation = Affiliation(user=user, organisation=organisation, role=role)
    with transaction.atomic():
        affiliation.full_clean()
        affiliation.save()
        _record(affiliation, actor, verb="person.grant", what="reçoit le rôle", after=_values(affiliation))
    return affiliation


def affiliation_remove(*, affiliation: Affiliation, actor: Actor) -> None:
    """Take the role back: the person no longer acts for the organisation; what they did keeps their name.

    Nobody takes back the role they are using, so that an organisation never loses its last administrator.
    """
    require(actor, "people.manage", organisation_id=affiliation.organisation_id)
    with transaction.atomic():
        Organisation.objects.select_for_update().get(pk=affiliation.organisation_id)
        held = Affiliation.objects.filter(pk=affiliation.pk).first()
        if held is None:
            return  # somebody else has just done it
        if isinstance(actor, Affiliation) and held.pk == actor.pk:
            raise BusinessError("Vous agissez avec ce rôle\u00a0: un autre administrateur peut vous le retirer.")
        others = Affiliation.objects.filter(organisation=held.organisation_id, role=Role.ADMINISTRATOR)
        if held.role == Role.ADMINISTRATOR and not others.exclude(pk=held.pk).exists():
            raise BusinessError("C’est le dernier administrateur\u00a0: nommez-en d’abord un autre.")
        _record(held, actor, verb="person.remove", what="perd le rôle", before=_values(held))
        held.delete()


def person_rename(*, user: User, first_name: str, last_name: str, actor: Actor) -> User:
    """Change one's own name. Raises NotAllowed for anybody else's."""
    if actor is None or actor.user_id != user.pk:
        raise NotAllowed("Chacun change son propre nom, et lui seul.")
    with transaction.atomic():
        stored = User.objects.select_for_update().get(pk=user.pk)
        before = {"first_name": stored.first_name, "last_name": stored.last_name}
        after = {"first_name": first_name.strip(), "last_name": last_name.strip()}
        if before == after:
            return stored
        stored.first_name, stored.last_name = after["first_name"], after["last_name"]
        stored.full_clean(exclude=["password"])
        stored.save(update_fields=["first_name", "last_name"])
        record(
            actor=actor,
            territory_id=actor.territory_id,
            thread=f"person:{stored.pk}",
            concerns_id=actor.organisation_id,
            verb="person.rename",
            sentence=f"{stored} change son nom",
            before=before,
            after=after,
        )
    return stored


def _values(affiliation: Affiliation) -> dict[str, Any]:
    return {"user_id": affiliation.user_id, "email": affiliation.user.email, "role": affiliation.role}


def _record(affiliation: Affiliation, actor: Actor, *, verb: str, what: str, **values: dict[str, Any]) -> None:
    thread, territory_id, concerns_id = affiliation.organisation.journal_scope
    role = f"«\u00a0{affiliation.get_role_display()}\u00a0»"
    record(
        actor=actor,
        territory_id=territory_id,
        thread=thread,
        concerns_id=concerns_id,
        verb=verb,
        sentence=f"{affiliation.user} {what} {role} pour {affiliation.organisation}",
        **values,
    )


def _tell(affiliation: Affiliation, sign_in_url: str) -> None:
    context = {"affiliation": affiliation, "sign_in_url": sign_in_url}
    try:
        send_mail(
            subject=f"Votre accès aux groupements de commandes – {affiliation.organisation.name}",
            message=render_to_string("emails/invitation.txt", context),
            from_email=None,
            recipient_list=[affiliation.user.email],
        )
    except OSError:  # the role is given: the administrator may tell the person otherwise
        logger.exception("Le courriel d’invitation n’est pas parti (affectation %s)", affiliation.pk)
