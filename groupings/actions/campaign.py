"""The survey of needs, by its coordinator: opened, told to the members, opened again for one of them."""

from datetime import date, datetime

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from groupings import mailing
from groupings.choices import GroupingStatus
from groupings.links import link_open, link_token
from groupings.models import Grouping, Membership, NeedsCampaign, NeedsReopening
from members.roles import require
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.record import record, save_recorded
from procurement.core.mail.sending import queue


def campaign_open(
    *,
    grouping: Grouping,
    opens_on: date,
    due_on: date,
    locks_when_due: bool,
    instructions: str,
    actor: Actor,
    today: date,
    expected_version: int | None = None,
) -> NeedsCampaign:
    """Open the survey, or change it while it runs. The deadline is ``grouping.needs_due_on``, and nowhere else.

    ``expected_version``: the grouping's, as it was read. Raises NotAllowed, BusinessError, ValidationError.
    """
    require(actor, "grouping.change", organisation_id=grouping.coordinator_id)
    with transaction.atomic():
        stored = Grouping.objects.select_for_update(of=("self",)).select_related("coordinator").get(pk=grouping.pk)
        if expected_version is not None and stored.version != expected_version:
            raise BusinessError(
                "Ce groupement a été modifié entre-temps par une autre personne\u00a0: relisez, puis recommencez."
            )
        if stored.status != GroupingStatus.NEEDS or stored.is_declared_only:
            raise BusinessError("Le recensement n’est pas ouvert à cette étape\u00a0: rouvrez-le depuis le groupement.")
        if due_on < opens_on:
            raise ValidationError({"due_on": "L’échéance ne peut pas précéder l’ouverture."})
        if due_on < today and due_on != stored.needs_due_on:
            raise ValidationError({"due_on": "Cette échéance est déjà passée."})
        campaign = NeedsCampaign.objects.filter(grouping=stored).first() or NeedsCampaign(grouping=stored)
        is_new = campaign.pk is None
        campaign.grouping = stored
        campaign.opens_on, campaign.locks_when_due = opens_on, locks_when_due
        campaign.instructions = instructions
        lock = "fermé à l’échéance" if locks_when_due else "réponses tardives acceptées"
        changed = save_recorded(
            campaign,
            actor=actor,
            verb="campaign.open" if is_new else "campaign.change",
            sentence=f"Recensement ouvert aux membres du {opens_on:%d/%m/%Y} au {due_on:%d/%m/%Y}, {lock}",
        )
        former = stored.needs_due_on
        stored.needs_due_on = due_on
        moved = save_recorded(
            stored,
            actor=actor,
            verb="grouping.change",
            sentence=(f"Besoins attendus le {due_on:%d/%m/%Y}" + (f", au lieu du {former:%d/%m/%Y}" if former else "")),
        )
        if changed or moved:
            Grouping.objects.filter(pk=stored.pk).update(version=stored.version + 1)
    return campaign


def campaign_announce(*, grouping: Grouping, actor: Actor, now: datetime) -> int:
    """Write to every member that has not answered: what to do, for when, its own link. At most one mail a day each.

    Returns how many mails were stored. Raises NotAllowed; BusinessError when there is nobody to write to, or no reason.
    """
    require(actor, "grouping.change", organisation_id=grouping.coordinator_id)
    today = timezone.localtime(now).date()
    with transaction.atomic():
        stored = (
            Grouping.objects.select_related("coordinator", "buyer", "needs_campaign")
            .select_for_update(of=("self",))
            .get(pk=grouping.pk)
        )
        campaign = getattr(stored, "needs_campaign", None)
        if stored.status != GroupingStatus.NEEDS:
            raise BusinessError("Le recensement est clos\u00a0: plus aucune réponse n’est attendue.")
        if campaign is None:
            raise BusinessError("Ouvrez d’abord le recensement\u00a0: le message dit jusqu’à quand répondre.")
        if campaign.opens_on > today:
            raise BusinessError(f"Le recensement ouvre le {campaign.opens_on:%d/%m/%Y}\u00a0: écrivez ce jour-là.")
        if not stored.lots.exists():
            raise BusinessError("Décrivez au moins un lot\u00a0: les membres répondent lot par lot.")
        silent = list(awaited(stored))
        if not silent:
            raise BusinessError("Tous les membres ont répondu\u00a0: personne n’est à prévenir.")
        sent = sum(_write_to(membership, stored, campaign, actor, now, today) for membership in silent)
    if not sent:
        raise BusinessError("Ces membres ont déjà reçu un message aujourd’hui, ou n’ont pas d’adresse électronique.")
    return sent


