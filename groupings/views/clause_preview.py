"""An article as the convention of a real grouping would print it, on screen and as a page of the PDF."""

from datetime import UTC, datetime, time

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from groupings.clauses import language
from groupings.clauses.articles import Article, ClauseText
from groupings.clauses.check import layout_refusal
from groupings.conventions.assemble import assemble
from groupings.conventions.render import article_html, article_pdf
from groupings.conventions.values import ConventionValues
from groupings.conventions.wording import capital
from groupings.forms.clause import PreviewForm
from groupings.models import ClauseDraft, Grouping
from groupings.views.clauses import current_draft, find_article
from procurement.core.documents.pdf import PdfError
from procurement.core.errors import BusinessError
from procurement.core.exports import download_response
from procurement.core.uploads import PDF_TYPE


@require_safe
def clause_preview(request: HttpRequest, key: str) -> HttpResponse:
    """The draft, else the text in force, with the data of one grouping of the perimeter, as they stand."""
    article, territory_id = find_article(request, key)
    groupings = _groupings(request)
    text, draft = current_draft(request, key, territory_id)
    grouping = _chosen(request, groupings)
    rendered, refusal = "", ""
    if grouping is not None and not language.read(text.body).problems:
        try:
            rendered = article_html(_values(grouping), text)
        except BusinessError as error:
            refusal = error.message
    return _page(request, article, text, draft, grouping, groupings, rendered=rendered, refusal=refusal)


@require_safe
def clause_preview_pdf(request: HttpRequest, key: str) -> HttpResponse:
    """The same, as a page of the PDF. What the layout refuses is told on the preview."""
    article, territory_id = find_article(request, key)
    text, draft = current_draft(request, key, territory_id)
    groupings = _groupings(request)
    grouping = _chosen(request, groupings)
    if grouping is None or language.read(text.body).problems:
        raise Http404
    try:
        document = _document(_values(grouping), text)
    except (PdfError, BusinessError) as error:
        why = capital(layout_refusal(str(error))) if isinstance(error, PdfError) else error.message
        return _page(request, article, text, draft, grouping, groupings, refusal=why, status=422)
    name = f"{grouping.reference}_{article.key}.pdf"
    return download_response(document, filename=name, content_type=PDF_TYPE)


def _document(values: ConventionValues, text: ClauseText) -> bytes:
    issued_at = datetime.combine(values.as_of, time(12), tzinfo=UTC)
    return article_pdf(text.heading, article_html(values, text), issued_at=issued_at)


def _page(
    request: HttpRequest,
    article: Article,
    text: ClauseText,
    draft: ClauseDraft | None,
    grouping: Grouping | None,
    groupings: list[Grouping],
    *,
    rendered: str = "",
    refusal: str = "",
    status: int = 200,
) -> HttpResponse:
    context = {
        "article": article,
        "text": text,
        "draft": draft,
        "grouping": grouping,
        "form": PreviewForm(groupings=groupings, initial={"groupement": grouping.pk if grouping else None}),
        "problems": language.read(text.body).problems,
        "refusal": refusal,
        "rendered": rendered,
    }
    return render(request, "groupings/clause_preview.html", context, status=status)


def _groupings(request: HttpRequest) -> list[Grouping]:
    """Those whose convention this library makes, the latest first."""
    visible = Grouping.objects.visible_to(request.affiliation).filter(is_declared_only=False)
    return list(visible.select_related("coordinator").order_by("-opened_on", "reference"))


def _chosen(request: HttpRequest, groupings: list[Grouping]) -> Grouping | None:
    """The one asked for, 404 outside the perimeter; without a choice, the latest."""
    asked = request.GET.get("groupement")
    if not asked:
        return groupings[0] if groupings else None
    for grouping in groupings:
        if str(grouping.pk) == asked:
            return grouping
    raise Http404


def _values(grouping: Grouping) -> ConventionValues:
    """As a freeze would take them now; no article prints the version. Raises BusinessError with what is missing."""
    values = assemble(grouping, version=1)
    if problems := values.problems():
        raise BusinessError(" ".join(problems))
    return values
