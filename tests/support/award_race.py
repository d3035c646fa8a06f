"""Run by tests/groupings/test_award_race.py in a process of its own: several buyers award one lot at once."""

from tests.support.race import tell, together

THREADS = 6


def race() -> dict:
    """Each thread saw a lot without a decision and awards it to a company of its own; what each was told, what is
    stored. Then each shares the lot from one version, to its own member."""
    from decimal import Decimal

    from groupings.actions.shares import ShareEntry, shares_save
    from groupings.models import Award, AwardShare
    from members.roles import Role
    from tests.support.factories import make_affiliation
    from tests.support.tenders import company, decide, make_tender

    tender = make_tender(members=2, lots=1)
    people = [make_affiliation(tender.metropole, Role.BUYER) for _ in range(THREADS)]

    def award(number: int) -> None:
        decide(tender, version=0, actor=people[number], holders=[company(name=f"Entreprise {number}")])

    awarded = together(award, THREADS)
    stored = Award.objects.get()
    stored.consultation, stored.lot = tender.consultation, tender.lots[0]

    def share(number: int) -> None:
        amounts = [Decimal(0), Decimal(0), Decimal(0)]
        amounts[number % 3] = Decimal(3000)
        parts = {m.pk: ShareEntry(amount, True) for m, amount in zip(tender.members, amounts, strict=True)}
        shares_save(award=stored, parts=parts, actor=people[number], expected_version=1)

    shared = together(share, THREADS)
    return {
        "awarded": awarded,
        "holders": stored.holders.count(),
        "shared": shared,
        "sum": str(sum(share.amount_excl_tax.amount for share in AwardShare.objects.all())),
        "shares": AwardShare.objects.count(),
    }


if __name__ == "__main__":
    tell(race)
