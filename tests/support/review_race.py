"""Run by tests/savings/test_review_race.py in a process of its own: finance people validate and lock at once."""

from tests.support.race import tell, together

THREADS = 6


def race() -> dict:
    """Six people validate one line at once; six correct it at once; then, of twelve lines of one year, each of four
    people validates three while two others lock that year. What each was told, and what is stored."""
    from members.roles import Role
    from savings.actions.locks import year_lock
    from savings.actions.review import line_correct, line_decide
    from savings.checks import Scope, check_ledger
    from savings.models import LedgerEntry, PriceLine, YearLock
    from savings.year_facts import verify
    from tests.savings.review_world import NOW, make_review
    from tests.support.factories import make_affiliation

    review = make_review()
    people = [make_affiliation(review.metropole, Role.FINANCE) for _ in range(THREADS)]
    line = review.line()

    def validate(number: int) -> None:
        line_decide(line=line, step="validate", actor=people[number], now=NOW)

    validated = together(validate, THREADS)
    entries = LedgerEntry.objects.count()
    posted = PriceLine.objects.get(pk=line.pk)

    def correct(number: int) -> None:
        line_correct(
            line=posted, values={"price_obtained": posted.price_obtained + 1}, reason="Avoir.", actor=people[number]
        )

    corrected = together(correct, THREADS)
    lines = [review.line(review.baseline(designation=f"Article {number}")) for number in range(12)]

    def validate_or_lock(number: int) -> None:
        if number >= 4:
            year_lock(territory=review.metropole, year=2026, actor=people[number], now=NOW)
            return
        for each in lines[number * 3 : number * 3 + 3]:
            line_decide(line=PriceLine.objects.get(pk=each.pk), step="validate", actor=people[number], now=NOW)

    mixed = together(validate_or_lock, THREADS)
    lock = YearLock.objects.get()
    return {
        "validated": validated,
        "entries": entries,
        "corrected": corrected,
        "corrections": PriceLine.objects.filter(corrects=line).count(),
        "mixed": mixed,
        "unchanged": verify(lock).is_unchanged,
        "in_2026": LedgerEntry.objects.filter(year=2026).count() == lock.entry_count,
        "posted": LedgerEntry.objects.filter(line__in=lines).count(),
        "findings": [finding.sentence for finding in check_ledger(Scope(), keep=20).findings],
    }


if __name__ == "__main__":
    tell(race)
