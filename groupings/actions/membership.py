"""Who takes part, and what each needs."""

from datetime import date
from decimal import Decimal

from django.db import transaction
from djmoney.money import Money

from groupings.choices import GroupingStatus
from groupings.models import Deliberation, Grouping, Lot, Membership, NeedLine
from groupings.rules.needs import whole_amount
from members.models import Organisation
from members.roles import may, require
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.record import delete_recorded, save_recorded
from procurement.core.money import format_euros


def membership_add(
    *,
    grouping: Grouping,
    organisation: Organisation,
    joined_on: date,
    actor: Actor,
    contact: Membership | None = None,
) -> Membership:
    """Add a member, with the deliberation it will have to pass; ``contact``: the membership whose contact it keeps.

    Refused once the tender has started: a member who joins later cannot benefit from it (rép. min. n° 100136 du
    17/05/2011), and the composition is then frozen.
    """
    require(actor, "grouping.change", organisation_id=grouping.coordinator_id)
    if organisation.root_id != grouping.territory_id:
        raise BusinessError("Cet organisme n’est pas dans votre annuaire.", field="organisation")
    membership = Membership(grouping=grouping, organisation=organisation, joined_on=joined_on)
    if contact is not None:
        for name in ("contact_name", "contact_email", "contact_phone"):
            setattr(membership, name, getattr(contact, name))
    with transaction.atomic():
        now = Grouping.objects.select_for_update().get(pk=grouping.pk)  # the launch waits, or has won
        if now.is_launched:
            raise BusinessError(
                f"La consultation est lancée depuis le {now.launched_on:%d/%m/%Y}\u00a0: un nouveau membre ne peut "
                "plus en bénéficier (réponse ministérielle n° 100136 du 17/05/2011).",
                field="organisation",
            )
        save_recorded(
            membership, actor=actor, verb="membership.add", sentence=f"{organisation.name} rejoint le groupement"
        )
        is_coordinator = organisation.pk == grouping.coordinator_id
        purpose = Deliberation.Purpose.CONVENTION if is_coordinator else Deliberation.Purpose.MEMBERSHIP
        Deliberation.objects.create(membership=membership, purpose=purpose)
    return membership


def require_needs(membership: Membership, actor: Actor) -> None:
    """The coordinator's buyers write for every member, a member's people for their own body."""
    if not may(actor, "grouping.change", organisation_id=membership.grouping.coordinator_id):
        require(actor, "needs.change", organisation_id=membership.organisation_id)


def membership_save(*, membership: Membership, actor: Actor) -> Membership:
    """Change a member's contact or dates. Withdrawing the coordinator is refused.

    The member's own agents keep its contact; joining and withdrawing are recorded by the coordinator's people, on the
    strength of a deliberation.
    """
    require_needs(membership, actor)
    grouping = membership.grouping
    stored = Membership.objects.get(pk=membership.pk)
    if (membership.joined_on, membership.withdrawn_on) != (stored.joined_on, stored.withdrawn_on):
        require(actor, "grouping.change", organisation_id=grouping.coordinator_id)
    if membership.withdrawn_on and membership.organisation_id == grouping.coordinator_id:
        raise BusinessError(
            "Le coordonnateur est partie à la convention\u00a0: désignez-en un autre avant son retrait.",
            field="withdrawn_on",
        )
    save_recorded(
        membership,
        actor=actor,
        verb="membership.withdraw" if membership.withdrawn_on else "membership.change",
        sentence=(
            f"{membership.organisation.name} se retire le {membership.withdrawn_on:%d/%m/%Y}"
            if membership.withdrawn_on
            else f"Adhésion de {membership.organisation.name} modifiée"
        ),
    )
    return membership


def need_set(
    *,
    membership: Membership,
    lot: Lot,
    amount: Decimal | None,
    actor: Actor,
    quantity: Decimal | None = None,
    unit: str = "",
) -> NeedLine | None:
    """Set a member's need for a lot: € excl. tax over the whole duration, quantity where known.

    Everything unknown removes the line: unknown is not zero. A yearly amount told before, which would say otherwise, is
    forgotten. Raises ValidationError (negative amount, lot of another
    grouping) or BusinessError once the tender has started.
    """
    require_needs(membership, actor)
    with transaction.atomic():
        grouping = Grouping.objects.select_for_update().get(pk=membership.grouping_id)  # the launch counts the needs
        if grouping.status == GroupingStatus.CANCELLED:
            raise BusinessError("Les besoins ne changent plus\u00a0: ce groupement est abandonné.")
        if grouping.is_launched:
            raise BusinessError("Les besoins ne changent plus\u00a0: la consultation est lancée.")
        line = NeedLine.objects.select_for_update().filter(membership=membership, lot=lot).first()
        if amount is None and quantity is None:
            if line:
                delete_recorded(line, actor=actor, verb="need.remove", sentence=f"Besoin retiré, lot {lot.number}")
            return None
        line = line or NeedLine(membership=membership, lot=lot)
        line.estimated_amount_excl_tax = None if amount is None else Money(amount, "EUR")
        yearly = line.yearly_amount_excl_tax
        if yearly is not None and (amount is None or whole_amount(yearly.amount, grouping.total_months) != amount):
            line.yearly_amount_excl_tax = None
        line.quantity, line.unit = quantity, unit
        save_recorded(
            line,
            actor=actor,
            verb="need.set",
            sentence=(
                f"Besoin de {membership.organisation.name}, lot {lot.number}\u00a0: "
                f"{'montant inconnu' if amount is None else format_euros(amount) + ' HT'}"
            ),
        )
    return line
