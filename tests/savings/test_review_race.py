"""Several finance people at once: one validates, one correction begins, nothing is posted in a year being locked."""

import pytest

from tests.support.race import run_race
from tests.support.review_race import THREADS


@pytest.mark.services
@pytest.mark.slow
def test_finance_people_at_once(tmp_path):
    """Real threads on a real database file, or on the PostgreSQL the suite runs on."""
    done = run_race("tests.support.review_race", tmp_path)
    assert done["validated"].count("") == 1
    assert all("a changé pendant votre lecture" in told for told in done["validated"] if told)
    assert len(done["validated"]) == THREADS
    assert done["entries"] == 1
    assert done["corrected"].count("") == done["corrections"] == 1
    assert all("déjà une correction" in told for told in done["corrected"] if told)
    assert done["mixed"][:4] == [""] * 4
    assert sorted(bool(told) for told in done["mixed"][4:]) == [False, True]
    assert "déjà verrouillé" in "".join(done["mixed"][4:])
    # Whatever the order: each line is posted once, in 2026 before the lock and in 2027 after, and the lock holds.
    assert done["posted"] == 12
    assert done["in_2026"]
    assert done["unchanged"]
    assert done["findings"] == []
