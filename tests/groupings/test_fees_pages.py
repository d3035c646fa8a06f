"""The pages of the fees: each person its own, the exports read back, a bounded number of queries."""

import csv
import io
import zipfile
from datetime import date, timedelta
from decimal import Decimal

import openpyxl
import pypdf
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from djmoney.money import Money

from groupings.fund_call_print import render_call
from groupings.models import Convention, FeeExpense, FundCall, GroupingDocument
from members.roles import Role
from procurement.core.jobs import runner
from procurement.core.jobs.models import Job
from tests.support.contracts import make_scene
from tests.support.deliberations import make_pdf
from tests.support.factories import make_affiliation, make_membership, make_organisation

pytestmark = pytest.mark.django_db
YEAR = 2026


@pytest.fixture
def scene():
    found = make_scene(fee_rule="EQUAL_SHARES", fee_base=Money("1000.00", "EUR"), fee_ceiling=Money("2000.00", "EUR"))
    found.finance = make_affiliation(found.metropole, Role.FINANCE)
    return found


def address(name: str, scene, *arguments) -> str:
    return reverse(name, args=[scene.grouping.pk, *arguments])


def text(response) -> str:
    return response.content.decode()


def spend(client, scene, **fields):
    client.force_login(scene.buyer.user)
    fields = {
        "nature": "publication",
        "label": "Avis au BOAMP",
        "amount_excl_tax": "1 000,00 €",
        "spent_on": "2026-03-01",
    } | fields
    return client.post(address("fee_expense_create", scene), fields)


def approve(client, scene, **fields):
    client.force_login(scene.finance.user)
    page = client.get(address("fees_year", scene, YEAR))
    form = page.context["approve_form"]
    return client.post(address("fees_approve", scene, YEAR), {"sha256": form["sha256"].value(), **fields})


def issue(client, scene):
    client.force_login(scene.buyer.user)
    due = timezone.localdate() + timedelta(days=30)
    response = client.post(address("fees_issue", scene, YEAR), {"due_on": due.isoformat()})
    assert response.status_code == 302
    job = Job.objects.get(kind="groupings.fund_calls")
    if not job.is_finished:
        runner.run(job.pk)
    return response


@pytest.fixture
def called(client, scene):
    assert spend(client, scene).status_code == 302
    assert approve(client, scene).status_code == 302
    issue(client, scene)
    return scene


def test_from_the_expense_to_the_payment(client, called):
    scene = called
    call = FundCall.objects.get(membership=scene.other)
    client.force_login(scene.finance.user)
    today = timezone.localdate()
    url = address("fund_call", scene, call.pk)
    refused = client.post(url, {"title_reference": "", "paid_on": today.isoformat()})
    assert refused.status_code == 422 and "numéro du titre de recettes" in text(refused)
    assert client.post(url, {"title_reference": "T-2026-12", "paid_on": today.isoformat()}).status_code == 302
    page = text(client.get(address("fees_year", scene, YEAR)))
    assert "T-2026-12" in page and f"réglé le {today:%d/%m/%Y}" in page and "avancé par le coordonnateur" in page


def test_a_member_reads_the_expenses_and_its_own_line_alone(client, called):
    scene = called
    client.force_login(scene.agent.user)
    page = text(client.get(address("fees_year", scene, YEAR)))
    assert "Vos frais 2026" in page and "Avis au BOAMP" in page and "333,33" in page
    assert "Ville d’Amont" not in page and "Ajouter une dépense" not in page
    other = FundCall.objects.get(membership=scene.other)
    own = FundCall.objects.get(membership=scene.membership)
    assert client.get(address("fund_call", scene, other.pk)).status_code == 404
    assert client.get(address("fund_call_pdf", scene, other.pk)).status_code == 404
    assert client.get(address("fund_call_pdf", scene, own.pk)).status_code == 200
    archive = zipfile.ZipFile(io.BytesIO(client.get(address("fund_call_archive", scene, YEAR)).content))
    assert archive.namelist() == [own.filename]
    rows = csv_rows(client.get(address("fees_year", scene, YEAR), {"export": "csv"}))
    assert [row["Membre"] for row in rows] == ["Ville d’Aval"]
    assert "votre part" in text(client.get(address("fees", scene)))


def test_a_member_does_not_read_a_year_before_it_is_approved(client, scene):
    spend(client, scene)
    client.force_login(scene.agent.user)
    assert client.get(address("fees_year", scene, YEAR)).status_code == 404
    page = text(client.get(address("fees", scene)))
    assert "Aucun état des frais n’est arrêté" in page and "Avis au BOAMP" not in page
    client.force_login(scene.buyer.user)
    assert client.get(address("fees_year", scene, 1999)).status_code == 404


