"""The clause library of a territory: the published versions, that nothing changes, and the draft of the next one."""

from django.db import models
from django.db.models import Q

from groupings.clauses.articles import ARTICLES, Article, ClauseText
from groupings.querysets import visible_clauses
from members.models import Organisation
from procurement.core.journal.record import Scope


class ClauseIsAppendOnly(RuntimeError):
    """Somebody tried to change or remove a published version: documents already made were made from it."""


class ClauseVersionQuerySet(models.QuerySet):
    def visible_to(self, affiliation) -> "ClauseVersionQuerySet":
        """The library of the affiliation's own territory, for the people of the body at its head."""
        return self.filter(visible_clauses(affiliation))

    def update(self, **kwargs):
        raise ClauseIsAppendOnly("Une version publiée ne se modifie pas.")

    def delete(self):
        raise ClauseIsAppendOnly("Une version publiée ne s’efface pas.")

    def bulk_update(self, objs, fields, batch_size=None):
        raise ClauseIsAppendOnly("Une version publiée ne se modifie pas.")

    def bulk_create(self, objs, *args, update_conflicts=False, **kwargs):
        if update_conflicts:
            raise ClauseIsAppendOnly("Une version publiée ne se modifie pas.")
        return super().bulk_create(objs, *args, **kwargs)


class ClauseVersion(models.Model):
    """One published version of one article. Numbers follow one another, from 1: the text the product came with."""

    territory = models.ForeignKey(Organisation, models.PROTECT, related_name="+", verbose_name="territoire")
    key = models.CharField("article", max_length=20)
    number = models.PositiveIntegerField("version")
    title = models.CharField("intitulé", max_length=120)
    body = models.TextField("texte")
    sha256 = models.CharField("empreinte", max_length=64)
    note = models.CharField("motif", max_length=500)
    published_at = models.DateTimeField("publiée le")
    published_by = models.CharField("publiée par", max_length=200)

    objects = ClauseVersionQuerySet.as_manager()

    class Meta:
        verbose_name = "version d’un article"
        verbose_name_plural = "versions des articles"
        ordering = ["key", "-number"]
        base_manager_name = "objects"  # related look-ups go through the same closed door
        constraints = [
            models.UniqueConstraint(fields=["territory", "key", "number"], name="clause_version_once"),
            models.CheckConstraint(
                condition=Q(number__gte=1),
                name="clause_version_from_one",
                violation_error_message="La première version porte le numéro 1.",
            ),
            models.CheckConstraint(
                condition=~Q(sha256="") & ~Q(note=""),
                name="clause_version_has_hash_and_note",
                violation_error_message="Une version publiée a une empreinte et un motif.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.article.label}, version {self.number}"

    def save(self, *args, **kwargs):
        if not self._state.adding:
            raise ClauseIsAppendOnly("Une version publiée ne se modifie pas.")
        kwargs["force_insert"] = True
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        raise ClauseIsAppendOnly("Une version publiée ne s’efface pas.")

    @property
    def article(self) -> Article:
        return ARTICLES[self.key]

    @property
    def text(self) -> ClauseText:
        """What it prints. Raises ValueError when the stored text is not the one that was published."""
        text = ClauseText(self.key, self.title, self.body, self.number)
        if text.sha256 != self.sha256:
            raise ValueError(f"{self}\u00a0: le texte conservé n’est pas celui qui a été publié.")
        return text

    @property
    def journal_scope(self) -> Scope:
        return Scope(clause_thread(self.key), self.territory_id)


class ClauseDraftQuerySet(models.QuerySet):
    def visible_to(self, affiliation) -> "ClauseDraftQuerySet":
        return self.filter(visible_clauses(affiliation))


class ClauseDraft(models.Model):
    """What is being written for the next version of one article, right or wrong; one per article and territory."""

    territory = models.ForeignKey(Organisation, models.CASCADE, related_name="+", verbose_name="territoire")
    key = models.CharField("article", max_length=20)
    title = models.CharField("intitulé", max_length=300)
    body = models.TextField("texte", blank=True)
    saved_at = models.DateTimeField("enregistré le")
    saved_by = models.CharField("enregistré par", max_length=200)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = ClauseDraftQuerySet.as_manager()

    class Meta:
        verbose_name = "projet d’article"
        verbose_name_plural = "projets d’articles"
        ordering = ["key"]
        constraints = [
            models.UniqueConstraint(
                fields=["territory", "key"],
                name="clause_draft_once",
                violation_error_message="Cet article a déjà un projet.",
            )
        ]

    def __str__(self) -> str:
        return f"{ARTICLES[self.key].label}, projet"

    @property
    def mark(self) -> str:
        """What a form remembers of the draft it shows: another one, or a later state of it, has another mark."""
        return f"{self.pk}.{self.version}"

    def text(self, version: int) -> ClauseText:
        """What it would print, published under the number ``version``."""
        return ClauseText(self.key, self.title, self.body, version)


def clause_thread(key: str) -> str:
    """The file of one article in the journal."""
    return f"clause:{key}"
