"""The pages of the ledger: what is said first, what opens on what, who reads whose figures."""

import io
import re
from datetime import date
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from openpyxl import load_workbook

from savings.models import YearLock
from tests.savings.test_overview import Paper
from tests.support.factories import (
    make_affiliation,
    make_award,
    make_consultation,
    make_grouping,
    make_lot,
    make_membership,
    make_need,
    make_organisation,
)
from tests.support.savings import make_baseline, make_line
from tests.support.world import make_world

pytestmark = pytest.mark.django_db
PAGES = ("savings_home", "savings_lines", "savings_bridge")
YEAR = "?annee=2026"


def said(response) -> str:
    """The page as it is read: without tags, on one line, every space plain."""
    text = re.sub(r"<[^>]+>", " ", response.content.decode())
    return re.sub(r"[\s\u00a0\u202f]+", " ", text.replace("&amp;", "&"))


def page(client, person, name: str, query: str = YEAR, **arguments) -> str:
    client.force_login(person.user)
    response = client.get(reverse(name, kwargs=arguments or None) + query)
    assert response.status_code == 200
    return said(response)


def test_the_headline_begins_with_euros_and_ends_with_the_percentage_and_its_base(client):
    paper = Paper()
    text = page(client, paper.finance, "savings_home")
    in_order = [
        "Gain budgétaire validé de l’exercice 2026",
        "1 100,00 € HT",
        "dont fiabilité A–B : 1 100,00 € (100,00 % de la dépense de référence)",
        "Gain achat, prix de référence indexés : 1 845,80 € (7,21 % de la référence indexée)",
        "Soit 4,42 % de gain budgétaire, pondéré, sur 24 860,00 € de dépense de référence, "
        "50 % des lots mesurés (1 sur 2)",
        "ne s’additionnent jamais",
        "Écart à l’estimation",
        "Ce n’est pas un gain",
    ]
    places = [text.index(sentence) for sentence in in_order]
    assert places == sorted(places)
    # The mean of the four members' rates (domain.md §8) appears nowhere; the band is a mark.
    assert "16,7" not in text and text.count("objectif") == 2, "the band’s label, drawn and read aloud"
    assert "20–30 % annoncés au bilan 2016, sans base : un repère, pas un objectif" in text


def test_a_locked_year_says_by_which_lock_and_what_waits_is_only_counted(client):
    paper = Paper()
    YearLock.objects.create(
        territory=paper.metropole,
        year=2026,
        sha256="1a2b3c4d5e6f" + "0" * 52,
        entry_count=4,
        totals={},
        locked_at=timezone.make_aware(timezone.datetime(2027, 2, 1, 9)),
        locked_label="Finances",
    )
    make_line(make_baseline(paper.members[0], paper.lot, "9", "10", designation="Autre"), "1", status="SUBMITTED")
    text = page(client, paper.finance, "savings_home")
    assert "Exercice verrouillé le 01/02/2027, empreinte 1a2b3c4d5e6f…" in text
    assert "1 ligne à valider , dans aucun total" in text and "1 100,00 € HT" in text


def test_a_year_with_nothing_is_told(client):
    paper = Paper()
    client.force_login(paper.finance.user)
    text = said(client.get(reverse("savings_home"), {"stade": "REALISED", "annee": "2026"}))
    assert "Aucun gain validé ne compte dans l’exercice 2026 au stade Réalisé" in text
    assert "Aucun gain validé ne compte dans ces deux exercices" in said(
        client.get(reverse("savings_bridge"), {"stade": "REALISED", "annee": "2026"})
    )
    grouping = said(client.get(reverse("savings_grouping", args=[paper.grouping.pk]), {"stade": "ESTIMATED"}))
    assert "Aucun gain validé de ce groupement ne compte" in grouping
    nobody = make_affiliation(make_organisation("metropole"), "finance")
    assert "Aucun gain validé" in page(client, nobody, "savings_home", "")


