"""Writing the clause library: a draft is kept whatever it holds, a version is published once nothing is wrong in it."""

from collections.abc import Sequence
from datetime import UTC, datetime

from django.db import transaction
from django.utils import timezone

from groupings.clauses import check, language
from groupings.clauses.articles import ARTICLES, ClauseText, Texts, shipped_texts
from groupings.clauses.problems import ClauseProblem
from groupings.library import published_text, published_texts, version_text
from groupings.models import ClauseDraft, ClauseVersion
from groupings.models.clause import clause_thread
from members.models import Organisation
from members.roles import require, require_territory
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.record import record

#: The shipped text is older than any territory: its rows say so, and never the day somebody first needed them.
SHIPPED_AT = datetime(2026, 11, 1, tzinfo=UTC)
_MAX_DRAFT = 400_000  # signs kept of a text far too long, so that nothing typed is lost
_MAX_DRAFT_TITLE = 300


class DraftChanged(BusinessError):
    """Somebody else wrote the draft since it was read; ``current`` is what stands now, None when it is gone."""

    def __init__(self, message: str, current: ClauseDraft | None):
        super().__init__(message)
        self.current = current


def library_open(territory_id: int) -> Texts:
    """The published text of a territory, its rows written if they never were. Inside the caller's transaction.

    Two at once write them once: the territory's row is locked first.
    """
    Organisation.objects.select_for_update().get(pk=territory_id)
    present = set(ClauseVersion.objects.filter(territory_id=territory_id, number=1).values_list("key", flat=True))
    ClauseVersion.objects.bulk_create(
        ClauseVersion(
            territory_id=territory_id,
            key=text.key,
            number=1,
            title=text.title,
            body=text.body,
            sha256=text.sha256,
            note="Texte fourni avec le logiciel",
            published_at=SHIPPED_AT,
            published_by="Groupements de commandes",
        )
        for text in shipped_texts()
        if text.key not in present
    )
    return published_texts(territory_id)


def clause_draft_save(
    *, territory: Organisation, key: str, title: str, body: str, seen: str, actor: Actor, now: datetime
) -> tuple[ClauseDraft | None, list[ClauseProblem]]:
    """Keep what was typed, right or wrong, and say what is wrong with it.

    ``seen``: the mark of the draft the person read, empty when there was none. The text in force typed again makes no
    draft. Raises NotAllowed, or DraftChanged when somebody else wrote in between: nothing is then kept here, the
    caller still holds what was typed.
    """
    _require(actor, territory)
    article = ARTICLES[key]
    body, title = language.normalised(body[:_MAX_DRAFT]), " ".join(title.split())[:_MAX_DRAFT_TITLE]
    with transaction.atomic():
        texts = library_open(territory.pk)
        current = next(text for text in texts if text.key == key)
        draft = _locked_draft(territory, key)
        _refuse_if_changed(draft, seen, now)
        typed = ClauseText(key, title, body, current.version + 1)
        problems = check.problems_of(typed, texts)
        if draft is None and typed.sha256 == current.sha256:
            return None, problems
        if draft is not None and (draft.title, draft.body) == (title, body):
            return draft, problems
        draft = draft or ClauseDraft(territory=territory, key=key, version=0)
        draft.title, draft.body, draft.saved_at, draft.saved_by = title, body, now, actor.actor_label[:200]
        draft.version += 1
        draft.save()
        _journal(
            actor,
            territory,
            key,
            "clause.draft",
            f"Projet de l’{article.label.lower()} enregistré" if article.number else "Projet du préambule enregistré",
            {"version": draft.version, "sha256": typed.sha256, "problems": len(problems)},
        )
    return draft, problems


def clause_draft_drop(*, territory: Organisation, key: str, seen: str, actor: Actor, now: datetime) -> None:
    """Give the draft up; the text in force stands. Twice is once. The journal keeps what it said."""
    _require(actor, territory)
    with transaction.atomic():
        draft = _locked_draft(territory, key)
        if draft is None:
            return
        _refuse_if_changed(draft, seen, now)
        record(
            actor=actor,
            territory_id=territory.pk,
            thread=clause_thread(key),
            verb="clause.drop",
            sentence=f"{ARTICLES[key].label}\u00a0: projet abandonné",
            before={"title": draft.title, "body": draft.body},
        )
        draft.delete()


