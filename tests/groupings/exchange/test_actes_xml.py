"""The XML messages of @CTES: both schemas, every encoding and prefix seen, what is refused and why."""

import re
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groupings.exchange.actes_xml import read_message
from groupings.exchange.receipts import EARLY, Receipt, ReceiptKind, UnreadableReceipt
from groupings.rules.actes import parse_actes_id
from tests.groupings.exchange.samples import (
    MONTPELLIER,
    RECEIVED,
    acte_recu,
    anomaly,
    aracte,
    attributes_of,
    cancellation,
    ids,
    xml,
)
from tests.groupings.rules.calendars import day, days

EXAMPLE = Path(__file__).with_name("aractes_example.xml")
#: Computed once: hypothesis takes a second to find the characters of a codec, inside the time given to an example.
WESTERN = [c for c in bytes(range(256)).decode("windows-1252", "ignore") if unicodedata.category(c)[0] not in "CZ"]
SUBJECT = "Groupement de commandes : achat d’énergie à l’été"

# Real messages of the tests of the Stela platform (SICTIAM), typed again without what is not read.
STELA_ANOMALY = """<?xml version="1.0" encoding="ISO-8859-1"?>
<actes:AnomalieActe xmlns:actes="http://www.interieur.gouv.fr/ACTES#v1.1-20040216">
  <actes:Date>2018-10-12</actes:Date>
  <actes:Nature>002</actes:Nature>
  <actes:Detail>ODT-VERIF-01 : Votre acte a été transmis avec une date de classification qui n'est pas à
    jour</actes:Detail>
  <actes:ActeRecu actes:CodeNatureActe="1" actes:Date="2018-10-01" actes:NumeroInterne="123456">
    <actes:CodeMatiere1 actes:CodeMatiere="1"/>
    <actes:CodeMatiere2 actes:CodeMatiere="1"/>
    <actes:CodeMatiere3 actes:CodeMatiere="1"/>
    <actes:CodeMatiere5 actes:CodeMatiere="1"/>
    <actes:Objet>Sans session encore</actes:Objet>
    <actes:Document>
      <actes:NomFichier>99_DE-044-214400152-20181012-123456-DE-1-1_1.pdf</actes:NomFichier>
    </actes:Document>
    <actes:DocumentPapier/>
  </actes:ActeRecu>
</actes:AnomalieActe>"""
STELA_CANCELLATION = """<?xml version="1.0" encoding="ISO-8859-1"?>
<actes:ARAnnulation xmlns:actes="http://www.interieur.gouv.fr/ACTES#v1.1-20040216"
    xmlns:insee="http://xml.insee.fr/schema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
    actes:DateReception="2018-11-28" actes:IDActe="044-214400152-20181106-TEST_DGCL_4-DE"
    xsi:schemaLocation="http://www.interieur.gouv.fr/ACTES#v1.1-20040216 actesv1_1.xsd"/>
"""


def read(message: str, **how) -> Receipt:
    return read_message(xml(message, **how), "accuse.xml")


def refusal(content: bytes) -> str:
    with pytest.raises(UnreadableReceipt) as refused:
        read_message(content, "accuse.xml")
    return str(refused.value)


def test_the_real_example():
    assert read_message(EXAMPLE.read_bytes(), EXAMPLE.name) == Receipt(
        kind=ReceiptKind.RECEIVED,
        actes_id=parse_actes_id("034-491011698-20171207-CL20171227_06-DE"),
        received_on=day("27/12/2017"),
        decided_on=day("07/12/2017"),
        number="CL20171227_06",
        nature="DE",
        matter="3.2",
        subject="Fichier signé parapheur",
    )


