"""Reports by button: the form, the job that makes one file, the list, the download, and each member's own lines."""

import hashlib

import pytest
from django.urls import reverse

from members.roles import Role
from procurement.core.jobs import runner
from procurement.core.jobs.models import Job
from procurement.core.journal.models import JournalEntry
from savings.actions.reports import report_request
from savings.models import LedgerEntry, PriceLine, SavingsReportFile
from savings.reports import method
from savings.reports.asked import Asked
from tests.savings.reports.conftest import NOW
from tests.support.factories import make_affiliation, make_metropole
from tests.support.savings import make_line

pytestmark = pytest.mark.django_db

ASKED = {"year": "2026", "stage": "AWARDED", "by": "grouping,member", "format": "csv"}


@pytest.fixture
def finance(year, client):
    person = make_affiliation(year.metropole, Role.FINANCE)
    client.force_login(person.user)
    return person


def made(client, **changes) -> SavingsReportFile:
    response = client.post(reverse("savings_report"), ASKED | changes)
    job = Job.objects.get()
    assert response.url == reverse("job_detail", args=[job.pk])
    done = runner.run(job.pk)
    assert done.status == "done", done.message
    return SavingsReportFile.objects.get(job=job)


def test_one_click_makes_a_file_that_is_kept_and_downloaded(year, client, finance, bell):
    report = made(client)
    assert (report.year, report.stage, report.by, report.format) == (2026, "AWARDED", "grouping,member", "csv")
    assert (report.line_count, str(report.budget_gain), report.lock_sha256) == (4, "11730.00", "")
    assert report.made_label == finance.actor_label
    content = client.get(reverse("savings_report_file", args=[report.pk]))
    assert hashlib.sha256(content.content).hexdigest() == report.sha256
    assert "gains_2026_notifie.csv" in content["Content-Disposition"]
    page = client.get(reverse("savings_report")).content.decode()
    assert "11\u202f730,00\u00a0€" in page and "Exercice ouvert" in page and "Groupement, puis membre" in page
    waiting = client.get(reverse("job_detail", args=[report.job_id])).content.decode()
    assert reverse("savings_report_file", args=[report.pk]) in waiting
    entry = JournalEntry.objects.get(verb="report.make")
    assert entry.actor_id == finance.user_id and entry.after["sha256"] == report.sha256


def test_a_double_click_makes_one_job_and_one_file(year, client, finance):
    client.post(reverse("savings_report"), ASKED)
    client.post(reverse("savings_report"), ASKED)
    job = Job.objects.get()
    runner.run(job.pk)
    assert runner.run(job.pk) is None
    assert SavingsReportFile.objects.count() == 1


def test_a_killed_worker_s_report_is_made_again_with_the_same_bytes(year, client, finance, monkeypatch):
    """The first worker dies after writing the file: what the next one makes has the figures of the click."""
    job = report_request(asked=Asked(2026), file_format="xlsx", actor=finance, now=NOW)
    written = []

    def die(*arguments, **keywords):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("savings.actions.reports.record", die)
        with pytest.raises(KeyboardInterrupt):
            runner.run(job.pk)
    assert not SavingsReportFile.objects.exists()
    line = PriceLine.objects.get(baseline__membership__organisation=year.bodies[1])
    make_line(line.baseline, "3.90", corrects=line)  # validated in between
    Job.objects.filter(pk=job.pk).update(lease_until=NOW)
    done = runner.run(job.pk)
    assert done.status == "done"
    report = SavingsReportFile.objects.get()
    written.append(report.sha256)
    assert str(report.budget_gain) == "11730.00"
    assert report.made_at == NOW


def test_a_year_with_nothing_is_refused_on_the_form(year, client, finance):
    response = client.post(reverse("savings_report"), ASKED | {"year": "2031"})
    assert response.status_code == 422
    assert "Aucun gain validé en 2031" in response.content.decode()
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"year": "dix"}, "Un exercice est une année"),
        ({"year": "26"}, "Un exercice va de 2000 à 2100"),
        ({"stage": "ALL"}, "Choisissez un des stades proposés"),
        ({"by": "commune"}, "Choisissez un des regroupements proposés"),
        ({"format": "docx"}, "Choisissez un des formats proposés"),
    ],
)
def test_wrong_choices_are_told(year, client, finance, changes, sentence):
    response = client.post(reverse("savings_report"), ASKED | changes)
    assert response.status_code == 422 and sentence in response.content.decode()


def test_an_altered_file_is_not_delivered(year, client, finance):
    report = made(client)
    with report.file.storage.open(report.file.name, "wb") as stream:
        stream.write(b"autre chose")
    response = client.get(reverse("savings_report_file", args=[report.pk]))
    assert response.status_code != 200 and b"autre chose" not in response.content


def test_a_report_is_never_leaked(year, client, finance):
    report = made(client)
    url = reverse("savings_report_file", args=[report.pk])
    stranger = make_affiliation(make_metropole(), Role.FINANCE)
    member = make_affiliation(year.bodies[0], Role.MEMBER_AGENT)
    buyer = make_affiliation(year.bodies[0], Role.BUYER)
    for person in (stranger, member, buyer):
        client.force_login(person.user)
        assert client.get(url).status_code == 404, "leaked"
        assert report.sha256 not in client.get(reverse("savings_report")).content.decode(), "leaked"
        assert not SavingsReportFile.objects.visible_to(person).exists()
    assert not SavingsReportFile.objects.visible_to(None).exists()


def test_a_member_downloads_its_own_lines_alone(year, client):
    agent = make_affiliation(year.bodies[2], Role.MEMBER_AGENT)
    client.force_login(agent.user)
    page = client.get(reverse("savings_report")).content.decode()
    assert reverse("savings_own_lines") in page and 'method="post"' not in page.split("<main")[1]
    asked = {"year": "2026", "stage": "AWARDED", "format": "csv"}
    response = client.get(reverse("savings_own_lines"), asked)
    text = response.content.decode()
    assert response.status_code == 200 and "Clapiers" in text
    for other in ("Assas", "Baillargues", "GC-2"):
        assert other not in text, "leaked"
    assert client.post(reverse("savings_report"), ASKED).status_code == 403
    refused = client.get(reverse("savings_own_lines"), asked | {"year": "2031"})
    assert refused.status_code == 422 and "Aucun gain validé en 2031" in refused.content.decode()


def test_the_page_takes_the_same_queries_for_two_reports_or_fifty(year, client, finance, django_assert_max_num_queries):
    report = made(client)
    for number in range(49):
        report.pk, report.job, report.job_key, report._state.adding = None, None, f"copie {number}", True
        report.save()
    with django_assert_max_num_queries(12):
        assert client.get(reverse("savings_report")).status_code == 200


def test_the_method_is_the_one_of_the_reports(year, client, finance):
    page = client.get(reverse("savings_method")).content.decode()
    assert method.VERSION_LABEL in page
    for section in method.SECTIONS:
        assert section.title in page


def test_a_locked_year_is_marked(year, client, finance):
    from savings.models import YearLock

    YearLock.objects.create(
        territory=year.metropole,
        year=2026,
        sha256="ab" * 32,
        entry_count=LedgerEntry.objects.count(),
        totals={},
        locked_at=NOW,
        locked_label="Jean Martin",
    )
    report = made(client)
    assert report.lock_sha256 == "ab" * 32
    page = client.get(reverse("savings_report")).content.decode()
    assert "Exercice verrouillé" in page and "verrou abababababab…" in page
