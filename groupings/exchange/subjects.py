"""Comparing the objects of acts: two assemblies name one purchase in two ways, and a person decides (never a program).

« Adhésion au groupement de commandes pour l’achat de carburants » is near « Fourniture de carburants et recharge des
véhicules »: what both say is ``carburant``, once the words of procedure are put aside.
"""

import re

from procurement.core.cell_parsers import normalise

# What the object of any deliberation or purchase says: the words that tell one from another are the others.
_UNTELLING = (
    "a afin ainsi apres au aupres aux avec ce ces cette ci dans de des dont du elle en entre es est et etre eux il "
    "ils la le les leur leurs ou par pas pour qu que qui sa sans se ses son sont sous sur un une vers via y "
    "accord achat acquisition acte adherer adhesion adoption annee approbation approuver attribution autorisation "
    "autoriser avenant cadre ccas collectivite commande commission commun communal communautaire communaute "
    "commune conclure conclusion concernant conseil constitutif constitution constitutive convention coordonnateur "
    "coordonne coordination creation decision delegation deliberation divers execution fourniture groupe groupement "
    "intercommunal lancement lot maire marche membre metropole metropolitain mise municipal mutualise objet "
    "participation passation passer prestation president procedure projet public publique relatif relative "
    "renouvellement service signature signer territoire travaux type ville"
)
_STOP_WORDS = frozenset(_UNTELLING.split())
_GROUPEMENT = re.compile(
    r"\bgroupements? (?:de ?|d ?)?(?:commande|achat)|"
    r"\bconvention constitutive\b(?!.*\b(?:gip|groupement d ?interet)\b)|"
    r"\b(?:achat|commande|marche)s? (?:publics? )?(?:groupe|mutualise)e?s?\b|"
    r"\bmutualisation (?:de |des |d ?)?(?:l ?)?(?:achat|commande)"
)
_VOWELS = "aeiouyh"


def words(text: str) -> frozenset[str]:
    """The telling words of the object of an act: bare, singular, without elisions, figures nor words of procedure.

    An apostrophe lost before a capital is found again (« dAction » gives ``action``).
    """
    apart = re.sub(r"\b([dlDL]|[Qq]u)(?=[A-ZÀÂÉÈÊÎÔÛŒ][a-zà-ÿœ])", r"\1 ", text)
    found = (_singular(word) for word in normalise(apart).split())
    return frozenset(word for word in found if len(word) > 1 and word.isalpha() and not _spellings(word) & _STOP_WORDS)


def _singular(word: str) -> str:
    if word in _STOP_WORDS or len(word) < 4:
        return word
    if word.endswith("eaux"):
        return word[:-1]
    if word.endswith("aux"):
        return f"{word[:-3]}al"
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def similarity(subject: str, wanted: str) -> int:
    """How much of the shorter of two objects the other holds: 0 to 100 % of its ``words``, rounded down.

    A hint for a person, never a proof: an object of one telling word gives 0 or 100. ``d`` or ``l`` stuck to a word in
    lower case, its apostrophe lost (« dachat »), does not set two words apart.
    """
    fewer, more = sorted((words(subject), words(wanted)), key=len)
    if not fewer:
        return 0
    return 100 * sum(1 for word in fewer if more & _spellings(word)) // len(fewer)


def _spellings(word: str) -> set[str]:
    """``word``, and the same with or without an article stuck to it."""
    stuck = {f"{article}{word}" for article in "dl" if word[0] in _VOWELS}
    return {word} | stuck | ({word[1:]} if word[0] in "dl" and word[1] in _VOWELS else set())


def groupement_hint(subject: str) -> bool:
    """Whether the object speaks of a groupement de commandes, in one of the ways assemblies name it."""
    return bool(_GROUPEMENT.search(normalise(subject)))
