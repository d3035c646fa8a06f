"""The journal: who did what, when, for which body, from what to what. Append-only, it is the legal trace."""

from django.conf import settings
from django.db import models
from django.utils import timezone


class JournalIsAppendOnly(RuntimeError):
    """Somebody tried to change or remove a journal entry."""


class JournalQuerySet(models.QuerySet):
    def visible_to(self, affiliation) -> "JournalQuerySet":
        """Entries of the affiliation's own territory; a member only sees what concerns everybody or itself."""
        if affiliation is None:
            return self.none()
        entries = self.filter(territory_id=affiliation.territory_id)
        if affiliation.sees_whole_territory:
            return entries
        return entries.filter(
            models.Q(concerns_id=affiliation.organisation_id) | models.Q(organisation_id=affiliation.organisation_id)
        )

    def of_thread(self, thread: str, affiliation) -> "JournalQuerySet":
        """One page's entries, once the page itself was found by ``visible_to``: a member does not read what others did
        with their own data."""
        if affiliation is None:
            return self.none()
        entries = self.filter(thread=thread, territory_id=affiliation.territory_id)
        if affiliation.sees_whole_territory:
            return entries
        return entries.filter(models.Q(concerns_id=affiliation.organisation_id) | models.Q(concerns__isnull=True))

    def update(self, **kwargs):
        raise JournalIsAppendOnly("Le journal ne se modifie pas.")

    def delete(self):
        raise JournalIsAppendOnly("Le journal ne s’efface pas.")

    def bulk_update(self, objs, fields, batch_size=None):
        raise JournalIsAppendOnly("Le journal ne se modifie pas.")

    def bulk_create(self, objs, *args, update_conflicts=False, **kwargs):
        if update_conflicts:
            raise JournalIsAppendOnly("Le journal ne se modifie pas.")
        return super().bulk_create(objs, *args, **kwargs)


class JournalEntry(models.Model):
    """One act. ``thread`` gathers what belongs to one page ("grouping:12"); ``concerns`` is the body it is about."""

    at = models.DateTimeField("date et heure", default=timezone.now, editable=False)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, verbose_name="auteur", related_name="+"
    )
    actor_label = models.CharField("auteur au moment de l’acte", max_length=200)
    organisation = models.ForeignKey(
        "members.Organisation",
        models.PROTECT,
        null=True,
        blank=True,
        verbose_name="pour le compte de",
        related_name="+",
    )
    territory = models.ForeignKey("members.Organisation", models.PROTECT, verbose_name="territoire", related_name="+")
    concerns = models.ForeignKey(
        "members.Organisation", models.PROTECT, null=True, blank=True, verbose_name="concerne", related_name="+"
    )
    thread = models.CharField("dossier", max_length=60)
    verb = models.CharField("acte", max_length=60)
    sentence = models.CharField("ce qui a été fait", max_length=500)
    before = models.JSONField("avant", default=dict, blank=True)
    after = models.JSONField("après", default=dict, blank=True)
    reason = models.TextField("motif", blank=True)

    objects = JournalQuerySet.as_manager()

    class Meta:
        verbose_name = "inscription au journal"
        verbose_name_plural = "journal"
        ordering = ["-at", "-pk"]
        base_manager_name = "objects"  # related look-ups go through the same closed door
        indexes = [models.Index(fields=["thread", "-at"], name="journal_thread")]

    def __str__(self) -> str:
        return self.sentence

    def save(self, *args, **kwargs):
        if not self._state.adding:
            raise JournalIsAppendOnly("Le journal ne se modifie pas.")
        # Without force_insert, a new object carrying the key of an old entry would overwrite it.
        kwargs["force_insert"] = True
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        raise JournalIsAppendOnly("Le journal ne s’efface pas.")
