"""The log of mails on screen: « relancé le … » ends disputes. Never the text, which holds the member's own link."""

import django_filters
import django_tables2 as tables
from django.db.models import Q, QuerySet
from django.template.loader import render_to_string

from groupings.choices import Badge
from groupings.models import Grouping
from procurement.core.exports import Column
from procurement.core.forms import style
from procurement.core.mail.models import OutgoingMessage

_STATUS = OutgoingMessage.Status
BADGES = {
    _STATUS.WAITING: Badge("En attente", "neutral", "clock"),
    _STATUS.SENT: Badge("Envoyé", "green", "check-circle-fill"),
    _STATUS.FAILED: Badge("Échec", "late", "exclamation-triangle-fill"),
}
#: What the database can say of ``OutgoingMessage.status``.
_CONDITIONS = {
    _STATUS.WAITING: Q(sent_at__isnull=True, next_attempt_at__isnull=False),
    _STATUS.SENT: Q(sent_at__isnull=False),
    _STATUS.FAILED: Q(sent_at__isnull=True, next_attempt_at__isnull=True),
}


def mail_rows(affiliation) -> QuerySet:
    """The mails inside the perimeter, the latest first, without their text."""
    messages = OutgoingMessage.objects.visible_to(affiliation).select_related("organisation")
    return messages.defer("text", "attachments").order_by("-created_at", "-pk")


class MailFilter(django_filters.FilterSet):
    """By grouping, by body or address, by state."""

    groupement = django_filters.ChoiceFilter(field_name="thread", label="Groupement", empty_label="Tous")
    q = django_filters.CharFilter(method="search", label="Organisme ou adresse", max_length=200)
    etat = django_filters.ChoiceFilter(method="in_state", label="État", choices=_STATUS.choices, empty_label="Tous")

    class Meta:
        model = OutgoingMessage
        fields: list[str] = []

    def __init__(self, *args, affiliation, **kwargs):
        super().__init__(*args, **kwargs)
        groupings = Grouping.objects.visible_to(affiliation).filter(is_declared_only=False)
        self.filters["groupement"].extra["choices"] = [(g.thread, f"{g.reference} – {g.title}") for g in groupings]
        for field in self.form.fields.values():
            style(field)

    def search(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        return queryset.filter(Q(organisation__name__icontains=value) | Q(recipient__icontains=value))

    def in_state(self, queryset: QuerySet, name: str, value: str) -> QuerySet:
        return queryset.filter(_CONDITIONS[_STATUS(value)])


class MailTable(tables.Table):
    """One row of ``mail_rows`` per address."""

    created_at = tables.DateTimeColumn("d/m/Y H:i", verbose_name="Écrit le", attrs={"td": {"class": "text-nowrap"}})
    organisation = tables.Column("Organisme", order_by="organisation__sort_name", default="—")
    recipient = tables.Column("Destinataire", attrs={"td": {"class": "wrap"}})
    subject = tables.Column("Objet", attrs={"td": {"class": "wrap name"}}, orderable=False)
    status = tables.Column("État", orderable=False, empty_values=())

    class Meta:
        model = OutgoingMessage
        fields = ("created_at", "organisation", "recipient", "subject", "status")
        empty_text = "Aucun courriel ne correspond."

    caption = "Courriels, du plus récent au plus ancien"

    def render_status(self, record: OutgoingMessage) -> str:
        return render_to_string("components/state.html", {"badge": BADGES[record.status], "detail": record.error})


EXPORT_COLUMNS = (
    Column("Écrit le", "created_at", "date"),
    Column("Envoyé le", "sent_at", "date"),
    Column("Organisme", lambda row: row.organisation.name if row.organisation else None, width=36),
    Column("Destinataire", "recipient", width=32),
    Column("Objet", "subject", width=60),
    Column("État", lambda row: row.status.label, width=12),
    Column("Dernière erreur", lambda row: row.error or None, width=40),
)
