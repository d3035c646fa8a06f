"""The one gate of reading in groupings, and the annotated rows its screens share.

The coordinator's people see every grouping of their territory. A member's people see the groupings they are members
of, the shared status of the others, and only their own needs.
"""

from datetime import date

from django.db import models
from django.db.models import Case, Count, Exists, F, OuterRef, Prefetch, Q, Subquery, When
from django.db.models.functions import Coalesce

from groupings.choices import AWAITING_VOTE, IN_FORCE
from procurement.core.querysets import money_subquery

#: The purposes by which a member enters the grouping; ``Deliberation.APPROVALS``, which this file cannot import.
APPROVALS = ("convention", "membership")


def _territory(prefix: str, affiliation) -> Q:
    territory = affiliation.territory_id
    return Q(**{f"{prefix}coordinator_id": territory}) | Q(**{f"{prefix}coordinator__territory_id": territory})


def visible_groupings(prefix: str, affiliation) -> Q:
    """The condition on a row whose grouping is at ``prefix`` ("", "grouping__", "convention__grouping__"…)."""
    from groupings.models import Membership

    if affiliation is None:
        return Q(pk__in=[])
    if affiliation.sees_whole_territory:
        return _territory(prefix, affiliation)
    own = Membership.objects.filter(organisation_id=affiliation.organisation_id)
    grouping_id = f"{prefix}id__in" if prefix else "pk__in"
    taking_part = Q(**{grouping_id: own.values("grouping_id")})
    return _territory(prefix, affiliation) & (taking_part | coordinated_by(prefix, affiliation))


def bound(prefix: str) -> Q:
    """The condition on a row whose membership is at ``prefix`` ("", "membership__"): it takes part in the purchase.

    ``rules.amendments.is_bound`` in SQL: a member today until the tender is launched; once it is, those who were
    members at the launch, whoever left since (rép. min. n° 100136 du 17/05/2011; article 14.2 of the convention).
    """
    launched = f"{prefix}grouping__launched_on"
    staying = Q(**{f"{prefix}withdrawn_on__isnull": True})
    before = Q(**{f"{launched}__isnull": True}) & staying
    left_since = Q(**{f"{prefix}withdrawn_on__gt": F(launched)})
    there = Q(**{f"{prefix}joined_on__isnull": True}) | Q(**{f"{prefix}joined_on__lte": F(launched)})
    after = Q(**{f"{launched}__isnull": False}) & there & (staying | left_since)
    return Q(**{f"{prefix}is_pending": False}) & (before | after)


def coordinated_by(prefix: str, affiliation) -> Q:
    return Q(**{f"{prefix}coordinator_id": affiliation.organisation_id})


def own_rows(organisation: str, prefix: str, affiliation) -> Q:
    """Nothing more for the coordinator's people; for a member's, the rows of its own organisation and those of the
    groupings it coordinates itself."""
    if affiliation is None or affiliation.sees_whole_territory:
        return Q()
    return Q(**{organisation: affiliation.organisation_id}) | coordinated_by(prefix, affiliation)


def visible_clauses(affiliation) -> Q:
    """The condition on a row of the clause library: only the people of the body that coordinates read it."""
    if affiliation is None or not affiliation.sees_whole_territory:
        return Q(pk__in=[])
    return Q(territory_id=affiliation.territory_id)


class GroupingQuerySet(models.QuerySet):
    def visible_to(self, affiliation) -> "GroupingQuerySet":
        return self.filter(visible_groupings("", affiliation))

    def with_told_procedure(self, affiliation) -> "GroupingQuerySet":
        """Adds is_procedure_told: the latest convention counts the affiliation's body among its parties, so that its
        annex tells it the total."""
        from groupings.models import Convention

        siren = affiliation.organisation.siren if affiliation else ""
        latest = Convention.objects.filter(grouping=OuterRef("pk")).order_by("-version")
        party = latest.annotate(is_party=Q(values__members__icontains=f'"{siren}"')).values("is_party")
        return self.annotate(is_procedure_told=Subquery(party[:1]))

    def open_in(self, year: int) -> "GroupingQuerySet":
        """Followed at some moment of that civil year; declared-only and abandoned ones are not counted."""
        return self.filter(
            Q(closed_on__isnull=True) | Q(closed_on__gte=date(year, 1, 1)),
            opened_on__lte=date(year, 12, 31),
            is_declared_only=False,
        ).exclude(status="cancelled")

    def with_figures(self) -> "GroupingQuerySet":
        """Adds member_count, executory_count (members whose act is enforceable) and estimated_total (€ excl. tax)."""
        from groupings.models import NeedLine

        active = Q(memberships__withdrawn_on__isnull=True, memberships__is_pending=False)
        executory = Q(
            memberships__deliberations__purpose__in=APPROVALS,
            memberships__deliberations__status__in=IN_FORCE,
            memberships__deliberations__received_on__isnull=False,
            memberships__deliberations__published_on__isnull=False,
        )
        needs = NeedLine.objects.active()
        return self.annotate(
            member_count=Count("memberships", filter=active, distinct=True),
            executory_count=Count("memberships", filter=active & executory, distinct=True),
            estimated_total=money_subquery(needs, "estimated_amount_excl_tax", outer="membership__grouping"),
        )