@pytest.mark.parametrize(
    "query",
    [
        "?annee=abc",
        "?annee=1789",
        "?stade=TOUS",
        "?famille=99&membre=x",
        "?membre=999999",
        "?annee=2026&annee=",
        "?x=%00",
    ],
)
@pytest.mark.parametrize("name", [*PAGES, "savings_grouping"])
def test_a_wrong_filter_is_told_and_breaks_nothing(client, name, query):
    paper = Paper()
    client.force_login(paper.finance.user)
    arguments = {"pk": paper.grouping.pk} if name == "savings_grouping" else None
    assert client.get(reverse(name, kwargs=arguments) + query).status_code == 200


def test_a_refused_year_is_not_left_beside_the_figures_of_another(client):
    paper = Paper()
    client.force_login(paper.finance.user)
    response = client.get(reverse("savings_home") + "?annee=1789&stade=TOUS")
    shown = response.context["selection"]
    assert f"Rien ne compte dans l’exercice demandé : voici {shown.year}." in said(response)
    html = response.content.decode()
    assert f'<option value="{shown.year}" selected>' in html and '<option value="AWARDED" selected>' in html


def test_every_total_opens_on_the_lines_it_is_made_of(client):
    paper = Paper()
    other = make_grouping(paper.metropole, status="performance", launched_on=date(2025, 6, 2), cpv="09310000")
    lot = make_lot(other, title="Électricité")
    make_line(make_baseline(make_membership(other, paper.members[3].organisation), lot, "10", "100"), "8")
    client.force_login(paper.finance.user)
    home = client.get(reverse("savings_home") + YEAR).content.decode()
    lines = reverse("savings_lines")
    expected = {
        "": ("1 300,00 € de gain budgétaire", 5),
        str(paper.grouping.pk): ("1 100,00 € de gain budgétaire", 4),
        str(other.pk): ("200,00 € de gain budgétaire", 1),
    }
    found = set()
    for link, shown in re.findall(rf'href="({re.escape(lines)}\?[^"]+)">([^<]+)<', home):
        asked = parse_qs(urlsplit(link.replace("&amp;", "&")).query)
        if "pertes" in asked or "etat" in asked:
            continue
        response = client.get(link.replace("&amp;", "&"))
        text, count = expected[asked.get("groupement", [""])[0]]
        assert text in said(response) and response.context["count"] == count
        figure = re.sub(r"[\u00a0\u202f]", " ", shown).removesuffix(" HT")
        assert figure in said(response) or figure.startswith(str(count))  # the very figure that was clicked
        found.add((asked.get("groupement", [""])[0], asked.get("fiabilite", asked.get("achat", [""]))[0]))
    assert found == {("", ""), ("", "AB"), ("", "recurrent"), (str(paper.grouping.pk), ""), (str(other.pk), "")}
    losing = said(client.get(lines + "?annee=2026&stade=AWARDED&pertes=on"))
    assert "1 ligne , -250,00 € de gain budgétaire" in losing


def test_the_part_proven_and_the_part_bought_once_open_on_their_own_lines(client):
    paper = Paper()
    lot = make_lot(paper.grouping, number=9, title="Logiciels")
    weak = make_baseline(paper.members[1], lot, "100", "1", designation="Licence", grade="C", evidence=None)
    make_line(weak, "400", is_one_off=True)  # 100 − 400: a loss of 300 bought once, not proven
    home = page(client, paper.finance, "savings_home")
    assert "2026 Notifié 800,00 € HT" in home and "dont fiabilité A–B : 1 100,00 €" in home
    assert "les autres lignes perdent 300,00 €" in home
    proven = page(client, paper.finance, "savings_lines", "?annee=2026&stade=AWARDED&fiabilite=AB")
    assert "4 lignes , 1 100,00 € de gain budgétaire" in proven and "Licence" not in proven
    once = page(client, paper.finance, "savings_lines", "?annee=2026&stade=AWARDED&achat=ponctuel")
    assert "1 ligne , -300,00 € de gain budgétaire" in once and "Licence" in once


