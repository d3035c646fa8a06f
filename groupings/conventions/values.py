"""What a convention constitutive says, frozen: plain values, exact to the cent, readable as JSON in fifty years.

A convention stores these values with its bytes. Nothing here reads the database or the clock: ``assemble.py`` builds
the values, ``render.py`` lays them out. Amounts are euros excluding tax. Unit prices and price history never enter.
"""

import hashlib
import json
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from groupings.rules import fees as fee_rules
from groupings.rules.legal_basis import LegalBasis
from procurement.core.money import ZERO, format_euros, round_half_up

SCHEMA = 1

# The words of groupings.choices and members.bodies, which this file does not import: it must outlive them.
Category = Literal["supplies", "services", "works", "social_services"]
Kind = Literal["ad_hoc", "permanent"]
IntegrationLevel = Literal["COORDINATED", "PARTIAL", "FULL"]
CommitteeMode = Literal["COORDINATOR", "SPECIFIC"]
FeeRule = Literal["FREE", "EQUAL_SHARES", "POPULATION", "ESTIMATED_AMOUNT", "ACTUAL_SPEND", "FLAT_FEE"]
#: Who took the decision to join: the assembly, or an EPCI's bureau or president by delegation (CGCT, L5211-10).
DecisionMaker = Literal["council", "bureau", "president"]
MilestoneKey = Literal["needs", "deliberations", "launch", "notification", "performance", "end"]


@dataclass(frozen=True, slots=True)
class RepresentativeValues:
    """Who signs. ``title`` is agreed: Maire, Présidente, Adjointe au maire."""

    civility: Literal["Madame", "Monsieur", ""]
    name: str
    title: str


@dataclass(frozen=True, slots=True)
class DeliberationValues:
    """The decision to join. ``executory_on`` stays None until it is both published and transmitted."""

    number: str
    voted_on: date
    executory_on: date | None
    taken_by: DecisionMaker = "council"


@dataclass(frozen=True, slots=True)
class MemberValues:
    """One member. ``kind`` is metropole, epci, commune, ccas, syndicat or other; ``of_assembly`` is « du conseil
    municipal »; ``executive_title`` the executive's title when no representative is known; ``contact`` the person to
    call about this purchase. ``is_deliberation_waived``: an earlier decision already allows it to join."""

    siren: str
    name: str
    kind: str
    of_assembly: str
    executive_title: str
    siret: str = ""
    address: str = ""
    city: str = ""
    contact: str = ""
    population: int | None = None
    representative: RepresentativeValues | None = None
    deliberation: DeliberationValues | None = None
    is_deliberation_waived: bool = False

    @property
    def is_authorised(self) -> bool:
        """Whether it may sign: its decision is enforceable, or none is needed."""
        return self.is_deliberation_waived or bool(self.deliberation and self.deliberation.executory_on)


@dataclass(frozen=True, slots=True)
class LotValues:
    number: int
    title: str


@dataclass(frozen=True, slots=True)
class NeedValues:
    """What one member expects to spend on one lot, in euros excluding tax, over the whole duration."""

    siren: str
    lot: int
    estimated_amount_excl_tax: Decimal


@dataclass(frozen=True, slots=True)
class FeeShareValues:
    """One member's share; ``weight`` is what it was computed from: inhabitants, euros, or one. The amount is None
    while the forecast is unknown."""

    siren: str
    weight: Decimal
    amount: Decimal | None


@dataclass(frozen=True, slots=True)
class FeesValues:
    """How operating costs are borne. ``total`` is the forecast shared, ``ceiling`` what it may not pass (€ excluding
    tax, None when unknown); no shares when nothing is asked of members."""

    rule: FeeRule
    total: Decimal | None = None
    shares: tuple[FeeShareValues, ...] = ()
    ceiling: Decimal | None = None


@dataclass(frozen=True, slots=True)
class CommitteeSeatValues:
    """A member's seat on the grouping's own committee; names are empty until its assembly has chosen."""

    siren: str
    full_member: str = ""
    substitute: str = ""


@dataclass(frozen=True, slots=True)
class MilestoneValues:
    key: MilestoneKey
    planned_on: date | None


