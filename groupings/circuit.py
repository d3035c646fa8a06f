"""The circuit of signature of one version: who signs, in which order, where each stands. Read in a fixed number of
queries, by the page, the reminders and the actions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet, Value

from groupings.choices import SIGNATURE_BADGES, Badge, ConventionStatus
from groupings.conventions.assemble import member_values
from groupings.conventions.signing import decisions_of, decisions_sha256
from groupings.conventions.stored import party_sirens
from groupings.models import Convention, Deliberation, Membership, Signature, SigningCopy
from groupings.rules.signatures import Mandate, capacity_on
from members.models import Representative

#: The states in which a member whose act is enforceable may be given its copy and sign.
SIGNABLE = (ConventionStatus.FINAL, ConventionStatus.VOTES, ConventionStatus.SIGNATURE, ConventionStatus.IN_FORCE)


def signatures_of(convention: Convention) -> QuerySet:
    """The signatures of that version, and those of another version of the very same text."""
    same = Q(convention=convention)
    if convention.text_sha256:
        same |= Q(convention__grouping=convention.grouping_id, convention__text_sha256=convention.text_sha256)
    return Signature.objects.filter(same)


def signing_memberships(convention: Convention) -> QuerySet:
    """The active members that are parties to this text, by name, with ``is_signed``."""
    found = Membership.objects.active().filter(grouping=convention.grouping_id)
    if named := party_sirens(convention):
        found = found.filter(organisation__siren__in=named)
    signed = signatures_of(convention).filter(membership=OuterRef("pk"))
    # All signed a convention taken in as signed before the tool, whoever was told.
    is_signed = Value(True) if convention.is_prior else Exists(signed)
    return found.annotate(is_signed=is_signed).select_related("organisation", "grouping__coordinator")


def unsigned(convention: Convention) -> list[Membership]:
    """The parties who have not signed it. A signature without a version, that of a text kept outside, counts."""
    outside = Signature.objects.filter(convention__isnull=True).values("membership")
    return list(signing_memberships(convention).filter(is_signed=False).exclude(pk__in=outside))


def signed(convention: Convention) -> list[Membership]:
    """The parties who have signed this text."""
    return list(signing_memberships(convention).filter(is_signed=True))


def mandates(people: Sequence[Representative]) -> list[tuple[Representative, Mandate]]:
    """The executives of one body as the rules read them."""
    return [(person, Mandate(str(person), person.title, person.start_on, person.end_on)) for person in people]


def executive_on(people: Sequence[Representative], day: date) -> Representative | None:
    """Who signs for a body on ``day``: its head, else a deputy; the latest mandate when two overlap."""
    serving = [person for person, mandate in mandates(people) if mandate.covers(day)]
    heads = [person for person in serving if person.capacity == Representative.Capacity.HEAD]
    return max(heads or serving, key=lambda person: person.start_on, default=None)


def mandate_of(person: Representative, people: Sequence[Representative], day: date) -> tuple[Representative, Mandate]:
    """The mandate of that person on ``day``: a deputy who became head signs in the capacity of the day."""
    own = [
        (other, mandate)
        for other, mandate in mandates(people)
        if (other.first_name, other.last_name) == (person.first_name, person.last_name)
    ]
    chosen = capacity_on([mandate for _, mandate in own], day)
    return next((other, mandate) for other, mandate in own if mandate == chosen)


@dataclass
class Party:
    """One member of the circuit; ``signature`` and ``copy`` are None for what the reader may not see."""

    membership: Membership
    approval: Deliberation | None
    is_coordinator: bool
    is_own: bool
    waits_for_others: bool = False
    signature: Signature | None = None
    copy: SigningCopy | None = None
    signatory: Representative | None = None
    may_sign: bool = False
    decisions_sha256: str = ""
    current: Convention | None = None

    @property
    def is_signed(self) -> bool:
        return self.membership.is_signed

    @property
    def is_copy_outdated(self) -> bool:
        """Whether a decision, or who represents a body, changed since its copy was made: another is to be made."""
        return self.copy is not None and not self.is_signed and self.copy.made_from_sha256 != self.decisions_sha256

    @property
    def is_cleared(self) -> bool:
        return self.approval is not None and self.approval.is_cleared

    @property
    def is_next(self) -> bool:
        """Whether nothing but its own signature is waited for."""
        return not self.is_signed and self.is_cleared and not self.waits_for_others

    @property
    def voted_other_text(self) -> bool:
        voted = self.approval.convention if self.approval else None
        current = self.current
        return bool(voted and voted.text_sha256 and current.text_sha256 and voted.text_sha256 != current.text_sha256)

    @property
    def badge(self) -> Badge:
        if self.is_signed:
            return SIGNATURE_BADGES["signed"]
        if not self.is_cleared:
            return SIGNATURE_BADGES["awaits_act"]
        return SIGNATURE_BADGES["awaits_others" if self.waits_for_others else "to_sign"]


class Circuit:
    """The members in the order they sign, as ``affiliation`` may see them: the state of each is shared, the signature
    and the files are for the member itself and the coordinator's people."""

    def __init__(self, convention: Convention, affiliation, today: date):
        self.convention, self.affiliation, self.today = convention, affiliation, today

    @cached_property
    def parties(self) -> list[Party]:
        convention = self.convention
        approvals = Deliberation.objects.approvals().select_related("convention").defer("convention__values")
        memberships = list(
            signing_memberships(convention)
            .select_related("organisation__parent")
            .prefetch_related(
                Prefetch("deliberations", approvals, to_attr="decisions"), "organisation__representatives"
            )
            .order_by("organisation__sort_name", "pk")
        )
        signatures = {
            signature.membership_id: signature
            for signature in signatures_of(convention).filter(
                pk__in=Signature.objects.visible_to(self.affiliation).values("pk")
            )
        }
        copies = {
            copy.membership_id: copy
            for copy in SigningCopy.objects.visible_to(self.affiliation)
            .filter(convention=convention)
            .defer("made_from")
        }
        coordinator_id = convention.grouping.coordinator_id
        for membership in memberships:
            executive = executive_on(membership.organisation.representatives.all(), self.today)
            membership.organisation.in_office = [executive] if executive else []
        decisions = decisions_sha256(decisions_of([member_values(m) for m in memberships])) if copies else ""
        others = [m for m in memberships if m.organisation_id != coordinator_id and not m.is_signed]
        found = []
        for membership in memberships:
            is_coordinator = membership.organisation_id == coordinator_id
            found.append(
                Party(
                    membership,
                    approval=next(iter(membership.decisions), None),
                    is_coordinator=is_coordinator,
                    is_own=membership.organisation_id == self.affiliation.organisation_id,
                    waits_for_others=is_coordinator and convention.coordinator_signs_last and bool(others),
                    signature=signatures.get(membership.pk),
                    copy=copies.get(membership.pk),
                    signatory=next(iter(membership.organisation.in_office), None),
                    decisions_sha256=decisions,
                    current=convention,
                )
            )
        last = convention.coordinator_signs_last
        return sorted(found, key=lambda party: party.is_coordinator == last)

    def party(self, membership_pk: int) -> Party | None:
        return next((party for party in self.parties if party.membership.pk == membership_pk), None)

    @property
    def signed_count(self) -> int:
        return sum(party.is_signed for party in self.parties)

    @property
    def is_open(self) -> bool:
        """Whether copies are made and signatures recorded for this version."""
        return self.convention.status in SIGNABLE
