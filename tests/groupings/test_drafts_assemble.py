"""From the database to a member's model: the frozen convention speaks, in a fixed number of queries."""

from datetime import date
from decimal import Decimal

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone
from djmoney.money import Money

from groupings.conventions.assemble import assemble
from groupings.conventions.values import to_json
from groupings.drafts.assemble import assemble_draft
from groupings.models import Convention, ConventionDocument, Deliberation, Membership, NeedLine
from procurement.core.errors import BusinessError
from tests.support.factories import make_membership, make_need, make_organisation, make_territory
from tests.support.world import make_world

pytestmark = pytest.mark.django_db
SHA = "ab" * 32


def freeze(grouping) -> Convention:
    """The grouping's convention as it stands, with a document for each member."""
    grouping.refresh_from_db()
    version = grouping.conventions.count() + 1
    values = assemble(grouping, version=version)
    grouping.conventions.update(status="superseded")
    convention = Convention.objects.create(
        grouping=grouping,
        version=version,
        values=to_json(values),
        values_sha256=values.sha256,
        texts_sha256="0" * 64,
        legal_basis=values.legal_basis.article,
        is_draft=values.is_draft,
        frozen_at=timezone.now(),
    )
    for membership in grouping.memberships.active():
        document = ConventionDocument(convention=convention, membership=membership, sha256=SHA, size=4, pages=9)
        document.file.save(document.filename, ContentFile(b"%PDF"))
    return convention


def drafted(membership: Membership, convention: Convention, **options):
    document = ConventionDocument.objects.filter(convention=convention, membership=membership).first()
    membership = Membership.objects.select_related("organisation__parent").get(pk=membership.pk)
    return assemble_draft(membership, convention=convention, document=document, **{"session_on": None, **options})


def commune_of(grouping) -> Membership:
    return grouping.memberships.exclude(organisation=grouping.coordinator).order_by("pk").first()


def text_of(values) -> str:
    lines = (*values.header, *values.terms, *values.recitals, *values.decisions, *values.transmission, values.annex)
    return " ".join(f"{line.label} {line.text}" for line in lines).replace("\u00a0", " ").replace("\u202f", " ")


def test_what_is_printed_is_what_was_frozen_not_what_has_changed_since():
    _, grouping = make_territory(members=2, lots=2)
    convention, membership = freeze(grouping), commune_of(grouping)
    NeedLine.objects.update(estimated_amount_excl_tax=Money(Decimal("9999.99"), "EUR"))
    membership.organisation.name = "Nom changé depuis"
    membership.organisation.save()
    values = drafted(membership, convention)
    # Two lots of 1 000.00 €, three members.
    assert [row.whole for row in values.needs] == ["1\u202f000,00", "1\u202f000,00", "2\u202f000,00"]
    assert "3 membres ; leurs besoins sont estimés à 6 000,00 € HT sur 48 mois" in text_of(values)
    assert values.body_name.startswith("Commune d’Organisme") and "9 999,99" not in text_of(values)


def test_the_annex_is_the_document_with_its_fingerprint_and_version():
    _, grouping = make_territory(members=1)
    freeze(grouping)
    convention, membership = freeze(grouping), commune_of(grouping)
    values = drafted(membership, convention)
    assert values.convention_sha256 == SHA and values.version == 2
    siren = membership.organisation.siren
    assert f"version 2, exemplaire {'de la commune'}" in values.annex.text.replace("\u00a0", " ")
    assert f"{grouping.reference}_{siren}.pdf" in values.annex.text and SHA in values.annex.text


def test_another_member_s_document_is_a_mistake():
    _, grouping = make_territory(members=2)
    convention = freeze(grouping)
    first, second = grouping.memberships.order_by("pk")[:2]
    foreign = convention.documents.get(membership=second)
    with pytest.raises(ValueError, match="autre membre"):
        assemble_draft(first, convention=convention, document=foreign, session_on=None)
    with pytest.raises(ValueError, match="autre version"):
        assemble_draft(second, convention=freeze(grouping), document=foreign, session_on=None)


def test_who_decides_is_read_from_the_member_s_deliberation():
    _, grouping = make_territory(members=1)
    convention = freeze(grouping)
    coordinator, commune = grouping.memberships.get(organisation=grouping.coordinator), commune_of(grouping)
    assert drafted(coordinator, convention).maker == "council"
    for kind in ("bureau", "president"):
        coordinator.deliberations.update(kind=kind)
        assert drafted(coordinator, convention).maker == kind
    # A mayor cannot: the model stays the council's, and says why.
    commune.deliberations.update(kind="president")
    values = drafted(commune, convention)
    assert values.maker == "council" and any("déléguer au maire" in advice for advice in values.guidance)


