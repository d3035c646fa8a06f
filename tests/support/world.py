"""Two métropoles in one database, one person per role: what the permission and isolation tests walk through."""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from django.core.files.base import ContentFile
from django.utils import timezone
from djmoney.money import Money
from stdnum.luhn import calc_check_digit

from groupings.actions.proposals import Facts
from groupings.feeds import feed_token
from groupings.links import link_token
from groupings.models import (
    Amendment,
    AmendmentSignature,
    Award,
    CalendarFeed,
    Consultation,
    ConsumptionImport,
    ConsumptionLine,
    ContractContact,
    Convention,
    ConventionComment,
    ConventionDocument,
    Deliberation,
    DeliberationAttempt,
    DeliberationDocument,
    DraftDocument,
    ExternalContract,
    FeeExpense,
    FundCall,
    Grouping,
    GroupingDocument,
    JoiningForm,
    Lot,
    Meeting,
    Membership,
    NeedsDraft,
    NeedsSubmission,
    PriceItem,
    Proposal,
    Question,
    SignedLink,
)
from members.models import Affiliation, CouncilSession, Organisation, Representative
from members.roles import Role
from procurement.core.jobs.models import Job
from procurement.core.journal.record import record
from procurement.core.mail.models import OutgoingMessage
from savings.models import (
    AnnualSheet,
    Baseline,
    CoordinationCost,
    OffContractSpend,
    PriceLine,
    SavingsReportFile,
    YearLock,
)
from tests.support.clauses import make_library
from tests.support.factories import (
    adopt,
    make_affiliation,
    make_award,
    make_consultation,
    make_grouping,
    make_lot,
    make_membership,
    make_metropole,
    make_need,
    make_organisation,
    make_representative,
    make_session,
)
from tests.support.signing import make_signature
from tests.support.world_amendments import framework_arguments, make_framework
from tests.support.world_convention import convention_arguments, make_convention
from tests.support.world_fees import make_fees
from tests.support.world_ledger import make_ledger

#: The pages of an article: their address names no object of a territory, each reads its own library there.
ARTICLE_PAGES = ("clause", "clause_drop", "clause_preview", "clause_preview_pdf", "clause_differences")


