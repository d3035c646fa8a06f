"""The fees of a grouping: year by year, the expenses and what each member owes of them. A member reads its own line."""

from datetime import date
from decimal import Decimal

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_safe

from groupings.actions.fees import fee_expense_remove, fee_expense_save, fee_statement_approve
from groupings.choices import FeeNature, FeeRule, FeeStatementStatus
from groupings.fees import (
    YEAR_COLUMNS,
    Draft,
    calls_of_year,
    current_statements,
    draft_of,
    key_label,
    lines_of,
)
from groupings.forms.fees import ApproveFeesForm, FeeExpenseForm, IssueCallsForm
from groupings.models import FeeExpense, FeeStatement, Grouping
from groupings.views.common import find_grouping, sees_all
from members.roles import may, require
from procurement.core.calendar import add_months
from procurement.core.errors import NotAllowed
from procurement.core.exports import export_response
from procurement.core.money import ZERO
from procurement.core.submission import posted, posted_or_back, submit
from procurement.core.uploads import PDF_MAX_BYTES
from procurement.core.views.lists import EXPORTS, wants_export

FORM_METHODS = ["GET", "HEAD", "POST"]
FIRST_YEAR, LAST_YEAR = 2000, 2100


def may_prepare(grouping: Grouping, affiliation) -> bool:
    """Buyers, jurists and finance of the coordinator enter expenses and send the calls."""
    return _may(grouping, affiliation, "fees.prepare")


def may_approve(grouping: Grouping, affiliation) -> bool:
    """Finance of the coordinator approves, and follows the payments."""
    return _may(grouping, affiliation, "fees.approve")


def _may(grouping: Grouping, affiliation, right: str) -> bool:
    return (
        not grouping.is_declared_only
        and sees_all(grouping, affiliation)
        and may(affiliation, right, organisation_id=grouping.coordinator_id)
    )


def require_prepare(grouping: Grouping, affiliation) -> None:
    """Raise NotAllowed (403) unless ``may_prepare``."""
    if not may_prepare(grouping, affiliation):
        raise NotAllowed(
            "Les frais du groupement sont suivis par l’acheteur, le juriste ou les finances du coordonnateur."
        )


def require_approve(grouping: Grouping, affiliation) -> None:
    """Raise NotAllowed (403) unless ``may_approve``."""
    if not may_approve(grouping, affiliation):
        raise NotAllowed(
            "Les frais du groupement sont arrêtés, et leurs règlements suivis, par les finances du coordonnateur."
        )


@require_safe
def fees(request: HttpRequest, pk: int) -> HttpResponse:
    """The rule, the ceiling and the years. A member sees the years approved, with its own share."""
    grouping = find_grouping(request, pk)
    everything, affiliation = sees_all(grouping, request.affiliation), request.affiliation
    statements = current_statements(grouping)
    spent: dict[int, Decimal] = {}
    if everything:
        for expense in grouping.fee_expenses.all():
            spent[expense.year] = spent.get(expense.year, ZERO) + expense.amount_excl_tax.amount
    years = [
        {
            "year": year,
            "spent": spent.get(year, ZERO),
            "is_spent": year in spent,
            "statement": statements.get(year),
            "own": _own_share(statements.get(year), affiliation),
        }
        for year in sorted({*spent, *statements, *({timezone.localdate().year} if everything else ())}, reverse=True)
    ]
    approved = sum((statement.operating_total.amount for statement in statements.values()), ZERO)
    ceiling = None if grouping.fee_ceiling is None else grouping.fee_ceiling.amount
    convention = grouping.conventions.values_list("version", "values__fees__rule").first()
    context = {
        "grouping": grouping,
        "years": years,
        "sees_all": everything,
        "may_prepare": may_prepare(grouping, affiliation),
        "is_free": grouping.fee_rule == FeeRule.FREE,
        "is_flat": grouping.fee_rule == FeeRule.FLAT_FEE,
        "approved": approved,
        "left": None if ceiling is None else ceiling - approved,
        "changed_since": convention[0] if convention and convention[1] not in (None, grouping.fee_rule) else None,
        "convention_rule": FeeRule(convention[1]).label if convention and convention[1] in FeeRule else "",
    }
    return render(request, "groupings/fees.html", context)


def _own_share(statement: FeeStatement | None, affiliation) -> Decimal | None:
    if statement is None or affiliation is None:
        return None
    siren = affiliation.organisation.siren
    return sum((Decimal(share["amount"]) for share in statement.values["shares"] if share["siren"] == siren), ZERO)


