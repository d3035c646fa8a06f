"""The act itself of a model délibération: heading, visas, considérants, decisions, vote, footer. Pure functions.

A model, not an act: what only the body knows is left in ``………`` or ``[à compléter]``. Sources: CGCT L2121-29,
L2122-21-1, L5211-10, L5217-1 and L1414-3; CASF L123-4 to L123-8 and R123-20; the dated texts of the convention.
"""

from datetime import date

from groupings.conventions import wording
from groupings.drafts.subject import TO_COMPLETE, Subject, bound, excl_tax, over_time
from groupings.drafts.values import BLANK, Line

#: From that day acts are published online, except where a small commune chose otherwise (ordonnance n° 2021-1310), and
#: signed by the secretary of the meeting as well (CGCT, L2121-23).
_REFORM_ON = date(2022, 7, 1)
#: Télérecours citoyens is open to everybody (décret n° 2018-251).
_ONLINE_APPEAL_ON = date(2018, 11, 30)
#: Codes of the ACTES nomenclature under which such a decision is filed, by local practice.
_MATTERS = {
    "1.1": "Marchés publics",
    "1.2": "Délégation de service public",
    "1.3": "Conventions de mandat",
    "1.4": "Autres types de contrats",
    "1.5": "Transactions",
    "1.6": "Actes relatifs à la maîtrise d’œuvre",
    "1.7": "Actes spéciaux et divers",
    "5.7": "Intercommunalité",
}
#: Articles of the CGCT each kind of body decides under; L1414-3 joins them while it rules the tender committee.
_ARTICLES = {
    "commune": ("L. 2121-29", "L. 2122-21-1"),
    "metropole": ("L. 5211-1", "L. 5211-10", "L. 5217-1 et suivants"),
    "epci": ("L. 5211-1", "L. 5211-10"),
    "syndicat": ("L. 5211-1", "L. 5211-10"),
}
_COMMITTEE_ARTICLE = "L. 1414-3"
_HAS_STATUTES = ("epci", "syndicat", "other")
_LOTS_NAMED = 12  # beyond, their numbers: the convention annexed names them
_DUTIES = {
    "COORDINATED": "à conduire la consultation jusqu’au choix des titulaires",
    "PARTIAL": "à conduire la consultation, à signer et à notifier les marchés au nom et pour le compte des membres",
    "FULL": "à conduire la consultation, à signer, à notifier et à exécuter les marchés au nom et pour le compte des "
    "membres",
}


def body_name(subject: Subject) -> str:
    """« Commune de Lattes », « CCAS de Lattes », « Montpellier Méditerranée Métropole »."""
    return wording.capital(subject.the.removeprefix("la ").removeprefix("le "))


def title(subject: Subject) -> str:
    return f"Modèle de {subject.act} {subject.of} – groupement de commandes {subject.convention.reference}"


def heading(subject: Subject) -> str:
    return f"{subject.act.upper()} N°\u00a0{BLANK}"


def taken_by(subject: Subject) -> str:
    """« du conseil municipal », « du bureau, par délégation du conseil communautaire »."""
    if subject.maker == "council":
        return subject.member.of_assembly
    return f"{wording.after_of(subject.decider)}, par délégation {subject.member.of_assembly}"


def header(subject: Subject) -> tuple[Line, ...]:
    day = wording.long_date(subject.session_on) if subject.session_on else BLANK
    published = Line("Date de publication" if subject.day >= _REFORM_ON else "Date d’affichage", BLANK)
    if subject.maker == "president":
        return (Line("Décision du", day), published)
    return (
        Line("Séance du", day),
        Line("Date de convocation", BLANK),
        published,
        Line("Membres en exercice", f"{BLANK}, présents\u00a0: {BLANK}, votants\u00a0: {BLANK}"),
        Line("Quorum", "[à compléter\u00a0: atteint ou non]"),
        Line("Présents", BLANK),
        Line("Absents", BLANK),
        Line("Pouvoirs", f"{BLANK} à {BLANK}"),
        Line("Secrétaire de séance", BLANK),
    )


def purpose(subject: Subject) -> Line:
    opening = (
        f"Constitution du {subject.group}, {subject.the} étant coordonnateur"
        if subject.is_coordinator
        else f"Adhésion au {subject.group} coordonné par {subject.coordinator}"
    )
    return Line("Objet\u00a0:", f"{opening} – approbation de la convention constitutive – autorisation de signature")


def rapporteur() -> Line:
    return Line("Rapporteur\u00a0:", BLANK)


