"""From the database to the values a convention prints, in a fixed number of queries."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from django.db.models import Prefetch, Q, QuerySet

from groupings.choices import IN_FORCE, DeliberationStatus
from groupings.conventions.values import (
    CommitteeSeatValues,
    ConventionValues,
    DeliberationValues,
    LotValues,
    MemberValues,
    MilestoneValues,
    NeedValues,
    RepresentativeValues,
    share_fees,
)
from groupings.models import Deliberation, Grouping, Membership, NeedLine
from groupings.reference import cpv
from groupings.rules.courts import administrative_court, department_of
from groupings.rules.legal_basis import legal_basis_on
from members.models import Organisation, Representative
from procurement.core.calendar import add_months
from procurement.core.errors import BusinessError


def assemble(grouping: Grouping, *, version: int) -> ConventionValues:
    """The values of the grouping's convention as they stand. Amounts are € excl. tax over the whole duration.

    The law is that of the date the convention bears: ``convention_on``, else the date its votes are expected, else its
    opening. A deliberation not adopted is « à venir ». Raises BusinessError when no law of the table covers that date,
    or when the fees have no possible key.
    """
    as_of = grouping.convention_on or grouping.deliberations_due_on or grouping.opened_on
    memberships = _memberships(grouping, as_of)
    members = tuple(member_values(membership) for membership in memberships)
    lots = tuple(LotValues(lot.number, lot.title) for lot in grouping.lots.all())
    needs = _needs(grouping)
    try:
        basis = legal_basis_on(as_of)
        fees = share_fees(
            grouping.fee_rule,
            base=_amount(grouping.fee_base),
            ceiling=_amount(grouping.fee_ceiling),
            members=members,
            needs=needs,
        )
    except (LookupError, ValueError) as error:
        raise BusinessError(str(error)) from None
    return ConventionValues(
        reference=grouping.reference,
        title=grouping.title,
        version=version,
        as_of=as_of,
        category=grouping.category,
        kind=grouping.kind,
        legal_vehicle=grouping.legal_vehicle,
        integration_level=grouping.integration_level,
        duration_months=grouping.duration_months,
        extension_count=grouping.extension_count,
        extension_months=grouping.extension_months,
        cpv_code=grouping.cpv,
        cpv_label=cpv.label(grouping.cpv),
        coordinator_siren=grouping.coordinator.siren,
        coordinator_has_own_need=grouping.coordinator_has_own_need,
        statutes_clause_ref=grouping.statutes_clause_ref,
        members=members,
        lots=lots,
        needs=needs,
        fees=fees,
        committee_mode=grouping.tender_committee_mode,
        committee=tuple(CommitteeSeatValues(member.siren) for member in members)
        if grouping.tender_committee_mode == "SPECIFIC"
        else (),
        calendar=_calendar(grouping),
        legal_basis=basis,
        court=administrative_court(_department(grouping.coordinator)),
        notes=_notes(grouping, memberships),
    )


def members_on(grouping: Grouping, day: date) -> tuple[MemberValues, ...]:
    """The active members with their decisions as they stand and who represents them on ``day``, coordinator first."""
    return tuple(member_values(membership) for membership in _memberships(grouping, day))


def undecided_values(grouping: Grouping, memberships: QuerySet[Membership], as_of: date) -> dict[int, MemberValues]:
    """Each of ``memberships`` as a convention names it on that day, without its decision, by organisation."""
    found = _memberships(grouping, as_of, memberships)
    return {
        m.organisation_id: replace(member_values(m), deliberation=None, is_deliberation_waived=False) for m in found
    }


def _memberships(grouping: Grouping, as_of: date, among: QuerySet[Membership] | None = None) -> list[Membership]:
    """The active members, coordinator first, each with who signed for it on that day and its decision to join."""
    in_office = Representative.objects.in_office(as_of).select_related("organisation")
    decisions = Deliberation.objects.approvals()
    memberships = (
        (grouping.memberships.active() if among is None else among)
        .select_related("organisation__parent")
        .prefetch_related(
            Prefetch("organisation__representatives", in_office, to_attr="in_office"),
            Prefetch("deliberations", decisions, to_attr="decisions"),
        )
        .order_by("organisation__sort_name", "pk")
    )
    return sorted(memberships, key=lambda membership: membership.organisation_id != grouping.coordinator_id)


def member_values(membership: Membership) -> MemberValues:
    """One member, its approval prefetched as ``decisions`` and who is in office as ``organisation.in_office``."""
    organisation, body = membership.organisation, membership.organisation.body
    decision = membership.decisions[0] if membership.decisions else None
    return MemberValues(
        siren=organisation.siren,
        name=organisation.name,
        kind=organisation.kind,
        of_assembly=body.of_assembly,
        executive_title=body.head[0],
        siret=organisation.siret,
        address=_address(organisation),
        city=organisation.city
        or (organisation.parent.name if organisation.kind == "ccas" and organisation.parent else ""),
        contact=", ".join(filter(None, (membership.contact_name, membership.contact_email, membership.contact_phone))),
        population=organisation.population,
        representative=_representative(organisation),
        deliberation=DeliberationValues(
            number=decision.number,
            voted_on=decision.decided_on,
            executory_on=decision.executory_on,
            taken_by=decision.kind,
        )
        if decision and decision.status in IN_FORCE
        else None,
        is_deliberation_waived=bool(decision and decision.status == DeliberationStatus.NOT_REQUIRED),
    )


def _address(organisation: Organisation) -> str:
    town = " ".join(filter(None, (organisation.postcode, organisation.city)))
    return ", ".join(filter(None, (organisation.address, town)))


def _representative(organisation: Organisation) -> RepresentativeValues | None:
    """The head of the body, else a deputy; the latest mandate when two overlap."""
    for person in organisation.in_office:
        return RepresentativeValues(
            civility=person.get_civility_display(),
            name=f"{person.first_name} {person.last_name}",
            title=organisation.body.title(person.capacity, feminine=person.civility == Representative.Civility.MRS),
        )
    return None


def _needs(grouping: Grouping) -> tuple[NeedValues, ...]:
    """Every known amount; an unknown one is absent, never zero."""
    lines = (
        NeedLine.objects.active()
        .filter(Q(estimated_amount_excl_tax__isnull=False), membership__grouping=grouping)
        .order_by("lot__number", "membership__organisation__siren")
        .values_list("membership__organisation__siren", "lot__number", "estimated_amount_excl_tax")
    )
    return tuple(NeedValues(siren, lot, amount) for siren, lot, amount in lines)


def _calendar(grouping: Grouping) -> tuple[MilestoneValues, ...]:
    starts_on = grouping.performance_planned_on
    ends_on = add_months(starts_on, grouping.total_months) - timedelta(days=1) if starts_on else None
    return (
        MilestoneValues("needs", grouping.needs_due_on),
        MilestoneValues("deliberations", grouping.deliberations_due_on),
        MilestoneValues("launch", grouping.launch_planned_on),
        MilestoneValues("notification", grouping.award_planned_on),
        MilestoneValues("performance", starts_on),
        MilestoneValues("end", ends_on),
    )


def _department(coordinator: Organisation) -> str:
    """Where the coordinator sits: by its address, its INSEE code, else that of the communes it gathers."""
    commune = coordinator.children.exclude(insee_code="").values_list("insee_code", flat=True).first()
    return department_of(coordinator.postcode, coordinator.insee_code, commune or "")


def _notes(grouping: Grouping, memberships: list[Membership]) -> tuple[str, ...]:
    """What a reader must know of demonstration data; nothing for real ones."""
    notes = []
    if grouping.source:
        notes.append(f"Données de démonstration, sans valeur juridique. Source des montants\u00a0: {grouping.source}.")
    fictitious = [m.organisation.name for m in memberships if m.organisation.is_fictitious]
    if fictitious:
        notes.append(f"SIREN fictif\u00a0: {', '.join(fictitious)}.")
    return tuple(notes)


def _amount(money) -> Decimal | None:
    return None if money is None else money.amount
