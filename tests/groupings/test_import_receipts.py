"""Receipts enter: what is known is recorded, what looks like it is proposed, the rest is refused and said."""

import io
import json
from datetime import date

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from groupings.actions.deliberation import deliberation_record_effect, deliberation_reverse
from groupings.actions.exchange import receipt_import
from groupings.actions.proposals import proposal_answer
from groupings.models import Deliberation, DeliberationDocument, Proposal
from groupings.rules.actes import parse_actes_id
from procurement.core.actors import SystemActor
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.journal.models import JournalEntry
from tests.groupings.exchange import samples
from tests.groupings.exchange.samples import anomaly, aracte, cancellation, pdf, s2low, scan
from tests.support.factories import (
    adopt,
    make_affiliation,
    make_grouping,
    make_membership,
    make_metropole,
    make_organisation,
    make_session,
)

pytestmark = pytest.mark.django_db
ACTOR, TODAY, VOTE = SystemActor("Essai"), date(2016, 7, 15), date(2016, 5, 26)
ID = parse_actes_id("034-213401722-20160526-D2016_123-DE")
RECEIVED = date(2016, 6, 2)
UNKNOWN = "Organisme inconnu\u00a0: aucune délibération suivie n’est d’un organisme de SIREN {}."
BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]><a>&c;</a>'
)


def xml(message):
    return samples.xml(message, "windows-1252")


@pytest.fixture
def metropole():
    return make_metropole(name="Montpellier Méditerranée Métropole", siren="243400017")


@pytest.fixture
def city(metropole):
    return make_organisation(parent=metropole, name="Ville de Montpellier", siren="213401722")


@pytest.fixture
def membership(metropole, city):
    grouping = make_grouping(
        metropole, title="Papier et enveloppes", opened_on=date(2016, 1, 4), reference="GC-2016-01"
    )
    return make_membership(grouping, city)


@pytest.fixture
def voted(membership):
    return adopt(membership, VOTE, executory=False, number="2016.00123")


def run(content=None, name="AR.xml", *, actor=ACTOR, **options):
    content = xml(aracte(ID, RECEIVED)) if content is None else content
    return receipt_import(content=content, filename=name, actor=actor, today=TODAY, **options)


def stored(deliberation):
    fresh = Deliberation.objects.get(pk=deliberation.pk)
    return fresh.actes_id, fresh.transmitted_on, fresh.received_on, fresh.published_on


def nothing_changed(deliberation, content, name="AR.xml", **options):
    """The refusal; the deliberation, its documents and the proposals are as before."""
    before = Deliberation.objects.values().get(pk=deliberation.pk)
    outcome = run(content, name, **options)
    assert (outcome.outcome, Deliberation.objects.values().get(pk=deliberation.pk)) == ("refused", before)
    assert (DeliberationDocument.objects.count(), Proposal.objects.count()) == (0, 0)
    assert JournalEntry.objects.get(verb="receipt.refused").reason == outcome.reason
    return outcome


# Recorded at once


@pytest.mark.parametrize("number", ["D2016_123", "d2016.00123", "D2016-123", "D2016123"])
def test_the_number_of_that_day(membership, number):
    deliberation = adopt(membership, VOTE, executory=False, number=number)
    outcome = run()
    assert (outcome.outcome, outcome.actes_id, outcome.received_on) == ("matched", str(ID), RECEIVED)
    assert stored(deliberation) == (str(ID), RECEIVED, RECEIVED, None)
    document = deliberation.documents.get()
    assert (document.kind, document.extension, document.original_name) == ("receipt", "xml", "AR.xml")
    entry = JournalEntry.objects.get(verb="deliberation.record_effect")
    assert (entry.reason, entry.actor_label) == ("Accusé de réception\u00a0: AR.xml", "Essai")


def test_the_identifier_already_known(voted):
    Deliberation.objects.filter(pk=voted.pk).update(actes_id=str(ID), number="")
    assert run().outcome == "matched"
    assert stored(voted) == (str(ID), RECEIVED, RECEIVED, None)
    assert Deliberation.objects.get(pk=voted.pk).number == "D2016_123"


def test_a_stamped_pdf_gives_three_dates_and_is_kept(membership):
    deliberation = adopt(membership, VOTE, executory=False, number="D2016-123")
    outcome = run(pdf(s2low(ID, "02/06/2016", sent="01/06/2016", posted="03/06/2016")), "deliberation signée.pdf")
    assert (outcome.outcome, outcome.received_on) == ("matched", RECEIVED)
    assert outcome.reason == "Délibération – Ville de Montpellier, GC-2016-01. Exécutoire le 03/06/2016."
    assert stored(deliberation) == (str(ID), date(2016, 6, 1), RECEIVED, date(2016, 6, 3))
    assert deliberation.documents.get().extension == "pdf"


