"""What a model délibération says: the right body, the right law, the right signatory, the right amounts."""

import re
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from groupings.conventions.values import NeedValues
from groupings.drafts import values as drafts
from groupings.drafts.assemble import draft
from groupings.drafts.subject import Subject
from groupings.drafts.values import DraftValues, from_json, to_json
from groupings.rules.clear_days import notice_rule
from groupings.rules.legal_basis import legal_basis_on
from groupings.rules.remarks import Facts, remarks
from members.bodies import BODIES, Kind
from tests.support.conventions import CCAS, COORDINATOR, sample_values

LATTES = "213401292"
LE_CRES = "213400906"
SHA = "8d389b6e00d0a671011c3195dfddae09c8bc5f480a20b32464dea2230aba080f"


def make_subject(siren: str = LATTES, *, kind: str = "", population: int = 17_592, **options) -> Subject:
    """The subject of one member of a sample convention. ``kind`` turns the member into another kind of body; options
    of ``Subject`` are taken first, the rest goes to ``sample_values``."""
    mine = {name: options.pop(name) for name in list(options) if name in Subject.__dataclass_fields__}
    values = mine.pop("convention", None) or sample_values(**{"members": 12, "lots": 2, "schema": 1, **options})
    member = mine.pop("member", None) or values.member(siren)
    if kind:
        body = BODIES[Kind(kind)]
        member = replace(member, kind=kind, of_assembly=body.of_assembly, executive_title=body.head[0])
    session_on = mine.get("session_on")
    try:
        notice = notice_rule(member.kind, population, session_on or values.as_of)
    except LookupError:
        notice = None
    defaults = {
        "assembly": BODIES[Kind(member.kind)].assembly,
        "maker": "council",
        "session_on": None,
        "notice": notice,
        "remarks": (),
        "court": "tribunal administratif de Montpellier",
        "annex_name": f"GC-2027-01_{siren}.pdf",
        "annex_pages": 11,
        "annex_sha256": SHA,
        "matter_code": "1.7",
    }
    return Subject(convention=values, member=member, **{**defaults, **mine})


def make_draft(*args, **options) -> DraftValues:
    return draft(make_subject(*args, **options))


def said(values: DraftValues) -> str:
    """Every word of the model, no-break spaces made plain."""
    found: list[str] = []

    def gather(value) -> None:
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, dict):
            for item in value.values():
                gather(item)
        elif isinstance(value, list | tuple):
            for item in value:
                gather(item)

    gather(to_json(values))
    return " ".join(found).replace("\u00a0", " ").replace("\u202f", " ")


def test_a_commune_s_council_decides_under_its_law():
    text = said(make_draft())
    assert "DÉLIBÉRATION N° ………" in text and "du conseil municipal" in text
    assert (
        "Vu le code général des collectivités territoriales, notamment ses articles L. 1414-3, L. 2121-29 et " in text
    )
    assert "L. 2122-21-1 ;" in text and "L. 5211-10" not in text and "L. 123-4" not in text
    assert "Vu le code de la commande publique, notamment ses articles L. 2113-6 à L. 2113-8 ;" in text
    assert "Après en avoir délibéré, le conseil municipal DÉCIDE :" in text
    assert "Adhésion au groupement de commandes « Fournitures de bureau et papier » coordonné par Montpellier" in text
    assert "d’approuver l’adhésion de la commune de Lattes au groupement de commandes" in text


def test_a_ccas_decides_by_its_board_under_the_casf():
    text = said(make_draft(CCAS[0]))
    assert "du conseil d’administration" in text and "le conseil d’administration DÉCIDE" in text
    assert "notamment ses articles L. 123-4 à L. 123-8 et R. 123-20 ;" in text
    assert "L. 2122-21-1" not in text and "L. 2121-29" not in text and "conseil municipal" not in text
    assert "l’adhésion du CCAS de Montpellier" in text and "pour le compte du CCAS de Montpellier" in text
    assert "Rapport explicatif" in text