@pytest.mark.parametrize("paper", [True, False])
def test_both_schemas(paper):
    receipt = read(aracte(paper=paper), encoding="utf-8")
    assert (receipt.actes_id, receipt.received_on) == (MONTPELLIER, RECEIVED)


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("ISO-8859-15", "ISO-8859-15"),
        ("windows-1252", "windows-1252"),
        ("windows-1252", "ISO-8859-1"),  # as Windows platforms do
        ("windows-1252", "UTF-8"),  # wrongly declared
        ("utf-8", "UTF-8"),
        ("utf-8", "ISO-8859-1"),  # wrongly declared
        ("utf-8-sig", "UTF-8"),
        ("utf-8-sig", "windows-1252"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16"),  # without its mark
        ("utf-16-be", "UTF-16"),
    ],
)
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_every_encoding(encoding, declared, newline):
    subject = "Énergie 2 000 €" if encoding == "ISO-8859-15" else f"{SUBJECT} – 2 000 €"
    message = aracte(subject=subject).replace("><", f">{newline}<")
    assert read(message, encoding=encoding, declared=declared, newline=newline).subject == subject


def test_no_declaration():
    assert read_message(aracte(subject="été").encode(), "x").subject == "été"
    assert read_message(f"\r\n  {aracte(subject='été')}\r\n".encode("latin-1", "replace"), "x").subject == "été"


@pytest.mark.parametrize(
    "change",
    [
        lambda message: message.replace(" actes:", " ").replace("<actes:", "<").replace("</actes:", "</"),
        lambda message: re.sub(r" actes:(\w+=)", r" \1", message),  # elements prefixed, attributes not
        lambda message: message.replace("actes:", "ns2:").replace("xmlns:actes", "xmlns:ns2"),
        lambda message: message.replace("#v1.1-20040216", "#v1.4-20250101"),
        lambda message: (
            f'<e:EnveloppeMISILLCL xmlns:e="urn:e"><e:Messages>{message}</e:Messages></e:EnveloppeMISILLCL>'
        ),
        lambda message: f"<!-- relayé -->{message}<?fin?>",
    ],
)
def test_prefixes_and_wrappers_do_not_matter(change):
    assert read(change(aracte()), encoding="utf-8") == read(aracte(), encoding="utf-8")


@pytest.mark.parametrize("behind", ["", "T10:12:45", "T10:12:45+02:00", " 10:12:45", "+01:00", "Z"])
def test_the_hour_of_the_reception_is_left_out(behind):
    assert read(aracte(received_on=f"2016-06-02{behind}"), encoding="utf-8").received_on == day("02/06/2016")


@pytest.mark.parametrize("said", ["", "2016-02-30", "02/06/2016", "2016-06-021", "demain"])
def test_a_reception_without_a_day_is_refused(said):
    assert "date de réception" in refusal(xml(aracte(received_on=said), "utf-8"))


@pytest.mark.parametrize(
    ("matter", "expected"),
    [((1, 7), "1.7"), ((7, 10), "7.10"), (("01", "07", 2, 4, 1), "1.7"), ((7,), ""), ((), ""), (("x", 7), "")],
)
def test_the_matter_is_a_text_of_two_levels(matter, expected):
    assert read(aracte(matter=matter), encoding="utf-8").matter == expected


def test_an_act_received_without_its_identifier_is_refused():
    message = aracte().replace(f'actes:IDActe="{MONTPELLIER}"', "")
    assert refusal(xml(message, "utf-8")) == "Ce message ne donne pas l’identifiant ACTES de l’acte (IDActe)."


def test_a_wrong_identifier_is_refused_with_its_fault():
    assert "sa clé ne correspond pas" in refusal(xml(aracte().replace("213401722", "213401723"), "utf-8"))


def test_a_message_that_contradicts_its_identifier_says_so():
    other = attributes_of(MONTPELLIER) | {"Date": "2016-05-27", "CodeNatureActe": "2"}
    receipt = read(aracte(act=other), encoding="utf-8")
    assert receipt.reason == "L’acte décrit et son identifiant diffèrent par la date et la nature."
    assert (receipt.decided_on, receipt.nature) == (day("27/05/2016"), "AR")


def test_an_act_received_before_its_date_says_so():
    assert read(aracte(received_on="2016-05-25"), encoding="utf-8").reason == EARLY
    assert read(aracte(received_on="2016-05-26"), encoding="utf-8").reason == ""


def test_the_identifier_completes_a_silent_act():
    receipt = read(aracte(act={}), encoding="utf-8")
    assert (receipt.decided_on, receipt.number, receipt.nature) == (day("26/05/2016"), "D2016_123", "DE")


