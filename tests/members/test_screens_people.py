"""One's own account, the role one acts with, the people of an organisation."""

import pytest
from django.core import mail

from members.models import Affiliation, User
from members.people import affiliation_grant, affiliation_remove, person_rename
from members.roles import Role, may
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.journal.models import JournalEntry
from tests.support.factories import make_affiliation, make_metropole, make_organisation

pytestmark = pytest.mark.django_db


@pytest.fixture
def metropole():
    return make_metropole(name="Métropole de Valrive")


@pytest.fixture
def administrator(client, metropole):
    affiliation = make_affiliation(metropole, Role.ADMINISTRATOR)
    client.force_login(affiliation.user)
    return affiliation


def invitation(**changes):
    return {"email": "Claire@Example.org", "first_name": "Claire", "last_name": "Morel", "role": "buyer"} | changes


def test_an_invitation_opens_an_account_and_tells_the_person(
    client, administrator, metropole, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        response = client.post("/personnes/inviter/", invitation())
    assert response.url == "/personnes/"
    affiliation = Affiliation.objects.get(user__email="claire@example.org")
    assert (affiliation.organisation, affiliation.role, str(affiliation.user)) == (metropole, "buyer", "Claire Morel")
    assert not affiliation.user.has_usable_password()
    [message] = mail.outbox
    assert message.to == ["claire@example.org"]
    assert "http://testserver/connexion/" in message.body
    assert "«\u00a0Acheteur\u00a0»" in message.body
    entry = JournalEntry.objects.get()
    assert (entry.verb, entry.concerns, entry.actor) == ("person.grant", metropole, administrator.user)
    assert entry.after == {"user_id": affiliation.user_id, "email": "claire@example.org", "role": "buyer"}
    assert "claire@example.org" in client.get("/personnes/").content.decode()


def test_somebody_who_already_has_an_account_keeps_its_name(client, administrator, metropole):
    user = User.objects.create_user("claire@example.org", first_name="Vraie", last_name="Claire")
    client.post("/personnes/inviter/", invitation())
    user.refresh_from_db()
    assert str(user) == "Vraie Claire"
    assert user.affiliations.get().organisation == metropole


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": "claire"}, "email"),
        ({"email": "claire@example.org\nBcc: x@example.org"}, "email"),
        ({"role": "system"}, "role"),
        ({"role": ""}, "role"),
        ({"first_name": "a\u202eb"}, "first_name"),
    ],
)
def test_a_wrong_invitation_says_where(client, administrator, changes, field):
    response = client.post("/personnes/inviter/", invitation(**changes))
    assert response.status_code == 422
    assert list(response.context["form"].errors) == [field]
    assert Affiliation.objects.count() == 1
    assert mail.outbox == []


def test_a_role_is_given_once(client, administrator):
    client.post("/personnes/inviter/", invitation())
    response = client.post("/personnes/inviter/", invitation())
    assert response.status_code == 422
    assert "a déjà ce rôle" in response.content.decode()
    assert Affiliation.objects.count() == 2


def test_a_closed_account_is_not_opened_again_by_an_invitation(client, administrator):
    user = User.objects.create_user("claire@example.org", is_active=False)
    response = client.post("/personnes/inviter/", invitation())
    assert response.status_code == 422
    assert "adressez-vous à l’équipe technique" in response.content.decode()
    user.refresh_from_db()
    assert not user.is_active
    assert not user.affiliations.exists()


def test_an_invitation_whose_mail_does_not_leave_still_stands(
    client, administrator, monkeypatch, django_capture_on_commit_callbacks, caplog
):
    def refuse(**kwargs):
        raise ConnectionRefusedError

    monkeypatch.setattr("members.people.send_mail", refuse)
    with django_capture_on_commit_callbacks(execute=True):
        assert client.post("/personnes/inviter/", invitation()).status_code == 302
    assert Affiliation.objects.filter(user__email="claire@example.org").exists()
    assert "n’est pas parti" in caplog.text


def test_a_role_is_taken_back_and_what_was_done_keeps_its_name(client, administrator, metropole):
    leaver = make_affiliation(metropole)
    assert client.post(f"/personnes/{leaver.pk}/retirer/").url == "/personnes/"
    assert not Affiliation.objects.filter(pk=leaver.pk).exists()
    assert User.objects.filter(pk=leaver.user_id, is_active=True).exists()
    entry = JournalEntry.objects.get()
    assert (entry.verb, entry.before["email"]) == ("person.remove", leaver.user.email)
    assert str(leaver.user) in entry.sentence


