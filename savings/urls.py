"""The addresses of the ledger: French words, English names."""

from django.urls import path

from savings.views import costs, grouping, ledger_checks, line, lines, overview, review, samples, year_locks

urlpatterns = [
    path("economies/validation/", review.review_queue, name="review_queue"),
    path("economies/lignes/<int:pk>/", line.savings_line, name="savings_line"),
    path("economies/lignes/<int:pk>/decision/", review.decide, name="line_decide"),
    path("economies/lignes/<int:pk>/correction/", line.correct, name="line_correct"),
    path("economies/exercices/", year_locks.year_locks, name="year_locks"),
    path("economies/sondage/", samples.savings_sample, name="savings_sample"),
    path("economies/controles/", ledger_checks.ledger_checks, name="ledger_checks"),
    path("economies/", overview.savings_home, name="savings_home"),
    path("economies/lignes/", lines.savings_lines, name="savings_lines"),
    path("economies/passage/", overview.savings_bridge, name="savings_bridge"),
    path("economies/groupements/<int:pk>/", grouping.savings_grouping, name="savings_grouping"),
    path("groupements/<int:pk>/economies/couts/", costs.savings_costs, name="savings_costs"),
    path("groupements/<int:pk>/economies/couts/ajouter/", costs.cost_create, name="cost_create"),
    path("groupements/<int:pk>/economies/couts/<int:cost_pk>/", costs.cost_change, name="cost_change"),
    path("groupements/<int:pk>/economies/couts/<int:cost_pk>/retirer/", costs.cost_remove, name="cost_remove"),
    path("groupements/<int:pk>/economies/hors-marche/ajouter/", costs.off_contract_create, name="off_contract_create"),
    path(
        "groupements/<int:pk>/economies/hors-marche/<int:spend_pk>/",
        costs.off_contract_change,
        name="off_contract_change",
    ),
    path(
        "groupements/<int:pk>/economies/hors-marche/<int:spend_pk>/retirer/",
        costs.off_contract_remove,
        name="off_contract_remove",
from savings.views import baselines, confirm, entry, lines

_PRICES = "groupements/<int:pk>/economies"
_REFERENCE = f"{_PRICES}/references/<int:baseline_pk>"

urlpatterns = [
    path(f"{_PRICES}/", entry.savings_entry, name="savings_entry"),
    path(f"{_PRICES}/lots/<int:lot_pk>/figer/", entry.baseline_freeze_lot, name="baseline_freeze"),
    path(
        f"{_PRICES}/lots/<int:lot_pk>/membres/<int:membership_pk>/ajouter/",
        baselines.baseline_create,
        name="baseline_create",
    ),
    path(f"{_REFERENCE}/", baselines.baseline_change, name="baseline_change"),
    path(f"{_REFERENCE}/remplacer/", baselines.baseline_replacement, name="baseline_replace"),
    path(f"{_REFERENCE}/prix/", baselines.baseline_price, name="baseline_price"),
    path(f"{_REFERENCE}/retirer/", baselines.baseline_drop, name="baseline_remove"),
    path(f"{_REFERENCE}/lignes/<slug:stage>/", lines.line_create, name="line_create"),
    path(f"{_PRICES}/lignes/<int:line_pk>/", lines.line_change, name="line_change"),
    path(f"{_PRICES}/lignes/<int:line_pk>/reprendre/", entry.line_take_back, name="line_take_back"),
    path(f"{_PRICES}/soumettre/", entry.lines_submit_ready, name="lines_submit"),
    path(f"{_PRICES}/importer/", entry.price_lines_upload, name="price_lines_upload"),
    path(f"{_PRICES}/modele/", entry.price_lines_template, name="price_lines_template"),
    path("economies/references/", confirm.baselines_to_confirm, name="baselines_to_confirm"),
    path("economies/references/<int:baseline_pk>/confirmer/", confirm.baseline_confirm_one, name="baseline_confirm"),
    path("economies/references/<int:baseline_pk>/contester/", confirm.baseline_contest, name="baseline_object"),
    path(
        "economies/references/groupements/<int:pk>/confirmer/",
        confirm.baselines_confirm_grouping,
        name="baselines_confirm",
from savings.views import member_sheet, sheet

urlpatterns = [
    path("membres/<int:pk>/fiche/", member_sheet.member_sheet_page, name="member_sheet"),
    path("membres/<int:pk>/fiche.pdf", member_sheet.member_sheet_pdf, name="member_sheet_pdf"),
    path("economies/fiches-annuelles/", sheet.annual_sheets, name="annual_sheets"),
    path("economies/fiche-annuelle/<int:year>/", sheet.annual_sheet, name="annual_sheet"),
    path("economies/fiche-annuelle/<int:year>/modifier/", sheet.annual_sheet_change, name="annual_sheet_change"),
    path("economies/fiche-annuelle/<int:year>/figer/", sheet.annual_sheet_freeze, name="annual_sheet_freeze"),
    path(
        "economies/fiche-annuelle/<int:year>/fiche.<str:extension>",
        sheet.annual_sheet_document,
        name="annual_sheet_document",
    ),
]
