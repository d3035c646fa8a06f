"""A grouping launched before consultations were recorded gets one by the migration, and goes on."""

from datetime import UTC, datetime
from importlib import import_module

import pytest
from django.apps import apps

from groupings.actions.consultation import consultation_close
from tests.support.factories import make_grouping
from tests.support.tenders import LAUNCHED, decide, make_tender

pytestmark = pytest.mark.django_db
migration = import_module("groupings.migrations.0005_award")


@pytest.mark.parametrize("status", ["award", "consultation"])
def test_it_can_be_dated_closed_and_awarded(status):
    tender = make_tender(status=status)
    tender.consultation.delete()
    declared = make_grouping(
        tender.metropole, status="performance", is_declared_only=True, declaring_department="Énergie"
    )
    make_grouping(tender.metropole)
    migration.open_former_consultations(apps, None)
    migration.open_former_consultations(apps, None)  # twice is once
    opened = tender.grouping.consultations.get()
    assert (opened.launched_on, opened.member_count, opened.lots.count()) == (LAUNCHED, 3, 2)
    assert not declared.consultations.exists()
    due = datetime(2026, 3, 15, 11, tzinfo=UTC)
    opened.offers_due_at = due
    opened.save()
    opened.grouping = tender.grouping
    tender.consultation = consultation_close(consultation=opened, actor=tender.buyer, now=due)
    tender.grouping.refresh_from_db()
    assert tender.grouping.status == "award"
    assert decide(tender).award.pk
