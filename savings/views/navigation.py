"""The pages of the ledger, as links: those the reader may open."""

from django.urls import reverse

from groupings.views.navigation import Tab

#: (name of the address, label, whether the people of the coordinator's body alone open it, addresses below it)
PAGES: tuple[tuple[str, str, bool, tuple[str, ...]], ...] = (
    ("savings_home", "Vue d’ensemble", False, ()),
    ("savings_lines", "Lignes", False, ("savings_line", "line_correct")),
    ("savings_bridge", "Passage", False, ()),
    ("review_queue", "À valider", True, ("line_decide",)),
    ("year_locks", "Exercices", True, ()),
    ("savings_sample", "Sondage", True, ()),
    ("ledger_checks", "Contrôles", True, ()),
    ("baselines_to_confirm", "À confirmer", False, ("baseline_object",)),
    (
        "annual_sheets",
        "Fiches",
        True,
        ("annual_sheet", "annual_sheet_change", "annual_sheet_freeze"),
    ),
    ("savings_report", "Rapports", False, ()),
    ("savings_method", "Méthode", False, ()),
)


def savings_tabs(affiliation, shown: str) -> list[Tab]:
    """The pages of the ledger ``affiliation`` may open; ``shown`` is the name of the address being read."""
    if affiliation is None:
        return []
    return [
        Tab(label, reverse(name), "page" if name == shown else "true" if shown in below else "")
        for name, label, coordination_only, below in PAGES
        if affiliation.sees_whole_territory or not coordination_only
    ]