def test_nobody_takes_back_the_role_they_are_using(client, administrator):
    response = client.post(f"/personnes/{administrator.pk}/retirer/")
    assert response.status_code == 422
    assert "Vous agissez avec ce rôle" in response.content.decode()
    assert Affiliation.objects.filter(pk=administrator.pk).exists()


def test_the_last_administrator_stays(metropole):
    from procurement.core.actors import SystemActor

    last = make_affiliation(metropole, Role.ADMINISTRATOR)
    with pytest.raises(BusinessError, match="dernier administrateur"):
        affiliation_remove(affiliation=last, actor=SystemActor("Test"))
    make_affiliation(metropole, Role.ADMINISTRATOR)
    affiliation_remove(affiliation=last, actor=SystemActor("Test"))
    assert not Affiliation.objects.filter(pk=last.pk).exists()


def test_an_administrator_manages_its_own_organisation_alone(client, administrator, metropole):
    commune = make_organisation(parent=metropole)
    theirs = make_affiliation(commune, Role.MEMBER_AGENT)
    assert theirs.user.email not in client.get("/personnes/").content.decode()
    assert client.post(f"/personnes/{theirs.pk}/retirer/").status_code == 404
    for act in (
        lambda: affiliation_remove(affiliation=theirs, actor=administrator),
        lambda: affiliation_grant(user=theirs.user, organisation=commune, role="buyer", actor=administrator),
    ):
        with pytest.raises(NotAllowed):
            act()
    assert list(theirs.user.affiliations.all()) == [theirs]


@pytest.mark.parametrize("role", [role for role in Role if role != Role.ADMINISTRATOR])
def test_nobody_else_gives_a_role_not_even_to_oneself(metropole, role):
    person = make_affiliation(metropole, role)
    with pytest.raises(NotAllowed):
        affiliation_grant(user=person.user, organisation=metropole, role=Role.ADMINISTRATOR, actor=person)


# Rights, by the body one acts for


def test_the_people_of_a_member_body_write_about_their_own_body_alone(metropole):
    commune, neighbour = (make_organisation(parent=metropole) for _ in range(2))
    for role in (Role.BUYER, Role.JURIST, Role.ADMINISTRATOR, Role.MEMBER_AGENT):
        person = make_affiliation(commune, role)
        assert may(person, "organisation.change", organisation_id=commune.pk)
        assert not may(person, "organisation.change", organisation_id=neighbour.pk)
        assert not may(person, "organisation.change", organisation_id=metropole.pk)
        assert not may(person, "organisation.create")
    buyer = make_affiliation(commune, Role.BUYER)
    assert may(buyer, "grouping.create", organisation_id=commune.pk)
    assert not may(buyer, "grouping.change", organisation_id=metropole.pk)


def test_everybody_may_export_what_they_see(metropole):
    commune = make_organisation(parent=metropole)
    assert all(may(make_affiliation(commune, role), "export") for role in Role)
    assert not may(None, "export")


# One's own account


def test_one_changes_ones_own_name(client, administrator):
    response = client.post("/mon-compte/", {"first_name": " Zoé ", "last_name": "L’Huillier"})
    assert response.url == "/mon-compte/"
    administrator.user.refresh_from_db()
    assert str(administrator.user) == "Zoé L’Huillier"
    entry = JournalEntry.objects.get()
    assert (entry.verb, entry.after) == ("person.rename", {"first_name": "Zoé", "last_name": "L’Huillier"})
    assert "password" not in entry.before
    client.post("/mon-compte/", {"first_name": "Zoé", "last_name": "L’Huillier"})
    assert JournalEntry.objects.count() == 1


@pytest.mark.parametrize("values", [{"first_name": "", "last_name": "X"}, {"first_name": "a" * 101, "last_name": "X"}])
def test_a_wrong_name_is_refused(client, administrator, values):
    response = client.post("/mon-compte/", values)
    assert response.status_code == 422
    assert list(response.context["form"].errors) == ["first_name"]


def test_one_does_not_change_the_name_of_another(administrator, metropole):
    other = make_affiliation(metropole).user
    with pytest.raises(NotAllowed):
        person_rename(user=other, first_name="X", last_name="Y", actor=administrator)


