"""The annual sheet: begun from last year's, written, frozen once and for all."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from members.models import Organisation
from members.roles import SYSTEM, require, require_territory
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.journal.record import save_recorded
from savings.models import AnnualSheet
from savings.sheet import (
    LONGEST,
    MOST_LINES,
    PHASES,
    TAKEN_FROM,
    TEXTS,
    THEMES,
    begun_from,
    digest,
    figures_of,
    former_sheet,
    has_groupings,
    quarters,
)


def _require(actor: Actor, right: str, territory_id: int) -> None:
    """The people of the body at the head: a member body's buyer or finance tells nothing of the whole territory."""
    require(actor, right, organisation_id=territory_id)
    if actor.role != SYSTEM and not actor.sees_whole_territory:
        raise NotAllowed("La fiche annuelle est celle du coordonnateur.")
    require_territory(actor, territory_id)


def sheet_open(*, territory: Organisation, year: int, actor: Actor, today: date) -> AnnualSheet:
    """Begin the sheet of ``year`` with the texts of the latest one before it. Twice is once: the first is returned.

    Raises NotAllowed, and BusinessError for a year to come or one in which no grouping was followed.
    """
    _require(actor, "savings.enter", territory.pk)
    if not 2000 <= year <= 2100:
        raise BusinessError("Saisissez une année sur quatre chiffres, par exemple 2026.", field="year")
    if year > today.year:
        raise BusinessError(f"L’année {year} n’est pas commencée.", field="year")
    with transaction.atomic():
        Organisation.objects.select_for_update().get(pk=territory.pk)
        existing = AnnualSheet.objects.filter(territory=territory, year=year).first()
        if existing is not None:
            return existing
        if not has_groupings(territory, year):
            raise BusinessError(f"Aucun groupement n’était suivi en {year}\u00a0: il n’y a rien à dire.", field="year")
        former = former_sheet(territory, year)
        texts, calendar = begun_from(former, year)
        sheet = AnnualSheet(territory=territory, year=year, texts=texts, calendar=calendar)
        told = f", textes repris de {former.year}" if former else ""
        save_recorded(sheet, actor=actor, verb="sheet.open", sentence=f"Fiche annuelle {year} commencée{told}")
    return sheet


def sheet_save(
    *,
    sheet: AnnualSheet,
    texts: Mapping[str, Any],
    calendar: Mapping[str, int],
    actor: Actor,
    expected_version: int,
) -> AnnualSheet:
    """Keep the texts (read again: they are this year's from now on) and the phase of each quarter.

    Raises NotAllowed, and BusinessError when the sheet is frozen, was saved by somebody else meanwhile, or holds a
    heading, theme, quarter or phase that does not exist.
    """
    _require(actor, "savings.enter", sheet.territory_id)
    written = {name: str(texts.get(name, "")).replace("\r\n", "\n").strip() for name in TEXTS}
    for name, text in written.items():
        if len(text) > LONGEST:
            raise BusinessError(f"Ce texte a {len(text)} signes\u00a0: {LONGEST} au plus.", field=name)
        if (lines := len(text.splitlines())) > MOST_LINES:
            raise BusinessError(f"Ce texte a {lines} lignes\u00a0: {MOST_LINES} au plus.", field=name)
    themes = [theme for theme in THEMES if theme in texts.get("themes", ())]
    known = {key for key, _ in quarters(sheet.year)}
    if not set(calendar) <= known or not set(calendar.values()) <= set(PHASES):
        raise BusinessError("Choisissez une phase de 1 à 4 pour un trimestre de la fiche.")
    with transaction.atomic():
        stored = _locked(sheet, expected_version)
        stored.texts = {**written, "themes": themes}
        stored.calendar = {key: calendar[key] for key, _ in quarters(sheet.year) if key in calendar}
        if save_recorded(stored, actor=actor, verb="sheet.save", sentence=f"Fiche annuelle {sheet.year} écrite"):
            stored.version += 1
            AnnualSheet.objects.filter(pk=stored.pk).update(version=stored.version)
    return stored


def sheet_freeze(*, sheet: AnnualSheet, actor: Actor, now: datetime, expected_version: int) -> AnnualSheet:
    """Compute the figures as they are ``now``, and keep them with the texts, for good.

    Finance does it ("savings.validate"): the sheet tells gains it answers for. Raises NotAllowed, and BusinessError
    when it is frozen already, was saved meanwhile, or still holds last year's texts unread.
    """
    _require(actor, "savings.validate", sheet.territory_id)
    with transaction.atomic():
        # The one lock of validations and year locks: nothing is posted while the figures are read.
        Organisation.objects.select_for_update().get(pk=sheet.territory_id)
        stored = _locked(sheet, expected_version)
        if TAKEN_FROM in stored.texts:
            raise BusinessError(
                f"Les textes sont encore ceux de {stored.texts[TAKEN_FROM]}\u00a0: relisez-les et enregistrez-les "
                "avant de figer la fiche."
            )
        stored.figures = figures_of(stored.territory, stored.year)
        stored.figures_on = timezone.localtime(now).date()
        if stored.figures_on.year < stored.year:
            raise BusinessError(f"L’année {stored.year} n’est pas commencée.")
        stored.frozen_at, stored.frozen_label = now, actor.actor_label[:200]
        stored.sha256 = digest(stored)
        stored.version += 1
        save_recorded(
            stored,
            actor=actor,
            verb="sheet.freeze",
            sentence=f"Fiche annuelle {stored.year} figée, chiffres arrêtés au {stored.figures_on:%d/%m/%Y}, "
            f"empreinte {stored.sha256[:12]}",
        )
    return stored


def _locked(sheet: AnnualSheet, expected_version: int) -> AnnualSheet:
    stored = AnnualSheet.objects.select_for_update(of=("self",)).select_related("territory").get(pk=sheet.pk)
    if stored.is_frozen:
        raise BusinessError(f"La fiche {stored.year} est figée\u00a0: elle ne change plus.")
    if stored.version != expected_version:
        raise BusinessError("La fiche a changé pendant votre saisie\u00a0: rechargez la page avant d’enregistrer.")
    return stored
