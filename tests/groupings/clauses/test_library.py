"""The library: what is published never changes, what is drafted is never lost, what is frozen stays as it was."""

import hashlib
import io
from dataclasses import replace
from datetime import timedelta
from importlib import import_module

import pypdf
import pytest
from django.apps import apps
from django.db import IntegrityError, connection

from groupings.actions.clauses import (
    DraftChanged,
    clause_draft_drop,
    clause_draft_save,
    clause_publish,
    clause_restore,
    library_open,
)
from groupings.actions.convention import convention_freeze
from groupings.clauses.articles import shipped_texts
from groupings.conventions.render import render_common, render_member
from groupings.conventions.values import from_json
from groupings.library import conventions_using, published_text, published_texts, texts_of
from groupings.models import ClauseDraft, ClauseVersion, Convention
from groupings.models.clause import ClauseIsAppendOnly
from members.roles import Role
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.journal.models import JournalEntry
from tests.support.clauses import NOW, make_version, shipped
from tests.support.factories import make_affiliation, make_metropole, make_organisation, make_territory

pytestmark = pytest.mark.django_db
KEY = "responsabilite"
NEW = shipped(KEY).body + "<p><b>11.3</b> Les membres s’informent de tout sinistre.</p>\n"


class Desk:
    """One métropole, its grouping, and its jurist at work on article 11."""

    def __init__(self):
        self.metropole, self.grouping = make_territory(members=1, lots=1)
        self.jurist = make_affiliation(self.metropole, Role.JURIST)
        self.buyer = make_affiliation(self.metropole, Role.BUYER)

    def save(self, body=NEW, seen="", actor=None, title="Responsabilité", minutes=0):
        now = NOW + timedelta(minutes=minutes)
        return clause_draft_save(
            territory=self.metropole, key=KEY, title=title, body=body, seen=seen, actor=actor or self.jurist, now=now
        )

    def publish(self, note="Sinistres", seen=None, actor=None):
        draft = ClauseDraft.objects.filter(territory=self.metropole, key=KEY).first()
        mark = seen if seen is not None else draft.mark if draft else ""
        return clause_publish(
            territory=self.metropole, key=KEY, note=note, seen=mark, actor=actor or self.jurist, now=NOW
        )

    def freeze(self) -> Convention:
        self.grouping.refresh_from_db()
        return convention_freeze(grouping=self.grouping, actor=self.jurist, now=NOW)


@pytest.fixture
def desk():
    return Desk()


def test_before_anything_is_published_the_shipped_text_is_in_force(desk):
    assert published_texts(desk.metropole.pk) == shipped_texts()
    assert not ClauseVersion.objects.exists()  # reading writes nothing
    library_open(desk.metropole.pk)
    library_open(desk.metropole.pk)
    assert ClauseVersion.objects.count() == 20
    assert published_texts(desk.metropole.pk) == shipped_texts()


def test_a_wrong_text_is_kept_with_its_problems(desk):
    draft, problems = desk.save("<p>Texte inachevé {{ coordinateur }}")
    assert draft.body == "<p>Texte inachevé {{ coordinateur }}\n"
    assert len(problems) == 2 and problems[0].line == 1
    assert published_text(desk.metropole.pk, KEY).body == shipped(KEY).body
    with pytest.raises(BusinessError, match=r"Article\xa011, ligne 1, colonne 1\xa0: .* \(1 autre à corriger\)"):
        desk.publish()
    draft.refresh_from_db()
    assert draft.body.startswith("<p>Texte inachevé")


def test_a_text_of_forty_pages_is_kept_and_not_published(desk):
    endless = "<p>" + "Une phrase juridique. " * 6000 + "</p>"
    draft, problems = desk.save(endless)
    assert len(draft.body) > 130_000 and "ne peut pas dépasser" in problems[0].message
    with pytest.raises(BusinessError, match="ne peut pas dépasser"):
        desk.publish()


def test_publishing_makes_the_next_version_and_removes_the_draft(desk):
    desk.save()
    version = desk.publish(note="  Sinistres  à déclarer ")
    assert (version.number, version.note, version.published_by) == (2, "Sinistres à déclarer", str(desk.jurist))
    assert published_text(desk.metropole.pk, KEY).body == NEW
    assert not ClauseDraft.objects.exists()
    entry = JournalEntry.objects.get(verb="clause.publish")
    assert entry.thread == "clause:responsabilite" and entry.reason == "Sinistres à déclarer"
    assert entry.before["version"] == 1 and entry.after["version"] == 2


