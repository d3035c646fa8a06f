"""The years and their locks, the sample and its check sheet, the coherence checks on demand."""

import io
import re
from datetime import UTC, date, datetime

import pytest
from pypdf import PdfReader

from members.roles import Role
from savings.actions.locks import year_lock
from savings.models import LedgerEntry, YearLock
from tests.savings.review_world import NOW, make_review
from tests.support.corruption import corrupt
from tests.support.factories import make_affiliation
from tests.support.savings import make_line

pytestmark = pytest.mark.django_db
YEARS, SAMPLE, CHECKS = "/economies/exercices/", "/economies/sondage/", "/economies/controles/"


@pytest.fixture
def review():
    return make_review()


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setattr("django.utils.timezone.now", lambda: datetime(2026, 11, 28, 9, tzinfo=UTC))


def text(response) -> str:
    page = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"[\s\u00a0\u202f]+", " ", page)


def read(client, person, url, status=200, **query) -> str:
    client.force_login(person.user)
    response = client.get(url, query)
    assert response.status_code == status
    return text(response)


def test_the_years_show_each_stage_apart(client, review):
    line = make_line(review.baseline(), starts_on=date(2025, 7, 1), months=12)
    make_line(line.baseline, stage="REALISED", year=2025)
    page = read(client, review.buyer, YEARS)
    assert "Notifié 1 2 400,00 € 600,00 € 600,00 €" in page
    assert "Réalisé 1 4 800,00 € 1 200,00 € 1 200,00 €" in page
    assert "Potentiel 0 — — —" in page
    assert "1 800,00" not in page  # never added together
    assert "verrouiller=" not in client.get(YEARS).content.decode()


def test_finance_locks_after_being_told(client, review):
    make_line(review.baseline())
    review.line(review.baseline(designation="Colle"))
    assert "?verrouiller=2026" in client_get(client, review.finance, YEARS)
    page = read(client, review.finance, YEARS, verrouiller="2026")
    assert "1 ligne soumise attend encore une décision et concerne 2026" in page
    assert "L’exercice 2026 est en cours" in page
    response = client.post(YEARS, {"year": "2026"})
    assert response.url == YEARS
    lock = YearLock.objects.get()
    assert (lock.locked_by, lock.entry_count) == (review.finance.user, 1)
    page = text(client.get(YEARS))
    assert lock.sha256 in page
    assert "Exercice 2026 verrouillé : plus rien ne s’y inscrit." in page
    refused = client.post(YEARS, {"year": "2026"})
    assert refused.status_code == 422
    assert "déjà verrouillé" in text(refused)


def client_get(client, person, url) -> str:
    client.force_login(person.user)
    return client.get(url).content.decode()


def test_a_lock_is_verified_on_demand(client, review):
    make_line(review.baseline())
    year_lock(territory=review.metropole, year=2026, actor=review.finance, now=NOW)
    assert "inchangé depuis le verrou" in read(client, review.buyer, YEARS, verifier="2026")
    corrupt("UPDATE savings_ledgerentry SET grade = 'B'")
    assert "il a changé depuis le verrou" in read(client, review.buyer, YEARS, verifier="2026")


@pytest.mark.parametrize("year", ["", "x", "20260", "²026", "1999"])
def test_an_address_that_means_nothing(client, review, year):
    for name in ("verifier", "verrouiller"):
        read(client, review.finance, YEARS, **{name: year})
    client.force_login(review.finance.user)
    assert client.post(YEARS, {"year": year}).status_code == 422
    assert not YearLock.objects.exists()


def test_only_the_oldest_open_year_is_offered(client, review):
    make_line(review.baseline(), starts_on=date(2025, 7, 1), months=12)
    page = client_get(client, review.finance, YEARS)
    assert "?verrouiller=2025" in page
    assert "?verrouiller=2026" not in page


def test_the_years_of_another_territory_stay_its_own(client, review):
    other = make_review()
    make_line(other.baseline("987.65"))
    year_lock(territory=other.metropole, year=2026, actor=other.finance, now=NOW)
    page = read(client, review.finance, YEARS, verifier="2026")
    assert YearLock.objects.get().sha256 not in page
    assert "983" not in page


@pytest.mark.parametrize("count", [2, 50])
def test_pages_ask_few_queries(client, review, count, django_assert_max_num_queries):
    for number in range(count):
        make_line(review.baseline(designation=f"Article {number}"), starts_on=date(2020, 1, 1), months=84)
    year_lock(territory=review.metropole, year=2020, actor=review.finance, now=NOW)
    client.force_login(review.finance.user)
    for url in (YEARS, f"{YEARS}?verrouiller=2021", f"{SAMPLE}?{ASKED}"):
        with django_assert_max_num_queries(12):
            assert client.get(url).status_code == 200


