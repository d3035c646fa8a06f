"""The addresses of the ledger: French words, English names."""

from django.urls import path

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
