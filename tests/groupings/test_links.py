"""The signed link: one membership without an account, a GET that changes nothing, and doors that close."""

import hashlib
import re
from calendar import isleap
from datetime import UTC, date, datetime, timedelta

import pytest
from django.apps import apps
from django.core.cache import cache
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.signing import Signer
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from groupings.links import (
    ClosedLink,
    LinkActor,
    UnknownLink,
    find_link,
    link_open,
    link_revoke,
    link_token,
    link_url,
    link_used,
)
from groupings.models import Convention, ConventionDocument, DraftDocument, SignedLink
from groupings.views import links as views
from members.models import CouncilSession
from members.roles import Role
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.journal.models import JournalEntry
from tests.support.deliberations import Scene, make_pdf
from tests.support.factories import (
    adopt,
    make_affiliation,
    make_grouping,
    make_membership,
    make_metropole,
    make_organisation,
    make_session,
    sign,
)

pytestmark = pytest.mark.django_db
PDF = make_pdf("Extrait du registre des délibérations")


def in_days(days: int) -> date:
    return timezone.localdate() + timedelta(days=days)


@pytest.fixture(autouse=True)
def _fresh_limits():
    cache.clear()


@pytest.fixture
def scene() -> Scene:
    """A commune with a meeting a week ago and one in thirty days; its buyer is the one to write to."""
    metropole = make_metropole(name="Métropole du Lez")
    commune = make_organisation("commune", parent=metropole, population=3100, name="Saussan")
    buyer = make_affiliation(metropole, Role.BUYER)
    grouping = make_grouping(
        metropole,
        status="deliberations",
        opened_on=in_days(-200),
        deliberations_due_on=in_days(60),
        buyer=buyer.user,
    )
    make_membership(grouping, metropole)
    return Scene(
        metropole=metropole,
        commune=commune,
        grouping=grouping,
        membership=make_membership(grouping, commune),
        past=make_session(commune, in_days(-7)),
        coming=make_session(commune, in_days(30), agenda_closes_on=in_days(20)),
        buyer=buyer,
        jurist=make_affiliation(metropole, Role.JURIST),
        agent=make_affiliation(commune, Role.MEMBER_AGENT),
    )


@pytest.fixture
def link(scene) -> SignedLink:
    return link_open(membership=scene.membership, actor=scene.buyer, now=timezone.now())


def address(link, step: str = "") -> str:
    if step:
        return reverse("signed_link_step", args=[link_token(link), step])
    return reverse("signed_link", args=[link_token(link)])


def page_of(client, link, query: str = "") -> str:
    return client.get(address(link) + query).content.decode()


def answer(client, scene, link, step: str, **values):
    return client.post(address(link, step), {"version": scene.deliberation.version, **values})


def vote_of(scene, outcome="adopted", **values) -> dict:
    return {"outcome": outcome, "meeting_on": f"{scene.past.meeting_on}", **values}


