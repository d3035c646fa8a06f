"""The whole of it: the buyer sends the kit, the secretary answers by the link from a telephone, the receipt arrives,
the matrix turns green, the launch date moves."""

import re
from datetime import date, timedelta

import pytest

from groupings.rules.actes import parse_actes_id
from tests.browser.site import PROFILES, checked, enter, serving, wait_for_letter
from tests.groupings.exchange.samples import aracte, pdf, xml

pytestmark = [pytest.mark.browser, pytest.mark.slow]

#: Two members: the métropole, enforceable and signed, and Prades-le-Lez, whose next council is in forty days.
PREPARE = """
from datetime import timedelta
from django.utils import timezone
from groupings.actions.grouping import grouping_save, lot_save
from groupings.actions.membership import membership_add, need_set
from groupings.models import Deliberation, Grouping, Lot, Signature
from decimal import Decimal
from members.models import CouncilSession, Organisation
from procurement.core.actors import SystemActor
today, actor = timezone.localdate(), SystemActor("Essai")
metropole = Organisation.objects.get(territory=None)
prades = Organisation.objects.get(name="Prades-le-Lez")
prades.sessions.filter(meeting_on__gte=today).delete()
CouncilSession.objects.create(
    organisation=prades, meeting_on=today + timedelta(days=40), agenda_closes_on=today + timedelta(days=25)
)
CouncilSession.objects.get_or_create(organisation=prades, meeting_on=today - timedelta(days=4))
grouping = grouping_save(
    grouping=Grouping(
        reference="GC-ESSAI", title="Papier recyclé", category="supplies", cpv="30197630", coordinator=metropole,
        duration_months=24, opened_on=today - timedelta(days=90), deliberations_due_on=today + timedelta(days=60),
        launch_planned_on=today + timedelta(days=80),
    ),
    actor=actor,
)
lot = lot_save(lot=Lot(grouping=grouping, number=1, title="Ramettes"), actor=actor)
own = grouping.memberships.get()
theirs = membership_add(grouping=grouping, organisation=prades, joined_on=grouping.opened_on, actor=actor)
for membership in (own, theirs):
    need_set(membership=membership, lot=lot, amount=Decimal("12000.00"), actor=actor)
day = today - timedelta(days=30)
Deliberation.objects.filter(membership=own).update(
    status="adopted", decided_on=day, number="M-1", transmitted_on=day, received_on=day, published_on=day
)
Signature.objects.create(membership=own, signed_on=today - timedelta(days=20), signatory="Madame Essai, Présidente")
Grouping.objects.filter(pk=grouping.pk).update(status="convention")
"""


@pytest.fixture(scope="module")
def letters(tmp_path_factory):
    """Where the mails of the site land, as files."""
    return tmp_path_factory.mktemp("letters")


@pytest.fixture(scope="module")
def site(tmp_path_factory, letters):
    with serving(tmp_path_factory.mktemp("site"), prepare=PREPARE, EMAIL_URL=f"filemail:///{letters}") as served:
        yield served


def day(offset):
    return date.today() + timedelta(days=offset)  # noqa: DTZ011 - the site's own day


def test_from_the_kit_to_the_launch(site, letters, open_page, tmp_path):
    buyer = open_page()
    enter(buyer, site, PROFILES[0])
    buyer.goto(f"{site.url}/groupements/?q=GC-ESSAI")
    buyer.get_by_role("link", name="Papier recyclé").first.click()
    grouping = buyer.url
    launch = buyer.locator("#lancement")
    # 40 days to the council, 7 to transmit and publish, 15 to sign.
    assert f"Lancement possible le {day(62):%d/%m/%Y}" in launch.inner_text()

    # The kit leaves, in one click and a confirmation.
    buyer.get_by_role("link", name="Envoyer le kit").click()
    buyer.get_by_role("button", name="Produire les kits").click()
    buyer.wait_for_url("**/taches/**")
    buyer.get_by_text("envoyé", exact=False).first.wait_for(timeout=60_000)
    letter = wait_for_letter(letters, "mairie@prades-le-lez.example")
    names = [part.get_filename() for part in letter.iter_attachments()]
    assert [name.rsplit(".", 1)[1] for name in names] == ["pdf", "docx", "pdf"]
    link = re.search(r"http\S+/lien/\S+", letter.get_body().get_content())[0]

    # The secretary has no account and a telephone.
    phone = open_page(390)
    phone.goto(link)
    assert "Papier recyclé" in phone.locator("main").inner_text()
    checked(phone)
    with phone.expect_download() as download:
        phone.get_by_role("link", name="(Word)").click()
    assert download.value.suggested_filename.endswith(".docx")
    phone.get_by_text("Le vote a déjà eu lieu").click()
    phone.get_by_label("Adoptée").check()
    phone.get_by_label("Séance du").last.fill(f"{day(-4):%Y-%m-%d}")
    phone.get_by_label("Numéro").last.fill("2026-077")
    act = tmp_path / "délibération signée.pdf"
    act.write_bytes(pdf(["Délibération n° 2026-077"]))
    phone.get_by_label("La délibération").set_input_files(act)
    phone.get_by_role("button", name="Enregistrer").last.click()
    phone.get_by_text("Merci, c’est enregistré").wait_for()
    phone.get_by_label("Publiée le").fill(f"{day(-3):%Y-%m-%d}")
    phone.get_by_role("button", name="Enregistrer").first.click()
    phone.get_by_text("Merci, c’est enregistré").wait_for()

    # The receipt of the préfecture arrives at the buyer's.
    siren = site.manage("shell", "-v0", "-c", _SIREN).strip()
    receipt = tmp_path / "ar.xml"
    actes_id = parse_actes_id(f"034-{siren}-{day(-4):%Y%m%d}-2026_077-DE")
    receipt.write_bytes(xml(aracte(actes_id, received_on=day(-2)), "UTF-8"))
    buyer.goto(f"{site.url}/deliberations/recus/")
    buyer.locator("input[type=file]").set_input_files(receipt)
    buyer.get_by_role("button", name="Importer").click()
    buyer.get_by_role("link", name="Voir la délibération").wait_for()

    # The matrix turns green, and the launch date moves: two days ago, plus fifteen days to sign.
    buyer.goto(f"{site.url}/deliberations/?q=Prades")
    row = buyer.locator("table tr", has_text="Prades-le-Lez").first
    assert "Exécutoire" in row.inner_text() or row.get_by_text("Exécutoire").count()
    buyer.goto(grouping)
    assert f"Lancement possible le {day(13):%d/%m/%Y}" in launch.inner_text()


_SIREN = 'from members.models import Organisation; print(Organisation.objects.get(name="Prades-le-Lez").siren)'
