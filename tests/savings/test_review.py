"""Four eyes: who decides of a line, what is asked of it, and what validating it posts."""

from decimal import Decimal

import pytest
from django.db import connection

from members.roles import Role
from procurement.core.actors import SystemActor
from procurement.core.errors import BusinessError, NotAllowed, TransitionRefused
from procurement.core.journal.models import JournalEntry
from savings.actions.locks import year_lock
from savings.actions.review import line_decide, lines_validate
from savings.models import Baseline, LedgerEntry, PriceLine
from tests.savings.review_world import NOW, make_review
from tests.support.factories import make_affiliation, make_organisation
from tests.support.savings import make_baseline

pytestmark = pytest.mark.django_db


@pytest.fixture
def review():
    return make_review()


def decide(line, actor, step="validate", **extra):
    return line_decide(line=line, step=step, actor=actor, now=NOW, **extra)


def test_finance_validates_and_the_gain_is_posted(review):
    """domain.md § 8, M1: 1 000 × (4.80 − 3.60) = 1 200.00 over the twelve months of 2026."""
    line = decide(review.line(), review.finance)
    assert (line.status, line.decided_by, line.decided_at, line.version) == ("VALIDATED", review.finance.user, NOW, 2)
    entry = LedgerEntry.objects.get()
    assert (entry.line_id, entry.year, entry.months, entry.budget_gain_cents) == (line.pk, 2026, 12, 120_000)
    told = JournalEntry.objects.get(verb="price_line.validate")
    assert told.before["status"] == "SUBMITTED"
    assert (told.after["status"], told.after["line"]) == ("VALIDATED", line.pk)
    assert told.concerns == review.membership.organisation


@pytest.mark.parametrize("step", ["return", "reject"])
def test_a_refusal_asks_for_its_reason_and_posts_nothing(review, step):
    line = review.line()
    with pytest.raises(TransitionRefused, match="Indiquez le motif"):
        decide(line, review.finance, step)
    decided = decide(line, review.finance, step, reason="La facture est illisible.")
    assert decided.status == {"return": "RETURNED", "reject": "REJECTED"}[step]
    assert decided.decision_reason == "La facture est illisible."
    assert not LedgerEntry.objects.exists()
    told = JournalEntry.objects.get(verb=f"price_line.{step}")
    assert told.reason == "La facture est illisible."
    assert told.concerns == review.metropole  # a line not validated is told to no member


@pytest.mark.parametrize("role", [Role.BUYER, Role.JURIST, Role.READER, Role.ADMINISTRATOR])
def test_only_finance_decides(review, role):
    with pytest.raises(NotAllowed):
        decide(review.line(), make_affiliation(review.metropole, role))


def test_finance_of_a_member_decides_nothing_of_its_métropole(review):
    commune = make_affiliation(review.membership.organisation, Role.FINANCE)
    with pytest.raises(NotAllowed):
        decide(review.line(), commune)


@pytest.mark.parametrize("step", ["validate", "return", "reject"])
@pytest.mark.parametrize("part", ["entered_by", "submitted_by"])
def test_nobody_decides_of_its_own_work(review, part, step):
    line = review.line(**{part: review.finance.user})
    with pytest.raises(BusinessError, match="Une autre personne des finances doit décider"):
        decide(line, review.finance, step, reason="Motif.")
    assert decide(line, review.colleague, step, reason="Motif.").decided_by == review.colleague.user


def test_nor_of_a_reference_it_entered(review):
    line = review.line(review.baseline(entered_by=review.finance.user))
    with pytest.raises(BusinessError, match="référence saisie par vous"):
        decide(line, review.finance)


def test_a_person_with_two_roles_is_one_person(review):
    both = make_affiliation(review.metropole, Role.FINANCE, user=review.buyer.user)
    with pytest.raises(BusinessError, match="saisie par vous"):
        decide(review.line(), both)


def test_no_command_validates(review):
    with pytest.raises(BusinessError, match="une personne des finances"):
        decide(review.line(), SystemActor("Reprise", territory_id=review.metropole.pk))


@pytest.mark.parametrize(
    ("reference", "sentence"),
    [
        ({"is_frozen": False}, "n’est pas figée"),
        ({"is_confirmed": False}, "n’est pas confirmée par le membre"),
        ({"is_confirmed": False, "objection": "Prix hors remise."}, "n’est pas d’accord"),
        ({"is_replaced": True}, "a été remplacée"),
    ],
)
def test_what_the_reference_must_be(review, reference, sentence):
    line = review.line(review.baseline(**reference))
    with pytest.raises(BusinessError, match=sentence):
        decide(line, review.finance)
    assert not LedgerEntry.objects.exists()
    assert decide(line, review.finance, "return", reason="À compléter.").status == "RETURNED"