def test_publishing_asks_for_a_note_a_draft_and_a_change(desk):
    with pytest.raises(BusinessError, match="pas de projet à publier"):
        desk.publish()
    draft, _ = desk.save()
    with pytest.raises(BusinessError, match="motif") as refusal:
        desk.publish(note="  ")
    assert refusal.value.field == "note"
    with pytest.raises(BusinessError, match="500 signes"):
        desk.publish(note="x" * 501)
    desk.save(shipped(KEY).body, seen=draft.mark)
    with pytest.raises(BusinessError, match="identique au texte en vigueur"):
        desk.publish()


def test_what_the_layout_refuses_is_not_published_and_the_draft_stays(desk):
    desk.save(NEW + "<table><tr><td>" + "Une cellule sans fin. " * 700 + "</td></tr></table>\n")
    with pytest.raises(BusinessError, match="plus haut qu’une page"):
        desk.publish()
    assert ClauseDraft.objects.count() == 1


def test_a_field_that_would_no_longer_be_printed_is_refused(desk):
    body = shipped("litiges").body.replace("{{ tribunal }}", "tribunal compétent")
    common = {"territory": desk.metropole, "key": "litiges", "actor": desk.jurist, "now": NOW}
    draft, problems = clause_draft_save(title="Litiges", body=body, seen="", **common)
    assert "le département, qui désigne le tribunal" in problems[0].message
    with pytest.raises(BusinessError, match="«\xa0tribunal\xa0»"):
        clause_publish(note="Motif", seen=draft.mark, **common)


def test_the_second_writer_is_told_who_wrote_and_loses_nothing(desk):
    other = make_affiliation(desk.metropole, Role.JURIST)
    draft, _ = desk.save()
    seen = draft.mark
    desk.save(NEW + "<p>De l’autre.</p>\n", seen=seen, actor=other, minutes=5)
    with pytest.raises(DraftChanged, match="a enregistré ce projet à 11:05") as refusal:
        desk.save(NEW + "<p>Du premier.</p>\n", seen=seen, minutes=6)
    assert str(other) in refusal.value.message and "De l’autre" in refusal.value.current.body
    with pytest.raises(DraftChanged):
        desk.publish(seen=seen)
    # Knowing it, the first writes over.
    draft, _ = desk.save(NEW, seen=refusal.value.current.mark, minutes=7)
    assert draft.body == NEW


def test_a_draft_published_meanwhile_is_told_and_another_one_is_never_mistaken_for_it(desk):
    draft, _ = desk.save()
    seen = draft.mark
    desk.publish()
    with pytest.raises(DraftChanged, match="publié ou abandonné") as refusal:
        desk.save(NEW + "<p>x</p>\n", seen=seen)
    assert refusal.value.current is None
    desk.save(NEW + "<p>Un nouveau projet.</p>\n")
    with pytest.raises(DraftChanged):
        desk.save(NEW + "<p>y</p>\n", seen=seen)


def test_the_same_text_twice_is_one_draft_and_the_text_in_force_none(desk):
    assert desk.save(shipped(KEY).body)[0] is None
    draft, _ = desk.save()
    again, _ = desk.save(NEW.replace("\n", "\r\n"), seen=draft.mark, minutes=3)
    assert again.version == 1 and ClauseDraft.objects.count() == 1


def test_dropping_a_draft_keeps_its_text_in_the_journal(desk):
    draft, _ = desk.save()
    common = {"territory": desk.metropole, "key": KEY, "actor": desk.jurist, "now": NOW}
    with pytest.raises(DraftChanged):
        clause_draft_drop(seen="0.0", **common)
    clause_draft_drop(seen=draft.mark, **common)
    clause_draft_drop(seen=draft.mark, **common)  # twice is once
    assert JournalEntry.objects.get(verb="clause.drop").before["body"] == NEW


def test_an_old_version_comes_back_as_a_draft(desk):
    desk.save()
    desk.publish()
    common = {"territory": desk.metropole, "key": KEY, "actor": desk.jurist, "now": NOW}
    with pytest.raises(BusinessError, match="déjà le texte en vigueur"):
        clause_restore(number=2, **common)
    draft = clause_restore(number=1, **common)
    assert draft.body == shipped(KEY).body
    with pytest.raises(BusinessError, match="Un projet est déjà en cours"):
        clause_restore(number=1, **common)
    assert desk.publish(note="Retour").number == 3
    with pytest.raises(LookupError):
        clause_restore(number=9, **common)


def test_only_a_jurist_of_the_metropole_writes(desk):
    commune = make_organisation("commune", parent=desk.metropole)
    stranger = make_affiliation(make_metropole(), Role.JURIST)
    people = [
        desk.buyer,
        make_affiliation(commune, Role.JURIST),
        stranger,
        make_affiliation(desk.metropole, Role.FINANCE),
    ]
    desk.save()
    for person in people:
        with pytest.raises(NotAllowed):
            desk.save(NEW + "<p>x</p>\n", actor=person)
        with pytest.raises(NotAllowed):
            desk.publish(actor=person)
        with pytest.raises(NotAllowed):
            clause_draft_drop(territory=desk.metropole, key=KEY, seen="", actor=person, now=NOW)
        with pytest.raises(NotAllowed):
            clause_restore(territory=desk.metropole, key=KEY, number=1, actor=person, now=NOW)