@dataclass
class Territory:
    """One métropole, one commune that takes part in its grouping, one that does not, and a person per role."""

    metropole: Organisation
    commune: Organisation
    other_commune: Organisation
    representative: Representative
    session: CouncilSession
    grouping: Grouping
    lot: Lot
    membership: Membership
    convention: Convention
    comment: ConventionComment
    document: ConventionDocument
    deliberation: Deliberation
    evidence: DeliberationDocument
    proposal: Proposal
    link: SignedLink
    feed: CalendarFeed
    job: Job
    file: GroupingDocument
    launched: Grouping
    launched_membership: Membership
    consultation: Consultation
    question: Question
    award: Award
    contact: ContractContact
    taken: ConsumptionImport
    contract_file: GroupingDocument
    baseline: Baseline
    line: PriceLine
    submitted_line: PriceLine
    meeting: Meeting
    off_contract: OffContractSpend
    cost: CoordinationCost
    sheet: AnnualSheet
    lock: YearLock
    report: SavingsReportFile
    expense: FeeExpense
    call: FundCall
    framework: Grouping
    amendment_draft: Amendment
    amendment: Amendment
    amendment_signature: AmendmentSignature
    joining: JoiningForm
    people: dict[str, Affiliation] = field(default_factory=dict)

    def arguments(self) -> dict[str, dict]:
        """For every address that takes arguments, those of this territory's own objects (the commune's own ones)."""
        grouping, body = {"pk": self.grouping.pk}, {"pk": self.commune.pk}
        lot = {**grouping, "lot_pk": self.lot.pk}
        membership = {**grouping, "membership_pk": self.membership.pk}
        version = {**grouping, "version": self.convention.version}
        session = {**body, "session_pk": self.session.pk}
        deliberation = {"pk": self.deliberation.pk}
        link = {"token": link_token(self.link)}
        launched = {"pk": self.launched.pk}
        contract = {**launched, "award_pk": self.award.pk}
        reference = {**launched, "baseline_pk": self.baseline.pk}
        fee_year = {**launched, "year": self.call.statement.year}
        return {
            **framework_arguments(
                self.framework, self.amendment_draft, self.amendment, self.amendment_signature, self.joining
            ),
            "grouping_detail": grouping,
            "grouping_change": grouping,
            "grouping_advance": grouping,
            "grouping_launch_without": grouping,
            "kit_send": grouping,
            "kit_archive": grouping,
            "kit_document": {**grouping, "siren": self.commune.siren, "extension": "pdf"},
            "reminders_send": grouping,
            **{name: {"key": "responsabilite"} for name in ARTICLE_PAGES},
            "clause_version": {"key": "responsabilite", "number": 2},
            "clause_restore": {"key": "responsabilite", "number": 1},
            "lot_create": grouping,
            "lot_change": lot,
            "lot_remove": lot,
            "procedure_page": grouping,
            "small_lot_decide": lot,
            "back_planning": grouping,
            "back_planning_adopt": grouping,
            "back_planning_ics": grouping,
            "membership_create": grouping,
            "membership_change": membership,
            "needs_table": grouping,
            "needs_workbook": grouping,
            "needs_import": grouping,
            "lot_bounds": lot,
            "needs_change": membership,
            "needs_receipt": membership,
            "campaign_open": grouping,
            "campaign_announce": grouping,
            "campaign_reopen": grouping,
            "convention_page": grouping,
            "convention_advance": grouping,
            "convention_comment": grouping,
            "convention_answer": {**grouping, "comment_pk": self.comment.pk},
            "convention_generate": grouping,
            "convention_document": {**version, "siren": self.commune.siren},
            "convention_archive": version,
            **convention_arguments(self.grouping, self.launched, self.commune),
            "signatures": grouping,
            "signatures_together": grouping,
            "signature_circuit": grouping,
            "signature_detail": membership,
            "signature_sign": membership,
            "signature_deposit": membership,
            "signature_file": membership,
            "signing_copy": membership,
            "deliberation_detail": deliberation,
            "deliberation_step": {**deliberation, "step": "inscrire"},
            "deliberation_deposit": deliberation,
            "deliberation_document": {**deliberation, "document_pk": self.evidence.pk},
            "deliberation_override": {**deliberation, "code": "notice"},
            "proposal_answer": {"pk": self.proposal.pk},
            "membership_link": membership,
            "signed_link": link,
            "signed_link_needs": link,
            "signed_link_convention": link,
            "signed_link_receipt": link,
            "signed_link_evidence": {**link, "document_pk": self.file.pk},
            "signed_link_reading": link,
            "signed_link_document": {**link, "name": "convention.pdf"},
            "signed_link_step": {**link, "step": "inscrire"},
            "calendar_ics": {"token": feed_token(self.feed)},
            "job_detail": {"pk": self.job.pk},
            "grouping_file": {**grouping, "document_pk": self.file.pk},
            "consultation": {"pk": self.launched.pk},
            "consultation_close": {"pk": self.launched.pk},
            "consultation_deposit": {"pk": self.launched.pk},
            "consultation_relaunch": {"pk": self.launched.pk},
            "question_add": {"pk": self.launched.pk},
            "question_answer": {"pk": self.launched.pk, "number": self.question.number},
            "award_change": {"pk": self.launched.pk, "lot_pk": self.award.lot_id},
            "award_dates": {"pk": self.launched.pk, "lot_pk": self.award.lot_id},
            "award_shares": {"pk": self.launched.pk, "lot_pk": self.award.lot_id},
            "award_export": {"pk": self.launched.pk, "extension": "csv"},
            "contract": contract,
            "contract_extend": contract,
            "price_list": contract,
            "price_list_template": contract,
            "contact_create": contract,
            "contact_change": {**contract, "contact_pk": self.contact.pk},
            "contact_remove": {**contract, "contact_pk": self.contact.pk},
            "contract_document_add": contract,
            "contract_document_drop": {**contract, "document_pk": self.contract_file.pk},
            "consumption": launched,
            "consumption_template": launched,
            "consumption_lines": launched,
            "consumption_undo": {**launched, "import_pk": self.taken.pk},
            "fees": launched,
            "fees_year": fee_year,
            "fees_approve": fee_year,
            "fees_issue": fee_year,
            "fund_call_archive": fee_year,
            "fee_expense_create": launched,
            "fee_expense_change": {**launched, "expense_pk": self.expense.pk},
            "fee_expense_drop": {**launched, "expense_pk": self.expense.pk},
            "fund_call": {**launched, "call_pk": self.call.pk},
            "fund_call_pdf": {**launched, "call_pk": self.call.pk},
            "grouping_renew": launched,
            "savings_line": {"pk": self.line.pk},
            "line_correct": {"pk": self.line.pk},
            "line_decide": {"pk": self.submitted_line.pk},
            "savings_grouping": launched,
            "savings_costs": launched,
            "cost_create": launched,
            "cost_change": {**launched, "cost_pk": self.cost.pk},
            "cost_remove": {**launched, "cost_pk": self.cost.pk},
            "off_contract_create": launched,
            "off_contract_change": {**launched, "spend_pk": self.off_contract.pk},
            "off_contract_remove": {**launched, "spend_pk": self.off_contract.pk},
            "savings_entry": launched,
            "baseline_create": {**launched, "lot_pk": self.award.lot_id, "membership_pk": self.launched_membership.pk},
            "baseline_change": reference,
            "baseline_replace": reference,
            "baseline_price": reference,
            "baseline_remove": reference,
            "baseline_freeze": {**launched, "lot_pk": self.award.lot_id},
            "baseline_confirm": {"baseline_pk": self.baseline.pk},
            "baseline_object": {"baseline_pk": self.baseline.pk},
            "baselines_confirm": launched,
            "line_create": {**reference, "stage": "realised"},
            "line_change": {**launched, "line_pk": self.line.pk},
            "line_take_back": {**launched, "line_pk": self.line.pk},
            "lines_submit": launched,
            "price_lines_upload": launched,
            "price_lines_template": launched,
            "meetings": launched,
            "meeting_create": launched,
            "meeting_change": {**launched, "meeting_pk": self.meeting.pk},
            "meeting_remove": {**launched, "meeting_pk": self.meeting.pk},
            "member_sheet": body,
            "member_sheet_pdf": body,
            "annual_sheet": {"year": self.sheet.year},
            "annual_sheet_change": {"year": self.sheet.year},
            "annual_sheet_freeze": {"year": self.sheet.year},
            "annual_sheet_document": {"year": self.sheet.year, "extension": "pdf"},
            "savings_report_file": {"pk": self.report.pk},
            "organisation_detail": body,
            "organisation_change": body,
            "epci_add_communes": body,
            "representative_create": body,
            "representative_change": {**body, "representative_pk": self.representative.pk},
            "session_create": body,
            "session_change": session,
            "session_remove": session,
            "person_remove": {"pk": self.people[Role.READER].pk},
        }


