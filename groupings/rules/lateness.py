"""How late an act that is not enforceable yet is, or will be: what the tracker paints in red."""

from dataclasses import dataclass
from datetime import date, timedelta

from groupings.rules.launch import SIGNATURE_DAYS


@dataclass(frozen=True)
class Lateness:
    """``days`` is 1 or more. ``is_expected``: counted to the expected date, for no deadline has passed yet."""

    days: int
    is_expected: bool = False

    @property
    def sentence(self) -> str:
        """« en retard de 12 jours », « retard prévu de 1 jour »."""
        days = f"{self.days}\u00a0jour{'s' if self.days > 1 else ''}"
        return f"retard prévu de {days}" if self.is_expected else f"en retard de {days}"


def needed_by(launch_planned_on: date | None, due_on: date | None) -> date | None:
    """The last day an act may become enforceable without delaying the launch.

    The planned launch less the time to sign (domain §3.6); without a planned launch, the date the coordinator asked
    for; None when there is neither.
    """
    if launch_planned_on is None:
        return due_on
    return launch_planned_on - timedelta(days=SIGNATURE_DAYS)


def lateness(
    *, is_voted: bool, due_on: date | None, needed_on: date | None, expected_on: date | None, today: date
) -> Lateness | None:
    """How late an act that is not enforceable is; None when it is not, or when nobody can say.

    Late: not voted once the coordinator's date ``due_on`` has passed, or not enforceable once ``needed_on`` has;
    counted from the first of the two. To be late: ``expected_on``, the date it should become enforceable, comes after
    ``needed_on``. The day itself is not late.
    """
    limits = (None if is_voted else due_on, needed_on)
    passed = [limit for limit in limits if limit is not None and limit < today]
    if passed:
        return Lateness((today - min(passed)).days)
    if needed_on is not None and expected_on is not None and expected_on > needed_on:
        return Lateness((expected_on - needed_on).days, is_expected=True)
    return None
