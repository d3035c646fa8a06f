"""The membership conventions of one grouping, one PDF per member, from the command line."""

import shutil
import time
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from groupings.actions.convention import conventions_request
from groupings.management.lookup import find_grouping
from groupings.models import ConventionDocument, Grouping
from procurement.core.actors import SystemActor
from procurement.core.disk import why
from procurement.core.errors import BusinessError
from procurement.core.jobs import runner
from procurement.core.jobs.progress import ProgressBar


class Command(BaseCommand):
    help = "Produit la convention constitutive d’un groupement\u00a0: un PDF par membre, nommé RÉFÉRENCE_SIREN.pdf."

    def add_arguments(self, parser) -> None:
        parser.add_argument("reference", metavar="RÉFÉRENCE")
        parser.add_argument("--out", required=True, metavar="DOSSIER", help="dossier où déposer les PDF")
        parser.add_argument(
            "--coordinator", metavar="SIREN", help="quand plusieurs coordonnateurs ont un groupement de cette référence"
        )
        parser.add_argument(
            "--reason", default="", metavar="MOTIF", help="d’un nouveau texte, exigé une fois qu’un membre a voté"
        )

    def handle(self, *, reference: str, out: str, coordinator: str | None, reason: str, **options) -> None:
        grouping = find_grouping(reference, coordinator)
        folder = Path(out)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CommandError(f"Le dossier {folder} ne peut pas être créé\u00a0: {why(error)}.") from None
        started = time.perf_counter()
        documents = produce(grouping, bar=ProgressBar(self.stderr, grouping.reference), reason=reason)
        for document in documents:
            with document.file.open("rb") as source, (folder / document.filename).open("wb") as target:
                shutil.copyfileobj(source, target)
        seconds = f"{time.perf_counter() - started:.1f}".replace(".", ",")
        self.stdout.write(f"{len(documents)} conventions dans {folder} en {seconds} s")


def produce(grouping: Grouping, *, bar: ProgressBar, reason: str = "") -> list[ConventionDocument]:
    """Freeze, produce in this process and return the documents. Raises CommandError with the refusal.

    ``reason``: that of a new text once a member has voted."""
    actor = SystemActor("generate_conventions")
    try:
        job = conventions_request(grouping=grouping, actor=actor, now=timezone.now(), reason=reason, ring_bell=False)
    except BusinessError as error:
        raise CommandError(f"{grouping.reference}\u00a0: {error}") from None
    finished = runner.run(job.pk, on_progress=bar.update) or runner.wait(job.pk, on_progress=bar.update)
    bar.close()
    if finished.status != finished.Status.DONE:
        raise CommandError(f"{grouping.reference}\u00a0: {finished.message}")
    return list(
        ConventionDocument.objects.filter(convention_id=job.parameters["convention"])
        .select_related("convention__grouping", "membership__organisation")
        .order_by("membership__organisation__siren")
    )