def test_a_metropole_decides_by_its_council_and_coordinates():
    text = said(make_draft(COORDINATOR))
    assert "L. 1414-3, L. 5211-1, L. 5211-10 et L. 5217-1 et suivants ;" in text
    assert "le conseil de métropole DÉCIDE" in text
    assert "d’approuver la constitution du groupement de commandes" in text
    assert "d’accepter la mission de coordonnateur du groupement, habilité à conduire la consultation, à signer" in text
    # Annex 2 in full: what it signs, it signs for all.
    values = sample_values(members=12, lots=2)
    whole = sum(need.estimated_amount_excl_tax for need in values.needs)
    limit = f"{whole:,.2f}".replace(",", " ").replace(".", ",")
    assert f"au nom et pour le compte des membres, les marchés à intervenir dans la limite de {limit} € HT" in text


@pytest.mark.parametrize(
    ("kind", "present"),
    [
        ("epci", "Vu les statuts de la commune de Lattes ;"),  # the name decides the article, whatever the kind
        ("syndicat", "notamment ses articles L. 1414-3, L. 5211-1 et L. 5211-10 ;"),
        ("other", "notamment son article L. 1414-3 ;"),
    ],
)
def test_other_bodies(kind, present):
    name = "Commune de Lattes" if kind == "epci" else "Syndicat mixte du Lez"
    member = replace(sample_values(members=12).member(LATTES), name=name)
    text = said(make_draft(kind=kind, member=member))
    assert present in text
    assert ("Exposé des motifs" in text) is (kind == "other")


def test_a_bureau_and_a_president_decide_by_delegation():
    bureau = said(make_draft(COORDINATOR, maker="bureau"))
    assert "du bureau, par délégation du conseil de métropole" in bureau
    assert (
        "Vu la délibération du conseil de métropole n° ……… du ……… portant délégation d’attributions au bureau ;"
        in bureau
    )
    assert "Après en avoir délibéré, le bureau DÉCIDE :" in bureau and "Votants" in bureau

    president = make_draft(COORDINATOR, maker="president")
    text = said(president)
    assert "DÉCISION N° ………" in text and "DÉLIBÉRATION N°" not in text
    assert president.votes == () and "Quorum" not in text and "Secrétaire" not in text
    assert "de la Présidente, par délégation du conseil de métropole" in text
    assert "La Présidente DÉCIDE :" in text and "Article 4 : de signer la convention constitutive" in text
    assert "annexée à la présente décision" in text and "La présente décision peut faire l’objet" in text
    assert "délégation d’attributions à la Présidente ;" in text
    assert "Il en est rendu compte à la prochaine réunion" in text


@pytest.mark.parametrize(
    ("siren", "civility", "title", "expected"),
    [
        (LATTES, "Monsieur", "Maire", "Le Maire,"),
        (LATTES, "Madame", "Maire", "La Maire,"),
        (LATTES, "Madame", "Adjointe au maire", "Le Maire,"),  # a deputy signs: the council still empowers the mayor
        (CCAS[0], "Monsieur", "Président", "Le Président du CCAS,"),
        (CCAS[0], "Madame", "Présidente", "La Présidente du CCAS,"),
        (CCAS[0], "Madame", "Vice-présidente", "Le Président du CCAS,"),
    ],
)
def test_the_head_of_the_body_is_empowered_and_signs(siren, civility, title, expected):
    member = sample_values(members=12).member(siren)
    member = replace(member, representative=replace(member.representative, civility=civility, title=title))
    values = make_draft(siren, member=member)
    assert values.signatures[-1].label == expected
    empowered = expected.removesuffix(",").replace("Le ", "le ").replace("La ", "la ")
    assert f"d’autoriser {empowered} ou son représentant" in said(values)
    is_head = title in ("Maire", "Président", "Présidente")
    assert (member.representative.name in values.signatures[-1].text) is is_head


def test_an_unknown_representative_is_left_to_fill():
    member = replace(sample_values(members=12).member(LATTES), representative=None)
    assert make_draft(member=member).signatures[-1].text == drafts.BLANK


def test_articles_are_contracted():
    text = said(make_draft(LE_CRES))
    assert "l’adhésion de la commune du Crès au" in text and "au budget de la commune du Crès" in text


