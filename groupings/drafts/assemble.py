"""From the database to the values of one member's model délibération, in a fixed number of queries.

What is printed comes from the frozen convention, never from the live needs: the annexed PDF says the same.
"""

from datetime import date
from pathlib import Path

from groupings.conventions.values import ConventionValues, from_json
from groupings.drafts import act, note
from groupings.drafts.subject import Subject
from groupings.drafts.values import DraftValues, Maker
from groupings.forecast import reference_population
from groupings.models import Convention, ConventionDocument, Deliberation, Membership
from groupings.rules.clear_days import NoticeRule, notice_rule
from groupings.rules.courts import administrative_court, department_of
from groupings.rules.remarks import Facts, remarks
from members.bodies import BODIES, Kind
from members.models import Organisation
from procurement.core.errors import BusinessError

_DELEGATION = "delegation"


def assemble_draft(
    membership: Membership,
    *,
    convention: Convention,
    document: ConventionDocument,
    session_on: date | None,
    matter_code: str = "1.7",
    purpose: str = Deliberation.Purpose.MEMBERSHIP,
) -> DraftValues:
    """The model of the act by which ``membership`` approves ``convention``, whose PDF for it is ``document``.

    ``session_on`` is the meeting it is meant for, ``matter_code`` the ACTES subject. Who decides is read from the
    member's approval: its assembly, else, in an EPCI or a syndicat, its bureau or president by delegation (CGCT,
    L5211-10). A commune's or a CCAS's model is always its assembly's, the jurist's remark standing in the guidance.
    Reads the organisation, its parent and the membership's deliberations (three queries, none when prefetched).
    Raises BusinessError when there is no model for that purpose, or when the member is not in that version of the
    convention; ValueError when ``document`` is another member's or another version's.
    """
    if purpose not in Deliberation.APPROVALS:
        raise BusinessError("Le modèle de délibération n’existe que pour l’adhésion et la convention constitutive.")
    if document.membership_id != membership.pk or document.convention_id != convention.pk:
        raise ValueError("Ce document est celui d’un autre membre ou d’une autre version.")
    organisation = membership.organisation
    values = _frozen(convention)
    try:
        member = values.member(organisation.siren)
    except KeyError:
        raise BusinessError(
            f"{organisation.name} ne figure pas dans la convention version {convention.version}\u00a0: produisez-en "
            "une nouvelle version."
        ) from None
    declared = _declared_maker(membership)
    doubts = tuple(r for r in remarks(Facts(body=member.kind, maker=declared)) if r.code == _DELEGATION)
    return draft(
        Subject(
            convention=values,
            member=member,
            assembly=BODIES[Kind(member.kind)].assembly,
            maker="council" if doubts else declared,
            session_on=session_on,
            notice=_notice(organisation, member.kind, session_on or values.as_of),
            remarks=doubts,
            court=_court(organisation, values),
            annex_name=Path(document.file.name).name,
            annex_pages=document.pages,
            annex_sha256=document.sha256,
            matter_code=matter_code,
        )
    )


def draft(subject: Subject) -> DraftValues:
    """Every sentence of the model about ``subject``."""
    values, member = subject.convention, subject.member
    return DraftValues(
        siren=member.siren,
        body_name=act.body_name(subject),
        body_kind=member.kind,
        assembly=subject.assembly,
        maker=subject.maker,
        coordinator_name=values.coordinator.name,
        reference=values.reference,
        version=values.version,
        dated_on=values.as_of,
        session_on=subject.session_on,
        title=act.title(subject),
        heading=act.heading(subject),
        taken_by=act.taken_by(subject),
        guidance=note.guidance(subject),
        header=act.header(subject),
        purpose=act.purpose(subject),
        rapporteur=act.rapporteur(),
        note_title=note.note_title(subject),
        background=note.background(subject),
        needs=note.needs(subject),
        terms=note.terms(subject),
        act_title=f"Projet de {subject.act}",
        visas=act.visas(subject),
        recitals=act.recitals(subject),
        enacting=act.enacting(subject),
        decisions=act.decisions(subject),
        votes=act.votes(subject),
        signatures=act.signatures(subject),
        transmission=act.transmission(subject),
        challenge=act.challenge(subject),
        annex=act.annex(subject),
        matter_code=subject.matter_code,
        matter_label=act.matter_label(subject.matter_code),
        convention_sha256=subject.annex_sha256,
        notes=values.notes,
    )


def _frozen(convention: Convention) -> ConventionValues:
    try:
        return from_json(convention.values)
    except (ValueError, KeyError, TypeError):
        raise BusinessError(
            "Cette version de la convention a un format ancien, sans modèle de délibération\u00a0: produisez-en une "
            "nouvelle version."
        ) from None


def _declared_maker(membership: Membership) -> Maker:
    """Who the member said would decide; its assembly by default. One approval per member, by constraint."""
    kinds = [d.kind for d in membership.deliberations.all() if d.purpose in Deliberation.APPROVALS]
    return kinds[0] if kinds else Deliberation.Kind.COUNCIL.value


def _notice(organisation: Organisation, kind: str, on: date) -> NoticeRule | None:
    """What the convocation owes on that day; of an unknown population, the fullest duty is assumed."""
    population = reference_population(organisation)
    try:
        return notice_rule(kind, 3_500 if population is None else population, on)
    except LookupError:
        return None


def _court(organisation: Organisation, values: ConventionValues) -> str:
    """That of the seat of the body that decides (CJA, R312-1); the convention's for the coordinator, already known."""
    if organisation.siren == values.coordinator_siren:
        return values.court
    parent = organisation.parent
    codes = (organisation.postcode, organisation.insee_code)
    return administrative_court(department_of(*codes, *((parent.postcode, parent.insee_code) if parent else ())))
