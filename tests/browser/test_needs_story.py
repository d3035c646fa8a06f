"""Needs on a telephone, and what they do to the procedure: the twelfth answer makes it formalised."""

import re
from datetime import date, timedelta

import pytest

from groupings.rules.thresholds import threshold_on
from tests.browser.site import PROFILES, axe, checked, enter, serving, spaces, wait_for_letter

pytestmark = [pytest.mark.browser, pytest.mark.slow]

#: Twelve members, one lot of supplies over 48 months. Eleven have answered 4 900 € a year: 11 × 19 600 = 215 600 €,
#: below the 216 000 € of 2026-2027. The twelfth, Prades-le-Lez, bought for 6 100 € a year in the former contract.
PREPARE = """
from datetime import timedelta
from decimal import Decimal
from django.utils import timezone
from groupings.actions.grouping import grouping_save, lot_save
from groupings.actions.membership import membership_add, need_set
from groupings.actions.needs import needs_submit
from groupings.models import Grouping, Lot
from groupings.rules.needs import NeedEntry
from members.models import Organisation
from procurement.core.actors import SystemActor
today, now, actor = timezone.localdate(), timezone.now(), SystemActor("Essai")
metropole = Organisation.objects.get(territory=None)
prades = Organisation.objects.get(name="Prades-le-Lez")
others = Organisation.objects.filter(kind="commune").exclude(pk=prades.pk).order_by("siren")[:10]
def group(reference, **fields):
    made = grouping_save(
        grouping=Grouping(
            reference=reference, title="Papier recyclé", category="supplies", cpv="30197630", coordinator=metropole,
            duration_months=48, opened_on=today - timedelta(days=30), **fields,
        ),
        actor=actor,
    )
    return made, lot_save(lot=Lot(grouping=made, number=1, title="Ramettes"), actor=actor)
former, lot = group("GC-AVANT")
membership = membership_add(grouping=former, organisation=prades, joined_on=former.opened_on, actor=actor)
need_set(membership=membership, lot=lot, amount=Decimal("24400.00"), quantity=Decimal(1500), unit="rame", actor=actor)
grouping, lot = group(
    "GC-ESSAI", renews=former, needs_due_on=today + timedelta(days=20), launch_planned_on=today + timedelta(days=60)
)
grouping.buyer = metropole.affiliations.get(role="buyer").user
grouping_save(grouping=grouping, actor=actor)
for body in (*others, prades):
    membership_add(grouping=grouping, organisation=body, joined_on=grouping.opened_on, actor=actor)
for membership in grouping.memberships.exclude(organisation=prades):
    entry = NeedEntry(yearly_amount=Decimal("4900.00"), quantity=Decimal(1200), unit="rame")
    needs_submit(membership=membership, entries={1: entry}, actor=actor, now=now)
"""


@pytest.fixture(scope="module")
def letters(tmp_path_factory):
    """Where the mails of the site land, as files."""
    return tmp_path_factory.mktemp("letters")


@pytest.fixture(scope="module")
def site(tmp_path_factory, letters):
    with serving(tmp_path_factory.mktemp("site"), prepare=PREPARE, EMAIL_URL=f"filemail:///{letters}") as served:
        yield served


