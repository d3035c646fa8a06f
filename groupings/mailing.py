"""What every mail about a membership shares: who receives it, its deadline in the subject, its plain text."""

from datetime import date

from django.conf import settings
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.urls import reverse

from groupings.models import Membership
from members.models import Affiliation
from members.roles import Role


def recipients(membership: Membership) -> list[str]:
    """The member's addresses, each once: the contact of this purchase, the shared mailbox, its agents' own.

    Town halls share ``mairie@``: one mailbox is enough, several people behind it.
    """
    agents = Affiliation.objects.filter(
        organisation_id=membership.organisation_id, role=Role.MEMBER_AGENT, user__is_active=True
    ).values_list("user__email", flat=True)
    return _once([membership.contact_email, membership.organisation.email, *agents])


def coordinators(memberships: QuerySet) -> list[str]:
    """The addresses of the people who follow the groupings of these memberships: their buyers, else every buyer of the
    coordinating body."""
    groupings = {m.grouping_id: m.grouping for m in memberships.select_related("grouping__buyer")}.values()
    named = [g.buyer.email for g in groupings if g.buyer and g.buyer.is_active]
    unnamed = {g.coordinator_id for g in groupings if not (g.buyer and g.buyer.is_active)}
    others = Affiliation.objects.filter(organisation_id__in=unnamed, role=Role.BUYER, user__is_active=True)
    return _once([*named, *others.values_list("user__email", flat=True)])


def _once(addresses: list[str]) -> list[str]:
    return list(dict.fromkeys(address.strip().lower() for address in addresses if address.strip()))


def absolute(name: str, *args: object) -> str:
    """The full address of a page, for a mail."""
    return settings.SITE_URL.rstrip("/") + reverse(name, args=args)


def subject(what: str, due_on: date | None, about: str, *, is_late: bool = False) -> str:
    """« Avant le 02/12/2026 – Délibérer : Carburants »: the deadline comes first, mailboxes cut the end."""
    if due_on is None:
        return f"{what}\u00a0: {about}"
    when = f"Avant le {due_on:%d/%m/%Y}" if not is_late else f"Échéance du {due_on:%d/%m/%Y} dépassée"
    return f"{when} – {what}\u00a0: {about}"


def text(template: str, **context: object) -> str:
    """A plain-text mail of ``templates/emails/``; its lines are the template's."""
    return render_to_string(f"emails/{template}.txt", context).strip() + "\n"