def awaited(grouping: Grouping):
    """The members whose answer is awaited. A coordinator without a need of its own has none to give."""
    members = grouping.memberships.active().silent().select_related("organisation__parent")
    if not grouping.coordinator_has_own_need:
        members = members.exclude(organisation_id=grouping.coordinator_id)
    return members


def _write_to(
    membership: Membership,
    grouping: Grouping,
    campaign: NeedsCampaign | None,
    actor: Actor,
    now: datetime,
    today: date,
    until: date | None = None,
) -> int:
    """One mail to each address of one member; ``until`` when the survey is opened again for it alone."""
    addresses = mailing.recipients(membership)
    if not addresses:
        return 0
    membership.grouping = grouping
    due_on = until or grouping.needs_due_on
    link = link_open(membership=membership, actor=actor, now=now)
    text = mailing.text(
        "needs",
        membership=membership,
        grouping=grouping,
        instructions=campaign.instructions if campaign else "",
        due_on=due_on,
        is_late=due_on is not None and due_on < today,
        locks=bool(campaign and campaign.locks_when_due) or until is not None,
        link=mailing.absolute("signed_link_needs", link_token(link)),
        expires_at=link.expires_at,
    )
    subject = mailing.subject(
        "Indiquer vos besoins", due_on, grouping.title, is_late=due_on is not None and due_on < today
    )
    queued = [
        queue(
            key=f"needs:{membership.pk}:{due_on}:{today}:{address}",
            recipient=address,
            subject=subject,
            text=text,
            territory_id=grouping.territory_id,
            thread=grouping.thread,
            organisation_id=membership.organisation_id,
            now=now,
        )
        for address in addresses
    ]
    sent = [message.recipient for message in queued if message is not None]
    if sent:
        record(
            actor=actor,
            territory_id=grouping.territory_id,
            thread=grouping.thread,
            concerns_id=membership.organisation_id,
            verb="campaign.announce",
            sentence=f"Besoins demandés à {membership.organisation.name} ({', '.join(sent)})",
        )
    return len(sent)


def needs_reopen(
    *, membership: Membership, until: date, reason: str, actor: Actor, now: datetime
) -> tuple[NeedsReopening, int]:
    """Let one member answer again until a day, whatever the state of the survey, and tell it by mail.

    Returns the reopening, and how many mails were stored. Raises NotAllowed, BusinessError, ValidationError.
    """
    require(actor, "grouping.change", organisation_id=membership.grouping.coordinator_id)
    today = timezone.localtime(now).date()
    with transaction.atomic():
        grouping = (Grouping.objects.select_related("coordinator", "buyer").select_for_update(of=("self",))).get(
            pk=membership.grouping_id
        )
        name = membership.organisation.name
        if not Membership.objects.active().filter(pk=membership.pk).exists():
            raise BusinessError(f"{name} ne participe plus à ce groupement.", field="membership")
        if not grouping.is_in_preparation:
            raise BusinessError("Les besoins ne changent plus\u00a0: la consultation est lancée, ou abandonnée.")
        if until < today:
            raise BusinessError("Choisissez un jour à venir.", field="until")
        reopening = NeedsReopening.objects.filter(membership=membership).first() or NeedsReopening(
            membership=membership
        )
        reopening.until, reopening.reason = until, reason.strip()
        changed = save_recorded(
            reopening,
            actor=actor,
            verb="needs.reopen",
            sentence=f"Recensement rouvert pour {name} jusqu’au {until:%d/%m/%Y}",
            reason=reason.strip(),
        )
        sent = _write_to(membership, grouping, None, actor, now, today, until) if changed else 0
    return reopening, sent
