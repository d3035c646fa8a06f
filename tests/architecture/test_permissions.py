"""Who may open what: every address of the URLconf × every person, for GET and for POST.

The table is the specification. An address that is not in it fails the suite: whoever adds a screen says who may see it.
"""

import pytest
from django.db import transaction
from django.urls import reverse

from members.models import User
from tests.support.urlconf import addresses
from tests.support.world import make_world

#: The columns of the table, in its order. The objects of the addresses are those of the métropole « ici »: its
#: grouping, and the card, needs and calendar of its member commune.
PEOPLE = {
    "anonymous": "nobody is signed in",
    "buyer": "buyer of the métropole",
    "jurist": "jurist of the métropole",
    "finance": "finance of the métropole",
    "reader": "reader of the métropole",
    "administrator": "administrator of the métropole",
    "member_agent": "agent of the member commune",
    "neighbour": "agent of a commune outside the grouping",
    "commune_buyer": "buyer of that commune",
    "stranger": "buyer of another métropole",
    "nobody": "an account without any role",
}
#: Statuses: 200 a page, 302 done or sign in first, 403 seen but not allowed, 404 outside the perimeter, 405 not this
#: method, 422 allowed and the empty form refused with its sentences.
#:                                  anon buyer jur. fin. read adm. agent neigh c.buy strang nobody
TABLE = """
home                        GET      302  200  200  200  200  200  200  200  200  200  200
home                        POST     302  405  405  405  405  405  405  405  405  405  405
grouping_list               GET      302  200  200  200  200  200  200  200  200  200  200
grouping_list               POST     302  405  405  405  405  405  405  405  405  405  405
grouping_create             GET      302  200  200  403  403  403  403  403  403  200  403
grouping_create             POST     302  422  422  403  403  403  403  403  403  422  403
grouping_create_declared    GET      302  200  200  403  403  403  403  403  403  200  403
grouping_create_declared    POST     302  422  422  403  403  403  403  403  403  422  403
grouping_detail             GET      302  200  200  200  200  200  200  404  404  404  404
grouping_detail             POST     302  405  405  405  405  405  405  405  405  405  405
grouping_change             GET      302  200  200  403  403  403  403  404  404  404  404
grouping_change             POST     302  422  422  403  403  403  403  404  404  404  404
grouping_advance            GET      302  302  302  302  302  302  302  302  302  302  302
grouping_advance            POST     302  422  422  403  403  403  403  404  404  404  404
grouping_launch_without     GET      302  409  409  403  403  403  403  404  404  404  404
grouping_launch_without     POST     302  409  409  403  403  403  403  404  404  404  404
kit_send                    GET      302  200  200  403  403  403  403  404  404  404  404
kit_send                    POST     302  422  422  403  403  403  403  404  404  404  404
kit_document                GET      302  200  200  200  200  200  200  404  404  404  404
kit_document                POST     302  405  405  405  405  405  405  405  405  405  405
kit_archive                 GET      302  200  200  200  200  200  200  404  404  404  404
kit_archive                 POST     302  405  405  405  405  405  405  405  405  405  405
reminders_send              GET      302  302  302  302  302  302  302  302  302  302  302
reminders_send              POST     302  422  422  403  403  403  403  404  404  404  404
mail_list                   GET      302  200  200  200  200  200  200  200  200  200  200
mail_list                   POST     302  405  405  405  405  405  405  405  405  405  405
clause_list                 GET      302  200  200  403  403  403  403  403  403  200  403
clause_list                 POST     302  405  405  405  405  405  405  405  405  405  405
clause                      GET      302  200  200  403  403  403  403  403  403  200  403
clause                      POST     302  403  422  403  403  403  403  403  403  403  403
clause_drop                 GET      302  302  302  302  302  302  302  302  302  302  302
clause_drop                 POST     302  403  302  403  403  403  403  403  403  403  403
clause_preview              GET      302  200  200  403  403  403  403  403  403  200  403
clause_preview              POST     302  405  405  405  405  405  405  405  405  405  405
clause_preview_pdf          GET      302  200  200  403  403  403  403  403  403  200  403
clause_preview_pdf          POST     302  405  405  405  405  405  405  405  405  405  405
clause_differences          GET      302  200  200  403  403  403  403  403  403  200  403
clause_differences          POST     302  405  405  405  405  405  405  405  405  405  405
clause_version              GET      302  200  200  403  403  403  403  403  403  200  403
clause_version              POST     302  405  405  405  405  405  405  405  405  405  405
clause_restore              GET      302  302  302  302  302  302  302  302  302  302  302
clause_restore              POST     302  403  302  403  403  403  403  403  403  403  403
lot_create                  GET      302  200  200  403  403  403  403  404  404  404  404
lot_create                  POST     302  422  422  403  403  403  403  404  404  404  404
lot_change                  GET      302  200  200  403  403  403  403  404  404  404  404
lot_change                  POST     302  422  422  403  403  403  403  404  404  404  404
lot_remove                  GET      302  200  200  403  403  403  403  404  404  404  404
lot_remove                  POST     302  422  422  403  403  403  403  404  404  404  404
procedure_page              GET      302  200  200  200  200  200  200  404  404  404  404
procedure_page              POST     302  405  405  405  405  405  405  405  405  405  405
small_lot_decide            GET      302  302  302  302  302  302  302  302  302  302  302
small_lot_decide            POST     302  403  422  403  403  403  403  404  404  404  404
back_planning               GET      302  200  200  200  200  200  200  404  404  404  404
back_planning               POST     302  405  405  405  405  405  405  405  405  405  405
back_planning_adopt         GET      302  302  302  302  302  302  302  302  302  302  302
back_planning_adopt         POST     302  422  422  403  403  403  403  404  404  404  404
back_planning_ics           GET      302  200  200  200  200  200  200  404  404  404  404
back_planning_ics           POST     302  405  405  405  405  405  405  405  405  405  405
signatures                  GET      302  200  200  200  200  200  200  404  404  404  404
signatures                  POST     302  405  405  405  405  405  405  405  405  405  405
signatures_together         GET      302  302  302  302  302  302  302  302  302  302  302
signatures_together         POST     302  422  422  403  403  403  403  404  404  404  404
signature_circuit           GET      302  302  302  302  302  302  302  302  302  302  302
signature_circuit           POST     302  302  302  403  403  403  403  404  404  404  404
signature_detail            GET      302  200  200  200  200  200  200  404  404  404  404
signature_detail            POST     302  405  405  405  405  405  405  405  405  405  405
signature_sign              GET      302  302  302  302  302  302  302  302  302  302  302
signature_sign              POST     302  422  422  403  403  403  422  404  404  404  404
signature_deposit           GET      302  302  302  302  302  302  302  302  302  302  302
signature_deposit           POST     302  422  422  403  403  403  422  404  404  404  404
signature_file              GET      302  200  200  200  200  200  200  404  404  404  404
signature_file              POST     302  405  405  405  405  405  405  405  405  405  405
signing_copy                GET      302  200  200  200  200  200  200  404  404  404  404
signing_copy                POST     302  405  405  405  405  405  405  405  405  405  405
membership_create           GET      302  200  200  403  403  403  403  404  404  404  404
membership_create           POST     302  422  422  403  403  403  403  404  404  404  404
membership_change           GET      302  200  200  403  403  403  200  404  404  404  404
membership_change           POST     302  302  302  403  403  403  302  404  404  404  404
grouping_file               GET      302  200  200  200  200  200  200  404  404  404  404
grouping_file               POST     302  405  405  405  405  405  405  405  405  405  405
consultation                GET      302  200  200  200  200  200  200  404  404  404  404
consultation                POST     302  422  422  403  403  403  403  404  404  404  404
consultation_close          GET      302  302  302  302  302  302  302  302  302  302  302
consultation_close          POST     302  422  422  403  403  403  403  404  404  404  404
consultation_deposit        GET      302  302  302  302  302  302  302  302  302  302  302
consultation_deposit        POST     302  422  422  403  403  403  403  404  404  404  404
consultation_relaunch       GET      302  302  302  302  302  302  302  302  302  302  302
consultation_relaunch       POST     302  422  422  403  403  403  403  404  404  404  404
question_add                GET      302  302  302  302  302  302  302  302  302  302  302
question_add                POST     302  422  422  403  403  403  403  404  404  404  404
question_answer             GET      302  302  302  302  302  302  302  302  302  302  302
question_answer             POST     302  422  422  403  403  403  403  404  404  404  404
award_change                GET      302  200  200  403  403  403  403  404  404  404  404
award_change                POST     302  422  422  403  403  403  403  404  404  404  404
award_dates                 GET      302  200  200  403  403  403  403  404  404  404  404
award_dates                 POST     302  422  422  403  403  403  403  404  404  404  404
award_shares                GET      302  200  200  403  403  403  403  404  404  404  404
award_shares                POST     302  422  422  403  403  403  403  404  404  404  404
award_export                GET      302  200  200  200  200  200  403  404  404  404  404
award_export                POST     302  405  405  405  405  405  405  405  405  405  405
contract                    GET      302  200  200  200  200  200  200  404  404  404  404
contract                    POST     302  405  405  405  405  405  405  405  405  405  405
contract_extend             GET      302  302  302  302  302  302  302  302  302  302  302
contract_extend             POST     302  422  422  403  403  403  403  404  404  404  404
price_list                  GET      302  200  200  200  200  200  200  404  404  404  404
price_list                  POST     302  422  422  403  403  403  403  404  404  404  404
price_list_template         GET      302  200  200  403  403  403  403  404  404  404  404
price_list_template         POST     302  405  405  405  405  405  405  405  405  405  405
contact_create              GET      302  200  200  403  403  403  403  404  404  404  404
contact_create              POST     302  422  422  403  403  403  403  404  404  404  404
contact_change              GET      302  200  200  403  403  403  403  404  404  404  404
contact_change              POST     302  422  422  403  403  403  403  404  404  404  404
contact_remove              GET      302  302  302  302  302  302  302  302  302  302  302
contact_remove              POST     302  302  302  403  403  403  403  404  404  404  404
contract_document_add       GET      302  200  200  403  403  403  403  404  404  404  404
contract_document_add       POST     302  422  422  403  403  403  403  404  404  404  404
contract_document_drop      GET      302  302  302  302  302  302  302  302  302  302  302
contract_document_drop      POST     302  302  302  403  403  403  403  404  404  404  404
consumption                 GET      302  200  200  200  200  200  200  404  404  404  404
consumption                 POST     302  422  422  422  403  403  403  404  404  404  404
consumption_template        GET      302  200  200  200  403  403  403  404  404  404  404
consumption_template        POST     302  405  405  405  405  405  405  405  405  405  405
consumption_lines           GET      302  200  200  200  200  200  200  404  404  404  404
consumption_lines           POST     302  405  405  405  405  405  405  405  405  405  405
consumption_undo            GET      302  200  200  200  403  403  403  404  404  404  404
consumption_undo            POST     302  422  422  422  403  403  403  404  404  404  404
fees                        GET      302  200  200  200  200  200  200  404  404  404  404
fees                        POST     302  405  405  405  405  405  405  405  405  405  405
fees_year                   GET      302  200  200  200  200  200  200  404  404  404  404
fees_year                   POST     302  405  405  405  405  405  405  405  405  405  405
fees_approve                GET      302  302  302  302  302  302  302  302  302  302  302
fees_approve                POST     302  403  403  422  403  403  403  404  404  404  404
fees_issue                  GET      302  302  302  302  302  302  302  302  302  302  302
fees_issue                  POST     302  422  422  422  403  403  403  404  404  404  404
fund_call_archive           GET      302  200  200  200  200  200  200  404  404  404  404
fund_call_archive           POST     302  405  405  405  405  405  405  405  405  405  405
fee_expense_create          GET      302  200  200  200  403  403  403  404  404  404  404
fee_expense_create          POST     302  422  422  422  403  403  403  404  404  404  404
fee_expense_change          GET      302  200  200  200  403  403  403  404  404  404  404
fee_expense_change          POST     302  422  422  422  403  403  403  404  404  404  404
fee_expense_drop            GET      302  302  302  302  302  302  302  302  302  302  302
fee_expense_drop            POST     302  302  302  302  403  403  403  404  404  404  404
fund_call                   GET      302  200  200  200  200  200  200  404  404  404  404
fund_call                   POST     302  403  403  302  403  403  403  404  404  404  404
fund_call_pdf               GET      302  200  200  200  200  200  200  404  404  404  404
fund_call_pdf               POST     302  405  405  405  405  405  405  405  405  405  405
savings_home                GET      302  200  200  200  200  200  200  200  200  200  403
savings_home                POST     302  405  405  405  405  405  405  405  405  405  405
savings_lines               GET      302  200  200  200  200  200  200  200  200  200  403
savings_lines               POST     302  405  405  405  405  405  405  405  405  405  405
savings_bridge              GET      302  200  200  200  200  200  200  200  200  200  403
savings_bridge              POST     302  405  405  405  405  405  405  405  405  405  405
savings_grouping            GET      302  200  200  200  200  200  200  404  404  404  404
savings_grouping            POST     302  405  405  405  405  405  405  405  405  405  405
savings_costs               GET      302  200  200  200  200  200  200  404  404  404  404
savings_costs               POST     302  405  405  405  405  405  405  405  405  405  405
cost_create                 GET      302  200  200  200  403  403  403  404  404  404  404
cost_create                 POST     302  422  422  422  403  403  403  404  404  404  404
cost_change                 GET      302  200  200  200  403  403  403  404  404  404  404
cost_change                 POST     302  422  422  422  403  403  403  404  404  404  404
off_contract_create         GET      302  200  200  200  403  403  403  404  404  404  404
off_contract_create         POST     302  422  422  422  403  403  403  404  404  404  404
off_contract_change         GET      302  200  200  200  403  403  403  404  404  404  404
off_contract_change         POST     302  422  422  422  403  403  403  404  404  404  404
cost_remove                 GET      302  200  200  200  403  403  403  404  404  404  404
cost_remove                 POST     302  302  302  302  403  403  403  404  404  404  404
off_contract_remove         GET      302  200  200  200  403  403  403  404  404  404  404
off_contract_remove         POST     302  302  302  302  403  403  403  404  404  404  404
grouping_renew              GET      302  200  200  403  403  403  403  404  404  404  404
grouping_renew              POST     302  422  422  403  403  403  403  404  404  404  404
needs_table                 GET      302  200  200  200  200  200  200  404  404  404  404
needs_table                 POST     302  405  405  405  405  405  405  405  405  405  405
needs_workbook              GET      302  200  200  200  200  200  200  404  404  404  404
needs_workbook              POST     302  405  405  405  405  405  405  405  405  405  405
needs_import                GET      302  200  200  403  403  403  200  404  404  404  404
needs_import                POST     302  422  422  403  403  403  422  404  404  404  404
lot_bounds                  GET      302  302  302  302  302  302  302  302  302  302  302
lot_bounds                  POST     302  422  422  403  403  403  403  404  404  404  404
needs_change                GET      302  200  200  403  403  403  200  404  404  404  404
needs_change                POST     302  422  422  403  403  403  422  404  404  404  404
needs_receipt               GET      302  200  200  200  200  200  200  404  404  404  404
needs_receipt               POST     302  405  405  405  405  405  405  405  405  405  405
campaign_open               GET      302  200  200  403  403  403  403  404  404  404  404
campaign_open               POST     302  422  422  403  403  403  403  404  404  404  404
campaign_announce           GET      302  302  302  302  302  302  302  302  302  302  302
campaign_announce           POST     302  422  422  403  403  403  403  404  404  404  404
campaign_reopen             GET      302  302  302  302  302  302  302  302  302  302  302
campaign_reopen             POST     302  422  422  403  403  403  403  404  404  404  404
convention_page             GET      302  200  200  200  200  200  200  404  404  404  404
convention_page             POST     302  405  405  405  405  405  405  405  405  405  405
convention_advance          GET      302  302  302  302  302  302  302  302  302  302  302
convention_advance          POST     302  422  422  403  403  403  403  404  404  404  404
convention_comment          GET      302  302  302  302  302  302  302  302  302  302  302
convention_comment          POST     302  422  422  403  403  403  422  404  404  404  404
convention_answer           GET      302  302  302  302  302  302  302  302  302  302  302
convention_answer           POST     302  422  422  403  403  403  403  404  404  404  404
convention_generate         GET      302  302  302  302  302  302  302  302  302  302  302
convention_generate         POST     302  422  422  403  403  403  403  404  404  404  404
convention_document         GET      302  200  200  200  200  200  200  404  404  404  404
convention_document         POST     302  405  405  405  405  405  405  405  405  405  405
convention_archive          GET      302  200  200  200  200  200  200  404  404  404  404
convention_archive          POST     302  405  405  405  405  405  405  405  405  405  405
convention_reading          GET      302  200  200  200  200  200  200  404  404  404  404
convention_reading          POST     302  405  405  405  405  405  405  405  405  405  405
convention_reading_member   GET      302  200  200  200  200  200  200  404  404  404  404
convention_reading_member   POST     302  405  405  405  405  405  405  405  405  405  405
convention_word             GET      302  200  200  200  200  200  200  404  404  404  404
convention_word             POST     302  405  405  405  405  405  405  405  405  405  405
convention_word_archive     GET      302  200  200  200  200  200  200  404  404  404  404
convention_word_archive     POST     302  405  405  405  405  405  405  405  405  405  405
convention_negotiated       GET      302  200  200  403  403  403  403  404  404  404  404
convention_negotiated       POST     302  422  422  403  403  403  403  404  404  404  404
convention_prior            GET      302  200  200  403  403  403  403  404  404  404  404
convention_prior            POST     302  422  422  403  403  403  403  404  404  404  404
convention_resume           GET      302  302  302  302  302  302  302  302  302  302  302
convention_resume           POST     302  422  422  403  403  403  403  404  404  404  404
job_detail                  GET      302  200  200  200  200  200  404  404  404  404  404
job_detail                  POST     302  405  405  405  405  405  405  405  405  405  405
deliberation_list           GET      302  200  200  200  200  200  200  200  200  200  200
deliberation_list           POST     302  405  405  405  405  405  405  405  405  405  405
deliberation_detail         GET      302  200  200  200  200  200  200  404  404  404  404
deliberation_detail         POST     302  405  405  405  405  405  405  405  405  405  405
deliberation_step           GET      302  302  302  302  302  302  302  302  302  302  302
deliberation_step           POST     302  422  422  403  403  403  422  404  404  404  404
deliberation_deposit        GET      302  302  302  302  302  302  302  302  302  302  302
deliberation_deposit        POST     302  422  422  403  403  403  422  404  404  404  404
deliberation_document       GET      302  200  200  200  200  200  200  404  404  404  404
deliberation_document       POST     302  405  405  405  405  405  405  405  405  405  405
deliberation_override       GET      302  302  302  302  302  302  302  302  302  302  302
deliberation_override       POST     302  403  422  403  403  403  403  404  404  404  404
receipts_import             GET      302  200  200  403  403  403  200  200  200  200  403
receipts_import             POST     302  422  422  403  403  403  422  422  422  422  403
scdl_import                 GET      302  200  200  403  403  403  200  200  200  200  403
scdl_import                 POST     302  422  422  403  403  403  422  422  422  422  403
scdl_export                 GET      302  200  200  200  200  200  200  200  200  200  403
scdl_export                 POST     302  405  405  405  405  405  405  405  405  405  405
proposal_list               GET      302  200  200  200  200  200  200  200  200  200  200
proposal_list               POST     302  405  405  405  405  405  405  405  405  405  405
proposal_answer             GET      302  302  302  302  302  302  302  302  302  302  302
proposal_answer             POST     302  422  422  403  403  403  422  404  404  404  404
membership_link             GET      302  302  302  302  302  302  302  302  302  302  302
membership_link             POST     302  409  409  403  403  403  403  404  404  404  404
signed_link                 GET      200  200  200  200  200  200  200  200  200  200  200
signed_link                 POST     405  405  405  405  405  405  405  405  405  405  405
signed_link_needs           GET      200  200  200  200  200  200  200  200  200  200  200
signed_link_needs           POST     422  422  422  422  422  422  422  422  422  422  422
signed_link_convention      GET      200  200  200  200  200  200  200  200  200  200  200
signed_link_convention      POST     422  422  422  422  422  422  422  422  422  422  422
signed_link_receipt         GET      200  200  200  200  200  200  200  200  200  200  200
signed_link_receipt         POST     405  405  405  405  405  405  405  405  405  405  405
signed_link_evidence        GET      200  200  200  200  200  200  200  200  200  200  200
signed_link_evidence        POST     405  405  405  405  405  405  405  405  405  405  405
signed_link_document        GET      200  200  200  200  200  200  200  200  200  200  200
signed_link_document        POST     405  405  405  405  405  405  405  405  405  405  405
signed_link_reading         GET      200  200  200  200  200  200  200  200  200  200  200
signed_link_reading         POST     405  405  405  405  405  405  405  405  405  405  405
signed_link_step            GET      302  302  302  302  302  302  302  302  302  302  302
signed_link_step            POST     422  422  422  422  422  422  422  422  422  422  422
my_deliberations            GET      302  200  200  200  200  200  200  200  200  200  200
my_deliberations            POST     302  405  405  405  405  405  405  405  405  405  405
decp_export                 GET      302  200  200  200  200  200  403  403  403  200  403
decp_export                 POST     302  405  405  405  405  405  405  405  405  405  405
amendments                  GET      302  200  200  200  200  200  200  404  404  404  404
amendments                  POST     302  405  405  405  405  405  405  405  405  405  405
amendment                   GET      302  200  200  200  200  200  200  404  404  404  404
amendment                   POST     302  405  405  405  405  405  405  405  405  405  405
amendment_word              GET      302  200  200  200  200  200  200  404  404  404  404
amendment_word              POST     302  405  405  405  405  405  405  405  405  405  405
amendment_document          GET      302  200  200  200  200  200  200  404  404  404  404
amendment_document          POST     302  405  405  405  405  405  405  405  405  405  405
amendment_signed_copy       GET      302  200  200  200  200  200  200  404  404  404  404
amendment_signed_copy       POST     302  405  405  405  405  405  405  405  405  405  405
convention_consolidated     GET      302  200  200  200  200  200  200  404  404  404  404
convention_consolidated     POST     302  405  405  405  405  405  405  405  405  405  405
joining_forms               GET      302  200  200  200  200  200  200  404  404  404  404
joining_forms               POST     302  405  405  405  405  405  405  405  405  405  405
joining_form_pdf            GET      302  200  200  200  200  200  200  404  404  404  404
joining_form_pdf            POST     302  405  405  405  405  405  405  405  405  405  405
joining_form_file           GET      302  200  200  200  200  200  200  404  404  404  404
joining_form_file           POST     302  405  405  405  405  405  405  405  405  405  405
amendment_create            GET      302  200  200  403  403  403  403  404  404  404  404
amendment_create            POST     302  422  422  403  403  403  403  404  404  404  404
amendment_change            GET      302  200  200  403  403  403  404  404  404  404  404
amendment_change            POST     302  422  422  403  403  403  404  404  404  404  404
amendment_sign              GET      302  200  200  403  403  403  302  404  404  404  404
amendment_sign              POST     302  422  422  403  403  403  422  404  404  404  404
amendment_step              GET      302  302  302  302  302  302  302  302  302  302  302
amendment_step              POST     302  422  422  403  403  403  403  404  404  404  404
amendment_unsign            GET      302  302  302  302  302  302  302  302  302  302  302
amendment_unsign            POST     302  422  422  403  403  403  403  404  404  404  404
joining_form_refuse         GET      302  302  302  302  302  302  302  302  302  302  302
joining_form_refuse         POST     302  422  422  403  403  403  403  404  404  404  404
joining_form_accept         GET      302  302  302  302  302  302  302  302  302  302  302
joining_form_accept         POST     302  302  302  403  403  403  403  404  404  404  404
joining_form_create         GET      302  200  200  403  403  403  200  404  404  404  404
joining_form_create         POST     302  422  422  403  403  403  422  404  404  404  404
joining_form_sign           GET      302  200  200  403  403  403  200  404  404  404  404
joining_form_sign           POST     302  422  422  403  403  403  422  404  404  404  404
joining_form_change         GET      302  200  200  403  403  403  200  404  404  404  404
joining_form_change         POST     302  422  422  403  403  403  422  404  404  404  404
meetings                    GET      302  200  200  200  200  200  200  404  404  404  404
meetings                    POST     302  405  405  405  405  405  405  405  405  405  405
meeting_create              GET      302  200  200  403  403  403  403  404  404  404  404
meeting_create              POST     302  422  422  403  403  403  403  404  404  404  404
meeting_change              GET      302  200  200  403  403  403  403  404  404  404  404
meeting_change              POST     302  422  422  403  403  403  403  404  404  404  404
meeting_remove              GET      302  302  302  302  302  302  302  302  302  302  302
meeting_remove              POST     302  302  302  403  403  403  403  404  404  404  404
member_sheet                GET      302  200  200  200  200  200  200  404  404  404  404
member_sheet                POST     302  405  405  405  405  405  405  405  405  405  405
member_sheet_pdf            GET      302  200  200  200  200  200  200  404  404  404  404
member_sheet_pdf            POST     302  405  405  405  405  405  405  405  405  405  405
annual_sheets               GET      302  200  200  200  200  200  403  403  403  200  403
annual_sheets               POST     302  422  422  422  403  403  403  403  403  422  403
annual_sheet                GET      302  200  200  200  200  200  404  404  404  404  404
annual_sheet                POST     302  405  405  405  405  405  405  405  405  405  405
annual_sheet_change         GET      302  200  200  200  403  403  404  404  404  404  404
annual_sheet_change         POST     302  422  422  422  403  403  404  404  404  404  404
annual_sheet_freeze         GET      302  403  403  200  403  403  404  404  404  404  404
annual_sheet_freeze         POST     302  403  403  422  403  403  404  404  404  404  404
annual_sheet_document       GET      302  200  200  200  200  200  404  404  404  404  404
annual_sheet_document       POST     302  405  405  405  405  405  405  405  405  405  405
radar                       GET      302  200  200  200  200  200  200  200  200  200  200
radar                       POST     302  405  405  405  405  405  405  405  405  405  405
radar_import                GET      302  200  200  403  403  403  403  403  403  200  403
radar_import                POST     302  422  422  403  403  403  403  403  403  422  403
savings_report              GET      302  200  200  200  200  200  200  200  200  200  403
savings_report              POST     302  422  422  422  422  422  403  403  403  422  403
savings_report_file         GET      302  200  200  200  200  200  404  404  404  404  404
savings_report_file         POST     302  405  405  405  405  405  405  405  405  405  405
savings_own_lines           GET      302  422  422  422  422  422  422  422  422  422  403
savings_own_lines           POST     302  405  405  405  405  405  405  405  405  405  405
savings_method              GET      302  200  200  200  200  200  200  200  200  200  200
savings_method              POST     302  405  405  405  405  405  405  405  405  405  405
calendar_feed               GET      302  200  200  200  200  200  200  200  200  200  200
calendar_feed               POST     302  422  422  422  422  422  422  422  422  422  422
calendar_ics                GET      200  200  200  200  200  200  200  200  200  200  200
calendar_ics                POST     405  405  405  405  405  405  405  405  405  405  405
organisation_list           GET      302  200  200  200  200  200  200  200  200  200  200
organisation_list           POST     302  405  405  405  405  405  405  405  405  405  405
organisation_create         GET      302  200  200  403  403  200  403  403  403  200  403
organisation_create         POST     302  422  422  403  403  422  403  403  403  422  403
organisation_detail         GET      302  200  200  200  200  200  200  200  200  404  404
organisation_detail         POST     302  405  405  405  405  405  405  405  405  405  405
organisation_change         GET      302  200  200  403  403  200  200  403  403  404  404
organisation_change         POST     302  422  422  403  403  422  302  403  403  404  404
epci_add_communes           GET      302  405  405  405  405  405  405  405  405  405  405
epci_add_communes           POST     302  422  422  403  403  422  403  403  403  404  404
representative_create       GET      302  200  200  403  403  200  200  403  403  404  404
representative_create       POST     302  422  422  403  403  422  422  403  403  404  404
representative_change       GET      302  200  200  403  403  200  200  403  403  404  404
representative_change       POST     302  422  422  403  403  422  422  403  403  404  404
session_create              GET      302  200  200  403  403  200  200  403  403  404  404
session_create              POST     302  422  422  403  403  422  422  403  403  404  404
session_change              GET      302  200  200  403  403  200  200  403  403  404  404
session_change              POST     302  422  422  403  403  422  422  403  403  404  404
session_remove              GET      302  405  405  405  405  405  405  405  405  405  405
session_remove              POST     302  302  302  403  403  302  302  403  403  404  404
session_calendar            GET      302  200  200  200  200  200  200  200  200  200  200
session_calendar            POST     302  422  422  403  403  422  422  422  422  422  403
sessions_import             GET      302  200  200  403  403  200  200  200  200  200  403
sessions_import             POST     302  422  422  403  403  422  422  422  422  422  403
sessions_template           GET      302  200  200  403  403  200  200  200  200  200  403
sessions_template           POST     302  405  405  405  405  405  405  405  405  405  405
my_account                  GET      302  200  200  200  200  200  200  200  200  200  200
my_account                  POST     302  422  422  422  422  422  422  422  422  422  422
switch_affiliation          GET      302  405  405  405  405  405  405  405  405  405  405
switch_affiliation          POST     302  404  404  404  404  404  404  404  404  404  404
people                      GET      302  403  403  403  403  200  403  403  403  403  403
people                      POST     302  405  405  405  405  405  405  405  405  405  405
person_invite               GET      302  403  403  403  403  200  403  403  403  403  403
person_invite               POST     302  403  403  403  403  422  403  403  403  403  403
person_remove               GET      302  405  405  405  405  405  405  405  405  405  405
person_remove               POST     302  403  403  403  403  302  403  403  403  403  403
review_queue                GET      302  200  200  200  200  200  403  403  403  200  403
review_queue                POST     302  403  403  422  403  403  403  403  403  403  403
savings_line                GET      302  200  200  200  200  200  200  404  404  404  404
savings_line                POST     302  405  405  405  405  405  405  405  405  405  405
line_decide                 GET      302  302  302  302  302  302  302  302  302  302  302
line_decide                 POST     302  403  403  422  403  403  404  404  404  404  404
line_correct                GET      302  200  200  200  403  403  403  404  404  404  404
line_correct                POST     302  422  422  422  403  403  403  404  404  404  404
year_locks                  GET      302  200  200  200  200  200  403  403  403  200  403
year_locks                  POST     302  403  403  422  403  403  403  403  403  403  403
savings_sample              GET      302  200  200  200  200  200  403  403  403  200  403
savings_sample              POST     302  405  405  405  405  405  405  405  405  405  405
ledger_checks               GET      302  200  200  200  200  200  403  403  403  200  403
ledger_checks               POST     302  405  405  405  405  405  405  405  405  405  405
help                        GET      200  200  200  200  200  200  200  200  200  200  200
help                        POST     405  405  405  405  405  405  405  405  405  405  405
accessibility               GET      200  200  200  200  200  200  200  200  200  200  200
accessibility               POST     405  405  405  405  405  405  405  405  405  405  405
legal_notices               GET      200  200  200  200  200  200  200  200  200  200  200
legal_notices               POST     405  405  405  405  405  405  405  405  405  405  405
personal_data               GET      200  200  200  200  200  200  200  200  200  200  200
personal_data               POST     405  405  405  405  405  405  405  405  405  405  405
health                      GET      200  200  200  200  200  200  200  200  200  200  200
health                      POST     405  405  405  405  405  405  405  405  405  405  405
demonstration_sign_in       GET      405  405  405  405  405  405  405  405  405  405  405
demonstration_sign_in       POST     404  404  404  404  404  404  404  404  404  404  404
savings_entry               GET      302  200  200  200  200  200  200  404  404  404  404
savings_entry               POST     302  405  405  405  405  405  405  405  405  405  405
baseline_create             GET      302  200  200  200  403  403  403  404  404  404  404
baseline_create             POST     302  422  422  422  403  403  403  404  404  404  404
baseline_change             GET      302  302  302  302  403  403  403  404  404  404  404
baseline_change             POST     302  422  422  422  403  403  403  404  404  404  404
baseline_replace            GET      302  200  200  200  403  403  403  404  404  404  404
baseline_replace            POST     302  422  422  422  403  403  403  404  404  404  404
baseline_price              GET      302  200  200  200  403  403  403  404  404  404  404
baseline_price              POST     302  422  422  422  403  403  403  404  404  404  404
baseline_freeze             GET      302  200  200  200  403  403  403  404  404  404  404
baseline_freeze             POST     302  422  422  422  403  403  403  404  404  404  404
line_create                 GET      302  200  200  200  403  403  403  404  404  404  404
line_create                 POST     302  422  422  422  403  403  403  404  404  404  404
line_change                 GET      302  200  200  200  403  403  403  404  404  404  404
line_change                 POST     302  422  422  422  403  403  403  404  404  404  404
baseline_remove             GET      302  302  302  302  302  302  302  302  302  302  302
baseline_remove             POST     302  422  422  422  403  403  403  404  404  404  404
line_take_back              GET      302  302  302  302  302  302  302  302  302  302  302
line_take_back              POST     302  422  422  422  403  403  403  404  404  404  404
lines_submit                GET      302  302  302  302  302  302  302  302  302  302  302
lines_submit                POST     302  422  422  422  403  403  403  404  404  404  404
price_lines_upload          GET      302  302  302  302  302  302  302  302  302  302  302
price_lines_upload          POST     302  422  422  422  403  403  403  404  404  404  404
price_lines_template        GET      302  200  200  200  403  403  403  404  404  404  404
price_lines_template        POST     302  405  405  405  405  405  405  405  405  405  405
baselines_to_confirm        GET      302  200  200  200  200  200  200  200  200  200  200
baselines_to_confirm        POST     302  405  405  405  405  405  405  405  405  405  405
baseline_confirm            GET      302  302  302  302  302  302  302  302  302  302  302
baseline_confirm            POST     302  403  403  403  403  403  302  404  404  404  404
baselines_confirm           GET      302  302  302  302  302  302  302  302  302  302  302
baselines_confirm           POST     302  302  302  302  403  403  302  404  404  404  404
baseline_object             GET      302  403  403  403  403  403  200  404  404  404  404
baseline_object             POST     302  403  403  403  403  403  422  404  404  404  404
"""

