"""Several people freeze amendments at once, then bring one into force at once: no hole, no twin, one effect."""

import pytest

from tests.support.amendment_race import THREADS
from tests.support.race import run_race


@pytest.mark.services
@pytest.mark.slow
def test_numbers_have_no_hole_and_an_effect_happens_once(tmp_path):
    """Real threads on a real database file, or on the PostgreSQL the suite runs on."""
    done = run_race("tests.support.amendment_race", tmp_path)
    assert done["numbers"] == list(range(1, done["frozen"].count("") + 1))
    # Two of the five change the object: one of them is told to wait for the other.
    assert [told for told in done["frozen"] if told and "modifie déjà l’article" not in told] == []
    assert done["frozen"].count("") == THREADS - 1
    assert done["entered"].count("") == 1
    assert all("n’est pas possible depuis" in told for told in done["entered"] if told)
