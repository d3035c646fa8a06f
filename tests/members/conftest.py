"""A métropole and its buyer, signed in."""

import pytest

from tests.support.factories import make_affiliation, make_metropole


@pytest.fixture
def metropole():
    return make_metropole(name="Montpellier Méditerranée Métropole", siren="243400017")


@pytest.fixture
def buyer(metropole, client):
    affiliation = make_affiliation(metropole)
    client.force_login(affiliation.user)
    return affiliation
