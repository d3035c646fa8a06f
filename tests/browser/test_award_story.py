"""From the offers to the first invoices: the buyer awards and shares, a member orders, finance imports invoices."""

from datetime import date
from decimal import Decimal

import pytest

from tests.browser.site import PROFILES, checked, enter, pages, serving, spaces

CENT = Decimal("0.01")
WIDTHS = (1280, 390)
pytestmark = [pytest.mark.browser, pytest.mark.slow]

#: The demonstration's grouping whose offers are awaited, made a small adapted one whose hour has passed: no commission,
#: no standstill. Its first lot is not an accord-cadre.
PREPARE = """
from datetime import timedelta
from django.utils import timezone
from groupings.models import Consultation, Lot
now = timezone.now()
tender = Consultation.objects.filter(grouping__reference="GC-2026-02")
tender.update(procedure_code="adapted", procedure="adapted", offers_due_at=now - timedelta(days=1))
Lot.objects.filter(grouping__reference="GC-2026-02").update(
    is_framework=False, minimum_excl_tax=None, maximum_excl_tax=None
)
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("site"), prepare=PREPARE) as served:
        yield served


def test_a_lot_is_awarded_shared_ordered_and_watched(site, open_page, tmp_path):
    today = date.today()  # noqa: DTZ011 - the site's own day
    buyer = open_page()
    enter(buyer, site, PROFILES[0])
    buyer.goto(f"{site.url}/groupements/?q=GC-2026-02")
    buyer.get_by_role("link", name="Signalisation et mobilier urbain").first.click()
    pages(buyer).get_by_role("link", name="Consultation et attribution").click()
    buyer.get_by_role("button", name="Clore la consultation").click()
    buyer.get_by_text("Les lots peuvent être attribués").wait_for()

    # One offer, a group of two companies, 90 000 € over the whole duration; nothing for the other lot.
    buyer.get_by_role("link", name="Décider du lot 1").click()
    decide(buyer, "awarded", today, offers="1")
    buyer.locator("[name=holder_1_name]").fill("Panneaux du Sud (fictif)")
    buyer.locator("[name=holder_1_identifier]").fill("00000002600013")
    buyer.locator("[name=holder_2_name]").fill("Mobilier du Lez (fictif)")
    buyer.locator("[name=holder_2_identifier]").fill("00000001800010")
    buyer.locator("[name=operators_kind]").select_option("joint")
    buyer.locator("[name=amount_excl_tax]").fill("90 000,00")
    buyer.locator("[name=starts_on]").fill(today.isoformat())
    buyer.locator("[name=duration_months]").fill("24")
    checked(buyer, *WIDTHS)
    buyer.get_by_role("button", name="Enregistrer la décision").click()
    buyer.get_by_role("link", name="Décider du lot 2").click()
    decide(buyer, "unsuccessful", today, offers="0")
    buyer.locator("[name=reason]").fill("Aucune offre.")
    buyer.get_by_role("button", name="Enregistrer la décision").click()

    # The parts proposed hold to the cent: one cent more is refused, the cent given back is kept.
    buyer.get_by_role("link", name="Répartir les parts du lot 1").click()
    box = buyer.get_by_label("Part (€ HT), Prades-le-Lez")
    box.wait_for()
    proposed = box.input_value()
    own = Decimal(spaces(proposed).replace(" ", "").replace(",", "."))
    box.fill(str(own + CENT).replace(".", ","))
    buyer.get_by_role("button", name="Enregistrer les parts").click()
    buyer.locator("#form-errors").wait_for()
    assert "0,01 €" in spaces(buyer.locator("main").inner_text())
    buyer.get_by_label("Part (€ HT), Prades-le-Lez").fill(proposed)
    buyer.get_by_role("button", name="Enregistrer les parts").click()
    buyer.get_by_role("link", name="Parts des membres du lot 1").wait_for()

    buyer.get_by_role("link", name="Signature et notification du lot 1").click()
    buyer.get_by_label("Marché signé le").fill(today.isoformat())
    buyer.get_by_label("Marché notifié le").fill(today.isoformat())
    buyer.get_by_role("button", name="Enregistrer les dates").click()
    buyer.get_by_role("link", name="Aller aux lots").wait_for()
    pages(buyer).get_by_role("link", name="Marchés").click()
    buyer.locator("#execution").get_by_role("link", name="Lot 1 – Signalisation verticale").first.click()
    buyer.get_by_role("heading", name="Bordereau des prix").wait_for()
    checked(buyer, *WIDTHS)
    contract = buyer.url

    # The secretary reads what it needs to order, its own part, nobody else's.
    phone = open_page(390)
    enter(phone, site, PROFILES[1])
    phone.goto(contract)
    told = spaces(phone.locator("main").inner_text())
    assert proposed in told and "Panneaux du Sud (fictif)" in told
    assert "Baillargues" not in told
    checked(phone, *WIDTHS)

    # Invoices of 72 000 € reach four fifths of the contract: the buyer and finance are told the same day.
    invoices = tmp_path / "factures.csv"
    lines = [("213402175", "F-1", own), ("243400017", "F-2", 72_000 - own)]
    rows = [f"1;{siren};{number};{today:%d/%m/%Y};{str(amount).replace('.', ',')}" for siren, number, amount in lines]
    invoices.write_text("\n".join(["Lot;SIREN;Facture ou mandat n°;Date;Montant (€ HT)", *rows]), encoding="utf-8")
    finance = open_page()
    enter(finance, site, PROFILES[2])
    finance.goto(f"{site.url}/groupements/?q=GC-2026-02")
    finance.get_by_role("link", name="Signalisation et mobilier urbain").first.click()
    pages(finance).get_by_role("link", name="Consommation").click()
    finance.get_by_label("Fichier CSV ou Excel").set_input_files(invoices)
    finance.get_by_role("button", name="Importer").click()
    finance.get_by_text("2 lignes").first.wait_for()
    checked(finance, *WIDTHS)
    for page in (buyer, finance):
        page.goto(f"{site.url}/")
        told = spaces(page.locator("section", has=page.get_by_role("heading", name="Marchés en cours")).inner_text())
        assert "Signalisation et mobilier urbain" in told and "80" in told


def decide(page, outcome: str, today: date, *, offers: str) -> None:
    """The first boxes of the decision on a lot."""
    page.locator("[name=outcome]").select_option(outcome)
    page.locator("[name=decided_on]").fill(today.isoformat())
    page.locator("[name=offers_received]").fill(offers)
