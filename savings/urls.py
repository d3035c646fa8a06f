"""The addresses of the ledger: French words, English names."""

from django.urls import path  # noqa: F401

urlpatterns = []
