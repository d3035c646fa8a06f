"""Where a convention stands: the version in hand, who voted which text, who signed, its articles."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from groupings.choices import IN_FORCE, ConventionStatus
from groupings.conventions import stored
from groupings.conventions.assemble import assemble
from groupings.conventions.render import approved_text_sha256
from groupings.library import published_texts, texts_of
from groupings.models import Convention, Deliberation, Grouping, Membership

#: Sections of the document that hold no clause to discuss.
_NOT_CLAUSES = ("parties", "annexes")


@dataclass(frozen=True)
class Article:
    """One part of a convention that a remark may be about; ``heading``: « Article 11 – Responsabilité »."""

    key: str
    heading: str


#: What is said of the whole text, or of a text whose articles this tool does not know.
WHOLE = Article("ensemble", "Ensemble de la convention")


def current_of(grouping: Grouping) -> Convention | None:
    """The version that is not replaced; None while there is no convention."""
    return grouping.conventions.exclude(status=ConventionStatus.SUPERSEDED).first()


def articles_of(convention: Convention) -> list[Article]:
    """The whole text, then its articles and annexes in their order, named as on the reading on screen.

    A convention taken in as a file has no articles that this tool knows.
    """
    if not convention.is_generated:
        return [WHOLE]
    sections = stored.sections_of(convention)
    return [WHOLE, *(Article(s.key, s.heading) for s in sections if s.key not in _NOT_CLAUSES)]


def is_text_current(convention: Convention) -> bool:
    """Whether the grouping, as it stands, would give the text of this version; decisions aside.

    A draft follows the clause library; a text that is final keeps its own articles, whatever is published since.
    """
    if not convention.is_generated:
        return True
    is_open = convention.status in (ConventionStatus.DRAFT, ConventionStatus.COMMENTS)
    texts = published_texts(convention.grouping.territory_id) if is_open else texts_of(convention)
    values = assemble(convention.grouping, version=convention.version)
    return approved_text_sha256(values, texts) == convention.text_sha256


def version_voted(grouping: Grouping, meeting_on: date) -> Convention | None:
    """The version that was before the assemblies on ``meeting_on``, else the one in hand; without its values.

    A vote is often recorded some days after the meeting, when another version may have replaced the one voted.
    """
    versions = grouping.conventions.defer("values")
    return versions.filter(votes_on__lte=meeting_on).first() or (
        versions.exclude(status=ConventionStatus.SUPERSEDED).first()
    )


def _approvals(grouping: Grouping):
    return (
        Deliberation.objects.approvals()
        .filter(membership__grouping=grouping, membership__withdrawn_on__isnull=True)
        .select_related("membership__organisation")
        .order_by("membership__organisation__sort_name")
    )


def voters(grouping: Grouping) -> list[Membership]:
    """The members whose act in force approves a text of this tool, whichever version."""
    acts = _approvals(grouping).filter(status__in=IN_FORCE, convention__isnull=False)
    return [act.membership for act in acts]


def voted_another_text(grouping: Grouping, *, current: Convention | None = None) -> list[Membership]:
    """The members whose act in force approves a text that is no longer that of the convention.

    Two versions of the same text are one text. A vote whose text is unknown, taken in from elsewhere, is not counted.
    """
    current = current or current_of(grouping)
    if current is None:
        return []
    acts = _approvals(grouping).filter(status__in=IN_FORCE, convention__isnull=False)
    return [act.membership for act in acts.exclude(convention__text_sha256=current.text_sha256)]


def waiting_for_act(grouping: Grouping) -> list[Membership]:
    """The active members without an enforceable act, and not dispensed from one."""
    cleared = Deliberation.objects.approvals().cleared().values("membership")
    return list(grouping.memberships.active().exclude(pk__in=cleared).select_related("organisation"))


def names_of(memberships: Iterable[Membership]) -> list[str]:
    return [membership.organisation.name for membership in memberships]
