"""Several people at once, in real threads and on a real database: a file, or the PostgreSQL the suite runs on."""

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any


def together(work: Callable[[int], object], count: int) -> list[str]:
    """Call ``work`` with 0 to ``count`` - 1 at once, each in a thread of its own: the refusal each was told, or ""."""
    from django.db import connection

    from procurement.core.errors import BusinessError

    start = threading.Barrier(count)
    told = [""] * count

    def run(number: int) -> None:
        start.wait()
        try:
            work(number)
        except BusinessError as error:
            told[number] = str(error)
        except Exception as error:
            told[number] = f"{type(error).__name__}: {error}"
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return told


def run_race(module: str, folder: Path) -> Any:
    """What ``python -m module`` prints (JSON), in an empty database of its own."""
    from tests.services.test_kill import _output, _own_database

    with _own_database() as database:
        environment = (
            os.environ | database | {"DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "procurement.settings"}
        )
        if not database:
            environment.pop("DATABASE_URL", None)
        _output(environment, "manage.py", "migrate", "--verbosity", "0")
        return json.loads(_output(environment, "-m", module))


def tell(race: Callable[[], object]) -> None:
    """What such a module does: prepare Django, run, print."""
    import django

    django.setup()
    print(json.dumps(race()))  # noqa: T201
