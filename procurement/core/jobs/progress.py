"""A progress bar for the terminal."""

from typing import TextIO

WIDTH = 30


class ProgressBar:
    """One line rewritten in place on a terminal; silent when the output is a file or a pipe."""

    def __init__(self, stream: TextIO, label: str):
        self.stream = stream
        self.label = label
        self.shown = getattr(stream, "isatty", lambda: False)()

    def update(self, done: int, total: int) -> None:
        """Draw ``done`` of ``total``."""
        if self.shown and total:
            filled = WIDTH * done // total
            self._write(f"\r{self.label:<14} [{'█' * filled}{'·' * (WIDTH - filled)}] {done}/{total}")

    def close(self) -> None:
        if self.shown:
            self._write("\n")

    def _write(self, text: str) -> None:
        self.stream.write(text, ending="") if hasattr(self.stream, "style_func") else self.stream.write(text)
        self.stream.flush()
