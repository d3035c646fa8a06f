"""The least time candidates have to answer: in days from the day after the notice was sent.

An adapted procedure has no legal minimum: the delay is proportionate to the purchase (CCP, R2143-1 and R2151-1), and
twenty days are advised. In the procedures in two stages, the tenders cannot be due before the applications were: the
two minimums add up.
"""

from dataclasses import dataclass
from datetime import date, timedelta

#: What the ministry's guides advise for an adapted procedure: a usage, not a rule.
ADVISED_ADAPTED_DAYS = 20


@dataclass(frozen=True)
class OfferDelay:
    """``days`` from the notice to the tenders, as the ``source`` says; ``shortened`` tells the reduced delays."""

    days: int
    source: str
    shortened: str = ""


_SHORT_OPEN = (
    "15 jours après un avis de préinformation envoyé de 35 jours à 12 mois plus tôt, ou en cas d’urgence motivée "
    "(CCP, R2161-3)"
)
_SHORT_TWO_STAGES = (
    "en cas d’urgence motivée, 15 jours pour les candidatures et 10 jours pour les offres (CCP, R2161-6 à R2161-15)"
)
#: Procedure of the essential data → (by electronic means, otherwise). The others have no legal minimum.
_DELAYS = {
    "open": (OfferDelay(30, "CCP, R2161-3", _SHORT_OPEN), OfferDelay(35, "CCP, R2161-2", _SHORT_OPEN)),
    "restricted": (
        OfferDelay(55, "CCP, R2161-6 et R2161-8\u00a0: 30 jours, puis 25", _SHORT_TWO_STAGES),
        OfferDelay(60, "CCP, R2161-6 et R2161-8\u00a0: 30 jours, puis 30", _SHORT_TWO_STAGES),
    ),
    "negotiated": (
        OfferDelay(55, "CCP, R2161-12 à R2161-15\u00a0: 30 jours, puis 25", _SHORT_TWO_STAGES),
        OfferDelay(60, "CCP, R2161-12 à R2161-15\u00a0: 30 jours, puis 30", _SHORT_TWO_STAGES),
    ),
    "dialogue": (
        OfferDelay(30, "CCP, R2161-25\u00a0: candidatures"),
        OfferDelay(30, "CCP, R2161-25\u00a0: candidatures"),
    ),
}


def offer_delay(procedure: str, is_electronic: bool) -> OfferDelay | None:
    """The legal minimum of a procedure (« open », « restricted », « negotiated », « dialogue »); None without any."""
    delays = _DELAYS.get(procedure)
    return None if delays is None else delays[0 if is_electronic else 1]


def minimum_due_on(notice_sent_on: date, procedure: str, is_electronic: bool) -> date | None:
    """The first lawful day for the tenders to be due; None when the law sets no minimum (« adapted »…).

    The day after the sending is the first: a notice sent on 2 March for an open procedure by electronic means gives
    1 April, the thirtieth day. ``short_delay_reason`` of the consultation is where a reduced delay is justified.
    """
    delay = offer_delay(procedure, is_electronic)
    return None if delay is None else notice_sent_on + timedelta(days=delay.days)
