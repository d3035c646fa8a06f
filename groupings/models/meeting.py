"""The meetings held with the members of a grouping: the bilan counts them."""

from django.core.validators import MinValueValidator
from django.db import models

from groupings.models.grouping import Grouping
from groupings.querysets import OfGroupingQuerySet
from members.models import validate_one_line
from procurement.core.journal.record import Scope


class Meeting(models.Model):
    """One meeting about one grouping."""

    grouping = models.ForeignKey(Grouping, models.CASCADE, related_name="meetings")
    held_on = models.DateField("tenue le")
    subject = models.CharField("objet", max_length=200, validators=[validate_one_line])
    attendees = models.PositiveSmallIntegerField(
        "organismes présents", null=True, blank=True, validators=[MinValueValidator(1)]
    )
    notes = models.TextField("relevé", max_length=2000, blank=True)

    objects = OfGroupingQuerySet.as_manager()

    class Meta:
        verbose_name = "réunion"
        ordering = ["-held_on", "-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["grouping", "held_on", "subject"],
                name="meeting_once",
                violation_error_message="Cette réunion est déjà inscrite.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.subject}, {self.held_on:%d/%m/%Y}"

    @property
    def journal_scope(self) -> Scope:
        return self.grouping.journal_scope
