"""The screens by which receipts and open data enter, and the proposals a person answers."""

from datetime import date

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from groupings.forms.exchange import MAX_FILES
from groupings.models import Deliberation, Proposal
from groupings.rules.actes import parse_actes_id
from members.models import Organisation
from tests.groupings.exchange.samples import aracte, pdf, s2low, xml
from tests.support.factories import (
    adopt,
    make_affiliation,
    make_grouping,
    make_membership,
    make_metropole,
    make_organisation,
)

pytestmark = pytest.mark.django_db
VOTE = date(2016, 5, 26)
ID = parse_actes_id("034-213401722-20160526-D2016_123-DE")
RECEIPTS, OPEN_DATA, PROPOSALS = map(reverse, ("receipts_import", "scdl_import", "proposal_list"))
SCDL = (
    "COLL_SIRET,DELIB_ID,DELIB_DATE,DELIB_OBJET\n21340172201787,V-45,2016-05-26,Groupement de commandes de papier\n"
    "12,V-46,2016-05-26,<script>alert(1)</script>\n"
)


@pytest.fixture
def metropole():
    return make_metropole(siren="243400017")


@pytest.fixture
def city(metropole):
    return make_organisation(parent=metropole, name="Ville de Montpellier", siren="213401722")


@pytest.fixture
def membership(metropole, city):
    opened = {"reference": "GC-2016-01", "opened_on": date(2016, 1, 4)}
    return make_membership(make_grouping(metropole, title="Papier et enveloppes", **opened), city)


@pytest.fixture
def buyer(client, metropole):
    affiliation = make_affiliation(metropole)
    client.force_login(affiliation.user)
    return affiliation


def upload(content, name="AR.xml"):
    return SimpleUploadedFile(name, content)


def receipt(number="D2016_123"):
    return xml(aracte(parse_actes_id(f"034-213401722-20160526-{number}-DE"), "2016-06-02"), "windows-1252")


def text_of(response):
    return response.content.decode().replace("\u00a0", " ").replace("\u202f", " ")


def propose(membership, client):
    """A receipt of a vote without number, sent by the person signed in."""
    deliberation = adopt(membership, VOTE, executory=False, number="")
    client.post(RECEIPTS, {"files": [upload(receipt())]})
    return deliberation, Proposal.objects.get()


def test_several_files_at_once_and_what_became_of_each(client, buyer, membership):
    deliberation = adopt(membership, VOTE, executory=False, number="D2016_123")
    files = [upload(receipt()), upload(pdf(s2low(ID)), "tampon.pdf"), upload(b"", "vide.xml"), upload(b"MZ", "a.pdf")]
    response = client.post(RECEIPTS, {"files": files})
    text = text_of(response)
    assert response.status_code == 200
    assert "4 fichiers lus" in text
    assert [line.outcome.outcome for line in response.context["lines"]] == ["matched", "matched", "refused", "refused"]
    assert text.count("Voir la délibération") == 2
    assert "« vide.xml » est vide." in text
    deliberation.refresh_from_db()
    assert deliberation.received_on == date(2016, 6, 2)


@pytest.mark.parametrize(("count", "status"), [(0, 422), (MAX_FILES, 200), (MAX_FILES + 1, 422)])
def test_how_many_files(client, buyer, membership, count, status):
    files = [upload(receipt(f"X{number}"), f"{number}.xml") for number in range(count)]
    response = client.post(RECEIPTS, {"files": files})
    assert response.status_code == status
    if count > MAX_FILES:
        assert "50 fichiers au plus à la fois : vous en avez choisi 51." in text_of(response)


def test_a_file_too_big_is_refused_and_the_others_are_not(client, buyer, membership):
    adopt(membership, VOTE, executory=False, number="D2016_123")
    big = upload(b"<" + b"a" * (10 * 1024 * 1024), "gros.xml")
    lines = client.post(RECEIPTS, {"files": [big, upload(receipt())]}).context["lines"]
    assert [(line.outcome.file, line.outcome.outcome) for line in lines] == [
        ("gros.xml", "refused"),
        ("AR.xml", "matched"),
    ]


