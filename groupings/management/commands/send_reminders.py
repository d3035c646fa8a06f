"""``manage.py send_reminders [--dry-run] [--on DATE]``: the reminders and digests of a day, each once."""

from argparse import ArgumentTypeError
from datetime import date

from django.core.management.base import BaseCommand
from django.utils import timezone

from groupings import reminders
from groupings.actions.reminders import reminders_send


def day(text: str) -> date:
    """A date written 2026-12-01 or 01/12/2026."""
    for layout in ("%Y-%m-%d", "%d/%m/%Y"):
        try:
            return timezone.datetime.strptime(text, layout).date()
        except ValueError:
            continue
    raise ArgumentTypeError(f"«\u00a0{text}\u00a0» n’est pas une date\u00a0: écrivez-la 2026-12-01.")


class Command(BaseCommand):
    help = "Envoie les relances du jour et le point hebdomadaire\u202f; deux fois de suite n’envoie rien de plus."

    def add_arguments(self, parser):
        parser.add_argument("--dry-run", action="store_true", help="dire ce qui partirait, sans rien écrire")
        parser.add_argument("--on", type=day, default=None, metavar="DATE", help="un autre jour qu’aujourd’hui")

    def handle(self, *args, dry_run, on, **options):
        today = on or timezone.localdate()
        if dry_run:
            self._tell(today)
            return
        sent, digests = reminders_send(today=today, now=timezone.now())
        self.stdout.write(f"{sent} relance(s) et {digests} point(s) hebdomadaire(s) confiés à l’envoi.")

    def _tell(self, today: date) -> None:
        planned = reminders.plan(today)
        for reminder in planned:
            membership = reminder.deliberation.membership
            addresses = ", ".join(reminder.recipients) or "aucune adresse électronique"
            self.stdout.write(
                f"{reminder.step:>5}  {membership.organisation.name} ({addresses})\u00a0: {reminder.subject}"
            )
        digests = reminders.digests(today)
        for buyer, _, _ in digests:
            self.stdout.write(f"point hebdomadaire  {buyer.user.email}")
        self.stdout.write(f"{len(planned)} relance(s) et {len(digests)} point(s) hebdomadaire(s) partiraient.")
