"""The whole check of a clause, in its order: the language, every variant, what would no longer be printed, the PDF."""

from datetime import UTC, datetime

from groupings.clauses import language
from groupings.clauses.articles import ClauseText, Texts
from groupings.clauses.fields import PrintedField, lost_fields
from groupings.clauses.problems import ClauseProblem
from groupings.clauses.variants import longest_rendering, problems_of_variants

MAX_TITLE = 120


def problems_of(text: ClauseText, others: Texts = ()) -> list[ClauseProblem]:
    """What forbids to publish ``text`` beside ``others``, the published versions (its own article's is left out)."""
    found = []
    if not text.title.strip():
        found.append(ClauseProblem("l’article n’a pas d’intitulé."))
    elif len(text.title) > MAX_TITLE:
        found.append(ClauseProblem(f"l’intitulé dépasse {MAX_TITLE} signes."))
    reading = language.read(text.body)
    found += reading.problems or problems_of_variants(text.body)
    if not reading.problems:
        siblings = tuple(other for other in others if other.key != text.key)
        if siblings:
            found += [_lost(field) for field in lost_fields((*siblings, text))]
    return found


def _lost(field: PrintedField) -> ClauseProblem:
    names = " ou ".join(f"«\u00a0{name}\u00a0»" for name in field.variables)
    return ClauseProblem(
        f"la convention n’imprimerait plus nulle part ce qui est saisi pour {field.label}\u00a0; nommez {names}."
    )


def layout_problem(text: ClauseText) -> ClauseProblem | None:
    """What the PDF engine refuses of ``text``, laid out once in the variant that prints the most."""
    from groupings.conventions.render import article_pdf
    from procurement.core.documents.pdf import PdfError

    try:
        article_pdf(text.heading, longest_rendering(text.body), issued_at=datetime(2000, 1, 1, tzinfo=UTC))
    except PdfError as error:
        return ClauseProblem(layout_refusal(str(error)))
    return None


def layout_refusal(message: str) -> str:
    """What the engine said, as the person who writes the article can use it."""
    if "LayoutError" in message or "too large" in message or "rétréci" in message:
        return (
            "la mise en page échoue\u00a0: une cellule de tableau ou un paragraphe est plus haut qu’une page\u00a0; "
            "partagez-le en plusieurs."
        )
    if "plus large" in message:
        return "la mise en page échoue\u00a0: un mot est plus large que sa colonne\u00a0; raccourcissez-le."
    return f"la mise en page échoue\u00a0: {message.rstrip('.')}."
