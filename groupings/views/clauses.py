"""The clause library of a métropole: read by its buyers and jurists, written by its jurists."""

from dataclasses import dataclass

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from groupings.actions.clauses import (
    DraftChanged,
    clause_draft_drop,
    clause_draft_save,
    clause_publish,
    clause_restore,
)
from groupings.clauses import check
from groupings.clauses.articles import ARTICLES, Article, ClauseText
from groupings.clauses.differences import differences
from groupings.clauses.problems import ClauseProblem
from groupings.clauses.variables import VARIABLES, Kind
from groupings.forms.clause import DRAFT, ClauseForm, CompareForm
from groupings.library import conventions_using, published_text, published_texts, shelves, version_text
from groupings.models import ClauseDraft, ClauseVersion
from members.roles import may, require
from procurement.core.errors import BusinessError
from procurement.core.submission import add_refusal, posted, posted_or_back


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One line of a text with what is wrong in it."""

    number: int
    text: str
    problems: tuple[ClauseProblem, ...]


@require_safe
def clause_list(request: HttpRequest) -> HttpResponse:
    """Every article: its number, its title, its version, the draft being written."""
    territory_id = require_reading(request)
    context = {"shelves": shelves(territory_id), "may_change": may_write(request)}
    return render(request, "groupings/clause_list.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def clause(request: HttpRequest, key: str) -> HttpResponse:
    """One article: its text, what is wrong with its draft, the variables at hand, its history. A POST keeps the draft,
    and previews or publishes it when asked to."""
    article, territory_id = find_article(request, key)
    if request.method != "POST":
        return _page(request, article, territory_id)
    require(request.affiliation, "clause.change", organisation_id=territory_id)
    form = ClauseForm(posted(request))
    theirs = None
    if form.is_valid():
        try:
            return _written(request, article, form)
        except DraftChanged as error:
            theirs = error.current
            form.remember(theirs)
            form.add_error(None, error.message)
        except BusinessError as error:
            add_refusal(form, error)
            form.remember(_draft(request, key))
    return _page(request, article, territory_id, form=form, theirs=theirs)


def _written(request: HttpRequest, article: Article, form: ClauseForm) -> HttpResponse:
    """Keep the draft, then do what the button says. Raises DraftChanged or BusinessError."""
    territory, now, asked = request.affiliation.organisation, timezone.now(), request.POST.get("do")
    common = {"territory": territory, "key": article.key, "actor": request.affiliation, "now": now}
    typed = form.cleaned_data
    draft, problems = clause_draft_save(title=typed["title"], body=typed["body"], seen=typed["seen"], **common)
    mark = draft.mark if draft else ""
    if asked == "publish":
        version = clause_publish(note=typed["note"], seen=mark, **common)
        messages.success(
            request,
            f"{article.label}\u00a0: version {version.number} publiée. Les conventions déjà figées ne changent pas.",
        )
        return redirect("clause_list")
    if asked == "preview":
        return redirect("clause_preview", article.key)
    if draft is None:
        messages.success(request, "Ce texte est celui en vigueur\u00a0: il n’y a rien à enregistrer.")
    elif problems:
        count = len(problems)
        messages.warning(
            request,
            f"Projet enregistré. {count} point{'s' if count > 1 else ''} à corriger avant de pouvoir le publier.",
        )
    else:
        messages.success(request, "Projet enregistré\u00a0: il peut être publié.")
    return redirect("clause", article.key)


def _page(
    request: HttpRequest,
    article: Article,
    territory_id: int,
    *,
    form: ClauseForm | None = None,
    theirs: ClauseDraft | None = None,
) -> HttpResponse:
    texts = published_texts(territory_id)
    text = next(one for one in texts if one.key == article.key)
    draft = _draft(request, article.key)
    versions = _versions(request, article.key)
    writing = may_write(request)
    problems = check.problems_of(draft.text(text.version + 1), texts) if draft else []
    mine = (form.cleaned_data.get("body") or "") if theirs and form else ""
    context = {
        "article": article,
        "text": text,
        "draft": draft,
        "versions": versions,
        "may_change": writing,
        "form": (form or ClauseForm.for_text(text, draft)) if writing else None,
        "problems": problems,
        "general": [problem for problem in problems if not problem.line],
        "lines": source_lines(draft.body if draft else text.body, problems),
        "theirs": theirs,
        "passages": differences(theirs.body, mine) if theirs else [],
        "variables": _by_kind(),
        "compare": CompareForm(versions=versions, has_draft=bool(draft), initial=_usual_comparison(text, draft)),
    }
    return render(request, "groupings/clause.html", context, status=422 if form is not None else 200)


@posted_or_back("clause", "key")
def clause_drop(request: HttpRequest, key: str) -> HttpResponse:
    """Give the draft up."""
    article, territory_id = find_article(request, key)
    require(request.affiliation, "clause.change", organisation_id=territory_id)
    try:
        clause_draft_drop(
            territory=request.affiliation.organisation,
            key=key,
            seen=request.POST.get("seen", ""),
            actor=request.affiliation,
            now=timezone.now(),
        )
    except DraftChanged:
        messages.error(
            request, "Ce projet a changé depuis que vous l’avez ouvert\u00a0: relisez-le avant de l’abandonner."
        )
    else:
        messages.success(request, f"{article.label}\u00a0: projet abandonné, le texte en vigueur ne change pas.")
    return redirect("clause", key)


@require_safe
def clause_version(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """One version: its text, who published it and why, the conventions made from it."""
    article, territory_id = find_article(request, key)
    text = _text_or_404(request, key, str(number))
    conventions = conventions_using(key, number, request.affiliation)
    context = {
        "article": article,
        "text": text,
        "version": next((v for v in _versions(request, key) if v.number == number), None),
        "is_current": published_text(territory_id, key).version == number,
        "lines": source_lines(text.body, []),
        "conventions": conventions,
        "may_change": may_write(request),
    }
    return render(request, "groupings/clause_version.html", context)


@posted_or_back("clause_version", "key", "number")
def clause_version_restore(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """Make an old version the draft of the next one."""
    _, territory_id = find_article(request, key)
    require(request.affiliation, "clause.change", organisation_id=territory_id)
    _text_or_404(request, key, str(number))
    try:
        clause_restore(
            territory=request.affiliation.organisation,
            key=key,
            number=number,
            actor=request.affiliation,
            now=timezone.now(),
        )
    except BusinessError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"La version {number} est reprise comme projet\u00a0: relisez-la, puis publiez.")
    return redirect("clause", key)


@require_safe
def clause_differences(request: HttpRequest, key: str) -> HttpResponse:
    """What changed between two versions, word by word; without a choice, what the last one changed."""
    article, territory_id = find_article(request, key)
    draft, versions = _draft(request, key), _versions(request, key)
    usual = _usual_comparison(published_text(territory_id, key), draft)
    chosen = {name: request.GET.get(name) or usual[name] for name in ("de", "a")}
    before, after = (_text_or_404(request, key, chosen[name]) for name in ("de", "a"))
    passages = differences(before.body, after.body)
    context = {
        "article": article,
        "before": before,
        "after": after,
        "passage": f"{_name(chosen['de'], 'de')} {_name(chosen['a'], 'à')}",
        "passages": passages,
        "is_same": all(passage.state == "kept" for passage in passages) and before.title == after.title,
        "compare": CompareForm(versions=versions, has_draft=bool(draft), initial=chosen),
    }
    return render(request, "groupings/clause_differences.html", context)


def require_reading(request: HttpRequest) -> int:
    """The territory whose library the person may read. Raises NotAllowed (403)."""
    territory_id = request.affiliation.territory_id if request.affiliation else None
    require(request.affiliation, "clause.read", organisation_id=territory_id)
    return territory_id


def find_article(request: HttpRequest, key: str) -> tuple[Article, int]:
    """The article of that key and the reader's territory; 403 without the right, 404 for a key that does not exist."""
    territory_id = require_reading(request)
    if key not in ARTICLES:
        raise Http404
    return ARTICLES[key], territory_id


