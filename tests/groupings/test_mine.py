"""Mes délibérations: what one body must do next, by when, with which document. Dates worked by hand."""

from datetime import date, timedelta

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from groupings.mine import agenda_of
from groupings.models import Convention, ConventionDocument, DraftDocument
from groupings.todo import todo_on
from groupings.tracker import build
from members.models import User
from members.roles import Role
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
URL = "/mes-deliberations/"
TODAY = date(2026, 11, 22)
MAX_QUERIES = 12


@pytest.fixture
def metropole():
    return make_metropole(name="Métropole de Valrive")


@pytest.fixture
def commune(metropole):
    """1,200 inhabitants: three clear days (CGCT, L2121-11)."""
    return make_organisation(parent=metropole, name="Montferrier", population=1200)


@pytest.fixture
def agent(commune):
    return make_affiliation(commune, Role.MEMBER_AGENT)


def join(metropole, commune, title="Véhicules légers", due_on=date(2026, 12, 26), **fields):
    fields.setdefault("status", "deliberations")
    return make_membership(make_grouping(metropole, title=title, deliberations_due_on=due_on, **fields), commune)


def cards_of(commune, agent, today=TODAY):
    return agenda_of(commune, agent, today).followed


def make_kit(membership, version=1):
    membership.grouping.conventions.filter(version__lt=version).update(status="superseded")
    convention, _ = Convention.objects.get_or_create(
        grouping=membership.grouping,
        version=version,
        defaults={
            "values": {},
            "values_sha256": "0" * 64,
            "texts_sha256": "0" * 64,
            "is_draft": True,
            "frozen_at": timezone.now(),
        },
    )
    common = {"membership": membership, "convention": convention, "sha256": "0" * 64, "size": 3}
    document = ConventionDocument(**common, pages=1)
    document.file.save(document.filename, ContentFile(b"pdf"))
    draft = DraftDocument(**common, format="docx")
    draft.file.save(draft.filename, ContentFile(b"doc"))
    return draft


# What to do next, by when


def test_a_vote_to_schedule_tells_the_next_council_and_when_its_agenda_closes(metropole, commune, agent):
    join(metropole, commune)
    make_session(commune, date(2026, 12, 12), agenda_closes_on=date(2026, 11, 28))
    [card] = cards_of(commune, agent)
    assert card.step == "Inscrire la délibération à l’ordre du jour d’une séance"
    assert card.deadline == "Délibération exécutoire attendue pour le 26/12/2026"
    assert card.council == "Prochain conseil connu\u00a0: 12/12/2026\u202f; ordre du jour clos le 28/11/2026"
    assert (card.is_late, card.asks_for_session, card.may_update) == (False, False, True)


def test_without_a_date_said_the_agenda_closes_at_the_last_lawful_dispatch(metropole, commune, agent):
    """Three clear days before 12/12 are 9, 10 and 11: the convocation leaves on the 8th at the latest."""
    join(metropole, commune)
    make_session(commune, date(2026, 12, 12))
    [card] = cards_of(commune, agent)
    assert "ordre du jour clos le 08/12/2026" in card.council


def test_a_closed_agenda_leads_to_the_next_meeting(metropole, commune, agent):
    join(metropole, commune)
    make_session(commune, date(2026, 11, 30), agenda_closes_on=date(2026, 11, 20))
    [card] = cards_of(commune, agent)
    assert card.council == "L’ordre du jour du conseil du 30/11/2026 est clos\u202f; aucun conseil suivant n’est connu"
    assert card.asks_for_session
    make_session(commune, date(2027, 1, 14))
    [card] = cards_of(commune, agent)
    assert card.council.startswith("Prochain conseil connu\u00a0: 14/01/2027\u202f;")


def test_an_unknown_calendar_is_asked_for_and_never_invented(metropole, commune, agent):
    join(metropole, commune)
    make_session(commune, date(2026, 11, 21))  # past
    [card] = cards_of(commune, agent)
    assert (card.council, card.asks_for_session) == ("Aucun conseil n’est connu", True)


def put_on_agenda(membership, session, status="on_agenda"):
    deliberation = membership.deliberations.get()
    deliberation.session, deliberation.status = session, status
    deliberation.save()
    return deliberation


