"""The addresses of the ledger: French words, English names."""

from django.urls import path

from savings.views import reports

urlpatterns = [
    path("economies/rapports/", reports.savings_report, name="savings_report"),
    path("economies/rapports/<int:pk>/", reports.savings_report_file, name="savings_report_file"),
    path("economies/rapports/mes-lignes/", reports.savings_own_lines, name="savings_own_lines"),
    path("economies/methode/", reports.savings_method, name="savings_method"),
]
