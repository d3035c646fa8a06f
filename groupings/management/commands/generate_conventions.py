"""The membership conventions of one grouping, one file per member, from the command line."""

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from groupings.actions.convention import Run, conventions_request
from groupings.conventions import stored
from groupings.management.lookup import find_grouping
from groupings.models import Convention, ConventionDocument, Grouping
from procurement.core.actors import SystemActor
from procurement.core.disk import why
from procurement.core.errors import BusinessError
from procurement.core.jobs import runner
from procurement.core.jobs.progress import ProgressBar
from procurement.core.uploads import read_checked

FORMATS = ("pdf", "docx")


class Command(BaseCommand):
    help = (
        "Produit la convention constitutive d’un groupement\u00a0: un fichier par membre, nommé RÉFÉRENCE_SIREN.pdf "
        "(ou .docx)."
    )

    def add_arguments(self, parser) -> None:
        parser.add_argument("reference", metavar="RÉFÉRENCE")
        parser.add_argument("--out", required=True, metavar="DOSSIER", help="dossier où déposer les fichiers")
        parser.add_argument(
            "--coordinator", metavar="SIREN", help="quand plusieurs coordonnateurs ont un groupement de cette référence"
        )
        parser.add_argument(
            "--reason", default="", metavar="MOTIF", help="d’un nouveau texte, exigé une fois qu’un membre a voté"
        )
        parser.add_argument(
            "--format",
            choices=FORMATS,
            default="pdf",
            help="pdf (par défaut), ou docx pour négocier le texte dans Word",
        )
        parser.add_argument(
            "--version",
            dest="version_number",
            type=int,
            metavar="N",
            help="une version déjà figée, octet pour octet, au lieu de celle du jour",
        )

    def create_parser(self, prog_name, subcommand, **kwargs):
        """``--version`` is the version of the convention here, not that of Django."""
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def handle(
        self,
        *,
        reference: str,
        out: str,
        coordinator: str | None,
        format: str = "pdf",
        version_number: int | None = None,
        reason: str = "",
        **options,
    ) -> None:
        grouping = find_grouping(reference, coordinator)
        folder = Path(out)
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CommandError(f"Le dossier {folder} ne peut pas être créé\u00a0: {why(error)}.") from None
        started = time.perf_counter()
        bar = ProgressBar(self.stderr, grouping.reference)
        if version_number is None:
            documents = produce(grouping, bar=bar, reason=reason)
            convention = documents[0].convention
            convention.grouping = grouping
        else:
            convention = frozen(grouping, version_number)
        if not convention.is_generated:
            self.stdout.write(_origin_sentence(convention))
        count = 0
        for name, content in files_of(convention, format):
            _write(folder / name, content)
            count += 1
        seconds = f"{time.perf_counter() - started:.1f}".replace(".", ",")
        self.stdout.write(f"{count} convention{'s' if count > 1 else ''} dans {folder} en {seconds} s")


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
    return _documents(job.parameters["convention"])


def frozen(grouping: Grouping, version: int) -> Convention:
    """That version of the convention. Raises CommandError, with those that exist, when there is none."""
    convention = grouping.conventions.filter(version=version).first()
    if convention is None:
        known = ", ".join(
            str(number) for number in grouping.conventions.order_by("version").values_list("version", flat=True)
        )
        raise CommandError(
            f"{grouping.reference}\u00a0: la version {version} de la convention n’existe pas "
            + (f"(versions figées\u00a0: {known})." if known else "(aucune version n’est figée).")
        )
    convention.grouping = grouping
    return convention


def files_of(convention: Convention, file_format: str) -> Iterator[tuple[str, bytes]]:
    """(name, bytes) of each member's file of one version.

    A PDF is the very file kept the first day when it is still there; lost, it is laid out again from its own values and
    texts, and handed over only if its SHA-256 is the one kept. Raises CommandError otherwise, and for a Word file of a
    text the tool did not write.
    """
    reference, version = convention.grouping.reference, convention.version
    if file_format == "docx" and convention.is_generated:
        for siren in sorted(stored.party_sirens(convention)):
            yield f"{reference}_{siren}.docx", stored.word_of(convention, siren)
        return
    documents = _documents(convention.pk) or _never_produced(convention)
    if not convention.is_generated and file_format == "docx" and any(d.extension != "docx" for d in documents):
        raise CommandError(
            f"{reference}\u00a0: la version {version} est un PDF venu d’ailleurs, il n’en existe pas de forme Word."
        )
    run = Run(convention)
    for document in documents:
        if not document.sha256:
            yield document.filename, run.pdf(document.membership.organisation.siren)
            continue
        try:
            content = read_checked(document.file, sha256=document.sha256, name=document.filename)
        except BusinessError as loss:
            content = _again(run, document, loss)
        yield document.filename, content


def _again(run: Run, document: ConventionDocument, loss: BusinessError) -> bytes:
    """The bytes of a file lost or altered, laid out again and proven to be those of the first day."""
    if not run.convention.is_generated:
        raise CommandError(str(loss)) from None
    content = run.pdf(document.membership.organisation.siren)
    if hashlib.sha256(content).hexdigest() != document.sha256:
        raise CommandError(
            f"{document.filename}, version {run.convention.version}\u00a0: le fichier d’origine est perdu, et celui "
            "refait n’a pas son empreinte SHA-256. Reprenez-le dans une sauvegarde."
        )
    return content


def _never_produced(convention: Convention) -> list[ConventionDocument]:
    """A version frozen whose documents nobody asked for: they have no fingerprint to hold to."""
    memberships = convention.grouping.memberships.select_related("organisation").order_by("organisation__siren")
    parties = set(stored.party_sirens(convention))
    return [
        ConventionDocument(convention=convention, membership=membership)
        for membership in memberships
        if membership.organisation.siren in parties
    ]


def _documents(convention_pk: int) -> list[ConventionDocument]:
    return list(
        ConventionDocument.objects.filter(convention_id=convention_pk)
        .select_related("convention__grouping", "membership__organisation")
        .order_by("membership__organisation__siren")
    )


def _write(path: Path, content: bytes) -> None:
    """Never half a file under its own name, whatever stops the command."""
    aside = path.with_name(f"{path.name}.partial")
    try:
        aside.write_bytes(content)
        aside.replace(path)
    except OSError as error:
        raise CommandError(f"{path} ne peut pas être écrit\u00a0: {why(error)}.") from None


def _origin_sentence(convention: Convention) -> str:
    if convention.is_prior:
        return (
            f"La version {convention.version} a été signée avant l’outil, le {convention.signed_on:%d/%m/%Y}\u00a0: le "
            f"fichier déposé, {convention.file_name}, est remis tel quel à chaque membre."
        )
    return (
        f"La version {convention.version} a été négociée hors de l’outil\u00a0: le fichier déposé, "
        f"{convention.file_name}, est remis tel quel à chaque membre."
    )
