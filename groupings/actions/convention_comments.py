"""What is said of a convention before it is final: remarks article by article, replies, the coordinator's answers.

Nothing said is ever changed nor removed.
"""

from datetime import date, datetime

from django.db import transaction

from groupings import mailing
from groupings.actions.convention_life import lock
from groupings.choices import ConventionStatus
from groupings.convention_life import articles_of, current_of
from groupings.links import closed_sentence, link_open, link_url
from groupings.models import Convention, ConventionComment, Membership
from groupings.models.convention import COMMENT_MAX
from members.roles import may, require
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.record import record
from procurement.core.mail.sending import queue

_S = ConventionStatus
#: While the text may still change, the coordinator answers what was said of it, on whichever version.
_ANSWERED_WHILE = (_S.DRAFT, _S.COMMENTS, _S.FINAL)


def comment_add(
    *,
    convention: Convention,
    article_key: str,
    body: str,
    actor: Actor,
    now: datetime,
    membership: Membership | None = None,
    parent: ConventionComment | None = None,
) -> ConventionComment:
    """Keep a remark on one article, or a reply to ``parent``. The same one sent twice is one.

    ``membership``: the member in whose name it is said; None for the coordinator. Raises NotAllowed, or BusinessError
    when the version is not being commented, or when the text is empty or too long (field ``body``).
    """
    if membership is None:
        require(actor, "grouping.change", organisation_id=convention.grouping.coordinator_id)
    else:
        require(actor, "deliberation.change", organisation_id=membership.organisation_id)
        if membership.grouping_id != convention.grouping_id or not membership.is_active:
            raise BusinessError(f"{membership.organisation.name} ne participe pas à ce groupement.")
    body = _checked(body, "body", "Écrivez votre remarque.")
    with transaction.atomic():
        stored = lock(convention)
        if stored.status != _S.COMMENTS:
            raise BusinessError(_not_commented(stored))
        if parent is not None:
            article_key = _check_parent(parent, stored).article_key
        article = next((article for article in articles_of(stored) if article.key == article_key), None)
        if article is None:
            raise BusinessError("Cet article n’existe pas dans cette version.", field="body")
        author = actor.actor_label[:200]
        same = {"article_key": article.key, "membership": membership, "author": author, "body": body, "parent": parent}
        if twice := stored.comments.filter(**same).first():
            return twice
        comment = ConventionComment(convention=stored, article_title=article.heading[:300], created_at=now, **same)
        comment.full_clean(exclude=["convention"])
        comment.save(force_insert=True)
        who = membership.organisation.name if membership else "le coordonnateur"
        what = "Réponse" if parent else "Remarque"
        _tell(comment, actor, "comment", f"{what} sur la convention version {stored.version}, par {who}")
    return comment


def comment_answer(
    *, comment: ConventionComment, outcome: str, answer: str, actor: Actor, now: datetime
) -> ConventionComment:
    """The coordinator says what becomes of a remark: kept, dismissed or answered, and why. Once.

    Raises NotAllowed, or BusinessError (fields ``outcome``, ``answer``) when it is a reply, already answered, or when
    the text is before the assemblies.
    """
    grouping = comment.convention.grouping
    require(actor, "grouping.change", organisation_id=grouping.coordinator_id)
    if outcome not in ConventionComment.Outcome:
        raise BusinessError("Choisissez la suite donnée\u00a0: retenue, écartée ou réponse.", field="outcome")
    answer = _checked(answer, "answer", "Écrivez votre réponse.")
    with transaction.atomic():
        current = lock(current_of(grouping))
        stored = ConventionComment.objects.select_for_update().get(pk=comment.pk)
        if stored.parent_id is not None:
            raise BusinessError("Répondez à la remarque elle-même, pas à ce qui la commente.")
        if (stored.outcome, stored.answer) == (outcome, answer):
            return stored  # a second click
        if stored.outcome:
            raise BusinessError(f"{stored.answered_by} a déjà répondu à cette remarque\u00a0: la réponse reste.")
        if current.status not in _ANSWERED_WHILE:
            raise BusinessError(
                f"Le texte est dans l’état «\u00a0{current.get_status_display()}\u00a0»\u00a0: ses remarques ne "
                "reçoivent plus de réponse."
            )
        stored.outcome, stored.answer = outcome, answer
        stored.answered_at, stored.answered_by = now, actor.actor_label[:200]
        stored.full_clean(exclude=["convention"])
        stored.save(update_fields=["outcome", "answer", "answered_at", "answered_by"])
        _tell(stored, actor, "answer", f"Remarque sur la convention\u00a0: {stored.get_outcome_display().lower()}")
    return stored


