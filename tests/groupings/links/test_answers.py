"""The answers given by a signed link: the same acts, refusals and journal as on the screens."""

import re
from calendar import isleap
from datetime import date

import pytest
from django.utils import timezone

from groupings.links import (
    link_revoke,
    link_used,
)
from members.models import CouncilSession
from procurement.core.errors import BusinessError
from procurement.core.journal.models import JournalEntry
from tests.support.deliberations import make_pdf
from tests.support.factories import (
    adopt,
    sign,
)
from tests.support.links import address, answer, everything, in_days, page_of, upload, vote_of

pytestmark = pytest.mark.django_db


def test_on_the_agenda_of_a_known_session(client, scene, link):
    response = answer(client, scene, link, "inscrire", session=scene.coming.pk)
    assert response.status_code == 302
    assert response.url == address(link)
    assert (scene.deliberation.status, scene.deliberation.session) == ("on_agenda", scene.coming)
    page = page_of(client, link)
    assert "Merci, c’est enregistré" in page
    assert f"La suite\u00a0: Convoquer la séance du {in_days(30):%d/%m/%Y}." in page
    assert "Merci" not in page_of(client, link)


def test_on_the_agenda_of_a_date_the_calendar_does_not_know(client, scene, link):
    response = answer(
        client, scene, link, "inscrire", meeting_on=f"{in_days(45):%d/%m/%Y}", agenda_closes_on=f"{in_days(38)}"
    )
    assert response.status_code == 302
    session = CouncilSession.objects.get(organisation=scene.commune, meeting_on=in_days(45))
    assert session.agenda_closes_on == in_days(38)
    assert scene.deliberation.session == session


def test_each_use_is_journalled_with_its_act(client, scene, link):
    before = timezone.now()
    answer(client, scene, link, "vote", **vote_of(scene))
    link.refresh_from_db()
    assert before <= link.last_used_at <= timezone.now()
    use, act = JournalEntry.objects.filter(actor_label="Lien de réponse – Saussan").order_by("pk")
    assert use.sentence == "Saussan\u00a0: lien de réponse utilisé"
    assert act.verb == "deliberation.adopt"
    assert {use.concerns_id, act.concerns_id} == {scene.commune.pk}
    assert use.actor_id is None


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        ("adopted", "adoptée le"),
        ("rejected", "rejetée le"),
        ("postponed", "reportée le"),
        ("no_quorum", "sans quorum le"),
    ],
)
def test_each_outcome_of_the_vote(client, scene, link, outcome, told):
    assert answer(client, scene, link, "vote", **vote_of(scene, outcome)).status_code == 302
    assert scene.deliberation.status == outcome
    assert f"{told} {scene.past.meeting_on:%d/%m/%Y}" in page_of(client, link)


def test_on_a_tie_the_president_s_vote_prevails(client, scene, link):
    tie = {"in_office": 19, "present": 16, "proxies": 0, "votes_for": 8, "votes_against": 8, "abstained": 0}
    response = answer(client, scene, link, "vote", **vote_of(scene, **tie, president_vote="against"))
    assert response.status_code == 422  # adopted is what was said, rejected what the numbers give
    response = answer(client, scene, link, "vote", **vote_of(scene, **tie, president_vote="for"))
    assert response.status_code == 302
    assert scene.deliberation.status == "adopted"


def test_the_vote_and_its_file_in_one_go(client, scene, link):
    assert answer(client, scene, link, "vote", **vote_of(scene, file=upload())).status_code == 302
    document = scene.deliberation.documents.get()
    assert (document.original_name, document.deposited_by) == ("délibération.pdf", "Lien de réponse – Saussan")
    page = page_of(client, link)
    assert re.search(r"adoptée le \d\d/\d\d/\d{4} et pièce déposée\.", page)
    assert "délibération.pdf" in page


def test_a_refused_file_takes_the_vote_back(client, scene, link):
    before = everything()
    response = answer(client, scene, link, "vote", **vote_of(scene, number="2026-7", file=upload(b"MZ\x90 %PDF-1.4")))
    assert response.status_code == 422
    page = response.content.decode()
    assert "n’est pas un PDF, quel que soit son nom" in page
    assert 'value="2026-7"' in page
    assert everything() == before


def test_the_file_of_a_refused_vote_is_asked_for_again(client, scene, link):
    response = answer(client, scene, link, "vote", **vote_of(scene, meeting_on=f"{in_days(3)}", file=upload()))
    page = response.content.decode()
    assert "n’a pas encore eu lieu" in page
    assert "Choisissez de nouveau le fichier" in page
    assert not scene.deliberation.documents.exists()