def make_world(marker: str) -> Territory:
    """One territory whose every name and text holds ``marker``: where it is read, the territory is read."""
    metropole = make_metropole(name=f"Métropole {marker}", address=f"1 place {marker}", city=f"Ville {marker}")
    commune = make_organisation(parent=metropole, name=f"Commune membre {marker}", source=f"source {marker}")
    other = make_organisation(parent=metropole, name=f"Commune voisine {marker}")
    grouping = make_grouping(
        metropole,
        title=f"Papier {marker}",
        reference=f"GC-{marker}",
        source=f"source {marker}",
        performance_planned_on=date(2028, 9, 1),
    )
    lot = make_lot(grouping, title=f"Ramettes {marker}")
    own_membership = make_membership(grouping, metropole)
    make_need(own_membership, lot)
    # What the coordinator has voted can be published as open data: it needs its SIRET.
    root = f"{metropole.siren}0001"
    metropole.siret = root + calc_check_digit(root)
    metropole.save()
    adopt(own_membership, date(2026, 9, 10), executory=False, number=f"M {marker}")
    membership = make_membership(grouping, commune, contact_name=f"Référent {marker}")
    make_need(membership, lot, unit=f"rame {marker}")
    people = {role: make_affiliation(metropole, role) for role in Role if role != Role.MEMBER_AGENT}
    people["member_agent"] = make_affiliation(commune, Role.MEMBER_AGENT)
    people["neighbour"] = make_affiliation(other, Role.MEMBER_AGENT)
    people["commune_buyer"] = make_affiliation(other, Role.BUYER)
    for person in people.values():
        person.user.last_name += f" {marker}"
        person.user.save()
    convention = make_convention(grouping, marker)
    make_library(metropole, marker)
    comment = ConventionComment.objects.create(
        convention=convention,
        article_key="ensemble",
        article_title=f"Ensemble {marker}",
        membership=membership,
        author=f"Secrétaire {marker}",
        body=f"Remarque {marker}",
        created_at=timezone.now(),
    )
    content = f"%PDF {marker}".encode()
    document = ConventionDocument(
        convention=convention,
        membership=membership,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        pages=1,
    )
    document.file.save(document.filename, ContentFile(content))
    draft = DraftDocument(
        membership=membership,
        convention=convention,
        format="pdf",
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
    )
    draft.file.save(draft.filename, ContentFile(content))
    make_signature(convention, membership, marker, content)
    OutgoingMessage.objects.create(
        key=f"message {marker}",
        recipient=f"mairie@{marker}.example",
        subject=f"Objet {marker}",
        text=f"Texte {marker}",
        organisation=commune,
        territory=metropole,
        thread=grouping.thread,
        created_at=timezone.now(),
        next_attempt_at=timezone.now(),
    )
    deliberation = membership.deliberations.get()
    DeliberationAttempt.objects.create(
        deliberation=deliberation, outcome="postponed", reason=f"motif {marker}", meeting_on=date(2026, 9, 15)
    )
    evidence = DeliberationDocument(
        deliberation=deliberation,
        original_name=f"Acte {marker}.pdf",
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        deposited_by=f"Secrétaire {marker}",
    )
    evidence.file.save("acte.pdf", ContentFile(content))
    facts = Facts(siren=commune.siren, decided_on=date(2026, 9, 15), number="12", subject=f"Achat de papier {marker}")
    proposal = Proposal.objects.create(
        deliberation=deliberation,
        origin=Proposal.Origin.OPEN_DATA,
        fingerprint="0" * 64,
        source_name=f"publiées {marker}.csv",
        values=facts.stored() | {"score": 80},
        reason=f"Ressemble à {marker}.",
    )
    job = Job.objects.create(kind="test.world", label=f"Tâche {marker}", organisation=metropole)
    for scope in (grouping.journal_scope, commune.journal_scope):
        record(
            actor=people[Role.BUYER],
            territory_id=metropole.pk,
            thread=scope.thread,
            concerns_id=scope.concerns_id,
            verb="test",
            sentence=f"Acte {marker}",
        )
    file = GroupingDocument(
        grouping=grouping,
        membership=membership,
        lot=lot,
        kind=GroupingDocument.Kind.NEED_EVIDENCE,
        extension="pdf",
        original_name=f"Facture {marker}.pdf",
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        deposited_by=f"Secrétaire {marker}",
    )
    file.file.save("facture.pdf", ContentFile(content))
    entry = {"yearly_amount": "250.00", "supplier": f"Fournisseur {marker}", "estimated": "1000.00"}
    NeedsSubmission.objects.create(
        membership=membership,
        number=1,
        lines={"1": entry},
        sha256="0" * 64,
        submitted_at=timezone.now(),
        submitted_by=f"Secrétaire {marker}",
    )
    NeedsDraft.objects.create(membership=membership, lines={"1": entry}, saved_by=f"Secrétaire {marker}")
    launched = make_launched(marker, metropole, commune)
    make_convention(launched["launched"], marker)
    return Territory(
        metropole=metropole,
        commune=commune,
        other_commune=other,
        representative=make_representative(commune, last_name=f"Signataire {marker}"),
        session=make_session(commune, date(2027, 3, 1), source=f"calendrier {marker}"),
        grouping=grouping,
        lot=lot,
        membership=membership,
        convention=convention,
        comment=comment,
        document=document,
        deliberation=deliberation,
        evidence=evidence,
        proposal=proposal,
        link=SignedLink.objects.create(membership=membership, expires_at=timezone.now() + timedelta(days=60)),
        feed=CalendarFeed.objects.create(affiliation=people["member_agent"]),
        job=job,
        file=file,
        people=people,
        **launched,
        **make_framework(marker, metropole, commune),
        **make_ledger(marker, launched["launched_membership"], launched["award"]),
        **make_fees(marker, launched["launched_membership"]),
    )


