"""The conventions of the tests' world: one in its first grouping, one in the launched one."""

from django.utils import timezone

from groupings.conventions.assemble import assemble
from groupings.conventions.values import to_json
from groupings.models import Convention, Grouping
from members.models import Organisation


def make_convention(grouping: Grouping, marker: str) -> Convention:
    """The first version of ``grouping``'s convention, frozen now; a project, whose legal basis holds ``marker``."""
    return Convention.objects.create(
        grouping=grouping,
        version=1,
        values=to_json(assemble(grouping, version=1)),
        values_sha256="0" * 64,
        texts_sha256="0" * 64,
        legal_basis=f"fondement {marker}",
        is_draft=True,
        frozen_at=timezone.now(),
    )


def convention_arguments(grouping: Grouping, launched: Grouping, commune: Organisation) -> dict[str, dict]:
    """The addresses of the texts of a convention: forms on ``grouping``, the text itself on ``launched``."""
    form, version = {"pk": grouping.pk}, {"pk": launched.pk, "version": 1}
    return {
        "convention_negotiated": form,
        "convention_prior": form,
        "convention_resume": form,
        "convention_reading": version,
        "convention_reading_member": {**version, "siren": commune.siren},
        "convention_word": {**version, "siren": commune.siren},
        "convention_word_archive": version,
    }