@dataclass(frozen=True, slots=True)
class ConventionValues:
    """Everything a convention constitutive prints. ``as_of`` is the date it bears, which picks the law."""

    reference: str
    title: str
    version: int
    as_of: date
    category: Category
    kind: Kind
    legal_vehicle: Literal["grouping", "central_purchasing", "ugap"]
    integration_level: IntegrationLevel
    duration_months: int
    extension_count: int
    extension_months: int
    cpv_code: str
    cpv_label: str
    coordinator_siren: str
    coordinator_has_own_need: bool
    statutes_clause_ref: str
    members: tuple[MemberValues, ...]
    lots: tuple[LotValues, ...]
    needs: tuple[NeedValues, ...]
    fees: FeesValues
    committee_mode: CommitteeMode
    committee: tuple[CommitteeSeatValues, ...]
    calendar: tuple[MilestoneValues, ...]
    legal_basis: LegalBasis
    court: str
    withdrawal_notice_months: int = 3
    notes: tuple[str, ...] = ()
    schema: int = SCHEMA

    @property
    def coordinator(self) -> MemberValues:
        return self.member(self.coordinator_siren)

    def member(self, siren: str) -> MemberValues:
        """Raises KeyError when no member has this SIREN."""
        for member in self.members:
            if member.siren == siren:
                return member
        raise KeyError(siren)

    @property
    def is_draft(self) -> bool:
        """Whether a decision is still missing or not yet enforceable: the document is then marked PROJET."""
        return not all(member.is_authorised for member in self.members)

    @property
    def sha256(self) -> str:
        """The fingerprint of the values, from their canonical JSON."""
        return hashlib.sha256(canonical_json(self).encode()).hexdigest()

    @property
    def text_sha256(self) -> str:
        """The fingerprint of what the assemblies approve: the values without version, decisions, nor who represents
        each body that day and whom to call, which an election or a transfer changes without a vote."""
        bare = {"deliberation": None, "is_deliberation_waived": False, "representative": None, "contact": ""}
        return replace(self, members=tuple(replace(m, **bare) for m in self.members), version=0).sha256

    def problems(self) -> list[str]:
        """French sentences, one for each thing that forbids to draw up this convention; empty when it may be."""
        sirens = [member.siren for member in self.members]
        found = []
        if self.legal_vehicle != "grouping":
            found.append("Une convention constitutive ne s’établit que pour un groupement de commandes.")
        if len(sirens) < 2:
            found.append("Un groupement de commandes réunit au moins deux membres.")
        if len(set(sirens)) != len(sirens):
            found.append("Deux membres portent le même SIREN.")
        if self.coordinator_siren not in sirens:
            found.append("Le coordonnateur doit être membre du groupement.")
        lots = [lot.number for lot in self.lots]
        if len(set(lots)) != len(lots):
            found.append("Deux lots portent le même numéro.")
        cells = [(need.siren, need.lot) for need in self.needs]
        if len(set(cells)) != len(cells):
            found.append("Un membre a deux besoins pour le même lot.")
        if any(siren not in sirens or lot not in lots for siren, lot in cells):
            found.append("Un besoin concerne un lot ou un membre étranger au groupement.")
        if any(need.estimated_amount_excl_tax < 0 for need in self.needs):
            found.append("Un besoin ne peut pas être négatif.")
        unknown = [m.name for m in self.members if m.kind in fee_rules.POPULATED and not m.population]
        if self.fees.rule == "POPULATION" and unknown:
            found.append(f"La population de {', '.join(unknown)} manque\u00a0: l’annexe 3 en fait la clé des frais.")
        if self.fees.rule == "FLAT_FEE" and self.fees.total is None:
            found.append("Indiquez le forfait dû par chaque membre.")
        elif self.fees.total is not None and sum((s.amount or ZERO for s in self.fees.shares), ZERO) != self.fees.total:
            found.append("La somme des parts de frais doit être égale au total réparti.")
        elif None not in (self.fees.total, self.fees.ceiling) and self.fees.total > self.fees.ceiling:
            found.append(
                f"Les frais prévus ({format_euros(self.fees.total)}) dépassent leur plafond "
                f"({format_euros(self.fees.ceiling)})."
            )
        if not self.coordinator_has_own_need:
            if not self.statutes_clause_ref.strip():
                found.append(
                    "Le coordonnateur n’a pas de besoin propre\u00a0: indiquez la clause de ses statuts "
                    "(CGCT, L. 5211-4-4)."
                )
            if self.fees.rule != "FREE":
                found.append("Le coordonnateur sans besoin propre intervient à titre gratuit (CGCT, L. 5211-4-4).")
        if (
            self.legal_basis.coordinator_committee_needs_integration
            and self.committee_mode == "COORDINATOR"
            and self.integration_level == "COORDINATED"
        ):
            found.append(
                "Sous l’empire du code des marchés publics, la commission du coordonnateur n’est compétente que s’il "
                "signe le marché pour tous les membres (article 8, VII)."
            )
        return found


