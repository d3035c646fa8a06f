"""The pages of the library: written by a jurist, read by a buyer, previewed on a real grouping, in few queries."""

import io
from dataclasses import replace
from datetime import date

import pypdf
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from groupings.actions.convention import convention_freeze
from groupings.models import ClauseDraft, ClauseVersion
from members.roles import Role
from tests.support.clauses import NOW, make_version, shipped
from tests.support.factories import make_affiliation, make_territory

pytestmark = pytest.mark.django_db
KEY = "responsabilite"
PAGE = f"/clauses/{KEY}/"
NEW = shipped(KEY).body + "<p><b>11.3</b> Les membres s’informent de tout sinistre.</p>\n"


@pytest.fixture
def scene(client):
    metropole, grouping = make_territory(
        members=2, lots=1, title="Papier <b>recyclé</b>", launch_planned_on=date(2027, 4, 1)
    )
    jurist = make_affiliation(metropole, Role.JURIST)
    client.force_login(jurist.user)
    return metropole, grouping, jurist


def send(client, do="save", body=NEW, seen="", title="Responsabilité", note=""):
    return client.post(PAGE, {"title": title, "body": body, "note": note, "seen": seen, "do": do})


def text_of(response) -> str:
    return response.content.decode().replace("\xa0", " ").replace("\u202f", " ")


def test_the_jurist_writes_previews_and_publishes_article_11(client, scene):
    _, grouping, _ = scene
    page = text_of(client.get("/clauses/"))
    assert "Article 11" in page and f'href="{PAGE}"' in page and page.count("Texte fourni avec le logiciel") == 20
    page = text_of(client.get(PAGE))
    assert "Article 11 – Responsabilité" in page and "solidairement responsables" in page
    assert send(client, "preview").url == f"{PAGE}apercu/"
    page = text_of(client.get(f"{PAGE}apercu/", {"groupement": grouping.pk}))
    assert "tout sinistre" in page and "Le projet enregistré le" in page and "l’article L. 2113-7" in page
    draft = ClauseDraft.objects.get()
    assert "Projet" in text_of(client.get("/clauses/"))
    response = send(client, "publish", seen=draft.mark, note="Déclaration des sinistres")
    assert response.status_code == 302 and response.url == "/clauses/"
    assert ClauseVersion.objects.get(key=KEY, number=2).note == "Déclaration des sinistres"
    page = text_of(client.get(PAGE))
    assert "Version 2 en vigueur" in page and "Déclaration des sinistres" in page
    page = text_of(client.get(f"{PAGE}differences/"))
    assert "de la version 1 à la version 2" in page and "[ajouté :" in page and "<ins>" in page
    send(client, body=f"{NEW}<p>Encore.</p>")
    assert "de la version 2 au projet" in text_of(client.get(f"{PAGE}differences/"))
    assert "du projet à la version 1" in text_of(client.get(f"{PAGE}differences/", {"de": "projet", "a": "1"}))


def test_a_wrong_text_is_kept_and_each_mistake_stands_on_its_line(client, scene):
    response = send(client, body="<p>Juste.</p>\n<p>Faux {{ coordinateur }}</p>\n", note="x")
    page = text_of(client.get(response.url))
    assert "1 point à corriger avant de publier" in page and "Ligne 2, colonne 12" in page
    assert "Colonne 12 : la variable « coordinateur » n’existe pas" in page
    draft = ClauseDraft.objects.get()
    response = send(client, "publish", body="<p>Faux <script></p>", seen=draft.mark, note="x")
    page = text_of(response)
    assert response.status_code == 422 and "Le projet est gardé, il n’est pas publié" in page
    assert "&lt;p&gt;Faux &lt;script&gt;&lt;/p&gt;" in page and "<p>Faux <script>" not in page
    draft.refresh_from_db()
    assert draft.body == "<p>Faux <script></p>\n" and f'value="{draft.mark}"' in page
    assert not ClauseVersion.objects.filter(number=2).exists()
    page = text_of(client.get(f"{PAGE}apercu/"))
    assert "Ce texte ne peut pas encore être imprimé" in page
    assert client.get(f"{PAGE}apercu.pdf").status_code == 404


def test_an_empty_text_is_refused_and_an_endless_one_is_kept(client, scene):
    response = send(client, body="  ")
    assert response.status_code == 422 and not ClauseDraft.objects.exists()
    response = send(client, body="<p>" + "Une phrase. " * 12_000 + "</p>")
    assert response.status_code == 302 and len(ClauseDraft.objects.get().body) > 140_000
    page = text_of(client.get(PAGE))
    assert "il ne peut pas dépasser 20 000 signes" in page


def test_two_jurists_at_once(client, scene):
    metropole, _, _ = scene
    send(client, body=NEW + "<p>De l’autre.</p>\n")
    other = make_affiliation(metropole, Role.JURIST)
    client.force_login(other.user)
    response = send(client, body=NEW + "<p>De moi.</p>\n")  # opened before the other saved
    page = text_of(response)
    assert response.status_code == 422 and "pendant que vous écriviez" in page
    assert "De moi" in page and "[supprimé :" in page and "De l’autre" in ClauseDraft.objects.get().body
    assert send(client, body=NEW + "<p>De nous.</p>\n", seen=ClauseDraft.objects.get().mark).status_code == 302
    assert "De nous" in ClauseDraft.objects.get().body