@require_safe
def fees_year(request: HttpRequest, pk: int, year: int) -> HttpResponse:
    """The statement of one year, or its draft for the coordinator's people; ``?export=`` gives its lines."""
    grouping = find_grouping(request, pk)
    page = YearPage(request, grouping, year)
    if wants_export(request):
        require(request.affiliation, "export")
        return export_response(
            request.GET["export"],
            YEAR_COLUMNS,
            page.lines,
            title=f"Frais {year}",
            filename=f"frais_{year}_{grouping.reference}_{timezone.localdate():%Y-%m-%d}",
            created_at=timezone.now(),
        )
    return page.render()


class YearPage:
    """The page of one year: approved lines where there is a statement, those of the draft else."""

    def __init__(self, request: HttpRequest, grouping: Grouping, year: int):
        if not FIRST_YEAR <= year <= LAST_YEAR:
            raise Http404
        self.request, self.grouping, self.year = request, grouping, year
        self.everything = sees_all(grouping, request.affiliation)
        statements = list(grouping.fee_statements.filter(year=year))
        self.former = [s for s in statements if s.status == FeeStatementStatus.REPLACED]
        self.statement = next((s for s in statements if s.status != FeeStatementStatus.REPLACED), None)
        if not self.everything and self.statement is None:
            raise Http404  # a draft is the coordinator's own
        self.draft: Draft | None = draft_of(grouping, year) if self.everything else None
        self.calls = calls_of_year(grouping, year, request.affiliation)
        values = self.statement.values if self.statement else self.draft.values
        own = request.affiliation.organisation.siren if request.affiliation else ""
        self.lines = [
            line for line in (lines_of(values, self.calls) if values else []) if self.everything or line.siren == own
        ]
        self.values = values

    @property
    def is_changed(self) -> bool:
        """Whether something has happened since the statement."""
        return bool(self.draft and self.statement and self.draft.differs_from(self.statement))

    @property
    def may_approve_now(self) -> bool:
        draft = self.draft
        ready = draft is not None and not draft.problem and (self.is_changed if self.statement else not draft.is_empty)
        return ready and may_approve(self.grouping, self.request.affiliation)

    def approve_form(self, data=None) -> ApproveFeesForm:
        return ApproveFeesForm(
            data,
            initial={"sha256": self.draft.sha256},
            is_over=self.draft.needs_agreement(self.statement),
            is_correction=self.statement is not None,
            use_required_attribute=False,
        )

    def issue_form(self, data=None) -> IssueCallsForm:
        return IssueCallsForm(
            data, initial={"due_on": add_months(timezone.localdate(), 1)}, use_required_attribute=False
        )

    def render(self, *, approve_form=None, issue_form=None) -> HttpResponse:
        grouping, statement, lines = self.grouping, self.statement, self.lines
        refused = approve_form is not None or issue_form is not None
        if approve_form is None and self.may_approve_now:
            approve_form = self.approve_form()
        is_callable = statement is not None and statement.status == FeeStatementStatus.APPROVED
        if issue_form is None and is_callable and may_prepare(grouping, self.request.affiliation):
            issue_form = self.issue_form()
        rule = statement.rule if statement else grouping.fee_rule
        is_provisional = bool(self.values and self.values["is_provisional"])
        context = {
            "grouping": grouping,
            "year": self.year,
            "statement": statement,
            "former": self.former,
            "draft": self.draft,
            "is_changed": self.is_changed,
            "needs_agreement": bool(self.draft and self.draft.needs_agreement(self.statement)),
            "expenses": self._expenses(),
            "expenses_total": sum((amount for *_, amount in self._expenses()), ZERO),
            "lines": lines,
            "sums": {
                name: sum((getattr(line, name) for line in lines), ZERO)
                for name in ("operating", "litigation", "amount", "called", "paid", "to_call")
            },
            "has_litigation": any(line.litigation for line in lines),
            "is_free": rule == FeeRule.FREE,
            "is_flat": rule == FeeRule.FLAT_FEE,
            "rule_label": FeeRule(rule).label,
            "key_label": key_label(rule, is_provisional=is_provisional),
            "is_provisional": is_provisional,
            "calls": [call for line in lines for call in line.calls],
            "missing_files": sum(not call.file for call in self.calls),
            "sees_all": self.everything,
            "may_prepare": may_prepare(grouping, self.request.affiliation),
            "may_approve": may_approve(grouping, self.request.affiliation),
            "approve_form": approve_form,
            "issue_form": issue_form,
            "exports": EXPORTS if lines and may(self.request.affiliation, "export") else (),
        }
        return render(self.request, "groupings/fees_year.html", context, status=422 if refused else 200)

    def _expenses(self) -> list[tuple]:
        """(row or None, nature, label, date, lot, amount): those of the draft, or what the statement printed."""
        if self.draft is not None:
            return [
                (e, e.get_nature_display(), e.label, e.spent_on, e.lot and e.lot.number, e.amount_excl_tax.amount)
                for e in self.draft.expenses
            ]
        return [
            (
                None,
                FeeNature(e["nature"]).label,
                e["label"],
                date.fromisoformat(e["spent_on"]),
                e["lot"],
                Decimal(e["amount"]),
            )
            for e in self.values["expenses"]
        ]


