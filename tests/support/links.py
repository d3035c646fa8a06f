"""What the tests of a signed link share: its addresses, its answers, its kit, the ways it closes."""

import hashlib
from datetime import date, timedelta

from django.apps import apps
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from groupings.choices import ConventionStatus
from groupings.links import (
    link_token,
)
from groupings.models import Convention, ConventionDocument, DraftDocument
from tests.support.deliberations import make_pdf

PDF = make_pdf("Extrait du registre des délibérations")


def in_days(days: int) -> date:
    return timezone.localdate() + timedelta(days=days)


def address(link, step: str = "") -> str:
    if step:
        return reverse("signed_link_step", args=[link_token(link), step])
    return reverse("signed_link", args=[link_token(link)])


def page_of(client, link, query: str = "") -> str:
    return client.get(address(link) + query).content.decode()


def answer(client, scene, link, step: str, **values):
    return client.post(address(link, step), {"version": scene.deliberation.version, **values})


def vote_of(scene, outcome="adopted", **values) -> dict:
    return {"outcome": outcome, "meeting_on": f"{scene.past.meeting_on}", **values}


def upload(content: bytes = PDF, name: str = "délibération.pdf") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def everything() -> dict[str, list]:
    """Every row of every table, the visitor's session aside."""
    return {
        model._meta.label: sorted(map(repr, model._base_manager.values_list()))
        for model in apps.get_models()
        if model._meta.label != "sessions.Session"
    }


def close(scene, how: str) -> None:
    if how == "withdrawn":
        scene.membership.withdrawn_on = in_days(-1)
        scene.membership.save()
    else:
        scene.grouping.status = how
        scene.grouping.launched_on = in_days(-1) if how == "consultation" else None
        scene.grouping.closed_on = in_days(-1) if how == "cancelled" else None
        scene.grouping.save()


CLOSED = {
    "withdrawn": "Saussan ne participe plus à ce groupement",
    "consultation": "La consultation est lancée",
    "cancelled": "Ce groupement est abandonné",
}


def document_of(link, name: str) -> str:
    return reverse("signed_link_document", args=[link_token(link), name])


def kit_of(membership, version: int = 1, text: str = "kit") -> None:
    """One convention and its two drafts, each holding the member's name."""
    older = Convention.objects.filter(grouping=membership.grouping, version__lt=version)
    older.update(status=ConventionStatus.SUPERSEDED)
    convention, _ = Convention.objects.get_or_create(
        grouping=membership.grouping,
        version=version,
        defaults={
            "values": {},
            "values_sha256": "0" * 64,
            "texts_sha256": "0" * 64,
            "legal_basis": "L2113-6",
            "is_draft": True,
            "frozen_at": timezone.now(),
        },
    )
    content = f"{text} {membership.organisation.name} v{version}".encode()
    facts = {"convention": convention, "membership": membership, "size": len(content)}
    facts["sha256"] = hashlib.sha256(content).hexdigest()
    for row in (
        ConventionDocument(**facts, pages=1),
        DraftDocument(**facts, format="docx"),
        DraftDocument(**facts, format="pdf"),
    ):
        row.file.save(row.filename, ContentFile(content))
