"""The standstill: the days between the sending of the rejections and the signature of the contract.

Compulsory in a formalised procedure (CCP, L2182-1 and R2182-1); neither in an adapted procedure nor when the only
tenderer is the one chosen (R2182-2). The eleven and sixteen days of the code are the ten and fifteen of directive
89/665/CEE, article 2 bis, which are counted from the day after the sending; they run from date to date, week-ends and
holidays included (CE, 02/08/2011, n° 347526).
"""

from datetime import date, timedelta

ELECTRONIC_DAYS, OTHER_DAYS = 11, 16
SOURCE = "CCP, R2182-1"
EXCEPTION_SOURCE = "CCP, R2182-2"


def standstill_days(is_electronic: bool) -> int:
    """Days from the sending of the rejections to the earliest signature: 11 sent electronically to all, else 16."""
    return ELECTRONIC_DAYS if is_electronic else OTHER_DAYS


def earliest_signature_on(sent_on: date, *, is_electronic: bool) -> date:
    """The first day the contract may be signed when the last rejection left on ``sent_on``."""
    return sent_on + timedelta(days=standstill_days(is_electronic))
