"""From the offers to the first invoices: the buyer awards and shares, a member orders, finance watches the ceiling."""

from datetime import date

import pytest

from tests.browser.site import PROFILES, axe, enter, serving

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
    checked(buyer)

    # One offer, a group of two companies, 90 000 € over the whole duration.
    buyer.get_by_role("link", name="Décider du lot 1").click()
    buyer.get_by_label("Décision").select_option("awarded")
    buyer.get_by_label("Décidée le").fill(today.isoformat())
    buyer.get_by_label("Offres reçues").fill("1")
    buyer.get_by_label("Entreprise 1").fill("Panneaux du Sud (fictif)")
    buyer.get_by_label("Identifiant 1", exact=False).fill("00000002600013")
    buyer.get_by_label("Entreprise 2").fill("Mobilier du Lez (fictif)")
    buyer.get_by_label("Identifiant 2", exact=False).fill("00000001800010")
    buyer.get_by_label("Groupement d’entreprises").select_option("joint")
    buyer.get_by_label("Montant (€ HT)").fill("90 000,00")
    buyer.get_by_label("Début").fill(today.isoformat())
    buyer.get_by_label("Durée ferme (mois)").fill("24")
    buyer.get_by_role("button", name="Enregistrer la décision").click()
    print(buyer.url, buyer.locator("main").inner_text()[:900])


def pages(page):
    """The links between the pages of the grouping."""
    return page.get_by_role("navigation", name="Pages du groupement GC-2026-02")


def checked(page) -> None:
    """No anomaly for axe, nothing wider than the screen, on a desk and on a telephone."""
    for width in (1280, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert axe(page) == []
        assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth + 1")
    page.set_viewport_size({"width": 1280, "height": 900})


def spaces(text: str) -> str:
    """``text`` with plain spaces."""
    return text.replace("\u202f", " ").replace("\u00a0", " ")
