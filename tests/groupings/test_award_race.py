"""Several buyers award one lot at once, then share it at once: one writes, the others are told, the sum holds."""

import json
import os

import pytest

from tests.services.test_kill import _output, _own_database
from tests.support.award_race import THREADS


@pytest.mark.services
@pytest.mark.slow
def test_of_six_buyers_at_once_one_awards_and_one_shares(tmp_path):
    """Real threads on a real database file, or on the PostgreSQL the suite runs on."""
    with _own_database() as database:
        environment = {
            **os.environ,
            **database,
            "DATA_DIR": str(tmp_path),
            "DJANGO_SETTINGS_MODULE": "procurement.settings",
        }
        if not database:
            environment.pop("DATABASE_URL", None)
        _output(environment, "manage.py", "migrate", "--verbosity", "0")
        done = json.loads(_output(environment, "-m", "tests.support.award_race"))
    for told in (done["awarded"], done["shared"]):
        assert len(told) == THREADS
        assert told.count("") == 1
        assert all("modifiée entre-temps" in answer for answer in told if answer)
    assert (done["holders"], done["sum"], done["shares"]) == (1, "3000.00", 3)
