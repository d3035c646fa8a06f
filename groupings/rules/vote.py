"""Quorum and majority of an assembly (CGCT, L2121-17 and L2121-20; CASF, R123-16 and following for the CCAS).

The exceptions of the epidemic of 2020 to 2022 (quorum of a third, two proxies) are not modelled.
"""

ADOPTED, REJECTED = "adopted", "rejected"
FOR, AGAINST, ABSTAINED = "for", "against", "abstained"


def quorum(in_office: int) -> int:
    """The councillors who must be present: more than half of those in office; proxies do not count.

    Raises ValueError for an assembly without councillors. A meeting convened again for want of quorum needs none.
    """
    if in_office < 1:
        raise ValueError("Une assemblée compte au moins un membre en exercice.")
    return in_office // 2 + 1


def outcome(votes_for: int, votes_against: int, *, president_vote: str | None = None, secret: bool = False) -> str:
    """``adopted`` or ``rejected``, by the absolute majority of the votes cast: abstentions and blanks do not count.

    On a tie the president's vote prevails, and nobody's does in a secret ballot: the text is then rejected, as it is
    when the president abstained, or when no vote of the president is known: no majority is made up. ``president_vote``:
    ``for``, ``against``, ``abstained``, or None. ``is_tie_to_settle`` says when it must be asked. Nobody voting for or
    against is no majority either.

    Raises ValueError, with a French sentence, for a negative number, an unknown ``president_vote``, or one that is not
    among the votes counted.
    """
    if votes_for < 0 or votes_against < 0:
        raise ValueError("Un nombre de voix ne peut pas être négatif.")
    if president_vote not in (None, FOR, AGAINST, ABSTAINED):
        raise ValueError("Le vote du président est inconnu\u00a0: il a voté pour, contre, ou s’est abstenu.")
    if (president_vote == FOR and not votes_for) or (president_vote == AGAINST and not votes_against):
        raise ValueError("Le vote du président ne figure pas parmi les voix comptées.")
    if votes_for != votes_against:
        return ADOPTED if votes_for > votes_against else REJECTED
    if secret or votes_for == 0:
        return REJECTED
    return ADOPTED if president_vote == FOR else REJECTED


def is_tie_to_settle(votes_for: int, votes_against: int, *, president_vote: str | None, secret: bool) -> bool:
    """Whether the result depends on the president's vote, in a public ballot, and nobody said it."""
    return votes_for == votes_against > 0 and not secret and president_vote is None


def counts_refusal(
    *, in_office: int, present: int, proxies: int, votes_for: int, votes_against: int, abstained: int
) -> str:
    """Why the numbers of a vote cannot be true together, as a French sentence; empty when they can.

    ``proxies``: written powers given to a councillor who is present, one each at most (CGCT, L2121-20; CASF, R123-16).
    The quorum is not checked here: a meeting convened again does without.
    """
    if min(in_office, present, proxies, votes_for, votes_against, abstained) < 0:
        return "Un nombre de membres ou de voix ne peut pas être négatif."
    if present + proxies > in_office:
        return f"{present} présents et {proxies} pouvoirs dépassent les {in_office} membres en exercice."
    if proxies > present:
        return f"{proxies} pouvoirs pour {present} présents\u00a0: un membre présent ne peut en porter qu’un."
    cast = votes_for + votes_against + abstained
    if cast > present + proxies:
        return (
            f"{votes_for} pour, {votes_against} contre et {abstained} abstentions font {cast} voix, "
            f"pour {present} présents et {proxies} pouvoirs."
        )
    return ""
