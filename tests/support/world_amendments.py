"""The permanent grouping of one territory: its convention in force, an amendment in signature, a bulletin signed."""

import hashlib
from datetime import date

from django.core.files.base import ContentFile

from groupings.conventions.amendment_values import AmendmentValues, to_json
from groupings.conventions.assemble import assemble
from groupings.models import Amendment, AmendmentSignature, Deliberation, Grouping, JoiningForm
from members.models import Organisation
from tests.support.amendments import freeze_convention
from tests.support.factories import make_grouping, make_lot, make_membership


def make_framework(marker: str, metropole: Organisation, commune: Organisation) -> dict:
    """The métropole and ``commune``, whose signed copies they are."""
    grouping = make_grouping(
        metropole,
        kind="permanent",
        reference=f"GP-{marker}",
        title=f"Énergie {marker}",
        status="deliberations",
        convention_on=date(2026, 9, 1),
        source=f"source {marker}",
    )
    make_lot(grouping, title=f"Gaz {marker}")
    make_membership(grouping, metropole)
    membership = make_membership(grouping, commune, contact_name=f"Référent {marker}")
    convention = freeze_convention(grouping)
    content = f"%PDF avenant {marker}".encode()
    sha256 = hashlib.sha256(content).hexdigest()
    common = {"grouping": grouping, "convention": convention, "drafted_on": date(2026, 10, 1)}
    draft = Amendment.objects.create(
        kind="object", new_title=f"Gaz et électricité {marker}", reason=f"Motif {marker}", **common
    )
    said = assemble(grouping, version=1)
    values = AmendmentValues(
        reference=grouping.reference,
        title=grouping.title,
        number=1,
        kind="object",
        is_permanent=True,
        convention_version=1,
        convention_on=date(2026, 9, 1),
        as_of=date(2026, 10, 2),
        effective_on=None,
        reason=f"Exposé {marker}",
        coordinator_siren=said.coordinator_siren,
        coordinator=said.coordinator,
        signatories=said.members,
        voters=tuple(member.siren for member in said.members),
        new_title=f"Gaz {marker}",
    )
    amendment = Amendment(
        kind="object",
        values=to_json(values),
        status="signature",
        number=1,
        new_title=f"Gaz {marker}",
        reason=f"Exposé {marker}",
        changes=[{"article": 1, "title": "Objet", "paragraph": "1.1", "before": "Énergie", "after": f"Gaz {marker}"}],
        sha256=sha256,
        size=len(content),
        frozen_on=date(2026, 10, 2),
        **common,
    )
    amendment.file.save(amendment.filename, ContentFile(content), save=False)
    amendment.save()
    Deliberation.objects.create(membership=membership, amendment=amendment, purpose="amendment")
    signature = AmendmentSignature(
        amendment=amendment,
        membership=membership,
        signed_on=date(2026, 10, 9),
        signatory=f"Maire {marker}",
        sha256=sha256,
    )
    signature.file.save("signe.pdf", ContentFile(content))
    joining = JoiningForm(
        membership=membership,
        subject=f"Gaz {marker}",
        needs_statement=f"Chaudière {marker}",
        contact_name=f"Contact {marker}",
        status="signed",
        signed_on=date(2026, 10, 5),
        signatory=f"Maire {marker}",
        sha256=sha256,
    )
    joining.file.save("bulletin.pdf", ContentFile(content))
    return {
        "framework": grouping,
        "amendment_draft": draft,
        "amendment": amendment,
        "amendment_signature": signature,
        "joining": joining,
    }


def framework_arguments(
    framework: Grouping, draft: Amendment, amendment: Amendment, signature: AmendmentSignature, joining: JoiningForm
) -> dict[str, dict]:
    """The addresses of amendments and bulletins, with their arguments."""
    grouping = {"pk": framework.pk}
    one = {**grouping, "amendment_pk": amendment.pk}
    signed, bulletin = {**one, "signature_pk": signature.pk}, {**grouping, "form_pk": joining.pk}
    return {
        "amendments": grouping,
        "amendment_create": {**grouping, "kind": "duration"},
        "amendment": one,
        "amendment_change": {**grouping, "amendment_pk": draft.pk},
        "amendment_step": {**one, "step": "abandon"},
        "amendment_sign": one,
        "amendment_unsign": signed,
        "amendment_document": one,
        "amendment_word": one,
        "amendment_signed_copy": signed,
        "convention_consolidated": grouping,
        "joining_forms": grouping,
        "joining_form_create": grouping,
        "joining_form_change": bulletin,
        "joining_form_sign": bulletin,
        "joining_form_accept": bulletin,
        "joining_form_refuse": bulletin,
        "joining_form_pdf": bulletin,
        "joining_form_file": bulletin,
    }
