"""What the page of a convention shows: steps, versions, who voted which text, the articles and their remarks."""

from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from django.db.models import Count

from groupings.actions.convention_comments import may_answer, may_comment
from groupings.choices import IN_FORCE, Badge, ConventionStatus, GroupingStatus
from groupings.convention_life import WHOLE, Article, articles_of
from groupings.convention_workflow import CLOSED, CONVENTION_WORKFLOW
from groupings.forms.convention_life import AnswerForm, CommentForm
from groupings.models import Convention, ConventionComment, ConventionDocument, Deliberation, Grouping, Membership
from groupings.rules.convention_gate import force_refusal, named, open_refusal, sending_refusal, signature_refusal
from groupings.views.common import may_change, sees_all
from members.roles import may
from procurement.core.workflow import Transition

_S = ConventionStatus
#: Files listed one by one.
SHOWN = 5
#: What each step does, told beside its button.
_HELP = {
    "open_comments": "Les membres reçoivent un courriel et écrivent leurs remarques, article par article.",
    "back_to_draft": "Le texte redevient un projet\u00a0; les remarques restent.",
    "make_final": "Le texte est comparé aux données du groupement, puis il ne change plus.",
    "start_votes": "Les assemblées votent cette version\u00a0; le groupement passe aux délibérations.",
    "start_signature": "Tous les actes sont exécutoires et approuvent cette version.",
    "enter_into_force": "Tous les membres ont signé.",
    "end": "La convention ne lie plus les membres pour de nouveaux achats.",
}


@dataclass
class Step:
    """A step the reader may ask for; ``refusal`` says why it cannot be taken now, empty when it can."""

    transition: Transition
    refusal: str
    help: str


@dataclass
class VoteRow:
    """One member's vote: the version it approves, when known, and whether that text is another one now."""

    membership: Membership
    deliberation: Deliberation | None
    badge: Badge | None
    version: int | None
    is_other: bool


@dataclass
class Thread:
    """One remark with its replies; ``on_version`` when it is about a version that was replaced."""

    comment: ConventionComment
    on_version: int | None
    replies: list[ConventionComment] = field(default_factory=list)
    reply_form: CommentForm | None = None
    answer_form: AnswerForm | None = None


@dataclass
class ArticleRow:
    """One article, what was said of it, and the box to say more."""

    article: Article
    threads: list[Thread]
    form: CommentForm | None

    @property
    def open_count(self) -> int:
        return sum(thread.comment.is_open for thread in self.threads)

    @property
    def is_unfolded(self) -> bool:
        forms = [self.form, *(form for thread in self.threads for form in (thread.reply_form, thread.answer_form))]
        return bool(self.threads) or any(form is not None and form.is_bound for form in forms)