@pytest.mark.parametrize(
    ("as_of", "visa", "absent"),
    [
        (date(2016, 3, 15), "Vu le code des marchés publics, notamment son article 8 ;", "L. 1414-3"),
        (date(2018, 6, 15), "Vu l’ordonnance n° 2015-899 du 23 juillet 2015", "code de la commande publique"),
        (date(2027, 3, 15), "Vu le code de la commande publique", "ordonnance n° 2015-899"),
    ],
)
def test_the_law_is_that_of_the_convention(as_of, visa, absent):
    text = said(make_draft(as_of=as_of))
    assert visa in text and absent not in text
    assert ("Télérecours citoyens" in text) is (as_of > date(2018, 11, 30))
    assert ("Date d’affichage" in text) is (as_of < date(2022, 7, 1))
    assert ("Le Secrétaire de séance" in text) is (as_of >= date(2022, 7, 1))


def test_amounts_are_exact_per_lot_and_per_year():
    """1 000.00 and 2 000.01 € over 48 months: 750.00 € a year (750.0025), split 250.00 and 500.00."""
    values = sample_values(members=12, lots=2)
    others = tuple(need for need in values.needs if need.siren != LATTES)
    mine = (NeedValues(LATTES, 1, Decimal("1000.00")), NeedValues(LATTES, 2, Decimal("2000.01")))
    result = make_draft(convention=replace(values, needs=(*others, *mine)))
    rows = [(row.lot.split(" ")[0].replace("\u00a0", " "), row.whole, row.yearly) for row in result.needs]
    assert rows == [
        ("Lot 1 :", "1\u202f000,00", "250,00"),
        ("Lot 2 :", "2\u202f000,01", "500,00"),
        ("Total", "3\u202f000,01", "750,00"),
    ]
    text = said(result)
    assert (
        "montant prévisionnel de 3 000,01 € HT sur 48 mois, reconductions éventuelles comprises, soit 750,00 € HT"
        in text
    )
    assert "dans la limite de 3 000,01 € HT" in text


def test_yearly_parts_add_up_to_the_cent():
    """Three lots of 0.02 € over 48 months: 0.015 rounds to 0.02 a year, not to three times 0.01."""
    values = sample_values(members=12, lots=3)
    mine = tuple(NeedValues(LATTES, lot, Decimal("0.02")) for lot in (1, 2, 3))
    rows = make_draft(convention=replace(values, needs=mine)).needs
    assert [row.yearly for row in rows] == ["0,01", "0,01", "0,00", "0,02"]


@pytest.mark.parametrize(("months", "yearly"), [(12, "–"), (6, "–"), (13, "923,08")])
def test_no_yearly_amount_is_invented_for_a_year_or_less(months, yearly):
    values = sample_values(members=12, lots=1, duration_months=months, extension_count=0, extension_months=0)
    mine = (NeedValues(LATTES, 1, Decimal("1000.00")),)
    result = make_draft(convention=replace(values, needs=mine))
    assert result.needs[-1].yearly == yearly  # 1000 × 12 / 13 = 923.0769…
    assert ("par an" in result.background[1].text) is (months == 13)
    assert "reconductions" not in said(result)


def test_zero_is_an_amount_and_unknown_is_not_zero():
    values = sample_values(members=12, lots=1, fee_rule="FREE", fee_base=None)
    zero = make_draft(convention=replace(values, needs=(NeedValues(LATTES, 1, Decimal("0.00")),)))
    assert zero.needs[-1].whole == "0,00" and "dans la limite de 0,00 € HT" in said(zero)
    unknown = make_draft(convention=replace(values, needs=()))
    text = said(unknown)
    assert unknown.needs == () and "0,00 €" not in text
    assert "son montant prévisionnel est de [à compléter] € HT" in text
    assert "dans la limite de [à compléter] € HT" in text


@pytest.mark.parametrize("maker", ["council", "bureau", "president"])
@pytest.mark.parametrize("level", ["COORDINATED", "PARTIAL", "FULL"])
@pytest.mark.parametrize("siren", [LATTES, CCAS[0]])
def test_the_extent_of_the_need_and_its_amount_are_always_in_the_act(siren, level, maker):
    """CGCT, L2122-21-1: the act itself says them, not only the note."""
    values = make_draft(siren, maker=maker, integration_level=level)
    act = " ".join(line.text for line in (*values.recitals, *values.decisions)).replace("\u00a0", " ")
    assert "l’étendue du besoin" in act and "lot 1 (Fournitures de bureau)" in act
    assert "montant prévisionnel est de" in act and "€ HT" in act


