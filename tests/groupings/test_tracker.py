"""The tracker: what each cell says, worked by hand, who sees what, and what each filter leaves."""

from datetime import date

import pytest

from groupings.choices import EXECUTORY_BADGE, LATE_BADGE
from groupings.models import Deliberation, Signature
from groupings.rules.lateness import Lateness
from groupings.tracker import EXPECTED_LATE_BADGE, build
from groupings.tracker_filters import Display, Filters
from members.roles import Role
from tests.support.factories import (
    adopt,
    make_affiliation,
    make_grouping,
    make_membership,
    make_metropole,
    make_organisation,
    make_session,
)

pytestmark = pytest.mark.django_db
TODAY = date(2026, 11, 22)  # a Sunday


@pytest.fixture
def metropole():
    return make_metropole(name="Métropole")


@pytest.fixture
def commune(metropole):
    return make_organisation(parent=metropole, name="Aubrac")


@pytest.fixture
def grouping(metropole):
    """Due on 10/12; launched on 16/01 at best, so that an act is useful until 01/01."""
    return make_grouping(
        metropole,
        reference="GC-1",
        title="Papier",
        status="deliberations",
        deliberations_due_on=date(2026, 12, 10),
        launch_planned_on=date(2027, 1, 16),
    )


@pytest.fixture
def buyer(metropole):
    return make_affiliation(metropole)


def vote(membership, **fields) -> Deliberation:
    deliberation = membership.deliberations.get()
    for name, value in fields.items():
        setattr(deliberation, name, value)
    deliberation.save()
    return deliberation


def only_cell(affiliation, today=TODAY, filters=None):
    (cell,) = build(affiliation, today, filters).cells()
    return cell


# What a cell says


def test_to_schedule_tells_the_next_session_that_can_still_take_it(buyer, grouping, commune):
    make_session(commune, date(2026, 11, 24))  # too near: three clear days of notice, at least
    make_session(commune, date(2026, 12, 14))
    make_membership(grouping, commune)
    cell = only_cell(buyer)
    assert (cell.badge.word, cell.on, cell.lateness) == ("À inscrire", date(2026, 12, 14), None)
    assert cell.sentence == "À inscrire, prochaine séance le 14/12/2026"
    assert cell.expected_on == date(2026, 12, 21)  # a week to transmit and publish


def test_without_a_calendar_nothing_is_invented(buyer, grouping, commune):
    make_membership(grouping, commune)
    cell = only_cell(buyer)
    assert (cell.on, cell.expected_on, cell.lateness, cell.sentence) == (None, None, None, "À inscrire")


def test_on_the_agenda_of_a_session_that_comes_too_late(buyer, grouping, commune):
    session = make_session(commune, date(2026, 12, 28))
    vote(make_membership(grouping, commune), status="on_agenda", session=session)
    cell = only_cell(buyer)
    assert (cell.state_badge.word, cell.badge) == ("Inscrite", EXPECTED_LATE_BADGE)
    # Enforceable on 04/01 at best, wanted on 01/01.
    assert (cell.expected_on, cell.lateness) == (date(2027, 1, 4), Lateness(3, is_expected=True))
    assert cell.sentence == "Inscrite, séance du 28/12/2026, retard prévu de 3\u00a0jours"


@pytest.mark.parametrize("status", ["to_schedule", "draft_sent", "postponed", "no_quorum"])
def test_not_voted_once_the_date_has_passed(buyer, grouping, commune, status):
    vote(make_membership(grouping, commune), status=status)
    assert only_cell(buyer, date(2026, 12, 10)).lateness is None
    late = only_cell(buyer, date(2026, 12, 12))
    assert (late.badge, late.lateness, late.state) == (LATE_BADGE, Lateness(2), status)


def test_voted_and_not_enforceable(buyer, grouping, commune):
    adopt(make_membership(grouping, commune), date(2026, 11, 9), executory=False)
    cell = only_cell(buyer)
    # The week to transmit is over: it starts again today.
    assert (cell.badge.word, cell.sentence, cell.expected_on) == ("Votée", "Votée le 09/11/2026", date(2026, 11, 29))
    assert only_cell(buyer, date(2026, 12, 20)).lateness is None  # the vote was in time; 27/12 is, too
    assert only_cell(buyer, date(2026, 12, 26)).lateness == Lateness(1, is_expected=True)
    assert only_cell(buyer, date(2027, 1, 3)).lateness == Lateness(2)


