"""The pages of one grouping, as links: those the reader may open, in the order of a grouping's life."""

from dataclasses import dataclass

from django.urls import reverse

from groupings.actions.renewal import RENEWABLE
from groupings.choices import FeeRule
from groupings.execution import IN_USE
from groupings.models import Grouping
from groupings.views.common import may_change, sees_all

#: Tab → the addresses it stands for besides its own.
_UNDER = {
    "grouping_detail": (
        "grouping_change grouping_advance lot_create lot_change lot_remove membership_create membership_change "
        "membership_link reminders_send kit_send grouping_launch_without convention_generate"
    ),
    "campaign_open": "campaign_announce campaign_reopen",
    "needs_table": "needs_change needs_receipt needs_import lot_bounds",
    "convention_page": (
        "convention_advance convention_comment convention_answer convention_consolidated "
        "signatures signatures_together signature_circuit signature_detail signature_sign signature_deposit "
        "amendments amendment amendment_create amendment_change amendment_step amendment_sign amendment_unsign "
        "joining_forms joining_form_create joining_form_change joining_form_sign joining_form_accept "
        "joining_form_refuse convention_reading convention_reading_member convention_negotiated convention_prior "
        "convention_resume"
    ),
    "procedure_page": "small_lot_decide",
    "back_planning": "back_planning_adopt",
    "consultation": (
        "consultation_close question_add question_answer consultation_deposit consultation_relaunch award_change "
        "award_dates award_shares"
    ),
    "contracts": (
        "contract contract_extend price_list price_list_template contact_create contact_change contact_remove "
        "contract_document_add contract_document_drop"
    ),
    "consumption": "consumption_lines consumption_undo",
    "fees": "fees_year fee_expense_create fee_expense_change fees_approve fees_issue fund_call",
    "savings_grouping": (
        "savings_costs cost_create cost_change cost_remove off_contract_create off_contract_change off_contract_remove"
    ),
    "savings_entry": (
        "baseline_create baseline_change baseline_replace baseline_price baseline_remove baseline_freeze line_create "
        "line_change line_take_back lines_submit price_lines_upload"
    ),
    "meetings": "meeting_create meeting_change meeting_remove",
    "grouping_renew": "",
}
_TAB_OF = {name: tab for tab, names in _UNDER.items() for name in (tab, *names.split())}


@dataclass(frozen=True)
class Tab:
    """One page of a grouping. ``current``: ``page`` for the page shown, ``true`` for one below it, else empty."""

    label: str
    url: str
    current: str


def grouping_tabs(grouping: Grouping, affiliation, shown: str) -> list[Tab]:
    """The pages of ``grouping`` that ``affiliation`` may open; ``shown`` is the name of the address being read.

    No query: what a member is told of the procedure comes with ``GroupingQuerySet.with_told_procedure``. Empty where
    there is one page only, as for a grouping that is merely declared.
    """
    if affiliation is None or grouping.is_declared_only:
        return []
    changes, everything = may_change(grouping, affiliation), sees_all(grouping, affiliation)
    is_told = grouping.is_in_preparation and getattr(grouping, "is_procedure_told", False)
    offered = (
        ("grouping_detail", "Fiche", True),
        ("campaign_open", "Recensement", changes and grouping.is_in_preparation),
        ("needs_table", "Besoins" if everything else "Vos besoins", True),
        ("procedure_page", "Procédure", everything or is_told),
        ("convention_page", "Convention", True),
        ("back_planning", "Rétroplanning", True),
        ("consultation", "Consultation et attribution", grouping.is_launched),
        ("contracts", "Marchés", grouping.status in IN_USE),
        ("consumption", "Consommation", grouping.status in IN_USE),
        ("fees", "Frais" if everything else "Vos frais", everything or grouping.fee_rule != FeeRule.FREE),
        ("savings_entry", "Prix de référence", True),
        ("savings_grouping", "Économies" if everything else "Vos économies", grouping.is_launched),
        ("meetings", "Réunions", True),
        (
            "grouping_renew",
            "Renouvellement",
            changes and grouping.status in RENEWABLE,
        ),
    )
    return [
        Tab(label, _url(name, grouping.pk), _current(name, shown)) for name, label, is_offered in offered if is_offered
    ]


def _url(tab: str, pk: int) -> str:
    # The contracts are listed on the grouping's own page.
    return f"{reverse('grouping_detail', args=[pk])}#execution" if tab == "contracts" else reverse(tab, args=[pk])


def _current(tab: str, shown: str) -> str:
    if tab == shown:
        return "page"
    return "true" if _TAB_OF.get(shown) == tab else ""