def test_the_name_of_a_file_is_text(client, buyer, membership):
    response = client.post(RECEIPTS, {"files": [upload(b"x", '<img src=x onerror="1">' + "é" * 300 + ".xml")]})
    assert response.status_code == 200
    assert b"<img src=x" not in response.content


def test_the_open_data_screen(client, buyer, membership):
    response = client.post(OPEN_DATA, {"file": upload(SCDL.encode(), "d.csv")})
    text = text_of(response)
    assert response.status_code == 200
    assert "2 lignes lues sur 2" in text
    assert "1 ligne ressemble à une délibération attendue" in text
    assert "n° V-45" in text
    assert "colonne « COLL_SIRET »" in text
    assert "<script>alert" not in text


@pytest.mark.parametrize("content", [b"", b"a;b\n1;2\n", b"MZ\x00"])
def test_a_file_that_is_no_open_data(client, buyer, content):
    response = client.post(OPEN_DATA, {"file": upload(content, "d.csv")})
    assert response.status_code == 422
    assert "form-errors" in response.content.decode()


def test_what_is_published_and_what_lacks(client, buyer, membership, metropole, city):
    adopt(membership, VOTE, executory=False, number="V-45")
    text = text_of(client.get(OPEN_DATA))
    assert "Aucune délibération adoptée ne peut encore être publiée." in text
    assert "1 délibération adoptée n’y figure pas" in text
    assert "le SIRET de l’organisme manque" in text
    Organisation.objects.filter(pk=city.pk).update(siret="21340172201787")
    assert "la délibération adoptée" in text_of(client.get(OPEN_DATA))
    response = client.get(reverse("scdl_export"))
    assert response["Content-Disposition"].startswith('attachment; filename="deliberations_scdl_')
    assert (
        response.content.decode().splitlines()[1].startswith("Ville de Montpellier,21340172201787,V-45,2016-05-26,1.7,")
    )


def test_both_sides_are_compared(client, buyer, membership):
    _, proposal = propose(membership, client)
    response = client.get(PROPOSALS)
    text = text_of(response)
    (item,) = response.context["items"]
    assert [(line.label, line.said, line.known, line.agrees) for line in item.lines] == [
        ("Organisme", "SIREN 213401722", "Ville de Montpellier, SIREN 213401722", True),
        ("Objet", "Groupement de commandes – fournitures", "Papier et enveloppes", None),
        ("Acte du", "26/05/2016", "votée le 26/05/2016", True),
        ("Numéro", "D2016_123", "", None),
        ("Identifiant ACTES", str(ID), "", None),
        ("Matière", "1.7", "1.7", None),
        ("Reçue le", "02/06/2016", "", None),
    ]
    assert "Confirmer enregistre le numéro D2016_123, l’identifiant ACTES, la réception du 02/06/2016." in text
    assert reverse("proposal_answer", args=[proposal.pk]) in text


def answer(client, proposal, value, version=1):
    return client.post(reverse("proposal_answer", args=[proposal.pk]), {"answer": value, "version": version})


def test_confirming_then_the_answer_is_kept(client, buyer, membership):
    deliberation, proposal = propose(membership, client)
    response = answer(client, proposal, "confirm")
    assert response.status_code == 302
    deliberation.refresh_from_db()
    assert (deliberation.actes_id, deliberation.received_on) == (str(ID), date(2016, 6, 2))
    text = text_of(client.get(response.url))
    assert "Aucun rapprochement n’attend de réponse." in text
    assert "Confirmée" in text
    assert f"{buyer}, le " in text


def test_dismissing_records_nothing(client, buyer, membership):
    deliberation, proposal = propose(membership, client)
    assert answer(client, proposal, "dismiss").status_code == 302
    deliberation.refresh_from_db()
    assert deliberation.actes_id is None
    assert Proposal.objects.get().answer == "dismissed"


