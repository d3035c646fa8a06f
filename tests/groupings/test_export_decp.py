"""``manage.py export_decp``: what is published, what is missing lot by lot, what is left out, nothing half written."""

import csv
import io
import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from djmoney.money import Money
from frictionless import Resource, Schema

from groupings.essential_data import BOXES, member_rows, publication, subject_of
from groupings.exchange.decp.companion import COLUMNS, MemberRow, write_members
from groupings.exchange.decp.record import _REQUIRED, Contract
from groupings.models import Award, AwardHolder, AwardShare
from tests.groupings.exchange.test_decp_writer import official_json, official_xml
from tests.support.essential_data import (
    make_complete_award,
    make_framework_award,
    make_launched,
    make_published_lot,
)
from tests.support.factories import (
    make_award,
    make_consultation,
    make_lot,
    make_membership,
    make_metropole,
    make_organisation,
    make_siret,
)

pytestmark = pytest.mark.django_db
SCHEMA = Path(__file__).resolve().parents[2] / "docs/schemas/membres-des-marches.schema.json"
TODAY = date(2026, 11, 28)


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setattr("django.utils.timezone.localdate", lambda *args: TODAY)


@pytest.fixture
def metropole():
    return make_metropole(
        name="Montpellier Méditerranée Métropole", siren="243400017", siret="24340001700022", postcode="34000"
    )


@pytest.fixture
def city(metropole):
    return make_organisation(
        parent=metropole, name="Ville de Montpellier", siren="213401722", siret="21340172201787", insee_code="34172"
    )


def export(tmp_path, *arguments, file_format="json", **options):
    """(content, standard output, standard error); raises CommandError as the command does."""
    out, err, file = io.StringIO(), io.StringIO(), tmp_path / f"decp.{file_format}"
    call_command("export_decp", *arguments, format=file_format, out=str(file), stdout=out, stderr=err, **options)
    return file.read_bytes(), out.getvalue(), err.getvalue()


def marches(content):
    return json.loads(content, parse_float=Decimal)["marches"]["marche"]


def refused(tmp_path, *arguments, **options) -> str:
    """The sentence of a refusal; nothing is written."""
    with pytest.raises(CommandError) as refusal:
        export(tmp_path, *arguments, **options)
    assert list(tmp_path.iterdir()) == []
    return str(refusal.value)


def test_a_lot(tmp_path, metropole, city):
    """The fields of one marché, worked by hand from interop.md §2."""
    grouping, (own, other) = make_launched(metropole, metropole, city, title="Papier & enveloppes d'été")
    lot = make_lot(grouping, 2, title="Ramettes <A4>", cpv="30197630")
    award = make_framework_award(
        lot,
        "1200000.50",
        reference="2026M042L02",
        extension_count=2,
        extension_months=6,
        has_advance=True,
        advance_rate=Decimal("7.50"),
        shares=[(own, "1000000.00"), (other, "200000.50")],
    )
    AwardHolder.objects.filter(award=award).update(identifier="55204599900869")
    content, told, warned = export(tmp_path, year=2026)
    assert official_json(content) == []
    assert b'"montant": 1200000.50,' in content
    assert marches(content) == [
        {
            "id": "2026M042L02",
            "acheteur": {"id": "24340001700022"},
            "nature": "Marché",
            "objet": "Groupement de commandes – Papier & enveloppes d'été – lot n° 2 : Ramettes <A4>",
            "codeCPV": "30197630",
            "procedure": "Appel d'offres ouvert",
            "lieuExecution": {"code": "34", "typeCode": "Code département"},
            "dureeMois": 60,  # 48 and two extensions of six
            "dateNotification": "2026-05-05",
            "datePublicationDonnees": "2026-06-15",
            "montant": Decimal("1200000.50"),
            "formePrix": "Unitaire",
            "titulaires": [{"titulaire": {"typeIdentifiant": "SIRET", "id": "55204599900869"}}],
            "considerationsSociales": {"considerationSociale": ["Pas de considération sociale"]},
            "considerationsEnvironnementales": {
                "considerationEnvironnementale": ["Clause environnementale", "Critère environnemental"]
            },
            "techniques": {"technique": ["Accord-cadre"]},
            "modalitesExecution": {"modaliteExecution": ["Bons de commande"]},
            "typesPrix": {"typePrix": ["Définitif ferme"]},
            "marcheInnovant": False,
            "ccag": "Fournitures courantes et services",
            "offresRecues": 3,
            "attributionAvance": True,
            "tauxAvance": Decimal("0.075"),
            "typeGroupementOperateurs": "Pas de groupement",
            "sousTraitanceDeclaree": False,
        }
    ]
    assert told == f"1 marché écrit dans {tmp_path}/decp.json, membres dans {tmp_path}/decp-membres.csv.\n"
    assert warned == ""
    content, _, _ = export(tmp_path, grouping.reference, file_format="xml")
    assert official_xml(content)
    assert (
        "<objet>Groupement de commandes – Papier &amp; enveloppes d'été – lot n° 2 : Ramettes &lt;A4&gt;".encode()
        in content
    )


