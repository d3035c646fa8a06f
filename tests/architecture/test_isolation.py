"""Two métropoles in one database: what belongs to the one is never read, nor written, by the other."""

import io
import re
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from groupings.models import (
    Award,
    AwardHolder,
    AwardShare,
    Consultation,
    Convention,
    ConventionDocument,
    Deliberation,
    DeliberationAttempt,
    DeliberationDocument,
    FeeExpense,
    FeeStatement,
    FundCall,
    Grouping,
    LegalOverride,
    Lot,
    Meeting,
    MemberContract,
    Membership,
    NeedLine,
    Proposal,
    Question,
    Signature,
    SignedLink,
    SigningCopy,
)
from members.models import Affiliation, CouncilSession, Organisation, Representative, User
from procurement.core.jobs.models import Job
from procurement.core.journal.models import JournalEntry
from savings.models import (
    AnnualSheet,
    Baseline,
    CoordinationCost,
    LedgerEntry,
    OffContractSpend,
    PriceLine,
    SavingsReportFile,
    YearLock,
)
from tests.architecture.test_permissions import rows
from tests.support.world import ARTICLE_PAGES, make_world

pytestmark = pytest.mark.django_db
HERE, THERE = "Xanthippe", "Zeugma"
SAME_ADDRESS = (*ARTICLE_PAGES, "clause_version", "clause_restore")
NAMES = [name for name, method, expected in rows() if method == "POST" and expected["anonymous"] == 302]
PAGES = [name for name, method, expected in rows() if name in NAMES and method == "GET" and 200 in expected.values()]
#: What a curious person adds to an address: sorts, pages, filters, searches, the whole journal.
CURIOUS = (
    {},
    {"q": "commune"},
    {"q": "papier"},
    {"sort": "-name"},
    {"sort": "-reference"},
    {"page": "2"},
    {"journal": "tout"},
    {"nature": "commune"},
    {"groupements": "1-4"},
    {"commune": "commune"},
    {"export": "csv"},
    {"export": "xlsx"},
)


@pytest.fixture
def worlds():
    return make_world(HERE), make_world(THERE)


def text_of(response) -> str:
    """Everything the reader receives: page, headers, and what the cells of a workbook or the files of a ZIP hold."""
    body = b"".join(response.streaming_content) if response.streaming else response.content
    parts = [str(dict(response.items())), body.decode("utf-8", "replace")]
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            parts += [f"{name} {archive.read(name).decode('utf-8', 'replace')}" for name in archive.namelist()]
    return " ".join(parts)


@pytest.mark.parametrize("name", PAGES)
def test_nothing_of_the_other_is_leaked(client, worlds, name):
    """Every address, every person, every curious variation: the other's marker is nowhere, one's own somewhere."""
    here, _ = worlds
    seen = ""
    for role, person in here.people.items():
        client.force_login(person.user)
        # Jurist, finance and reader read as the buyer does: once is enough.
        for query in CURIOUS if role in ("buyer", "administrator", "member_agent", "commune_buyer") else ({},):
            text = text_of(client.get(reverse(name, kwargs=here.arguments().get(name)), query))
            assert THERE not in text, f"leaked to {person.role}: {name} {query}"
            seen += text
    assert HERE in seen  # the page does say names: the absence of the other's is no accident


@pytest.mark.parametrize("name", NAMES)
def test_the_objects_of_the_other_do_not_exist(client, worlds, name):
    here, there = worlds
    arguments = there.arguments().get(name)
    if arguments is None:
        assert not re.search(r"\d", reverse(name))  # an address without object
        return
    for person in here.people.values():
        client.force_login(person.user)
        for method in (client.get, client.post):
            response = method(reverse(name, kwargs=arguments))
            if name in SAME_ADDRESS:  # every territory has its own articles, under the same names
                assert THERE not in text_of(response)
                continue
            if response.status_code == 302:  # a form's address opened by GET goes back to its page, existing or not
                assert method == client.get
                assert THERE not in text_of(client.get(response.url))
                continue
            # 403 and 405 are said before the object is looked for, and alike for objects that do not exist.
            assert response.status_code in (403, 404, 405), f"{name} {person.role}"
            assert THERE not in text_of(response)