def test_enforceable_then_signed(buyer, grouping, commune):
    membership = make_membership(grouping, commune)
    adopt(membership, date(2026, 11, 9))
    cell = only_cell(buyer, date(2027, 6, 1))
    assert (cell.badge, cell.on, cell.lateness, cell.is_signed) == (EXECUTORY_BADGE, date(2026, 11, 9), None, False)
    assert (cell.sentence, cell.expected_on) == ("Exécutoire le 09/11/2026", None)
    Signature.objects.create(membership=membership, signed_on=date(2026, 11, 20), signatory="Mme Œuvrard")
    cell = only_cell(buyer)
    assert cell.is_signed
    assert cell.sentence == "Exécutoire le 09/11/2026, convention signée le 20/11/2026"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"status": "rejected", "decided_on": date(2026, 11, 9)}, "Rejetée le 09/11/2026"),
        ({"status": "annulled", "decided_on": date(2026, 11, 9)}, "Annulée, votée le 09/11/2026"),
        ({"status": "withdrawn", "decided_on": date(2026, 11, 9)}, "Retirée, votée le 09/11/2026"),
        ({"status": "not_required"}, "Non requise"),
        (
            {
                "status": "challenged",
                "decided_on": date(2026, 11, 9),
                "transmitted_on": date(2026, 11, 10),
                "received_on": date(2026, 11, 10),
                "published_on": date(2026, 11, 12),
            },
            "Contestée, exécutoire le 12/11/2026",
        ),
    ],
)
def test_what_waits_for_nothing_more_is_never_late(buyer, grouping, commune, fields, sentence):
    vote(make_membership(grouping, commune), **fields)
    assert only_cell(buyer, date(2027, 6, 1)).sentence == sentence


def test_a_launched_grouping_is_late_no_more(buyer, grouping, commune):
    make_membership(grouping, commune)
    grouping.status, grouping.launched_on = "consultation", date(2027, 1, 16)
    grouping.save()
    assert build(buyer, date(2027, 6, 1)).rows == ()
    assert only_cell(buyer, date(2027, 6, 1), Filters(with_launched=True)).lateness is None


# The matrix


@pytest.fixture
def world(metropole, grouping, commune):
    """Three members; GC-1: enforceable, to schedule, on the agenda. GC-0, due sooner: one member, late."""
    other = make_organisation(parent=metropole, name="Écully")
    sooner = make_grouping(
        metropole, reference="GC-0", title="Sel", status="deliberations", deliberations_due_on=date(2026, 11, 1)
    )
    adopt(make_membership(grouping, metropole), date(2026, 11, 9))
    make_membership(grouping, other)
    vote(make_membership(grouping, commune), status="on_agenda", session=make_session(commune, date(2026, 12, 1)))
    make_membership(sooner, other)
    return commune, other, grouping, sooner


def names(matrix) -> list[str]:
    return [row.organisation.name for row in matrix.rows]


def references(matrix) -> list[str]:
    return [head.grouping.reference for head in matrix.heads]


def test_rows_by_name_and_columns_by_deadline(buyer, world):
    matrix = build(buyer, TODAY)
    assert names(matrix) == ["Métropole", "Aubrac", "Écully"]  # one's own body first, then in French order
    assert references(matrix) == ["GC-0", "GC-1"]
    assert [[cell and cell.state for cell in row.cells] for row in matrix.rows] == [
        [None, "executory"],
        [None, "on_agenda"],
        ["to_schedule", "to_schedule"],
    ]
    assert [(head.executory_count, head.member_count) for head in matrix.heads] == [(0, 1), (1, 3)]
    assert [row.late_count for row in matrix.rows] == [0, 0, 1]
    assert matrix.sentence == "3\u00a0membres, 2\u00a0groupements\u00a0: 1\u00a0délibération en retard, 0 retard prévu."
    assert [badge.word for badge in matrix.legend] == ["À inscrire", "Inscrite", "Exécutoire", "En retard"]


def test_a_withdrawn_member_takes_no_part(buyer, world):
    _, other, grouping, _ = world
    grouping.memberships.filter(organisation=other).update(withdrawn_on=date(2026, 11, 20))
    matrix = build(buyer, TODAY)
    assert [cell and cell.state for cell in matrix.rows[2].cells] == ["to_schedule", None]
    assert matrix.heads[1].member_count == 2


def test_declared_and_abandoned_groupings_are_not_followed(buyer, world, metropole, commune):
    for fields in ({"is_declared_only": True}, {"status": "cancelled"}):
        make_membership(make_grouping(metropole, **fields), commune)
    assert references(build(buyer, TODAY, Filters(with_launched=True))) == ["GC-0", "GC-1"]