def test_a_group_of_companies_has_one_holder_each(tmp_path, metropole):
    award = make_published_lot(metropole, metropole, operators_kind="several", reference="ABCDEFGHIJKLMNOP")
    AwardHolder.objects.create(award=award, name="GmbH", identifier_type="vat", identifier="DE123456789", is_lead=False)
    for file_format, check in (("json", lambda c: official_json(c) == []), ("xml", official_xml)):
        content, _, _ = export(tmp_path, file_format=file_format)
        assert check(content)
    (marche,) = marches(export(tmp_path)[0])
    assert marche["id"] == "ABCDEFGHIJKLMNOP"
    assert [holder["titulaire"]["typeIdentifiant"] for holder in marche["titulaires"]] == ["SIRET", "TVA"]
    assert marche["typeGroupementOperateurs"] == "Solidaire"


def test_the_names_of_a_lot_as_long_as_they_can_be(tmp_path, metropole):
    grouping, _ = make_launched(metropole, metropole, title="G" * 200)
    award = make_complete_award(make_lot(grouping, title="L" * 200))
    assert len(subject_of(award)) <= 1000
    assert official_json(export(tmp_path)[0]) == []


@pytest.mark.parametrize(
    ("procedure", "small_lot", "expected"),
    [
        ("restricted", False, "Appel d'offres restreint"),
        ("adapted", False, "Procédure adaptée"),
        ("open", True, "Procédure adaptée"),
        ("without_notice", False, "Marché passé sans publicité ni mise en concurrence préalable"),
    ],
)
def test_the_procedure_is_spelt_as_the_schema_does(tmp_path, metropole, procedure, small_lot, expected):
    award = make_published_lot(metropole, metropole)
    type(award.consultation).objects.update(procedure=procedure)
    reason = "Moins de 80 000 € et de 20 % des lots." if small_lot else ""
    type(award.lot).objects.update(takes_small_lot_exception=small_lot, small_lot_reason=reason)
    assert [marche["procedure"] for marche in marches(export(tmp_path)[0])] == [expected]


def test_the_threshold_is_reached_at_forty_thousand_euros_and_the_others_are_told(tmp_path, metropole):
    grouping, _ = make_launched(metropole, metropole)
    lots = [make_lot(grouping, number) for number in range(1, 6)]
    make_complete_award(lots[0], "40000.00", reference="A1")
    make_complete_award(lots[1], "39999.99", reference="A2")
    make_complete_award(lots[2], "50000.00", reference="A3", notified_on=None, data_published_on=None)
    make_award(
        grouping.consultations.get(),
        lots[3],
        outcome="unsuccessful",
        reason="Aucune offre",
        decided_on=date(2026, 4, 10),
    )
    content, _, warned = export(tmp_path, year=2026)
    assert [marche["id"] for marche in marches(content)] == ["A1"]
    name = grouping.reference
    source = "CCP, R2196-1 et arrêté du 22 décembre 2022 relatif aux données essentielles des marchés publics"
    assert warned.splitlines() == [
        f"Non publié\u00a0: {name}, lot 2 – Lot de fournitures 2\u00a0: 39\u202f999,99\u00a0€ HT, sous le seuil de "
        f"40\u202f000,00\u00a0€ HT ({source}).",
        f"Non publié\u00a0: {name}, lot 3 – Lot de fournitures 3\u00a0: le marché n’est pas encore notifié.",
        f"Non publié\u00a0: {name}, lot 4 – Lot de fournitures 4\u00a0: lot non attribué (infructueux).",
    ]