class OfGroupingQuerySet(models.QuerySet):
    """Rows every member of the grouping may see: lots, conventions."""

    def visible_to(self, affiliation) -> "OfGroupingQuerySet":
        return self.filter(visible_groupings("grouping__", affiliation))


class OfConventionQuerySet(models.QuerySet):
    """Rows every member of the grouping may see: the remarks on a version."""

    def visible_to(self, affiliation) -> "OfConventionQuerySet":
        return self.filter(visible_groupings("convention__grouping__", affiliation))


class FrozenOfGroupingQuerySet(OfGroupingQuerySet):
    """The same, never changed in bulk: what is approved is replaced."""

    def update(self, **kwargs):
        raise TypeError("Une pièce arrêtée ne se modifie pas.")

    update.alters_data = True

    def delete(self):
        raise TypeError("Une pièce arrêtée ne se supprime pas.")

    delete.alters_data = True


class MembershipQuerySet(models.QuerySet):
    def visible_to(self, affiliation) -> "MembershipQuerySet":
        """All the memberships of a visible grouping: who takes part and where each stands is shared."""
        return self.filter(visible_groupings("grouping__", affiliation))

    def active(self) -> "MembershipQuerySet":
        """Members today; a newcomer whose amendment is not in force is not one yet."""
        return self.filter(withdrawn_on__isnull=True, is_pending=False)

    def bound(self) -> "MembershipQuerySet":
        """Those who take part in the purchase: contracts, shares, orders."""
        return self.filter(bound(""))

    def silent(self) -> "MembershipQuerySet":
        """Those of whom nothing is known: no line that counts, and no answer. Who answered « no need » has answered."""
        return self.with_answer().filter(has_answer=False)

    def with_answer(self) -> "MembershipQuerySet":
        """Adds has_answer (to the survey of needs: a line that counts, or a submission), has_draft, has_submission."""
        from groupings.models import NeedLine, NeedsDraft, NeedsSubmission

        submissions = Exists(NeedsSubmission.objects.filter(membership=OuterRef("pk")))
        return self.annotate(
            has_answer=submissions | Exists(NeedLine.objects.filter(membership=OuterRef("pk"))),
            has_submission=submissions,
            has_draft=Exists(NeedsDraft.objects.filter(membership=OuterRef("pk"))),
        )

    def with_approval(
        self, today: date, *, with_sessions: bool = True, with_texts: bool = False
    ) -> "MembershipQuerySet":
        """What the launch depends on, in three queries: ``votes`` (the approval and its session), ``has_needs``,
        ``signed_on``, and the body's coming sessions as ``organisation.coming`` unless told not to. ``with_texts``:
        the votes say which text they approve (``with_text_voted``)."""
        from groupings.models import Convention, Deliberation, NeedLine, Signature
        from members.models import CouncilSession

        signatures = Signature.objects.filter(membership=OuterRef("pk")).order_by("-signed_on")
        # A convention taken in as signed before the tool binds all its members, told or not who signed for them.
        prior = Convention.objects.filter(grouping=OuterRef("grouping"), origin="prior", status="in_force")
        coming = CouncilSession.objects.filter(meeting_on__gte=today)
        votes = Deliberation.objects.approvals().select_related("session", "amendment")
        votes = votes.with_text_voted() if with_texts else votes
        approved = (
            self.select_related("organisation__parent")
            .annotate(
                has_needs=Exists(NeedLine.objects.filter(membership=OuterRef("pk"))),
                signed_on=Coalesce(
                    Subquery(signatures.values("signed_on")[:1]), Subquery(prior.values("signed_on")[:1])
                ),
            )
            .prefetch_related(Prefetch("deliberations", votes, to_attr="votes"))
        )
        if not with_sessions:
            return approved
        return approved.prefetch_related(Prefetch("organisation__sessions", coming, to_attr="coming"))


