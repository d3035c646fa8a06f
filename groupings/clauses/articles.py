"""The articles of a convention, in their order: the preamble and the nineteen articles that refer to one another."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

_SHIPPED = Path(__file__).parent / "shipped"


@dataclass(frozen=True, slots=True)
class Article:
    """One place in the convention. ``number`` is 0 for the preamble; ``title`` is the shipped one."""

    key: str
    number: int
    title: str

    @property
    def label(self) -> str:
        return f"Article\u00a0{self.number}" if self.number else "Préambule"


_TITLES = {
    "preambule": "Préambule",
    "objet": "Objet",
    "composition": "Composition du groupement",
    "besoins": "Définition et estimation des besoins",
    "coordonnateur": "Désignation du coordonnateur",
    "missions": "Missions du coordonnateur",
    "obligations": "Obligations des membres",
    "procedure": "Procédure de dévolution",
    "commission": "Commission d’appel d’offres et examen des offres",
    "execution": "Signature, notification, exécution et facturation",
    "finances": "Dispositions financières",
    "responsabilite": "Responsabilité",
    "duree": "Entrée en vigueur et durée",
    "adhesion": "Adhésion de nouveaux membres",
    "retrait": "Retrait et exclusion",
    "modification": "Modification de la convention",
    "substitution": "Substitution du coordonnateur",
    "justice": "Capacité à ester en justice",
    "confidentialite": "Confidentialité, données et archivage",
    "litiges": "Litiges",
}
ARTICLES = {key: Article(key, number, title) for number, (key, title) in enumerate(_TITLES.items())}


@dataclass(frozen=True, slots=True)
class ClauseText:
    """One version of one article: what is printed, and the number under which it was published."""

    key: str
    title: str
    body: str
    version: int = 1

    @property
    def article(self) -> Article:
        return ARTICLES[self.key]

    @property
    def heading(self) -> str:
        """« Article 11 – Responsabilité », « Préambule »."""
        number = self.article.number
        return f"Article\u00a0{number} – {self.title}" if number else self.title

    @property
    def sha256(self) -> str:
        """The fingerprint of what this version prints: its title and its text."""
        return sha256(f"{self.title}\0{self.body}".encode()).hexdigest()


#: The text of a whole convention: one version of each article, in order.
Texts = tuple[ClauseText, ...]


@lru_cache(maxsize=1)
def shipped_texts() -> Texts:
    """The text the product comes with: version 1 of every territory."""
    return tuple(
        ClauseText(article.key, article.title, (_SHIPPED / f"{article.key}.html").read_text(encoding="utf-8"))
        for article in ARTICLES.values()
    )


def texts_fingerprint(texts: Iterable[ClauseText]) -> str:
    """The fingerprint of a whole text, whatever the numbers of its versions."""
    return sha256("\n".join(f"{text.key} {text.sha256}" for text in texts).encode()).hexdigest()