def test_the_filters_narrow_every_figure(client):
    paper = Paper()
    member = paper.members[3].organisation
    text = page(client, paper.finance, "savings_home", f"?annee=2026&membre={member.pk}")
    assert "-250,00 € HT" in text and "1 100,00" not in text
    assert "Le coût de coordination est connu par groupement" in text
    assert "effacer les filtres" in page(client, paper.finance, "savings_home", f"?stade=ESTIMATED&membre={member.pk}")
    unmeasured = make_baseline(paper.members[0], paper.lot, None, "10", designation="Inconnu")
    make_line(unmeasured, "1", status="DRAFT")
    text = page(client, paper.finance, "savings_lines", "?non_mesurees=on")
    assert "1 ligne –" in text and "Inconnu" in text and "—" in text
    assert "Papier A4" not in text


def test_a_corrected_line_and_its_correction_add_up_to_the_total(client):
    paper = Paper()
    make_line(paper.lines[0].baseline, "3.80", corrects=paper.lines[0])
    text = page(client, paper.finance, "savings_lines", "?annee=2026&stade=AWARDED")
    assert "5 lignes , 900,00 € de gain budgétaire" in text and "remplacée" in text
    assert "4 lignes" in page(client, paper.finance, "savings_lines", "")
    tree = page(client, paper.finance, "savings_grouping", YEAR, pk=paper.grouping.pk)
    assert "900,00 €" in tree and "1 100,00 €" not in tree


def test_a_reversal_moved_by_a_lock_is_a_correction_and_no_loss(client):
    paper = Paper()
    toner = make_baseline(paper.members[0], paper.lot, "10", "120", designation="Toner")
    line = make_line(toner, "9", starts_on=date(2025, 1, 1), months=24)  # 120 gained each year
    YearLock.objects.create(
        territory=paper.metropole, year=2025, sha256="0" * 64, entry_count=1, totals={}, locked_at=timezone.now()
    )
    make_line(toner, "9.50", starts_on=date(2025, 1, 1), months=24, corrects=line)
    # In 2026 the old line counts 120 − 240 = −120 and its correction 60 + 60: one line alone loses.
    for address in ("savings_lines", "savings_home"):
        text = page(client, paper.finance, address, "?annee=2026&stade=AWARDED&pertes=on")
        assert "-250,00 €" in text
        assert "-120,00 €" not in text
    tree = page(client, paper.finance, "savings_grouping", YEAR, pk=paper.grouping.pk)
    assert "Pertes 1 -250,00 €, déjà déduits" in tree


def test_the_export_holds_what_the_screen_shows_as_real_numbers(client):
    paper = Paper()
    client.force_login(paper.finance.user)
    response = client.get(reverse("savings_lines") + "?annee=2026&stade=AWARDED&export=xlsx")
    sheet = load_workbook(io.BytesIO(b"".join(response.streaming_content) if response.streaming else response.content))
    rows = list(sheet.active.iter_rows(values_only=True))
    heading = next(index for index, row in enumerate(rows) if "Gain budgétaire (€ HT)" in row)
    column = rows[heading].index("Compté dans l’exercice, gain budgétaire (€ HT)")
    amounts = [row[column] for row in rows[heading + 1 :] if isinstance(row[column], int | float)]
    assert sorted(amounts) == [-250, 150, 600, 600]
    csv = client.get(reverse("savings_lines") + "?annee=2026&export=csv")
    text = (b"".join(csv.streaming_content) if csv.streaming else csv.content).decode("utf-8-sig")
    assert "-250,00" in text and "Papier A4" in text


