"""``manage.py check_ledger [--year Y] [--json]``: the coherence checks of the whole ledger; nothing is written."""

import json

from django.core.management.base import BaseCommand, CommandError

from savings.checks import CHECKS, Scope


class Command(BaseCommand):
    help = (
        "Contrôle la cohérence du registre des gains\u00a0: montants, écritures, preuves, verrous, double compte. "
        "Sort avec 1 et la liste s’il trouve quelque chose\u202f; ne modifie rien."
    )

    def add_arguments(self, parser):
        parser.add_argument("--year", type=int, default=None, metavar="Y", help="un seul exercice")
        parser.add_argument("--json", action="store_true", help="le résultat en JSON, sur la sortie standard")

    def handle(self, *, year: int | None, **options):
        if year is not None and not 2000 <= year <= 2100:
            raise CommandError(f"{year} n’est pas un exercice\u00a0: écrivez-le 2026.")
        scope = Scope(year=year)
        lines, entries = scope.validated().count(), scope.entries().count()
        count = self._as_json(scope, lines, entries) if options["json"] else self._as_text(scope)
        if count:
            raise CommandError(f"{count} incohérence{'s' * (count > 1)} dans {_told(lines, entries)}.")
        if not options["json"]:
            self.stdout.write(f"Registre cohérent\u00a0: {_told(lines, entries)}.")

    def _as_text(self, scope: Scope) -> int:
        """Each finding on its line as soon as it is known; returns how many."""
        count = 0
        for check in CHECKS:
            for finding in check.run(scope):
                count += 1
                self.stdout.write(finding.sentence)
        return count

    def _as_json(self, scope: Scope, lines: int, entries: int) -> int:
        """The same as one object; written as it goes, so that a long list is never in memory."""
        heading = {"year": scope.year, "lines": lines, "entries": entries}
        self.stdout.write(json.dumps(heading)[:-1] + ', "findings": [', ending="")
        count = 0
        for check in CHECKS:
            for finding in check.run(scope):
                row = {"check": finding.check, "line": finding.line_pk, "sentence": finding.sentence}
                self.stdout.write(("," if count else "") + "\n" + json.dumps(row, ensure_ascii=False), ending="")
                count += 1
        self.stdout.write(f'], "count": {count}, "coherent": {json.dumps(count == 0)}}}')
        return count


def _told(lines: int, entries: int) -> str:
    line_s, entry_s = "s" * (lines > 1), "s" * (entries > 1)
    checked = "s" * (lines + entries > 1)
    return f"{lines} ligne{line_s}, {entries} écriture{entry_s} vérifiée{checked}"