def clause_restore(*, territory: Organisation, key: str, number: int, actor: Actor, now: datetime) -> ClauseDraft:
    """Make an old version the draft of the next one. Raises NotAllowed, LookupError for a version that does not exist,
    BusinessError when a draft is already being written or when that version is the one in force."""
    _require(actor, territory)
    with transaction.atomic():
        library_open(territory.pk)
        old = version_text(territory.pk, key, number)
        if draft := _locked_draft(territory, key):
            raise BusinessError(
                f"Un projet est déjà en cours, enregistré par {draft.saved_by}\u00a0: publiez-le ou abandonnez-le "
                "avant de reprendre une ancienne version."
            )
        if old.sha256 == published_text(territory.pk, key).sha256:
            raise BusinessError("Cette version est déjà le texte en vigueur.")
        draft = ClauseDraft.objects.create(
            territory=territory,
            key=key,
            title=old.title,
            body=old.body,
            saved_at=now,
            saved_by=actor.actor_label[:200],
        )
        sentence = f"{ARTICLES[key].label}\u00a0: version {number} reprise comme projet"
        _journal(actor, territory, key, "clause.restore", sentence, {"number": number, "sha256": old.sha256})
    return draft


def clause_publish(
    *, territory: Organisation, key: str, note: str, seen: str, actor: Actor, now: datetime
) -> ClauseVersion:
    """Publish the draft as the next version; conventions frozen from now on print it, those already made do not change.

    Refused, with every sentence, while a problem remains, without a note, when nothing changed, or when the PDF engine
    cannot draw it. Raises NotAllowed, DraftChanged, BusinessError.
    """
    _require(actor, territory)
    note = " ".join(note.split())
    if not note:
        raise BusinessError("Indiquez le motif de la modification\u00a0: il figure dans l’historique.", field="note")
    if len(note) > 500:
        raise BusinessError("Le motif ne peut pas dépasser 500 signes.", field="note")
    article = ARTICLES[key]
    with transaction.atomic():
        texts = library_open(territory.pk)
        draft = _locked_draft(territory, key)
        if draft is None:
            raise BusinessError("Il n’y a pas de projet à publier\u00a0: le texte en vigueur n’a pas changé.")
        _refuse_if_changed(draft, seen, now)
        current = next(text for text in texts if text.key == key)
        text = draft.text(current.version + 1)
        if text.sha256 == current.sha256:
            raise BusinessError("Le projet est identique au texte en vigueur.", field="body")
        _refuse(check.problems_of(text, texts) or _layout(text), article.label)
        version = ClauseVersion(
            territory=territory,
            key=key,
            number=text.version,
            title=text.title,
            body=text.body,
            sha256=text.sha256,
            note=note,
            published_at=now,
            published_by=actor.actor_label[:200],
        )
        version.full_clean()
        version.save()
        draft.delete()
        record(
            actor=actor,
            territory_id=territory.pk,
            thread=clause_thread(key),
            verb="clause.publish",
            sentence=f"{article.label}\u00a0: version {version.number} publiée",
            before={"version": current.version, "sha256": current.sha256},
            after={"version": version.number, "sha256": version.sha256},
            reason=note,
        )
    return version


def _require(actor: Actor, territory: Organisation) -> None:
    require(actor, "clause.change", organisation_id=territory.pk)
    require_territory(actor, territory.pk)


def _locked_draft(territory: Organisation, key: str) -> ClauseDraft | None:
    """The draft, the territory being locked first: two writers of a draft that does not exist yet wait as well."""
    Organisation.objects.select_for_update().get(pk=territory.pk)
    return ClauseDraft.objects.select_for_update().filter(territory=territory, key=key).first()


def _refuse_if_changed(draft: ClauseDraft | None, seen: str, now: datetime) -> None:
    if (draft.mark if draft else "") == seen:
        return
    if draft is None:
        raise DraftChanged(
            "Ce projet a été publié ou abandonné pendant que vous écriviez. Votre texte est ci-dessous\u00a0: "
            "enregistrez-le de nouveau pour en faire un nouveau projet.",
            None,
        )
    at = timezone.localtime(draft.saved_at)
    day = "" if at.date() == timezone.localtime(now).date() else f" le {at:%d/%m/%Y}"
    raise DraftChanged(
        f"{draft.saved_by} a enregistré ce projet{day} à {at:%H:%M}, pendant que vous écriviez. Votre texte est "
        "ci-dessous, le sien est montré à côté\u00a0: reprenez ce qui vous convient, puis enregistrez de nouveau.",
        draft,
    )


def _layout(text: ClauseText) -> list[ClauseProblem]:
    problem = check.layout_problem(text)
    return [problem] if problem else []


def _refuse(problems: Sequence[ClauseProblem], label: str) -> None:
    if not problems:
        return
    more = f" ({len(problems) - 1} autre{'s' * (len(problems) > 2)} à corriger)" if len(problems) > 1 else ""
    raise BusinessError(f"{problems[0].told(label)}{more}", field="body")


def _journal(actor: Actor, territory: Organisation, key: str, verb: str, sentence: str, after: dict) -> None:
    record(
        actor=actor,
        territory_id=territory.pk,
        thread=clause_thread(key),
        verb=verb,
        sentence=sentence,
        after=after,
    )
