"""The text of an amendment, and the convention as it reads on any day."""

import io
from datetime import date, timedelta

import pytest
from pypdf import PdfReader

from groupings.conventions.amended import consolidated, values_on
from groupings.conventions.amendment_text import amendment_html, render_amendment
from groupings.conventions.amendment_values import amended, from_json
from groupings.conventions.values import from_json as convention_from_json
from tests.support.amendments import TODAY, final, in_force, make_scene

pytestmark = pytest.mark.django_db


def test_the_same_values_give_the_same_bytes_which_are_those_kept():
    scene = make_scene()
    amendment = final(scene, "join", organisation=scene.newcomer, effective_on=date(2027, 4, 1))
    values = from_json(amendment.values)
    with amendment.file.open("rb") as stream:
        kept = stream.read()
    assert render_amendment(values) == kept
    text = " ".join(page.extract_text() for page in PdfReader(io.BytesIO(kept)).pages)
    flat = " ".join(text.split())
    assert "AVENANT N° 1" in flat
    assert "Commune nouvelle" in flat
    assert "Toutes les autres clauses de la convention demeurent inchangées" in flat
    assert PdfReader(io.BytesIO(kept)).metadata.title.startswith("Avenant n°")


def test_every_paragraph_that_changes_is_found_by_comparing_the_two_texts():
    scene = make_scene()
    join = final(scene, "join", organisation=scene.newcomer)
    assert [change["paragraph"] for change in join.changes] == ["2.1"]
    assert "réunit les 3 membres" in join.changes[0]["before"].replace("\u00a0", " ")
    assert "réunit les 4 membres" in join.changes[0]["after"].replace("\u00a0", " ")
    length = final(scene, "duration", new_duration_months=60, new_extension_count=0, new_extension_months=0)
    assert [change["paragraph"] for change in length.changes] == ["3.1", "12.2"]
    assert "pour une durée de 60 mois" in length.changes[1]["after"].replace("\u00a0", " ")


def test_what_a_person_typed_is_escaped():
    scene = make_scene()
    amendment = final(scene, "object", new_title="Papier <b>gras</b> & colle", reason="Parce que <i>oui</i>")
    html = amendment_html(from_json(amendment.values))
    assert "<b>gras</b>" not in html
    assert "&lt;b&gt;gras&lt;/b&gt; &amp; colle" in html
    assert "Parce que &lt;i&gt;oui&lt;/i&gt;" in html


def test_the_convention_reads_as_it_was_the_day_before_and_as_it_is_the_day_after():
    scene = make_scene(members=3)
    in_force(scene, "object", new_title="Papier recyclé")
    in_force(scene, "leave", today=date(2027, 3, 10), organisation=scene.members[3].organisation)
    before, between = values_on(scene.convention, TODAY - timedelta(days=1)), values_on(scene.convention, TODAY)
    after = values_on(scene.convention, date(2027, 3, 10))
    assert before == convention_from_json(scene.convention.values)
    assert (between.title, len(between.members)) == ("Papier recyclé", 4)
    assert (after.title, len(after.members)) == ("Papier recyclé", 3)
    assert after.problems() == []
    text = consolidated(scene.convention, date(2027, 3, 10))
    marks = {marked.section.key: marked.marks for marked in text.sections if marked.marks}
    leave = ("modifié par l’avenant n°\u00a02 du 10/03/2027",)
    assert marks == {
        "article-1": ("modifié par l’avenant n°\u00a01 du 01/03/2027",),
        # Its needs leave with it: the coordinator updates the statement (article 14.1).
        **dict.fromkeys(("parties", "article-2", "article-3", "annexe-1", "annexe-2", "annexe-3"), leave),
    }
    assert len([m for m in text.sections if m.section.is_article]) == 19


def test_the_fees_are_shared_between_the_members_of_that_day_to_the_cent():
    scene = make_scene(members=2, fee_rule="EQUAL_SHARES", fee_base=100)
    amendment = final(scene, "join", organisation=scene.newcomer)
    after = amended(convention_from_json(scene.convention.values), from_json(amendment.values))
    assert [str(share.amount) for share in after.fees.shares] == ["25.00"] * 4


def test_an_amendment_applied_twice_changes_nothing_more():
    scene = make_scene()
    frozen = from_json(final(scene, "join", organisation=scene.newcomer).values)
    once = amended(convention_from_json(scene.convention.values), frozen)
    assert amended(once, frozen) == once
