"""Bodies, mandates, affiliations, sessions: one test per constraint, and what the models derive."""

from datetime import date
from itertools import chain

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from members.models import Affiliation, CouncilSession, Organisation, Representative, User, sort_key
from tests.support.factories import (
    make_affiliation,
    make_metropole,
    make_organisation,
    make_representative,
    make_session,
    make_siren,
)

pytestmark = pytest.mark.django_db


def assert_refused_by_database(save):
    with pytest.raises(IntegrityError), transaction.atomic():
        save()


def message_of(obj, field=None) -> str:
    with pytest.raises(ValidationError) as caught:
        obj.full_clean()
    errors = caught.value.message_dict
    return " ".join(errors[field]) if field else " ".join(chain.from_iterable(errors.values()))


@pytest.mark.parametrize("siren", ["243400017", "213401722"])  # Montpellier Méditerranée Métropole, Montpellier
def test_a_real_siren_is_accepted(siren):
    Organisation(kind="metropole", name="Montpellier", siren=siren).full_clean()


@pytest.mark.parametrize("siren", ["243400018", "24340001", "2434000170", "ABCDEFGHI", "243 400 017", ""])
def test_a_wrong_siren_is_refused_in_french(siren):
    organisation = Organisation(kind="metropole", name="Montpellier", siren=siren)
    assert message_of(organisation, "siren")


def test_a_siret_begins_with_the_siren():
    # 24340001700022 ends with a right key; it belongs to 243400017 and not to Montpellier (213401722).
    organisation = Organisation(kind="commune", name="Montpellier", siren="213401722", siret="24340001700022")
    assert message_of(organisation) == "Le SIRET commence par le SIREN de l’organisme."
    assert_refused_by_database(organisation.save)


def test_a_wrong_siret_is_refused():
    organisation = Organisation(kind="metropole", name="M", siren="243400017", siret="24340001700023")
    assert "SIRET" in message_of(organisation, "siret")


@pytest.mark.parametrize("code", ["34172", "2A004", "97411"])
def test_insee_codes(code):
    Organisation(kind="commune", name="M", siren="213401722", insee_code=code).full_clean()


@pytest.mark.parametrize("code", ["3417", "341720", "2C004", "ABCDE"])
def test_wrong_insee_codes(code):
    organisation = Organisation(kind="commune", name="M", siren="213401722", insee_code=code)
    assert "Cinq caractères" in message_of(organisation, "insee_code")


def test_two_bodies_of_one_territory_never_share_a_siren():
    metropole = make_metropole()
    first = make_organisation(parent=metropole, name="Castelnau")
    twin = Organisation(kind="commune", name="Copie", siren=first.siren, parent=metropole)
    assert message_of(twin, "siren") == "Castelnau porte déjà ce SIREN."
    assert_refused_by_database(twin.save)


def test_a_commune_cannot_carry_the_siren_of_its_own_metropole():
    metropole = make_metropole(name="La Métropole")
    twin = Organisation(kind="commune", name="Copie", siren=metropole.siren, parent=metropole)
    assert message_of(twin, "siren") == "La Métropole porte déjà ce SIREN."


def test_two_metropoles_never_share_a_siren():
    first = make_metropole(siren="243400017")
    twin = Organisation(kind="metropole", name="Copie", siren=first.siren)
    assert "porte déjà ce SIREN" in message_of(twin, "siren")
    assert_refused_by_database(twin.save)


def test_two_territories_each_keep_their_own_card_of_one_body():
    siren = make_siren()
    make_organisation(parent=make_metropole(), siren=siren)
    second = make_organisation(parent=make_metropole(), siren=siren)
    second.full_clean()
    assert Organisation.objects.filter(siren=siren).count() == 2


def test_the_territory_follows_the_parents():
    metropole = make_metropole()
    commune = make_organisation(parent=metropole)
    ccas = make_organisation("ccas", parent=commune)
    assert (metropole.territory_id, commune.territory_id, ccas.territory_id) == (None, metropole.pk, metropole.pk)
    assert {metropole.root_id, commune.root_id, ccas.root_id} == {metropole.pk}


def test_a_body_depends_neither_on_itself_nor_on_one_of_its_own():
    metropole = make_metropole()
    ccas = make_organisation("ccas", parent=make_organisation(parent=metropole))
    sentence = "Un organisme ne peut être rattaché ni à lui-même, ni à un organisme qui en dépend."
    for parent in (metropole, ccas):
        metropole.parent = parent
        assert message_of(metropole, "parent") == sentence


@pytest.mark.parametrize("character", ["\n", "\x00", "\u202e", "\u200b"])
def test_no_invisible_character_in_a_name(character):
    organisation = Organisation(kind="metropole", name=f"Mont{character}pellier", siren="243400017")
    assert "invisible" in message_of(organisation, "name") or "nul" in message_of(organisation, "name").lower()


