"""One price, from what was paid to the public figure: the buyer enters, the member confirms, finance validates."""

import re
from datetime import date, timedelta
from decimal import Decimal

import openpyxl
import pytest

from tests.browser.site import PROFILES, axe, enter, pages, serving

pytestmark = [pytest.mark.browser, pytest.mark.slow]

DESIGNATION = "Serveur en baie, deux processeurs"
#: 2 servers a year, 5 500.00 € before, 4 890.00 € in the price list: 1 220.00 € for twelve months.
YEARLY = Decimal("1220.00")


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("site")) as served:
        yield served


def expected_gain(today: date) -> Decimal:
    """What the year's headline gains. The contract took effect 510 days ago, and that year is locked: when it is last
    year, its months count in this one too (the first still open)."""
    started = today - timedelta(days=510)
    months = 12 + (13 - started.month if started.year == today.year - 1 else 0)
    return YEARLY * months / 12


def test_a_price_becomes_a_figure_three_people_answer_for(site, open_page, tmp_path):
    today = date.today()  # noqa: DTZ011 - the site's own day
    finance = open_page()
    enter(finance, site, PROFILES[2])
    before = headline(finance, site)

    # The buyer enters the reference after the offers' deadline: it asks why, and the grade falls to D.
    buyer = open_page()
    enter(buyer, site, PROFILES[0])
    buyer.goto(f"{site.url}/groupements/?q=GC-2025-01")
    buyer.get_by_role("link", name="Acquisition de matériel informatique").first.click()
    pages(buyer).get_by_role("link", name="Prix de référence").click()
    buyer.locator("#lot-3 li", has_text="Prades-le-Lez").get_by_role("link").click()
    buyer.locator("[name=designation]").fill(DESIGNATION)
    buyer.locator("[name=quantity]").fill("2")
    buyer.locator("[name=price_before]").fill("5 500,00")
    buyer.locator("[name=method]").select_option("HISTORIC_PRICE")
    buyer.locator("[name=source]").fill("Facture du dernier serveur")
    assert axe(buyer) == []
    buyer.locator("main form button.btn-primary").click()
    buyer.get_by_role("link", name="Figer les prix du lot 3").click()
    buyer.get_by_role("button", name="Figer 1 prix").click()
    buyer.locator(".invalid-feedback, #form-errors").first.wait_for()  # late, and no reason yet
    buyer.locator("[name=late_reason]").fill("Facture retrouvée après l’ouverture des offres")
    buyer.get_by_role("button", name="Figer 1 prix").click()
    row = buyer.locator("#lot-3 tbody tr", has_text=DESIGNATION)
    row.wait_for()
    row.get_by_role("link", name="Notifié").click()
    buyer.locator("[name=price_obtained]").fill("4 890,00")
    buyer.locator("main form button.btn-primary").click()

    # The secretary is told on her first screen, and confirms in one click.
    secretary = open_page()
    enter(secretary, site, PROFILES[1])
    secretary.get_by_role("link", name="Confirmer", exact=True).click()
    price = secretary.locator("main", has_text=DESIGNATION)
    price.wait_for()
    assert axe(secretary) == []
    secretary.get_by_role("button", name=re.compile("confirme")).first.click()
    secretary.get_by_role("status").filter(has_text=re.compile("onfirm")).first.wait_for()

    buyer.goto(buyer.url.split("#")[0])
    buyer.get_by_role("button", name=re.compile("Soumettre")).first.click()
    buyer.locator("#lot-3 tbody tr", has_text=DESIGNATION).get_by_text("Soumise").wait_for()

    # Nothing moved while nobody of finance has looked; then the headline moves by what was worked by hand.
    assert headline(finance, site) == before
    finance.goto(f"{site.url}/")
    finance.get_by_role("link", name="Valider", exact=True).click()
    finance.get_by_role("link", name=DESIGNATION).click()
    assert axe(finance) == []
    finance.locator("[name=step][value=validate]").check()
    finance.locator("main form button.btn-primary").click()
    finance.get_by_text("Validée", exact=True).first.wait_for()
    after = headline(finance, site)
    assert after - before == expected_gain(today)

    # The report says the same, and its live formulas give the same once recomputed by whoever opens it.
    finance.get_by_role("link", name="Rapports").first.click()
    finance.locator("[name=year]").fill(str(today.year))
    finance.locator("[name=format]").select_option("xlsx")
    finance.get_by_role("button", name="Produire le rapport").click()
    link = finance.locator("table a", has_text=str(today.year)).first
    for _ in range(60):
        if link.count():
            break
        finance.wait_for_timeout(500)
        finance.goto(f"{site.url}/economies/rapports/")
    with finance.expect_download() as download:
        link.click()
    workbook = tmp_path / "rapport.xlsx"
    download.value.save_as(workbook)
    assert summed(workbook) == after


def headline(page, site) -> Decimal:
    """The year's validated budget gain, as finance reads it."""
    page.goto(f"{site.url}/economies/")
    text = page.locator(".headline").first.inner_text()
    return Decimal(re.sub(r"[^\d,-]", "", text.split("€")[0]).replace(",", "."))


def summed(path) -> Decimal:
    """The budget gains of the lines sheet, worked again from the two amounts each is the difference of."""
    rows = list(openpyxl.load_workbook(path)["lignes"].iter_rows(values_only=True))
    head = next(row for row in rows if "Obtenu de l’exercice (€ HT)" in row)
    base, obtained = head.index("Référence de l’exercice (€ HT)"), head.index("Obtenu de l’exercice (€ HT)")
    lines = [row for row in rows[rows.index(head) + 1 :] if isinstance(row[0], int)]
    return sum((cents(row[base]) - cents(row[obtained]) for row in lines), Decimal(0))


def cents(figure) -> Decimal:
    return Decimal(str(figure)).quantize(Decimal("0.01"))
