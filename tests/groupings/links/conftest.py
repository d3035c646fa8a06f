"""A commune that answers by its link, and limits that start afresh with each test."""

import pytest
from django.core.cache import cache
from django.utils import timezone

from groupings.links import (
    link_open,
)
from groupings.models import SignedLink
from members.roles import Role
from tests.support.deliberations import Scene
from tests.support.factories import (
    make_affiliation,
    make_grouping,
    make_membership,
    make_metropole,
    make_organisation,
    make_session,
)
from tests.support.links import in_days


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
