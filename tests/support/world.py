"""Two métropoles in one database, one person per role: what the permission and isolation tests walk through."""

from dataclasses import dataclass, field
from datetime import date

from groupings.models import Grouping
from members.models import Affiliation, CouncilSession, Organisation, Representative
from members.roles import Role
from tests.support.factories import (
    make_affiliation,
    make_grouping,
    make_lot,
    make_membership,
    make_metropole,
    make_need,
    make_organisation,
    make_representative,
    make_session,
)

#: In every text of the second métropole: it must never be read by anybody of the first.
MARKER = "Zeugma"


@dataclass
class Territory:
    """One métropole, two communes (the second takes part in nothing), one grouping with a lot and needs."""

    metropole: Organisation
    commune: Organisation
    other_commune: Organisation
    grouping: Grouping
    session: CouncilSession
    representative: Representative
    people: dict[str, Affiliation] = field(default_factory=dict)


def make_world(*, marker: str = "") -> Territory:
    """One territory; with ``marker``, every name and text in it holds that word."""
    tag = f" {marker}" if marker else ""
    metropole = make_metropole(name=f"Métropole{tag}", address=f"1 place{tag}", city=f"Ville{tag}")
    commune = make_organisation(parent=metropole, name=f"Commune membre{tag}", source=f"source{tag}")
    other = make_organisation(parent=metropole, name=f"Commune voisine{tag}")
    representative = make_representative(commune, last_name=f"Signataire{tag}")
    session = make_session(commune, date(2027, 3, 1), source=f"calendrier{tag}")
    grouping = make_grouping(metropole, title=f"Papier{tag}", reference=f"GC-{marker or 'A'}")
    lot = make_lot(grouping, title=f"Ramettes{tag}")
    make_need(make_membership(grouping, metropole), lot)
    make_need(make_membership(grouping, commune, contact_name=f"Référent{tag}"), lot)
    people = {role: make_affiliation(metropole, role) for role in Role if role != Role.MEMBER_AGENT}
    people["member_agent"] = make_affiliation(commune, Role.MEMBER_AGENT)
    people["neighbour"] = make_affiliation(other, Role.MEMBER_AGENT)
    people["commune_buyer"] = make_affiliation(other, Role.BUYER)
    for person in people.values():
        person.user.last_name += tag
        person.user.save()
    return Territory(metropole, commune, other, grouping, session, representative, people)