def test_what_was_known_of_the_other_dates_stays(membership):
    deliberation = adopt(membership, VOTE, executory=False, number="D2016_123")
    Deliberation.objects.filter(pk=deliberation.pk).update(transmitted_on="2016-05-30", published_on="2016-05-31")
    run(pdf(s2low(ID, "02/06/2016", sent="01/06/2016", posted="03/06/2016")), "tampon.pdf")
    assert stored(deliberation) == (str(ID), date(2016, 5, 30), RECEIVED, date(2016, 5, 31))


def test_a_day_of_publication_that_has_not_come_is_left_to_a_person(membership):
    deliberation = adopt(membership, VOTE, executory=False, number="D2016_123")
    assert run(pdf(s2low(ID, "02/06/2016", posted="16/07/2016")), "tampon.pdf").outcome == "matched"
    assert stored(deliberation)[3] is None


def test_the_same_file_twice_changes_nothing(membership):
    deliberation = adopt(membership, VOTE, executory=False, number="D2016_123")
    run()
    before = Deliberation.objects.values().get(pk=deliberation.pk), JournalEntry.objects.count()
    again = run(name="copie de AR.xml")
    assert (again.outcome, again.reason) == ("matched", "Déjà enregistré\u00a0: rien n’a changé.")
    assert (Deliberation.objects.values().get(pk=deliberation.pk), JournalEntry.objects.count()) == before
    assert deliberation.documents.count() == 1
    assert run(pdf(s2low(ID)), "tampon.pdf").reason == "Déjà enregistré\u00a0: le fichier est ajouté aux pièces."
    assert deliberation.documents.count() == 2


# Proposed


def test_a_vote_without_number_is_proposed_then_confirmed(membership):
    deliberation = adopt(membership, VOTE, executory=False, number="")
    outcome = run()
    assert (outcome.outcome, outcome.received_on) == ("proposed", RECEIVED)
    assert outcome.reason.startswith("Ville de Montpellier, GC-2016-01. Votée ce jour-là, sans numéro.")
    assert stored(deliberation) == (None, None, None, None)
    proposal = Proposal.objects.get()
    assert (proposal.origin, proposal.source_name, proposal.answer) == ("receipt", "AR.xml", "waiting")
    assert JournalEntry.objects.filter(verb="proposal.create").count() == 1
    assert default_storage.exists(proposal.values["file"])

    run(name="encore.xml")
    assert (Proposal.objects.count(), JournalEntry.objects.filter(verb="proposal.create").count()) == (1, 1)

    proposal_answer(proposal=proposal, confirmed=True, actor=ACTOR, today=TODAY)
    assert stored(deliberation) == (str(ID), RECEIVED, RECEIVED, None)
    assert Deliberation.objects.get(pk=deliberation.pk).number == "D2016_123"
    assert deliberation.documents.get().original_name == "AR.xml"
    proposal.refresh_from_db()
    assert (proposal.answer, proposal.answered_by) == ("confirmed", "Essai")


def test_the_file_that_waits_is_removed_with_the_answer(membership, django_capture_on_commit_callbacks):
    adopt(membership, VOTE, executory=False, number="")
    run()
    proposal = Proposal.objects.get()
    with django_capture_on_commit_callbacks(execute=True):
        proposal_answer(proposal=proposal, confirmed=False, actor=ACTOR, today=TODAY)
    assert not default_storage.exists(proposal.values["file"])


def test_a_vote_still_awaited_that_day_is_recorded_by_the_confirmation(membership, city):
    deliberation = membership.deliberations.get()
    session = make_session(city, VOTE)
    Deliberation.objects.filter(pk=deliberation.pk).update(status="on_agenda", session=session)
    assert run(pdf(s2low(ID)), "tampon.pdf").outcome == "proposed"
    proposal_answer(proposal=Proposal.objects.get(), confirmed=True, actor=ACTOR, today=TODAY)
    fresh = Deliberation.objects.get(pk=deliberation.pk)
    assert (fresh.status, fresh.decided_on, fresh.number) == ("adopted", VOTE, "D2016_123")
    assert stored(fresh) == (str(ID), date(2016, 6, 1), RECEIVED, None)