ASKED = "annee=2026&stade=AWARDED&nombre=30&graine=essai"


def test_a_sample_is_drawn_and_drawn_again(client, review):
    for number in range(1, 6):
        make_line(review.baseline(str(4 + number), designation=f"Article {number}"))
    assert "Lignes à tirer" in read(client, review.buyer, SAMPLE)
    asked = {"annee": "2026", "stade": "AWARDED", "nombre": "3", "graine": "2026-11-28"}
    page = read(client, review.finance, SAMPLE, **asked)
    assert "3 lignes tirées sur 5" in page
    assert "graine « 2026-11-28 »" in page
    assert "exercice ouvert : le même tirage peut changer avec le registre" in page
    assert page.count("☐ preuve vue") == 3
    drawn = re.findall(r"Article \d", page)
    assert re.findall(r"Article \d", read(client, review.buyer, SAMPLE, **asked)) == drawn
    year_lock(territory=review.metropole, year=2026, actor=review.finance, now=NOW)
    assert "exercice verrouillé, empreinte" in read(client, review.finance, SAMPLE, **asked)


def test_the_check_sheet_as_a_pdf(client, review):
    baseline = review.baseline(index_factor="1.03", index_name="INSEE papier", source="Marché 2021-14")
    line = make_line(baseline)
    client.force_login(review.finance.user)
    response = client.get(f"{SAMPLE}?{ASKED}&export=pdf")
    assert response["Content-Type"] == "application/pdf"
    reader = PdfReader(io.BytesIO(response.content))
    told = re.sub(r"[\s\u00a0]+", " ", " ".join(page.extract_text() for page in reader.pages))
    for words in (
        "Feuille de contrôle : 1 ligne sur 1",
        f"(ligne n° {line.pk})",
        "preuve vue",
        "prix conforme",
        "quantité conforme",
        "remarque",
        "Contrôle fait par",
        "Signature",
        "graine « essai »",
        "INSEE papier, coefficient 1,03",
        "Marché 2021-14",
        "1 200,00 €",
        baseline.evidence.sha256[:20],
    ):
        assert words in told, words


def test_the_sheet_holds_a_hundred_long_lines(client, review):
    """Long words, long names: the engine refuses what it would cut; the longest a line can say must pass."""
    for number in range(12):
        make_line(
            review.baseline(
                designation=f"{number} " + "Fourniture-de-papier-recyclé-et-d’enveloppes " * 10,
                source="x" * 60,
                unit="ramette de 500 feuilles",
            )
        )
    client.force_login(review.finance.user)
    response = client.get(f"{SAMPLE}?{ASKED}&export=pdf")
    assert response.status_code == 200
    assert len(PdfReader(io.BytesIO(response.content)).pages) > 1


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"nombre": "0"}, "supérieure ou égale à 1"),
        ({"nombre": "101"}, "inférieure ou égale à 100"),
        ({"nombre": "x"}, "Écrivez un nombre de lignes."),
        ({"annee": "x"}, "quatre chiffres"),
        ({"stade": "TOUS"}, "choix valide"),
        ({"graine": ""}, "obligatoire"),
    ],
)
def test_a_sample_that_means_nothing(client, review, asked, sentence):
    query = {"annee": "2026", "stade": "AWARDED", "nombre": "3", "graine": "g"} | asked
    assert sentence in read(client, review.finance, SAMPLE, 422, **query)


def test_a_year_with_nothing(client, review):
    page = read(client, review.finance, SAMPLE, annee="2031", stade="AWARDED", nombre="3", graine="g", export="pdf")
    assert "il n’y a rien à tirer" in page


def test_the_checks_on_demand(client, review):
    line = make_line(review.baseline())
    there = make_line(make_review().baseline())
    assert "quelques instants" in read(client, review.finance, CHECKS)
    page = read(client, review.finance, CHECKS, lancer="1")
    assert "Registre cohérent : 1 ligne, 1 écriture" in page
    corrupt("UPDATE savings_priceline SET budget_gain = 1")
    page = read(client, review.finance, CHECKS, lancer="1")
    assert "1 incohérence" in page
    assert f"Ligne {line.pk} : ses montants ne sont pas ceux de ses prix." in page
    assert f"Ligne {there.pk} :" not in page
    assert f"/economies/lignes/{line.pk}/" in client.get(CHECKS, {"lancer": "1"}).content.decode()
    assert LedgerEntry.objects.count() == 2


def test_none_of_it_is_a_members(client, review):
    agent = make_affiliation(review.membership.organisation, Role.MEMBER_AGENT)
    client.force_login(agent.user)
    for url in (YEARS, SAMPLE, CHECKS, "/economies/validation/"):
        assert client.get(url).status_code == 403
