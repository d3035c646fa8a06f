"""The radar: contracts of members about to end, and the groupings they suggest."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from groupings.forms.decp import RadarFilterForm
from groupings.models import Grouping
from groupings.radar import ORIGINS, division_label, ending_contracts, in_preparation
from groupings.rules.radar import EndingContract, Opportunity, Radar, category_of, last_watched_day
from groupings.rules.radar import radar as put_side_by_side
from members.roles import may, require
from procurement.core.exports import Column, export_response
from procurement.core.views.lists import EXPORTS, wants_export

COLUMNS = (
    Column("Division CPV", lambda line: line.contract.division or "inconnue", width=12),
    Column("Nature d’achat", "label", width=64),
    Column("Organisme", "contract.body_name", width=32),
    Column("Contrat", "contract.title", width=64),
    Column("Fournisseur", "contract.supplier", width=44),
    Column("Fin", "contract.ends_on", "date"),
    Column("Montant total (€ HT)", "contract.amount", "euros", width=22),
    Column("Montant annuel (€ HT)", "contract.yearly", "euros", width=23),
    Column("Source", "origin", width=22),
    Column("Référence", "contract.reference", width=18),
)


@dataclass(frozen=True, slots=True)
class Line:
    """One contract as it is shown."""

    contract: EndingContract

    @property
    def label(self) -> str:
        return division_label(self.contract.division) if self.contract.division else ""

    @property
    def origin(self) -> str:
        return ORIGINS[self.contract.origin]


@dataclass(frozen=True, slots=True)
class Card:
    """One division as it is shown; ``url`` opens the card of a new grouping, filled."""

    group: Opportunity
    #: Groupings of the same division already in preparation.
    prepared: tuple[Grouping, ...] = ()

    @property
    def label(self) -> str:
        return division_label(self.group.division)

    @property
    def lines(self) -> list[Line]:
        return [Line(contract) for contract in self.group.contracts]

    @property
    def url(self) -> str:
        values = {
            "title": self.label[:200],
            "cpv": self.group.cpv,
            "category": category_of(self.group.division),
        }
        return f"{reverse('grouping_create')}?{urlencode(values)}"


@require_safe
def radar(request: HttpRequest) -> HttpResponse:
    """Opportunities for the coordinator's people, their own contracts ending for a member's; a page, its fragment for
    htmx, or its export."""
    affiliation, today = request.affiliation, timezone.localdate()
    is_coordinator = affiliation is not None and affiliation.sees_whole_territory
    contracts = ending_contracts(affiliation, today)
    form = RadarFilterForm(request.GET, divisions=sorted({c.division for c in contracts if c.division}))
    division, months = form.chosen_division, form.chosen_horizon
    found = put_side_by_side([c for c in contracts if division in ("", c.division)], today, months)
    groups = found.opportunities if is_coordinator else _by_end(found)
    prepared = in_preparation(affiliation)
    cards = [Card(group, tuple(prepared.get(group.division, ()))) for group in groups]
    unknown = [Line(contract) for contract in found.unknown]
    lines = [*(line for card in cards for line in card.lines), *unknown]
    if wants_export(request):
        require(affiliation, "export")
        return export_response(
            request.GET["export"],
            COLUMNS,
            lines,
            title="Contrats qui se terminent",
            filename=f"radar_{today:%Y-%m-%d}",
            created_at=timezone.now(),
        )
    context = {
        "filter": {"form": form},
        "is_coordinator": is_coordinator,
        "is_filtered": bool(division or months != form.fields["horizon"].empty_value),
        "cards": cards,
        "unknown": unknown,
        "alone": found.alone if is_coordinator else (),
        "count": len(lines),
        "until": last_watched_day(today, months),
        "may_create": is_coordinator and may(affiliation, "grouping.create"),
        "exports": EXPORTS if lines and may(affiliation, "export") else (),
    }
    is_fragment = request.htmx and not request.htmx.history_restore_request
    page = "groupings/_radar_results.html" if is_fragment else "groupings/radar.html"
    response = render(request, page, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _by_end(found: Radar) -> list[Opportunity]:
    """Every known division: to a member, its own contracts are worth knowing whoever else buys the same."""
    groups = (*found.opportunities, *found.alone)
    return sorted(groups, key=lambda group: (group.first_end, group.division))
