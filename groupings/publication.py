"""The acts of the groupings as open data: one SCDL record for each adopted deliberation that can be published."""

from collections.abc import Iterable
from dataclasses import dataclass

from groupings.choices import IN_FORCE
from groupings.conventions.wording import typographic
from groupings.exchange import matters
from groupings.exchange.scdl import ScdlRecord, problems
from groupings.models import Deliberation
from groupings.rules.actes import ActesIdError, parse_actes_id
from members.models import Organisation

_Purpose = Deliberation.Purpose
_SUBJECTS = {
    _Purpose.MEMBERSHIP: "Adhésion au {} et approbation de la convention constitutive",
    _Purpose.CONVENTION: "Constitution du {} et approbation de la convention constitutive",
    _Purpose.AMENDMENT: "Avenant à la convention constitutive du {}",
    _Purpose.AWARD: "Attribution du marché du {}",
}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """An act that the format cannot hold, and why, in French."""

    deliberation: Deliberation
    reason: str

    def __str__(self) -> str:
        membership, day = self.deliberation.membership, self.deliberation.decided_on
        return f"{membership.organisation.name}, {membership.grouping.reference}, {day:%d/%m/%Y}\u00a0: {self.reason}"


def published(deliberations, year: int | None = None):
    """Those of a queryset that stand adopted, in the order of their votes; ``year``, of that civil year."""
    adopted = deliberations.filter(status__in=IN_FORCE)
    if year is not None:
        adopted = adopted.filter(decided_on__year=year)
    joined = adopted.select_related("membership__organisation__parent", "membership__grouping")
    return joined.order_by("decided_on", "membership__organisation__sort_name", "pk")


def records_of(deliberations: Iterable[Deliberation]) -> tuple[list[ScdlRecord], list[LeftOut]]:
    """The valid records, and what is left out of the file: nothing is made up to fill a required column."""
    records, left_out = [], []
    for deliberation in deliberations:
        try:
            record = _record(deliberation)
        except ValueError as error:
            left_out.append(LeftOut(deliberation, str(error)))
            continue
        if found := problems(record):
            left_out.append(LeftOut(deliberation, " ".join(found)))
        else:
            records.append(record)
    return records, left_out


def _record(deliberation: Deliberation) -> ScdlRecord:
    """Raises ValueError, with a French sentence, when a required value is not known."""
    organisation, grouping = deliberation.membership.organisation, deliberation.membership.grouping
    actes_id = _actes_id(deliberation)
    number = deliberation.number or (actes_id.number if actes_id else "")
    if not organisation.siret:
        raise ValueError("le SIRET de l’organisme manque\u00a0: complétez sa fiche.")
    if not number:
        raise ValueError("le numéro de la délibération manque.")
    if not matters.is_known(deliberation.matter):
        raise ValueError(f"la matière {deliberation.matter} n’est pas dans la nomenclature ACTES.")
    return ScdlRecord(
        body_name=organisation.name,
        siret=organisation.siret,
        number=number,
        decided_on=deliberation.decided_on,
        matter_code=deliberation.matter,
        matter_name=matters.scdl_name(deliberation.matter),
        subject=subject_of(deliberation.purpose, grouping.title),
        prefecture_id=prefecture_of(organisation, actes_id.department if actes_id else ""),
        received_on=deliberation.received_on,
        **_votes(deliberation),
    )


def subject_of(purpose: str, title: str) -> str:
    """DELIB_OBJET of an act about the grouping of that title."""
    return _SUBJECTS[_Purpose(purpose)].format(f"groupement de commandes «\u00a0{typographic(title)}\u00a0»")


def prefecture_of(organisation: Organisation, department: str = "") -> str:
    """``PREF034``, from the department of an ACTES identifier, the INSEE code, that of the commune of a CCAS, or the
    postcode; empty when none is known. Sub-prefectures (SPREF) are not told apart."""
    parent = organisation.parent
    commune = parent.insee_code if parent and organisation.kind == Organisation.Kind.CCAS else ""
    department = department or _department(organisation.insee_code or commune) or _department(organisation.postcode)
    return f"PREF{department}" if department else ""


def _department(code: str) -> str:
    """Three characters, as ACTES writes them: 034, 02A, 974. Corsican postcodes, 20…, split at 202."""
    if not code:
        return ""
    if code.startswith(("97", "98")):
        return code[:3]
    if code.startswith("20"):
        return "02A" if code < "20200" else "02B"
    return f"0{code[:2]}"


def _actes_id(deliberation: Deliberation):
    try:
        return parse_actes_id(deliberation.actes_id) if deliberation.actes_id else None
    except ActesIdError:
        return None


def _votes(deliberation: Deliberation) -> dict[str, int | None]:
    """The numbers of the vote. VOTE_REEL is that of the votes cast, proxies included: the schema wants their sum."""
    if not deliberation.has_counts:
        return {}
    counts = {name: getattr(deliberation, name) for name in ("in_office", "votes_for", "votes_against", "abstained")}
    return counts | {"votes_cast": sum(counts.values()) - counts["in_office"]}
