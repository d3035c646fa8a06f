"""A frozen convention whose members may sign: two communes and the métropole, all acts enforceable but when told."""

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from django.core.files.base import ContentFile

from groupings.actions import signatures as actions
from groupings.actions.convention import convention_freeze
from groupings.exchange.pades import Reading
from groupings.models import Convention, Grouping, Membership, Signature, SigningCopy
from members.models import Affiliation
from members.roles import Role
from procurement.core.actors import SystemActor
from tests.support.factories import adopt, make_affiliation, make_territory

SYSTEM = SystemActor("Essai")
FROZEN_AT = datetime(2026, 10, 1, 10, tzinfo=UTC)
VOTED_ON, SIGNED_ON, TODAY = date(2026, 11, 12), date(2026, 11, 20), date(2026, 12, 1)


@dataclass
class Signing:
    """``first`` and ``second`` are communes, ``coordinator`` the métropole's own membership."""

    grouping: Grouping
    coordinator: Membership
    first: Membership
    second: Membership
    buyer: Affiliation
    agent: Affiliation  # of ``first``
    other_agent: Affiliation  # of ``second``

    @property
    def convention(self) -> Convention:
        return self.grouping.conventions.select_related("grouping__coordinator").exclude(status="superseded").get()

    def record(self, membership: Membership, signed_on: date = SIGNED_ON, **options: Any) -> Signature:
        people = membership.organisation.representatives
        options.setdefault("signatory", str(people.first() or "Madame Anne Essai"))
        options.setdefault("convention", self.convention)
        options.setdefault("actor", self.buyer)
        options.setdefault("today", TODAY)
        return actions.signature_record(membership=membership, signed_on=signed_on, **options)


def make_signing(*, status: str = "signature", adopted: bool = True, **grouping: Any) -> Signing:
    metropole, made = make_territory(
        members=2,
        lots=1,
        status="deliberations",
        convention_on=date(2026, 12, 1),
        opened_on=date(2026, 9, 1),
        **grouping,
    )
    convention_freeze(grouping=made, actor=SYSTEM, now=FROZEN_AT)
    made.conventions.update(status=status)
    memberships = list(made.memberships.select_related("organisation", "grouping__coordinator").order_by("pk"))
    if adopted:
        for number, membership in enumerate(memberships):
            adopt(membership, VOTED_ON, number=f"2026-{number + 1:02d}")
    return Signing(
        made,
        *memberships,
        buyer=make_affiliation(metropole, Role.BUYER),
        agent=make_affiliation(memberships[1].organisation, Role.MEMBER_AGENT),
        other_agent=make_affiliation(memberships[2].organisation, Role.MEMBER_AGENT),
    )


def make_signature(convention: Convention, membership: Membership, marker: str, content: bytes) -> Signature:
    """A signature with its file, and the copy that was signed, whose every word holds ``marker``."""
    about = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
    copy = SigningCopy(convention=convention, membership=membership, pages=1, made_from_sha256="0" * 64, **about)
    copy.file.save("copies/exemplaire.pdf", ContentFile(content))
    signature = Signature(
        convention=convention,
        membership=membership,
        signed_on=date(2026, 9, 20),
        signatory=f"Signataire {marker}",
        capacity=f"Qualité {marker}",
        mode="paper",
        original_name=f"Convention signée {marker}.pdf",
        reading=Reading().stored(),
        **about,
    )
    signature.file.save("signatures/signe.pdf", ContentFile(content))
    return signature
