"""Lay a convention out: the articles and annexes once per version, then each member's own page.

The common part holds everything but the signature page, which depends on the member alone; it keeps its place and its
page number. One member's document is then one page to lay out and pages to join, an eighth of the time of the whole.
The layout is in ``templates/conventions/``; the articles are clauses of the library (``groupings.clauses``), given
with the values: the same versions give the same bytes for ever.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from groupings.clauses import language
from groupings.clauses.articles import ClauseText, Texts, texts_fingerprint
from groupings.clauses.variables import values_of
from groupings.conventions import wording
from groupings.conventions.values import ConventionValues, MemberValues
from procurement.core.documents import pdf
from procurement.core.money import ZERO, format_euros

_SIGNATURES = "Signatures"  # the bookmark of the pages kept for the member
_ROWS_PER_TABLE = 40
_LOTS_PER_TABLE = 7
_WATERMARK = "PROJET"
_CATEGORIES = {
    "supplies": " de fournitures",
    "services": " de services",
    "works": " de travaux",
    "social_services": " de services sociaux et autres services spécifiques",
}
_MILESTONES = {
    "needs": "Transmission des besoins au coordonnateur",
    "deliberations": "Délibérations exécutoires de tous les membres et signature de la convention",
    "launch": "Lancement de la consultation",
    "notification": "Notification des marchés",
    "performance": "Début d’exécution",
    "end": "Fin des marchés, reconductions éventuelles comprises",
}


@dataclass(frozen=True)
class Common:
    """What every member's document shares, laid out with ``member_pages`` pages kept for the member's own."""

    values: ConventionValues
    texts: Texts
    pdf: bytes
    total_pages: int
    first_member_page: int  # from 1
    member_pages: int
    _pages: pdf.Pages = field(repr=False, compare=False)


def render_common(values: ConventionValues, texts: Texts, *, member_pages: int = 1) -> Common:
    """Lay the shared pages out, with ``texts`` as its articles. Same values and same texts, same bytes.

    Raises PdfError when the document cannot be drawn faithfully (a character no font has, for example).
    """
    context = {**_context(values), **articles_context(values, texts)}
    context |= {"reserved_pages": range(member_pages), "is_whole": False}
    document, total = pdf.render_paged(
        lambda total: pdf.template_html("conventions/convention.html", {**context, "total_pages": total}),
        guess=_estimated_pages(values) + member_pages - 1,
        **_identity(values, context),
        watermark=_WATERMARK if values.is_draft else "",
    )
    pages = pdf.Pages(document)
    return Common(values, texts, document, total, pages.page_of(_SIGNATURES) + 1, member_pages, pages)


def render_member(values: ConventionValues, common: Common, siren: str) -> bytes:
    """The whole convention of one member, from the common pages and its own.

    A member whose own pages outgrow those kept for them (very long names) gets the common part laid out again around
    them: longer, never cut. Raises KeyError for a SIREN outside the grouping, ValueError when ``common`` is another
    convention's.
    """
    if common.values is not values and common.values != values:
        raise ValueError("Les pages communes sont celles d’une autre convention.")
    member = values.member(siren)
    context = {**_context(values), **_member_context(values, member)}
    own, own_pages = _member_pages(values, context, common)
    if own_pages != common.member_pages:
        common = render_common(values, common.texts, member_pages=own_pages)
        own, again = _member_pages(values, context, common)
        if again != own_pages:
            raise pdf.PdfError("Les pages de signature ne trouvent pas leur place.")
    first = common.first_member_page - 1
    last = first + common.member_pages
    mine, shared = pdf.Pages(own), common._pages
    order = [(shared, page) for page in range(first)]
    order += [(mine, page) for page in range(own_pages)]
    order += [(shared, page) for page in range(last, common.total_pages)]
    return pdf.assemble(order, **_identity(values, context), identity=f"{values.reference} v{values.version} {siren}")


def member_html(values: ConventionValues, texts: Texts, siren: str) -> str:
    """The whole convention of one member as HTML, assembled from the same texts as its PDF: Word and the reading on
    screen are made from it. Raises KeyError for a SIREN outside the grouping."""
    context = {**_context(values), **articles_context(values, texts), **_member_context(values, values.member(siren))}
    whole = {"reserved_pages": (), "is_whole": True, "total_pages": ""}
    return pdf.template_html("conventions/convention.html", {**context, **whole})


def article_html(values: ConventionValues, text: ClauseText) -> str:
    """What one article says in this convention, in the closed HTML of clauses; data are escaped."""
    return language.render(text.body, values_of(_context(values)))


def articles_context(values: ConventionValues, texts: Texts) -> dict[str, Any]:
    """The preamble and the articles as the templates print them, the last one apart: it stays with the annexes."""
    given = values_of(_context(values))
    preamble, *articles = ({"heading": text.heading, "html": language.render(text.body, given)} for text in texts)
    return {"preamble": preamble, "articles": articles[:-1], "last_article": articles[-1]}


def article_pdf(heading: str, rendered: str, *, issued_at: datetime) -> bytes:
    """One article alone, as a page of a convention. Raises PdfError when it cannot be drawn faithfully."""
    html = pdf.template_html("conventions/article.html", {"heading": heading, "rendered": rendered})
    return pdf.render_html(html, title=heading, author=pdf.PRODUCT, issued_at=issued_at)[0]


def approved_text_sha256(values: ConventionValues, texts: Texts) -> str:
    """The fingerprint of what the assemblies approve: the values without decisions nor version, and the articles."""
    return hashlib.sha256(f"{values.text_sha256} {texts_fingerprint(texts)}".encode()).hexdigest()


def texts_sha256() -> str:
    """The fingerprint of the layout and the type it is set in: what, beside values and clauses, makes the document."""
    digest = hashlib.sha256()
    folder = Path(settings.BASE_DIR) / "templates" / "conventions"
    for path in [*sorted(folder.iterdir()), *sorted((pdf.ASSETS / "fonts").glob("*.ttf"))]:
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _member_pages(values: ConventionValues, context: dict[str, Any], common: Common) -> tuple[bytes, int]:
    html = pdf.template_html("conventions/member.html", {**context, "total_pages": common.total_pages})
    return pdf.render_html(
        html,
        **_identity(values, context),
        numbers=[(1, common.first_member_page)],
        watermark=_WATERMARK if values.is_draft else "",
    )


def identity(values: ConventionValues) -> dict[str, Any]:
    """The title, the author and the date that every form of the convention bears."""
    return _identity(values, _context(values))


def _identity(values: ConventionValues, context: dict[str, Any]) -> dict[str, Any]:
    return {
        "title": context["document_title"],
        "author": values.coordinator.name,
        "issued_at": datetime.combine(values.as_of, time(12), tzinfo=UTC),
    }


def _estimated_pages(values: ConventionValues) -> int:
    """A first guess of the total; a wrong one costs a second layout, nothing else."""
    members, lots, is_permanent = len(values.members), len(values.lots), values.kind == "permanent"
    articles = int(4.7 + members / 22 + lots / 60 + is_permanent / 2)
    needs = _pages(members + 1, 24) * max(1, _pages(lots, _LOTS_PER_TABLE))
    last_rows = len(values.fees.shares) + members * (values.committee_mode == "SPECIFIC") + 14 * (not is_permanent)
    return articles + 1 + _pages(members, 52) + needs + _pages(last_rows, 52) + is_permanent


def _pages(rows: int, rows_per_page: int) -> int:
    return -(-rows // rows_per_page)


@dataclass(frozen=True)
class _MemberView:
    """A member as the templates name it; every agreement is made here."""

    number: int
    name: str
    the: str
    the_capital: str
    full_name: str
    of: str
    e: str
    siren_spaced: str
    address: str
    at_place: str
    contact: str
    of_assembly: str
    executive_title: str
    representative: Any
    representative_e: str
    executive_or_representative: str
    signatory_title: str
    deliberation: Any
    voted_on: str
    executory_on: str
    is_deliberation_waived: bool
    is_coordinator: bool


def _member_view(values: ConventionValues, member: MemberValues, number: int) -> _MemberView:
    the = wording.with_article(member.kind, member.name)
    representative, decision = member.representative, member.deliberation
    known = representative is not None and bool(representative.civility)
    woman = known and representative.civility == "Madame"
    title = representative.title if representative else member.executive_title
    agreed = "e" if woman else "" if known else "(e)"
    return _MemberView(
        number=number,
        name=wording.typographic(member.name),
        the=the,
        the_capital=wording.capital(the),
        full_name=wording.capital(the.removeprefix("la ").removeprefix("le ")),
        of=wording.after_of(the),
        e="e" if wording.is_feminine(member.kind, member.name) else "",
        siren_spaced=wording.spaced_siren(member.siren),
        address=wording.typographic(member.address),
        at_place=wording.at_place(member.city or (member.name if member.kind == "commune" else "")),
        contact=member.contact,
        of_assembly=member.of_assembly,
        executive_title=member.executive_title,
        representative=replace(representative, name=wording.typographic(representative.name))
        if representative
        else None,
        representative_e=agreed,
        executive_or_representative=(
            f"{representative.civility} {wording.typographic(representative.name)}, {representative.title}".strip()
            if representative
            else f"{member.executive_title} en exercice"
        ),
        signatory_title=f"{wording.signatory(title, woman)},",
        deliberation=decision,
        voted_on=wording.long_date(decision.voted_on) if decision else "",
        executory_on=wording.long_date(decision.executory_on) if decision and decision.executory_on else "",
        is_deliberation_waived=member.is_deliberation_waived,
        is_coordinator=member.siren == values.coordinator_siren,
    )


@lru_cache(maxsize=4)
def _shared_context(values: ConventionValues) -> dict[str, Any]:
    members = {m.siren: _member_view(values, m, number) for number, m in enumerate(values.members, 1)}
    coordinator = members[values.coordinator_siren]
    calendar = {milestone.key: milestone.planned_on for milestone in values.calendar}
    dates = {key: wording.long_date(day) if day else "" for key, day in calendar.items()}
    title = wording.typographic(values.title)
    return {
        "v": values,
        "document_title": f"Convention constitutive du groupement de commandes {values.reference} – {title}",
        "short_title": wording.shortened(title, 62),
        "short_coordinator": wording.shortened(coordinator.name, 62),
        "coordinator": coordinator,
        "members": list(members.values()),
        "member_parts": wording.parts(list(members.values()), _ROWS_PER_TABLE),
        "has_contacts": any(member.address or member.contact for member in values.members),
        "has_ccas": any(member.kind == "ccas" for member in values.members),
        "category_of": _CATEGORIES[values.category],
        "basis_article_capital": wording.capital(values.legal_basis.article),
        "coordinator_committee_to": wording.after_to(values.legal_basis.coordinator_committee),
        "total_months": values.duration_months + values.extension_count * values.extension_months,
        "needs_due_on": dates.get("needs", ""),
        "launch_on": dates.get("launch", ""),
        "performance_on": dates.get("performance", ""),
        "calendar": [{"label": label, "planned_on": dates.get(key, "")} for key, label in _MILESTONES.items()],
        "committee_parts": wording.parts(_committee(values, members), _ROWS_PER_TABLE),
        **_needs(values, members),
        **_fees(values, members),
    }


def _context(values: ConventionValues) -> dict[str, Any]:
    return dict(_shared_context(values))


def _needs(values: ConventionValues, members: dict[str, _MemberView]) -> dict[str, Any]:
    cells = {(need.siren, need.lot): need.estimated_amount_excl_tax for need in values.needs}

    def total(pairs) -> str:
        return wording.amount_cell(sum((cells.get(pair, ZERO) for pair in pairs), ZERO))

    lots = [lot.number for lot in values.lots]
    panels = []
    groups = wording.parts(values.lots, _LOTS_PER_TABLE)
    for position, group in enumerate(groups):
        last = position == len(groups) - 1
        columns = len(group) + last
        name_width = 30 if columns > 4 else 40
        rows = [
            {
                "name": view.name,
                "amounts": [
                    wording.amount_cell(cells[siren, lot.number]) if (siren, lot.number) in cells else "–"
                    for lot in group
                ],
                "sum": total((siren, lot) for lot in lots),
            }
            for siren, view in members.items()
        ]
        panels.append(
            {
                "lots": [{"number": lot.number, "title": wording.shortened(lot.title, 70)} for lot in group],
                "first": group[0].number,
                "last": group[-1].number,
                "has_sum": last,
                "name_width": name_width,
                "lot_width": f"{(100 - name_width) / columns:.2f}",
                "parts": _numbered_parts(rows),
                "totals": [total((siren, lot.number) for siren in members) for lot in group],
                "sum": total((siren, lot) for siren in members for lot in lots),
            }
        )
    whole = sum((need.estimated_amount_excl_tax for need in values.needs), ZERO)
    return {"need_panels": panels, "needs_total": format_euros(whole)}


def _fees(values: ConventionValues, members: dict[str, _MemberView]) -> dict[str, Any]:
    fees = values.fees

    def weight(value: Decimal) -> str:
        if fees.rule in ("ESTIMATED_AMOUNT", "ACTUAL_SPEND"):
            return wording.amount_cell(value)
        whole = wording.amount_cell(value).removesuffix(",00")
        return f"{whole} hab." if fees.rule == "POPULATION" else whole

    rows = [
        {
            "name": members[share.siren].name,
            "weight": weight(share.weight),
            "amount": "–" if share.amount is None else wording.amount_cell(share.amount),
        }
        for share in fees.shares
    ]
    flat = fees.shares[0].amount if fees.rule == "FLAT_FEE" and fees.shares else None
    return {
        "fee_parts": _numbered_parts(rows),
        "fees_weight": weight(sum((share.weight for share in fees.shares), ZERO)),
        "fees_total": "" if fees.total is None else format_euros(fees.total),
        "fees_total_cell": "–" if fees.total is None else wording.amount_cell(fees.total),
        "fees_ceiling": "" if fees.ceiling is None else format_euros(fees.ceiling),
        "flat_fee": "" if flat is None else format_euros(flat),
    }


def _committee(values: ConventionValues, members: dict[str, _MemberView]) -> list[dict[str, str]]:
    seats = {seat.siren: seat for seat in values.committee}
    return [
        {
            "name": view.name,
            "full_member": seats[siren].full_member if siren in seats else "",
            "substitute": seats[siren].substitute if siren in seats else "",
        }
        for siren, view in members.items()
    ]


def _numbered_parts(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    cut: list[Sequence[dict[str, Any]]] = wording.parts(rows, _ROWS_PER_TABLE)
    return [{"rows": part, "is_last": position == len(cut) - 1} for position, part in enumerate(cut)]


def _member_context(values: ConventionValues, member: MemberValues) -> dict[str, Any]:
    titles = {lot.number: lot.title for lot in values.lots}
    needs = [need for need in values.needs if need.siren == member.siren]
    shares = {share.siren: share.amount for share in values.fees.shares}
    amount = shares.get(member.siren)
    view = next(v for m, v in zip(values.members, _context(values)["members"], strict=True) if m is member)
    return {
        "m": view,
        "member_needs": [
            {"number": need.lot, "title": titles[need.lot], "amount": format_euros(need.estimated_amount_excl_tax)}
            for need in needs
        ],
        "member_total": format_euros(sum((need.estimated_amount_excl_tax for need in needs), ZERO)),
        "member_fee": "" if amount is None else format_euros(amount),
    }
