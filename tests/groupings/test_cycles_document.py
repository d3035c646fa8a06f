"""docs/cycles.md is made from the tables of the code: it says what the code does."""

from pathlib import Path

from groupings.amendment_workflow import AMENDMENT_WORKFLOW
from groupings.convention_workflow import CONVENTION_WORKFLOW
from groupings.workflow import DELIBERATION_WORKFLOW, FEE_STATEMENT_WORKFLOW, GROUPING_WORKFLOW
from members.roles import Role
from savings.workflow import LINE_WORKFLOW

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "cycles.md"


def test_the_document_shows_the_life_cycle_of_a_grouping():
    assert GROUPING_WORKFLOW.markdown(dict(Role.choices)) in DOCUMENT.read_text(encoding="utf-8")


def test_the_document_shows_the_life_cycle_of_a_deliberation():
    assert DELIBERATION_WORKFLOW.markdown(dict(Role.choices)) in DOCUMENT.read_text(encoding="utf-8")


def test_the_document_shows_the_life_cycle_of_a_convention():
    assert CONVENTION_WORKFLOW.markdown(dict(Role.choices)) in DOCUMENT.read_text(encoding="utf-8")


def test_the_document_shows_the_life_cycle_of_a_line_of_gain():
    assert LINE_WORKFLOW.markdown(dict(Role.choices)) in DOCUMENT.read_text(encoding="utf-8")


def test_the_document_shows_the_life_cycle_of_a_statement_of_fees():
    assert FEE_STATEMENT_WORKFLOW.markdown(dict(Role.choices)) in DOCUMENT.read_text(encoding="utf-8")


def test_the_document_shows_the_life_cycle_of_an_amendment():
    assert AMENDMENT_WORKFLOW.markdown(dict(Role.choices)) in DOCUMENT.read_text(encoding="utf-8")