def visas(subject: Subject) -> tuple[Line, ...]:
    values, member, basis = subject.convention, subject.member, subject.convention.legal_basis
    committee = [_COMMITTEE_ARTICLE] if _COMMITTEE_ARTICLE in basis.tender_committee.replace("\u00a0", " ") else []
    articles = [*committee, *_ARTICLES.get(member.kind, ())]
    texts = ["le code général des collectivités territoriales" + _notably(articles)]
    if member.kind == "ccas":
        texts.append(
            "le code de l’action sociale et des familles, notamment ses articles L. 123-4 à L. 123-8 et R. 123-20"
        )
    texts += basis.visas
    if not values.coordinator_has_own_need:
        texts.append(
            "l’article L. 5211-4-4 du code général des collectivités territoriales et les statuts du coordonnateur "
            f"({wording.typographic(values.statutes_clause_ref)})"
        )
    if member.kind in _HAS_STATUTES:
        texts.append(f"les statuts {subject.of}")
    if subject.maker != "council":
        texts.append(
            f"la délibération {member.of_assembly} n° {BLANK} du {BLANK} portant délégation d’attributions "
            f"{wording.after_to(subject.decider)}"
        )
    texts.append(
        f"le projet de convention constitutive du groupement de commandes {values.reference}, version "
        f"{values.version}, annexé à la présente {subject.act}"
    )
    if subject.maker == "council":
        texts.append(f"l’avis de la commission [à compléter, le cas échéant] du {BLANK}")
    return tuple(Line("Vu", f"{bound(text)}\u202f;") for text in texts)


def _notably(articles: list[str]) -> str:
    """« , notamment son article L. 1414-3 », « , notamment ses articles L. 2121-29 et L. 2122-21-1 »."""
    match articles:
        case []:
            return ""
        case [alone]:
            return f", notamment son article {alone}"
        case [*others, last]:
            return f", notamment ses articles {', '.join(others)} et {last}"


def recitals(subject: Subject) -> tuple[Line, ...]:
    texts = [
        f"l’intérêt, pour {subject.the}, de mutualiser ses achats avec les autres membres afin de simplifier et de "
        "sécuriser les procédures, d’en partager le coût et l’expertise, et d’obtenir par l’effet du volume de "
        "meilleures conditions techniques et économiques",
        _extent(subject),
        "que l’adhésion ne vaut que pour les consultations lancées après qu’elle a pris effet"
        if subject.convention.kind == "permanent"
        else "que la composition du groupement est arrêtée au lancement de la consultation, et que la présente "
        f"{subject.act} doit être exécutoire à cette date",
    ]
    if subject.has_no_own_need:
        texts.remove(texts[1])
    return tuple(Line("Considérant", f"{text}\u202f;") for text in texts)


def _extent(subject: Subject) -> str:
    """The extent of the need and its forecast amount, which the law wants in the act (CGCT, L2122-21-1)."""
    amount = excl_tax(None) if subject.total is None else over_time(subject, subject.total)
    return (
        f"que l’étendue du besoin {subject.of} à satisfaire est la suivante\u00a0: {_lots(subject)}\u202f; que son "
        f"montant prévisionnel est de {amount}"
    )


def _lots(subject: Subject) -> str:
    mine = list(subject.needs)
    if len(mine) > _LOTS_NAMED:
        numbers = ", ".join(map(str, mine[:-1]))
        return f"lots {numbers} et {mine[-1]}, désignés à l’article 1 de la convention annexée"
    return ", ".join(f"lot\u00a0{number} ({subject.lot_titles[number]})" for number in mine) or TO_COMPLETE


def enacting(subject: Subject) -> str:
    if subject.maker == "president":
        return f"{wording.capital(subject.decider)} DÉCIDE\u00a0:"
    return f"Après en avoir délibéré, {subject.decider} DÉCIDE\u00a0:"


def decisions(subject: Subject) -> tuple[Line, ...]:
    joining = "la constitution du" if subject.is_coordinator else f"l’adhésion {subject.of} au"
    mission = (
        "la mission de coordonnateur du groupement"
        if subject.is_coordinator
        else f"{subject.coordinator} comme coordonnateur du groupement"
    )
    texts = (
        f"d’approuver {joining} {subject.group} et la convention constitutive annexée à la présente {subject.act}",
        f"d’accepter {mission}, habilité {_DUTIES[subject.convention.integration_level]}",
        _committee_decision(subject),
        _signature_decision(subject),
        f"de dire que les crédits nécessaires sont ou seront inscrits au budget {subject.of}{subject.years}",
    )
    ends = ["\u202f;"] * (len(texts) - 1) + ["."]
    return tuple(
        Line(f"Article\u00a0{number}\u00a0:", text + end)
        for number, (text, end) in enumerate(zip(texts, ends, strict=True), 1)
    )