def test_a_notification_before_the_first_threshold_is_left_out_and_said(tmp_path, metropole):
    days = {"decided_on": date(2019, 1, 1), "signed_on": date(2019, 1, 2), "data_published_on": None}
    make_published_lot(metropole, metropole, **days | {"notified_on": date(2019, 1, 3)})
    with pytest.raises(CommandError, match="Aucun marché à publier en 2019"):
        export(tmp_path, year=2019)
    (item,) = publication(Award.objects.all(), TODAY).left_out
    assert "Aucun seuil de publication n’est enregistré pour une notification du 03/01/2019." in str(item)


@pytest.mark.parametrize(
    ("insee", "postcode", "expected"),
    [("34172", "", "34"), ("2B033", "", "2B"), ("", "20000", "2A"), ("", "97400", "974"), ("01004", "69000", "01")],
)
def test_the_place_is_the_department_of_the_coordinator(tmp_path, metropole, insee, postcode, expected):
    make_published_lot(metropole, metropole)
    type(metropole).objects.update(insee_code=insee, postcode=postcode)
    (marche,) = marches(export(tmp_path)[0])
    assert marche["lieuExecution"]["code"] == expected


def test_the_year_is_that_of_the_notification(tmp_path, metropole):
    """Decided in December, notified on 2 January: it belongs to the new year."""
    dates = {"decided_on": date(2025, 12, 15), "signed_on": date(2025, 12, 31), "data_published_on": None}
    make_published_lot(metropole, metropole, reference="N1", **dates | {"notified_on": date(2026, 1, 1)})
    make_published_lot(metropole, metropole, reference="N2", **dates | {"notified_on": date(2025, 12, 31)})
    content, told, _ = export(tmp_path, year=2026)
    assert [marche["id"] for marche in marches(content)] == ["N1"]
    assert marches(content)[0]["datePublicationDonnees"] == "2026-11-28"  # published today, since never before
    assert "Sans date de publication\u00a0: 1." in told
    assert [marche["id"] for marche in marches(export(tmp_path, year=2025)[0])] == ["N2"]


def test_what_is_missing_is_told_lot_by_lot_and_nothing_is_written(tmp_path, metropole):
    grouping, _ = make_launched(metropole, metropole)
    consultation = make_consultation(grouping, procedure="")
    facts = {"decided_on": date(2026, 4, 10), "signed_on": date(2026, 5, 4), "notified_on": date(2026, 5, 5)}
    bare = {"reference": "", "duration_months": None, "offers_received": None}
    for number in (1, 2):
        award = make_award(consultation, make_lot(grouping, number), "60000.00", **facts | bare)
        award.holders.all().delete()
    complete = make_published_lot(metropole, metropole)
    type(metropole).objects.update(siret="", postcode="")
    sentence = refused(tmp_path, year=2026)
    assert sentence.startswith("Rien n’est écrit\u00a0: 3 lots à compléter.\n")
    for name in (
        f"{grouping.reference}, lot 1",
        f"{grouping.reference}, lot 2",
        f"{complete.lot.grouping.reference}, lot 1",
    ):
        assert name in sentence
    boxes = "numéro du marché, technique d’achat, modalité d’exécution, CCAG, offres reçues, avance attribuée, "
    boxes += "durée ferme (mois), type de prix, forme du prix, sous-traitance déclarée, titulaire, considérations "
    boxes += "sociales, considérations environnementales"
    listed = ", ".join(f"«\u00a0{box}\u00a0»" for box in boxes.split(", "))
    assert sentence.count(f"  – À remplir dans l’attribution du lot\u00a0: {listed}.") == 2
    assert sentence.count("  – À remplir dans la consultation\u00a0: «\u00a0procédure\u00a0».") == 2
    place = "À remplir dans la fiche du coordonnateur\u00a0: «\u00a0SIRET du siège\u00a0», «\u00a0code postal\u00a0»."
    assert sentence.count(place) == 3