def may_comment(convention: Convention, membership: Membership | None, actor: Actor | None) -> bool:
    """Whether to offer the box: while the version is commented, to the coordinator and to a member for itself."""
    if convention.status != _S.COMMENTS:
        return False
    if membership is None:
        return may(actor, "grouping.change", organisation_id=convention.grouping.coordinator_id)
    return membership.is_active and may(actor, "deliberation.change", organisation_id=membership.organisation_id)


def may_answer(current: Convention, actor: Actor | None) -> bool:
    return current.status in _ANSWERED_WHILE and may(
        actor, "grouping.change", organisation_id=current.grouping.coordinator_id
    )


def comments_announce(*, convention: Convention, actor: Actor, today: date, now: datetime) -> int:
    """Write to every other member that the text is open to its remarks, with its own link. Returns how many mails.

    Once per opening and per address: the key holds the version and the day.
    """
    grouping, stored = convention.grouping, 0
    members = grouping.memberships.active().exclude(organisation_id=grouping.coordinator_id)
    for membership in members.select_related("organisation", "grouping__coordinator", "grouping__buyer"):
        addresses = mailing.recipients(membership)
        if not addresses or closed_sentence(membership):
            continue
        link = link_open(membership=membership, actor=actor, now=now)
        text = mailing.text(
            "convention_comments",
            membership=membership,
            grouping=membership.grouping,
            version=convention.version,
            link=link_url(link),
            expires_at=link.expires_at,
        )
        for address in addresses:
            queued = queue(
                key=f"comments:{convention.pk}:{today.isoformat()}:{membership.pk}:{address}",
                recipient=address,
                subject=mailing.subject("Relire le projet de convention", None, grouping.title),
                text=text,
                territory_id=grouping.territory_id,
                thread=grouping.thread,
                organisation_id=membership.organisation_id,
                now=now,
            )
            stored += queued is not None
    return stored


def _checked(text: str, field: str, empty: str) -> str:
    text = text.replace("\r\n", "\n").strip()
    if not text:
        raise BusinessError(empty, field=field)
    if len(text) > COMMENT_MAX:
        raise BusinessError(
            f"Votre texte compte {len(text)} signes\u00a0: {COMMENT_MAX} au plus. Il est gardé ci-dessous.", field=field
        )
    return text


def _not_commented(stored: Convention) -> str:
    state = stored.get_status_display()
    return (
        f"La version {stored.version} n’est pas en relecture (état «\u00a0{state}\u00a0»)\u00a0: votre remarque n’est "
        "pas enregistrée."
    )


def _check_parent(parent: ConventionComment, stored: Convention) -> ConventionComment:
    if parent.convention_id != stored.pk or parent.parent_id is not None:
        raise BusinessError("Cette remarque n’est pas de cette version, ou en commente déjà une autre.", field="body")
    return parent


def _tell(comment: ConventionComment, actor: Actor, verb: str, sentence: str) -> None:
    grouping = comment.convention.grouping
    record(
        actor=actor,
        territory_id=grouping.territory_id,
        thread=grouping.thread,
        verb=f"convention.{verb}",
        sentence=f"{sentence} – {comment.article_title}",
        after={"convention": comment.convention_id, "comment": comment.pk, "outcome": comment.outcome},
    )