def test_a_published_version_is_never_changed_nor_removed(desk):
    version = make_version(desk.metropole, shipped(KEY))
    version.title = "Autre"
    attempts = [
        version.save,
        version.delete,
        lambda: ClauseVersion.objects.update(title="x"),
        lambda: ClauseVersion.objects.all().delete(),
        lambda: ClauseVersion.objects.bulk_update([version], ["title"]),
        lambda: ClauseVersion.objects.bulk_create(
            [version], update_conflicts=True, update_fields=["title"], unique_fields=["id"]
        ),
    ]
    for attempt in attempts:
        with pytest.raises(ClauseIsAppendOnly):
            attempt()


def test_a_stored_text_that_was_tampered_with_is_not_printed(desk):
    convention = desk.freeze()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE groupings_clauseversion SET body = %s WHERE key = %s", ["<p>Autre</p>", KEY])
    with pytest.raises(ValueError, match="n’est pas celui qui a été publié"):
        texts_of(convention)


def document_sha256(convention: Convention) -> str:
    values = from_json(convention.values)
    common = render_common(values, texts_of(convention))
    return hashlib.sha256(render_member(values, common, values.coordinator_siren)).hexdigest()


def test_publishing_a_clause_never_changes_a_convention_already_made(desk):
    first = desk.freeze()
    assert [row["version"] for row in first.clauses] == [1] * 20
    before = document_sha256(first)
    desk.save()
    desk.publish()
    first.refresh_from_db()
    assert document_sha256(first) == before
    second = desk.freeze()
    assert second.version == 2 and second.text_sha256 != first.text_sha256
    assert {row["key"]: row["version"] for row in second.clauses}[KEY] == 2
    assert document_sha256(second) != before
    assert desk.freeze() == second  # nothing changed: the same version
    assert document_sha256(Convention.objects.get(pk=first.pk)) == before
    jurist = desk.jurist
    assert conventions_using(KEY, 1, jurist) == [first] and conventions_using(KEY, 2, jurist) == [second]
    assert conventions_using("objet", 1, jurist) == [second, first]


def test_a_convention_made_before_the_library_is_printed_with_version_1(desk):
    convention = desk.freeze()
    Convention.objects.filter(pk=convention.pk).update(clauses=[])
    convention.refresh_from_db()
    desk.save()
    desk.publish()
    assert texts_of(convention) == shipped_texts()
    assert conventions_using(KEY, 1, desk.jurist) == [convention]


def test_the_migration_gives_former_conventions_their_articles(desk):
    convention = desk.freeze()
    approved = convention.text_sha256
    Convention.objects.update(clauses=[], text_sha256=from_json(convention.values).text_sha256)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM groupings_clauseversion")
    import_module("groupings.migrations.0014_clauses_fill").fill(apps, None)
    convention.refresh_from_db()
    assert convention.text_sha256 == approved and len(convention.clauses) == 20
    assert ClauseVersion.objects.filter(territory=desk.metropole, number=1).count() == 20
    assert desk.freeze() == convention


def test_each_territory_has_its_own_text(desk):
    other = Desk()
    desk.save()
    desk.publish()
    assert published_text(other.metropole.pk, KEY).body == shipped(KEY).body
    assert not ClauseVersion.objects.visible_to(other.jurist).exists()
    assert not ClauseDraft.objects.visible_to(desk.buyer).exists()
    assert ClauseVersion.objects.visible_to(desk.buyer).count() == 21
    commune = make_organisation("commune", parent=desk.metropole)
    assert not ClauseVersion.objects.visible_to(make_affiliation(commune, Role.BUYER)).exists()


def test_the_title_of_a_grouping_is_escaped_in_its_clauses(desk):
    desk.grouping.title = "Papier <b>recyclé</b> & {{ tribunal }}"
    desk.grouping.save()
    convention = desk.freeze()
    common = render_common(from_json(convention.values), texts_of(convention))
    text = " ".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(common.pdf)).pages)
    assert "<b>recyclé</b>" in " ".join(text.split())
    assert "{{ tribunal }}" in " ".join(text.split())


@pytest.mark.django_db(transaction=True)
def test_a_version_number_is_given_once():
    desk = Desk()
    make_version(desk.metropole, replace(shipped(KEY), version=2))
    with pytest.raises(IntegrityError):
        make_version(desk.metropole, replace(shipped(KEY), version=2))
