"""Frozen values of conventions for tests and the benchmark: fictitious people and amounts, no database."""

from datetime import date
from decimal import Decimal
from typing import Any

from groupings.conventions.values import (
    CommitteeSeatValues,
    ConventionValues,
    DeliberationValues,
    LotValues,
    MemberValues,
    MilestoneValues,
    NeedValues,
    RepresentativeValues,
    share_fees,
)
from groupings.rules.legal_basis import legal_basis_on

COORDINATOR = "243400017"
COMMUNES = (
    ("213401722", "Montpellier", 307101),
    ("213400575", "Castelnau-le-Lez", 25404),
    ("213401292", "Lattes", 17592),
    ("213401235", "Juvignac", 13776),
    ("213402704", "Saint-Jean-de-Védas", 13300),
    ("213403371", "Villeneuve-lès-Maguelone", 10406),
    ("213401987", "Pérols", 9541),
    ("213400906", "Le Crès", 9267),
    ("213401169", "Grabels", 9060),
    ("213402027", "Pignan", 8326),
    ("213400229", "Baillargues", 7793),
    ("213400955", "Fabrègues", 7200),
    ("213403272", "Vendargues", 7157),
    ("213400880", "Cournonterral", 7019),
    ("213401201", "Jacou", 6964),
    ("213400583", "Castries", 6722),
    ("213402175", "Prades-le-Lez", 6207),
    ("213400773", "Clapiers", 6010),
    ("213402597", "Saint-Georges-d'Orques", 5707),
    ("213401698", "Montferrier-sur-Lez", 4117),
    ("213400872", "Cournonsec", 3583),
    ("213402449", "Saint-Brès", 3462),
    ("213401342", "Lavérune", 3298),
    ("213402498", "Saint-Drézéry", 2952),
    ("213403074", "Sussargues", 2817),
    ("213402274", "Restinclières", 2573),
    ("213400278", "Beaulieu", 2239),
    ("213402563", "Saint-Geniès-des-Mourgues", 2112),
    ("213401797", "Murviel-lès-Montpellier", 2002),
)
CCAS = ("263400996", "CCAS de Montpellier")
LOTS = (
    "Fournitures de bureau",
    "Papier recyclé et papier blanc",
    "Consommables informatiques",
    "Petit matériel pédagogique",
    "Enveloppes et imprimés",
    "Tampons, reliure et classement",
)
_PEOPLE = (
    ("Madame", "Hélène Œuvrard", 1),
    ("Monsieur", "Jérôme Durand", 0),
    ("Madame", "Maëlle Ferrié", 1),
    ("Monsieur", "Loÿs Cœurdevey", 0),
)


def sample_values(*, members: int = 31, lots: int = 6, voted: bool = True, **changes: Any) -> ConventionValues:
    """A coherent convention: the métropole coordinates, one CCAS from four members on, every member needs every lot.

    ``voted=False`` leaves the last member without a deliberation. ``changes`` replaces any value; ``fee_rule`` and
    ``fee_base`` choose the fees.
    """
    as_of = changes.pop("as_of", date(2027, 3, 15))
    rule, base = changes.pop("fee_rule", "ESTIMATED_AMOUNT"), changes.pop("fee_base", Decimal("6400.00"))
    bodies = [_body(COORDINATOR, "metropole", "Montpellier Méditerranée Métropole", 516657, 0, as_of)]
    communes = members - 1 - (members > 3)
    bodies += [_body(*(siren, "commune", name, people), n, as_of) for n, (siren, name, people) in _numbered(communes)]
    if members > 3:
        bodies.append(_body(CCAS[0], "ccas", CCAS[1], None, members, as_of))
    if not voted:
        bodies[-1] = _without_vote(bodies[-1])
    lot_values = tuple(LotValues(number, LOTS[(number - 1) % len(LOTS)]) for number in range(1, lots + 1))
    needs = tuple(
        NeedValues(body.siren, lot.number, Decimal(1_000_000 + 917_353 * n % 43_210_000 + 13 * lot.number).scaleb(-2))
        for n, body in enumerate(bodies)
        for lot in lot_values
        if (n + lot.number) % 9
    )
    mode = changes.get("committee_mode", "COORDINATOR")
    values = {
        "reference": "GC-2027-01",
        "title": "Fournitures de bureau et papier",
        "version": 1,
        "as_of": as_of,
        "category": "supplies",
        "kind": "ad_hoc",
        "legal_vehicle": "grouping",
        "integration_level": "PARTIAL",
        "duration_months": 24,
        "extension_count": 2,
        "extension_months": 12,
        "cpv_code": "30192000",
        "cpv_label": "Fournitures de bureau",
        "coordinator_siren": COORDINATOR,
        "coordinator_has_own_need": True,
        "statutes_clause_ref": "",
        "members": tuple(bodies),
        "lots": lot_values,
        "needs": needs,
        "fees": share_fees(rule, base=base, members=bodies, needs=needs),
        "committee_mode": mode,
        "committee": (CommitteeSeatValues(bodies[1].siren, "Anaïs Noël", "Gaël Sécail"),) if mode == "SPECIFIC" else (),
        "calendar": (
            MilestoneValues("needs", as_of.replace(month=1, day=29)),
            MilestoneValues("launch", as_of.replace(month=4, day=1)),
            MilestoneValues("notification", as_of.replace(month=9, day=15)),
            MilestoneValues("performance", as_of.replace(month=11, day=1)),
            MilestoneValues("end", None),
        ),
        "legal_basis": legal_basis_on(as_of),
        "court": "tribunal administratif de Montpellier",
    }
    return ConventionValues(**{**values, **changes})


def _numbered(count: int):
    communes = [COMMUNES[i % len(COMMUNES)] for i in range(count)]
    return [
        (n, commune if n <= len(COMMUNES) else (f"2199{n:05d}", f"{commune[1]} {n}", commune[2]))
        for n, commune in enumerate(communes, 1)
    ]


def _body(siren: str, kind: str, name: str, population: int | None, n: int, as_of: date) -> MemberValues:
    civility, person, feminine = _PEOPLE[n % len(_PEOPLE)]
    of_assembly = {
        "metropole": "du conseil de métropole",
        "commune": "du conseil municipal",
        "ccas": "du conseil d’administration",
    }[kind]
    title = "Maire" if kind == "commune" else ("Président", "Présidente")[feminine]
    place = name.removeprefix("CCAS de ") if kind != "metropole" else "Montpellier"
    voted_on = as_of.replace(month=2, day=1 + n % 27)
    return MemberValues(
        siren=siren,
        name=name,
        kind=kind,
        of_assembly=of_assembly,
        executive_title="Maire" if kind == "commune" else "Président",
        address=f"{n + 1}, place de la Mairie, 34{n:03d} {place}",
        city=place,
        population=population,
        representative=RepresentativeValues(civility, person, title),
        deliberation=DeliberationValues(f"{as_of.year}-{n + 11:03d}", voted_on, voted_on.replace(day=28)),
    )


def _without_vote(member: MemberValues) -> MemberValues:
    from dataclasses import replace

    return replace(member, deliberation=None)
