"""Recording and moving a meeting: its version, its deliberations, its journal, and two people at once."""

from datetime import date

import pytest
from django.core.exceptions import ValidationError

from members.actions import session_remove, session_save
from members.models import CouncilSession
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.journal.models import JournalEntry
from tests.support.factories import (
    make_affiliation,
    make_grouping,
    make_membership,
    make_metropole,
    make_organisation,
    make_session,
)

pytestmark = pytest.mark.django_db
DAY, OTHER_DAY = date(2026, 12, 15), date(2026, 12, 22)


@pytest.fixture
def metropole():
    return make_metropole(name="La Métropole")


@pytest.fixture
def actor(metropole):
    return make_affiliation(metropole)


def save(session, actor, **changes):
    for name, value in changes.items():
        setattr(session, name, value)
    return session_save(session=session, actor=actor)


def test_a_new_session_is_version_one_and_says_nothing_it_was_not_told(metropole, actor):
    session = save(CouncilSession(organisation=metropole, meeting_on=DAY), actor)
    session.refresh_from_db()
    assert (session.version, session.has_explanatory_note, session.is_first_after_renewal) == (1, None, False)


def test_each_change_raises_the_version_and_saving_the_same_does_not(metropole, actor):
    # The SEQUENCE of the calendar event: a client ignores a moved date whose number did not rise (RFC 5545, 3.8.7.4).
    session = make_session(metropole, DAY)
    versions = [
        save(session, actor, **changes).version
        for changes in (
            {"meeting_on": OTHER_DAY},
            {"meeting_on": OTHER_DAY},
            {"agenda_closes_on": DAY},
            {"convened_on": DAY, "has_explanatory_note": False},
            {},
        )
    ]
    assert versions == [2, 2, 3, 4, 4]
    session.refresh_from_db()
    assert session.version == 4


def test_the_version_is_never_taken_from_the_object_handed_over(metropole, actor):
    session = make_session(metropole, DAY)
    stale = CouncilSession.objects.get(pk=session.pk)
    save(session, actor, meeting_on=OTHER_DAY)
    save(stale, actor, meeting_on=date(2026, 12, 29))
    assert stale.version == 3


def test_deliberations_follow_a_moved_session_and_the_journal_says_from_when_to_when(metropole, actor):
    session = make_session(metropole, DAY)
    for _ in range(2):
        deliberation = make_membership(make_grouping(metropole), metropole).deliberations.get()
        deliberation.session, deliberation.status = session, "on_agenda"
        deliberation.save()
    save(session, actor, meeting_on=OTHER_DAY)
    assert session.deliberations.count() == 2
    entry = JournalEntry.objects.get(verb="session.save")
    assert (
        entry.sentence
        == "Séance de La Métropole déplacée du 15/12/2026 au 22/12/2026, avec 2 délibérations à l’ordre du jour"
    )
    assert (entry.before, entry.after) == ({"meeting_on": "2026-12-15"}, {"meeting_on": "2026-12-22"})
    with pytest.raises(BusinessError, match="Une délibération est inscrite à cette séance"):
        session_remove(session=session, actor=actor)


def test_an_empty_agenda_is_not_mentioned(metropole, actor):
    save(make_session(metropole, DAY), actor, meeting_on=OTHER_DAY)
    sentence = JournalEntry.objects.get().sentence
    assert sentence == "Séance de La Métropole déplacée du 15/12/2026 au 22/12/2026"


def test_the_longest_name_fits_the_journal(actor):
    longest = make_organisation(parent=actor.organisation, name="é" * 200)
    save(make_session(longest, DAY), actor, meeting_on=OTHER_DAY)
    assert "au 22/12/2026" in JournalEntry.objects.get().sentence


def test_the_second_of_two_people_is_refused_and_nothing_is_lost(metropole, actor):
    session = make_session(metropole, DAY)
    mine = CouncilSession.objects.get(pk=session.pk)
    save(session, actor, convened_on=date(2026, 12, 8))
    mine.meeting_on = OTHER_DAY
    with pytest.raises(BusinessError, match="modifiée entre-temps par une autre personne"):
        session_save(session=mine, actor=actor, expected_version=1)
    session.refresh_from_db()
    assert (session.meeting_on, session.convened_on) == (DAY, date(2026, 12, 8))
    session_save(session=mine, actor=actor, expected_version=2)
    assert JournalEntry.objects.count() == 2


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"convened_on": DAY}, "La convocation part avant la séance."),
        ({"convened_on": OTHER_DAY}, "La convocation part avant la séance."),
        ({"agenda_closes_on": OTHER_DAY}, "L’ordre du jour se clôt au plus tard le jour de la séance."),
        ({"meeting_on": OTHER_DAY}, "Une séance est déjà enregistrée ce jour-là."),
        # Moved before its own convocation, which has left.
        (
            {"meeting_on": date(2026, 12, 1), "convened_on": date(2026, 12, 8)},
            "La convocation part avant la séance.",
        ),
    ],
)
def test_impossible_dates_are_refused_in_french_and_nothing_changes(metropole, actor, changes, sentence):
    session = make_session(metropole, DAY)
    make_session(metropole, OTHER_DAY)
    with pytest.raises(ValidationError) as refusal:
        save(session, actor, **changes)
    assert refusal.value.messages == [sentence]
    session.refresh_from_db()
    assert (session.meeting_on, session.convened_on, session.agenda_closes_on, session.version) == (DAY, None, None, 1)
    assert not JournalEntry.objects.exists()


def test_leap_days(metropole, actor):
    session = save(CouncilSession(organisation=metropole, meeting_on=date(2028, 2, 29)), actor)
    save(session, actor, convened_on=date(2028, 2, 28))
    save(session, actor, meeting_on=date(2028, 3, 1))
    assert "déplacée du 29/02/2028 au 01/03/2028" in JournalEntry.objects.first().sentence


def test_a_session_never_changes_hands(metropole, actor):
    session = make_session(make_organisation(parent=metropole), DAY)
    with pytest.raises(BusinessError, match="ne change pas d’organisme"):
        save(session, actor, organisation=make_organisation(parent=metropole))


def test_who_may_write_whose_calendar(metropole):
    commune, neighbour = (make_organisation(parent=metropole) for _ in range(2))
    elsewhere = make_metropole()
    allowed = {
        (role, body.pk)
        for role, home in (
            ("buyer", metropole),
            ("jurist", metropole),
            ("administrator", metropole),
            ("finance", metropole),
            ("reader", metropole),
            ("member_agent", commune),
        )
        for body in (commune, neighbour, elsewhere)
        if _accepted(CouncilSession(organisation=body, meeting_on=DAY), make_affiliation(home, role))
    }
    coordination = {(role, body.pk) for role in ("buyer", "jurist", "administrator") for body in (commune, neighbour)}
    assert allowed == coordination | {("member_agent", commune.pk)}


def _accepted(session, actor) -> bool:
    try:
        session_save(session=session, actor=actor)
    except NotAllowed:
        return False
    session.delete()
    return True