#: The sign-in library's own addresses: (anonymous, signed in) for GET. They are the same for every role. The people of
#: this test have neither password nor second factor: nothing to authenticate again with (403), no recovery code (404).
SIGN_IN = {
    "account_login": (200, 302),
    "account_logout": (302, 200),
    "account_inactive": (200, 200),
    "account_signup": (200, 302),
    "account_reauthenticate": (302, 403),
    "account_email": (302, 200),
    "account_email_verification_sent": (200, 200),
    "account_change_password": (302, 302),
    "account_set_password": (302, 200),
    "account_reset_password": (200, 200),
    "account_reset_password_done": (200, 200),
    "account_reset_password_from_key": (200, 200),
    "account_reset_password_from_key_done": (200, 200),
    "account_confirm_login_code": (302, 302),
    "account_confirm_email": (200, 200),
    "account_request_login_code": (200, 302),
    "mfa_index": (302, 200),
    "mfa_authenticate": (302, 302),
    "mfa_reauthenticate": (302, 403),
    "mfa_activate_totp": (302, 200),
    "mfa_deactivate_totp": (302, 404),
    "mfa_view_recovery_codes": (302, 404),
    "mfa_generate_recovery_codes": (302, 200),
    "mfa_download_recovery_codes": (302, 404),
}
SIGN_IN_ARGUMENTS = {
    "account_confirm_email": {"key": "abc"},
    "account_reset_password_from_key": {"uidb36": "1", "key": "abc-def"},
}