def test_nobody_sees_nothing(world):
    assert build(None, TODAY).rows == ()
    assert not build(None, TODAY).has_groupings


def test_a_member_sees_its_own_row_first_and_the_dates_of_the_others_alone(world):
    commune, _, grouping, _ = world
    for membership in grouping.memberships.all():
        Signature.objects.create(membership=membership, signed_on=date(2026, 11, 20), signatory="Mme Œuvrard")
    matrix = build(make_affiliation(commune, Role.MEMBER_AGENT), TODAY)
    assert references(matrix) == ["GC-1"]  # it takes no part in the other
    assert names(matrix) == ["Aubrac", "Écully", "Métropole"]
    assert [row.is_own for row in matrix.rows] == [True, False, False]
    # Where the others stand is shared; their signature is not.
    assert [(cell.state, cell.signed_on, cell.is_own) for cell in matrix.cells()] == [
        ("on_agenda", date(2026, 11, 20), True),
        ("to_schedule", None, False),
        ("executory", None, False),
    ]


def test_a_commune_that_coordinates_sees_all_of_its_own_grouping(metropole, commune, world):
    _, other, *_ = world
    own = make_grouping(commune, reference="GC-C", status="deliberations")
    Signature.objects.create(membership=make_membership(own, other), signed_on=TODAY, signatory="M. Durand")
    matrix = build(make_affiliation(commune, Role.BUYER), TODAY, Filters(groupings=frozenset({own.pk})))
    assert [(cell.signed_on, cell.is_own) for cell in matrix.cells()] == [(TODAY, True)]


def test_another_territory_is_never_read(world):
    stranger = make_affiliation(make_metropole())
    _, _, grouping, _ = world
    assert build(stranger, TODAY, Filters(groupings=frozenset({grouping.pk}))).rows == ()


# Filters


@pytest.mark.parametrize(
    ("filters", "rows", "columns", "cells"),
    [
        (Filters(member="ecul"), ["Écully"], ["GC-0", "GC-1"], 2),
        (Filters(member="AUB rac"), ["Aubrac"], ["GC-1"], 1),
        (Filters(member="?"), [], [], 0),
        (Filters(state="on_agenda"), ["Aubrac"], ["GC-1"], 1),
        (Filters(state="executory"), ["Métropole"], ["GC-1"], 1),
        (Filters(state="to_schedule"), ["Écully"], ["GC-0", "GC-1"], 2),  # a late one is still to schedule
        (Filters(late_only=True), ["Écully"], ["GC-0"], 1),
        (Filters(late_only=True, member="aubrac"), [], [], 0),
        (Filters(year=2026), ["Métropole", "Aubrac", "Écully"], ["GC-0", "GC-1"], 4),
        (Filters(year=2025), [], [], 0),
    ],
)
def test_filters(buyer, world, filters, rows, columns, cells):
    matrix = build(buyer, TODAY, filters)
    assert (names(matrix), references(matrix), len(list(matrix.cells()))) == (rows, columns, cells)


def test_the_head_counts_every_member_whatever_the_filter(buyer, world):
    (head,) = build(buyer, TODAY, Filters(member="aubrac")).heads
    assert (head.executory_count, head.member_count) == (1, 3)


def test_a_member_is_found_by_its_siren(buyer, world):
    commune, *_ = world
    assert names(build(buyer, TODAY, Filters(member=commune.siren[:9]))) == ["Aubrac"]


def test_chosen_groupings_are_shown_whatever_their_stage(buyer, world):
    *_, sooner = world
    sooner.status, sooner.launched_on = "performance", date(2026, 11, 2)
    sooner.save()
    assert references(build(buyer, TODAY)) == ["GC-1"]
    assert references(build(buyer, TODAY, Filters(with_launched=True))) == ["GC-0", "GC-1"]
    assert references(build(buyer, TODAY, Filters(groupings=frozenset({sooner.pk})))) == ["GC-0"]


@pytest.mark.parametrize(
    ("columns", "display", "is_compact"),
    [(6, "", False), (7, "", True), (7, Display.DETAILED, False), (1, Display.COMPACT, True)],
)
def test_the_width_decides_of_the_display_unless_asked(buyer, metropole, commune, columns, display, is_compact):
    for _ in range(columns):
        make_membership(make_grouping(metropole, status="deliberations"), commune)
    assert build(buyer, TODAY, Filters(display=display)).is_compact is is_compact
