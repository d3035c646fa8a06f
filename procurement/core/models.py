"""Django finds the kernel's models here; each lives beside its own subject."""

from procurement.core.jobs.models import Job, JobItem
from procurement.core.journal.models import JournalEntry
from procurement.core.mail.models import OutgoingMessage

__all__ = ["Job", "JobItem", "JournalEntry", "OutgoingMessage"]
