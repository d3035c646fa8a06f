"""The note de synthèse of a model délibération, and the advice to whoever adapts it. Pure functions of ``Subject``.

Mandatory with the convocation from 3 500 inhabitants and in every EPCI (CGCT, L2121-12 and L5211-1), « rapport
explicatif » in a CCAS (CASF, R123-16); useful to every other assembly.
"""

from decimal import Decimal

from groupings.conventions import wording
from groupings.drafts.subject import TO_COMPLETE, Subject, bound, duration, excl_tax, over_time, yearly_part
from groupings.drafts.values import Line, NeedRow
from groupings.rules.clear_days import NoticeRule, latest_dispatch_on
from procurement.core.money import split_exactly

_FEE_KEYS = {
    "EQUAL_SHARES": "répartis par parts égales",
    "POPULATION": "répartis au prorata de la population municipale",
    "ESTIMATED_AMOUNT": "répartis au prorata du montant estimé des besoins",
    "ACTUAL_SPEND": "répartis au prorata des dépenses réelles",
    "FLAT_FEE": "couverts par une participation forfaitaire, identique pour chaque membre",
}
_INTEGRATION = {
    "COORDINATED": (
        "recense les besoins, conduit la consultation jusqu’au choix des titulaires et remet à chaque membre le "
        "dossier du marché qu’il lui revient de signer",
        "coordination\u00a0: chaque membre signe, notifie et exécute son propre marché",
    ),
    "PARTIAL": (
        "recense les besoins, conduit la consultation, signe et notifie les marchés au nom et pour le compte des "
        "membres, et décide pour tous de leur reconduction, de leur modification et de leur résiliation",
        "intégration partielle\u00a0: chaque membre passe ses commandes, vérifie les prestations et règle ses factures",
    ),
    "FULL": (
        "recense les besoins, conduit la consultation, signe, notifie et exécute les marchés au nom et pour le compte "
        "des membres",
        "intégration totale\u00a0: chaque membre exprime ses commandes auprès du coordonnateur et lui rembourse les "
        "dépenses engagées pour son compte",
    ),
}
_MILESTONES = {
    "launch": "lancement de la consultation",
    "notification": "notification des marchés",
    "performance": "début d’exécution",
    "end": "fin des marchés",
}


def guidance(subject: Subject) -> tuple[str, ...]:
    values, rule = subject.convention, subject.notice
    said = [
        f"Modèle établi d’après la convention {values.reference}, version {values.version}, transmise par "
        f"{subject.coordinator}. Complétez ce qui est surligné, adaptez le reste, puis supprimez cet encadré."
    ]
    said += [
        bound(f"{remark.sentence} Le modèle est établi pour {subject.assembly}. Texte\u00a0: {remark.source}.")
        for remark in subject.remarks
    ]
    if subject.maker != "president" and rule:
        said.append(_notice(subject, rule))
    if subject.member.kind == "commune":
        said.append(
            "Conservez l’étendue du besoin et le montant prévisionnel\u00a0: la loi les exige d’une délibération qui "
            "autorise à signer un marché avant le lancement de sa procédure (CGCT, L.\u00a02122-21-1)."
        )
    if values.committee_mode == "SPECIFIC":
        said.append(_election(subject))
    if subject.maker != "council":
        said.append("Il en est rendu compte à la prochaine réunion de l’assemblée (CGCT, L.\u00a05211-10).")
    return tuple(said)


def _election(subject: Subject) -> str:
    if subject.maker == "president":
        return f"Article\u00a03\u00a0: une décision ne peut pas élire\u202f; {subject.assembly} y procède d’abord."
    source = "" if subject.member.kind in ("ccas", "other") else " (CGCT, L.\u00a02121-21)"
    return f"Article\u00a03\u00a0: le vote est secret, sauf si l’assemblée y renonce à l’unanimité{source}."


def _notice(subject: Subject, rule: NoticeRule) -> str:
    when = f"{rule.days} jours francs avant la séance"
    if subject.session_on:
        when += f", donc le {wording.long_date(latest_dispatch_on(subject.session_on, rule.days))} au plus tard"
    joined = (
        f"l’exposé qui suit, qui vaut {rule.document}"
        if rule.document
        else "s’il est utile, l’exposé qui suit, que la loi n’impose pas ici"
    )
    return bound(f"Convocation à envoyer {when}, avec l’ordre du jour et {joined}. Texte\u00a0: {rule.source}.")


def note_title(subject: Subject) -> str:
    """What the law calls the paper sent with the convocation; a plain name where it asks for none."""
    document = subject.notice.document if subject.notice and subject.maker != "president" else ""
    return wording.capital(document) or "Exposé des motifs"