def test_mixed_addresses_find_nothing(client, worlds):
    """One's own grouping or body, with a row of the other's."""
    here, there = worlds
    client.force_login(here.people["buyer"].user)
    mixed = {
        "lot_change": {"pk": here.grouping.pk, "lot_pk": there.lot.pk},
        "lot_remove": {"pk": here.grouping.pk, "lot_pk": there.lot.pk},
        "membership_change": {"pk": here.grouping.pk, "membership_pk": there.membership.pk},
        "needs_change": {"pk": here.grouping.pk, "membership_pk": there.membership.pk},
        "needs_receipt": {"pk": here.grouping.pk, "membership_pk": there.membership.pk},
        "signed_link_evidence": {**here.arguments()["signed_link"], "document_pk": there.file.pk},
        "representative_change": {"pk": here.commune.pk, "representative_pk": there.representative.pk},
        "session_change": {"pk": here.commune.pk, "session_pk": there.session.pk},
        "convention_document": {"pk": here.grouping.pk, "version": 1, "siren": there.commune.siren},
        "award_change": {"pk": here.launched.pk, "lot_pk": there.award.lot_id},
        "award_dates": {"pk": here.launched.pk, "lot_pk": there.award.lot_id},
        "award_shares": {"pk": here.launched.pk, "lot_pk": there.award.lot_id},
        "signature_detail": {"pk": here.grouping.pk, "membership_pk": there.membership.pk},
        "signature_file": {"pk": here.grouping.pk, "membership_pk": there.membership.pk},
        "signing_copy": {"pk": here.grouping.pk, "membership_pk": there.membership.pk},
        "deliberation_document": {"pk": here.deliberation.pk, "document_pk": there.evidence.pk},
        "fund_call": {"pk": here.launched.pk, "call_pk": there.call.pk},
        "fund_call_pdf": {"pk": here.launched.pk, "call_pk": there.call.pk},
        "fee_expense_change": {"pk": here.launched.pk, "expense_pk": there.expense.pk},
    }
    for name, arguments in mixed.items():
        assert client.get(reverse(name, kwargs=arguments)).status_code == 404, name
        assert client.post(reverse(name, kwargs=arguments)).status_code in (404, 405), name


def test_a_signed_link_reads_its_own_membership_alone(client, worlds):
    """Without an account: nothing of the other territory, of the neighbour commune, nor of who works there."""
    here, there = worlds
    link = here.arguments()
    for name in [name for name in link if name.startswith("signed_link")]:
        for method in (client.get, client.post):
            for query in CURIOUS:
                text = text_of(method(reverse(name, kwargs=link[name]), query))
                for secret in (THERE, here.other_commune.name, here.people["member_agent"].user.email):
                    assert secret not in text, f"leaked by a link: {name} {query}: {secret}"
    assert HERE in text_of(client.get(reverse("signed_link", kwargs=link["signed_link"])))
    stolen = {"piece": str(there.evidence.pk)}
    assert THERE not in text_of(client.get(reverse("signed_link", kwargs=link["signed_link"]), stolen))


def counts() -> dict[str, int]:
    return {
        model.__name__: model._base_manager.count()
        for model in (
            Affiliation,
            Baseline,
            Convention,
            ConventionDocument,
            CouncilSession,
            Deliberation,
            Grouping,
            Job,
            JournalEntry,
            Lot,
            Membership,
            NeedLine,
            Organisation,
            PriceLine,
            Proposal,
            Representative,
            User,
        )
    }


def grouping_card(**changes) -> dict:
    return {
        "reference": "GC-NOUVEAU",
        "title": "Nouveau",
        "category": "supplies",
        "cpv": "30192000",
        "kind": "ad_hoc",
        "integration_level": "PARTIAL",
        "legal_vehicle": "grouping",
        "tender_committee_mode": "COORDINATOR",
        "coordinator_has_own_need": "on",
        "fee_rule": "FREE",
        "duration_months": "12",
        "extension_count": "0",
        "extension_months": "0",
        "opened_on": "2026-09-01",
        **changes,
    }