def test_the_file_alone_at_any_time_after_the_vote_and_twice_is_once(client, scene, link):
    refused = answer(client, scene, link, "piece", file=upload())
    assert refused.status_code == 422
    assert "pas attendue à cette étape" in refused.content.decode()
    adopt(scene.membership, scene.past.meeting_on)
    for _ in range(2):
        assert answer(client, scene, link, "piece", file=upload()).status_code == 302
    assert scene.deliberation.documents.count() == 1
    assert "délibération.pdf" in page_of(client, link)


def test_the_stamp_of_a_deposited_file_is_proposed_and_not_written(client, scene, link):
    adopt(scene.membership, date(2026, 5, 26), executory=False)
    stamped = make_pdf(
        "Envoyé en préfecture le 27/05/2026",
        "Reçu en préfecture le 28/05/2026",
        "Publié le 29/05/2026",
        "ID : 034-213401722-20260526-D2026_123-DE",
    )
    response = answer(client, scene, link, "piece", file=upload(stamped))
    assert f"?piece={scene.deliberation.documents.get().pk}" in response.url
    page = client.get(response.url).content.decode()
    assert 'value="2026-05-28"' in page
    assert scene.deliberation.received_on is None


def test_the_dates_of_effect_then_nothing_more_is_asked(client, scene, link):
    adopt(scene.membership, scene.past.meeting_on, executory=False)
    sent, received = f"{in_days(-6)}", f"{in_days(-5)}"
    response = answer(
        client, scene, link, "effets", transmitted_on=sent, received_on=received, published_on=received, number="7"
    )
    assert response.status_code == 302
    assert scene.deliberation.executory_on == in_days(-5)
    page = page_of(client, link)
    assert "L’acte est exécutoire\u00a0: la convention reste à signer." in page
    assert 'id="effets"' not in page
    # By hand neither: what the coordinator relies on does not change by the link any more.
    assert answer(client, scene, link, "effets").status_code == 422
    assert scene.deliberation.executory_on == in_days(-5)
    sign(scene.membership, in_days(0))
    assert "plus rien n’est attendu" in page_of(client, link)


def test_dates_of_effect_sent_as_they_were_shown_are_not_thanked_for(client, scene, link):
    adopt(scene.membership, scene.past.meeting_on, executory=False, number="7")
    for stored in ({"number": "7"}, {"number": "7", "published_on": f"{in_days(-6)}"}):
        if "published_on" in stored:  # told once, then sent again unchanged
            assert answer(client, scene, link, "effets", **stored).status_code == 302
        before = everything()
        response = answer(client, scene, link, "effets", **stored)
        assert response.status_code == 422
        assert "Indiquez une date\u00a0: transmission, réception ou publication." in response.content.decode()
        assert everything() == before
    # A date typed by mistake can be taken back.
    assert answer(client, scene, link, "effets", number="7").status_code == 302
    assert scene.deliberation.published_on is None


def test_a_rejected_vote_goes_back_to_the_calendar_with_its_history(client, scene, link):
    answer(client, scene, link, "vote", **vote_of(scene, "rejected", reason="Coût"))
    assert "la délibération est rejetée" in page_of(client, link)
    assert answer(client, scene, link, "deliberer-de-nouveau").status_code == 302
    assert scene.deliberation.status == "to_schedule"
    assert scene.deliberation.attempts.get().outcome == "rejected"


BAD = {
    "12 for with 9 present": (
        "vote",
        {"in_office": 9, "present": 9, "proxies": 0, "votes_for": 12, "votes_against": 0, "abstained": 0},
        "12 pour",
    ),
    "numbers half given": ("vote", {"present": 9}, "tous les nombres"),
    "a vote to come": ("vote", {"meeting_on": f"{date.max.year}-12-31"}, "n’a pas encore eu lieu"),
    "before the grouping": ("vote", {"meeting_on": "2016-12-31"}, "n’était pas ouvert à cette date"),
    "29 February of a common year": ("vote", {"meeting_on": "29/02/2025"}, "date valide"),
    "no outcome": ("vote", {"outcome": ""}, "Choisissez le résultat"),
    "another outcome": ("vote", {"outcome": "annulled"}, "Sélectionnez un choix valide"),
    "a number of 200 characters": ("vote", {"number": "9" * 200}, "40"),
    "an empty file": ("vote", {"file": b""}, "est vide"),
    "a session of nobody": ("inscrire", {"session": 999_999}, "Sélectionnez un choix valide"),
    "no session": ("inscrire", {}, "Choisissez une séance"),
    "a past session": ("inscrire", {"meeting_on": "2026-01-05"}, "Cette date est passée"),
    "an agenda closed after": (
        "inscrire",
        {"meeting_on": "9998-12-31", "agenda_closes_on": "9999-01-01"},
        "se clôt au plus tard le jour de la séance",
    ),
    "no file": ("piece", {}, "Choisissez un fichier"),
}