def test_a_name_of_two_hundred_characters_is_the_longest():
    Organisation(kind="metropole", name="é" * 200, siren="243400017").full_clean()
    assert "200" in message_of(Organisation(kind="metropole", name="é" * 201, siren="243400017"), "name")


def test_names_sort_as_french_does():
    names = ["Montferrier", "Métropole", "Éguilles", "Castelnau", "CCAS de Lattes", "L’Île", "Œuilly"]
    expected = ["Castelnau", "CCAS de Lattes", "Éguilles", "L’Île", "Métropole", "Montferrier", "Œuilly"]
    assert sorted(names, key=sort_key) == expected


@pytest.mark.parametrize(
    ("kind", "assembly", "head", "deputy"),
    [
        ("metropole", "le conseil de métropole", "Présidente", "Vice-présidente"),
        ("commune", "le conseil municipal", "Maire", "Adjointe au maire"),
        ("ccas", "le conseil d’administration", "Présidente", "Vice-présidente"),
        ("syndicat", "le comité syndical", "Présidente", "Vice-présidente"),
    ],
)
def test_titles_follow_the_kind_of_body(kind, assembly, head, deputy):
    organisation = make_organisation(kind)
    assert organisation.body.assembly == assembly
    assert make_representative(organisation).title == head
    assert make_representative(organisation, capacity="deputy").title == deputy
    masculine = make_representative(organisation, civility="mr", capacity="deputy").title
    assert masculine == deputy.replace("Adjointe", "Adjoint").replace("présidente", "président")


def test_a_mandate_does_not_end_before_it_starts():
    representative = Representative(
        organisation=make_metropole(),
        civility="mr",
        first_name="Jean",
        last_name="Petit",
        start_on=date(2026, 4, 1),
        end_on=date(2026, 3, 31),
    )
    assert message_of(representative) == "La fin du mandat ne peut pas précéder son début."
    assert_refused_by_database(representative.save)


def test_who_is_in_office_both_ends_included():
    metropole = make_metropole()
    first = make_representative(metropole, start_on=date(2020, 7, 1), end_on=date(2026, 3, 31))
    second = make_representative(metropole, start_on=date(2026, 4, 1))

    def in_office(day):
        return list(metropole.representatives.in_office(day))

    assert in_office(date(2020, 6, 30)) == []
    assert in_office(date(2020, 7, 1)) == [first]
    assert in_office(date(2026, 3, 31)) == [first]
    assert in_office(date(2026, 4, 1)) == [second]


def test_an_affiliation_exists_once():
    affiliation = make_affiliation(make_metropole())
    twin = Affiliation(user=affiliation.user, organisation=affiliation.organisation, role=affiliation.role)
    assert message_of(twin) == "Cette personne a déjà ce rôle dans cet organisme."
    assert_refused_by_database(twin.save)


def test_nobody_is_the_system():
    # « system » holds every right: a row with that role would open everything.
    affiliation = Affiliation(user=User.objects.create_user("x@example.org"), organisation=make_metropole())
    affiliation.role = "system"
    assert message_of(affiliation)
    assert_refused_by_database(affiliation.save)


def test_one_session_a_day():
    session = make_session(make_metropole(), date(2026, 12, 1))
    twin = CouncilSession(organisation=session.organisation, meeting_on=session.meeting_on)
    assert message_of(twin) == "Une séance est déjà enregistrée ce jour-là."
    assert_refused_by_database(twin.save)


def test_the_agenda_closes_before_the_meeting():
    session = CouncilSession(
        organisation=make_metropole(), meeting_on=date(2026, 12, 1), agenda_closes_on=date(2026, 12, 2)
    )
    assert message_of(session) == "L’ordre du jour se clôt au plus tard le jour de la séance."
    assert_refused_by_database(session.save)


def test_the_convocation_leaves_before_the_meeting():
    session = CouncilSession(organisation=make_metropole(), meeting_on=date(2026, 12, 1), convened_on=date(2026, 12, 1))
    assert message_of(session) == "La convocation part avant la séance."
    assert_refused_by_database(session.save)


def test_an_account_is_known_by_its_lower_case_address():
    user = User.objects.create_user("Claire.MOREL@Example.ORG", first_name="Claire", last_name="Morel")
    assert user.email == "claire.morel@example.org"
    assert str(user) == "Claire Morel"
    assert not user.has_usable_password()
    assert str(User(email="mairie@example.org")) == "mairie@example.org"
    with pytest.raises(ValueError, match="obligatoire"):
        User.objects.create_user("")