def test_a_long_subject_is_cut():
    receipt = read(aracte(subject="a" * 5000), encoding="utf-8")
    assert receipt.subject == "a" * 499 + "…"


def test_a_cancellation_has_no_reception():
    receipt = read_message(STELA_CANCELLATION.encode(), "044-214400152-20181106-TEST_DGCL_4-DE-6-2_10.xml")
    assert receipt.kind == ReceiptKind.CANCELLED
    assert str(receipt.actes_id) == "044-214400152-20181106-TEST_DGCL_4-DE"
    assert receipt.received_on is None
    assert "retiré cet acte du contrôle de légalité le 28/11/2018" in receipt.reason


def test_a_cancellation_without_a_day_still_cancels():
    receipt = read(cancellation(on=""), encoding="utf-8")
    assert (receipt.kind, receipt.actes_id) == (ReceiptKind.CANCELLED, MONTPELLIER)


def test_an_anomaly_is_no_reception_and_says_why():
    receipt = read_message(STELA_ANOMALY.encode("latin-1"), "044-214400152----1-3_1.xml")
    assert receipt == Receipt(
        kind=ReceiptKind.ANOMALY,
        # The file was named on the day of sending: the date is the act's.
        actes_id=parse_actes_id("044-214400152-20181001-123456-DE"),
        decided_on=day("01/10/2018"),
        number="123456",
        nature="DE",
        matter="1.1",
        subject="Sans session encore",
        reason="L’acte n’est pas reçu. Anomalie 002 du 12/10/2018\u00a0: ODT-VERIF-01 : Votre acte a été transmis "
        "avec une date de classification qui n'est pas à jour",
    )


@pytest.mark.parametrize(
    ("filename", "siren"),
    [("034-213401722----1-3_1.xml", "213401722"), ("anomalie.xml", None), ("034-213401723----1-3_1.xml", None)],
)
def test_the_body_of_an_anomaly_may_be_in_its_file_name_only(filename, siren):
    message = anomaly("Refus", acte_recu(attributes_of(MONTPELLIER)))
    receipt = read_message(xml(message), filename)
    assert (receipt.actes_id and receipt.actes_id.siren) == siren
    assert receipt.number == "D2016_123"


def test_an_anomaly_that_says_nothing():
    receipt = read(anomaly(""))
    assert receipt.reason == "L’acte n’est pas reçu. Anomalie 002 du 02/06/2016\u00a0: le message ne dit pas pourquoi."
    assert receipt.actes_id is None


@pytest.mark.parametrize(
    ("forms", "expected"),
    [
        ([f"{MONTPELLIER}-1-1_0.xml"], MONTPELLIER),
        ([f"{MONTPELLIER}-1-1_0.xml", f"{MONTPELLIER}-1-1_0.xml"], MONTPELLIER),
        ([f"{MONTPELLIER}-1-1_0.xml", "034-213401722-20160526-2-DE-1-1_0.xml"], None),  # two acts: which one?
        (["044-214400152-20180905-4365-DE-4365-DE_0.xml"], None),  # real
        ([f"{MONTPELLIER}-6-1_0.xml"], None),  # the refused envelope asked for a cancellation: the act stands
        ([], None),
    ],
)
def test_an_anomaly_of_an_envelope_is_of_the_act_it_sent(forms, expected):
    names = "".join(
        f"<actes:Formulaire><actes:NomFichier>{form}</actes:NomFichier></actes:Formulaire>" for form in forms
    )
    envelope = (
        f"<actes:EnveloppeRecue><actes:FormulairesEnvoyes>{names}</actes:FormulairesEnvoyes></actes:EnveloppeRecue>"
    )
    receipt = read(anomaly("Transaction inconnue", envelope, name="AnomalieEnveloppe", nature="999"))
    assert (receipt.kind, receipt.actes_id) == (ReceiptKind.ANOMALY, expected)
    assert receipt.reason.endswith("Anomalie 999 du 02/06/2016\u00a0: Transaction inconnue")