def test_publishing_without_a_note_keeps_the_draft(client, scene):
    response = send(client, "publish")
    assert response.status_code == 422 and "Indiquez le motif" in text_of(response)
    assert ClauseDraft.objects.get().body == NEW


def test_a_draft_is_given_up_and_an_old_version_taken_back(client, scene):
    metropole, _, _ = scene
    send(client)
    draft = ClauseDraft.objects.get()
    client.post(f"{PAGE}abandonner/", {"seen": "0.0"})
    assert ClauseDraft.objects.exists()  # it changed since: not given up
    client.post(f"{PAGE}abandonner/", {"seen": draft.mark})
    assert not ClauseDraft.objects.exists()
    make_version(metropole, replace(shipped(KEY), body=NEW, version=2))
    page = text_of(client.get(f"{PAGE}versions/1/"))
    assert "Reprendre ce texte" in page
    client.post(f"{PAGE}versions/1/reprendre/")
    assert ClauseDraft.objects.get().body == shipped(KEY).body
    response = client.post(f"{PAGE}versions/1/reprendre/", follow=True)
    assert "Un projet est déjà en cours" in text_of(response)
    assert client.post(f"{PAGE}versions/9/reprendre/").status_code == 404


def test_the_preview_prints_the_chosen_grouping_and_escapes_its_words(client, scene):
    _, grouping, _ = scene
    page = text_of(client.get("/clauses/objet/apercu/", {"groupement": grouping.pk}))
    assert "<b>Papier &lt;b&gt;recyclé&lt;/b&gt;</b>" in page and "<b>recyclé</b>" not in page
    document = client.get("/clauses/objet/apercu.pdf", {"groupement": grouping.pk})
    text = pypdf.PdfReader(io.BytesIO(document.content)).pages[0].extract_text()
    assert "Papier <b>recyclé</b>" in " ".join(text.replace("\xa0", " ").split())
    _, elsewhere = make_territory(members=1, lots=1)
    for asked in (elsewhere.pk, "x", "99999999999999", "²"):
        assert client.get("/clauses/objet/apercu/", {"groupement": asked}).status_code == 404


def test_a_grouping_that_makes_no_convention_says_why(client, scene):
    metropole, grouping, _ = scene
    grouping.memberships.exclude(organisation=metropole).delete()
    page = text_of(client.get(f"{PAGE}apercu/", {"groupement": grouping.pk}))
    assert "au moins deux membres" in page
    response = client.get(f"{PAGE}apercu.pdf", {"groupement": grouping.pk})
    assert response.status_code == 422 and "au moins deux membres" in text_of(response)


def test_versions_and_comparisons_that_do_not_exist(client, scene):
    assert client.get(f"{PAGE}versions/1/").status_code == 200
    assert client.get(f"{PAGE}versions/2/").status_code == 404
    assert client.get("/clauses/inconnu/").status_code == 404
    for query in ({"de": "7"}, {"a": "projet"}, {"de": "x"}, {"de": "-1"}, {"a": "9" * 30}):
        assert client.get(f"{PAGE}differences/", query).status_code == 404
    assert "Aucune différence" in text_of(client.get(f"{PAGE}differences/"))


def test_a_buyer_reads_and_changes_nothing(client, scene):
    metropole, _, _ = scene
    client.force_login(make_affiliation(metropole, Role.BUYER).user)
    page = text_of(client.get(PAGE))
    assert "solidairement responsables" in page and "<textarea" not in page and "Publier" not in page
    assert send(client).status_code == 403
    panel = page[page.index('class="panel"') : page.index("</details>")]
    assert 'href="/clauses/"' in panel


def test_the_conventions_made_from_a_version_are_named(client, scene):
    _, grouping, jurist = scene
    grouping.refresh_from_db()
    convention_freeze(grouping=grouping, actor=jurist, now=NOW)
    page = text_of(client.get(f"{PAGE}versions/1/"))
    assert grouping.reference in page and "convention version 1" in page


def test_pages_cost_few_queries_whatever_the_versions(client, scene):
    metropole, _, _ = scene
    make_version(metropole, shipped(KEY))
    counts = {}
    for total in (2, 12):
        for number in range(ClauseVersion.objects.filter(key=KEY).count() + 1, total + 1):
            make_version(metropole, replace(shipped(KEY), version=number))
        for name in ("clause_list", "clause", "clause_preview", "clause_differences"):
            url = reverse(name, args=[] if name == "clause_list" else [KEY])
            with CaptureQueriesContext(connection) as captured:
                assert client.get(url).status_code == 200
            counts.setdefault(name, []).append(len(captured))
    assert all(few == many for few, many in counts.values()), counts
    assert {name: many for name, (_, many) in counts.items() if many > 12} == {}