@posted_or_back("fees_year", "pk", "year")
def fees_approve(request: HttpRequest, pk: int, year: int) -> HttpResponse:
    """Finance freezes the year, or corrects it; a refusal is told on the page."""
    grouping = find_grouping(request, pk)
    require_approve(grouping, request.affiliation)
    page = YearPage(request, grouping, year)
    form = page.approve_form(request.POST)

    def write() -> None:
        typed = form.cleaned_data
        fee_statement_approve(
            grouping=grouping,
            year=year,
            actor=request.affiliation,
            now=timezone.now(),
            expected_sha256=typed["sha256"],
            ceiling_agreement=typed.get("ceiling_agreement", ""),
            reason=typed.get("reason", ""),
        )

    if submit(form, write):
        messages.success(request, f"État des frais {year} arrêté.")
        return redirect("fees_year", pk, year)
    return page.render(approve_form=form)


def _expense(request: HttpRequest, grouping: Grouping, expense_pk: int) -> FeeExpense:
    found = FeeExpense.objects.visible_to(request.affiliation).filter(grouping=grouping)
    expense = get_object_or_404(found.select_related("lot", "evidence"), pk=expense_pk)
    expense.grouping = grouping
    return expense


@require_http_methods(FORM_METHODS)
def fee_expense_create(request: HttpRequest, pk: int) -> HttpResponse:
    grouping = find_grouping(request, pk)
    require_prepare(grouping, request.affiliation)
    return _edit(request, grouping, FeeExpense(grouping=grouping), {}, "Ajouter une dépense")


@require_http_methods(FORM_METHODS)
def fee_expense_change(request: HttpRequest, pk: int, expense_pk: int) -> HttpResponse:
    """An expense already counted says that it does not change any more."""
    grouping = find_grouping(request, pk)
    require_prepare(grouping, request.affiliation)
    expense = _expense(request, grouping, expense_pk)
    if expense.is_counted and request.method != "POST":
        messages.warning(
            request, f"Cette dépense compte dans l’état arrêté de {expense.year}\u00a0: elle ne change plus."
        )
        return redirect("fees_year", pk, expense.year)
    return _edit(request, grouping, expense, FeeExpenseForm.initial_of(expense), "Modifier une dépense")


def _edit(request: HttpRequest, grouping: Grouping, expense: FeeExpense, initial: dict, title: str) -> HttpResponse:
    form = FeeExpenseForm(
        posted(request), request.FILES or None, grouping=grouping, initial=initial, use_required_attribute=False
    )

    def write() -> None:
        upload = form.cleaned_data["file"]
        fee_expense_save(
            expense=form.fill(expense),
            actor=request.affiliation,
            today=timezone.localdate(),
            seen=form.cleaned_data["seen"],
            evidence=(upload.read(PDF_MAX_BYTES + 1), upload.name) if upload else None,
        )

    if request.method == "POST" and submit(form, write):
        messages.success(request, f"Dépense enregistrée\u00a0: {expense.label}.")
        return redirect("fees_year", grouping.pk, expense.year)
    back = reverse("fees_year", args=[grouping.pk, expense.year]) if expense.pk else reverse("fees", args=[grouping.pk])
    context = {"grouping": grouping, "form": form, "title": title, "back_url": back, "evidence": expense.evidence}
    return render(request, "groupings/fee_expense_form.html", context, status=422 if form.is_bound else 200)


@posted_or_back("fees", "pk")
def fee_expense_drop(request: HttpRequest, pk: int, expense_pk: int) -> HttpResponse:
    """A second click finds it gone, and comes back to the page all the same."""
    grouping = find_grouping(request, pk)
    require_prepare(grouping, request.affiliation)
    found = FeeExpense.objects.visible_to(request.affiliation).filter(grouping=grouping, pk=expense_pk)
    expense = found.select_related("grouping").first()
    if expense is None:
        return redirect("fees", pk)
    fee_expense_remove(expense=expense, actor=request.affiliation)
    messages.success(request, f"Dépense retirée\u00a0: {expense.label}.")
    return redirect("fees_year", pk, expense.year)