def csv_rows(response) -> list[dict]:
    return list(csv.DictReader(io.StringIO(response.content.decode("utf-8-sig")), delimiter=";"))


def test_the_exports_say_what_the_page_says(client, called):
    """T-FEE: 333.34 / 333.33 / 333.33, the coordinator's own part is not to be called."""
    scene = called
    client.force_login(scene.finance.user)
    url = address("fees_year", scene, YEAR)
    rows = csv_rows(client.get(url, {"export": "csv"}))
    assert [(r["Membre"], r["Total (€ HT)"], r["À appeler (€ HT)"]) for r in rows] == [
        ("Métropole d’Essai", "333,34", "0,00"),
        ("Ville d’Amont", "333,33", "0,00"),
        ("Ville d’Aval", "333,33", "0,00"),
    ]
    sheet = openpyxl.load_workbook(io.BytesIO(client.get(url, {"export": "xlsx"}).content)).active
    heading = [cell.value for cell in sheet[1]]
    assert sum(Decimal(str(row[heading.index("Total (€ HT)")])) for row in sheet.iter_rows(2, values_only=True)) == 1000
    year = timezone.localdate().year
    assert sheet.cell(3, heading.index("Appels de fonds") + 1).value == f"AF-{year}-001"


def test_a_name_that_looks_like_a_formula_stays_a_text(client, scene):
    scene.commune.name = "=1+1"
    scene.commune.save()
    spend(client, scene)
    client.force_login(scene.finance.user)
    rows = csv_rows(client.get(address("fees_year", scene, YEAR), {"export": "csv"}))
    assert [row["Membre"] for row in rows if "1+1" in row["Membre"]] == ["'=1+1"]


def test_the_pdf_of_a_call_says_why_how_much_and_by_when(client, called):
    call = FundCall.objects.get(membership=called.membership)
    client.force_login(called.agent.user)
    content = client.get(address("fund_call_pdf", called, call.pk)).content
    assert content == render_call(call)  # the same values, the same bytes
    reader = pypdf.PdfReader(io.BytesIO(content))
    said = " ".join(" ".join(page.extract_text() for page in reader.pages).split()).replace("\u00a0", " ")
    for words in (
        call.reference,
        "Ville d’Aval",
        "Somme à régler : 333,33 € hors taxes",
        f"avant le {call.due_on:%d/%m/%Y}",
        "Avis au BOAMP",
        "1 000,00 €",
        "Parts égales",
        "titre de recettes",
    ):
        assert words in said, said
    assert "Ville d’Amont" not in said
    assert reader.metadata.title == f"Appel de fonds {call.reference} – Ville d’Aval"


def test_the_longest_texts_still_fit_a_call(client, scene):
    scene.commune.name = "Syndicat " + "W" * 190
    scene.commune.save()
    for number in range(30):
        FeeExpense.objects.create(
            grouping=scene.grouping,
            nature="advice",
            label=f"{number} " + "M" * 190,
            amount_excl_tax=Money("123456789.99", "EUR"),
            spent_on=date(2026, 3, 1),
            entered_label="Acheteur",
        )
    scene.grouping.fee_ceiling = None
    scene.grouping.save()
    approve(client, scene)
    issue(client, scene)
    call = FundCall.objects.get(membership=scene.membership)
    with call.file.open() as stream:
        assert len(pypdf.PdfReader(stream).pages) >= 2


def test_a_correction_is_told_approved_with_its_reason_and_given_back(client, called):
    scene = called
    assert spend(client, scene, label="Avoir du BOAMP", amount_excl_tax="-300").status_code == 302
    client.force_login(scene.finance.user)
    page = text(client.get(address("fees_year", scene, YEAR)))
    assert "ont changé depuis que l’état est arrêté" in page
    assert approve(client, scene).status_code == 422
    assert approve(client, scene, reason="Avoir").status_code == 302
    Job.objects.all().delete()
    issue(client, scene)
    refund = FundCall.objects.filter(membership=scene.membership).latest("number")
    assert refund.amount_excl_tax.amount == Decimal("-100.00")
    with refund.file.open() as stream:
        said = pypdf.PdfReader(stream).pages[0].extract_text().replace("\u00a0", " ")
    assert "Restitution de frais" in said and "100,00 €" in said and "Avoir" in said
    client.force_login(scene.agent.user)
    page = text(client.get(address("fees_year", scene, YEAR)))
    assert "À rendre" in page and "Version 1" not in page  # the former statement, with everybody's total, is not shown