def test_on_the_agenda_the_convocation_comes_next(metropole, commune, agent):
    membership = join(metropole, commune)
    session = make_session(commune, date(2026, 12, 12))
    put_on_agenda(membership, session)
    [card] = cards_of(commune, agent)
    assert card.step == "Convoquer la séance du 12/12/2026"
    assert card.council == "Convocation à envoyer le 08/12/2026 au plus tard (3\u00a0jours francs)"
    [card] = cards_of(commune, agent, date(2026, 12, 9))
    assert card.council == "La convocation devait partir le 08/12/2026 au plus tard (3\u00a0jours francs)"
    [card] = cards_of(commune, agent, date(2026, 12, 13))
    assert (card.step, card.council) == ("Saisir le résultat du vote de la séance du 12/12/2026", "")


def test_after_the_vote_the_transmission_then_the_signature(metropole, commune, agent):
    membership = join(metropole, commune, launch_planned_on=date(2027, 2, 1))
    adopt(membership, date(2026, 11, 5), executory=False)
    [card] = cards_of(commune, agent)
    assert card.step == "Transmettre la délibération au contrôle de légalité"
    assert card.council == ""
    adopt(membership, date(2026, 11, 5))
    [card] = cards_of(commune, agent)
    assert (card.step, card.deadline) == ("Signer la convention", "Lancement prévu le 01/02/2027")
    # The coordinator records the signatures: its buyer is offered to, the member's agent only to look.
    [seen] = cards_of(commune, make_affiliation(metropole))
    assert (card.may_update, seen.may_update) == (False, True)
    sign(membership, date(2026, 11, 18))
    agenda = agenda_of(commune, agent, TODAY)
    assert (agenda.followed, agenda.done[0].ending) == ([], "Convention signée le 18/11/2026")


def test_a_rejected_vote_is_the_body_s_to_decide(metropole, commune, agent):
    membership = join(metropole, commune, due_on=date(2026, 11, 1))
    deliberation = membership.deliberations.get()
    deliberation.status, deliberation.decided_on = "rejected", date(2026, 10, 12)
    deliberation.save()
    [card] = cards_of(commune, agent)
    assert card.step.startswith("Délibérer de nouveau, ou quitter le groupement")
    assert card.deadline == "En retard de 21\u00a0jours\u00a0: délibération exécutoire attendue pour le 01/11/2026"


# Why it is late


@pytest.mark.parametrize(
    ("due_on", "launch_on", "meeting_on", "expected"),
    [
        # Due on 1 November, asked on the 22nd.
        (
            date(2026, 11, 1),
            None,
            None,
            "En retard de 21\u00a0jours\u00a0: délibération exécutoire attendue pour le 01/11/2026",
        ),
        (date(2026, 11, 22), None, None, ""),  # the day itself is not late
        # Fifteen days to sign before 1 December: enforceable by 16 November, six days ago.
        (
            date(2026, 11, 25),
            date(2026, 12, 1),
            None,
            "En retard de 6\u00a0jours\u00a0: exécutoire nécessaire le 16/11/2026, pour signer avant le lancement "
            "du 01/12/2026",
        ),
        # Voted on 12 December, enforceable on the 19th at best: four days after the date asked for.
        (
            date(2026, 12, 15),
            None,
            date(2026, 12, 12),
            "Retard prévu de 4\u00a0jours\u00a0: délibération exécutoire attendue pour le 15/12/2026",
        ),
        (date(2026, 12, 19), None, date(2026, 12, 12), ""),
        (None, None, None, ""),
    ],
)
def test_why_it_is_late(metropole, commune, agent, due_on, launch_on, meeting_on, expected):
    join(metropole, commune, due_on=due_on, launch_planned_on=launch_on)
    if meeting_on:
        make_session(commune, meeting_on)
    [card] = cards_of(commune, agent)
    assert card.why_late == expected
    assert card.is_late == expected.startswith("En retard")
    # One rule for the two screens.
    [cell] = build(agent, TODAY).cells()
    assert card.lateness == cell.lateness


