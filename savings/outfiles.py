"""Files written whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO


@contextmanager
def written_whole(path: Path) -> Iterator[BinaryIO]:
    """A stream beside ``path``, moved there at the end: a writing that fails leaves the former file as it was, and a
    reader never sees half of one. Raises OSError."""
    aside = path.with_name(f"{path.name}.partial")
    try:
        with aside.open("wb") as out:
            yield out
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