@pytest.mark.parametrize(
    ("root", "reason"),
    [
        ("RetourClassification", "la liste des matières"),
        ("EnveloppeMISILLCL", "sans l’accusé de réception"),
        ("Acte", "et non sa réception"),
        ("DemandePieceComplementaire", "pièces complémentaires"),
        ("LettreObservations", "lettre d’observations"),
        ("html", "n’est pas un message de l’application ACTES («\u00a0html\u00a0»)"),
    ],
)
def test_other_messages_are_refused_politely(root, reason):
    assert reason in refusal(xml(aracte().replace("ARActe", root), "utf-8"))


def test_several_messages_are_refused_together():
    both = f"<messages>{aracte()}{cancellation()}</messages>"
    assert "contient 2 messages" in refusal(xml(both, "utf-8"))


BOMB = "".join(f'<!ENTITY b{rank} "{f"&b{rank - 1};" * 10}">' for rank in range(1, 10))


@pytest.mark.parametrize(
    "doctype",
    [
        f'<!DOCTYPE ARActe [<!ENTITY b0 "boum">{BOMB}]>',
        '<!DOCTYPE ARActe [<!ENTITY b9 SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE ARActe [<!ENTITY % d SYSTEM "http://localhost/x.dtd">%d;]>',
        '<!DOCTYPE ARActe SYSTEM "actes.dtd">',
        "<!DOCTYPE ARActe>",
    ],
)
def test_a_dtd_is_refused(doctype):
    message = doctype + aracte(subject="SUBJECT").replace("SUBJECT", "&b9;" if "b9" in doctype else "")
    assert "contient une DTD ou des entités" in refusal(xml(message, "utf-8"))


@pytest.mark.parametrize(
    "content",
    [
        xml(aracte(), "utf-8")[:300],
        xml(aracte(), "utf-8") + b"<encore/>",
        xml(aracte().replace(' xmlns:actes="', ' xmlns:autre="'), "utf-8"),  # a prefix of nothing
        xml(aracte(subject="&"), "utf-8").replace(b"&amp;", b"&inconnue;"),
        xml(aracte(subject="A"), "utf-8").replace(b">A<", b">\x00<"),
        b"<",
        b'<?xml version="1.0"?>',
        b"\xff\xfe<\x00a",
        b"<\x00a\x00>",
        b"<a>" * 100_000,
    ],
)
def test_broken_xml_is_refused(content):
    sentence = refusal(content)
    assert "abîmé" in sentence or "codage inconnu" in sentence


def test_depth_and_weight_are_bounded():
    assert "n’est pas un message" in refusal(b"<a>" * 100_000 + b"</a>" * 100_000)
    assert "dépasse 1\u00a0Mo" in refusal(b"<a>" + b" " * 2**20 + b"</a>")


@settings(max_examples=200)
@given(
    ids,
    days,
    st.text(WESTERN, max_size=80),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "windows-1252"]),
    st.sampled_from(["UTF-8", "ISO-8859-1", "windows-1252"]),
    st.tuples(st.integers(1, 9), st.integers(1, 10)),
    st.booleans(),
)
def test_what_the_state_writes_is_read_back(actes_id, received_on, subject, encoding, declared, matter, paper):
    message = aracte(actes_id, received_on, subject=f"é{subject}", matter=matter, paper=paper)
    receipt = read(message, encoding=encoding, declared=declared)
    assert (receipt.kind, receipt.actes_id, receipt.received_on) == (ReceiptKind.RECEIVED, actes_id, received_on)
    assert (receipt.decided_on, receipt.number) == (actes_id.decided_on, actes_id.number)
    assert receipt.nature == actes_id.nature
    assert receipt.matter == f"{matter[0]}.{matter[1]}"
    assert receipt.reason == (EARLY if received_on < actes_id.decided_on else "")
    if encoding != "windows-1252":  # an « é » then « © » in windows-1252 are the bytes of one letter in UTF-8
        assert receipt.subject == f"é{subject}"


@given(ids, days)
def test_a_cancellation_never_receives(actes_id, on):
    receipt = read(cancellation(actes_id, str(on)))
    assert (receipt.kind, receipt.actes_id, receipt.received_on) == (ReceiptKind.CANCELLED, actes_id, None)