def test_every_field_of_a_contract_has_its_box():
    assert set(_REQUIRED) <= set(BOXES)
    assert set(Contract.__dataclass_fields__) - {"nature"} <= set(BOXES)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"data_published_on": date(2026, 5, 4)},
            "avant la notification du 05/05/2026. À corriger\u00a0: «\u00a0données",
        ),
        ({"notified_on": date(2026, 12, 1), "data_published_on": None}, "(01/12/2026) n’est pas encore venue"),
        ({"offers_received": 0}, "Un marché attribué a reçu au moins une offre"),
        ({"advance_rate": Decimal("5")}, "Un taux d’avance est indiqué alors qu’aucune avance"),
        ({"operators_kind": "joint"}, "un seul est saisi. À corriger\u00a0: «\u00a0groupement d’entreprises\u00a0»"),
    ],
)
def test_what_is_wrong_is_told_with_its_box(tmp_path, metropole, changes, sentence):
    make_published_lot(metropole, metropole, **changes)
    assert sentence in refused(tmp_path, year=2026)


def test_a_wrong_key_of_siret_is_told(tmp_path, metropole):
    award = make_published_lot(metropole, metropole)
    AwardHolder.objects.filter(award=award).update(identifier="55204599900868")
    type(metropole).objects.update(siret="24340001700023")
    sentence = refused(tmp_path)
    assert "La clé du SIRET 55204599900868 est fausse" in sentence
    assert "La clé du SIRET 24340001700023 est fausse" in sentence


def test_two_lots_of_one_number_are_both_told(tmp_path, metropole):
    one, two = (make_published_lot(metropole, metropole, reference="M1") for _ in range(2))
    sentence = refused(tmp_path)
    for award in (one, two):
        assert f"Le numéro M1 est aussi celui de {award.lot.grouping.reference}, lot 1" in sentence


def test_shares_that_miss_a_cent_stop_the_file(tmp_path, metropole, city):
    grouping, (own, other) = make_launched(metropole, metropole, city)
    make_complete_award(make_lot(grouping), "60000.00", shares=[(own, "30000.00"), (other, "29999.99")])
    assert "Les parts des membres font 59\u202f999,99\u00a0€ HT, et le marché 60\u202f000,00\u00a0€ HT." in refused(
        tmp_path
    )


@pytest.mark.parametrize(
    ("arguments", "options", "sentence"),
    [
        ((), {"year": 2024}, "Aucun marché à publier en 2024\u00a0: rien n’est écrit."),
        ((), {}, "Aucun marché à publier dans cette base\u00a0: rien n’est écrit."),
        (("GC-INCONNU",), {}, "Aucun groupement ne porte la référence GC-INCONNU."),
        (("GC-1",), {"year": 2026}, "Donnez une référence ou une année, pas les deux."),
        ((), {"year": 26}, "26 n’est pas une année\u00a0: écrivez-la 2026."),
        ((), {"coordinator": "123456789"}, "Aucun groupement n’est coordonné par un organisme de SIREN 123456789."),
    ],
)
def test_nothing_to_publish_is_said_and_nothing_written(tmp_path, arguments, options, sentence):
    assert refused(tmp_path, *arguments, **options) == sentence


def test_an_ambiguous_reference_asks_for_the_coordinator(tmp_path, metropole):
    other = make_metropole(postcode="69000", siret="")
    type(other).objects.filter(pk=other.pk).update(siret="")
    for head in (metropole, other):
        grouping, _ = make_launched(head, head, reference="GC-2026-01")
        make_complete_award(make_lot(grouping), reference=f"M{head.pk}")
    sentence = refused(tmp_path, "GC-2026-01")
    assert "ajoutez --coordinator" in sentence
    assert metropole.siren in sentence and other.siren in sentence
    content, _, _ = export(tmp_path, "GC-2026-01", coordinator=metropole.siren)
    assert [marche["acheteur"]["id"] for marche in marches(content)] == ["24340001700022"]


def test_files_are_replaced_whole_or_not_at_all(tmp_path, metropole):
    """A former file stays as it was when the new one is refused; no partial file is left behind."""
    make_published_lot(metropole, metropole)
    export(tmp_path)
    former = (tmp_path / "decp.json").read_bytes()
    Award.objects.update(ccag="")
    with pytest.raises(CommandError):
        export(tmp_path)
    assert (tmp_path / "decp.json").read_bytes() == former
    assert sorted(path.name for path in tmp_path.iterdir()) == ["decp-membres.csv", "decp.json"]


