"""Until when an act can be challenged."""

from datetime import date

from procurement.core.calendar import ONE_DAY, add_months, next_working_day


def challenge_ends_on(start_on: date) -> date:
    """The last day to challenge an act before the administrative court.

    ``start_on``: the publication for third parties (CJA, R421-1), the reception for the préfet (CGCT, L2131-6). Two
    months, a délai franc: neither the first day nor the last counts, so one may still act on the day after; a last day
    falling on a Saturday, a Sunday or a public holiday moves to the next working day (CE, 05/06/2009, n° 312682).
    Two months from a day the target month does not have end with that month. The public holidays are those of
    metropolitan France, without Alsace-Moselle's and the overseas ones: there the true term may be a day later, never
    earlier.
    """
    return next_working_day(add_months(start_on, 2) + ONE_DAY)
