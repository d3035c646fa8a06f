"""What a convention must have before each step; each answer is the French sentence of the refusal, or nothing."""

from collections.abc import Sequence


def named(names: Sequence[str]) -> str:
    """« A, B et C »; beyond five, the others are counted."""
    if len(names) > 5:
        others = len(names) - 5
        return f"{', '.join(names[:5])} et {others} autre{'s' if others > 1 else ''}"
    return " et ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else ""


def open_refusal(*, is_cancelled: bool) -> str:
    """Nothing of an abandoned grouping goes forward."""
    return "Ce groupement est abandonné\u00a0: sa convention ne change plus." if is_cancelled else ""


def text_refusal(*, version: int, is_current: bool) -> str:
    """The text put to the vote says what the grouping is on that day."""
    if is_current:
        return ""
    return (
        f"Les données du groupement, ou les clauses, ont changé depuis la version {version}\u00a0: produisez une "
        "nouvelle version, puis arrêtez-la."
    )


def sending_refusal(*, is_surveyed: bool) -> str:
    """Needs are known before the text is voted (CCP, L2111-1)."""
    if is_surveyed:
        return ""
    return "Le texte part aux assemblées une fois les besoins recensés et avant le lancement de la consultation."


def signature_refusal(*, waiting: Sequence[str], voted_other: Sequence[str], version: int) -> str:
    """An executive signs once its act is enforceable (CE, avis, 10/06/1996, préfet de la Côte-d’Or), and the text
    that its assembly approved.

    Names of the members whose act is not enforceable (``waiting``), or approves another text (``voted_other``).
    """
    causes = []
    if waiting:
        causes.append(f"la délibération n’est pas exécutoire pour {named(waiting)}")
    if voted_other:
        verb = "ont voté" if len(voted_other) > 1 else "a voté"
        must = "doivent" if len(voted_other) > 1 else "doit"
        causes.append(
            f"{named(voted_other)} {verb} un autre texte que la version {version} et {must} délibérer de nouveau"
        )
    told = "\u00a0; ".join(causes)
    return f"La signature ne s’ouvre pas encore\u00a0: {told}." if causes else ""


def force_refusal(*, unsigned: Sequence[str]) -> str:
    """A convention binds once all have signed it (CE, 25/04/1994, Région Aquitaine, n° 99926)."""
    if not unsigned:
        return ""
    return f"La convention n’est pas encore en vigueur\u00a0: elle n’est pas signée par {named(unsigned)}."


def unsigning_refusal(*, signed: Sequence[str], version: int) -> str:
    """A text that a member signed is not replaced under its signature."""
    if not signed:
        return ""
    verb, which = ("ont signé", "ces signatures") if len(signed) > 1 else ("a signé", "cette signature")
    return (
        f"{named(signed)} {verb} la version {version}\u00a0: effacez d’abord {which}, ou modifiez la "
        "convention par un avenant une fois qu’elle est en vigueur."
    )


def new_text_refusal(*, voted: Sequence[str], version: int) -> str:
    """A new text after a vote is a decision taken knowingly, with a reason."""
    verb = "ont déjà voté" if len(voted) > 1 else "a déjà voté"
    who, again = ("ces membres", "devront") if len(voted) > 1 else ("ce membre", "devra")
    return (
        f"{named(voted)} {verb} la convention, dont le texte a changé depuis la version {version}\u00a0: une nouvelle "
        f"version la remplace, et {who} {again} délibérer de nouveau. Indiquez le motif, sur la page "
        "«\u00a0Convention\u00a0» du groupement\u00a0: il sera inscrit au journal."
    )


def amendment_refusal(*, version: int, is_ended: bool, amended_by: Sequence[int] = ()) -> str:
    """A convention in force changes by an amendment alone, one that has ended not at all.

    ``amended_by``: the numbers of the amendments in force; the version signed does not hold what they changed.
    """
    if is_ended:
        return f"La convention (version {version}) est terminée\u00a0: elle ne change plus."
    if amended_by:
        by = named([f"l’avenant n°\u00a0{number}" for number in amended_by])
        return (
            f"La convention (version {version}) est en vigueur, modifiée par {by}\u00a0: la version signée ne se "
            "produit plus, son texte à jour est le «\u00a0Texte consolidé\u00a0». Un autre changement demande un "
            "autre avenant."
        )
    return f"La convention (version {version}) est en vigueur\u00a0: modifiez-la par un avenant."
