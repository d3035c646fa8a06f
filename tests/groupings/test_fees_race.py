"""Several groupings of one coordinator call their members at once: one series, without gap nor twin."""

import pytest

from tests.support.fees_race import ASKED
from tests.support.race import run_race


@pytest.mark.services
@pytest.mark.slow
def test_calls_issued_at_once_share_one_series_and_are_issued_once(tmp_path):
    """Four groupings of three communes, each asked twice: twelve calls, numbered 1 to 12."""
    done = run_race("tests.support.fees_race", tmp_path)
    assert done["told"] == [""] * ASKED
    assert done["numbers"] == list(range(1, 13))
