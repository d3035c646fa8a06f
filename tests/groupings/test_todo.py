"""À faire: the rule, on dates worked by hand."""

from datetime import date

import pytest

from groupings.models import Deliberation
from groupings.todo import Subject, Urgency, classify, todo_on
from members.roles import Role
from tests.support.factories import (
    adopt,
    make_affiliation,
    make_grouping,
    make_lot,
    make_membership,
    make_metropole,
    make_need,
    make_organisation,
    make_session,
    make_territory,
    sign,
)

TODAY = date(2026, 11, 22)


@pytest.mark.parametrize(
    ("due_on", "session_on", "expected"),
    [
        (date(2026, 11, 21), None, Urgency.LATE),
        (date(2026, 11, 22), None, Urgency.SOON),  # the day itself is not late
        (date(2026, 12, 7), None, Urgency.SOON),  # 22/11 + 15 days
        (date(2026, 12, 8), None, Urgency.LATER),
        (None, None, Urgency.LATER),
        (date(2027, 3, 1), date(2026, 11, 29), Urgency.SOON),  # the session votes in seven days
        (date(2027, 3, 1), date(2026, 11, 30), Urgency.LATER),
        (date(2027, 3, 1), date(2026, 11, 12), Urgency.SOON),  # held: its result is to be typed
        (date(2026, 11, 1), date(2026, 11, 29), Urgency.LATE),
    ],
)
def test_classify(due_on, session_on, expected):
    assert classify(due_on, session_on, TODAY) == expected


@pytest.fixture
def votes(db):
    """Three groupings at the vote: due 01/11 (late), 01/12 (soon) and 01/03 (later); three members each."""
    metropole, late = make_territory(status="deliberations", deliberations_due_on=date(2026, 11, 1), reference="A")
    communes = [m.organisation for m in late.memberships.exclude(organisation=metropole)]
    others = []
    for reference, due_on in (("B", date(2026, 12, 1)), ("C", date(2027, 3, 1))):
        grouping = make_grouping(metropole, reference=reference, status="deliberations", deliberations_due_on=due_on)
        for body in (metropole, *communes):
            make_membership(grouping, body)
        others.append(grouping)
    return metropole, communes, [late, *others]


def test_the_three_numbers_of_the_buyer(votes):
    metropole, communes, (late, soon, later) = votes
    adopt(late.memberships.get(organisation=metropole), date(2026, 10, 12), executory=False)
    done = late.memberships.get(organisation=communes[0])
    adopt(done, date(2026, 10, 5))
    sign(done, date(2026, 10, 9))  # enforceable and signed: nothing left to do

    todo = todo_on(make_affiliation(metropole), TODAY)

    assert [(task.grouping, task.membership.organisation) for task in todo.late] == [(late, communes[1])]
    assert [task.grouping for task in todo.soon] == [soon] * 3
    assert [(task.grouping, task.membership.organisation) for task in todo.to_transmit] == [(late, metropole)]
    assert [task.grouping for task in todo.later] == [later] * 3
    assert todo.sentence == (
        "1 échéance en retard, 3 attendues sous 15\u00a0jours, 1 délibération à transmettre au contrôle de légalité."
    )
    assert not todo.is_empty
    assert todo.next_milestone is None


def test_a_member_only_sees_its_own_tasks(votes):
    _, communes, (late, soon, later) = votes
    todo = todo_on(make_affiliation(communes[0], Role.MEMBER_AGENT), TODAY)
    assert [(task.grouping, task.membership.organisation) for task in (*todo.late, *todo.soon, *todo.later)] == [
        (late, communes[0]),
        (soon, communes[0]),
        (later, communes[0]),
    ]


def test_another_metropole_has_nothing_of_it(votes):
    make_territory(members=0)
    foreign = make_affiliation(make_metropole())
    todo = todo_on(foreign, TODAY)
    assert (todo.late, todo.soon, todo.to_transmit, todo.later, todo.next_milestone) == ([], [], [], [], None)


def test_the_oldest_deadline_comes_first(db):
    metropole = make_metropole()
    for reference, due_on in (("A", date(2026, 11, 10)), ("B", date(2026, 10, 1)), ("C", date(2026, 11, 20))):
        grouping = make_grouping(metropole, reference=reference, status="convention", deliberations_due_on=due_on)
        make_membership(grouping, metropole)
    todo = todo_on(make_affiliation(metropole), TODAY)
    assert [task.grouping.reference for task in todo.late] == ["B", "A", "C"]