def test_a_grade_a_whose_file_is_lost_is_not_validated(review):
    line = review.line()
    evidence = line.baseline.evidence
    evidence.file.storage.delete(evidence.file.name)
    with pytest.raises(BusinessError, match="preuve est introuvable"):
        decide(line, review.finance)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [({"price": None}, "manque un prix"), ({"starts_on": None}, "date d’effet"), ({"months": None}, "durée")],
)
def test_an_incomplete_line_is_not_validated(review, fields, sentence):
    with pytest.raises(BusinessError, match=sentence):
        decide(review.line(**fields), review.finance)


def test_amounts_that_are_not_those_of_the_prices_are_refused(review):
    line = review.line()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE savings_priceline SET budget_gain = 9999 WHERE id = %s", [line.pk])
    with pytest.raises(BusinessError, match="Ses montants ne sont pas ceux de ses prix"):
        decide(PriceLine.objects.get(pk=line.pk), review.finance)
    assert PriceLine.objects.get(pk=line.pk).status == "SUBMITTED"


def test_a_price_that_is_no_more_the_references_is_refused(review):
    line = review.line(price_before=Decimal("5.80"))
    with pytest.raises(BusinessError, match="n’est plus celui de la référence"):
        decide(line, review.finance)


def test_a_second_click_is_the_first(review):
    line = review.line()
    assert decide(line, review.finance).pk == decide(line, review.finance).pk
    assert LedgerEntry.objects.count() == 1
    assert JournalEntry.objects.filter(verb="price_line.validate").count() == 1


def test_the_second_of_two_people_is_told(review):
    line = review.line()
    decide(line, review.finance, "return", reason="Illisible.")
    with pytest.raises(BusinessError, match="a changé pendant votre lecture") as refused:
        decide(line, review.colleague)
    assert review.finance.actor_label in str(refused.value)
    assert "renvoyée à l’acheteur" in str(refused.value)


def test_a_draft_is_not_decided(review):
    with pytest.raises(TransitionRefused, match="Brouillon"):
        decide(review.line(status="DRAFT"), review.finance)


def test_a_loss_is_kept(review):
    """domain.md § 8, M3: 100 × (3.50 − 3.60) = −10.00."""
    line = review.line(review.baseline("3.50", "100"), comment="Perte d’un membre bien servi auparavant.")
    decide(line, review.finance)
    assert LedgerEntry.objects.get().budget_gain_cents == -1_000


def test_in_a_locked_year_the_gain_counts_in_the_first_open_one(review):
    line = review.line()
    year_lock(territory=review.metropole, year=2026, actor=review.colleague, now=NOW)
    decide(line, review.finance)
    entry = LedgerEntry.objects.get()
    assert (entry.origin_year, entry.year) == (2026, 2027)


def test_several_at_once_each_have_their_own_outcome(review):
    good = review.line(review.baseline(designation="Papier A4"))
    own = review.line(review.baseline(designation="Papier A3"), entered_by=review.finance.user)
    unconfirmed = review.line(review.baseline(designation="Enveloppes", is_confirmed=False))
    other = review.line(review.baseline(designation="Classeurs"))
    outcomes = lines_validate(lines=[good, own, unconfirmed, other], actor=review.finance, now=NOW)
    assert [bool(outcome.refusal) for outcome in outcomes] == [False, True, True, False]
    assert "saisie par vous" in outcomes[1].refusal
    assert "confirmée" in outcomes[2].refusal
    assert set(LedgerEntry.objects.values_list("line", flat=True)) == {good.pk, other.pk}
    assert list(PriceLine.objects.awaiting_finance().order_by("pk")) == [own, unconfirmed]


def test_several_at_once_outside_the_right_write_nothing(review):
    with pytest.raises(NotAllowed):
        lines_validate(lines=[review.line()], actor=review.buyer, now=NOW)
    assert not LedgerEntry.objects.exists()


def test_a_commune_that_coordinates_validates_its_own_groupings(review):
    """A member body that coordinates a grouping itself holds the right there, and there alone."""
    from tests.support.factories import make_grouping, make_lot, make_membership

    commune = make_organisation(parent=review.metropole)
    grouping = make_grouping(commune)
    membership, lot = make_membership(grouping, commune), make_lot(grouping)
    baseline = make_baseline(membership, lot)
    finance = make_affiliation(commune, Role.FINANCE)
    assert decide(review.line(baseline), finance).status == "VALIDATED"
    assert LedgerEntry.objects.get().territory == review.metropole


def test_a_reference_that_replaces_another_is_not_counted_beside_it(review):
    """The validated line of the replaced reference still counts: its correction takes its place, another line not."""
    first = decide(review.line(), review.finance)
    Baseline.objects.filter(pk=first.baseline_id).update(is_replaced=True)
    new = review.baseline("4.70", designation="Ramette A4", replaces=first.baseline)
    with pytest.raises(BusinessError, match=f"La ligne n°\u00a0{first.pk} compte déjà cet achat"):
        decide(review.line(new), review.finance)
    assert decide(review.line(new, stage="REALISED"), review.finance).status == "VALIDATED"
    PriceLine.objects.filter(baseline=new, stage="AWARDED").delete()
    assert decide(review.line(new, corrects=first), review.finance).status == "VALIDATED"
