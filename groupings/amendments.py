"""Where an amendment stands, from the database: who votes, who signs, what its grouping allows."""

from dataclasses import dataclass, replace
from datetime import date

from groupings.amendment_choices import AmendmentKind
from groupings.choices import GroupingKind
from groupings.models import Amendment, AmendmentSignature, Award, Convention, Deliberation, Grouping, Membership
from groupings.rules import amendments as rules


@dataclass(frozen=True)
class Party:
    """One member in one amendment: its vote (None when it has none to pass), its signature (None until it signs)."""

    membership: Membership
    deliberation: Deliberation | None
    signature: AmendmentSignature | None
    signs: bool

    @property
    def may_sign_now(self) -> bool:
        return self.signs and self.signature is None and (self.deliberation is None or self.deliberation.is_cleared)


def situation(grouping: Grouping, convention: Convention | None, today: date) -> rules.Situation:
    """What the rule asks of the grouping, in two queries."""
    members = list(grouping.memberships.values_list("organisation_id", "withdrawn_on", "is_pending"))
    contracts = Award.objects.filter(lot__grouping=grouping, outcome="awarded", notified_on__isnull=False)
    ends = [award.ends_on for award in contracts if award.ends_on is not None and award.ends_on >= today]
    return rules.Situation(
        today=today,
        convention_status=convention.status if convention else "",
        is_permanent=grouping.kind == GroupingKind.PERMANENT,
        launched_on=grouping.launched_on,
        members=[key for key, gone, pending in members if gone is None and not pending],
        former=[key for key, gone, _ in members if gone is not None],
        coordinator=grouping.coordinator_id,
        coordinator_has_own_need=grouping.coordinator_has_own_need,
        notice_months=notice_months(convention),
        starts_on=_starts_on(grouping, convention),
        contracts_end_on=max(ends, default=None),
        title=grouping.title,
        months=(grouping.duration_months, grouping.extension_count, grouping.extension_months),
    )


def notice_months(convention: Convention | None) -> int:
    """The notice the frozen convention gives to a leaver of a permanent grouping (article 14.1)."""
    return int(convention.values.get("withdrawal_notice_months", 0)) if convention else 0


def _starts_on(grouping: Grouping, convention: Convention | None) -> date | None:
    """A permanent grouping lasts from its convention, an ad hoc one from the beginning of its contracts."""
    if grouping.kind == GroupingKind.PERMANENT:
        return grouping.convention_on
    return grouping.performance_planned_on


def refusal_of(amendment: Amendment, today: date) -> tuple[str, str]:
    """Why it is not possible now (sentence, field), as ``rules.amendments.refusal``."""
    grouping = amendment.grouping
    months = (
        amendment.new_duration_months or 0,
        amendment.new_extension_count or 0,
        amendment.new_extension_months or 0,
    )
    return rules.refusal(
        amendment.kind,
        situation(grouping, amendment.convention, today),
        body=amendment.organisation_id,
        effective_on=amendment.effective_on,
        title=amendment.new_title,
        months=months,
    )


def entering_refusal(amendment: Amendment, today: date) -> str:
    """Why a text voted and signed cannot take effect: the grouping is not what it was the day the text was frozen.

    The date asked for and the notice are those of the text: only what became untrue since is looked at again.
    """
    grouping = amendment.grouping
    if amendment.kind not in (AmendmentKind.JOIN, AmendmentKind.LEAVE):
        now = replace(situation(grouping, amendment.convention, today), title="", months=(0, 0, 0))
        months = (
            amendment.new_duration_months or 0,
            amendment.new_extension_count or 0,
            amendment.new_extension_months or 0,
        )
        sentence, _ = rules.refusal(
            amendment.kind, now, body=amendment.organisation_id, title=amendment.new_title, months=months
        )
        return sentence and f"{sentence} Abandonnez cet avenant."
    if grouping.is_launched and grouping.kind != GroupingKind.PERMANENT:
        return (
            f"La consultation est lancée depuis le {grouping.launched_on:%d/%m/%Y}\u00a0: la composition d’un "
            "groupement ponctuel ne change plus. Abandonnez cet avenant."
        )
    leaving = amendment.kind == AmendmentKind.LEAVE
    if leaving and amendment.organisation_id == grouping.coordinator_id:
        return "Cet organisme est devenu le coordonnateur\u00a0: il ne peut plus se retirer ainsi."
    if leaving and grouping.memberships.active().count() <= 2:
        return "Un groupement garde au moins deux membres (CCP, L2113-6)."
    return ""


def voting_bodies(amendment: Amendment) -> list[int]:
    """The organisations whose assembly votes it, as members stand now."""
    members = amendment.grouping.memberships.active().order_by("organisation__sort_name", "pk")
    return rules.voters(
        amendment.kind,
        is_permanent=amendment.grouping.kind == GroupingKind.PERMANENT,
        members=members.values_list("organisation_id", flat=True),
        body=amendment.organisation_id,
    )


def parties(amendment: Amendment) -> list[Party]:
    """Everybody who votes or signs it, by name, in three queries. Who left the grouping since is asked nothing more."""
    votes = amendment.votes.select_related("membership__organisation__parent", "session")
    by_membership = {vote.membership_id: vote for vote in votes}
    signatures = {signature.membership_id: signature for signature in amendment.signatures.all()}
    coordinator = amendment.grouping.coordinator_id
    memberships = amendment.grouping.memberships.select_related("organisation").order_by(
        "organisation__sort_name", "pk"
    )
    found = []
    for membership in memberships:
        membership.grouping = amendment.grouping
        vote, signature = by_membership.get(membership.pk), signatures.get(membership.pk)
        if vote is not None:
            vote.membership, vote.amendment = membership, amendment
        is_asked = not membership.is_gone and (vote is not None or membership.organisation_id == coordinator)
        if is_asked or signature is not None:
            found.append(Party(membership, vote, signature, is_asked))
    return found


def unvoted(amendment: Amendment) -> list[str]:
    """Names of those whose act is not enforceable yet."""
    return [
        party.membership.organisation.name
        for party in parties(amendment)
        if party.signs and party.deliberation is not None and not party.deliberation.is_cleared
    ]


def unsigned(amendment: Amendment) -> list[str]:
    """Names of those who have not signed."""
    return [
        party.membership.organisation.name for party in parties(amendment) if party.signs and party.signature is None
    ]


def effect_day(amendment: Amendment) -> date | None:
    """The day it takes effect, None while a signature is missing.

    Never on or before the launch for who joins or leaves: the tender was launched without the one, with the other.
    """
    everybody = parties(amendment)
    if any(party.signs and party.signature is None for party in everybody):
        return None
    signed_on = [party.signature.signed_on for party in everybody if party.signature is not None]
    is_permanent = amendment.grouping.kind == GroupingKind.PERMANENT
    has_notice = amendment.kind == AmendmentKind.LEAVE and is_permanent
    day = rules.takes_effect_on(
        effective_on=amendment.effective_on,
        signed_on=signed_on,
        decided_on=[p.deliberation.decided_on for p in everybody if p.deliberation and p.deliberation.decided_on],
        notice_months=notice_months(amendment.convention) if has_notice else 0,
    )
    if amendment.kind in (AmendmentKind.JOIN, AmendmentKind.LEAVE):
        return rules.after_launch(day, amendment.grouping.launched_on)
    return day