def test_what_to_do_next_follows_the_deliberation(db):
    metropole = make_metropole()
    grouping = make_grouping(metropole, status="deliberations", deliberations_due_on=date(2026, 12, 1))
    membership = make_membership(grouping, metropole)
    deliberation = membership.deliberations.get()
    affiliation = make_affiliation(metropole)

    def step() -> str:
        todo = todo_on(affiliation, TODAY)
        return (todo.soon or todo.to_transmit)[0].what

    assert step() == "Inscrire la délibération à l’ordre du jour d’une séance"
    deliberation.session, deliberation.status = make_session(metropole, date(2026, 11, 30)), "on_agenda"
    deliberation.save()
    assert step() == "Convoquer la séance du 30/11/2026"
    deliberation.status = "convened"
    deliberation.save()
    assert step() == "Délibérer à la séance du 30/11/2026"
    deliberation.session = make_session(metropole, date(2026, 11, 20))
    deliberation.save()
    assert step() == "Saisir le résultat du vote de la séance du 20/11/2026"
    adopted = adopt(membership, date(2026, 11, 20), executory=False)
    assert step() == "Transmettre la délibération au contrôle de légalité"
    Deliberation.objects.filter(pk=adopted.pk).update(transmitted_on=date(2026, 11, 21))
    assert step() == "Enregistrer l’accusé de réception de la préfecture"
    Deliberation.objects.filter(pk=adopted.pk).update(received_on=date(2026, 11, 21))
    assert step() == "Publier la délibération et saisir la date de publication"


@pytest.mark.parametrize(
    ("status", "word"), [("rejected", "rejetée"), ("withdrawn", "retirée"), ("annulled", "annulée")]
)
def test_a_vote_to_no_effect_asks_what_comes_next(db, status, word):
    metropole = make_metropole()
    grouping = make_grouping(metropole, status="deliberations", deliberations_due_on=date(2026, 11, 30))
    deliberation = make_membership(grouping, metropole).deliberations.get()
    deliberation.status, deliberation.decided_on = status, date(2026, 11, 10)
    deliberation.save()
    (task,) = todo_on(make_affiliation(metropole), TODAY).soon
    assert task.what == f"Délibérer de nouveau, ou quitter le groupement\u00a0: la délibération est {word}"


def test_a_decision_of_the_president_waits_for_no_session(db):
    metropole = make_metropole()
    grouping = make_grouping(metropole, status="deliberations", deliberations_due_on=date(2026, 11, 30))
    make_membership(grouping, metropole).deliberations.update(kind="president")
    (task,) = todo_on(make_affiliation(metropole), TODAY).soon
    assert task.what == "Prendre la décision et l’enregistrer"


def test_an_enforceable_member_signs_before_the_launch(db):
    metropole = make_metropole()
    grouping = make_grouping(metropole, status="deliberations", launch_planned_on=date(2026, 11, 30))
    membership = make_membership(grouping, metropole)
    adopt(membership, date(2026, 10, 5))
    (task,) = todo_on(make_affiliation(metropole), TODAY).soon
    assert (task.what, task.due_on) == ("Faire signer la convention", date(2026, 11, 30))
    sign(membership, date(2026, 11, 1))
    assert todo_on(make_affiliation(metropole), TODAY).is_empty


@pytest.mark.parametrize("status", ["postponed", "no_quorum"])
def test_a_session_that_did_not_vote_is_over(db, status):
    metropole = make_metropole()
    grouping = make_grouping(metropole, status="deliberations", deliberations_due_on=date(2027, 3, 1))
    deliberation = make_membership(grouping, metropole).deliberations.get()
    deliberation.session, deliberation.status = make_session(metropole, date(2026, 11, 20)), status
    deliberation.save()
    (task,) = todo_on(make_affiliation(metropole), TODAY).later
    assert task.what == "Inscrire de nouveau la délibération à l’ordre du jour d’une séance"


