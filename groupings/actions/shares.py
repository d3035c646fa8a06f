"""The part of each member in an awarded lot: proposed from the needs, adjusted by hand, always the lot to the cent."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.core.exceptions import ValidationError
from django.db import transaction
from djmoney.money import Money

from groupings.models import Award, AwardShare, Grouping, Membership, NeedLine
from groupings.rules.shares import MemberNeed, Proposal, gap_sentence, propose, spread_rest
from members.roles import require
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.record import record
from procurement.core.money import ZERO, format_euros


@dataclass(frozen=True)
class ShareEntry:
    """One member's part, € excl. tax; ``is_adjusted``: fixed by hand, a later proposal leaves it."""

    amount: Decimal
    is_adjusted: bool = False


def needs_of(award: Award) -> list[MemberNeed]:
    """What the members bound by the purchase said of that lot; ``key`` is the membership's number."""
    lines = (
        NeedLine.objects.active()
        .filter(lot=award.lot)
        .select_related("membership__organisation")
        .order_by("membership__organisation__sort_name", "membership")
    )
    return [
        MemberNeed(
            key=line.membership_id,
            name=line.membership.organisation.name,
            amount=None if line.estimated_amount_excl_tax is None else line.estimated_amount_excl_tax.amount,
            quantity=line.quantity,
            unit=line.unit,
        )
        for line in lines
    ]


def shares_proposed(award: Award) -> Proposal:
    """The parts the needs give; raises BusinessError for a lot that is not awarded."""
    if not award.is_awarded or award.value is None:
        raise BusinessError("Seul un lot attribué se répartit entre les membres.")
    return propose(award.value, needs_of(award))


def weights_of(needs: list[MemberNeed], basis: str) -> dict[int, Decimal | None]:
    """The key of each member, by what the proposal was made on."""
    return {need.key: need.quantity if basis == "quantity" else need.amount for need in needs}


def shares_save(
    *, award: Award, parts: Mapping[int, ShareEntry], actor: Actor, expected_version: int
) -> list[AwardShare]:
    """Record the parts (membership number → part) of an awarded lot: together, exactly the lot.

    Raises NotAllowed; BusinessError with the difference to the cent; ValidationError by ``part_<membership>``. The
    members that are not bound by the purchase have none, those that expressed a need have one, 0 € included.
    """
    grouping = award.consultation.grouping
    require(actor, "grouping.change", organisation_id=grouping.coordinator_id)
    with transaction.atomic():
        Grouping.objects.select_for_update().get(pk=grouping.pk)  # neither a withdrawal nor a decision slips in between
        stored = Award.objects.select_for_update().get(pk=award.pk)
        if stored.version != expected_version:
            raise BusinessError(
                "Cette attribution a été modifiée entre-temps par une autre personne\u00a0: comparez, puis enregistrez."
            )
        if not stored.is_awarded or stored.value is None:
            raise BusinessError("Seul un lot attribué se répartit entre les membres.")
        _check_members(award, grouping, parts)
        amounts = [entry.amount for entry in parts.values()]
        if refusal := gap_sentence(stored.value, amounts):
            raise BusinessError(refusal)
        told = f"Lot {award.lot.number} réparti entre {len(parts)} membres, {format_euros(stored.value)} HT"
        if _replace(stored, parts, actor, told):
            Award.objects.filter(pk=stored.pk).update(version=stored.version + 1)
    return list(award.shares.all())


def _check_members(award: Award, grouping: Grouping, parts: Mapping[int, ShareEntry]) -> None:
    members = {m.pk: m for m in grouping.memberships.select_related("organisation")}
    if set(parts) - set(members):
        raise BusinessError("Une part est celle d’un membre du groupement.")
    refusals = {}
    for pk, entry in parts.items():
        if not members[pk].is_bound:
            raise BusinessError(f"{members[pk].organisation.name} ne participe plus au groupement\u00a0: pas de part.")
        if entry.amount < 0:
            refusals[f"part_{pk}"] = "Une part ne peut pas être négative."
    needing = set(NeedLine.objects.active().filter(lot=award.lot).values_list("membership", flat=True))
    for pk in needing - set(parts):
        refusals[f"part_{pk}"] = f"Indiquez la part de {members[pk].organisation.name}\u202f; 0 s’il n’en a pas."
    if refusals:
        raise ValidationError(refusals)