def test_what_a_person_dismissed_stays_dismissed(membership):
    deliberation = adopt(membership, VOTE, executory=False, number="")
    run()
    proposal_answer(proposal=Proposal.objects.get(), confirmed=False, actor=ACTOR, today=TODAY)
    outcome = run(pdf(s2low(ID)), "autre.pdf")
    assert (outcome.outcome, outcome.reason) == ("refused", "Essai a déjà écarté ce rapprochement.")
    assert stored(deliberation)[0] is None


def test_a_confirmation_leaves_the_same_receipt_nowhere_else(metropole, membership, city):
    adopt(membership, VOTE, executory=False, number="")
    other = make_membership(make_grouping(metropole, title="Papier peint", opened_on=date(2016, 1, 4)), city)
    adopt(other, VOTE, executory=False, number="")
    outcome = run(xml(aracte(ID, RECEIVED, subject="Groupement de commandes – papier")))
    assert (outcome.outcome, Proposal.objects.count()) == ("proposed", 2)
    assert ", et 1 autre. " in outcome.reason
    chosen = Proposal.objects.get(deliberation__membership=membership)
    proposal_answer(proposal=chosen, confirmed=True, actor=ACTOR, today=TODAY)
    assert dict(Proposal.objects.values_list("deliberation__membership", "answer")) == {
        membership.pk: "confirmed",
        other.pk: "dismissed",
    }


def test_the_second_person_is_told_who_answered(membership):
    adopt(membership, VOTE, executory=False, number="")
    run()
    proposal = Proposal.objects.get()
    proposal_answer(proposal=proposal, confirmed=False, actor=ACTOR, today=TODAY)
    with pytest.raises(BusinessError, match="Essai a déjà écarté ce rapprochement, le "):
        proposal_answer(proposal=proposal, confirmed=True, actor=ACTOR, today=TODAY)


def test_a_deliberation_changed_since_it_was_read_refuses_the_confirmation(membership):
    deliberation = adopt(membership, VOTE, executory=False, number="")
    run()
    read_version = deliberation.version
    deliberation_record_effect(deliberation=deliberation, actor=SystemActor("Une autre"), today=TODAY, number="7")
    with pytest.raises(BusinessError, match=r"a changé pendant votre saisie\. Une autre, le "):
        proposal_answer(
            proposal=Proposal.objects.get(),
            confirmed=True,
            actor=ACTOR,
            today=TODAY,
            expected_version=read_version,
        )
    assert Proposal.objects.get().answer == "waiting"
    assert stored(deliberation)[0] is None


def test_a_refused_confirmation_writes_nothing(membership):
    """The vote was undone and typed again on another day: the identifier is not its own any more."""
    deliberation = adopt(membership, VOTE, executory=False, number="")
    run()
    Deliberation.objects.filter(pk=deliberation.pk).update(decided_on="2016-05-27")
    with pytest.raises(BusinessError, match="est votée le 27/05/2016, et cet acte est du 26/05/2016"):
        proposal_answer(proposal=Proposal.objects.get(), confirmed=True, actor=ACTOR, today=TODAY)
    assert (stored(deliberation)[0], Proposal.objects.get().answer) == (None, "waiting")


def test_a_file_altered_while_it_waited_is_no_evidence(membership):
    deliberation = adopt(membership, VOTE, executory=False, number="")
    run()
    proposal = Proposal.objects.get()
    with default_storage.open(proposal.values["file"], "wb") as file:
        file.write(b"autre chose")
    with pytest.raises(BusinessError, match="ne correspond plus à son empreinte"):
        proposal_answer(proposal=proposal, confirmed=True, actor=ACTOR, today=TODAY)
    assert stored(deliberation)[0] is None


def test_a_vote_undone_after_the_confirmation_may_be_proposed_again(membership):
    deliberation = adopt(membership, VOTE, executory=False, number="")
    content = xml(aracte(ID, RECEIVED, subject="Achat de papier"))
    run(content)
    proposal_answer(proposal=Proposal.objects.get(), confirmed=True, actor=ACTOR, today=TODAY)
    deliberation_reverse(deliberation=deliberation, step="undo_vote", actor=ACTOR, reason="erreur de commune")
    assert run(content).outcome == "proposed"
    assert (Proposal.objects.get().answer, Proposal.objects.get().answered_by) == ("waiting", "")