def test_forged_choices_are_refused(client, worlds):
    """A form sent by hand with the other's rows: refused with a sentence, nothing written, no name given away."""
    here, there = worlds
    client.force_login(here.people["buyer"].user)
    before = counts()
    own = {"coordinator": here.metropole.pk}
    card = {"kind": "commune", "name": "Faux", "siren": "213401722", "parent": there.metropole.pk}
    attacks = [
        (reverse("grouping_create"), grouping_card(coordinator=there.metropole.pk)),
        (reverse("grouping_create"), grouping_card(**own, buyer=there.people["buyer"].user_id)),
        (reverse("grouping_create"), grouping_card(**own, jurist=there.people["jurist"].user_id)),
        (reverse("grouping_create"), grouping_card(**own, renews=there.grouping.pk)),
        (
            reverse("membership_create", args=[here.grouping.pk]),
            {"organisations": [there.commune.pk], "joined_on": "2026-09-01"},
        ),
        (reverse("organisation_create"), card),
        (reverse("session_calendar"), {"organisation": there.commune.pk, "meeting_on": "2027-03-02"}),
        (reverse("sessions_import"), {"file": sessions_file(there.commune.siren)}),
    ]
    for url, values in attacks:
        response = client.post(url, values)
        assert response.status_code == 422, f"{url} {values}"
        assert THERE not in text_of(response)
    assert counts() == before
    assert client.post(reverse("switch_affiliation"), {"affiliation": there.people["buyer"].pk}).status_code == 404
    # The same card with one's own choices is accepted: the refusals above were about the other's.
    assert client.post(reverse("grouping_create"), grouping_card(**own)).status_code == 302


def sessions_file(siren):
    """The name of a body is written back as it was typed: a SIREN gives nothing away."""
    return SimpleUploadedFile("seances.csv", f"Organisme;Séance du\n{siren};02/03/2027\n".encode())


def test_every_gate_keeps_to_its_territory(worlds):
    """Lists, counts, searches, exports, files, journals and jobs all start from these gates."""
    here, there = worlds
    gates = (Organisation, Representative, CouncilSession, Affiliation, Grouping, Lot, Membership, NeedLine)
    gates += (Deliberation, Convention, ConventionDocument, JournalEntry, Job, Proposal)
    gates += (DeliberationAttempt, DeliberationDocument, LegalOverride, Signature, SignedLink)
    gates += (Award, AwardHolder, AwardShare, Consultation, MemberContract, Question, Meeting)
    gates += (Baseline, PriceLine, LedgerEntry, YearLock, AnnualSheet, CoordinationCost, OffContractSpend)
    gates += (SavingsReportFile, FeeExpense, FeeStatement, FundCall, SigningCopy)
    for model in gates:
        total = model.objects.count()
        for world, other in ((here, there), (there, here)):
            foreign = {row.pk for person in other.people.values() for row in model.objects.visible_to(person)}
            for person in world.people.values():
                found = {row.pk for row in model.objects.visible_to(person)}
                assert not found & foreign, f"{model.__name__} {person.role}"
        assert not model.objects.visible_to(None).exists()
        seen = {row.pk for w in worlds for row in model.objects.visible_to(w.people["administrator"])}
        assert seen or total == 0
        assert len(seen) <= total


def test_a_member_never_reads_the_needs_of_another(client, worlds):
    """Inside one métropole: the amounts, quantities, contact and documents of the neighbour stay its own."""
    from djmoney.money import Money

    here, _ = worlds
    other = here.grouping.memberships.get(organisation=here.metropole).needs.get()
    other.estimated_amount_excl_tax = Money("987654.32", "EUR")
    other.unit = "palette secrète"
    other.save()
    client.force_login(here.people["member_agent"].user)
    for name in NAMES:
        for query in CURIOUS:
            text = text_of(client.get(reverse(name, kwargs=here.arguments().get(name)), query))
            digits = re.sub(r"[^\d,.]", "", text)
            for secret in ("987654,32", "987654.32", "988654,32", "988654.32"):
                assert secret not in digits, f"{name} {query}: {secret}"
            assert "palette secrète" not in text
