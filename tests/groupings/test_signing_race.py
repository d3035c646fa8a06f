"""Several people record one signature at once, then the two last ones come together."""

import pytest

from tests.support.race import run_race
from tests.support.signing_race import THREADS


@pytest.mark.services
@pytest.mark.slow
def test_of_six_at_once_one_is_kept_and_the_last_two_put_the_version_in_force_once(tmp_path):
    """Real threads on a real database file, or on the PostgreSQL the suite runs on."""
    done = run_race("tests.support.signing_race", tmp_path)
    assert (len(done["first"]), done["first"].count("")) == (THREADS, 1)
    assert all("déjà enregistrée" in answer for answer in done["first"] if answer)
    assert done["last"] == ["", ""]
    assert (done["signatures"], done["positions"]) == (3, [1, 2, 3])
    assert (done["status"], done["in_force"]) == ("in_force", 1)