def upload(content: bytes = PDF, name: str = "délibération.pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def everything() -> dict[str, list]:
    """Every row of every table, the visitor's session aside."""
    return {
        model._meta.label: sorted(map(repr, model._base_manager.values_list()))
        for model in apps.get_models()
        if model._meta.label != "sessions.Session"
    }


# The address


def test_the_address_opens_its_link_until_its_last_second(link):
    assert find_link(link_token(link), link.expires_at - timedelta(seconds=1)) == link
    with pytest.raises(ClosedLink):
        find_link(link_token(link), link.expires_at)


def test_the_address_is_absolute_and_holds_no_name(settings, link):
    settings.SITE_URL = "https://achats.example"
    assert re.fullmatch(rf"https://achats\.example/lien/{link.pk}\.[\w-]+:[\w-]+/", link_url(link))


@given(st.one_of(st.text(max_size=200), st.from_regex(r"[0-9]{1,30}\.[\w-]*:[\w-]*", fullmatch=True)))
def test_a_text_we_did_not_sign_is_never_a_link(token):
    with pytest.raises(UnknownLink):
        find_link(token, timezone.now())


@given(place=st.integers(0, 200), character=st.characters(codec="utf-8"))
def test_a_tampered_address_is_never_a_link(place, character):
    link = SignedLink(pk=12, nonce="a" * 22)
    token = link_token(link)
    place %= len(token)
    tampered = token[:place] + character + token[place + 1 :]
    if tampered != token:
        with pytest.raises(UnknownLink):
            find_link(tampered, timezone.now())


@pytest.mark.parametrize(
    "signed", ["abc", "12", "12.", ".x", f"{'9' * 40}.{'a' * 22}", "1.2.3", "-1.aaaaaaaaaaaaaaaaaaaaaa"]
)
def test_even_signed_by_us_another_shape_is_unknown(signed):
    with pytest.raises(UnknownLink):
        find_link(Signer(salt="groupings.signed_link").sign(signed), timezone.now())


def test_a_signature_for_another_use_opens_nothing(link):
    with pytest.raises(UnknownLink):
        find_link(Signer(salt="groupings.calendar").sign(f"{link.pk}.{link.nonce}"), timezone.now())


@pytest.mark.parametrize(
    "token", ["abc", "%00", "é" * 50, "1.aaaaaaaaaaaaaaaa:x", "a" * 3000, "1%2E2:3", "..", "%ff%fe"]
)
def test_an_unknown_address_is_a_french_404(client, token):
    for url in (f"/lien/{token}/", f"/lien/{token}/documents/convention.pdf"):
        response = client.get(url)
        assert response.status_code == 404
    assert client.post(f"/lien/{token}/vote/").status_code == 404


def test_an_unknown_address_says_what_to_do(client):
    page = client.get("/lien/abc/").content.decode()
    assert "Recopiez-la en entier" in page
    assert "Demandez" not in page  # nobody is named


# Opening, renewing, revoking


def test_renewing_keeps_the_address_and_never_shortens(scene, link):
    token, expires_at = link_token(link), link.expires_at
    sooner = link_open(membership=scene.membership, actor=scene.buyer, now=timezone.now(), days=1)
    assert (link_token(sooner), sooner.expires_at) == (token, expires_at)
    later = link_open(membership=scene.membership, actor=scene.buyer, now=timezone.now() + timedelta(days=10))
    assert link_token(later) == token
    assert later.expires_at > expires_at


def test_sixty_days_by_default_over_a_leap_february(scene):
    now = datetime(2028, 1, 1, 12, tzinfo=UTC)
    assert link_open(membership=scene.membership, actor=scene.buyer, now=now).expires_at.date() == date(2028, 3, 1)
    entry = JournalEntry.objects.get(verb="link.open")
    assert entry.sentence == "Saussan\u00a0: lien de réponse ouvert jusqu’au 01/03/2028"


def test_renewed_after_a_revocation_it_is_another_address(client, scene, link):
    old = link_token(link)
    link_revoke(link=link, actor=scene.buyer, now=timezone.now())
    renewed = link_open(membership=scene.membership, actor=scene.buyer, now=timezone.now())
    assert link_token(renewed) != old
    assert client.get(address(renewed)).status_code == 200
    assert client.get(reverse("signed_link", args=[old])).status_code == 410
    verbs = JournalEntry.objects.filter(verb__startswith="link.").order_by("pk").values_list("verb", flat=True)
    assert list(verbs) == ["link.open", "link.revoke", "link.open"]


def test_an_expired_link_opens_again_with_its_address_and_the_journal_says_so(scene, link):
    later = link.expires_at + timedelta(days=1)
    assert link_token(link_open(membership=scene.membership, actor=scene.buyer, now=later)) == link_token(link)
    assert JournalEntry.objects.filter(verb="link.open").count() == 2


def test_only_the_coordinator_opens_and_revokes(scene, link):
    for actor in (scene.agent, LinkActor(scene.membership), make_affiliation(scene.metropole, Role.READER)):
        with pytest.raises(NotAllowed):
            link_open(membership=scene.membership, actor=actor, now=timezone.now())
        with pytest.raises(NotAllowed):
            link_revoke(link=link, actor=actor, now=timezone.now())
    link.refresh_from_db()
    assert link.revoked_at is None


def close(scene, how: str) -> None:
    if how == "withdrawn":
        scene.membership.withdrawn_on = in_days(-1)
        scene.membership.save()
    else:
        scene.grouping.status = how
        scene.grouping.launched_on = in_days(-1) if how == "consultation" else None
        scene.grouping.closed_on = in_days(-1) if how == "cancelled" else None
        scene.grouping.save()


CLOSED = {
    "withdrawn": "Saussan ne participe plus à ce groupement",
    "consultation": "La consultation est lancée",
    "cancelled": "Ce groupement est abandonné",
}


@pytest.mark.parametrize("how", list(CLOSED))
def test_nothing_is_opened_once_nothing_is_awaited(scene, how):
    close(scene, how)
    with pytest.raises(BusinessError, match=CLOSED[how]):
        link_open(membership=scene.membership, actor=scene.buyer, now=timezone.now())
    assert not SignedLink.objects.exists()


@pytest.mark.parametrize("how", list(CLOSED))
def test_a_closed_grouping_is_told_and_asks_nothing(client, scene, link, how):
    kit_of(scene.membership)
    close(scene, how)
    page = page_of(client, link)
    assert CLOSED[how] in page
    assert "<form" not in page
    assert "/documents/" not in page
    before = everything()
    response = answer(client, scene, link, "vote", **vote_of(scene))
    assert response.status_code == 409
    assert CLOSED[how] in response.content.decode()
    assert client.get(document_of(link, "convention.pdf")).status_code == 404
    assert everything() == before


# Reading


def document_of(link, name: str) -> str:
    return reverse("signed_link_document", args=[link_token(link), name])


def kit_of(membership, version: int = 1, text: str = "kit") -> None:
    """One convention and its two drafts, each holding the member's name."""
    convention, _ = Convention.objects.get_or_create(
        grouping=membership.grouping,
        version=version,
        defaults={
            "values": {},
            "values_sha256": "0" * 64,
            "texts_sha256": "0" * 64,
            "legal_basis": "L2113-6",
            "is_draft": True,
            "frozen_at": timezone.now(),
        },
    )
    content = f"{text} {membership.organisation.name} v{version}".encode()
    facts = {"convention": convention, "membership": membership, "size": len(content)}
    facts["sha256"] = hashlib.sha256(content).hexdigest()
    for row in (
        ConventionDocument(**facts, pages=1),
        DraftDocument(**facts, format="docx"),
        DraftDocument(**facts, format="pdf"),
    ):
        row.file.save(row.filename, ContentFile(content))


@pytest.mark.parametrize("state", ["to_schedule", "on_agenda", "adopted", "executory", "rejected"])
def test_reading_changes_nothing_not_even_the_last_use(client, scene, link, state):
    kit_of(scene.membership)
    if state == "on_agenda":
        answer(client, scene, link, "inscrire", session=scene.coming.pk)
    elif state == "rejected":
        answer(client, scene, link, "vote", **vote_of(scene, "rejected"))
    elif state != "to_schedule":
        adopt(scene.membership, in_days(-7), executory=state == "executory")
    before = everything()
    reader = Client()
    for url in (address(link), f"{address(link)}?piece=abc", document_of(link, "convention.pdf")):
        for method in (reader.get, reader.head, reader.options):
            with CaptureQueriesContext(connection) as queries:
                method(url)
            assert not [q["sql"] for q in queries if not q["sql"].lstrip().upper().startswith(("SELECT", "PRAGMA"))]
    assert everything() == before


def test_the_page_says_what_by_when_and_with_which_document(client, scene, link):
    kit_of(scene.membership)
    page = page_of(client, link)
    for told in (
        "Saussan",
        "Métropole du Lez",
        "Inscrire la délibération à l’ordre du jour d’une séance.",
        f"{in_days(60):%d/%m/%Y}",
        f"{in_days(30):%d/%m/%Y}",
        f"<strong>{in_days(20):%d/%m/%Y}</strong>",
        "Modèle de délibération, à adapter (Word)",
        "Convention à annexer (PDF)",
        scene.buyer.user.email,
    ):
        assert told in page, told
    assert "site-nav" not in page
    assert "user-menu" not in page


def test_no_engine_no_cache_and_no_other_site_keeps_the_address(client, scene, link):
    kit_of(scene.membership)
    scene_responses = [
        client.get(address(link)),
        client.get(document_of(link, "convention.pdf")),
        client.get("/lien/abc/"),
        client.get(address(link, "vote")),
        client.post(address(link, "vote")),
        client.post(address(link, "inconnue")),
    ]
    assert [response.status_code for response in scene_responses] == [200, 200, 404, 302, 422, 404]
    assert scene_responses[3]["Location"] == address(link), "a phone opens again the tab of a refused answer"
    for response in scene_responses:
        assert response["X-Robots-Tag"] == "noindex, nofollow"
        assert response["Cache-Control"] == "no-store"
        assert response["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize("how", ["expired", "revoked"])
def test_a_closed_address_names_the_buyer_and_nothing_else(client, scene, link, how):
    kit_of(scene.membership)
    if how == "revoked":
        link_revoke(link=link, actor=scene.buyer, now=timezone.now())
    else:
        SignedLink.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    before = everything()
    for response in (
        client.get(address(link)),
        client.get(document_of(link, "convention.pdf")),
        answer(client, scene, link, "vote", **vote_of(scene)),
    ):
        assert response.status_code == 410
        page = response.content.decode()
        assert "Demandez un nouveau lien à" in page
        assert scene.buyer.user.get_full_name() in page
        assert scene.buyer.user.email in page
        for secret in ("Saussan", "Métropole du Lez", scene.grouping.title, scene.grouping.reference):
            assert secret not in page
    assert everything() == before


def test_without_a_buyer_the_coordinating_body_answers(client, scene, link):
    scene.grouping.buyer = None
    scene.grouping.save()
    scene.metropole.email = "achats@lez.example"
    scene.metropole.save()
    assert "achats@lez.example" in page_of(client, link)
    link_revoke(link=link, actor=scene.buyer, now=timezone.now())
    assert "achats@lez.example" in page_of(client, link)


def test_the_documents_are_the_member_s_own_of_the_latest_version(client, scene, link):
    other = make_membership(scene.grouping, make_organisation(parent=scene.metropole, name="Voisine"))
    for membership in (scene.membership, other):
        kit_of(membership, 1)
    kit_of(scene.membership, 2)
    for name in ("convention.pdf", "deliberation.docx", "deliberation.pdf"):
        response = client.get(document_of(link, name))
        assert response.content.decode() == "kit Saussan v2"
        assert "attachment" in response["Content-Disposition"]
    for name in ("convention.docx", "../convention.pdf", "x", "é", scene.commune.siren, "a" * 500):
        assert client.get(f"/lien/{link_token(link)}/documents/{name}").status_code == 404
    others = link_open(membership=other, actor=scene.buyer, now=timezone.now())
    assert client.get(document_of(others, "convention.pdf")).status_code == 404  # not in the latest version


def test_an_altered_document_is_not_handed_over(client, scene, link):
    kit_of(scene.membership)
    ConventionDocument.objects.update(sha256="0" * 64)
    response = client.get(document_of(link, "convention.pdf"))
    assert response.status_code == 409
    assert "ne correspond plus à son empreinte" in response.content.decode()
    assert response["Cache-Control"] == "no-store"


# Answering


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


# Its perimeter


def test_a_link_touches_its_own_membership_alone(client, scene, link):
    """Neither the neighbour's deliberation, nor one's own in another grouping, nor the neighbour's calendar."""
    neighbour = make_organisation(parent=scene.metropole, name="Voisine")
    other = make_membership(scene.grouping, neighbour)
    elsewhere = make_membership(
        make_grouping(scene.metropole, status="deliberations", opened_on=in_days(-200)), scene.commune
    )
    foreign = make_session(neighbour, in_days(12))
    assert answer(client, scene, link, "inscrire", session=foreign.pk).status_code == 422
    forged = {"membership": other.pk, "deliberation": other.deliberations.get().pk, "organisation": neighbour.pk}
    assert answer(client, scene, link, "vote", **vote_of(scene), **forged).status_code == 302
    for untouched in (other, elsewhere):
        assert untouched.deliberations.get().status == "to_schedule"
    page = page_of(client, link)
    assert "Voisine" not in page
    assert foreign.meeting_on.strftime("%d/%m/%Y") not in page


def test_a_link_signs_nobody_in(client, scene, link):
    answer(client, scene, link, "vote", **vote_of(scene))
    client.get(address(link))
    assert "_auth_user_id" not in client.session
    deliberation = scene.deliberation
    for url in (
        reverse("home"),
        reverse("deliberation_detail", args=[deliberation.pk]),
        reverse("grouping_detail", args=[scene.grouping.pk]),
    ):
        assert client.get(url).status_code == 302
    response = client.post(reverse("deliberation_step", args=[deliberation.pk, "effets"]))
    assert response.url.startswith(reverse("account_login"))


@pytest.mark.parametrize(
    "step", ["nature", "signature", "dispenser", "annulation", "annuler-la-saisie", "retrait", "x"]
)
def test_a_link_offers_no_other_step(client, scene, link, step):
    before = everything()
    assert answer(client, scene, link, step, reason="Essai", kind="president").status_code == 404
    assert everything() == before


def test_a_forged_form_is_refused(scene, link):
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(address(link, "vote"), vote_of(scene)).status_code == 403
    assert scene.deliberation.status == "to_schedule"
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page_of(strict, link)).group(1)
    values = {"version": scene.deliberation.version, "csrfmiddlewaretoken": token, **vote_of(scene)}
    assert strict.post(address(link, "vote"), values).status_code == 302


# Limits


def test_thirty_answers_an_hour_for_one_link(client, scene, link, monkeypatch):
    monkeypatch.setattr(views.time, "time", lambda: 1_800_000_000.0)  # a whole number of hours: 3 600 × 500 000
    for _ in range(30):
        assert answer(client, scene, link, "inscrire").status_code == 422
    before = everything()
    response = answer(client, scene, link, "inscrire", session=scene.coming.pk)
    assert response.status_code == 429
    assert response["Retry-After"] == "3600"
    assert "Réessayez dans 60 minutes." in response.content.decode()
    assert everything() == before
    assert client.get(address(link)).status_code == 200  # reading goes on
    monkeypatch.setattr(views.time, "time", lambda: 1_800_003_600.0)
    assert answer(client, scene, link, "inscrire", session=scene.coming.pk).status_code == 302


def test_sixty_unknown_addresses_an_hour_from_one_place(client, scene, link, monkeypatch):
    monkeypatch.setattr(views.time, "time", lambda: 1_800_003_000.0)
    for number in range(60):
        assert client.get(f"/lien/inconnu-{number}/").status_code == 404
    response = client.get("/lien/inconnu/")
    assert response.status_code == 429
    assert response["Retry-After"] == "600"
    assert "Trop de demandes" in response.content.decode()
    assert client.get(address(link)).status_code == 200  # the town hall behind the same address still answers
    assert client.get("/lien/inconnu/", REMOTE_ADDR="192.0.2.9").status_code == 404


def test_behind_a_proxy_the_limit_is_the_visitor_s(client, settings, monkeypatch):
    monkeypatch.setattr(views, "UNKNOWN_AN_HOUR", 1)
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1

    def status(visitor: str) -> int:
        return client.get("/lien/abc/", REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=visitor).status_code

    assert [status("192.0.2.1"), status("192.0.2.1"), status("192.0.2.2")] == [404, 429, 404]
    # One IPv6 network is one visitor; what a visitor adds before its proxy's word is not believed.
    assert [status("2001:db8::1"), status("2001:db8::2"), status("2001:db8:0:1::1")] == [404, 429, 404]
    assert status("203.0.113.7, 192.0.2.1") == 429


# The coordinator's side


def test_the_coordinator_renews_and_reads_the_address_once(client, scene):
    client.force_login(scene.buyer.user)
    url = reverse("membership_link", args=[scene.grouping.pk, scene.membership.pk])
    response = client.post(url, {"action": "renew"})
    link = SignedLink.objects.get()
    assert response.status_code == 200
    assert link_url(link) in response.content.decode()
    assert "Jamais utilisé" in response.content.decode()
    assert response["Cache-Control"] == "no-store"
    response = client.post(url, {"action": "revoke"}, follow=True)
    assert "le lien de réponse est révoqué" in response.content.decode()
    link.refresh_from_db()
    assert link.revoked_at is not None
    assert Client().get(address(link)).status_code == 410


def test_the_coordinator_s_mistakes_are_told(client, scene):
    client.force_login(scene.buyer.user)
    url = reverse("membership_link", args=[scene.grouping.pk, scene.membership.pk])
    assert "Aucun lien n’est ouvert pour Saussan" in client.post(url, {"action": "revoke"}).content.decode()
    assert client.post(url, {"action": "x"}).status_code == 409
    elsewhere = make_membership(make_grouping(scene.metropole), scene.commune)
    mixed = reverse("membership_link", args=[scene.grouping.pk, elsewhere.pk])
    assert client.post(mixed, {"action": "renew"}).status_code == 404
    close(scene, "cancelled")
    assert "abandonné" in client.post(url, {"action": "renew"}).content.decode()
    assert not SignedLink.objects.exists()


def test_the_member_s_own_people_do_not_read_the_address(client, scene, link):
    client.force_login(scene.agent.user)
    url = reverse("membership_link", args=[scene.grouping.pk, scene.membership.pk])
    for action in ("renew", "revoke"):
        response = client.post(url, {"action": action})
        assert response.status_code == 403
        assert link_token(link) not in response.content.decode()
