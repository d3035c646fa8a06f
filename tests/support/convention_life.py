"""One grouping with its convention, its people, and how to bring the version to each state by the actions."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

from groupings.actions.convention import convention_freeze
from groupings.actions.convention_life import convention_advance
from groupings.actions.deliberation import deliberation_record_effect, deliberation_vote
from groupings.actions.grouping import grouping_advance
from groupings.choices import ConventionStatus
from groupings.convention_life import current_of
from groupings.models import Convention, Grouping, Membership, Signature
from members.models import Affiliation, Organisation
from members.roles import Role
from procurement.core.actors import SystemActor
from tests.support.factories import make_affiliation, make_territory

SYSTEM = SystemActor("Essai")
TODAY = date(2026, 11, 16)
NOW = datetime(2026, 11, 16, 9, tzinfo=UTC)
VOTED_ON = date(2026, 11, 20)
LATER = date(2026, 12, 1)
_S = ConventionStatus


@dataclass
class Scene:
    """A métropole and two communes, « Alpha » and « Bravo », whose convention is frozen as version 1."""

    metropole: Organisation
    grouping: Grouping
    buyer: Affiliation
    jurist: Affiliation

    @property
    def convention(self) -> Convention:
        return current_of(Grouping.objects.get(pk=self.grouping.pk))

    def member(self, name: str) -> Membership:
        members = Membership.objects.select_related("organisation", "grouping__coordinator")
        return members.get(grouping=self.grouping, organisation__name=name)

    def agent(self, name: str, role: str = Role.MEMBER_AGENT) -> Affiliation:
        return make_affiliation(self.member(name).organisation, role)


def make_scene(*, status: str = "convention", frozen: bool = True) -> Scene:
    metropole, grouping = make_territory(members=2, lots=1, status=status, title="Papier recyclé")
    communes = Organisation.objects.filter(parent=metropole).order_by("pk")
    for commune, name in zip(communes, ("Alpha", "Bravo"), strict=True):
        commune.name, commune.email = name, f"mairie@{name.lower()}.example"
        commune.save()
    Organisation.objects.filter(pk=metropole.pk).update(name="Métropole")
    grouping.refresh_from_db()
    scene = Scene(metropole, grouping, make_affiliation(metropole), make_affiliation(metropole, Role.JURIST))
    if frozen:
        freeze(scene)
    return scene


def freeze(scene: Scene, *, actor=SYSTEM, now: datetime = NOW, reason: str = "") -> Convention:
    grouping = Grouping.objects.get(pk=scene.grouping.pk)
    return convention_freeze(grouping=grouping, actor=actor, now=now, reason=reason)


def rename(scene: Scene, title: str = "Papier blanc") -> None:
    """Another text: the object changes."""
    Grouping.objects.filter(pk=scene.grouping.pk).update(title=title)


def taken_in_as_a_file(scene: Scene) -> None:
    """The version in hand is a text negotiated outside, which only its own file holds."""
    Convention.objects.filter(pk=scene.convention.pk).update(
        origin="negotiated", file="depot.pdf", file_name="négociée.pdf", file_sha256="ab12" * 16, file_size=4
    )


def advance(scene: Scene, step: str, *, actor=SYSTEM, today: date = TODAY, **options) -> Convention:
    return convention_advance(
        convention=scene.convention, transition=step, actor=actor, today=today, now=NOW, **options
    )


def advance_grouping(scene: Scene, step: str, *, today: date = TODAY, reason: str = "") -> Grouping:
    grouping = Grouping.objects.get(pk=scene.grouping.pk)
    return grouping_advance(grouping=grouping, step=step, actor=scene.buyer, today=today, reason=reason)


def vote(scene: Scene, name: str, *, on: date = VOTED_ON, executory: bool = True, today: date = LATER) -> None:
    """The member adopts the text in its meeting of ``on``, enforceable the same day."""
    deliberation = scene.member(name).deliberations.get()
    deliberation_vote(deliberation=deliberation, outcome="adopted", meeting_on=on, actor=SYSTEM, today=today)
    if executory:
        deliberation_record_effect(
            deliberation=deliberation, actor=SYSTEM, today=today, transmitted_on=on, received_on=on, published_on=on
        )


def everybody_votes(scene: Scene) -> None:
    for name in ("Métropole", "Alpha", "Bravo"):
        vote(scene, name)


def everybody_signs(scene: Scene) -> None:
    for name in ("Métropole", "Alpha", "Bravo"):
        Signature.objects.create(
            membership=scene.member(name), convention=scene.convention, signed_on=LATER, signatory="Madame Essai"
        )


def bring_to(scene: Scene, status: str) -> Convention:
    """The version in ``status``, by the actions, whatever they ask on the way."""
    if status == _S.SUPERSEDED:
        rename(scene)
        freeze(scene)
        return scene.grouping.conventions.get(version=1)
    for step, target in (
        ("open_comments", _S.COMMENTS),
        ("make_final", _S.FINAL),
        ("start_votes", _S.VOTES),
        ("start_signature", _S.SIGNATURE),
        ("enter_into_force", _S.IN_FORCE),
        ("end", _S.ENDED),
    ):
        if scene.convention.status == status:
            break
        if target == _S.SIGNATURE:
            everybody_votes(scene)
        if target == _S.IN_FORCE:
            everybody_signs(scene)
        advance(scene, step, today=LATER if target in (_S.SIGNATURE, _S.IN_FORCE, _S.ENDED) else TODAY, reason="Essai")
    return scene.convention