def test_the_second_person_is_told_who_answered(client, buyer, membership):
    _, proposal = propose(membership, client)
    answer(client, proposal, "dismiss")
    response = answer(client, proposal, "confirm")
    assert response.status_code == 422
    assert f"{buyer} a déjà écarté ce rapprochement" in text_of(response)


def test_a_refusal_is_told_beside_its_proposal(client, buyer, membership):
    deliberation, proposal = propose(membership, client)
    Deliberation.objects.filter(pk=deliberation.pk).update(transmitted_on="2016-06-03")
    response = answer(client, proposal, "confirm")
    assert response.status_code == 422
    assert response.context["is_refused_here"]
    assert "Rien n’a été enregistré. La réception ne peut pas précéder la transmission." in text_of(response).replace(
        "</strong>", ""
    )
    assert Proposal.objects.get().answer == "waiting"


@pytest.mark.parametrize(
    "posted", [{"answer": "confirm"}, {"answer": "confirm", "version": "9"}, {"answer": "peut-être"}]
)
def test_a_post_by_hand_confirms_nothing(client, buyer, membership, posted):
    deliberation, proposal = propose(membership, client)
    response = client.post(reverse("proposal_answer", args=[proposal.pk]), posted)
    assert response.status_code == 422
    deliberation.refresh_from_db()
    assert (deliberation.actes_id, Proposal.objects.get().answer) == (None, "waiting")


def test_a_reader_compares_and_does_not_answer(client, buyer, membership, metropole):
    _, proposal = propose(membership, client)
    client.force_login(make_affiliation(metropole, "reader").user)
    text = text_of(client.get(PROPOSALS))
    assert "Ville de Montpellier" in text
    assert "Confirmer" not in text
    assert answer(client, proposal, "confirm").status_code == 403


def test_a_member_sees_and_answers_its_own_alone(client, buyer, membership, metropole, city):
    _, proposal = propose(membership, client)
    neighbour = make_organisation(parent=metropole)
    make_membership(membership.grouping, neighbour)
    client.force_login(make_affiliation(neighbour, "member_agent").user)
    assert "Ville de Montpellier" not in text_of(client.get(PROPOSALS))
    assert answer(client, proposal, "confirm").status_code == 404
    refused = client.post(RECEIPTS, {"files": [upload(receipt())]}).context["lines"][0].outcome
    assert refused.reason.startswith("Organisme inconnu")
    client.force_login(make_affiliation(city, "member_agent").user)
    assert "Ville de Montpellier" in text_of(client.get(PROPOSALS))
    assert answer(client, proposal, "confirm").status_code == 302


def test_the_number_of_queries_does_not_grow(client, buyer, membership, metropole, django_assert_max_num_queries):
    for number in range(12):
        body = make_organisation(parent=metropole)
        deliberation = make_membership(membership.grouping, body).deliberations.get()
        _, proposal = propose(membership, client) if number == 0 else (None, Proposal.objects.first())
        proposal.pk, proposal.deliberation, proposal.fingerprint = None, deliberation, f"{number:064d}"
        proposal.save(force_insert=True)
    with django_assert_max_num_queries(12):
        response = client.get(PROPOSALS)
    assert len(response.context["items"]) == 13


def test_pages_of_twenty(client, buyer, membership, metropole):
    _, proposal = propose(membership, client)
    for number in range(30):
        deliberation = make_membership(membership.grouping, make_organisation(parent=metropole)).deliberations.get()
        proposal.pk, proposal.deliberation, proposal.fingerprint = None, deliberation, f"{number:064d}"
        proposal.save(force_insert=True)
    assert len(client.get(PROPOSALS).context["items"]) == 20
    assert len(client.get(PROPOSALS, {"page": "2"}).context["items"]) == 11
    assert len(client.get(PROPOSALS, {"page": "abc"}).context["items"]) == 20


def test_an_empty_base(client, buyer):
    for url in (RECEIPTS, OPEN_DATA, PROPOSALS, reverse("scdl_export")):
        assert client.get(url).status_code == 200
