"""Load the demonstration once, then produce the conventions that are missing."""

from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils import timezone

from groupings.demonstration.load import is_loaded, load
from groupings.management.commands.generate_conventions import produce
from groupings.models import Grouping
from procurement.core.jobs.progress import ProgressBar
from savings.demonstration.gains import create_ledger
from savings.demonstration.load import load_bilan

#: The groupings whose text is far enough to be printed: the survey of needs is over.
WITH_CONVENTION = ("GC-2016-", "GC-2025-", "GC-2026-", "GC-2027-01", "GC-2027-02", "GC-2027-03", "GC-2027-04")


class Command(BaseCommand):
    help = "Charge la démonstration (bilan 2016 de Montpellier Méditerranée Métropole) et produit ses conventions."

    def add_arguments(self, parser) -> None:
        parser.add_argument("--without-conventions", action="store_true", help="charger les données seulement")

    def handle(self, *, without_conventions: bool, **options) -> None:
        if is_loaded():
            self.stdout.write("La démonstration est déjà chargée.")
        else:
            with transaction.atomic():
                load(today=timezone.localdate())
                load_bilan(now=timezone.now())
                create_ledger(today=timezone.localdate())
            self.stdout.write(f"Démonstration chargée\u00a0: {Grouping.objects.count()} groupements.")
        if without_conventions:
            return
        groupings = Grouping.objects.filter(is_declared_only=False).select_related("coordinator").order_by("reference")
        waiting = [
            grouping
            for grouping in groupings
            if grouping.reference.startswith(WITH_CONVENTION) and not _has_all_documents(grouping)
        ]
        bar = ProgressBar(self.stdout, "Conventions")
        produced = 0
        for rank, grouping in enumerate(waiting, start=1):
            produced += len(produce(grouping, bar=ProgressBar(self.stderr, grouping.reference)))
            bar.update(rank, len(waiting))
        bar.close()
        self.stdout.write(f"{produced} conventions produites." if waiting else "Les conventions sont déjà produites.")


def _has_all_documents(grouping: Grouping) -> bool:
    """False too when a first run was stopped half-way: the job then carries on where it was."""
    convention = grouping.conventions.first()
    return convention is not None and convention.documents.count() == len(convention.values["members"])
