"""The conventions of the demonstration: frozen from its data, each in the state its grouping implies, without files."""

from datetime import date, datetime, time, timedelta

from django.utils import timezone

from groupings.actions.convention import convention_freeze
from groupings.choices import IN_FORCE, GroupingStatus
from groupings.choices import ConventionStatus as C
from groupings.convention_life import articles_of
from groupings.models import Convention, ConventionComment, Deliberation, Grouping, Signature
from procurement.core.actors import Actor

#: Its text is being commented by its members.
IN_COMMENTS = "GC-2027-04"
#: Stage of a grouping → state of its convention.
_STATES = {
    GroupingStatus.CONVENTION: C.COMMENTS,
    GroupingStatus.DELIBERATIONS: C.VOTES,
    GroupingStatus.REVIEW: C.ENDED,
}
_ORDER = (C.COMMENTS, C.FINAL, C.VOTES, C.SIGNATURE, C.IN_FORCE, C.ENDED)
_COLUMNS = ("comments_on", "final_on", "votes_on", "signature_on", "in_force_on", "ended_on")
#: Article, words of the member, and the coordinator's answer when it has one.
_COMMENTS = (
    (
        "article-3",
        "Notre commune ne connaîtra ses besoins en papier qu’après le vote du budget. Peut-on prévoir une révision au "
        "printemps\u202f?",
        "answered",
        "Le recensement reste ouvert jusqu’au lancement\u00a0: indiquez une estimation, elle pourra être corrigée.",
    ),
    (
        "article-10",
        "L’article ne dit pas qui reçoit les factures des écoles. Chaque école a son numéro d’engagement.",
        "kept",
        "Le bon de commande portera le numéro d’engagement de chaque école.",
    ),
    (
        "article-12",
        "Une durée de quatre ans, reconductions comprises, nous paraît longue pour un premier marché.",
        "",
        "",
    ),
)


def freeze_convention(grouping: Grouping, *, actor: Actor, today: date) -> Convention | None:
    """The convention of ``grouping`` in the state of its stage, with the dates of its members' acts; its votes and
    signatures name it. None while its needs are surveyed: there is no text yet."""
    grouping.refresh_from_db()
    if grouping.status == GroupingStatus.NEEDS:
        return None
    state = _STATES.get(GroupingStatus(grouping.status), C.IN_FORCE)
    votes = Deliberation.objects.approvals().filter(membership__grouping=grouping, status__in=IN_FORCE)
    signatures = Signature.objects.filter(membership__grouping=grouping)
    first_vote = min(votes.values_list("decided_on", flat=True), default=today)
    last_signature = max(signatures.values_list("signed_on", flat=True), default=today)
    sent_on = first_vote - timedelta(days=20)
    frozen_at = timezone.make_aware(datetime.combine(sent_on - timedelta(days=15), time(10)))
    convention = convention_freeze(grouping=grouping, actor=actor, now=frozen_at)
    days = (
        sent_on - timedelta(days=14),
        sent_on - timedelta(days=1),
        sent_on,
        last_signature,
        last_signature,
        grouping.closed_on,
    )
    convention.status = state
    # Their coordinator signed as soon as its own act allowed, before members still expected to vote.
    convention.coordinator_signs_last = False
    for entered, column, day in zip(_ORDER, _COLUMNS, days, strict=True):
        if _ORDER.index(entered) <= _ORDER.index(state):
            setattr(convention, column, day)
    convention.save()
    votes.update(convention=convention)
    signatures.update(convention=convention)
    if grouping.reference == IN_COMMENTS:
        _comment(convention, actor)
    return convention


def _comment(convention: Convention, actor: Actor) -> None:
    """Three remarks of three members: one answered, one kept, one that waits, and a reply of a fourth."""
    headings = {article.key: article.heading for article in articles_of(convention)}
    grouping = convention.grouping
    members = list(grouping.memberships.active().exclude(organisation=grouping.coordinator)[:4])
    opened = datetime.combine(convention.comments_on, time(9), tzinfo=timezone.get_current_timezone())
    for rank, (key, body, outcome, answer) in enumerate(_COMMENTS):
        comment = ConventionComment.objects.create(
            convention=convention,
            article_key=key,
            article_title=headings[key],
            membership=members[rank],
            author="Secrétaire de mairie (fictif)",
            body=body,
            created_at=opened + timedelta(days=rank + 1, hours=rank),
            outcome=outcome,
            answer=answer,
            answered_at=opened + timedelta(days=rank + 3) if outcome else None,
            answered_by=actor.actor_label if outcome else "",
        )
    ConventionComment.objects.create(
        convention=convention,
        article_key=comment.article_key,
        article_title=comment.article_title,
        membership=members[-1],
        author="Secrétaire de mairie (fictif)",
        body="Même remarque de notre part.",
        created_at=comment.created_at + timedelta(days=1),
        parent=comment,
    )