def test_a_message_that_contradicts_its_identifier_is_for_a_person(membership):
    adopt(membership, VOTE, executory=False, number="D2016_123")
    outcome = run(xml(aracte(ID, RECEIVED, act={"Date": "2016-05-27", "CodeNatureActe": "1", "NumeroInterne": "9"})))
    assert outcome.outcome == "proposed"
    assert "diffèrent par la date et le numéro" in Proposal.objects.get().reason


# Refused, and why


def test_another_day(voted):
    other = parse_actes_id("034-213401722-20160527-D2016_123-DE")
    outcome = nothing_changed(voted, xml(aracte(other, RECEIVED)))
    assert outcome.reason == "Aucune délibération attendue de cet organisme n’est du 27/05/2016."
    assert (outcome.actes_id, outcome.received_on) == (str(other), RECEIVED)


def test_a_commune_nobody_follows(voted):
    unknown = parse_actes_id("034-213400906-20160526-D2016_123-DE")
    assert nothing_changed(voted, xml(aracte(unknown, RECEIVED))).reason == UNKNOWN.format("213400906")


def test_a_number_that_is_another(membership):
    deliberation = adopt(membership, VOTE, executory=False, number="2016-124")
    outcome = nothing_changed(deliberation, pdf(s2low(ID)), "tampon.pdf")
    assert "porte le numéro «\u00a02016-124\u00a0», et cet acte le numéro «\u00a0D2016_123\u00a0»" in outcome.reason


def test_a_reception_before_the_vote(membership):
    deliberation = adopt(membership, VOTE, executory=False, number="D2016_123")
    outcome = nothing_changed(deliberation, xml(aracte(ID, date(2016, 5, 25))))
    assert outcome.reason == "La date de réception précède celle de l’acte."


def test_a_reception_that_has_not_come(membership):
    deliberation = adopt(membership, VOTE, executory=False, number="D2016_123")
    outcome = nothing_changed(deliberation, xml(aracte(ID, date(2016, 7, 16))))
    assert outcome.reason == "La réception est datée du 16/07/2016, qui n’est pas encore venu."


def test_a_reception_before_the_known_transmission(membership):
    deliberation = adopt(membership, VOTE, executory=False, number="D2016_123")
    Deliberation.objects.filter(pk=deliberation.pk).update(transmitted_on="2016-06-03")
    assert nothing_changed(deliberation, None).reason == "La réception ne peut pas précéder la transmission."


def test_an_identifier_held_by_a_deliberation_of_another_territory(membership, voted):
    elsewhere = make_metropole()
    twin = make_organisation(parent=elsewhere, name="Ville de Montpellier", siren="213401722")
    other = adopt(make_membership(make_grouping(elsewhere, opened_on=date(2016, 1, 4)), twin), VOTE, executory=False)
    Deliberation.objects.filter(pk=voted.pk).update(actes_id=str(ID))
    Deliberation.objects.filter(pk=other.pk).update(number="D2016_123")
    outcome = nothing_changed(other, None, territory=elsewhere)
    assert outcome.reason == "Cet identifiant ACTES est déjà celui d’une autre délibération."


def test_a_territory_bounds_a_command(voted):
    assert nothing_changed(voted, None, territory=make_metropole()).reason.startswith("Organisme inconnu")


@pytest.mark.parametrize("step", ["withdraw", "annul"])
def test_an_act_undone_receives_nothing_more(voted, step):
    deliberation_record_effect(deliberation=voted, actor=ACTOR, today=TODAY, actes_id=str(ID))
    if step == "annul":
        deliberation_reverse(deliberation=voted, step="challenge", actor=ACTOR, reason="recours")
    deliberation_reverse(deliberation=voted, step=step, actor=ACTOR, reason="jugement")
    assert "n’est pas possible depuis l’état" in nothing_changed(voted, None).reason


def test_an_abandoned_grouping_follows_no_act(membership, voted):
    grouping = membership.grouping
    grouping.status = "cancelled"
    grouping.save()
    assert nothing_changed(voted, None).reason.startswith("Organisme inconnu")


@pytest.mark.parametrize(
    ("content", "name", "reason"),
    [
        (b"", "vide.xml", "«\u00a0vide.xml\u00a0» est vide."),
        (b"MZ\x90\x00" + b"\x00" * 500, "AR.pdf", "un programme Windows"),
        (BOMB, "bombe.xml", "contient une DTD ou des entités"),
        (b"<a><b></a>", "abime.xml", "abîmé ou incomplet"),
        (b"%PDF-1.7\n" + b"0" * 500, "tronque.pdf", ""),
        (scan(), "scan.pdf", "saisissez les champs à la main"),
        (b"<" + b"a" * 11_000_000, "gros.xml", "dépasse 10\u00a0Mo"),
        (xml(anomaly("Le fichier est illisible.")), "anomalie.xml", "L’acte n’est pas reçu. Anomalie"),
    ],
)
def test_files_that_are_no_receipts(voted, content, name, reason):
    assert reason in nothing_changed(voted, content, name).reason