def test_an_unsigned_convention_is_late_once_the_launch_was_planned(metropole, commune, agent):
    membership = join(metropole, commune, launch_planned_on=date(2026, 11, 20))
    adopt(membership, date(2026, 10, 5))
    [card] = cards_of(commune, agent)
    assert card.deadline == "En retard de 2\u00a0jours\u00a0: lancement prévu le 20/11/2026"
    [task] = todo_on(agent, TODAY).late
    assert task.deliberation == card.deliberation


# Sections


def test_the_oldest_deadline_comes_first_and_the_sentence_counts(metropole, commune, agent):
    join(metropole, commune, "Sans date", None)
    join(metropole, commune, "Tard", date(2027, 2, 5))
    join(metropole, commune, "Passé", date(2026, 11, 2))
    join(metropole, commune, "Recensement", date(2027, 5, 1), status="needs")
    sign(done := join(metropole, commune, "Fini", date(2026, 10, 1)), date(2026, 10, 1))
    adopt(done, date(2026, 9, 20))
    agenda = agenda_of(commune, agent, TODAY)
    assert [card.grouping.title for card in agenda.followed] == ["Passé", "Tard", "Sans date"]
    assert [card.grouping.title for card in agenda.coming] == ["Recensement"]
    assert [card.grouping.title for card in agenda.done] == ["Fini"]
    assert agenda.sentence == "3 délibérations à suivre, dont 1 en retard\u202f; 1 à venir, 1 terminée."


def test_a_vote_not_asked_yet_comes_forward_when_its_deadline_is_near(metropole, commune, agent):
    join(metropole, commune, due_on=date(2026, 12, 7), status="needs")  # 22/11 + 15 days
    agenda = agenda_of(commune, agent, TODAY)
    assert (len(agenda.followed), len(agenda.coming)) == (1, 0)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"status": "consultation", "launched_on": date(2026, 11, 3)}, "Consultation lancée le 03/11/2026"),
        ({"status": "cancelled"}, "Groupement abandonné"),
    ],
)
def test_nothing_is_asked_once_the_grouping_went_on(metropole, commune, agent, fields, expected):
    join(metropole, commune, due_on=date(2026, 10, 1), **fields)
    agenda = agenda_of(commune, agent, TODAY)
    assert ([card.ending for card in agenda.done], agenda.followed) == ([expected], [])


def test_nothing_is_asked_of_who_left(metropole, commune, agent):
    membership = join(metropole, commune, due_on=date(2026, 10, 1))
    membership.withdrawn_on = date(2026, 11, 9)
    membership.save()
    [card] = agenda_of(commune, agent, TODAY).done
    assert card.ending == "Retiré du groupement le 09/11/2026"


# The page


def test_the_page_gives_the_next_step_and_its_documents(client, metropole, commune, agent):
    in_time = timezone.localdate() + timedelta(days=90)
    membership = join(metropole, commune, due_on=in_time)
    client.force_login(agent.user)
    page = client.get(URL).content.decode()
    assert "Montferrier\u00a0: vos délibérations" in page
    assert "1 délibération à suivre\u202f; 0 terminée." in page
    assert reverse("deliberation_detail", args=[membership.deliberations.get().pk]) in page
    assert reverse("session_create", args=[commune.pk]) in page  # no meeting is known
    assert "Modèle de délibération" not in page  # no kit yet
    assert "Convention (PDF)" not in page

    make_kit(membership)
    page = client.get(URL).content.decode()
    kit = reverse("kit_document", args=[membership.grouping_id, commune.siren, "docx"])
    convention = reverse("convention_document", args=[membership.grouping_id, 1, commune.siren])
    assert f'href="{kit}"' in page
    assert f'href="{convention}"' in page
    assert '<a href="/mes-deliberations/" aria-current="page">Mes délibérations</a>' in page


def test_an_older_kit_is_not_offered_any_more(client, metropole, commune, agent):
    membership = join(metropole, commune)
    make_kit(membership, version=1)
    make_kit(make_membership(membership.grouping, make_organisation(parent=metropole)), version=2)
    [card] = cards_of(commune, agent)
    assert (card.draft, card.convention) == (None, None)
    make_kit(membership, version=2)
    [card] = cards_of(commune, agent)
    assert (card.draft.convention.version, card.convention.convention.version) == (2, 2)