def rows() -> list[tuple[str, str, dict[str, int]]]:
    """(name, method, person → expected status) for each line of the table."""
    parsed = []
    for line in TABLE.strip().splitlines():
        name, method, *statuses = line.split()
        parsed.append((name, method, dict(zip(PEOPLE, map(int, statuses), strict=True))))
    return parsed


def test_every_address_is_in_the_table():
    """A new screen without its line fails here."""
    known = {name for name, _, _ in rows()} | set(SIGN_IN)
    names = {address.name for address in addresses() if not address.name.startswith("admin:")}
    assert names - known == set(), "adresses absentes de la table"
    assert known - names == set(), "lignes de la table sans adresse"


def test_every_line_says_get_and_post():
    methods = {}
    for name, method, _ in rows():
        methods.setdefault(name, []).append(method)
    assert {name: sorted(found) for name, found in methods.items()} == {name: ["GET", "POST"] for name in methods}


@pytest.fixture
def world(db):
    return make_world("ici")


@pytest.fixture
def users(world):
    """The user of each column of the table; None for nobody signed in."""
    stranger = make_world("ailleurs").people["buyer"]
    return {
        "anonymous": None,
        **{person: affiliation.user for person, affiliation in world.people.items()},
        "stranger": stranger.user,
        "nobody": User.objects.create_user("personne@example.org"),
    }


