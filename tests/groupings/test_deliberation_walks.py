"""Any sequence of steps, sensible or not: refused in French or done, and the row always keeps its word."""

from datetime import date, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from groupings.actions import deliberation as actions
from groupings.actions.deliberation import VoteCounts
from groupings.actions.signatures import signature_record, signature_remove
from groupings.choices import IN_FORCE, ON_A_SESSION
from groupings.models import Deliberation, Signature
from groupings.remarks import remarks_of
from groupings.workflow import DELIBERATION_WORKFLOW
from members.models import CouncilSession
from procurement.core.errors import BusinessError
from procurement.core.journal.models import JournalEntry
from tests.support import deliberations as scenes
from tests.support.deliberations import SYSTEM
from tests.support.factories import make_session

TODAY = date(2026, 12, 20)
DAYS = st.dates(date(2026, 8, 20), date(2026, 12, 25))
DATES = st.none() | DAYS
COUNTS = st.none() | st.builds(
    VoteCounts,
    in_office=st.integers(-1, 20),
    present=st.integers(-1, 20),
    proxies=st.integers(0, 4),
    votes_for=st.integers(-1, 20),
    votes_against=st.integers(0, 12),
    abstained=st.integers(0, 3),
    is_secret=st.booleans(),
    president_vote=st.sampled_from(["", "for", "against", "abstained"]),
)
REASON = st.sampled_from(["", "Motif"])
STEPS = st.one_of(
    st.tuples(st.just("schedule"), st.integers(0, 2)),
    st.tuples(st.just("convene"), DAYS),
    st.tuples(st.just("unschedule"), REASON),
    st.tuples(st.just("vote"), st.sampled_from(["adopted", "rejected", "postponed", "no_quorum"]), DAYS, COUNTS),
    st.tuples(st.just("effect"), DATES, DATES, DATES, st.sampled_from(["", "right", "wrong"])),
    st.tuples(
        st.just("reverse"),
        st.sampled_from([t.name for t in DELIBERATION_WORKFLOW.transitions if t.name != "unschedule"]),
        REASON,
    ),
    st.tuples(st.just("describe"), st.sampled_from(["council", "bureau", "president"])),
    st.tuples(st.just("sign"), DAYS),
    st.tuples(st.just("unsign"), REASON),
)


def take(scene, sessions, step):
    """One step, by its action."""
    name, *values = step
    row = scene.deliberation
    common = {"deliberation": row, "actor": SYSTEM}
    match name:
        case "schedule":
            session = CouncilSession.objects.get(pk=sessions[values[0]].pk)
            actions.deliberation_schedule(session=session, today=TODAY - timedelta(days=40), **common)
        case "convene":
            actions.deliberation_convene(sent_on=values[0], has_note=None, today=TODAY, **common)
        case "unschedule":
            actions.deliberation_unschedule(reason=values[0], **common)
        case "vote":
            outcome, on, counts = values
            actions.deliberation_vote(outcome=outcome, meeting_on=on, counts=counts, today=TODAY, **common)
        case "effect":
            sent, received, published, identifier = values
            day = row.decided_on or TODAY
            number = {"right": f"{day:%Y%m%d}", "wrong": "20260101"}.get(identifier)
            actes_id = f"034-{scene.commune.siren}-{number}-N1-DE" if number else ""
            actions.deliberation_record_effect(
                transmitted_on=sent,
                received_on=received,
                published_on=published,
                actes_id=actes_id,
                today=TODAY,
                **common,
            )
        case "reverse":
            actions.deliberation_reverse(step=values[0], reason=values[1], **common)
        case "describe":
            actions.deliberation_describe(kind=values[0], matter_code="", **common)
        case "sign":
            signature_record(
                membership=scene.membership, signed_on=values[0], signatory="Anne Essai", actor=SYSTEM, today=TODAY
            )
        case "unsign":
            signature_remove(membership=scene.membership, actor=SYSTEM, today=TODAY, reason=values[0])


def check(row: Deliberation) -> None:
    row.full_clean()  # every constraint of the database, by the model
    if row.executory_on:
        assert row.status in IN_FORCE
        assert row.decided_on <= row.executory_on <= TODAY
    if row.kind == "president":
        assert row.session is None
        assert not row.has_counts
    if row.status in ON_A_SESSION:
        assert row.session.organisation_id == row.membership.organisation_id
    signature = Signature.objects.filter(membership=row.membership).first()
    if signature and row.status in ("to_schedule", "on_agenda"):
        pytest.fail("Une signature précède un vote à venir.")
    for remark in remarks_of(row):
        assert remark.sentence


@pytest.mark.django_db
@pytest.mark.slow
@settings(max_examples=30, deadline=None)
@given(walk=st.lists(STEPS, min_size=1, max_size=12))
def test_any_walk_is_refused_in_french_or_keeps_every_constraint(walk):
    with transaction.atomic():
        scene = scenes.make_scene()
        sessions = [scene.past, scene.coming, make_session(scene.metropole, date(2026, 12, 10))]
        for step in walk:
            before = scene.deliberation
            attempts, entries = before.attempts.count(), JournalEntry.objects.count()
            try:
                with transaction.atomic():
                    take(scene, sessions, step)
            except (BusinessError, ValidationError):
                after = scene.deliberation
                assert (after.version, after.status) == (before.version, before.status)
                assert (after.attempts.count(), JournalEntry.objects.count()) == (attempts, entries)
            after = scene.deliberation
            assert after.version in (before.version, before.version + 1)
            check(after)
        transaction.set_rollback(True)