def shares_follow_value(award: Award, actor: Actor) -> str:
    """After a decision changed: the parts add up to the new value, or there are none. Returns what was done.

    Those adjusted by hand stay where the rest can still be spread; else all are proposed again from the needs; else,
    a need being unknown, they are removed for somebody to type them.
    """
    shares = list(award.shares.all())
    if not shares:
        return ""
    if award.is_awarded and award.value == sum((share.amount_excl_tax.amount for share in shares), ZERO):
        return ""
    if not award.is_awarded or award.value is None:
        told = "Les parts des membres sont retirées"
        _replace(award, {}, actor, f"Lot {award.lot.number}, parts des membres retirées")
        return f"{told}."
    active = set(award.consultation.grouping.memberships.bound().values_list("pk", flat=True))
    needs = needs_of(award)
    proposal = propose(award.value, needs)
    fixed = [share for share in shares if share.is_adjusted and share.membership_id in active]
    adjusted = {share.membership_id: share.amount_excl_tax.amount for share in fixed}
    parts = _kept(award.value, adjusted, needs, proposal)
    if parts is None:
        _replace(award, {}, actor, f"Lot {award.lot.number}, parts des membres retirées\u00a0: la valeur a changé")
        return f"Les parts des membres sont à répartir de nouveau. {proposal.sentence}"
    _replace(award, parts, actor, f"Lot {award.lot.number}, parts proposées de nouveau\u00a0: la valeur a changé")
    return "Les parts des membres ont été proposées de nouveau\u00a0: vérifiez-les."


def _kept(
    value: Decimal, adjusted: Mapping[int, Decimal], needs: list[MemberNeed], proposal: Proposal
) -> dict[int, ShareEntry] | None:
    if adjusted:
        weights = {key: weight for key, weight in weights_of(needs, proposal.basis).items() if key not in adjusted}
        try:
            rest = spread_rest(value, adjusted, weights)
        except ValueError:
            rest = None
        if rest is not None:
            kept = {key: ShareEntry(amount, is_adjusted=True) for key, amount in adjusted.items()}
            return kept | {key: ShareEntry(amount) for key, amount in rest.items()}
    if not proposal.is_complete:
        return None
    return {key: ShareEntry(amount) for key, amount in proposal.parts.items()}


def _replace(award: Award, parts: Mapping[int, ShareEntry], actor: Actor, sentence: str) -> bool:
    """Write the parts as a whole, with one line in the journal for the coordinator's people; False when unchanged."""
    stored = {share.membership_id: share for share in award.shares.all()}
    before = {pk: (share.amount_excl_tax.amount, share.is_adjusted) for pk, share in stored.items()}
    after = {pk: (entry.amount, entry.is_adjusted) for pk, entry in parts.items()}
    if before == after:
        return False
    award.shares.exclude(membership__in=parts).delete()
    memberships = Membership.objects.in_bulk(list(parts))
    for pk, entry in parts.items():
        share = stored.get(pk) or AwardShare(award=award, membership=memberships[pk])
        share.amount_excl_tax, share.is_adjusted = Money(entry.amount, "EUR"), entry.is_adjusted
        share.full_clean()
        share.save()
    thread, territory_id, _ = award.journal_scope
    record(
        actor=actor,
        territory_id=territory_id,
        thread=thread,
        concerns_id=award.consultation.grouping.coordinator_id,  # a member reads its own part, not the others'
        verb="award.share",
        sentence=sentence,
        before={str(pk): str(amount) for pk, (amount, _) in before.items()},
        after={str(pk): str(amount) for pk, (amount, _) in after.items()},
    )
    return True
