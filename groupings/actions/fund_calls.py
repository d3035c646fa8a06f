"""The calls for funds of an approved statement: numbered, issued once, made as PDF, then followed to their payment."""

import hashlib
from collections.abc import Sequence
from datetime import date
from typing import Any

from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from djmoney.money import Money

from groupings.actions.fees import lock_grouping, require_fees
from groupings.choices import FeeStatementStatus
from groupings.fees import Line, calls_of_year, lines_of
from groupings.fund_call_print import render_call
from groupings.models import FeeStatement, FundCall
from groupings.models.fees import call_path
from groupings.workflow import FEE_STATEMENT_WORKFLOW
from members.models import Organisation
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError
from procurement.core.jobs import runner
from procurement.core.jobs.models import Job
from procurement.core.journal.record import record, save_recorded
from procurement.core.money import ZERO, format_euros
from procurement.core.uploads import write_aside_and_move

JOB_KIND = "groupings.fund_calls"


def fund_calls_issue(
    *, statement: FeeStatement, actor: Actor, today: date, due_on: date, ring_bell: bool = True
) -> Job | None:
    """Number and keep one call per member for the difference with its former calls of that year, and ask for the PDFs.

    The coordinator, which advanced the fees, is not called; a negative difference is given back. Asked twice, the calls
    are issued once: only the PDFs still missing are made. Returns the job, None when no PDF is to be made. Raises
    NotAllowed or BusinessError.
    """
    grouping = statement.grouping
    require_fees(actor, "fees.prepare", grouping)
    with transaction.atomic():
        lock_grouping(grouping)
        stored = FeeStatement.objects.select_for_update(of=("self",)).select_related("grouping__coordinator")
        stored = stored.get(pk=statement.pk)
        if stored.status != FeeStatementStatus.CALLED:
            if due_on < today:
                raise BusinessError("La date limite ne peut pas précéder l’émission de l’appel.", field="due_on")
            FEE_STATEMENT_WORKFLOW.advance(stored, "issue", role=actor.role)
            _issue(stored, actor, today, due_on)
            stored.save(update_fields=["status"])
        statement.status = stored.status
        if not stored.calls.filter(file="").exists():
            return None
        return runner.enqueue(
            kind=JOB_KIND,
            label=f"Appels de fonds {stored.year} de {grouping.reference} – {grouping.title}",
            actor=actor,
            organisation_id=actor.organisation_id or grouping.coordinator_id,
            parameters={"statement": stored.pk, "grouping": grouping.pk, "year": stored.year},
            dedupe_key=f"{JOB_KIND}:{stored.pk}",
            ring_bell=ring_bell,
        )


def _issue(statement: FeeStatement, actor: Actor, today: date, due_on: date) -> None:
    grouping = statement.grouping
    # One lock for all the numbers of a coordinator: two groupings issued at once follow each other.
    coordinator = Organisation.objects.select_for_update().get(pk=grouping.coordinator_id)
    last = FundCall.objects.filter(coordinator=coordinator, year=today.year).aggregate(last=Max("number"))["last"] or 0
    lines = lines_of(statement.values, calls_of_year(grouping, statement.year, everybody=True))
    memberships = {m.pk: m for m in grouping.memberships.select_related("organisation")}
    due = [line for line in lines if line.to_call]
    for number, line in enumerate(due, start=last + 1):
        membership = memberships[line.membership_id]
        membership.grouping = grouping
        call = FundCall(
            statement=statement,
            membership=membership,
            coordinator=coordinator,
            year=today.year,
            number=number,
            amount_excl_tax=Money(line.to_call, "EUR"),
            issued_on=today,
            due_on=due_on,
            issued_label=actor.actor_label[:200],
            values=printed_values(statement, coordinator, membership.organisation, line, lines),
        )
        what = "Somme à rendre" if line.to_call < 0 else "Appel de fonds"
        save_recorded(
            call,
            actor=actor,
            verb="fees.call",
            sentence=f"{what} {call.reference}, {line.name}\u00a0: {format_euros(abs(line.to_call))} HT",
        )
    record(
        actor=actor,
        territory_id=grouping.territory_id,
        thread=grouping.thread,
        concerns_id=grouping.coordinator_id,
        verb="fees.issue",
        sentence=f"Appels de fonds {statement.year} émis\u00a0: {len(due)}",
        before={"status": FeeStatementStatus.APPROVED.value},
        after={"status": FeeStatementStatus.CALLED.value},
    )


