"""The fees of a grouping: expenses entered by the buyer, statements of a year approved by finance."""

from datetime import date, datetime

from django.db import transaction
from django.utils import timezone
from djmoney.money import Money

from groupings.actions.files import grouping_file_deposit
from groupings.choices import FeeNature, FeeRule, FeeStatementStatus
from groupings.fees import Draft, draft_of
from groupings.models import FeeExpense, FeeStatement, Grouping, GroupingDocument
from groupings.workflow import FEE_STATEMENT_WORKFLOW
from members.roles import require, require_territory
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.journal.record import delete_recorded, save_recorded
from procurement.core.money import format_euros

CHANGED = "Les frais de cette année ont changé pendant votre lecture\u00a0: relisez-les avant de les arrêter."


def fee_expense_save(
    *,
    expense: FeeExpense,
    actor: Actor,
    today: date,
    seen: datetime | None = None,
    evidence: tuple[bytes, str] | None = None,
) -> FeeExpense:
    """Add or change an expense no statement has counted. ``evidence``: (content, filename) of what proves it.

    ``seen``: when the person's copy was written, for a change. Raises NotAllowed, BusinessError or django's
    ValidationError by field.
    """
    require_fees(actor, "fees.prepare", expense.grouping)
    with transaction.atomic():
        grouping = lock_grouping(expense.grouping)
        expense.clean_fields(exclude=["entered_label"])
        if expense.pk:
            stored = _pending(expense.pk)
            if seen is not None and stored.changed_at != seen:
                raise BusinessError("Cette dépense a changé pendant votre saisie\u00a0: rechargez la page.")
        else:
            expense.entered_by_id, expense.entered_label = actor.user_id, actor.actor_label[:200]
        expense.changed_by_id = actor.user_id
        _check(expense, grouping, today)
        if evidence is not None:
            content, filename = evidence
            expense.evidence = grouping_file_deposit(
                grouping=grouping,
                content=content,
                filename=filename,
                kind=GroupingDocument.Kind.FEE_EVIDENCE,
                actor=actor,
            )
        save_recorded(
            expense,
            actor=actor,
            verb="fees.expense",
            sentence=(
                f"Frais {expense.year}\u00a0: {expense.label}, {format_euros(expense.amount_excl_tax.amount)} HT"
            ),
        )
    return expense


def _check(expense: FeeExpense, grouping: Grouping, today: date) -> None:
    if expense.amount_excl_tax is None:
        raise BusinessError("Indiquez le montant.", field="amount_excl_tax")
    if expense.spent_on > today:
        raise BusinessError(f"Le {expense.spent_on:%d/%m/%Y} n’est pas encore venu.", field="spent_on")
    if expense.spent_on < grouping.opened_on:
        raise BusinessError(
            f"Le groupement n’est ouvert que depuis le {grouping.opened_on:%d/%m/%Y}.", field="spent_on"
        )
    if expense.is_litigation:
        if not grouping.is_launched:
            raise BusinessError(
                "Aucune consultation n’est lancée\u00a0: il n’y a pas encore de contentieux de la passation.",
                field="nature",
            )
    elif grouping.fee_rule == FeeRule.FREE:
        raise BusinessError(
            "Ce groupement est gratuit pour ses membres\u00a0: seuls les frais d’un contentieux se partagent "
            "(article 10).",
            field="nature",
        )
    if expense.lot_id:
        if expense.lot.grouping_id != grouping.pk:
            raise BusinessError("Ce lot appartient à un autre groupement.", field="lot")
        if expense.nature != FeeNature.LITIGATION:
            raise BusinessError("Seul un contentieux se rattache à un lot.", field="lot")


def fee_expense_remove(*, expense: FeeExpense, actor: Actor) -> None:
    """Remove an expense no statement has counted; twice is once."""
    require_fees(actor, "fees.prepare", expense.grouping)
    with transaction.atomic():
        lock_grouping(expense.grouping)
        if not FeeExpense.objects.filter(pk=expense.pk).exists():
            return
        delete_recorded(
            _pending(expense.pk),
            actor=actor,
            verb="fees.expense.remove",
            sentence=f"Frais {expense.year}\u00a0: dépense retirée, {expense.label}",
        )


def _pending(pk: int) -> FeeExpense:
    stored = FeeExpense.objects.select_for_update(of=("self",)).select_related("grouping").filter(pk=pk).first()
    if stored is None:
        raise BusinessError("Cette dépense a été retirée entre-temps.")
    if stored.is_counted:
        raise BusinessError(
            f"Cette dépense compte dans l’état arrêté de {stored.year}\u00a0: elle ne change plus. Corrigez-la par une "
            "nouvelle dépense, négative pour un avoir."
        )
    return stored