@pytest.mark.parametrize("name", list(BAD))
def test_bad_input_is_a_sentence_and_changes_nothing(client, scene, link, name):
    step, values, sentence = BAD[name]
    values = {**(vote_of(scene) if step == "vote" else {}), **values}
    if "file" in values:
        values["file"] = upload(values["file"])
    before = everything()
    response = answer(client, scene, link, step, **values)
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert everything() == before  # nor any trace of the use


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"actes_id": "034-213401722-20160526-D1-DE"}, "SIREN"),
        ({"actes_id": "n’importe quoi"}, "ACTES"),
        ({"transmitted_on": "2016-01-01"}, "ne peut pas précéder le vote"),
        ({"received_on": "2099-12-31"}, "n’est pas encore venu"),
        ({"published_on": "2026-02-30"}, "date valide"),
    ],
)
def test_bad_dates_of_effect(client, scene, link, values, sentence):
    adopt(scene.membership, scene.past.meeting_on, executory=False)
    before = everything()
    response = answer(client, scene, link, "effets", **values)
    assert response.status_code == 422
    assert sentence in response.content.decode()
    assert everything() == before


def test_a_leap_day_at_the_end_of_the_calendar(client, scene, link):
    year = next(year for year in range(in_days(0).year + 1, date.max.year) if isleap(year))
    assert answer(client, scene, link, "inscrire", meeting_on=f"{year}-02-29").status_code == 302
    assert scene.deliberation.session.meeting_on == date(year, 2, 29)
    moved = answer(client, scene, link, "inscrire", meeting_on=f"31/12/{year}", agenda_closes_on=f"31/12/{year}")
    assert moved.status_code == 302
    assert scene.deliberation.session.meeting_on == date(year, 12, 31)


def test_sent_twice_it_is_done_once_and_the_second_is_told(client, scene, link):
    values = {"version": scene.deliberation.version, **vote_of(scene, number="2026-7")}
    assert client.post(address(link, "vote"), values).status_code == 302
    before = everything()
    response = client.post(address(link, "vote"), values)
    assert response.status_code == 422
    page = response.content.decode()
    assert "Lien de réponse – Saussan, le" in page
    assert "Vous aviez saisi" in page
    assert "2026-7" in page
    assert everything() == before


def test_the_second_of_two_people_is_told_what_changed_and_by_whom(client, scene, link):
    from groupings.actions.deliberation import deliberation_schedule

    read = scene.deliberation.version
    deliberation_schedule(
        deliberation=scene.deliberation, session=scene.coming, actor=scene.buyer, today=timezone.localdate()
    )
    values = {"meeting_on": f"{scene.past.meeting_on}", "outcome": "postponed", "reason": "Faute de temps"}
    response = client.post(address(link, "vote"), {"version": read, **values})
    assert response.status_code == 422
    page = response.content.decode()
    assert scene.buyer.actor_label in page
    assert f"inscrite à la séance du {scene.coming.meeting_on:%d/%m/%Y}" in page
    assert "Faute de temps" in page
    assert scene.deliberation.status == "on_agenda"
    # The same form, sent again knowingly, now carries the version that was told.
    version = re.search(r'name="version" value="(\d+)"[^>]*id="vote-version"', page).group(1)
    assert client.post(address(link, "vote"), {"version": version, **values}).status_code == 302
    assert scene.deliberation.status == "postponed"


def test_a_link_closed_while_its_page_is_read_refuses_the_answer(scene, link):
    link_revoke(link=link, actor=scene.buyer, now=timezone.now())
    link.revoked_at = None  # as the page had read it
    with pytest.raises(BusinessError, match="vient d’être fermé"):
        link_used(link=link, now=timezone.now())
    assert not JournalEntry.objects.filter(verb="link.use").exists()
