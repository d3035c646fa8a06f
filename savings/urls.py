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
    ),
]