def test_the_twelfth_answer_makes_the_procedure_formalised(site, letters, open_page, tmp_path):
    launch_on = date.today() + timedelta(days=60)  # noqa: DTZ011 - the site's own day
    # Worked for 2026-2027. A later table may put the threshold elsewhere: the story then wants other amounts.
    assert threshold_on("formal", "supplies", launch_on) == 216_000
    buyer = open_page()
    enter(buyer, site, PROFILES[0])
    buyer.goto(f"{site.url}/groupements/?q=GC-ESSAI")
    buyer.get_by_role("link", name="Papier recyclé").first.click()
    grouping = buyer.url
    buyer.goto(f"{grouping}procedure/")
    assert "215 600" in spaces(buyer.locator("main").inner_text())
    assert "procédure adaptée avec avis publié" in buyer.locator("main").inner_text()
    assert axe(buyer) == []

    # The survey opens; the member that has not answered is written to, with its own link.
    buyer.goto(f"{grouping}recensement/")
    buyer.get_by_role("button", name="Ouvrir le recensement").click()
    buyer.get_by_role("button", name="Écrire aux membres sans réponse").first.click()
    letter = wait_for_letter(letters, "mairie@prades-le-lez.example")
    link = re.search(r"http\S+/lien/\S+", letter.get_body().get_content())[0]

    # The secretary has a telephone and no account. What is known of the former contract is there, and says so.
    phone = open_page(390)
    phone.goto(link)
    if phone.get_by_role("link", name="Indiquer vos besoins").count():
        phone.get_by_role("link", name="Indiquer vos besoins").click()
    assert "Repris de GC-AVANT" in phone.locator("main").inner_text()
    assert phone.get_by_label("Quantité par an, lot 1").input_value() == "1500"
    checked(phone)
    phone.get_by_label("Montant annuel (€ HT), lot 1").fill("6 100,00")
    phone.get_by_label("Fournisseur actuel, lot 1").fill("Papeterie d’essai")
    phone.get_by_role("button", name="Enregistrer le brouillon").last.click()
    phone.get_by_text("Brouillon, non transmis").first.wait_for()

    # A draft counts nowhere.
    buyer.goto(f"{grouping}procedure/")
    assert "215 600" in spaces(buyer.locator("main").inner_text())
    buyer.goto(f"{grouping}besoins/")
    assert "Brouillon, non transmis" in buyer.locator("li.task", has_text="Prades-le-Lez").inner_text()

    invoice = tmp_path / "facture.png"
    invoice.write_bytes(PNG)
    phone.get_by_label("Justificatifs, lot 1").set_input_files(invoice)
    phone.get_by_role("button", name="Transmettre").click()
    phone.get_by_role("heading", name="Reçu").wait_for()
    assert "24 400,00" in spaces(phone.locator("main").inner_text())
    assert axe(phone) == []

    # 215 600 + 24 400 = 240 000 €, twelve members: formalised.
    buyer.goto(f"{grouping}procedure/")
    told = spaces(buyer.locator("main").inner_text())
    assert "240 000" in told and "12 membres" in told and "procédure formalisée" in told and "216 000" in told
    buyer.goto(f"{grouping}besoins/")
    assert "Transmis le" in buyer.locator("li.task", has_text="Prades-le-Lez").inner_text()


def test_a_session_lost_or_a_network_cut_loses_nothing_that_was_typed(site, open_page):
    """The sending that never arrived is back in the boxes, and says so; one that arrived is not."""
    phone = open_page(390)
    enter(phone, site, PROFILES[1])
    phone.goto(f"{site.url}/groupements/?q=GC-2027-05")
    phone.get_by_role("link", name="télécommunications").first.click()
    phone.get_by_role("link", name="Saisir vos besoins").first.click()
    form = phone.url
    phone.get_by_label("Montant annuel (€ HT), lot 1").fill("7 777")
    phone.get_by_label("Pas de besoin pour ce lot, lot 2").check()
    phone.context.clear_cookies(name=re.compile("session"))
    phone.get_by_role("button", name="Transmettre").click()
    phone.wait_for_url("**/connexion/**")
    enter(phone, site, PROFILES[1])
    phone.goto(form)
    phone.get_by_text("Votre dernier envoi n’est pas arrivé").wait_for()
    assert phone.get_by_label("Montant annuel (€ HT), lot 1").input_value() == "7 777"
    assert phone.get_by_label("Pas de besoin pour ce lot, lot 2").is_checked()
    assert axe(phone) == []
    phone.context.set_offline(True)
    phone.get_by_role("button", name="Transmettre").click()
    phone.wait_for_timeout(500)
    phone.context.set_offline(False)
    phone.goto(form)
    phone.get_by_text("Votre dernier envoi n’est pas arrivé").wait_for()
    phone.get_by_role("button", name="Transmettre").click()
    phone.get_by_role("heading", name="Reçu").wait_for()
    phone.goto(form)
    assert phone.get_by_text("Votre dernier envoi n’est pas arrivé").count() == 0
    assert phone.get_by_label("Montant annuel (€ HT), lot 1").input_value() == "7 777,00"


#: A photograph of one white pixel.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c49444154789c63f8ffff3f0005fe02fe"
    "0def46b80000000049454e44ae426082"
)