def _committee_decision(subject: Subject) -> str:
    values = subject.convention
    if values.committee_mode == "COORDINATOR":
        return "de prendre acte que la commission d’appel d’offres compétente est celle du coordonnateur"
    seat = next((seat for seat in values.committee if seat.siren == subject.member.siren), None)
    names = (seat.full_member, seat.substitute) if seat else ("", "")
    full, substitute = (wording.typographic(name) or "[à compléter\u00a0: nom]" for name in names)
    place = f"pour représenter {subject.the} à la commission d’appel d’offres du groupement"
    if subject.maker == "president":  # who decides alone cannot hold an election
        return (
            f"de prendre acte de l’élection, {place}, de {full} en qualité de titulaire et de {substitute} en qualité "
            "de suppléant"
        )
    return f"d’élire, {place}, {full} en qualité de titulaire et {substitute} en qualité de suppléant"


def _signature_decision(subject: Subject) -> str:
    """Who signs what, up to how much (€ excl. tax): the contracts as well, so that one vote is enough."""
    is_president, level = subject.maker == "president", subject.convention.integration_level
    begin = "de signer" if is_president else f"d’autoriser {subject.executive} ou son représentant à signer"
    papers = f"{begin} la convention constitutive et ses avenants sans incidence financière"
    if subject.is_coordinator and level != "COORDINATED":
        return (
            f"{papers}, ainsi que, au nom et pour le compte des membres, les marchés à intervenir dans la limite de "
            f"{excl_tax(subject.group_total)}"
        )
    if subject.has_no_own_need:
        return papers
    if level == "COORDINATED":
        return (
            f"{papers}, ainsi que les marchés qui répondent au besoin {subject.of} à l’issue de la consultation, dans "
            f"la limite de {excl_tax(subject.total)}"
        )
    return (
        f"{papers}, et {'d’autoriser ' if is_president else ''}le coordonnateur à signer pour le compte {subject.of} "
        f"les marchés à intervenir dans la limite de {excl_tax(subject.total)}"
    )


def votes(subject: Subject) -> tuple[Line, ...]:
    if subject.maker == "president":
        return ()
    columns = ("Votants", "Pour", "Contre", "Abstentions")
    return (*(Line(column, BLANK) for column in columns), Line("Résultat", "[à compléter\u00a0: adoptée ou rejetée]"))


def signatures(subject: Subject) -> tuple[Line, ...]:
    head = subject.head
    executive = Line(
        f"{wording.capital(subject.executive)},",
        f"{head.civility} {wording.typographic(head.name)}".strip() if head else BLANK,
    )
    if subject.maker == "president" or subject.day < _REFORM_ON:
        return (executive,)
    return (Line("Le Secrétaire de séance,", BLANK), executive)


def matter_label(code: str) -> str:
    """« Actes spéciaux et divers » for 1.7; empty for a code of another family."""
    return _MATTERS.get(code, "")


def transmission(subject: Subject) -> tuple[Line, ...]:
    matter = " – ".join(filter(None, (subject.matter_code, matter_label(subject.matter_code))))
    return (
        Line("Transmission au représentant de l’État", BLANK),
        Line("Identifiant de l’acte (ACTES)", BLANK),
        Line("Publication" if subject.day >= _REFORM_ON else "Affichage ou publication", BLANK),
        Line("Caractère exécutoire", BLANK),
        Line("Matière (ACTES)", matter),
    )


def challenge(subject: Subject) -> str:
    online = ", notamment par Télérecours citoyens (www.telerecours.fr)" if subject.day >= _ONLINE_APPEAL_ON else ""
    return (
        f"La présente {subject.act} peut faire l’objet d’un recours devant le {subject.court}, dans un délai de deux "
        f"mois à compter de sa publication{online}."
    )


def annex(subject: Subject) -> Line:
    values, pages = subject.convention, subject.annex_pages
    # A text negotiated in Word has no number of pages before it is printed.
    counted = f" ({pages}\u00a0page{'s' if pages > 1 else ''})" if pages else ""
    return Line(
        "Annexe\u00a0:",
        f"convention constitutive du groupement de commandes {values.reference}, version {values.version}, exemplaire "
        f"{subject.of}{counted}. Fichier {subject.annex_name}, empreinte "
        f"SHA-256\u00a0: {subject.annex_sha256}",
    )