@pytest.mark.parametrize(
    ("out", "members", "sentence"),
    [
        ("absent/decp.json", None, "son dossier n’existe pas"),
        (".", None, "est un dossier"),
        ("decp.json", "absent/membres.csv", "son dossier n’existe pas"),
        ("decp.json", "decp.json", "portent le même nom"),
    ],
)
def test_a_place_that_cannot_be_written(tmp_path, metropole, out, members, sentence):
    make_published_lot(metropole, metropole)
    options = {"out": tmp_path / out} | ({"members": tmp_path / members} if members else {})
    with pytest.raises(CommandError, match=sentence):
        call_command("export_decp", format="json", stdout=io.StringIO(), stderr=io.StringIO(), **options)
    assert list(tmp_path.iterdir()) == []


def members_of(path):
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


def test_the_companion_tells_the_members_and_their_shares(tmp_path, metropole, city):
    grouping, (own, other) = make_launched(metropole, metropole, city)
    shares = [(own, "33333.33"), (other, "26666.67")]
    make_complete_award(make_lot(grouping), "60000.00", reference="M1", shares=shares)
    export(tmp_path, members=str(tmp_path / "parts.csv"))
    common = {"marche_id": "M1", "acheteur_siret": "24340001700022"}
    assert members_of(tmp_path / "parts.csv") == [
        common
        | {
            "membre_siren": "243400017",
            "membre_siret": "24340001700022",
            "membre_nom": "Montpellier Méditerranée Métropole",
            "membre_type": "metropole",
            "part_ht": "33333.33",
            "est_coordonnateur": "true",
        },
        common
        | {
            "membre_siren": "213401722",
            "membre_siret": "21340172201787",
            "membre_nom": "Ville de Montpellier",
            "membre_type": "commune",
            "part_ht": "26666.67",
            "est_coordonnateur": "false",
        },
    ]


def test_without_shares_every_present_member_is_told_without_amount(tmp_path, metropole, city):
    grouping, _ = make_launched(metropole, metropole, city)
    gone = make_organisation(parent=metropole)
    make_membership(grouping, gone, withdrawn_on=date(2026, 1, 5))
    make_complete_award(make_lot(grouping))
    _, told, _ = export(tmp_path)
    rows = members_of(tmp_path / "decp-membres.csv")
    assert [(row["membre_nom"], row["part_ht"]) for row in rows] == [
        ("Montpellier Méditerranée Métropole", ""),
        ("Ville de Montpellier", ""),
    ]
    assert "Parts des membres non saisies" in told


def test_the_companion_is_valid_for_its_published_schema(tmp_path, metropole, city):
    schema = Schema.from_descriptor(json.loads(SCHEMA.read_text(encoding="utf-8")))
    assert tuple(schema.field_names) == COLUMNS
    kinds = ["metropole", "epci", "commune", "ccas", "syndicat", "other"]
    rows = [
        MemberRow(
            contract=f"M{rank}",
            buyer_siret="24340001700022",
            siren="213401722",
            siret="" if rank % 2 else make_siret(),
            name='=cmd, "guillemets"' if rank == 0 else "Œ" * 200,
            kind=kind,
            share=None if rank == 3 else Decimal(rank),
            is_coordinator=rank == 0,
        )
        for rank, kind in enumerate(kinds)
    ]
    (tmp_path / "membres.csv").write_bytes(write_members(rows))

    def resource():
        return Resource(path="membres.csv", basepath=str(tmp_path), schema=schema, encoding="utf-8")

    report = resource().validate()
    assert report.flatten(["message"]) == []
    assert members_of(tmp_path / "membres.csv")[0]["membre_nom"] == '\'=cmd, "guillemets"'
    spoilt = write_members(rows).replace(b"5.00", b"5,0").replace(b"ccas", b"CCAS")
    (tmp_path / "membres.csv").write_bytes(spoilt)
    assert not resource().validate().valid


def test_ten_lots_or_one_take_the_same_queries(metropole, city, django_assert_max_num_queries):
    grouping, (own, other) = make_launched(metropole, metropole, city)
    for number in range(1, 11):
        make_complete_award(make_lot(grouping, number), shares=[(own, "40000.00"), (other, "20000.00")])
    with django_assert_max_num_queries(4):
        found = publication(Award.objects.all(), TODAY)
        assert len(member_rows(found.lots)) == 20
    assert AwardShare.objects.count() == 20
    assert found.is_ready
    assert found.contracts[0].amount == Money("60000.00", "EUR").amount