def may_write(request: HttpRequest) -> bool:
    affiliation = request.affiliation
    return may(affiliation, "clause.change", organisation_id=affiliation.territory_id)


def current_draft(request: HttpRequest, key: str, territory_id: int) -> tuple[ClauseText, ClauseDraft | None]:
    """What a preview prints: the draft as a text when there is one, else the text in force."""
    text, draft = published_text(territory_id, key), _draft(request, key)
    return (draft.text(text.version + 1) if draft else text), draft


def source_lines(body: str, problems: list[ClauseProblem]) -> list[SourceLine]:
    """The lines of a text as the page numbers them, each with its problems."""
    return [
        SourceLine(number, line, tuple(problem for problem in problems if problem.line == number))
        for number, line in enumerate(body.rstrip("\n").split("\n"), 1)
    ]


def _draft(request: HttpRequest, key: str) -> ClauseDraft | None:
    return ClauseDraft.objects.visible_to(request.affiliation).filter(key=key).first()


def _versions(request: HttpRequest, key: str) -> list[ClauseVersion]:
    return list(ClauseVersion.objects.visible_to(request.affiliation).filter(key=key).order_by("-number"))


def _text_or_404(request: HttpRequest, key: str, chosen: str) -> ClauseText:
    territory_id = request.affiliation.territory_id
    if chosen == DRAFT:
        if draft := _draft(request, key):
            return draft.text(0)
        raise Http404
    if not (chosen.isascii() and chosen.isdigit() and len(chosen) < 9):
        raise Http404
    try:
        return version_text(territory_id, key, int(chosen))
    except LookupError as error:
        raise Http404 from error


def _usual_comparison(text: ClauseText, draft: ClauseDraft | None) -> dict[str, str]:
    if draft:
        return {"de": str(text.version), "a": DRAFT}
    return {"de": str(max(text.version - 1, 1)), "a": str(text.version)}


def _name(chosen: str, preposition: str) -> str:
    """« de la version 1 », « au projet »."""
    if chosen == DRAFT:
        return {"de": "du projet", "à": "au projet"}[preposition]
    return f"{preposition} la version {chosen}"


def _by_kind() -> list[tuple[Kind, list]]:
    return [(kind, [v for v in VARIABLES.values() if v.kind == kind]) for kind in Kind]
