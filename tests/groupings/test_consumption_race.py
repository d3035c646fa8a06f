"""One file of invoices sent by several people at once is taken in once, and undone once."""

import pytest

from tests.support.consumption_race import LINES, THREADS
from tests.support.race import run_race


@pytest.mark.services
@pytest.mark.slow
def test_the_same_file_at_once_is_one_import_and_is_undone_once(tmp_path):
    """Real threads on a real database file, or on the PostgreSQL the suite runs on."""
    done = run_race("tests.support.consumption_race", tmp_path)
    assert done["sent"] == [""] * THREADS
    assert done["after_sending"] == [LINES, 1]
    assert sorted(done["undone"]) == ["", *["Cet import est déjà annulé."] * (THREADS - 1)]
    assert done["after_undoing"] == [0, 0]
    assert done["mixed"] == ["", ""]
    assert done["after_mixed"] in ([LINES, 1], [0, 0])  # whoever came first: all of the file, or nothing of it
    assert done["journal"] == 2
