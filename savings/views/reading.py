"""What every page of the ledger starts with: a reader of some body."""

from urllib.parse import urlencode

from django.http import HttpRequest

from members.models import Affiliation
from procurement.core.errors import NotAllowed
from savings.overview import Selection


def require_affiliation(request: HttpRequest) -> Affiliation:
    """Whose figures are read. Raises NotAllowed (403) for an account of no body: it has none."""
    if request.affiliation is None:
        raise NotAllowed("Votre compte n’est rattaché à aucun organisme\u00a0: il n’a pas d’économies à lire.")
    return request.affiliation


def query_of(selection: Selection, **more) -> str:
    """The filters of ``selection`` as the list of lines takes them, to open a total to its lines."""
    asked = {
        "annee": selection.year,
        "stade": selection.stage,
        "famille": selection.family,
        "membre": selection.organisation_id,
        "groupement": selection.grouping_id,
        **more,
    }
    return urlencode({name: value for name, value in asked.items() if value})