class Page:
    """What one grouping's convention shows to one affiliation, read in a fixed number of queries.

    ``refused``: the form that was refused, shown again in its place with what was typed.
    """

    def __init__(self, grouping: Grouping, affiliation, today: date, *, refused=None):
        self.grouping, self.affiliation, self.today, self.refused = grouping, affiliation, today, refused
        self.sees_all, self.may_change = sees_all(grouping, affiliation), may_change(grouping, affiliation)
        versions = grouping.conventions.annotate(document_count=Count("documents")).defer("values")
        self.versions: list[Convention] = list(versions)
        for version in self.versions:
            version.grouping = grouping
        self.current = next((v for v in self.versions if v.status != _S.SUPERSEDED), None)

    @property
    def replaced(self) -> list[Convention]:
        return [version for version in self.versions if version is not self.current]

    @cached_property
    def memberships(self) -> list[Membership]:
        active = self.grouping.memberships.active()
        return list(active.with_approval(self.today, with_sessions=False))

    @property
    def own_membership(self) -> Membership | None:
        """The member the reader speaks for; None for the coordinator's people."""
        if self.may_change:
            return None
        own = self.affiliation.organisation_id
        return next((m for m in self.memberships if m.organisation_id == own), None)

    @cached_property
    def may_comment(self) -> bool:
        own = self.own_membership
        return (self.may_change or own is not None) and may_comment(self.current, own, self.affiliation)

    @cached_property
    def votes(self) -> list[VoteRow]:
        versions = {version.pk: version for version in self.versions}
        rows = []
        for membership in self.memberships:
            vote = next(iter(membership.votes), None)
            voted = versions.get(vote.convention_id) if vote and vote.status in IN_FORCE else None
            is_other = voted is not None and voted.text_sha256 != self.current.text_sha256
            badge = vote.badge if vote else None
            rows.append(VoteRow(membership, vote, badge, voted.version if voted else None, is_other))
        return rows

    @property
    def others(self) -> list[str]:
        """The names of those who voted another text than the one in hand."""
        return [row.membership.organisation.name for row in self.votes if row.is_other]

    @property
    def others_told(self) -> str:
        return f"{named(self.others)} {'ont' if len(self.others) > 1 else 'a'} voté"

    @property
    def voters_told(self) -> str:
        """Those whose vote a new text would undo, with their verb; empty while nobody has voted."""
        names = [row.membership.organisation.name for row in self.votes if row.version is not None]
        return f"{named(names)} {'ont' if len(names) > 1 else 'a'} déjà voté" if names else ""

    @property
    def is_text_stage(self) -> bool:
        """Whether the text is what one comes for: nobody votes it yet."""
        return self.current.status in (_S.DRAFT, _S.COMMENTS, _S.FINAL)

    @property
    def is_closed(self) -> bool:
        return self.current is not None and self.current.status in CLOSED

    @property
    def may_generate(self) -> bool:
        coordinator = self.grouping.coordinator_id
        allowed = may(self.affiliation, "convention.generate", organisation_id=coordinator)
        is_held = self.grouping.is_declared_only or self.grouping.status == GroupingStatus.CANCELLED or self.is_closed
        return self.may_change and allowed and not is_held

    @cached_property
    def documents(self) -> list[ConventionDocument]:
        """The files of the version in hand that the reader may open."""
        found = ConventionDocument.objects.visible_to(self.affiliation).filter(convention=self.current)
        return list(found.select_related("membership__organisation").order_by("membership__organisation__sort_name"))

    @property
    def shown_documents(self) -> list[ConventionDocument]:
        """The first of them, all the others being in the ZIP and on the grouping's page."""
        return self.documents[:SHOWN]

    def dates(self) -> list[tuple[str, date]]:
        """The days the version in hand went through its states, in their order."""
        told = (
            ("Relecture ouverte le", self.current.comments_on),
            ("Arrêtée le", self.current.final_on),
            ("Envoyée aux assemblées le", self.current.votes_on),
            ("Signature ouverte le", self.current.signature_on),
            ("En vigueur depuis le", self.current.in_force_on),
            ("Terminée le", self.current.ended_on),
        )
        return [(label, on) for label, on in told if on]

    def steps(self) -> list[Step]:
        """What may be asked for now, with the reason of each refusal; those that go forward first."""
        if not self.may_change or self.current is None:
            return []
        offered = CONVENTION_WORKFLOW.open_to(self.current, self.affiliation.role)
        return [
            Step(transition, self._refusal(transition.name), _HELP[transition.name])
            for transition in sorted(offered, key=lambda transition: transition.needs_reason)
        ]

    def _refusal(self, step: str) -> str:
        """The guards' own rules, fed with what the page has read. That nothing of the grouping changed since the
        version is asked by the action alone: it means assembling the text again."""
        status = self.grouping.status
        if step in ("open_comments", "make_final"):
            return open_refusal(is_cancelled=status == GroupingStatus.CANCELLED)
        if step == "start_votes":
            return sending_refusal(is_surveyed=status in (GroupingStatus.CONVENTION, GroupingStatus.DELIBERATIONS))
        names = {row.membership.pk: row.membership.organisation.name for row in self.votes}
        if step == "start_signature":
            cleared = {row.membership.pk for row in self.votes if row.deliberation and row.deliberation.is_cleared}
            waiting = [name for pk, name in names.items() if pk not in cleared]
            return signature_refusal(waiting=waiting, voted_other=self.others, version=self.current.version)
        if step == "enter_into_force":
            return force_refusal(unsigned=[names[m.pk] for m in self.memberships if m.signed_on is None])
        return ""

    @cached_property
    def threads(self) -> dict[str, list[Thread]]:
        """Article key → what was said of it, on every version, the oldest first."""
        comments = ConventionComment.objects.visible_to(self.affiliation).filter(convention__in=self.versions)
        versions = {version.pk: version for version in self.versions}
        threads: dict[int, Thread] = {}
        for comment in comments.select_related("membership__organisation"):
            if comment.parent_id in threads:
                threads[comment.parent_id].replies.append(comment)
                continue
            on = versions[comment.convention_id]
            is_current = on is self.current
            thread = Thread(comment, None if is_current else on.version)
            if self.may_comment and is_current:
                thread.reply_form = self._form(CommentForm, f"reponse-{comment.pk}", parent=comment.pk)
            if comment.is_open and may_answer(self.current, self.affiliation) and self.may_change:
                thread.answer_form = self._form(AnswerForm, f"suite-{comment.pk}")
            threads[comment.pk] = thread
        by_article: dict[str, list[Thread]] = {}
        for thread in threads.values():
            by_article.setdefault(thread.comment.article_key, []).append(thread)
        return by_article

    def _form(self, form_class: type, name: str, **initial):
        """The box of that name: the one refused, with what was typed, or an empty one."""
        if self.refused is not None and self.refused.box == name:
            return self.refused
        return form_class(initial=initial, box=name)

    @cached_property
    def articles(self) -> list[ArticleRow]:
        """Those of the version in hand, then those of a former version that something was said of."""
        known = list(self._known)
        keys = {article.key for article in known}
        for key, threads in self.threads.items():
            if key not in keys:
                known.append(Article(key, f"{threads[0].comment.article_title} (version précédente)"))
        rows = []
        for article in known:
            may_write = self.may_comment and article.key in keys
            form = self._form(CommentForm, f"remarque-{article.key}", article=article.key) if may_write else None
            rows.append(ArticleRow(article, self.threads.get(article.key, []), form))
        return rows

    @property
    def discussed(self) -> list[ArticleRow]:
        """Those something was, or may be, said of."""
        return [row for row in self.articles if row.threads or row.form]

    @cached_property
    def _known(self) -> list[Article]:
        return articles_of(self.current)

    @property
    def headings(self) -> list[str]:
        """The articles of the version in hand; none of a text brought from outside."""
        return [article.heading for article in self._known if article is not WHOLE]

    @property
    def open_remarks(self) -> int:
        return sum(row.open_count for row in self.articles)