def test_the_others_amounts_stay_in_the_convention():
    subject = make_subject()
    text = said(draft(subject))
    mine = {wording_of(amount) for amount in (*subject.needs.values(), subject.total, subject.group_total)}
    others = {
        wording_of(need.estimated_amount_excl_tax) for need in subject.convention.needs if need.siren != LATTES
    } - mine
    assert len(others) > 10 and not any(amount in text for amount in others)


def wording_of(amount: Decimal) -> str:
    return f"{amount:,.2f}".replace(",", " ").replace(".", ",")


@pytest.mark.parametrize(
    ("level", "sentence"),
    [
        (
            "COORDINATED",
            "ainsi que les marchés qui répondent au besoin de la commune de Lattes à l’issue de la consult",
        ),
        ("PARTIAL", "et le coordonnateur à signer pour le compte de la commune de Lattes les marchés"),
        ("FULL", "habilité à conduire la consultation, à signer, à notifier et à exécuter les marchés"),
    ],
)
def test_who_signs_the_contracts_follows_the_integration(level, sentence):
    assert sentence in said(make_draft(integration_level=level))


def test_a_coordinator_without_need_asks_for_no_amount():
    text = said(
        make_draft(
            COORDINATOR,
            convention=replace(
                sample_values(members=12, fee_rule="FREE", fee_base=None),
                coordinator_has_own_need=False,
                statutes_clause_ref="article 5.2",
                needs=tuple(n for n in sample_values(members=12).needs if n.siren != COORDINATOR),
            ),
        )
    )
    assert "l’étendue du besoin" not in text and "aucun besoin propre" in text
    assert (
        "Vu l’article L. 5211-4-4 du code général des collectivités territoriales" in text and "(article 5.2)" in text
    )


def test_a_specific_committee_is_elected_by_each_member():
    text = said(make_draft("213401722", committee_mode="SPECIFIC"))
    assert "d’élire, pour représenter la commune de Montpellier" in text
    assert "Anaïs Noël en qualité de titulaire et Gaël Sécail en qualité de suppléant" in text
    assert "le vote est secret" in text
    other = said(make_draft(committee_mode="SPECIFIC"))
    assert "[à compléter : nom] en qualité de titulaire" in other
    assert "celle du coordonnateur" not in other and "d’élire" not in said(make_draft())


@pytest.mark.parametrize(
    ("rule", "base", "sentence"),
    [
        ("FREE", None, "le coordonnateur supporte les frais"),
        (
            "EQUAL_SHARES",
            Decimal("1200"),
            "par parts égales ; part prévisionnelle de la commune de Lattes : 100,00 € HT",
        ),
        ("FLAT_FEE", Decimal("150"), "150,00 € HT, sur un total de 1 800,00 € HT (annexe 3)"),
        ("ACTUAL_SPEND", None, "leur montant sera arrêté d’après les dépenses engagées"),
    ],
)
def test_fees(rule, base, sentence):
    assert sentence in said(make_draft(fee_rule=rule, fee_base=base))


def test_a_president_takes_note_of_the_election_he_cannot_hold():
    text = said(make_draft(COORDINATOR, maker="president", committee_mode="SPECIFIC"))
    assert "de prendre acte de l’élection, pour représenter Montpellier Méditerranée Métropole" in text
    assert "une décision ne peut pas élire ; le conseil de métropole y procède d’abord" in text
    assert "d’élire" not in text and "le vote est secret" not in text


def test_the_calendar_of_the_convention_and_its_years():
    text = said(make_draft())
    assert "lancement de la consultation le 1er avril 2027" in text and "fin des marchés le" not in text
    assert "exercices [à compléter]" in text
    assert "Calendrier : [à compléter]." in said(make_draft(calendar=()))