def test_a_refusal_is_journalled_once(voted, metropole):
    for _ in range(2):
        run(b"", "vide.xml")
    entry = JournalEntry.objects.get(verb="receipt.refused")
    assert (entry.territory, entry.sentence) == (
        metropole,
        "Accusé de réception refusé, vide.xml\u00a0: «\u00a0vide.xml\u00a0» est vide.",
    )


# Cancelled


def test_a_cancellation_takes_the_reception_back_for_good(membership):
    deliberation = adopt(membership, VOTE, executory=False, number="D2016_123")
    Deliberation.objects.filter(pk=deliberation.pk).update(published_on="2016-05-31")
    run()
    outcome = run(xml(cancellation(ID)), "ANN.xml")
    assert (outcome.outcome, outcome.received_on) == ("cancelled", None)
    assert stored(deliberation) == (None, None, None, date(2016, 5, 31))
    entry = JournalEntry.objects.filter(verb="deliberation.record_effect").first()
    assert "a retiré cet acte du contrôle de légalité le 01/07/2016" in entry.reason
    assert entry.before["actes_id"] == str(ID)

    again = run()
    assert (again.outcome, stored(deliberation)[0]) == ("refused", None)
    assert "La collectivité a retiré cet acte" in again.reason
    assert run(xml(cancellation(ID)), "ANN.xml").reason == "Déjà enregistré\u00a0: rien n’a changé."


def test_a_cancellation_that_comes_before_its_receipt(membership):
    deliberation = adopt(membership, VOTE, executory=False, number="D2016_123")
    assert run(xml(cancellation(ID)), "ANN.xml").outcome == "refused"
    assert (run().outcome, stored(deliberation)[0]) == ("refused", None)


def test_a_cancellation_is_by_the_exact_identifier(voted):
    run()
    other = parse_actes_id("034-213401722-20160526-D2016_124-DE")
    before = stored(voted)
    assert run(xml(cancellation(other)), "ANN.xml").outcome == "refused"
    assert stored(voted) == before


def test_a_proposal_of_an_act_withdrawn_since_cannot_be_confirmed(membership):
    adopt(membership, VOTE, executory=False, number="")
    run()
    run(xml(cancellation(ID)), "ANN.xml")
    with pytest.raises(BusinessError, match="retiré du contrôle de légalité"):
        proposal_answer(proposal=Proposal.objects.get(), confirmed=True, actor=ACTOR, today=TODAY)


@pytest.mark.parametrize(
    ("subject", "outcome"), [("Achat groupé de papier", "proposed"), ("Tarifs de la cantine", "refused")]
)
def test_a_stamped_pdf_is_proposed_to_a_vote_awaited_by_its_object(membership, subject, outcome):
    assert run(pdf([f"Objet : {subject}", "Vu le code général", *s2low()]), "acte.pdf").outcome == outcome


# By whom


def test_a_member_s_agent_imports_for_its_own_body_alone(metropole, membership):
    deliberation = adopt(membership, VOTE, executory=False, number="D2016_123")
    neighbour = make_organisation(parent=metropole)
    make_membership(membership.grouping, neighbour)
    stranger = make_affiliation(neighbour, "member_agent")
    outcome = nothing_changed(deliberation, None, actor=stranger)
    assert (
        outcome.reason == "Organisme inconnu\u00a0: aucune délibération suivie n’est d’un organisme de SIREN 213401722."
    )
    assert JournalEntry.objects.get(verb="receipt.refused").concerns == neighbour
    assert run(actor=make_affiliation(membership.organisation, "member_agent")).outcome == "matched"


def test_a_reader_answers_nothing(membership, metropole):
    adopt(membership, VOTE, executory=False, number="")
    run()
    with pytest.raises(NotAllowed):
        proposal_answer(
            proposal=Proposal.objects.get(), confirmed=True, actor=make_affiliation(metropole, "reader"), today=TODAY
        )


# The command


def command(*paths, **options):
    out = io.StringIO()
    call_command("import_receipts", *map(str, paths), stdout=out, **options)
    return out.getvalue()


