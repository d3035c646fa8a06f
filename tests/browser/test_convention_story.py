"""From the jurist's sentence to the consolidated text: an article changed, a text frozen, signed by two, joined by a
third."""

import re
from datetime import date

import pytest

from tests.browser.site import PROFILES, checked, enter, pages, serving, spaces

JURIST = "Juriste de la métropole"
SENTENCE = "Le coordonnateur rend compte de ses missions aux membres une fois par an."
pytestmark = [pytest.mark.browser, pytest.mark.slow]

#: A permanent grouping of two, whose needs are known; a third commune waits outside. One buyer, and a long past.
PREPARE = """
from datetime import timedelta
from decimal import Decimal
from django.utils import timezone
from djmoney.money import Money
from groupings.models import Deliberation, Grouping, Lot, Membership, NeedLine
from members.models import Organisation
today = timezone.localdate()
metropole = Organisation.objects.get(kind="metropole")
grouping = Grouping.objects.create(
    coordinator=metropole, reference="GP-ESSAI", title="Papier recyclé", category="supplies", cpv="30197630",
    kind="permanent", duration_months=48, opened_on=today - timedelta(days=90), status="convention",
)
lot = Lot.objects.create(grouping=grouping, number=1, title="Ramettes")
for name in (metropole.name, "Prades-le-Lez"):
    membership = Membership.objects.create(
        grouping=grouping, organisation=Organisation.objects.get(name=name), joined_on=grouping.opened_on
    )
    Deliberation.objects.create(membership=membership, purpose="membership")
    NeedLine.objects.create(membership=membership, lot=lot, estimated_amount_excl_tax=Money(Decimal("9000"), "EUR"))
"""
#: Every assembly that was asked votes today, and its act is transmitted, received and published the same day.
VOTE = """
from django.utils import timezone
from groupings.actions.deliberation import deliberation_record_effect, deliberation_vote
from groupings.models import Deliberation
from procurement.core.actors import SystemActor
today, actor = timezone.localdate(), SystemActor("Essai")
for row in Deliberation.objects.filter(membership__grouping__reference="GP-ESSAI", status="to_schedule"):
    options = {"actor": actor, "today": today}
    voted = deliberation_vote(deliberation=row, outcome="adopted", meeting_on=today, number=f"2026-{row.pk}", **options)
    deliberation_record_effect(
        deliberation=voted, transmitted_on=today, received_on=today, published_on=today, **options
    )
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("site"), prepare=PREPARE) as served:
        yield served


def test_an_article_is_changed_frozen_signed_and_amended(site, open_page):
    today = date.today().isoformat()  # noqa: DTZ011 - the site's own day
    jurist = open_page()
    enter(jurist, site, JURIST)
    jurist.get_by_role("link", name="Clauses").first.click()
    jurist.get_by_role("link", name="Responsabilité").first.click()
    body = jurist.get_by_label("Texte", exact=True)
    body.fill(body.input_value() + f"\n<p><b>11.3</b> {SENTENCE}</p>")
    jurist.get_by_role("button", name="Enregistrer et voir l’aperçu").click()
    jurist.get_by_label("Groupement").select_option(label="GP-ESSAI – Papier recyclé")
    jurist.get_by_role("button", name="Voir l’aperçu").click()
    assert SENTENCE in spaces(jurist.locator("section", has_text="GP-ESSAI").inner_text())
    checked(jurist)
    jurist.get_by_role("link", name="Revenir au texte").first.click()
    jurist.get_by_label("Motif de la modification").fill("Compte rendu annuel")
    jurist.get_by_role("button", name="Publier").click()
    jurist.get_by_text(re.compile(r"Article.11.: version 2 publiée")).wait_for()
    checked(jurist)

    # The buyer produces the convention and freezes it: its assemblies vote that text.
    buyer = open_page()
    enter(buyer, site, PROFILES[0])
    buyer.goto(f"{site.url}/groupements/?q=GP-ESSAI")
    buyer.get_by_role("link", name="Papier recyclé").first.click()
    pages(buyer).get_by_role("link", name="Convention").click()
    buyer.get_by_role("button", name="Produire les conventions").click()
    buyer.get_by_role("link", name="Retour à GP-ESSAI").wait_for(timeout=60_000)
    buyer.get_by_role("link", name="Retour à GP-ESSAI").click()
    pages(buyer).get_by_role("link", name="Convention").click()
    convention = buyer.url
    buyer.get_by_role("button", name="Arrêter le texte").click()
    buyer.get_by_text("Arrêtée").first.wait_for()
    buyer.get_by_role("link", name="Lire le texte").click()
    assert SENTENCE in spaces(buyer.locator("#article-11").inner_text())
    checked(buyer)
    buyer.goto(convention)
    buyer.get_by_role("button", name="Envoyer aux assemblées").click()
    buyer.get_by_text("En délibération").first.wait_for()
    site.manage("shell", "-v0", "-c", VOTE)

    # The secretary signs for her commune, on her telephone; the coordinator after her, and the convention is in force.
    buyer.goto(convention)
    buyer.get_by_role("button", name="Ouvrir la signature").click()
    buyer.get_by_text("En signature").first.wait_for()
    phone = open_page(390)
    enter(phone, site, PROFILES[1])
    sign(phone, convention, "Prades-le-Lez", today)
    checked(phone)
    sign(buyer, convention, "Montpellier Méditerranée Métropole", today)
    buyer.goto(convention)
    buyer.get_by_text("En vigueur").first.wait_for()
    checked(buyer)

    # An amendment welcomes a third commune: it votes, it signs, the coordinator signs.
    buyer.get_by_role("link", name="Avenants").click()
    buyer.get_by_role("link", name="Adhésion d’un membre").click()
    buyer.get_by_label("Organisme qui rejoint le groupement").select_option(label="Le Crès")
    buyer.locator("[name=reason]").fill("La commune du Crès achète le même papier.")
    buyer.locator("main form button.btn-primary").click()
    buyer.get_by_role("button", name="Arrêter le texte").click()
    buyer.get_by_role("button", name="Envoyer aux assemblées").click()
    buyer.get_by_text("En délibération").first.wait_for()
    site.manage("shell", "-v0", "-c", VOTE)
    buyer.reload()
    buyer.get_by_role("button", name="Passer à la signature").click()
    for body_name in ("Le Crès", "Montpellier Méditerranée Métropole"):
        buyer.get_by_role("link", name="Enregistrer une signature").click()
        buyer.get_by_label("Membre").select_option(label=body_name)
        buyer.locator("[name=signed_on]").fill(today)
        buyer.locator("[name=signatory]").fill("Madame Essai, Maire")
        buyer.locator("main form button.btn-primary").click()
    buyer.get_by_role("button", name="Entrer en vigueur").click()
    buyer.get_by_text("en vigueur depuis le").wait_for()
    checked(buyer)

    # The consolidated text shows the third member, and what brought it.
    buyer.goto(convention)
    buyer.get_by_role("link", name="Texte consolidé").click()
    told = spaces(buyer.locator("main").inner_text())
    assert "Le Crès" in told and "modifié par l’avenant n° 1 du" in told and SENTENCE in told
    checked(buyer)


def sign(page, convention: str, name: str, day: str) -> None:
    """Record the signature of one member, as its person finds it from the page of the convention."""
    page.goto(convention)
    page.get_by_role("link", name="Signatures").first.click()
    page.get_by_role("table").get_by_role("link", name=name, exact=True).click()
    page.locator("[name=signed_on]").fill(day)
    page.get_by_role("button", name="Enregistrer la signature").click()
    page.get_by_text("Signée").first.wait_for()