def background(subject: Subject) -> tuple[Line, ...]:
    values = subject.convention
    permanent = " permanent" if values.kind == "permanent" else ""
    return (
        Line(
            "Contexte\u00a0:",
            "plusieurs collectivités et établissements ont des besoins communs qui portent sur l’objet suivant\u00a0: "
            f"{wording.typographic(values.title)}. {wording.capital(subject.coordinator)} propose de les satisfaire "
            f"ensemble, par un groupement de commandes{permanent} régi par {bound(values.legal_basis.article)}. Le "
            "groupement n’a pas la personnalité morale\u202f; la convention constitutive annexée fixe ses règles.",
        ),
        Line(f"Besoin {subject.of}\u00a0:", _need(subject)),
    )


def _need(subject: Subject) -> str:
    if subject.total is not None:
        return f"montant prévisionnel de {over_time(subject, subject.total)}, réparti par lot comme suit."
    if subject.has_no_own_need:
        clause = wording.typographic(subject.convention.statutes_clause_ref)
        return (
            f"aucun besoin propre\u202f; la mission de coordonnateur est gratuite et prévue par les statuts ({clause})."
        )
    return (
        "aucun montant n’est recensé à ce jour\u00a0: [à compléter\u00a0: étendue du besoin et montant prévisionnel]."
    )


def needs(subject: Subject) -> tuple[NeedRow, ...]:
    """One row per lot, then the total; the yearly parts add up to the yearly total, to the cent."""
    if subject.total is None:
        return ()
    amounts, yearly = list(subject.needs.values()), yearly_part(subject, subject.total)
    parts = split_exactly(yearly, amounts) if yearly else [yearly] * len(amounts)
    rows = [
        NeedRow(f"Lot\u00a0{number}\u00a0: {subject.lot_titles[number]}", _cell(amount), _cell(part))
        for (number, amount), part in zip(subject.needs.items(), parts, strict=True)
    ]
    return (*rows, NeedRow("Total", _cell(subject.total), _cell(yearly)))


def _cell(amount: Decimal | None) -> str:
    return "–" if amount is None else wording.amount_cell(amount)


def terms(subject: Subject) -> tuple[Line, ...]:
    values, whole = subject.convention, subject.group_total
    estimated = (
        "la convention ne chiffre encore aucun besoin"
        if whole is None
        else f"leurs besoins sont estimés à {excl_tax(whole)} {duration(subject)} (annexe\u00a02 de la convention)"
    )
    duties, form = _INTEGRATION[values.integration_level]
    basis = values.legal_basis
    committee = (
        "propre au groupement, avec un représentant de chaque membre et son suppléant "
        f"({basis.tender_committee.removeprefix('l’')})"
        if values.committee_mode == "SPECIFIC"
        else f"celle du coordonnateur ({basis.coordinator_committee.removeprefix('le ')})"
    )
    return (
        Line("Groupement\u00a0:", f"{len(values.members)}\u00a0membres\u202f; {estimated}."),
        Line("Rôle du coordonnateur\u00a0:", f"{subject.coordinator} {duties}."),
        Line("Forme\u00a0:", f"{form}."),
        Line("Commission d’appel d’offres\u00a0:", f"{bound(committee)}."),
        Line("Frais\u00a0:", f"{_fees(subject)}."),
        Line("Calendrier\u00a0:", f"{_calendar(subject)}."),
        Line("Économies attendues\u00a0:", "[à compléter, le cas échéant\u00a0: estimation et prix de référence]."),
        Line("Budget\u00a0:", f"[à compléter\u00a0: chapitre et article]{subject.years}."),
    )


def _fees(subject: Subject) -> str:
    fees = subject.convention.fees
    if fees.rule == "FREE":
        return "aucuns\u202f; le coordonnateur supporte les frais de fonctionnement du groupement"
    text = f"les frais de fonctionnement du groupement sont {_FEE_KEYS[fees.rule]}"
    share = next((s.amount for s in fees.shares if s.siren == subject.member.siren), None)
    if share is None:
        text += "\u202f; leur montant sera arrêté d’après les dépenses engagées"
    else:
        text += f"\u202f; part prévisionnelle {subject.of}\u00a0: {excl_tax(share)}"
    if fees.total is not None:
        text += f", sur un total de {excl_tax(fees.total)} (annexe\u00a03)"
    return text if fees.ceiling is None else f"{text}\u202f; plafond\u00a0: {excl_tax(fees.ceiling)}"


def _calendar(subject: Subject) -> str:
    days = {label: subject.planned_on(key) for key, label in _MILESTONES.items()}
    return ", ".join(f"{label} le {wording.long_date(day)}" for label, day in days.items() if day) or TO_COMPLETE