def printed_values(
    statement: FeeStatement, coordinator: Organisation, body: Organisation, line: Line, lines: Sequence[Line]
) -> dict[str, Any]:
    """All that the PDF of a call says, besides its own columns."""
    values = statement.values
    return {
        "grouping": values["grouping"],
        "coordinator": _address(coordinator),
        "member": _address(body),
        "rule": values["rule"],
        "is_provisional": values["is_provisional"],
        "statement": {
            "year": statement.year,
            "number": statement.number,
            "sha256": statement.sha256,
            "approved_on": timezone.localtime(statement.approved_at).date().isoformat(),
            "reason": statement.reason,
            "ceiling_agreement": statement.ceiling_agreement,
        },
        "expenses": values["expenses"],
        "operating_total": values["operating_total"],
        "total": values["total"],
        "weight": str(line.weight),
        "weight_total": str(sum((one.weight for one in lines), ZERO)),
        "operating": str(line.operating),
        "litigation": str(line.litigation),
        "share": str(line.amount),
        "former": [{"reference": call.reference, "amount": str(call.amount_excl_tax.amount)} for call in line.calls],
    }


def _address(body: Organisation) -> dict[str, str]:
    return {
        "name": body.name,
        "siren": body.siren,
        "siret": body.siret,
        "address": body.address,
        "place": f"{body.postcode} {body.city}".strip(),
    }


def fund_call_follow(
    *, call: FundCall, title_reference: str, paid_on: date | None, actor: Actor, today: date
) -> FundCall:
    """Write down the number of the titre de recettes (of the mandat for a sum given back), and the day it was paid.

    Finance does it ("fees.approve"). Raises NotAllowed, BusinessError or ValidationError by field.
    """
    grouping = call.membership.grouping
    require_fees(actor, "fees.approve", grouping)
    with transaction.atomic():
        stored = FundCall.objects.select_for_update(of=("self",)).select_related("membership__grouping")
        stored = stored.get(pk=call.pk)
        if paid_on is not None and paid_on > today:
            raise BusinessError(f"Le {paid_on:%d/%m/%Y} n’est pas encore venu.", field="paid_on")
        if paid_on is not None and paid_on < stored.issued_on:
            raise BusinessError(
                f"Un règlement ne précède pas l’émission de l’appel, le {stored.issued_on:%d/%m/%Y}.", field="paid_on"
            )
        title = " ".join(title_reference.split())
        if paid_on is not None and not title:
            raise BusinessError(
                "Indiquez le numéro du mandat." if stored.is_refund else "Indiquez le numéro du titre de recettes.",
                field="title_reference",
            )
        before = {"title_reference": stored.title_reference, "paid_on": stored.paid_on and stored.paid_on.isoformat()}
        stored.title_reference, stored.paid_on = title, paid_on
        after = {"title_reference": title, "paid_on": paid_on and paid_on.isoformat()}
        if after == before:
            return stored
        stored.full_clean()
        stored.save(update_fields=["title_reference", "paid_on"])
        thread, territory_id, concerns_id = stored.journal_scope
        paid = f", réglé le {paid_on:%d/%m/%Y}" if paid_on else ""
        record(
            actor=actor,
            territory_id=territory_id,
            thread=thread,
            concerns_id=concerns_id,
            verb="fees.follow",
            sentence=f"{stored.reference}\u00a0: {title or 'titre effacé'}{paid}",
            before=before,
            after=after,
        )
    return stored


@runner.register(JOB_KIND)
class FundCallJob:
    """One PDF per call of a statement, from its frozen values."""

    def items(self, job: Job) -> list[str]:
        calls = FundCall.objects.filter(statement=job.parameters["statement"])
        return [str(pk) for pk in calls.order_by("number").values_list("pk", flat=True)]

    def begin(self, job: Job, pending: list[str]) -> None:
        return None

    def make(self, job: Job, shared: None, key: str) -> bytes | None:
        call = FundCall.objects.get(pk=key)
        return None if call.file and default_storage.exists(call.file.name) else render_call(call)

    def keep(self, job: Job, shared: None, key: str, made: bytes | None) -> None:
        if made is None:
            return
        call = FundCall.objects.get(pk=key)
        call.file = write_aside_and_move(call_path(call, ""), made)
        call.sha256 = hashlib.sha256(made).hexdigest()
        call.save(update_fields=["file", "sha256"])

    def finish(self, job: Job, shared: None) -> str:
        count = FundCall.objects.filter(statement=job.parameters["statement"]).count()
        s = "s" if count > 1 else ""
        return f"{count} appel{s} de fonds produit{s}."
