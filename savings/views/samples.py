"""Drawing a sample, and its check sheet: on screen, and as a PDF to sign."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from members.roles import may, require
from procurement.core.documents.pdf import render as render_pdf
from procurement.core.exports import download_response
from savings.choices import GainStage
from savings.forms.review import SampleForm
from savings.sample import Sample, draw_sample
from savings.views.lookup import require_coordination
from savings.views.navigation import savings_tabs

#: As many as the UK's National Audit Office drew in 2016.
USUAL = 30


@require_safe
def savings_sample(request: HttpRequest) -> HttpResponse:
    """The form; once asked, the lines drawn; ``?export=pdf``, their check sheet."""
    affiliation = request.affiliation
    require_coordination(affiliation)
    today = timezone.localdate()
    usual = {
        "annee": today.year,
        "stade": GainStage.AWARDED,
        "nombre": USUAL,
        "graine": f"{today:%Y-%m-%d}",
    }
    form = SampleForm(request.GET if "annee" in request.GET else None, initial=usual, use_required_attribute=False)
    sample = _draw(form, affiliation) if form.is_valid() else None
    if sample and sample.lines and request.GET.get("export") == "pdf":
        require(affiliation, "export")
        return _pdf(sample, affiliation)
    context = {
        "tabs": savings_tabs(affiliation, "savings_sample"),
        "form": form,
        "sample": sample,
        "may_export": may(affiliation, "export"),
    }
    return render(request, "savings/sample.html", context, status=422 if form.errors else 200)


def _draw(form: SampleForm, affiliation) -> Sample:
    asked = form.cleaned_data
    return draw_sample(
        affiliation, year=asked["annee"], stage=asked["stade"], count=asked["nombre"], seed=asked["graine"]
    )


def _pdf(sample: Sample, affiliation) -> HttpResponse:
    now = timezone.now()
    content = render_pdf(
        "savings/sample_pdf.html",
        {
            "sample": sample,
            "body": affiliation.organisation.name,
            "issued_at": now,
            "issued_local": timezone.localtime(now),
            "title": f"Sondage des lignes de gain {sample.year}",
            "author": affiliation.organisation.name,
        },
    )
    name = f"sondage_{sample.year}_{sample.stage.label.lower()}.pdf"
    return download_response(content, filename=name, content_type="application/pdf")
