"""``manage.py generate_conventions``: one PDF per member, the same bytes twice, clear refusals."""

import hashlib
from dataclasses import replace
from io import BytesIO, StringIO

import pypdf
import pytest
from django.core.management import CommandError, call_command

from groupings.models import Convention, ConventionDocument
from procurement.core.jobs.models import Job
from tests.support.clauses import make_version, shipped
from tests.support.factories import make_metropole, make_territory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _documents_in_a_folder_of_their_own(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "documents"


def _generate(reference, folder, **options):
    out = StringIO()
    call_command("generate_conventions", reference, out=str(folder), stdout=out, **options)
    return out.getvalue()


def test_writes_one_pdf_per_member_named_by_reference_and_siren(tmp_path):
    _, grouping = make_territory(members=3, reference="GC-9")
    message = _generate("GC-9", tmp_path / "out")
    sirens = set(grouping.memberships.values_list("organisation__siren", flat=True))
    assert {path.name for path in (tmp_path / "out").iterdir()} == {f"GC-9_{siren}.pdf" for siren in sirens}
    assert message.startswith("4 conventions dans ") and message.rstrip().endswith(" s")


def test_each_pdf_is_the_member_s_own_and_its_hash_is_recorded(tmp_path):
    make_territory(members=2, reference="GC-9")
    _generate("GC-9", tmp_path)
    for document in ConventionDocument.objects.all():
        content = (tmp_path / document.filename).read_bytes()
        assert hashlib.sha256(content).hexdigest() == document.sha256
        reader = pypdf.PdfReader(BytesIO(content))
        assert len(reader.pages) == document.pages
        assert reader.trailer["/Root"]["/Lang"] == "fr-FR"
        text = " ".join(" ".join(page.extract_text() for page in reader.pages).split())
        assert document.membership.organisation.name in text
        assert "délibération à venir" in text.lower()


def test_twice_gives_the_same_version_and_the_same_bytes(tmp_path):
    make_territory(members=2, reference="GC-9")
    _generate("GC-9", tmp_path / "first")
    _generate("GC-9", tmp_path / "second")
    assert Convention.objects.count() == 1
    first = {path.name: path.read_bytes() for path in (tmp_path / "first").iterdir()}
    assert first == {path.name: path.read_bytes() for path in (tmp_path / "second").iterdir()}


def test_a_change_makes_a_new_version_and_leaves_the_old_one(tmp_path):
    _, grouping = make_territory(members=2, reference="GC-9")
    _generate("GC-9", tmp_path / "first")
    before = {d.pk: d.sha256 for d in ConventionDocument.objects.all()}
    grouping.title = "Fournitures de bureau, papier et enveloppes"
    grouping.save()
    _generate("GC-9", tmp_path / "second")
    assert list(Convention.objects.order_by("version").values_list("version", flat=True)) == [1, 2]
    assert before.items() <= {d.pk: d.sha256 for d in ConventionDocument.objects.all()}.items()


def test_a_lost_file_is_made_again_byte_for_byte(tmp_path):
    make_territory(members=2, reference="GC-9")
    _generate("GC-9", tmp_path)
    document = ConventionDocument.objects.first()
    document.file.storage.delete(document.file.name)
    _generate("GC-9", tmp_path / "again")
    assert hashlib.sha256((tmp_path / "again" / document.filename).read_bytes()).hexdigest() == document.sha256
    document.refresh_from_db()
    assert document.file.storage.exists(document.file.name)


def test_an_unknown_reference_is_refused(tmp_path):
    with pytest.raises(CommandError, match="Aucun groupement ne porte la référence GC-0"):
        _generate("GC-0", tmp_path)


def test_a_reference_of_two_coordinators_asks_which(tmp_path):
    first, _ = make_territory(reference="GC-9")
    make_territory(reference="GC-9")
    with pytest.raises(CommandError, match="--coordinator"):
        _generate("GC-9", tmp_path)
    assert _generate("GC-9", tmp_path, coordinator=first.siren).startswith("3 conventions")


def test_a_grouping_that_makes_no_convention_is_refused_and_writes_nothing(tmp_path):
    from tests.support.factories import make_grouping, make_membership

    metropole = make_metropole()
    make_membership(make_grouping(metropole, reference="GC-9"), metropole)
    with pytest.raises(CommandError, match="au moins deux membres"):
        _generate("GC-9", tmp_path)
    assert not Convention.objects.exists() and not Job.objects.exists()


def _contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_word_files_carry_the_same_names_with_their_own_extension(tmp_path):
    _, grouping = make_territory(members=2, reference="GC-9")
    message = _generate("GC-9", tmp_path / "word", format="docx")
    sirens = set(grouping.memberships.values_list("organisation__siren", flat=True))
    assert set(_contents(tmp_path / "word")) == {f"GC-9_{siren}.docx" for siren in sirens}
    assert message.startswith("3 conventions dans ")
    _generate("GC-9", tmp_path / "again", format="docx")
    assert _contents(tmp_path / "word") == _contents(tmp_path / "again")


def test_a_former_version_comes_out_as_on_its_first_day(tmp_path):
    _, grouping = make_territory(members=2, reference="GC-9")
    _generate("GC-9", tmp_path / "first")
    grouping.title = "Fournitures de bureau, papier et enveloppes"
    grouping.save()
    _generate("GC-9", tmp_path / "second")
    _generate("GC-9", tmp_path / "asked", version=1)
    assert _contents(tmp_path / "asked") == _contents(tmp_path / "first") != _contents(tmp_path / "second")
    assert Convention.objects.count() == 2  # asking for a former version freezes nothing


def test_a_former_version_whose_files_are_lost_is_laid_out_again_byte_for_byte(tmp_path, settings):
    _, grouping = make_territory(members=2, reference="GC-9")
    _generate("GC-9", tmp_path / "first")
    grouping.title = "Autre objet"
    grouping.save()
    _generate("GC-9", tmp_path / "second")
    for document in ConventionDocument.objects.filter(convention__version=1):
        document.file.storage.delete(document.file.name)
    _generate("GC-9", tmp_path / "asked", version=1)
    assert _contents(tmp_path / "asked") == _contents(tmp_path / "first")


def test_a_former_version_is_laid_out_again_byte_for_byte_across_a_clause_change(tmp_path):
    metropole, _ = make_territory(members=2, reference="GC-9")
    _generate("GC-9", tmp_path / "first")
    text = shipped("responsabilite")
    make_version(metropole, replace(text, body=f"{text.body}<p>Zébrure</p>\n", version=2))
    _generate("GC-9", tmp_path / "second")
    for document in ConventionDocument.objects.filter(convention__version=1):
        document.file.storage.delete(document.file.name)
    _generate("GC-9", tmp_path / "asked", version=1)
    assert _contents(tmp_path / "asked") == _contents(tmp_path / "first")
    texts = [
        "".join(page.extract_text() for page in pypdf.PdfReader(BytesIO(content)).pages)
        for folder in ("asked", "second")
        for content in list(_contents(tmp_path / folder).values())[:1]
    ]
    assert ["Zébrure" in text for text in texts] == [False, True]


def test_a_file_made_again_that_is_not_the_first_one_is_never_handed_over(tmp_path):
    make_territory(members=2, reference="GC-9")
    _generate("GC-9", tmp_path / "first")
    document = ConventionDocument.objects.order_by("membership__organisation__siren").first()
    ConventionDocument.objects.filter(pk=document.pk).update(sha256="f" * 64)
    with pytest.raises(CommandError, match=r"version 1.*le fichier d’origine est perdu.*empreinte SHA-256"):
        _generate("GC-9", tmp_path / "asked", version=1)
    assert not (tmp_path / "asked" / document.filename).exists()


def test_a_version_frozen_without_documents_is_laid_out(tmp_path):
    from django.utils import timezone

    from groupings.actions.convention import convention_freeze
    from procurement.core.actors import SystemActor

    _, grouping = make_territory(members=2, reference="GC-9")
    convention_freeze(grouping=grouping, actor=SystemActor("essai"), now=timezone.now())
    _generate("GC-9", tmp_path / "asked", version=1)
    assert not ConventionDocument.objects.exists()
    _generate("GC-9", tmp_path / "made")
    assert _contents(tmp_path / "asked") == _contents(tmp_path / "made")


def test_an_unknown_version_is_refused_with_those_that_exist(tmp_path):
    make_territory(members=2, reference="GC-9")
    with pytest.raises(CommandError, match=r"la version 1 de la convention n’existe pas .aucune version n’est figée"):
        _generate("GC-9", tmp_path, version=1)
    _generate("GC-9", tmp_path)
    with pytest.raises(CommandError, match=r"la version 7 .* n’existe pas .versions figées\u00a0: 1"):
        _generate("GC-9", tmp_path, version=7)


def test_from_a_shell_version_is_that_of_the_convention(tmp_path, capsys):
    from django.core.management import execute_from_command_line

    make_territory(members=2, reference="GC-9")
    _generate("GC-9", tmp_path / "first")
    arguments = ["manage.py", "generate_conventions", "GC-9", "--out", str(tmp_path / "cli"), "--version", "1"]
    execute_from_command_line(arguments)
    assert capsys.readouterr().out.startswith("3 conventions dans ")
    assert _contents(tmp_path / "cli") == _contents(tmp_path / "first")
