"""The addresses of the ledger: French words, English names."""

from django.urls import path

from savings.views import ledger_checks, lines, review, samples, year_locks

urlpatterns = [
    path("economies/validation/", review.review_queue, name="review_queue"),
    path("economies/lignes/<int:pk>/", lines.savings_line, name="savings_line"),
    path("economies/lignes/<int:pk>/decision/", review.decide, name="line_decide"),
    path("economies/lignes/<int:pk>/correction/", lines.correct, name="line_correct"),
    path("economies/exercices/", year_locks.year_locks, name="year_locks"),
    path("economies/sondage/", samples.savings_sample, name="savings_sample"),
    path("economies/controles/", ledger_checks.ledger_checks, name="ledger_checks"),
]