def test_a_grouping_opens_down_to_the_evidence_and_lists_what_nobody_measured(client):
    paper = Paper()
    make_need(make_membership(paper.grouping, make_organisation(parent=paper.metropole, name="Silencieuse")), paper.lot)
    client.force_login(paper.finance.user)
    response = client.get(reverse("savings_grouping", args=[paper.grouping.pk]) + YEAR)
    text = said(response)
    assert "Lots non mesurés : lot 2" in text and "Membres non mesurés : Silencieuse" in text
    assert "Pertes 1 -250,00 €, déjà déduits des totaux" in text
    evidence = paper.lines[0].baseline.evidence
    assert reverse("grouping_file", args=[paper.grouping.pk, evidence.pk]) in response.content.decode()
    # Member by member: 4 200 − 3 600, 14,29 %; the lot: 1 100 of 24 860.
    for told in ("600,00 € 14,29 %", "Total du lot 24 860,00 € 1 100,00 € 4,42 % 1 845,80 €"):
        assert told in text


def test_a_grouping_of_thousands_of_lines_shows_its_members_and_opens_on_the_list(client, monkeypatch):
    paper = Paper()
    monkeypatch.setattr("savings.grouping_tree.LINES_SHOWN", 3)
    client.force_login(paper.finance.user)
    html = client.get(reverse("savings_grouping", args=[paper.grouping.pk]) + YEAR).content.decode()
    assert "Total du lot" in html and "facture.pdf" not in html
    for membership in paper.members:
        link = f"groupement={paper.grouping.pk}&amp;membre={membership.organisation_id}"
        assert link in html
    listed = client.get(
        reverse("savings_lines")
        + f"?annee=2026&stade=AWARDED&groupement={paper.grouping.pk}&membre={paper.members[3].organisation_id}"
    )
    assert "1 ligne , -250,00 €" in said(listed)


def test_a_member_reads_its_own_euros_first_and_nobody_else_s(client):
    paper = Paper()
    agent = make_affiliation(paper.members[0].organisation, "member_agent")
    for name, arguments in (
        ("savings_home", {}),
        ("savings_lines", {}),
        ("savings_bridge", {}),
        ("savings_grouping", {"pk": paper.grouping.pk}),
    ):
        text = page(client, agent, name, "?annee=2026&stade=AWARDED", **arguments)
        assert "600,00 €" in text
        # Neither the totals, nor a neighbour's figures, nor what would give them by difference.
        for leaked in ("1 100,00", "1 845,80", "24 860,00", "-250,00", "150,00 €", "24 000,00", "4,42 %"):
            assert leaked not in text, (name, leaked)
        for membership in paper.members[1:]:
            assert membership.organisation.name not in text
    assert "Vos économies" in page(client, agent, "savings_home")
    client.force_login(agent.user)
    for query in (f"?membre={paper.members[3].organisation_id}", "?pertes=on", "?export=csv&annee=2026"):
        response = client.get(reverse("savings_lines") + query)
        content = b"".join(response.streaming_content) if response.streaming else response.content
        assert b"250,00" not in content.replace(b"\xe2\x80\xaf", b"")


def test_a_commune_that_coordinates_reads_the_others_in_its_grouping_and_itself_on_its_own_page(client):
    paper = Paper()
    commune, neighbour = paper.members[0].organisation, paper.members[1].organisation
    grouping = make_grouping(commune, status="performance", launched_on=date(2025, 6, 2))
    lot = make_lot(grouping)
    for body, price in ((commune, "12"), (neighbour, "17")):
        membership = make_membership(grouping, body)
        make_need(membership, lot)
        make_line(make_baseline(membership, lot, price, "10"), "10")
    buyer = make_affiliation(commune, "buyer")
    # 600 of the paper, 20 here; the neighbour's 70 are in no figure called « vos économies ».
    home = page(client, buyer, "savings_home")
    assert "620,00 € HT" in home and "690,00" not in home and "70,00 €" not in home
    assert "620,00 €" in page(client, buyer, "savings_bridge")
    tree = page(client, buyer, "savings_grouping", YEAR, pk=grouping.pk)
    assert "90,00 €" in tree and neighbour.name in tree
    opened = page(client, buyer, "savings_lines", f"?annee=2026&stade=AWARDED&membre={commune.pk}")
    assert "2 lignes , 620,00 €" in opened