def test_the_population_of_the_last_renewal_names_the_note():
    """A CCAS follows its commune's population (CASF, R123-16); unknown, the fullest duty is assumed."""
    metropole, grouping = make_territory(members=0, lots=1)
    small = make_organisation(parent=metropole, name="Petite", population=4_000, reference_population=3_400)
    grown = make_organisation(parent=metropole, name="Grande", population=3_400, reference_population=4_000)
    ccas = make_organisation("ccas", parent=grown, name="CCAS de Grande")
    unknown = make_organisation(parent=metropole, name="Inconnue", population=None)
    memberships = [make_membership(grouping, body) for body in (small, grown, ccas, unknown)]
    convention = freeze(grouping)
    assert [drafted(membership, convention).note_title for membership in memberships] == [
        "Exposé des motifs",
        "Note explicative de synthèse",
        "Rapport explicatif",
        "Note explicative de synthèse",
    ]


def test_the_court_is_that_of_the_body_that_decides():
    metropole, grouping = make_territory(members=0, lots=1)
    nimes = make_organisation(parent=metropole, insee_code="30189")
    ccas = make_organisation("ccas", parent=nimes, name="CCAS de Nîmes")
    nowhere = make_organisation(parent=None, name="Ailleurs")
    memberships = [make_membership(grouping, body) for body in (nimes, ccas, nowhere)]
    metropole.postcode = "34000"
    metropole.save()
    convention = freeze(grouping)
    courts = [drafted(membership, convention).challenge for membership in memberships]
    assert "tribunal administratif de Nîmes," in courts[0] and "tribunal administratif de Nîmes," in courts[1]
    assert "territorialement compétent" in courts[2]
    coordinator = grouping.memberships.get(organisation=metropole)
    assert "tribunal administratif de Montpellier," in drafted(coordinator, convention).challenge


def test_a_newcomer_is_not_in_a_former_version():
    metropole, grouping = make_territory(members=1, lots=1)
    convention = freeze(grouping)
    newcomer = make_membership(grouping, make_organisation(parent=metropole, name="Tard venue"))
    make_need(newcomer, grouping.lots.get())
    document = ConventionDocument(convention=convention, membership=newcomer, sha256=SHA, size=4, pages=9)
    document.file.save(document.filename, ContentFile(b"%PDF"))
    document.save()
    with pytest.raises(BusinessError, match="Tard venue ne figure pas dans la convention version 1"):
        drafted(newcomer, convention)


def test_a_convention_of_another_format_is_refused_in_french():
    world = make_world("Nord")
    world.convention.values = {"members": [], "lots": [], "needs": []}
    with pytest.raises(BusinessError, match="format ancien"):
        assemble_draft(world.membership, convention=world.convention, document=world.document, session_on=None)


@pytest.mark.parametrize("purpose", ["amendment", "award"])
def test_there_is_no_model_for_another_purpose(purpose):
    world = make_world("Sud")
    with pytest.raises(BusinessError, match="adhésion"):
        assemble_draft(
            world.membership, convention=world.convention, document=world.document, session_on=None, purpose=purpose
        )


def test_the_session_and_the_subject_code_are_the_caller_s():
    _, grouping = make_territory(members=1)
    convention = freeze(grouping)
    values = drafted(commune_of(grouping), convention, session_on=date(2026, 12, 1), matter_code="5.7")
    assert "Séance du 1er décembre 2026" in text_of(values) and "5.7 – Intercommunalité" in text_of(values)
    assert values.session_on == date(2026, 12, 1) and values.matter_label == "Intercommunalité"


def test_a_fixed_number_of_queries_none_when_prefetched(django_assert_num_queries):
    for members in (1, 12):
        _, grouping = make_territory(members=members, lots=3)
        convention = freeze(grouping)
        membership = Membership.objects.get(pk=commune_of(grouping).pk)
        document = convention.documents.get(membership=membership)
        with django_assert_num_queries(3):  # the organisation, its parent, the deliberations
            assemble_draft(membership, convention=convention, document=document, session_on=None)
        loaded = grouping.memberships.select_related("organisation__parent").prefetch_related("deliberations")
        everybody = [(m, convention.documents.get(membership=m)) for m in loaded]
        with django_assert_num_queries(0):
            for one, own in everybody:
                assemble_draft(one, convention=convention, document=own, session_on=None)


def test_the_purposes_are_those_of_an_approval():
    assert set(Deliberation.APPROVALS) == {"convention", "membership"}
    _, grouping = make_territory(members=1)
    convention = freeze(grouping)
    membership = commune_of(grouping)
    first = drafted(membership, convention, purpose="convention")
    assert first == drafted(membership, convention, purpose="membership")


def test_demonstration_data_say_so():
    _, grouping = make_territory(members=1, source="bilan 2016")
    values = drafted(commune_of(grouping), freeze(grouping))
    assert any("démonstration" in note for note in values.notes)
