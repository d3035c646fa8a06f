"""Run by tests/groupings/test_consumption_race.py in a process of its own: one file sent, then undone, by several."""

from tests.support.race import tell, together

THREADS = 4
LINES = 300


def race() -> dict:
    """The same file sent at once, its import undone at once, then undone while it is sent again: what each was told,
    how many lines and imports are left after each."""
    import io
    from datetime import date

    from groupings.actions.consumption import consumption_import, consumption_import_undo
    from groupings.models import ConsumptionImport, ConsumptionLine
    from procurement.core.journal.models import JournalEntry
    from tests.support.contracts import make_scene

    scene = make_scene()
    lines = [f"1;{scene.commune.siren};F-{number};01/07/2026;1,00" for number in range(LINES)]
    content = "\n".join(["Lot;SIREN;N° de facture;Date;Montant HT", *lines]).encode()

    def send(number: int) -> None:
        consumption_import(
            grouping=scene.grouping,
            file=io.BytesIO(content),
            filename=f"mandats-{number}.csv",
            actor=scene.buyer,
            today=date(2026, 11, 28),
        )

    def stored() -> tuple[int, int]:
        return ConsumptionLine.objects.count(), ConsumptionImport.objects.count()

    sent, after_sending = together(send, THREADS), stored()
    taken = ConsumptionImport.objects.get()

    def undo(number: int) -> None:
        consumption_import_undo(taken=taken, actor=scene.buyer, reason=f"Essai {number}")

    undone, after_undoing = together(undo, THREADS), stored()
    send(0)
    taken = ConsumptionImport.objects.get()
    mixed = together(lambda number: (send if number % 2 else undo)(number), 2)
    return {
        "sent": sent,
        "after_sending": after_sending,
        "undone": undone,
        "after_undoing": after_undoing,
        "mixed": mixed,
        "after_mixed": stored(),
        "journal": JournalEntry.objects.filter(verb="consumption.undo").count(),
    }


if __name__ == "__main__":
    tell(race)