def test_a_folder_of_everything(tmp_path, membership):
    """Each file has its line, whatever its neighbours are; the same receipt twice in one run is recorded once."""
    deliberation = adopt(membership, VOTE, executory=False, number="D2016_123")
    (tmp_path / "2016").mkdir()
    files = {
        "2016/AR.xml": xml(aracte(ID, RECEIVED)),
        "2016/AR (copie).xml": xml(aracte(ID, RECEIVED)),
        "bombe.xml": BOMB,
        "notes.txt": "à faire".encode(),
        "setup.pdf": b"MZ" + b"\x00" * 100,
        "vide.pdf": b"",
    }
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    found = json.loads(command(tmp_path, json=True))
    assert [set(item) for item in found] == [{"file", "outcome", "actes_id", "received_on", "reason"}] * 6
    assert {item["file"].removeprefix(f"{tmp_path}/"): item["outcome"] for item in found} == {
        "2016/AR.xml": "matched",
        "2016/AR (copie).xml": "matched",
        "bombe.xml": "refused",
        "notes.txt": "refused",
        "setup.pdf": "refused",
        "vide.pdf": "refused",
    }
    matched = next(item for item in found if item["file"].endswith("AR.xml"))
    assert (matched["actes_id"], matched["received_on"]) == (str(ID), "2016-06-02")
    assert all(item["received_on"] is None and item["reason"] for item in found if item["outcome"] == "refused")
    assert deliberation.documents.count() == 1


def test_the_lines_a_person_reads(tmp_path, membership):
    adopt(membership, VOTE, executory=False, number="D2016_123")
    (tmp_path / "AR.xml").write_bytes(xml(aracte(ID, RECEIVED)))
    told = command(tmp_path / "AR.xml", tmp_path / "absent.xml")
    assert f"Enregistré   {tmp_path}/AR.xml\u00a0: Délibération – Ville de Montpellier, GC-2016-01." in told
    assert "absent.xml\u00a0: Ce chemin ne peut pas être lu\u00a0: il n’existe pas." in told
    assert "enregistré\u00a0: 1, à confirmer\u00a0: 0, refusé\u00a0: 1, annulé\u00a0: 0" in told


def test_an_empty_folder_is_said(tmp_path, db):
    assert command(tmp_path) == "Aucun fichier à importer.\n"


def test_a_path_that_does_not_exist_is_an_error(tmp_path, db):
    with pytest.raises(CommandError, match="Aucun des chemins donnés ne peut être lu"):
        command(tmp_path / "absent")


def test_an_empty_base_refuses_and_says_so(tmp_path, db):
    (tmp_path / "AR.xml").write_bytes(xml(aracte(ID, RECEIVED)))
    (item,) = json.loads(command(tmp_path, json=True))
    assert (item["outcome"], item["actes_id"]) == ("refused", str(ID))


def test_a_folder_that_cannot_be_opened(tmp_path, membership, monkeypatch):
    """Root reads everything: the system's refusal is played."""
    import os

    def walk(top, onerror):
        onerror(PermissionError(13, "Permission denied", str(tmp_path / "prive")))
        return iter(())

    monkeypatch.setattr(os, "walk", walk)
    (item,) = json.loads(command(tmp_path, json=True))
    assert (item["outcome"], item["reason"]) == (
        "refused",
        "Ce dossier ne peut pas être lu\u00a0: vous n’en avez pas le droit.",
    )


def test_a_pipe_is_not_opened(tmp_path, membership):
    import os

    os.mkfifo(tmp_path / "tube.xml")
    (item,) = json.loads(command(tmp_path, json=True))
    assert (item["outcome"], item["reason"]) == ("refused", "Ce chemin n’est pas celui d’un fichier.")


def test_an_unknown_territory(tmp_path, membership):
    with pytest.raises(CommandError, match="n’est celui d’aucun territoire enregistré"):
        command(tmp_path, territory="213401722")


def test_five_hundred_files(tmp_path, membership):
    """A year of a city's acts: the one of the grouping is found, none of the others is taken for it."""
    deliberation = adopt(membership, VOTE, executory=False, number="D2016_123")
    for number in range(1, 501):
        actes_id = parse_actes_id(f"034-213401722-20160526-D2016_{number}-DE")
        (tmp_path / f"{number}.xml").write_bytes(xml(aracte(actes_id, RECEIVED, subject="Tarifs de la cantine")))
    outcomes = [item["outcome"] for item in json.loads(command(tmp_path, json=True))]
    assert (outcomes.count("matched"), outcomes.count("refused")) == (1, 499)
    assert stored(deliberation)[0] == str(ID)