def test_nothing_of_another_metropole_is_read(client):
    here, there = make_world("ici"), make_world("leaked")
    for person in ("buyer", "finance", "reader", "member_agent", "neighbour"):
        client.force_login(here.people[person].user)
        for name in PAGES:
            for query in (
                "",
                YEAR,
                "?q=x&export=csv",
                f"?membre={there.commune.pk}",
                f"?groupement={there.launched.pk}",
            ):
                response = client.get(reverse(name) + query)
                content = b"".join(response.streaming_content) if response.streaming else response.content
                assert b"leaked" not in content, (person, name, query)
        for name in ("savings_grouping", "savings_costs"):
            assert client.get(reverse(name, args=[there.launched.pk])).status_code == 404


def test_the_menu_leads_finance_to_the_savings_and_everybody_else_by_the_panel(client):
    world = make_world("ici")
    savings, deliberations = reverse("savings_home"), reverse("deliberation_list")
    for person, in_menu in (("finance", True), ("buyer", False), ("member_agent", False), ("reader", False)):
        client.force_login(world.people[person].user)
        html = client.get(reverse("savings_home")).content.decode()
        menu = html[html.index("Menu principal") : html.index("</nav>", html.index("Menu principal"))]
        panel = html[html.index('class="panel"') : html.index("</details>")]
        assert menu.count("<a ") == 4
        assert (f'href="{savings}"' in menu) is in_menu and (f'href="{savings}"' in panel) is not in_menu
        assert (f'href="{deliberations}"' in panel) is in_menu
        assert "Pages des économies" in html


def grow(paper: Paper, count: int) -> None:
    """``count`` groupings of one lot and one member, a loss every other one."""
    for number in range(count):
        grouping = make_grouping(
            paper.metropole, title=f"Groupement {number}", status="performance", launched_on=date(2025, 6, 2)
        )
        lot = make_lot(grouping)
        body = make_organisation(parent=paper.metropole)
        membership = make_membership(grouping, body)
        make_need(membership, lot)
        make_award(make_consultation(grouping), lot, notified_on=date(2025, 12, 1), signed_on=date(2025, 12, 1))
        make_line(make_baseline(membership, lot, "10", "5"), "11" if number % 2 else "9")
        more = make_baseline(paper.members[0], paper.lot, "10", "5", designation=f"Article {count}.{number}")
        make_line(more, "11" if number % 2 else "9")


@pytest.mark.parametrize("person", ["finance", "member_agent"])
def test_twelve_queries_whatever_the_number_of_lines(client, person):
    paper = Paper()
    reader = paper.finance if person == "finance" else make_affiliation(paper.members[0].organisation, person)
    addresses = [
        reverse("savings_home") + YEAR,
        reverse("savings_lines") + YEAR + "&stade=AWARDED",
        reverse("savings_bridge") + YEAR,
        reverse("savings_grouping", args=[paper.grouping.pk]) + YEAR,
        reverse("savings_costs", args=[paper.grouping.pk]),
    ]
    client.force_login(reader.user)
    for count in (2, 50):
        grow(paper, count)
        for address in addresses:
            with CaptureQueriesContext(connection) as captured:
                assert client.get(address).status_code == 200
            assert len(captured) <= 12, (address, len(captured), [query["sql"][:90] for query in captured])


def test_amounts_stay_exact_on_many_lines(client):
    paper = Paper()
    for number in range(30):
        baseline = make_baseline(paper.members[1], paper.lot, "0.333333", "1.005", designation=f"Article {number}")
        make_line(baseline, "0.1", months=7)
    # Each line: 0.335 → 0.33 − 0.10 = 0.23 for twelve months, 0.19 − 0.06 = 0.13 over seven months of 2026.
    client.force_login(paper.finance.user)
    response = client.get(reverse("savings_home") + YEAR)
    figures = response.context["figures"]
    assert figures.totals.budget_gain == Decimal("1103.90")
    assert figures.recurrent.yearly.budget_gain == Decimal("1106.90")
    assert figures.recurrent.full.budget_gain == Decimal("1103.90")
