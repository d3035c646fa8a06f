"""A survey of needs under way: members that answered, a draft, and those who have not begun."""

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random

from django.utils import timezone

from groupings.actions.needs import needs_submit
from groupings.actions.needs_draft import needs_draft_save
from groupings.demonstration.people import ACCOUNTS
from groupings.links import LinkActor
from groupings.models import Grouping, NeedsCampaign
from groupings.needs_prefill import entry_texts
from groupings.rules.needs import NeedEntry
from members.roles import Role
from procurement.core.actors import Actor

_SUPPLIERS = ("Exemple Télécom (fictif)", "Fictif Réseaux (fictif)", "Modèle Mobiles (fictif)")
_SECRETARY = next(body for _, _, _, role, body in ACCOUNTS if role == Role.MEMBER_AGENT)


def survey(grouping: Grouping, previous: Grouping, *, actor: Actor, random: Random, today: date) -> None:
    """Open the survey of ``grouping`` and let every other member of ``previous`` answer, between then and today."""
    opens_on = today - timedelta(days=20)
    NeedsCampaign.objects.create(
        grouping=grouping,
        opens_on=opens_on,
        instructions="Comptez les abonnements et les consommations, tablettes comprises, sans les terminaux.",
    )
    former = {
        (need.membership.organisation_id, need.lot.number): need.estimated_amount_excl_tax.amount
        for membership in previous.memberships.all()
        for need in membership.needs.select_related("lot", "membership")
    }
    numbers = list(grouping.lots.values_list("number", flat=True))
    for rank, membership in enumerate(grouping.memberships.select_related("organisation")):
        entries = {
            number: _entry(former.get((membership.organisation_id, number)), random, today) for number in numbers
        }
        if membership.organisation.name == _SECRETARY or rank % 2:
            continue
        own = LinkActor(membership)
        if rank == 4:
            lines = {str(number): entry_texts(entry) for number, entry in entries.items()}
            needs_draft_save(membership=membership, lines=lines, actor=own, today=today)
            continue
        day = opens_on + timedelta(days=random.randint(1, 18))
        now = timezone.make_aware(datetime.combine(day, time(10, random.randint(0, 59))))
        needs_submit(membership=membership, entries=entries, actor=own, now=now)


def _entry(amount: Decimal | None, random: Random, today: date) -> NeedEntry:
    """Of the same order as the former need; some amounts are unknown, and quantities are lines in use."""
    if amount is None:
        return NeedEntry(has_no_need=True)
    yearly = (amount / 4 * random.randint(90, 120) / 1000).quantize(Decimal(1)) * 10
    lines = max(2, int(yearly / 180))
    return NeedEntry(
        yearly_amount=None if random.random() < 0.15 else yearly,
        quantity=Decimal(lines),
        unit="ligne",
        unit_price=Decimal(random.randint(900, 1900)) / 100,
        supplier=random.choice(_SUPPLIERS),
        contract_ends_on=today + timedelta(days=random.randint(60, 500)),
    )
