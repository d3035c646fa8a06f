"""The only place where bodies, mandates and sessions change; each change is journalled with its author."""

from datetime import date

from django.db import transaction
from django.db.models import QuerySet

from members.models import Affiliation, CouncilSession, Organisation, Representative
from members.roles import may, require, require_territory
from procurement.core.actors import Actor
from procurement.core.errors import BusinessError, NotAllowed
from procurement.core.journal.record import delete_recorded, save_recorded

#: Who a body legally is, and what fee shares are computed from: its own agents do not rewrite it.
IDENTITY_FIELDS = (
    "kind",
    "name",
    "siren",
    "siret",
    "insee_code",
    "parent_id",
    "population",
    "reference_population",
    "source",
)


def may_change_identity(actor: Actor) -> bool:
    """Whether the actor keeps the directory of its territory, and not only its own body's contact details."""
    return may(actor, "organisation.create")


def organisation_save(*, organisation: Organisation, actor: Actor) -> Organisation:
    """Create or change a body. Its descendants follow it when it moves to another territory.

    A member's own agents change its contact details, never its identity nor its population.
    Raises NotAllowed (also when the body would leave the writer's territory), or django's ValidationError (a SIREN
    already held, a SIRET of another body…).
    """
    created = organisation.pk is None
    right = "organisation.create" if created else "organisation.change"
    require(actor, right, organisation_id=organisation.pk)
    with transaction.atomic():
        if not created:
            _check_stored(organisation, actor)
        save_recorded(
            organisation,
            actor=actor,
            verb="organisation.create" if created else "organisation.change",
            sentence=f"Fiche de {organisation.name} {'créée' if created else 'modifiée'}",
        )
        require_territory(actor, organisation.root_id)
        _move_descendants(organisation)
    return organisation


def _check_stored(organisation: Organisation, actor: Actor) -> None:
    stored = Organisation.objects.select_for_update().get(pk=organisation.pk)
    require_territory(actor, stored.root_id)
    if may_change_identity(actor):
        return
    if any(getattr(organisation, name) != getattr(stored, name) for name in IDENTITY_FIELDS):
        raise NotAllowed("L’identité d’un organisme est tenue par la métropole\u00a0: signalez-lui la correction.")


def _move_descendants(organisation: Organisation) -> None:
    for child in organisation.children.exclude(territory_id=organisation.root_id):
        child.save()
        _move_descendants(child)


def _require_change(organisation: Organisation, actor: Actor) -> None:
    require(actor, "organisation.change", organisation_id=organisation.pk)
    require_territory(actor, organisation.root_id)


def representative_save(*, representative: Representative, actor: Actor) -> Representative:
    """Record who signs for a body, and from when to when."""
    _require_change(representative.organisation, actor)
    save_recorded(
        representative,
        actor=actor,
        verb="representative.save",
        sentence=f"Représentant de {representative.organisation}\u00a0: {representative}",
    )
    return representative


def session_save(*, session: CouncilSession, actor: Actor, expected_version: int | None = None) -> CouncilSession:
    """Record a meeting of a body's assembly, or change it; the deliberations on its agenda follow it to its new date.

    ``expected_version``: the version the person was reading; refused when somebody saved another since.
    Raises NotAllowed, BusinessError, or django's ValidationError (a second session that day, a convocation sent on the
    day of the meeting or after…).
    """
    created = session.pk is None
    _require_change(session.organisation, actor)
    with transaction.atomic():
        # Two people giving one body the same day at once: the second finds the session of the first.
        Organisation.objects.select_for_update(no_key=True).get(pk=session.organisation_id)
        sentence = f"Séance du {session.meeting_on:%d/%m/%Y} de {session.organisation}"
        if not created:
            stored = CouncilSession.objects.select_for_update().get(pk=session.pk)
            if expected_version is not None and stored.version != expected_version:
                raise BusinessError(
                    "Cette séance a été modifiée entre-temps par une autre personne\u00a0: rechargez la page, "
                    "vos saisies sont rappelées ci-dessous."
                )
            if stored.organisation_id != session.organisation_id:
                raise BusinessError(
                    "Une séance ne change pas d’organisme\u00a0: retirez-la, puis ajoutez-la à l’autre."
                )
            session.version = stored.version
            if stored.meeting_on != session.meeting_on:
                sentence = _moved(session, stored.meeting_on)
        changed = save_recorded(session, actor=actor, verb="session.save", sentence=sentence)
        if changed and not created:
            CouncilSession.objects.filter(pk=session.pk).update(version=session.version + 1)
            session.version += 1
    return session


def _moved(session: CouncilSession, from_on: date) -> str:
    sentence = f"Séance de {session.organisation} déplacée du {from_on:%d/%m/%Y} au {session.meeting_on:%d/%m/%Y}"
    if count := session.deliberations.count():
        sentence += f", avec {count} délibération{'s' * (count > 1)} à l’ordre du jour"
    return sentence


def session_bodies(affiliation: Affiliation | None) -> QuerySet[Organisation]:
    """The bodies whose calendar a person may write: those of its territory, its own, or none."""
    bodies = Organisation.objects.visible_to(affiliation)
    if may(affiliation, "organisation.change"):
        return bodies
    if affiliation is not None and may(affiliation, "organisation.change", organisation_id=affiliation.organisation_id):
        return bodies.filter(pk=affiliation.organisation_id)
    return bodies.none()


def session_remove(*, session: CouncilSession, actor: Actor) -> None:
    """Take a meeting out of the calendar; refused once a deliberation stands on its agenda."""
    _require_change(session.organisation, actor)
    with transaction.atomic():
        # Somebody may be putting a deliberation on its agenda, or removing it too.
        if not CouncilSession.objects.select_for_update().filter(pk=session.pk).exists():
            raise BusinessError("Cette séance vient d’être retirée par une autre personne.")
        if session.deliberations.exists():
            raise BusinessError("Une délibération est inscrite à cette séance\u00a0: déplacez-la d’abord.")
        delete_recorded(
            session,
            actor=actor,
            verb="session.remove",
            sentence=f"Séance du {session.meeting_on:%d/%m/%Y} de {session.organisation} retirée",
        )


def epci_add_communes(*, territory: Organisation, actor: Actor) -> list[Organisation]:
    """Add every commune of ``territory`` that has no card yet, from the reference data. Returns the new ones.

    Raises BusinessError when the SIREN is not that of an EPCI of the reference data.
    """
    from members.reference import epci_by_siren

    require(actor, "organisation.create")
    require_territory(actor, territory.root_id)
    if territory.territory_id is not None:
        raise BusinessError("Les communes s’ajoutent à la fiche de l’EPCI qui tient l’annuaire.")
    try:
        epci = epci_by_siren(territory.siren)
    except KeyError:
        raise BusinessError(f"{territory.name} n’est pas dans la liste des EPCI à fiscalité propre.") from None
    with transaction.atomic():
        known = set(Organisation.objects.filter(territory=territory).values_list("siren", flat=True))
        return [
            organisation_save(
                organisation=Organisation(
                    kind=Organisation.Kind.COMMUNE,
                    name=member.typographic_name,
                    siren=member.siren,
                    insee_code=member.insee_code,
                    parent=territory,
                    population=member.population,
                    source="découpage administratif 2026",
                ),
                actor=actor,
            )
            for member in epci.members
            if member.siren not in known
        ]
