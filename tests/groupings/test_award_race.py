"""Several buyers award one lot at once, then share it at once: one writes, the others are told, the sum holds."""

import pytest

from tests.support.award_race import THREADS
from tests.support.race import run_race


@pytest.mark.services
@pytest.mark.slow
def test_of_six_buyers_at_once_one_awards_and_one_shares(tmp_path):
    """Real threads on a real database file, or on the PostgreSQL the suite runs on."""
    done = run_race("tests.support.award_race", tmp_path)
    for told in (done["awarded"], done["shared"]):
        assert len(told) == THREADS
        assert told.count("") == 1
        assert all("modifiée entre-temps" in answer for answer in told if answer)
    assert (done["holders"], done["sum"], done["shares"]) == (1, "3000.00", 3)
