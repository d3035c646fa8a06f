"""Stamped PDFs: the layout of each platform, typed again from public documents, and all that is not a reception."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from groupings.exchange import actes_stamp
from groupings.exchange.actes_stamp import read_stamp
from groupings.exchange.receipts import EARLY, NoText, Receipt, ReceiptKind, TypeByHand, UnreadableReceipt
from groupings.rules.actes import parse_actes_id
from tests.groupings.exchange.samples import (
    BODY,
    MONTPELLIER,
    QUOTED,
    columns,
    forged_pdf,
    ids,
    pdf,
    s2low,
    scan,
)
from tests.groupings.rules.calendars import day, days

ID = str(MONTPELLIER)

#: Lines of the stamp → received, sent, published. The act is always Montpellier's of 26 May 2016.
LAYOUTS = {
    "S2LOW": (
        ["Envoyé en préfecture le 01/06/2016", "Reçu en préfecture le 02/06/2016", "Affiché le", f"ID : {ID}"],
        ("02/06/2016", "01/06/2016", None),
    ),
    "S2LOW, posted": (
        [
            "Envoyé en préfecture le 01/06/2016",
            "Reçu en préfecture le 02/06/2016",
            "Affiché le 03/06/2016",
            f"ID : {ID}",
        ],
        ("02/06/2016", "01/06/2016", "03/06/2016"),
    ),
    "S2LOW since 2022": (
        [
            "Envoyé en préfecture le 01/06/2016",
            "Reçu en préfecture le 02/06/2016",
            "Publié le 03/06/2016",
            f"ID : {ID}",
        ],
        ("02/06/2016", "01/06/2016", "03/06/2016"),
    ),
    "S2LOW without accents": (
        ["ENVOYE EN PREFECTURE LE 01/06/2016", "RECU EN PREFECTURE LE 02/06/2016", "PUBLIE LE", f"ID : {ID}"],
        ("02/06/2016", "01/06/2016", None),
    ),
    "S2LOW, one line": (
        [f"Envoyé en préfecture le 01/06/2016 Reçu en préfecture le 02/06/2016 Publié le ID : {ID} Madame le Maire"],
        ("02/06/2016", "01/06/2016", None),
    ),
    "identifier first": (
        [ID, "Envoyé en préfecture le 01/06/2016", "Reçu en préfecture le 02/06/2016"],
        ("02/06/2016", "01/06/2016", None),
    ),
    "télétransmission": (
        [
            "Accusé de réception en préfecture",
            ID,
            "Date de télétransmission : 01/06/2016",
            "Date de réception préfecture : 02/06/2016",
        ],
        ("02/06/2016", "01/06/2016", None),
    ),
    "Ministère de l’intérieur": (
        [
            "Accusé de réception – Ministère de l’intérieur",
            ID,
            "Accusé certifié exécutoire",
            "Réception par le préfet : 02/06/2016",
            "Affichage / Publication : 03/06/2016",
        ],
        ("02/06/2016", None, "03/06/2016"),
    ),
    "Ministère de l’intérieur, days in full": (
        [
            "Accusé de réception - Ministère de l'Intérieur",
            ID,
            "Envoi : 1er juin 2016",
            "Réception : 2 juin 2016",
        ],
        ("02/06/2016", "01/06/2016", None),
    ),
    "certified": (
        [
            "AR-Préfecture de Montpellier",
            ID,
            "Acte certifié exécutoire",
            "Réception par le Préfet : 02-06-2016",
            "Publication le : 03-06-2016",
        ],
        ("02/06/2016", None, "03/06/2016"),
    ),
    "AR Prefecture": (
        ["AR Prefecture", ID, "Reçu le 02/06/2016", "Publié le 03/06/2016"],
        ("02/06/2016", None, "03/06/2016"),
    ),
    "sous-préfecture": (
        ["Transmis en sous-préfecture le 01/06/2016", "Reçu en sous-préfecture le 02/06/2016", f"Identifiant : {ID}"],
        ("02/06/2016", "01/06/2016", None),
    ),
    "S2LOW, acknowledgement": (
        [
            "Bordereau d'acquittement de transaction",
            "Nature de transaction : Transmission d'actes",
            "Numéro de l'acte : D2016_123",
            "Date de la décision : 2016-05-26 00:00:00+02",
            f"Identifiant unique : {ID}",
            "Objet : convention constitutive d'un groupement de commandes pour les fournitures scolaires",
            "Fichiers contenus dans l'archive : 3 fichiers, dont un document principal, une annexe et une enveloppe",
            "Cycle de vie de la transaction : posté, en attente de transmission, transmis, acquittement reçu",
            "Acquittement reçu 2 juin 2016 à 10h12min45s Reçu par le MI le 2016-06-02",
        ],
        ("02/06/2016", None, None),
    ),
    "acknowledgement of the State": (
        [
            "Accusé de réception",
            "Acte reçu par: Préfecture de l'Hérault",
            "Nature transaction: AR de transmission d'acte",
            "Date d'émission de l'accusé de réception: 2016-06-02(GMT+1)",
            "Nombre de pièces jointes: 1",
            "N° de SIREN: 213401722",
            "Numéro Acte de la collectivité locale: D2016_123",
            "Objet acte: Groupement de commandes",
            "Nature de l'acte: Délibérations",
            "Matière: 1.7-Actes speciaux et divers",
            f"Identifiant Acte: {ID}",
        ],
        ("02/06/2016", None, None),
    ),
}


def refusal(content: bytes, kind: type[UnreadableReceipt] = TypeByHand) -> str:
    with pytest.raises(UnreadableReceipt) as refused:
        read_stamp(content)
    assert type(refused.value) is kind, refused.value
    return str(refused.value)


@pytest.mark.parametrize("name", list(LAYOUTS))
@pytest.mark.parametrize("place", ["alone", "above", "below", "last page"])
def test_every_layout(name, place):
    lines, expected = LAYOUTS[name]
    pages = {"alone": [lines], "above": [lines + BODY], "below": [BODY + lines], "last page": [BODY] * 4 + [lines]}
    receipt = read_stamp(pdf(*pages[place]))
    received, sent, published = (value and day(value) for value in expected)
    assert replace(receipt, subject="") == Receipt(
        kind=ReceiptKind.RECEIVED,
        actes_id=MONTPELLIER,
        received_on=received,
        sent_on=sent,
        published_on=published,
        decided_on=day("26/05/2016"),
        number="D2016_123",
        nature="DE",
    )


@pytest.mark.parametrize(
    "lines",
    [
        ["ID : 034-213401722-20160526-", "D2016_123-DE"],
        ["ID : 034-2134017", "22-20160526-D2016_123-DE"],
        ["ID : 034 - 213401722 - 20160526 - D2016_123 - DE"],
        ["ID :034-213401722-20160526-D2016_", "123-DE"],
        ["ID", ": 034–213401722–20160526–D2016_123–DE"],
        ["ID : 034-213401722-20160526-D2016_123-", "DE"],
        ["ID : 034-213401722-20160526-D2016_123-D", "E"],
        ["ID : 99_DE-034-213401722-20160526-D2016_123-DE-1-1_1.pdf"],
    ],
)
def test_a_broken_identifier_is_put_together(lines):
    assert read_stamp(pdf(s2low()[:3] + lines)).actes_id == MONTPELLIER


@pytest.mark.parametrize(
    "text",
    [
        "013-211300074-20220106-AR-2022-02-AR",  # real, of Auriol
        "034-213401722-20220106-DE-DE-DE",
        "034-213401722-20220106-2022-DE-1-DE",
        "034-213401722-20220106-2022-DE-BIS-DE",
        "02A-212000046-20220229-7-DE".replace("0229", "0228"),
    ],
)
def test_hyphens_and_natures_inside_a_number(text):
    assert read_stamp(pdf(s2low(text, "08/01/2022", sent="07/01/2022"))).actes_id == parse_actes_id(text)


def test_what_follows_an_identifier_is_not_of_its_number():
    assert read_stamp(pdf([*s2low(), "5-DE", "A-AI"])).actes_id == MONTPELLIER
    short = "034-213401722-20160526-7-DE"
    assert str(read_stamp(pdf([*s2low(short), "N 5-DE"])).actes_id) == short


def test_an_identifier_quoted_beside_the_stamp_is_not_taken():
    receipt = read_stamp(pdf([*BODY, str(QUOTED), *s2low()]))
    assert (receipt.actes_id, receipt.reason) == (MONTPELLIER, "")
    receipt = read_stamp(pdf([*BODY, f"Vu la délibération {QUOTED},", *s2low()]))
    assert (receipt.actes_id, receipt.reason) == (MONTPELLIER, "")
    receipt = read_stamp(pdf([*LAYOUTS["AR Prefecture"][0], f"Vu la délibération {QUOTED},"]))
    assert (receipt.actes_id, receipt.reason) == (MONTPELLIER, "")


@pytest.mark.parametrize("between", ["Le maire,", ""])
def test_a_stamp_without_identifier_does_not_take_the_one_quoted(between):
    quoting = [*BODY, f"Vu la délibération {QUOTED},", between]
    assert "d’identifiant ACTES" in refusal(pdf(quoting + s2low()[:3]))


def test_a_wrong_identifier_is_typed_by_hand():
    assert "d’identifiant ACTES" in refusal(pdf(s2low("034-213401723-20160526-D2016_123-DE")))


@pytest.mark.parametrize("received", ["", "31/02/2016", "02/06/16", "juin 2016"])
def test_sent_is_not_received(received):
    sentence = refusal(pdf(s2low(received=received)))
    assert "ne donne pas de date de réception en préfecture\u00a0: saisissez les champs à la main." in sentence


def test_a_blank_posting_takes_no_day_from_elsewhere():
    later = ["Reçu par le service le 12/06/2016", "Publié au recueil", "Le 14/06/2016"]
    assert read_stamp(pdf(s2low() + later)).published_on is None


def test_the_posting_of_the_convocation_is_not_the_act_s():
    assert read_stamp(pdf([*s2low(), "Date d’affichage : 20/05/2016"])).published_on is None
    assert read_stamp(pdf([*s2low(), "Date d’affichage : 03/06/2016"])).published_on == day("03/06/2016")


def test_common_words_are_no_stamp_without_its_heading():
    words = ["Reçu le 02/06/2016", "Réception : 02/06/2016", f"ID : {ID}"]
    assert "ne porte pas de tampon" in refusal(pdf(words))
    assert read_stamp(pdf(["AR Préfecture", *words])).received_on == day("02/06/2016")


def test_the_prose_of_an_act_is_no_stamp():
    prose = [*BODY, f"L’acte {QUOTED} a été reçu en préfecture le 29/04/2014 et affiché le 30/04/2014."]
    assert "ne porte pas de tampon" in refusal(pdf(prose))


@pytest.mark.parametrize(
    "lines",
    [
        ["Envoi simulé le 01/06/2016", "Reception simulée le 02/06/2016", "Publication simulée le", f"ID : {ID}"],
        ["Accusé de réception en préfecture (SIMULATION)", ID, "Date de réception préfecture : 02/06/2016"],
    ],
)
def test_a_stamp_of_a_test_platform_is_refused(lines):
    assert "est une simulation" in refusal(pdf(BODY + lines), UnreadableReceipt)


@pytest.mark.parametrize(
    ("lines", "subject"),
    [
        (
            ["Objet : Adhésion au groupement de commandes", "« Papier »", "Vu le code"],
            "Adhésion au groupement de commandes « Papier »",
        ),
        (["OBJET: Achat groupé de papier", *s2low()], "Achat groupé de papier"),
        (["L’objet du contrat : néant"], ""),
        (
            LAYOUTS["S2LOW, acknowledgement"][0],
            "convention constitutive d'un groupement de commandes pour les fournitures scolaires",
        ),
        ([], ""),
    ],
)
def test_the_object_of_the_act_is_read_beside_its_stamp(lines, subject):
    assert read_stamp(pdf([*s2low(), *lines])).subject == subject


def test_an_act_sent_is_told_from_an_act_without_stamp():
    assert "ne donne pas de date de réception" in refusal(pdf([*s2low()[:1], "Affiché le", f"ID : {MONTPELLIER}"]))


def test_the_same_stamp_on_every_page():
    receipt = read_stamp(pdf(*[[*s2low(), *BODY]] * 9))
    assert (receipt.actes_id, receipt.reason) == (MONTPELLIER, "")


def test_of_several_acts_the_first_page_is_read_and_the_others_said():
    annexed = s2low(QUOTED, "29/04/2014", sent="28/04/2014")
    receipt = read_stamp(pdf(s2low(), annexed, s2low()))
    assert receipt.actes_id == MONTPELLIER
    assert receipt.reason == f"Ce PDF porte aussi le tampon d’un autre acte, qui n’est pas lu\u00a0: {QUOTED}."


def test_of_several_stamps_of_one_page_the_first_is_read():
    receipt = read_stamp(pdf(s2low(QUOTED, "29/04/2014", sent="28/04/2014", posted="30/04/2014") + s2low()))
    assert (receipt.actes_id, receipt.received_on) == (QUOTED, day("29/04/2014"))
    assert (receipt.sent_on, receipt.published_on) == (day("28/04/2014"), day("30/04/2014"))
    assert ID in receipt.reason


def test_two_days_of_reception_are_said():
    receipt = read_stamp(pdf(s2low(), s2low(received="03/06/2016")))
    assert receipt.received_on == day("02/06/2016")
    assert receipt.reason.endswith("plusieurs dates de réception\u00a0: 02/06/2016 et 03/06/2016.")


def test_a_reception_before_the_act_is_said():
    assert read_stamp(pdf(s2low(received="25/05/2016"))).reason == EARLY


def test_days_drawn_apart_from_their_labels():
    content = columns(
        ["Accusé de réception", "Identifiant :", "Date de réception préfecture :", "Date de publication :"],
        ["", ID, "02/06/2016", "03/06/2016"],
    )
    receipt = read_stamp(content)
    assert (receipt.actes_id, receipt.received_on, receipt.published_on) == (
        MONTPELLIER,
        day("02/06/2016"),
        day("03/06/2016"),
    )


def test_pages_of_the_middle_are_not_read():
    assert "ne porte pas de tampon" in refusal(pdf(*[BODY] * 3, s2low(), *[BODY] * 3))
    assert read_stamp(pdf(*[BODY] * 3, s2low(), *[BODY] * 2)).actes_id == MONTPELLIER


def test_a_scan_is_typed_by_hand():
    expected = "Ce PDF ne contient pas de texte\u00a0: saisissez les champs à la main."
    assert refusal(scan(2), NoText) == expected
    assert refusal(pdf(["1/2"]), NoText) == expected


def test_a_password_closes_a_pdf_only_if_it_is_asked_to_open_it():
    assert "protégé par un mot de passe" in refusal(pdf(s2low(), password="secret"), NoText)
    assert read_stamp(pdf(s2low(), password="")).actes_id == MONTPELLIER


@pytest.mark.parametrize("kept", [0.2, 0.5, 0.9])
def test_a_truncated_pdf_is_refused(kept):
    content = pdf(s2low() + BODY)
    assert "abîmé" in refusal(content[: int(len(content) * kept)], UnreadableReceipt)


@pytest.mark.parametrize(
    "content",
    [
        forged_pdf(bytes(50_000_000)),
        forged_pdf(b"BT /F 12 Tf " + b"(a)Tj " * 400_000 + b"ET"),
        forged_pdf(b"BT /F 12 Tf " + b"(a)Tj " * 40_000 + b"ET"),
        forged_pdf(b"BT /F 12 Tf 10 700 Td (" + b"Recu en prefecture le 01/01/2020 ID : " * 40_000 + b")Tj ET"),
        forged_pdf(b"BT /F 12 Tf 10 700 Td (" + b"0 1 2 3 " * 10_000 + b")Tj ET"),
        forged_pdf(b"BT " + b"<<" * 1_000_000),
        forged_pdf(b"BT " + b"[" * 1_000_000),
        b"%PDF-1.4\n" + b"1 0 obj\n<<>>\nendobj\n" * 450_000,
        b"%PDF-1.4\n1 0 obj\n" + b"[" * 5_000_000 + b"\n%%EOF",
        b"%PDF-1.4\n" + b"a\n" * 5_000_000,
        b"%PDF-1.4\n" + b"a\n" * 5_000_000 + b"%%EOF",
        b"%PDF-1.4\n" + b"1 0 obj\n" * 1_000_000 + b"startxref\n9\n%%EOF",
        b"%PDF-1.7\n%%EOF",
        b"%PDF-",
    ],
)
def test_a_hostile_pdf_is_refused_and_the_server_goes_on(content, monkeypatch):
    monkeypatch.setattr(actes_stamp, "_PATIENCE", 0.5)  # the last page begun may take ten times that
    with pytest.raises(UnreadableReceipt):
        read_stamp(content)


@settings(max_examples=100, deadline=None)
@given(
    ids,
    days,
    days,
    st.sampled_from(["above", "below", "among pages"]),
    st.sampled_from(["%d/%m/%Y", "%d-%m-%Y", "%Y-%m-%d", "%d . %m . %Y"]),
)
def test_what_is_stamped_is_read_back(actes_id, received_on, sent_on, place, written):
    lines = s2low(actes_id, f"{received_on:{written}}", sent=f"{sent_on:{written}}")
    pages = {"above": [lines + BODY], "below": [BODY + lines], "among pages": [BODY, lines, BODY]}
    receipt = read_stamp(pdf(*pages[place]))
    assert (receipt.actes_id, receipt.received_on) == (actes_id, received_on)
    assert receipt.sent_on == (sent_on if sent_on >= actes_id.decided_on else None)
    assert receipt.reason == (EARLY if received_on < actes_id.decided_on else "")


@settings(max_examples=100, deadline=None)
@given(ids, days, st.integers(1, 40))
def test_a_break_anywhere_in_the_identifier_is_mended(actes_id, received_on, place):
    text = str(actes_id)
    lines = [*s2low(received=f"{received_on:%d/%m/%Y}")[:3], f"ID : {text[:place]}", text[place:]]
    assert read_stamp(pdf(lines)).actes_id == actes_id
