"""One grouping whose assemblies vote, its people, and how to bring a deliberation to each state by the actions."""

import io
from dataclasses import dataclass
from datetime import date, timedelta

from django.urls import reverse
from django.utils import timezone
from reportlab.pdfgen import canvas

from groupings.actions import deliberation as actions
from groupings.models import Deliberation, Grouping, Membership
from members.models import Affiliation, CouncilSession, Organisation
from members.roles import Role
from procurement.core.actors import SystemActor
from tests.support.factories import (
    make_affiliation,
    make_grouping,
    make_membership,
    make_metropole,
    make_organisation,
    make_representative,
    make_session,
)

SYSTEM = SystemActor("Essai")
OPENED_ON = date(2026, 9, 1)
SENT_ON, MEETING_ON, TODAY = date(2026, 11, 2), date(2026, 11, 12), date(2026, 12, 1)
LATER_ON = date(2026, 12, 17)
REASON = "Erreur de saisie"


@dataclass
class Scene:
    """A commune of 3,100 inhabitants with a past and a coming meeting, in a grouping of its métropole."""

    metropole: Organisation
    commune: Organisation
    grouping: Grouping
    membership: Membership
    past: CouncilSession
    coming: CouncilSession
    buyer: Affiliation
    jurist: Affiliation
    agent: Affiliation

    @property
    def deliberation(self) -> Deliberation:
        read = Deliberation.objects.select_related("session", "membership__organisation", "membership__grouping")
        return read.with_text_voted().get(membership=self.membership)


def make_scene(**commune) -> Scene:
    metropole = make_metropole()
    commune = make_organisation("commune", parent=metropole, **{"population": 3100, **commune})
    grouping = make_grouping(metropole, status="deliberations", opened_on=OPENED_ON)
    make_membership(grouping, metropole)
    return Scene(
        metropole=metropole,
        commune=commune,
        grouping=grouping,
        membership=make_membership(grouping, commune),
        past=make_session(commune, MEETING_ON),
        coming=make_session(commune, LATER_ON, agenda_closes_on=date(2026, 12, 4)),
        buyer=make_affiliation(metropole, Role.BUYER),
        jurist=make_affiliation(metropole, Role.JURIST),
        agent=make_affiliation(commune, Role.MEMBER_AGENT),
    )


def schedule(scene: Scene, session: CouncilSession | None = None, *, today: date = SENT_ON, actor=SYSTEM, **options):
    return actions.deliberation_schedule(
        deliberation=scene.deliberation, session=session or scene.past, actor=actor, today=today, **options
    )


def convene(scene: Scene, *, sent_on: date = SENT_ON, has_note=None, today: date = TODAY, actor=SYSTEM, **options):
    return actions.deliberation_convene(
        deliberation=scene.deliberation, sent_on=sent_on, has_note=has_note, actor=actor, today=today, **options
    )


def vote(
    scene: Scene, outcome: str = "adopted", *, on: date = MEETING_ON, today: date = TODAY, actor=SYSTEM, **options
):
    return actions.deliberation_vote(
        deliberation=scene.deliberation, outcome=outcome, meeting_on=on, actor=actor, today=today, **options
    )


def effect(scene: Scene, *, today: date = TODAY, actor=SYSTEM, **options):
    return actions.deliberation_record_effect(deliberation=scene.deliberation, actor=actor, today=today, **options)


def reverse_step(scene: Scene, step: str, *, reason: str = REASON, actor=SYSTEM, **options):
    return actions.deliberation_reverse(
        deliberation=scene.deliberation, step=step, actor=actor, reason=reason, **options
    )


def make_executory(scene: Scene) -> None:
    vote(scene)
    effect(scene, received_on=date(2026, 11, 16), published_on=date(2026, 11, 18))


def bring_to(scene: Scene, status: str) -> None:
    """The deliberation in that state, by the shortest way of its life cycle."""
    ways = {
        "to_schedule": (),
        "draft_sent": (lambda: actions.deliberation_draft_sent(deliberation=scene.deliberation, actor=SYSTEM),),
        "not_required": (lambda: reverse_step(scene, "waive"),),
        "on_agenda": (lambda: schedule(scene),),
        "convened": (lambda: schedule(scene), lambda: convene(scene)),
        "challenged": (lambda: make_executory(scene), lambda: reverse_step(scene, "challenge")),
        "annulled": (
            lambda: make_executory(scene),
            lambda: reverse_step(scene, "challenge"),
            lambda: reverse_step(scene, "annul"),
        ),
        "withdrawn": (lambda: make_executory(scene), lambda: reverse_step(scene, "withdraw")),
    }
    for act in ways.get(status, (lambda: vote(scene, status),)):
        act()
    assert scene.deliberation.status == status


def make_pdf(*lines: str) -> bytes:
    """A one-page PDF holding these lines; without any, a page that only shows a picture, as a scanner makes them."""
    buffer = io.BytesIO()
    page = canvas.Canvas(buffer)
    page.rect(50, 50, 200, 100, fill=1)
    for number, line in enumerate(lines):
        page.drawString(60, 780 - 20 * number, line)
    page.showPage()
    page.save()
    return buffer.getvalue()


# The same scene around today, for the screens


def make_scene_of_today() -> Scene:
    """A meeting ten days ago, the next in sixteen days with its agenda closing six days before."""
    scene, today = make_scene(), timezone.localdate()
    scene.grouping.opened_on = today - timedelta(days=90)
    scene.grouping.deliberations_due_on = today + timedelta(days=30)
    scene.grouping.save()
    for session, days in ((scene.past, -10), (scene.coming, 16)):
        session.meeting_on = today + timedelta(days=days)
        session.agenda_closes_on = session.meeting_on - timedelta(days=6)
        session.save()
    make_representative(scene.commune)
    return scene


def vote_of_today(scene: Scene, **options):
    return vote(scene, on=scene.past.meeting_on, today=timezone.localdate(), **options)


def make_executory_today(scene: Scene) -> None:
    today = timezone.localdate()
    vote_of_today(scene)
    effect(scene, received_on=today - timedelta(days=4), published_on=today - timedelta(days=2), today=today)


def url_of(scene: Scene, name: str = "deliberation_detail", **arguments) -> str:
    return reverse(name, kwargs={"pk": scene.deliberation.pk, **arguments})


def page_of(client, scene: Scene, person: Affiliation, query: str = "") -> str:
    """What ``person`` reads on the page of the deliberation."""
    client.force_login(person.user)
    response = client.get(url_of(scene) + query)
    assert response.status_code == 200
    return response.content.decode()


def post_step(client, scene: Scene, step: str, person: Affiliation | None = None, **values):
    """The form of one step sent by ``person``, the member's agent by default, at the version it reads."""
    client.force_login((person or scene.agent).user)
    values.setdefault("version", scene.deliberation.version)
    return client.post(url_of(scene, "deliberation_step", step=step), values)