def test_a_member_with_nothing_urgent_is_told_its_own_next_date(votes):
    _, communes, (late, soon, later) = votes
    for grouping in (late, soon):
        adopt(grouping.memberships.get(organisation=communes[0]), date(2026, 10, 5))
    milestone = todo_on(make_affiliation(communes[0], Role.MEMBER_AGENT), TODAY).next_milestone
    assert (milestone.on, milestone.grouping) == (date(2027, 3, 1), later)
    assert milestone.label == "inscrire la délibération à l’ordre du jour d’une séance"


def test_the_next_known_session_is_shown(db):
    metropole = make_metropole()
    grouping = make_grouping(metropole, status="convention", deliberations_due_on=date(2026, 12, 1))
    make_membership(grouping, metropole)
    for day in (date(2026, 11, 1), date(2026, 12, 15), date(2026, 11, 25)):
        make_session(metropole, day)
    (task,) = todo_on(make_affiliation(metropole), TODAY).soon
    assert (task.session_on, task.session_is_chosen) == (date(2026, 11, 25), False)


def test_needs_are_asked_of_members_who_said_nothing(db):
    metropole, grouping = make_territory(members=2, needs_due_on=date(2026, 11, 30))
    silent = grouping.memberships.exclude(organisation=metropole).first()
    silent.needs.all().delete()
    todo = todo_on(make_affiliation(metropole), TODAY)
    assert [(task.subject, task.membership) for task in todo.soon] == [(Subject.NEEDS, silent)]
    assert todo_on(make_affiliation(silent.organisation, Role.MEMBER_AGENT), TODAY).soon[0].membership == silent


def test_a_need_of_zero_is_an_answer(db):
    metropole = make_metropole()
    grouping = make_grouping(metropole, needs_due_on=date(2026, 11, 30))
    membership = make_membership(grouping, metropole)
    affiliation = make_affiliation(metropole)
    assert len(todo_on(affiliation, TODAY).soon) == 1
    make_need(membership, make_lot(grouping), "0.00")
    assert todo_on(affiliation, TODAY).soon == []


def test_no_needs_are_asked_of_a_coordinator_without_its_own(db):
    metropole = make_metropole()
    grouping = make_grouping(
        metropole,
        needs_due_on=date(2026, 11, 30),
        coordinator_has_own_need=False,
        statutes_clause_ref="article 7 des statuts",
    )
    make_membership(grouping, metropole)
    make_membership(grouping, commune := make_organisation(parent=metropole))
    todo = todo_on(make_affiliation(metropole), TODAY)
    assert [task.membership.organisation for task in todo.soon] == [commune]


def test_withdrawn_members_and_launched_groupings_ask_nothing(db):
    metropole, grouping = make_territory(
        members=1, status="consultation", launched_on=date(2026, 10, 1), deliberations_due_on=date(2026, 9, 15)
    )
    other = make_grouping(metropole, reference="B", status="convention", deliberations_due_on=date(2026, 11, 1))
    make_membership(other, make_organisation(parent=metropole), withdrawn_on=date(2026, 10, 1))
    assert grouping.memberships.count() == 2
    assert todo_on(make_affiliation(metropole), TODAY).is_empty


def test_nothing_to_do_gives_the_next_date(db):
    metropole = make_metropole()
    make_grouping(metropole, reference="A", status="deliberations", launch_planned_on=date(2027, 2, 1))
    near = make_grouping(
        metropole,
        reference="B",
        status="deliberations",
        deliberations_due_on=date(2026, 11, 1),
        launch_planned_on=date(2027, 1, 15),
    )
    milestone = todo_on(make_affiliation(metropole), TODAY).next_milestone
    assert (milestone.on, milestone.label, milestone.grouping) == (
        date(2027, 1, 15),
        "lancement de la consultation",
        near,
    )


def test_an_empty_database_has_no_task_and_no_date(db):
    todo = todo_on(make_affiliation(make_metropole()), TODAY)
    assert todo.is_empty
    assert todo.next_milestone is None
    assert todo.sentence.startswith("0 échéance en retard, 0 attendue sous")


def test_few_queries_whatever_the_rows(votes, django_assert_num_queries):
    metropole, _, groupings = votes
    for grouping in groupings:
        for _ in range(20):
            make_membership(grouping, make_organisation(parent=metropole))
    affiliation = make_affiliation(metropole)
    # votes, signatures, needs, transmissions, contracts, tenders; then their decisions, and the next date when need be
    with django_assert_num_queries(6):
        todo_on(affiliation, TODAY)