class NeedLineQuerySet(models.QuerySet):
    def visible_to(self, affiliation) -> "NeedLineQuerySet":
        """A member sees its own needs, never the others'."""
        return self.filter(
            visible_groupings("membership__grouping__", affiliation),
            own_rows("membership__organisation_id", "membership__grouping__", affiliation),
        )

    def active(self) -> "NeedLineQuerySet":
        """Those of the purchase."""
        return self.filter(bound("membership__"))


class DeliberationQuerySet(models.QuerySet):
    def visible_to(self, affiliation) -> "DeliberationQuerySet":
        return self.filter(visible_groupings("membership__grouping__", affiliation))

    def about(self, affiliation) -> "DeliberationQuerySet":
        """Those the affiliation must act on: its own, or all of them for the coordinator's people."""
        return self.visible_to(affiliation).filter(
            own_rows("membership__organisation_id", "membership__grouping__", affiliation)
        )

    def approvals(self) -> "DeliberationQuerySet":
        """Those the launch waits for: one per member."""
        return self.filter(purpose__in=APPROVALS)

    def on_amendments(self) -> "DeliberationQuerySet":
        """Those an amendment waits for, whatever the stage of its grouping; a newcomer's is also its approval."""
        return self.filter(amendment__status="votes", membership__withdrawn_on__isnull=True)

    def awaiting_vote(self) -> "DeliberationQuerySet":
        return self.filter(status__in=AWAITING_VOTE, membership__withdrawn_on__isnull=True)

    def awaiting_effect(self) -> "DeliberationQuerySet":
        """Adopted, and not yet enforceable: to transmit, to publish, or waiting for the receipt."""
        return self.filter(
            Q(received_on__isnull=True) | Q(published_on__isnull=True),
            status__in=IN_FORCE,
            membership__withdrawn_on__isnull=True,
        )

    def cleared(self) -> "DeliberationQuerySet":
        """Enforceable, or without any vote required: nothing more is waited for but the signature."""
        enforceable = Q(status__in=IN_FORCE, received_on__isnull=False, published_on__isnull=False)
        return self.filter(enforceable | Q(status="not_required"))

    def late(self, today: date) -> "DeliberationQuerySet":
        """Not voted while the grouping's date for enforceable acts has passed."""
        return self.awaiting_vote().filter(membership__grouping__deliberations_due_on__lt=today)

    def with_text_voted(self) -> "DeliberationQuerySet":
        """Adds voted_version and current_version (numbers, or None), and voted_other_text: the act in force approves
        a text that is no longer that of the convention."""
        from groupings.models import Convention

        current = Convention.objects.filter(grouping=OuterRef("membership__grouping")).exclude(status="superseded")
        same = Convention.objects.filter(pk=OuterRef("convention"), text_sha256=OuterRef("current_text"))
        return self.annotate(
            voted_version=F("convention__version"),
            current_version=models.Subquery(current.values("version")[:1]),
            current_text=models.Subquery(current.values("text_sha256")[:1]),
            voted_other_text=Case(
                When(
                    Q(status__in=IN_FORCE, convention__isnull=False, current_text__isnull=False) & ~Exists(same),
                    then=True,
                ),
                default=False,
                output_field=models.BooleanField(),
            ),
        )

    def with_next_session(self, today: date) -> "DeliberationQuerySet":
        """Adds next_session_on: the body's next known meeting, today included."""
        from members.models import CouncilSession

        upcoming = CouncilSession.objects.filter(
            organisation=OuterRef("membership__organisation"), meeting_on__gte=today
        ).order_by("meeting_on")
        return self.annotate(next_session_on=models.Subquery(upcoming.values("meeting_on")[:1]))


class OfDeliberationQuerySet(models.QuerySet):
    """Rows that only the member itself and the coordinator's people see: files, attempts, proposals."""

    def visible_to(self, affiliation) -> "OfDeliberationQuerySet":
        return self.filter(
            visible_groupings("deliberation__membership__grouping__", affiliation),
            own_rows("deliberation__membership__organisation_id", "deliberation__membership__grouping__", affiliation),
        )


