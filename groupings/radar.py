"""What the radar watches: ends of contracts read in the surveys, in published data, and in what was awarded here."""

from collections.abc import Iterator
from datetime import date

from django.db.models import Exists, OuterRef, Prefetch

from groupings.choices import IN_PREPARATION
from groupings.models import Award, AwardHolder, AwardShare, ExternalContract, Grouping, Membership, NeedLine
from groupings.querysets import AwardQuerySet
from groupings.reference import cpv
from groupings.rules.radar import (
    AWARD,
    HORIZON_MONTHS,
    NEEDS,
    PUBLISHED,
    EndingContract,
    last_watched_day,
    yearly_amount,
)

ORIGINS = {NEEDS: "Recensement", PUBLISHED: "Données publiées", AWARD: "Marché du groupement"}


def division_label(division: str) -> str:
    """The French label of a CPV division; its digits alone when the list does not hold it."""
    code = f"{division}000000"
    return cpv.label(code) if cpv.is_known(code) else f"Division {division}"


def ending_contracts(affiliation, today: date, months: int = HORIZON_MONTHS) -> list[EndingContract]:
    """Those that end between today and the horizon, and that the person may see; eight queries at most.

    The coordinator's people see those of their whole territory, a member's people their own body's alone.
    """
    if affiliation is None:
        return []
    until = last_watched_day(today, months)
    own = None if affiliation.sees_whole_territory else affiliation.organisation_id
    found = [
        *_from_needs(affiliation, today, until),
        *_from_published(affiliation, today, until),
        *_from_awards(affiliation, today, until),
    ]
    return [contract for contract in found if own is None or contract.body == own]


def in_preparation(affiliation) -> dict[str, list[Grouping]]:
    """CPV division → the groupings of that division being prepared, which may already be the answer; one query."""
    found: dict[str, list[Grouping]] = {}
    for grouping in Grouping.objects.visible_to(affiliation).filter(status__in=IN_PREPARATION, is_declared_only=False):
        found.setdefault(grouping.cpv[:2], []).append(grouping)
    return found


def _from_needs(affiliation, today: date, until: date) -> Iterator[EndingContract]:
    lines = NeedLine.objects.visible_to(affiliation).filter(current_contract_ends_on__range=(today, until))
    for line in lines.select_related("membership__organisation", "lot__grouping"):
        grouping, body = line.lot.grouping, line.membership.organisation
        yield EndingContract(
            body=body.pk,
            body_name=body.name,
            cpv=line.lot.cpv or grouping.cpv,
            title=line.lot.title,
            supplier=line.current_supplier,
            ends_on=line.current_contract_ends_on,
            amount=None,
            yearly=line.yearly_amount_excl_tax.amount if line.yearly_amount_excl_tax is not None else None,
            origin=NEEDS,
            reference=grouping.reference,
            grouping=grouping.pk,
        )


def _from_published(affiliation, today: date, until: date) -> Iterator[EndingContract]:
    contracts = ExternalContract.objects.visible_to(affiliation).filter(ends_on__range=(today, until))
    # What a coordinator published of an award of ours is told by that award, member by member.
    ours = _notified().filter(lot__grouping__coordinator=OuterRef("organisation"), reference=OuterRef("reference"))
    contracts = contracts.exclude(Exists(ours))
    for contract in contracts.select_related("organisation"):
        amount = contract.amount_excl_tax.amount if contract.amount_excl_tax is not None else None
        yield EndingContract(
            body=contract.organisation_id,
            body_name=contract.organisation.name,
            cpv=contract.cpv,
            title=contract.title,
            supplier=contract.holders,
            ends_on=contract.ends_on,
            amount=amount,
            yearly=yearly_amount(amount, contract.duration_months),
            origin=PUBLISHED,
            reference=contract.reference,
        )


def _notified() -> AwardQuerySet:
    """The awards that are contracts, whose end is known."""
    return Award.objects.awarded().filter(notified_on__isnull=False, starts_on__isnull=False)


def _from_awards(affiliation, today: date, until: date) -> Iterator[EndingContract]:
    """One for each member that has a part, or for each present member when no part was entered."""
    shares = AwardShare.objects.visible_to(affiliation).select_related("membership__organisation")
    members = Membership.objects.visible_to(affiliation).active().select_related("organisation")
    awards = (
        _notified()
        .visible_to(affiliation)
        .filter(starts_on__lte=until)
        .select_related("lot__grouping")
        .prefetch_related(
            Prefetch("holders", AwardHolder.objects.visible_to(affiliation)),
            Prefetch("shares", shares),
            Prefetch("lot__grouping__memberships", members, to_attr="present"),
        )
    )
    for award in awards:
        if award.ends_on is None or not today <= award.ends_on <= until:
            continue
        grouping = award.lot.grouping
        parts = [(share.membership.organisation, share.amount_excl_tax.amount) for share in award.shares.all()]
        for body, amount in parts or [(membership.organisation, None) for membership in grouping.present]:
            yield EndingContract(
                body=body.pk,
                body_name=body.name,
                cpv=award.lot.cpv or grouping.cpv,
                title=award.lot.title,
                supplier=", ".join(holder.name for holder in award.holders.all()),
                ends_on=award.ends_on,
                amount=amount,
                yearly=yearly_amount(amount, award.total_months),
                origin=AWARD,
                reference=grouping.reference,
                grouping=grouping.pk,
            )
