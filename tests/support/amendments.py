"""A grouping whose convention is in force, and short ways through the life of its amendments."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from groupings.actions import amendments as actions
from groupings.conventions.assemble import assemble
from groupings.conventions.values import to_json
from groupings.models import Amendment, Convention, Deliberation, Grouping, Membership
from members.models import Affiliation, Organisation
from tests.support.factories import (
    adopt,
    make_affiliation,
    make_organisation,
    make_representative,
    make_territory,
    sign,
)

SIGNED = date(2026, 12, 1)
TODAY = date(2027, 3, 1)


@dataclass
class Scene:
    metropole: Organisation
    grouping: Grouping
    members: list[Membership]  # the métropole first
    convention: Convention
    buyer: Affiliation
    newcomer: Organisation


def freeze_convention(grouping: Grouping, status: str = "in_force") -> Convention:
    """The present values of ``grouping`` as its first version, without laying anything out."""
    values = assemble(grouping, version=1)
    return Convention.objects.create(
        grouping=grouping,
        version=1,
        values=to_json(values),
        values_sha256=values.sha256,
        texts_sha256="0" * 64,
        text_sha256=values.text_sha256,
        legal_basis=values.legal_basis.article,
        is_draft=False,
        status=status,
        frozen_at=datetime(2026, 11, 1, 12, tzinfo=UTC),
    )


def make_scene(*, members: int = 2, launched_on: date | None = None, **fields) -> Scene:
    """A métropole and its communes, all voted and signed on 01/12/2026; launched when told."""
    fields.setdefault("convention_on", SIGNED)
    fields.setdefault("status", "consultation" if launched_on else "deliberations")
    metropole, grouping = make_territory(members=members, launched_on=launched_on, **fields)
    memberships = list(grouping.memberships.order_by("pk"))
    for membership in memberships:
        adopt(membership, SIGNED)
        sign(membership, SIGNED)
    newcomer = make_organisation("commune", parent=metropole, name="Commune nouvelle")
    make_representative(newcomer)
    return Scene(metropole, grouping, memberships, freeze_convention(grouping), make_affiliation(metropole), newcomer)


def draft(scene: Scene, kind: str, *, today: date = TODAY, **fields) -> Amendment:
    fields.setdefault("reason", "Une décision commune des membres.")
    return actions.amendment_save(
        amendment=Amendment(grouping=scene.grouping, kind=kind, **fields), actor=scene.buyer, today=today
    )


def final(scene: Scene, kind: str, *, today: date = TODAY, **fields) -> Amendment:
    amendment = draft(scene, kind, today=today, **fields)
    return actions.amendment_freeze(amendment=amendment, actor=scene.buyer, today=today)


def vote(deliberation: Deliberation, on: date) -> None:
    """Adopted, transmitted, received and published that day."""
    act = {"transmitted_on": on, "received_on": on, "published_on": on}
    Deliberation.objects.filter(pk=deliberation.pk).update(status="adopted", decided_on=on, number="2027-09", **act)


def voted(scene: Scene, kind: str, *, today: date = TODAY, **fields) -> Amendment:
    """In signature: every act is enforceable since ``today``."""
    amendment = final(scene, kind, today=today, **fields)
    amendment = actions.amendment_start_votes(amendment=amendment, actor=scene.buyer)
    for deliberation in amendment.votes.all():
        vote(deliberation, today)
    return actions.amendment_start_signatures(amendment=amendment, actor=scene.buyer)


def sign_all(scene: Scene, amendment: Amendment, on: date = TODAY) -> None:
    from groupings.amendments import parties

    for party in parties(amendment):
        if party.signs and party.signature is None:
            actions.amendment_sign(
                amendment=amendment,
                membership=party.membership,
                signed_on=on,
                signatory="Madame Anne Essai, maire",
                actor=scene.buyer,
                today=on,
            )


def in_force(scene: Scene, kind: str, *, today: date = TODAY, **fields) -> Amendment:
    amendment = voted(scene, kind, today=today, **fields)
    sign_all(scene, amendment, today)
    return actions.amendment_enter(amendment=amendment, actor=scene.buyer, today=today)
