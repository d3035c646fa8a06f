"""What is wrong in a clause: one French sentence, and where to look."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClauseProblem:
    """``line`` and ``column`` count from 1; zero when the problem is the article's as a whole."""

    message: str
    line: int = 0
    column: int = 0

    @property
    def place(self) -> str:
        """« ligne 3, colonne 12 », empty for the whole article."""
        return f"ligne {self.line}, colonne {self.column}" if self.line else ""

    def told(self, article: str) -> str:
        """The whole sentence: « Article 11, ligne 3, colonne 12 : la balise… »."""
        return f"{', '.join(filter(None, (article, self.place)))}\u00a0: {self.message}"


def located(message: str, text: str, offset: int) -> ClauseProblem:
    """The problem found at ``offset`` (from 0) of ``text``."""
    before = text[:offset]
    return ClauseProblem(message, before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)
