"""What a model délibération is about: one frozen convention and, in it, the member that decides."""

import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from groupings.conventions import wording
from groupings.conventions.values import ConventionValues, MemberValues, RepresentativeValues
from groupings.drafts.values import Maker
from groupings.rules.clear_days import NoticeRule
from groupings.rules.remarks import Remark
from procurement.core.money import ZERO, format_euros, round_half_up
from procurement.core.templatetags.fr import typo

TO_COMPLETE = "[à compléter]"


@dataclass(frozen=True)
class Subject:
    """What a model is about: the frozen convention and, in it, the member that decides.

    ``assembly`` has its article; ``notice`` is None when the law of that body is not known; ``remarks`` are a jurist's
    about who decides. ``court`` hears the challenges; ``annex_name``, ``annex_pages`` and ``annex_sha256`` are the
    convention's PDF for this member. ``matter_code`` is ACTES's.
    """

    convention: ConventionValues
    member: MemberValues
    assembly: str
    maker: Maker
    session_on: date | None
    notice: NoticeRule | None
    remarks: tuple[Remark, ...]
    court: str
    annex_name: str
    annex_pages: int
    annex_sha256: str
    matter_code: str

    @property
    def the(self) -> str:
        return wording.with_article(self.member.kind, self.member.name)

    @property
    def of(self) -> str:
        return wording.after_of(self.the)

    @property
    def coordinator(self) -> str:
        coordinator = self.convention.coordinator
        return wording.with_article(coordinator.kind, coordinator.name)

    @property
    def is_coordinator(self) -> bool:
        return self.member.siren == self.convention.coordinator_siren

    @property
    def day(self) -> date:
        """The day whose rules of publication apply: the meeting's when known, else the convention's."""
        return self.session_on or self.convention.as_of

    @property
    def months(self) -> int:
        values = self.convention
        return values.duration_months + values.extension_count * values.extension_months

    @property
    def needs(self) -> dict[int, Decimal]:
        """Lot number → € excl. tax over the whole duration, known amounts only."""
        needs = self.convention.needs
        return {n.lot: n.estimated_amount_excl_tax for n in needs if n.siren == self.member.siren}

    @property
    def total(self) -> Decimal | None:
        """€ excl. tax over the whole duration; None while no amount is known."""
        return sum(self.needs.values(), ZERO) if self.needs else None

    @property
    def group_total(self) -> Decimal | None:
        """The sum of the convention's annex 2, the only thing a member learns of the others' needs."""
        needs = self.convention.needs
        return sum((need.estimated_amount_excl_tax for need in needs), ZERO) if needs else None

    @property
    def has_no_own_need(self) -> bool:
        """A coordinator that buys for the others alone (CGCT, L5211-4-4)."""
        return self.is_coordinator and not self.convention.coordinator_has_own_need

    @property
    def lot_titles(self) -> dict[int, str]:
        return {lot.number: wording.typographic(lot.title) for lot in self.convention.lots}

    @property
    def group(self) -> str:
        """« groupement de commandes permanent « Papier » »."""
        permanent = " permanent" if self.convention.kind == "permanent" else ""
        return f"groupement de commandes{permanent} «\u00a0{wording.typographic(self.convention.title)}\u00a0»"

    @property
    def act(self) -> str:
        return "décision" if self.maker == "president" else "délibération"

    @property
    def head(self) -> RepresentativeValues | None:
        """Who is in office, when it is the head of the body and not a deputy."""
        person, title = self.member.representative, self.member.executive_title
        return person if person and person.title.removesuffix("e") == title.removesuffix("e") else None

    @property
    def executive(self) -> str:
        """« le Maire », « la Présidente du CCAS »: the president of a CCAS is the mayor, so the body is named."""
        head, member = self.head, self.member
        article = "la" if head and head.civility == "Madame" else "le"
        title = head.title if head else member.executive_title
        if member.kind != "ccas":
            return f"{article} {title}"
        is_shared = member.name.upper().startswith(("CIAS", "CENTRE INTERCOMMUNAL"))
        return f"{article} {title} du {'CIAS' if is_shared else 'CCAS'}"

    @property
    def decider(self) -> str:
        """Who decides, with its article: « le conseil municipal », « le bureau », « la Présidente »."""
        return {"council": self.assembly, "bureau": "le bureau", "president": self.executive}[self.maker]

    @property
    def years(self) -> str:
        """« , exercices 2027 à 2031 », to end the sentence about the budget."""
        first, last = self.planned_on("performance"), self.planned_on("end")
        if not (first and last):
            return f", exercices {TO_COMPLETE}"
        return f", exercice {first.year}" if first.year == last.year else f", exercices {first.year} à {last.year}"

    def planned_on(self, milestone: str) -> date | None:
        return next((m.planned_on for m in self.convention.calendar if m.key == milestone), None)


def over_time(subject: Subject, amount: Decimal) -> str:
    """« 48 000,00 € HT sur 48 mois, reconductions éventuelles comprises, soit 12 000,00 € HT par an »."""
    text = f"{excl_tax(amount)} {duration(subject)}"
    yearly = yearly_part(subject, amount)
    return text if yearly is None else f"{text}, soit {excl_tax(yearly)} par an"


def duration(subject: Subject) -> str:
    extended = ", reconductions éventuelles comprises" if subject.convention.extension_count else ""
    return f"sur {subject.months}\u00a0mois{extended}"


def yearly_part(subject: Subject, amount: Decimal) -> Decimal | None:
    """Twelve months of ``amount``; None for a year or less, where it would say nothing or invent."""
    return round_half_up(amount * 12 / subject.months) if subject.months > 12 else None


def excl_tax(amount: Decimal | None) -> str:
    return f"{TO_COMPLETE if amount is None else format_euros(amount).removesuffix('€').rstrip()}\u00a0€\u00a0HT"


def bound(text: str) -> str:
    """Words of a table of law as a printer sets them, each number on the line of its mark: « n° 2015-899 »."""
    return re.sub(r"(n°|\b[LRD]\.) ", "\\1\u00a0", typo(text))