def make_launched(marker: str, metropole: Organisation, commune: Organisation) -> dict:
    """A second grouping of the same two bodies, in execution: its consultation, its award, its consumption."""
    grouping = make_grouping(
        metropole,
        title=f"Carburants {marker}",
        reference=f"GL-{marker}",
        source=f"source {marker}",
        status="performance",
        launched_on=date(2026, 2, 2),
        opened_on=date(2025, 9, 1),
    )
    lot = make_lot(grouping, title=f"Gazole {marker}", cpv="09134100")
    own, membership = make_membership(grouping, metropole), make_membership(grouping, commune)
    for member in (own, membership):
        make_need(member, lot, unit=f"litre {marker}", current_supplier=f"Fournisseur {marker}")
    consultation = make_consultation(
        grouping,
        boamp_reference=f"26-{marker}",
        offers_due_at=datetime(2026, 3, 16, 11, tzinfo=UTC),
        closed_on=date(2026, 3, 16),
        committee="tender_committee",
        committee_met_on=date(2026, 4, 10),
    )
    question = Question.objects.create(
        consultation=consultation, number=1, asked_on=date(2026, 2, 20), text=f"Question {marker}"
    )
    award = make_award(
        consultation,
        lot,
        "2000.00",
        shares=[(own, "1200.00"), (membership, "800.00")],
        decided_on=date(2026, 4, 10),
        signed_on=date(2026, 5, 4),
        notified_on=date(2026, 5, 5),
        starts_on=date(2026, 6, 1),
    )
    award.holders.update(name=f"Titulaire {marker}")
    PriceItem.objects.create(award=award, code="G1", designation=f"Gazole {marker}", price_excl_tax="1.234567")
    contact = ContractContact.objects.create(award=award, name=f"Contact {marker}", phone="04 00 00 00 00")
    taken = ConsumptionImport.objects.create(
        grouping=grouping,
        filename=f"mandats {marker}.csv",
        sha256="0" * 64,
        line_count=1,
        imported_by=f"Agent {marker}",
    )
    ConsumptionLine.objects.create(
        source=taken,
        award=award,
        membership=membership,
        reference="F-1",
        label=f"Plein {marker}",
        invoiced_on=date(2026, 7, 1),
        amount_excl_tax=Money("100.00", "EUR"),
        fingerprint=f"world {marker}",
    )
    content = f"%PDF notice {marker}".encode()
    contract_file = GroupingDocument(
        grouping=grouping,
        lot=lot,
        kind=GroupingDocument.Kind.ORDERING,
        is_shared=True,
        extension="pdf",
        original_name=f"Notice de commande {marker}.pdf",
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        deposited_by=f"Acheteur {marker}",
    )
    contract_file.file.save("notice.pdf", ContentFile(content))
    ExternalContract.objects.create(
        organisation=commune,
        reference=f"X-{marker}"[:60],
        buyer_siret=f"{commune.siren}00017",
        title=f"Marché publié {marker}",
        cpv="30192000",
        notified_on=date(2024, 1, 15),
        duration_months=36,
        ends_on=date(2027, 1, 14),
        source_name=f"decp {marker}.json",
    )
    return {
        "launched": grouping,
        "launched_membership": membership,
        "consultation": consultation,
        "question": question,
        "award": award,
        "contact": contact,
        "taken": taken,
        "contract_file": contract_file,
    }
