"""Run by the kill test in processes of their own: ask for the conventions, then say how they stand."""

import json
import sys

import django

MEMBERS = 16  # and the métropole: 17 conventions


def ask() -> str:
    """One grouping of 17 members, its conventions asked for as a job; returns the job's id."""
    from django.utils import timezone

    from groupings.actions.convention import conventions_request
    from procurement.core.actors import SystemActor
    from tests.support.factories import make_territory

    _, grouping = make_territory(members=MEMBERS, lots=2, reference="GC-KILL")
    return str(conventions_request(grouping=grouping, actor=SystemActor("essai"), now=timezone.now()).pk)


def status(job_id: str) -> dict:
    """The job's row and its documents, each with the hash of the bytes on disk."""
    import hashlib

    from groupings.models import ConventionDocument
    from procurement.core.jobs.models import Job

    job = Job.objects.get(pk=job_id)
    documents = ConventionDocument.objects.filter(convention_id=job.parameters["convention"])
    return {
        "status": job.status,
        "done": job.done,
        "total": job.total,
        "attempts": job.attempts,
        "items": job.items.count(),
        "message": job.message,
        "documents": [
            [d.membership_id, d.sha256, hashlib.sha256(d.file.open("rb").read()).hexdigest()] for d in documents
        ],
    }


def grouping(documents: int) -> str:
    """One grouping of that many members, nothing asked; returns its reference."""
    from tests.support.factories import make_territory

    return make_territory(members=documents - 1, lots=2, reference="GC-KILL")[1].reference


def documents() -> dict:
    """How many versions, jobs and items there are, and every document with the hash of the bytes on disk."""
    from groupings.models import Convention, ConventionDocument
    from procurement.core.jobs.models import Job, JobItem

    return {
        "versions": Convention.objects.count(),
        "jobs": Job.objects.count(),
        "items": JobItem.objects.count(),
        "documents": [_hashed(document) for document in ConventionDocument.objects.all()],
    }


def _hashed(document) -> list:
    import hashlib
    from pathlib import Path

    return [document.membership_id, document.sha256, hashlib.sha256(Path(document.file.path).read_bytes()).hexdigest()]


def main(asked: str, *arguments: str) -> str:
    if asked == "ask":
        return ask()
    if asked == "grouping":
        return grouping(int(arguments[0]))
    return json.dumps(documents() if asked == "documents" else status(arguments[0]))


if __name__ == "__main__":
    django.setup()
    print(main(*sys.argv[1:]))  # noqa: T201