def test_the_ceiling_is_told_before_it_stops(client, scene):
    spend(client, scene, amount_excl_tax="2 000,01")
    client.force_login(scene.finance.user)
    page = text(client.get(address("fees_year", scene, YEAR)))
    assert "dépasserait le plafond du groupement de 0,01" in page and "Décision des membres" in page
    refused = approve(client, scene)
    assert refused.status_code == 422 and "article 10.2" in text(refused)
    assert approve(client, scene, ceiling_agreement="Avenant n° 1").status_code == 302
    assert "Avenant n° 1" in text(client.get(address("fees_year", scene, YEAR)))


def test_free_is_explained_and_offers_no_tab_to_the_members(client, scene):
    scene.grouping.fee_rule, scene.grouping.fee_base, scene.grouping.fee_ceiling = "FREE", None, None
    scene.grouping.save()
    client.force_login(scene.agent.user)
    page = text(client.get(address("fees", scene)))
    assert "Gratuité" in page and "rien n’est demandé aux membres" in page
    assert ">Vos frais</a>" not in page
    client.force_login(scene.buyer.user)
    natures = client.get(address("fee_expense_create", scene)).context["form"].fields["nature"].choices
    assert [value for value, _ in natures] == ["litigation"]
    assert spend(client, scene).status_code == 422


def test_a_rule_that_is_no_longer_the_convention_s_is_said(client, scene):
    Convention.objects.create(
        grouping=scene.grouping,
        version=3,
        values={"fees": {"rule": "POPULATION"}},
        values_sha256="0" * 64,
        texts_sha256="0" * 64,
        legal_basis="x",
        is_draft=False,
        frozen_at=timezone.now(),
    )
    client.force_login(scene.buyer.user)
    page = text(client.get(address("fees", scene)))
    assert "La convention version 3 dit «\u00a0Au prorata de la population\u00a0»" in page


def test_an_evidence_is_kept_and_read_by_the_coordinator_alone(client, scene):
    file = SimpleUploadedFile("facture.pdf", make_pdf("Facture n° 12"))
    response = spend(client, scene, file=file)
    assert response.status_code == 302, text(response)
    document = GroupingDocument.objects.get()
    assert document.kind == "fee_evidence" and FeeExpense.objects.get().evidence == document
    url = reverse("grouping_file", args=[scene.grouping.pk, document.pk])
    assert client.get(url).status_code == 200
    client.force_login(scene.agent.user)
    assert client.get(url).status_code == 404
    refused = spend(client, scene, file=SimpleUploadedFile("x.pdf", b"rien"))
    assert refused.status_code == 422 and FeeExpense.objects.count() == 1
    assert "Avis au BOAMP" in text(refused)  # nothing typed is lost


def test_an_expense_is_changed_then_removed_and_no_more_once_counted(client, scene):
    spend(client, scene)
    expense = FeeExpense.objects.get()
    url = address("fee_expense_change", scene, expense.pk)
    form = client.get(url).context["form"]
    typed = {name: form[name].value() or "" for name in form.fields if name != "file"} | {"amount_excl_tax": "12,50"}
    assert client.post(url, typed).status_code == 302
    expense.refresh_from_db()
    assert expense.amount_excl_tax.amount == Decimal("12.50")
    stale = client.post(url, typed)
    assert stale.status_code == 422 and "a changé pendant votre saisie" in text(stale)
    drop = address("fee_expense_drop", scene, expense.pk)
    assert client.post(drop).status_code == 302 and client.post(drop).status_code == 302
    assert not FeeExpense.objects.exists()
    spend(client, scene)
    approve(client, scene)
    expense = FeeExpense.objects.get()
    client.force_login(scene.buyer.user)
    counted = client.get(address("fee_expense_change", scene, expense.pk), follow=True)
    assert "elle ne change plus" in text(counted)
    assert "elle ne change plus" in text(client.post(address("fee_expense_drop", scene, expense.pk), follow=True))


@pytest.mark.parametrize("who", ["finance", "agent"])
def test_the_number_of_queries_does_not_depend_on_the_members(client, called, who):
    scene = called
    client.force_login(getattr(scene, who).user)

    def queries(name: str, *arguments) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert client.get(address(name, scene, *arguments)).status_code == 200
        return len(captured)

    before = queries("fees"), queries("fees_year", YEAR)
    for number in range(12):
        make_membership(scene.grouping, make_organisation(parent=scene.metropole, name=f"Ville {number}"))
        FeeExpense.objects.create(
            grouping=scene.grouping,
            nature="advice",
            label=f"Étude {number}",
            amount_excl_tax=Money("10.00", "EUR"),
            spent_on=date(2026, 5, 1),
            entered_label="Acheteur",
        )
    after = queries("fees"), queries("fees_year", YEAR)
    assert after == before and max(after) <= 12, (before, after)