def test_a_known_session_dates_the_act_and_its_convocation():
    """Meeting on Monday 18/05/2026, five clear days: the convocation leaves on Tuesday 12/05 at the latest."""
    text = said(make_draft(session_on=date(2026, 5, 18)))
    assert "Séance du 18 mai 2026" in text
    assert "5 jours francs avant la séance, donc le 12 mai 2026 au plus tard" in text
    assert "Séance du ………" in said(make_draft())


@pytest.mark.parametrize(
    ("population", "title", "days"), [(3_499, "Exposé des motifs", 3), (3_500, "Note explicative de synthèse", 5)]
)
def test_the_note_is_named_as_the_law_asks(population, title, days):
    values = make_draft(population=population)
    assert values.note_title == title
    assert f"{days} jours francs" in said(values)
    assert ("que la loi n’impose pas" in said(values)) is (population < 3_500)


def test_a_doubt_about_who_decides_is_told_with_its_source():
    doubts = tuple(remarks(Facts(body="commune", maker="president")))
    text = said(make_draft(remarks=doubts))
    assert (
        "ne peut pas déléguer au maire" in text and "établi pour le conseil municipal" in text and "QE n° 1560" in text
    )


@pytest.mark.parametrize(("code", "label"), [("1.7", "1.7 – Actes spéciaux et divers"), ("8.2", "8.2")])
def test_the_subject_code_is_printed_with_its_name(code, label):
    values = make_draft(matter_code=code)
    assert values.transmission[-1].text == label and values.matter_code == code


def test_many_lots_are_named_by_their_numbers():
    text = said(make_draft(lots=24))
    assert "désignés à l’article 1 de la convention annexée" in text
    assert re.search(r"lots \d+(, \d+){10,} et \d+, désignés à l’article 1", text)


def test_the_annex_is_this_member_s_convention_with_its_fingerprint():
    annex = make_draft().annex.text.replace("\u00a0", " ")
    assert "GC-2027-01, version 1, exemplaire de la commune de Lattes (11 pages)" in annex
    assert f"GC-2027-01_{LATTES}.pdf, empreinte SHA-256 : {SHA}" in annex


def test_a_permanent_grouping_is_called_so():
    text = said(make_draft(kind="", convention=sample_values(members=12, kind="permanent")))
    assert "Adhésion au groupement de commandes permanent « " in text
    assert "ne vaut que pour les consultations lancées après" in text


@pytest.mark.parametrize("maker", ["council", "bureau", "president"])
@pytest.mark.parametrize("siren", [LATTES, CCAS[0], COORDINATOR])
def test_the_french_is_typeset_and_no_value_shows_its_python(siren, maker):
    values = make_draft(siren, maker=maker, committee_mode="SPECIFIC", as_of=date(2018, 6, 15))
    text = "\n".join(part for item in to_json(values).values() for part in _strings(item))
    assert not re.search(r"[^\W\d_]'[^\W\d_]", text), "an apostrophe is ’"
    assert not re.search(r" [;:!?»%€]|« |n° |\b[LRD]\. \d", text), "a no-break space is missing"
    assert not re.search(r"\bNone\b|\{|\}|de le |à le |  ", text)


def _strings(value) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        return [text for item in value.values() for text in _strings(item)]
    return [text for item in value for text in _strings(item)] if isinstance(value, list | tuple) else []


@pytest.mark.parametrize("session_on", [None, date(2027, 2, 4)])
def test_values_go_through_json_and_back(session_on):
    import json

    values = make_draft(session_on=session_on)
    again = from_json(json.loads(json.dumps(to_json(values))))
    assert again == values and again.sha256 == values.sha256
    assert replace(values, reference="GC-2").sha256 != values.sha256
    with pytest.raises(ValueError, match="Schéma"):
        from_json({**to_json(values), "schema": 2})
    with pytest.raises(KeyError):
        from_json({"schema": 1})


@pytest.mark.parametrize("day", [date(2015, 1, 1), date(2016, 4, 1), date(2019, 4, 1)])
def test_every_period_of_the_table_is_cited(day):
    visas = [line.text.replace("\u00a0", " ").replace("\u202f", " ") for line in make_draft(as_of=day).visas]
    assert all(f"{visa} ;" in visas for visa in legal_basis_on(day).visas)