def fee_statement_approve(
    *,
    grouping: Grouping,
    year: int,
    actor: Actor,
    now: datetime,
    expected_sha256: str,
    ceiling_agreement: str = "",
    reason: str = "",
) -> FeeStatement:
    """Freeze the fees of one year as finance has read them; with a statement already there, replace it.

    ``expected_sha256``: the fingerprint of what was read. ``ceiling_agreement``: the decision by which the members
    accept to pass the ceiling (article 10.2). ``reason``: why a former statement is corrected. Raises NotAllowed, or
    BusinessError: nothing to approve, no key, ceiling passed, expenses entered by the approver.
    """
    require_fees(actor, "fees.approve", grouping)
    with transaction.atomic():
        grouping = lock_grouping(grouping)
        draft = draft_of(grouping, year)
        current = (
            grouping.fee_statements.select_for_update()
            .filter(year=year)
            .exclude(status=FeeStatementStatus.REPLACED)
            .first()
        )
        _check_approvable(draft, current, actor, now, expected_sha256, ceiling_agreement)
        if current is not None:
            FEE_STATEMENT_WORKFLOW.advance(current, "replace", role=actor.role, reason=reason)
            current.save(update_fields=["status"])
        shared = draft.shared
        statement = FeeStatement(
            grouping=grouping,
            year=year,
            number=current.number + 1 if current else 1,
            rule=shared.rule,
            is_provisional=shared.is_provisional,
            values=draft.values,
            sha256=draft.sha256,
            total=Money(shared.total, "EUR"),
            operating_total=Money(shared.operating_total, "EUR"),
            ceiling_agreement=_agreement(draft, current, ceiling_agreement),
            reason=reason.strip() if current else "",
            approved_at=now,
            approved_by_id=actor.user_id,
            approved_label=actor.actor_label[:200],
        )
        save_recorded(
            statement,
            actor=actor,
            verb="fees.replace" if current else "fees.approve",
            sentence=(
                f"État des frais {year} {'corrigé' if current else 'arrêté'}\u00a0: {format_euros(shared.total)} HT, "
                f"version {statement.number}, empreinte {statement.sha256[:12]}"
            ),
            reason=statement.reason or statement.ceiling_agreement,
        )
        FeeExpense.objects.filter(pk__in=[expense.pk for expense in draft.pending]).update(statement=statement)
    return statement


def _agreement(draft: Draft, current: FeeStatement | None, typed: str) -> str:
    """The decision that lets the ceiling be passed: the one just given, else that of the statement corrected."""
    if draft.needs_agreement(current):
        return " ".join(typed.split())
    return current.ceiling_agreement if current is not None and draft.excess else ""


def _check_approvable(
    draft: Draft,
    current: FeeStatement | None,
    actor: Actor,
    now: datetime,
    expected_sha256: str,
    ceiling_agreement: str,
) -> None:
    if draft.year > timezone.localtime(now).year:
        raise BusinessError(f"L’année {draft.year} n’est pas commencée.")
    if draft.problem:
        raise BusinessError(draft.problem)
    if draft.is_empty and current is None:
        raise BusinessError(f"Aucune dépense n’est saisie pour {draft.year}\u00a0: il n’y a rien à arrêter.")
    if current is not None and not draft.differs_from(current):
        raise BusinessError(
            f"L’état des frais {draft.year} est déjà arrêté, et rien n’a changé depuis\u00a0: il n’y a rien à corriger."
        )
    if draft.sha256 != expected_sha256:
        raise BusinessError(CHANGED)
    authors = {pk for expense in draft.pending for pk in (expense.entered_by_id, expense.changed_by_id)}
    if actor.user_id is not None and actor.user_id in authors:
        raise BusinessError(
            "Vous avez saisi des dépenses de cet état\u00a0: une autre personne des finances doit l’arrêter."
        )
    if draft.needs_agreement(current) and not ceiling_agreement.strip():
        raise BusinessError(
            f"Les frais du groupement dépasseraient leur plafond de {format_euros(draft.excess)}\u00a0: indiquez la "
            "décision par laquelle les membres l’acceptent (article 10.2).",
            field="ceiling_agreement",
        )


def require_fees(actor: Actor, right: str, grouping: Grouping) -> None:
    """Raise NotAllowed unless ``actor`` holds ``right`` on behalf of the coordinator of ``grouping``."""
    require(actor, right, organisation_id=grouping.coordinator_id)
    require_territory(actor, grouping.territory_id)


def lock_grouping(grouping: Grouping) -> Grouping:
    """As it is now: nothing is spent, approved nor issued in between. Raises BusinessError when it is only declared."""
    found = Grouping.objects.select_for_update(of=("self",)).select_related("coordinator").get(pk=grouping.pk)
    if found.is_declared_only:
        raise BusinessError("Ce groupement est suivi par une autre direction\u00a0: ses frais ne se suivent pas ici.")
    return found