def request(client, user, method, url):
    """The response, with everything it wrote undone: each cell of the table starts from the same world."""
    client.logout()
    if user:
        client.force_login(user)
    with transaction.atomic():
        response = getattr(client, method.lower())(url)
        transaction.set_rollback(True)
    if response.streaming:
        response.close()
    return response


@pytest.mark.parametrize("name", dict.fromkeys(name for name, _, _ in rows()))
def test_who_may_open_what(client, world, users, name):
    url = reverse(name, kwargs=world.arguments().get(name))
    for method, expected in ((method, expected) for row, method, expected in rows() if row == name):
        found = {person: request(client, users[person], method, url).status_code for person in PEOPLE}
        assert found == expected, method


@pytest.mark.parametrize("name", [n for n, method, who in rows() if method == "POST" and who["anonymous"] == 302])
def test_signing_in_comes_first(client, world, name):
    for method in ("get", "post"):
        response = getattr(client, method)(reverse(name, kwargs=world.arguments().get(name)))
        assert response.url.startswith(reverse("account_login"))


@pytest.mark.parametrize("name", SIGN_IN)
def test_sign_in_addresses(client, users, name):
    url = reverse(name, kwargs=SIGN_IN_ARGUMENTS.get(name))
    anonymous = request(client, None, "GET", url).status_code
    signed_in = {request(client, users[p], "GET", url).status_code for p in ("buyer", "member_agent", "nobody")}
    assert (anonymous, signed_in) == (SIGN_IN[name][0], {SIGN_IN[name][1]})


def test_nobody_signs_up(client, db):
    from django.core import mail

    client.post(
        reverse("account_signup"), {"email": "intrus@example.org", "password1": "x" * 20, "password2": "x" * 20}
    )
    assert not User.objects.exists()
    assert mail.outbox == []


def test_the_technical_administration_is_for_the_technical_staff(client, world, users):
    """Every address of Django's administration that takes no argument, and one page of each model."""
    staff = User.objects.create_superuser("technique@example.org")
    opened = 0
    for address in addresses():
        if not address.name.startswith("admin:") or address.name in ("admin:login", "admin:None"):
            continue
        if address.takes_arguments:
            if not address.pattern.endswith(("change/", "delete/", "history/")):
                continue
            url = reverse(address.name, args=[world.people["reader"].pk])
        elif "(?P" in address.pattern:
            continue
        else:
            url = reverse(address.name)
        for person, user in users.items():
            for method in ("GET", "POST"):
                status = request(client, user, method, url).status_code
                assert status in (302, 403, 405), f"{address.name}, {method}, {person}: {status}"
        opened += request(client, staff, "GET", url).status_code == 200
    assert opened > 10