def test_the_account_page_leads_to_the_ways_of_signing_in(client, administrator):
    page = client.get("/mon-compte/").content.decode()
    assert 'href="/connexion/email/"' in page
    assert 'href="/connexion/double/"' in page


def test_switching_changes_what_one_sees(client, administrator, metropole):
    elsewhere = make_metropole(name="Métropole voisine")
    second = make_affiliation(elsewhere, Role.READER, user=administrator.user)
    assert client.get("/mon-compte/").context["affiliation"] == administrator
    assert client.post("/changer-affectation/", {"affiliation": second.pk}).status_code == 302
    response = client.get("/membres/")
    assert response.context["affiliation"] == second
    assert metropole.name not in response.content.decode().partition("<main")[2]
    assert client.get(f"/membres/{metropole.pk}/").status_code == 404


@pytest.mark.parametrize("value", ["", "0", "x", "-1"])
def test_one_switches_to_nothing_that_is_not_ones_own(client, administrator, value):
    assert client.post("/changer-affectation/", {"affiliation": value}).status_code == 404


def test_one_does_not_take_the_affiliation_of_another(client, administrator, metropole):
    other = make_affiliation(metropole, Role.BUYER)
    assert client.post("/changer-affectation/", {"affiliation": other.pk}).status_code == 404
    assert client.get("/mon-compte/").context["affiliation"] == administrator


def test_a_role_taken_back_is_gone_at_the_next_page(client, administrator, metropole):
    second = make_affiliation(metropole, Role.BUYER, user=administrator.user)
    client.post("/changer-affectation/", {"affiliation": second.pk})
    assert client.get("/personnes/").status_code == 403
    second.delete()
    assert client.get("/personnes/").status_code == 200


def test_an_account_without_role_sees_nothing_and_breaks_nothing(client, metropole):
    client.force_login(User.objects.create_user("seul@example.org"))
    page = client.get("/membres/").content.decode()
    assert "Aucun organisme ne vous est ouvert." in page
    assert metropole.name not in page
    assert client.get(f"/membres/{metropole.pk}/").status_code == 404
    assert "Aucun organisme ne vous a encore donné de rôle" in client.get("/mon-compte/").content.decode()
    assert client.post("/mon-compte/", {"first_name": "A", "last_name": "B"}).status_code == 403
    for url in ("/membres/nouveau/", "/personnes/", "/personnes/inviter/", "/membres/?export=csv"):
        assert client.get(url).status_code == 403


# The technical staff


@pytest.fixture
def technician(client):
    user = User.objects.create_superuser("technique@example.org", "un mot de passe long")
    client.force_login(user)
    return user


def test_the_technical_administration_reads_and_gives_roles(client, technician, metropole):
    person = User.objects.create_user("claire@example.org")
    root = "/administration-technique/members/"
    for model in ("organisation", "representative", "councilsession", "user", "affiliation"):
        assert client.get(f"{root}{model}/").status_code == 200
    assert client.get(f"{root}organisation/add/").status_code == 403
    assert client.post(f"{root}organisation/{metropole.pk}/change/", {"name": "x"}).status_code == 403
    values = {"user": person.pk, "organisation": metropole.pk, "role": "administrator"}
    assert client.post(f"{root}affiliation/add/", values).status_code == 302
    affiliation = person.affiliations.get()
    entry = JournalEntry.objects.get()
    assert (entry.verb, entry.actor) == ("person.grant", technician)
    assert entry.actor_label == f"{technician}, équipe technique"
    assert client.post(f"{root}affiliation/{affiliation.pk}/delete/", {"post": "yes"}).status_code == 409
    assert person.affiliations.exists()


def test_an_account_is_closed_without_showing_its_password(client, technician):
    person = User.objects.create_user("claire@example.org", "un mot de passe long")
    url = f"/administration-technique/members/user/{person.pk}/change/"
    assert person.password not in client.get(url).content.decode()
    assert client.post(url, {"is_superuser": "on", "is_staff": "on"}).status_code == 302
    person.refresh_from_db()
    assert (person.is_active, person.is_staff, person.is_superuser) == (False, False, False)


def test_the_technical_administration_is_closed_to_everybody_else(client, administrator):
    assert client.get("/administration-technique/").status_code in (302, 403)
    assert client.get("/administration-technique/members/user/").status_code in (302, 403)
