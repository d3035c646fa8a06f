"""Who holds a contract: the identifier of a company."""

import stdnum.exceptions
import stdnum.fr.siret


def check_siret(siret: str) -> str:
    """``siret`` when it is one: fourteen digits whose key is right (La Poste's own rule included).

    Raises ValueError with the French sentence to show.
    """
    if not siret.isascii() or not siret.isdigit():
        raise ValueError("Un SIRET ne contient que des chiffres.")
    if len(siret) != 14:
        raise ValueError(f"Un SIRET a quatorze chiffres\u00a0: celui-ci en a {len(siret)}.")
    try:
        return stdnum.fr.siret.validate(siret)
    except stdnum.exceptions.ValidationError:
        raise ValueError(f"La clé du SIRET {siret} est fausse\u00a0: vérifiez chaque chiffre.") from None