class OwnMembershipQuerySet(models.QuerySet):
    """Rows of a membership that only the member itself and the coordinator's people see: drafts, links, signatures."""

    def visible_to(self, affiliation) -> "OwnMembershipQuerySet":
        return self.filter(
            visible_groupings("membership__grouping__", affiliation),
            own_rows("membership__organisation_id", "membership__grouping__", affiliation),
        )


class FundCallQuerySet(OwnMembershipQuerySet):
    """A member reads its own calls; none is changed in bulk, nor removed."""

    def update(self, **kwargs):
        raise TypeError("Un appel de fonds ne se modifie pas.")

    update.alters_data = True

    def delete(self):
        raise TypeError("Un appel de fonds ne se supprime pas.")

    delete.alters_data = True


class OwnAmendmentQuerySet(models.QuerySet):
    """The signed copies of an amendment: a member's own, all of them for the coordinator's people."""

    def visible_to(self, affiliation) -> "OwnAmendmentQuerySet":
        return self.filter(
            visible_groupings("amendment__grouping__", affiliation),
            own_rows("membership__organisation_id", "amendment__grouping__", affiliation),
        )


class ConventionDocumentQuerySet(models.QuerySet):
    def visible_to(self, affiliation) -> "ConventionDocumentQuerySet":
        """The coordinator's people see every file, a member's its own."""
        return self.filter(
            visible_groupings("convention__grouping__", affiliation),
            own_rows("membership__organisation_id", "convention__grouping__", affiliation),
        )

    def of_latest(self) -> "ConventionDocumentQuerySet":
        """Only the last version of each convention."""
        from groupings.models import Convention

        newer = Convention.objects.filter(
            grouping=OuterRef("convention__grouping"), version__gt=OuterRef("convention__version")
        )
        return self.filter(~Exists(newer))


class GroupingDocumentQuerySet(models.QuerySet):
    def visible_to(self, affiliation) -> "GroupingDocumentQuerySet":
        """The coordinator's people see every file; a member's those shared with all, and those about itself."""
        own = own_rows("membership__organisation_id", "grouping__", affiliation)
        return self.filter(visible_groupings("grouping__", affiliation), own and (own | Q(is_shared=True)))


class OfConsultationQuerySet(models.QuerySet):
    """Rows of a consultation every member may see: the questions, answered to all the candidates."""

    def visible_to(self, affiliation) -> "OfConsultationQuerySet":
        return self.filter(visible_groupings("consultation__grouping__", affiliation))


def _disclosed(prefix: str, affiliation) -> Q:
    """An award is told to the members once it is notified: until then it is the coordinator's alone (CCP, L2132-1).
    ``prefix`` leads to the award."""
    grouping = f"{prefix}lot__grouping__"
    visible = visible_groupings(grouping, affiliation)
    if affiliation is None or affiliation.sees_whole_territory:
        return visible
    return visible & (Q(**{f"{prefix}notified_on__isnull": False}) | coordinated_by(grouping, affiliation))


class AwardQuerySet(models.QuerySet):
    def visible_to(self, affiliation) -> "AwardQuerySet":
        return self.filter(_disclosed("", affiliation))

    def awarded(self) -> "AwardQuerySet":
        return self.filter(outcome="awarded")


class OfAwardQuerySet(models.QuerySet):
    """Rows every member needs once the contract is notified: holders, prices, contacts."""

    def visible_to(self, affiliation) -> "OfAwardQuerySet":
        return self.filter(_disclosed("award__", affiliation))


class AwardShareQuerySet(models.QuerySet):
    def visible_to(self, affiliation) -> "AwardShareQuerySet":
        """A member sees its own part, once the award is told."""
        return self.filter(
            _disclosed("award__", affiliation),
            own_rows("membership__organisation_id", "award__lot__grouping__", affiliation),
        )


class ExternalContractQuerySet(models.QuerySet):
    def visible_to(self, affiliation) -> "ExternalContractQuerySet":
        """Published data, yet read for the coordinator's people: a member sees those of its own body."""
        if affiliation is None:
            return self.none()
        if not affiliation.sees_whole_territory:
            return self.filter(organisation_id=affiliation.organisation_id)
        territory = affiliation.territory_id
        return self.filter(Q(organisation_id=territory) | Q(organisation__territory_id=territory))