def test_late_is_said_in_red_with_its_reason(client, metropole, commune, agent):
    join(metropole, commune, due_on=timezone.localdate() - timedelta(days=1))
    client.force_login(agent.user)
    page = client.get(URL).content.decode()
    assert 'class="mb-1 late-text">En retard de 1\u00a0jour\u00a0: délibération exécutoire attendue' in page
    assert "state-late" in page  # with its icon and its word, never the colour alone


def test_a_member_never_reads_the_cards_of_its_neighbour(client, metropole, commune, agent):
    other = make_organisation(parent=metropole, name="Voisine leaked")
    grouping = join(metropole, commune).grouping
    make_kit(make_membership(grouping, other))
    make_membership(make_grouping(metropole, title="Denrées leaked", status="deliberations"), other)
    client.force_login(agent.user)
    page = client.get(URL).content.decode()
    assert "leaked" not in page
    assert "Voir comme" not in page
    assert client.get(URL, {"membre": other.pk}).status_code == 404


def test_the_coordinator_looks_as_any_member_of_its_territory_and_no_further(client, metropole, commune):
    join(metropole, commune, "Denrées")
    stranger = make_organisation(parent=make_metropole(), name="Lointaine leaked")
    buyer = make_affiliation(metropole)
    client.force_login(buyer.user)
    page = client.get(URL).content.decode()
    assert "Cet organisme" not in page
    assert "Votre organisme ne participe encore à aucun groupement" in page
    assert "leaked" not in page
    response = client.get(URL, {"membre": commune.pk})
    page = response.content.decode()
    assert "Montferrier\u00a0: ses délibérations" in page
    assert f'<option value="{commune.pk}" selected>' in page
    assert "Denrées" in page
    for asked in (stranger.pk, "0", "abc", "9" * 40):
        assert client.get(URL, {"membre": asked}).status_code == 404


def test_who_may_not_write_is_not_offered_to(client, metropole, commune):
    join(metropole, commune)
    client.force_login(make_affiliation(commune, Role.READER).user)
    page = client.get(URL).content.decode()
    assert "Mettre à jour" not in page
    assert "Ajouter une séance" not in page
    assert "Ouvrir<span" in page


def test_empty_states(client, metropole, commune, agent):
    client.force_login(agent.user)
    assert "Votre organisme ne participe encore à aucun groupement." in client.get(URL).content.decode()
    sign(membership := join(metropole, commune), date(2026, 11, 3))
    adopt(membership, date(2026, 10, 1))
    page = client.get(URL).content.decode()
    assert "Aucune délibération à suivre aujourd’hui." in page
    assert "1 délibération terminée" in page
    client.force_login(make_affiliation(metropole).user)
    other = make_organisation(parent=metropole)
    assert "Cet organisme ne participe encore" in client.get(URL, {"membre": other.pk}).content.decode()
    client.force_login(User.objects.create_user("personne@example.org"))
    assert "n’est rattaché à aucun organisme" in client.get(URL).content.decode()


def test_names_as_long_as_they_may_be(client, metropole, agent, commune):
    commune.name = "Ç" * 200
    commune.save()
    join(metropole, commune, "<b>" + "é" * 197)
    client.force_login(agent.user)
    page = client.get(URL).content.decode()
    assert "&lt;b&gt;é" in page
    assert "<b>é" not in page


def queries_of(client, **query) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(URL, query).status_code == 200
    return len(captured)


def test_the_number_of_queries_does_not_grow(client, metropole, commune):
    client.force_login(make_affiliation(metropole).user)
    for number in range(50):
        membership = join(metropole, commune, f"Groupement {number}")
        make_kit(membership)
        make_session(commune, timezone.localdate() + timedelta(days=40 + number))
        if number % 3 == 0:
            adopt(membership, date(2026, 10, 1))
        if number == 1:
            few = queries_of(client, membre=commune.pk)
    assert few == queries_of(client, membre=commune.pk) <= MAX_QUERIES
