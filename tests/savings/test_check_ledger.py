"""``manage.py check_ledger``, and the nightly check with its mail."""

import json
from datetime import date, timedelta
from io import StringIO

import pytest
from celery import current_app
from django.conf import settings
from django.core.management import CommandError, call_command

from members.roles import Role
from procurement.core.mail.models import OutgoingMessage
from savings.actions.checks import ledger_check
from tests.savings.review_world import NOW, make_review
from tests.support.corruption import corrupt
from tests.support.factories import make_affiliation
from tests.support.savings import make_line

pytestmark = pytest.mark.django_db
TODAY = date(2026, 9, 15)


@pytest.fixture
def review():
    return make_review()


def run(*arguments) -> tuple[int, str, str]:
    out = StringIO()
    try:
        call_command("check_ledger", *arguments, stdout=out)
    except CommandError as stop:
        return stop.returncode, out.getvalue(), str(stop)
    return 0, out.getvalue(), ""


def spoil(line):
    corrupt("UPDATE savings_priceline SET budget_gain = 1 WHERE id = %s", line.pk)


def test_a_sound_ledger(review):
    make_line(review.baseline())
    make_line(review.baseline(designation="Colle"), months=24)
    assert run() == (0, "Registre cohérent\u00a0: 2 lignes, 3 écritures vérifiées.\n", "")


def test_an_empty_one(db):
    assert run() == (0, "Registre cohérent\u00a0: 0 ligne, 0 écriture vérifiée.\n", "")


def test_what_is_found_is_listed_and_the_exit_is_1(review):
    line = make_line(review.baseline())
    spoil(line)
    code, out, err = run()
    assert code == 1
    assert out.splitlines()[0] == f"Ligne {line.pk}\u00a0: ses montants ne sont pas ceux de ses prix."
    assert "dans 1 ligne, 1 écriture vérifiées" in err


def test_as_json(review):
    line = make_line(review.baseline())
    assert json.loads(run("--json")[1]) == {
        "year": None,
        "lines": 1,
        "entries": 1,
        "findings": [],
        "count": 0,
        "coherent": True,
    }
    spoil(line)
    code, out, _ = run("--json", "--year", "2026")
    told = json.loads(out)
    assert (code, told["coherent"], told["year"]) == (1, False, 2026)
    assert told["count"] == len(told["findings"])
    assert told["findings"][0]["line"] == line.pk


def test_one_year(review):
    spoil(make_line(review.baseline()))
    assert run("--year", "2025")[0] == 0
    assert run("--year", "2026")[0] == 1
    assert "n’est pas un exercice" in run("--year", "26")[2]


def test_every_night_finance_is_told_once_a_day(review):
    line = make_line(review.baseline())
    other = make_review()
    make_line(other.baseline())
    make_affiliation(review.metropole, Role.READER)
    ledger_check(today=TODAY, now=NOW)
    assert not OutgoingMessage.objects.exists()
    spoil(line)
    for _ in range(2):
        reports = ledger_check(today=TODAY, now=NOW)
    assert not reports[review.metropole.pk].is_coherent
    assert reports[other.metropole.pk].is_coherent
    mails = OutgoingMessage.objects.all()
    assert {mail.recipient for mail in mails} == {review.finance.user.email, review.colleague.user.email}
    assert len(mails) == 2
    assert {mail.territory for mail in mails} == {review.metropole}
    assert f"Ligne {line.pk}\u00a0: ses montants" in mails[0].text
    assert "/economies/controles/" in mails[0].text
    ledger_check(today=TODAY + timedelta(days=1), now=NOW + timedelta(days=1))
    assert OutgoingMessage.objects.count() == 4


def test_one_territory_that_fails_does_not_stop_the_others(review, monkeypatch, caplog):
    make_line(review.baseline())
    other = make_review()
    make_line(other.baseline())
    from savings.actions import checks

    def check(scope, *, keep):
        if scope.territory_id == review.metropole.pk:
            raise OSError("disque")
        return checks.CheckReport(0, 0, [])

    monkeypatch.setattr(checks, "check_ledger", check)
    assert list(ledger_check(today=TODAY, now=NOW)) == [other.metropole.pk]
    assert "Contrôle du registre" in caplog.text


def test_the_clock_starts_it():
    scheduled = settings.CELERY_BEAT_SCHEDULE["check-ledger"]["task"]
    current_app.loader.import_default_modules()
    assert scheduled == "savings.check_ledger"
    assert scheduled in current_app.tasks


def test_the_task_runs(review):
    from savings.tasks import check_ledger

    spoil(make_line(review.baseline()))
    check_ledger()
    assert OutgoingMessage.objects.count() == 2
