"""A proposal as a person reads it: what the file says beside what is known here, and what confirming would record."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property

from groupings.actions.proposals import Facts
from groupings.choices import AWAITING_VOTE, IN_FORCE
from groupings.matching import same_number
from groupings.models import Proposal


@dataclass(frozen=True)
class Compared:
    """One line of the comparison. ``agrees`` is None when there is nothing to compare."""

    label: str
    said: str
    known: str
    agrees: bool | None = None


@dataclass(frozen=True)
class Proposed:
    proposal: Proposal
    may_answer: bool

    @cached_property
    def facts(self) -> Facts:
        return Facts.of(self.proposal)

    @cached_property
    def lines(self) -> list[Compared]:
        """What the file says, line by line; where it is silent there is nothing to compare."""
        facts, deliberation = self.facts, self.proposal.deliberation
        organisation, grouping = deliberation.membership.organisation, deliberation.membership.grouping
        session = deliberation.session.meeting_on if deliberation.session else None
        day, number = deliberation.decided_on or session, deliberation.number
        same_day = None if day is None else facts.decided_on == day
        alike = same_number(facts.number, number) if facts.number and number else None
        lines = [
            Compared("Organisme", f"SIREN {facts.siren}", f"{organisation.name}, SIREN {organisation.siren}", True),
            Compared("Objet", facts.subject, grouping.title),
            Compared("Acte du", _day(facts.decided_on), _decided(deliberation.decided_on, session), same_day),
            Compared("Numéro", facts.number, number, alike),
            Compared("Identifiant ACTES", facts.actes_id, deliberation.actes_id or ""),
            Compared("Matière", facts.matter, deliberation.matter),
            Compared("Reçue le", _day(facts.received_on), _day(deliberation.received_on)),
            Compared("Publiée le", _day(facts.published_on), _day(deliberation.published_on)),
            Compared("Voix", self._votes(), ""),
        ]
        return [line for line in lines if line.said]

    @property
    def promise(self) -> str:
        """What confirming records, in one French sentence."""
        facts, deliberation = self.facts, self.proposal.deliberation
        told = []
        if deliberation.status in AWAITING_VOTE:
            told.append(f"l’adoption du {_day(facts.decided_on)}")
        if facts.number and not deliberation.number:
            told.append(f"le numéro {facts.number}")
        if facts.actes_id and not deliberation.actes_id:
            told.append("l’identifiant ACTES")
        if facts.received_on:
            told.append(f"la réception du {_day(facts.received_on)}")
        if facts.published_on and not deliberation.published_on:
            told.append(f"la publication du {_day(facts.published_on)}")
        if deliberation.status not in (*AWAITING_VOTE, *IN_FORCE) or not told:
            return "Cette délibération n’attend plus ces informations."
        return f"Confirmer enregistre {', '.join(told)}."

    def _votes(self) -> str:
        votes = self.facts.votes or {}
        abstained = "abstentions" if (votes.get("VOTE_ABSTENTION") or 0) > 1 else "abstention"
        named = (("VOTE_POUR", "pour"), ("VOTE_CONTRE", "contre"), ("VOTE_ABSTENTION", abstained))
        return ", ".join(f"{votes[column]} {word}" for column, word in named if votes.get(column) is not None)


def _day(day: date | None) -> str:
    return f"{day:%d/%m/%Y}" if day else ""


def _decided(decided_on: date | None, session: date | None) -> str:
    if decided_on:
        return f"votée le {_day(decided_on)}"
    return f"séance du {_day(session)}, vote à saisir" if session else "vote à saisir"