def share_fees(
    rule: FeeRule,
    *,
    base: Decimal | None,
    ceiling: Decimal | None = None,
    members: Sequence[MemberValues],
    needs: Sequence[NeedValues] = (),
) -> FeesValues:
    """Share operating costs between members, to the cent, by ``split_exactly``; one share per member, in their order.

    ``base`` (€ excluding tax): the forecast to share, or what each member owes under FLAT_FEE; None when unknown.
    Weights are one, the population (a CCAS has none of its own) or the estimated needs; ACTUAL_SPEND is forecast by the
    estimated needs, its final statement being drawn up when spending is known. FREE asks nothing of anybody.
    Raises ValueError, with a French sentence, when every weight is zero or when a commune's population is unknown.
    """
    if rule == "FREE" or not members:
        return FeesValues(rule)
    estimated: dict[str, Decimal] = dict.fromkeys((member.siren for member in members), ZERO)
    for need in needs:
        estimated[need.siren] += need.estimated_amount_excl_tax
    parties = [
        fee_rules.Party(m.siren, m.name, rank, m.kind, m.population, estimated[m.siren])
        for rank, m in enumerate(members)
    ]
    amounts: list[Decimal | None] = [None] * len(members)
    if base is not None:
        is_flat = rule == "FLAT_FEE"
        amounts = (
            [round_half_up(base)] * len(members)
            if is_flat
            else list(fee_rules.split(rule, base, parties, is_provisional=True))
        )
        weights = fee_rules.weights(rule, parties, is_provisional=True)
    else:
        # Nothing to share yet: an unknown population is not asked for before there is.
        known = [replace(party, kind="") for party in parties]
        weights = fee_rules.weights(rule, known, is_provisional=True)
    shares = tuple(
        FeeShareValues(member.siren, weight, amount)
        for member, weight, amount in zip(members, weights, amounts, strict=True)
    )
    total = None if base is None else sum((amount for amount in amounts if amount is not None), ZERO)
    return FeesValues(rule, total, shares, ceiling)


def to_json(values: ConventionValues) -> dict[str, Any]:
    """``values`` as JSON types: amounts are strings with two decimals, dates ISO."""
    return plain(values)


def canonical_json(values: ConventionValues) -> str:
    """One text for one set of values: sorted keys, no space, accents as they are."""
    return json.dumps(to_json(values), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def from_json(data: Mapping[str, Any]) -> ConventionValues:
    """The reverse of ``to_json``. Raises ValueError for another schema, TypeError or KeyError for missing values."""
    if data.get("schema") != SCHEMA:
        raise ValueError(f"Schéma de convention inconnu\u00a0: {data.get('schema')!r}.")
    return typed(ConventionValues, data)


def plain(value: Any) -> Any:
    """Any frozen values as JSON types: an amendment keeps its own as a convention does."""
    if is_dataclass(value):
        return {f.name: plain(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, Decimal):
        return str(round_half_up(value))
    if isinstance(value, date):
        return value.isoformat()
    return value


def typed(expected: Any, value: Any) -> Any:
    """The reverse of ``plain``. Raises TypeError or KeyError for missing values."""
    if get_origin(expected) in (Union, types.UnionType):
        if value is None:
            return None
        return typed(next(arg for arg in get_args(expected) if arg is not type(None)), value)
    if get_origin(expected) is tuple:
        return tuple(typed(get_args(expected)[0], item) for item in value)
    if is_dataclass(expected):
        hints = get_type_hints(expected)
        return expected(**{f.name: typed(hints[f.name], value[f.name]) for f in fields(expected)})
    if expected is Decimal:
        return Decimal(value)
    if expected is date:
        return date.fromisoformat(value)
    return value
