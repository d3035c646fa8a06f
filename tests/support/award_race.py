"""Run by tests/groupings/test_award_race.py in a process of its own: several buyers award one lot at once."""

import json
import threading

THREADS = 6


def race() -> dict:
    """Each thread saw a lot without a decision and awards it to a company of its own; what each was told, what is
    stored. Then each shares the lot from one version, to its own member."""
    from decimal import Decimal

    from django.db import connection

    from groupings.actions.shares import ShareEntry, shares_save
    from groupings.models import Award, AwardShare
    from members.roles import Role
    from procurement.core.errors import BusinessError
    from tests.support.factories import make_affiliation
    from tests.support.tenders import company, decide, make_tender

    tender = make_tender(members=2, lots=1)
    people = [make_affiliation(tender.metropole, Role.BUYER) for _ in range(THREADS)]

    def together(work) -> list[str]:
        start, lock = threading.Barrier(THREADS), threading.Lock()
        told: list[str] = []

        def run(number: int) -> None:
            start.wait()
            try:
                work(number)
                answer = ""
            except BusinessError as error:
                answer = str(error)
            finally:
                connection.close()
            with lock:
                told.append(answer)

        threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return told

    def award(number: int) -> None:
        decide(tender, version=0, actor=people[number], holders=[company(name=f"Entreprise {number}")])

    awarded = together(award)
    stored = Award.objects.get()
    stored.consultation, stored.lot = tender.consultation, tender.lots[0]

    def share(number: int) -> None:
        amounts = [Decimal(0), Decimal(0), Decimal(0)]
        amounts[number % 3] = Decimal(3000)
        parts = {m.pk: ShareEntry(amount, True) for m, amount in zip(tender.members, amounts, strict=True)}
        shares_save(award=stored, parts=parts, actor=people[number], expected_version=1)

    shared = together(share)
    return {
        "awarded": awarded,
        "holders": stored.holders.count(),
        "shared": shared,
        "sum": str(sum(share.amount_excl_tax.amount for share in AwardShare.objects.all())),
        "shares": AwardShare.objects.count(),
    }


if __name__ == "__main__":
    import django

    django.setup()
    print(json.dumps(race()))  # noqa: T201
