"""Bytes of receipts, built as the State and the platforms build them: XML messages and stamped PDFs."""

import io
import zlib
from collections.abc import Sequence
from datetime import date
from xml.sax.saxutils import escape, quoteattr

from hypothesis import strategies as st
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas
from stdnum.luhn import calc_check_digit

from groupings.rules.actes import NATURES, ActesId, parse_actes_id
from tests.groupings.rules.calendars import day, days

NAMESPACE = "http://www.interieur.gouv.fr/ACTES#v1.1-20040216"
#: The Ville de Montpellier, on a day of its council.
MONTPELLIER = parse_actes_id("034-213401722-20160526-D2016_123-DE")
QUOTED = parse_actes_id("034-213401722-20140424-0000071285-DE")
RECEIVED = day("02/06/2016")

#: A paragraph of an act that quotes another one, with its identifier.
BODY = [
    "EXTRAIT DU REGISTRE DES DÉLIBÉRATIONS DU CONSEIL MUNICIPAL",
    "Séance du 26 mai 2016. Date de convocation : 20/05/2016. Date d’affichage : 20/05/2016",
    f"Vu la délibération {QUOTED} du 24 avril 2014, reçue en préfecture le 29/04/2014 ;",
    "Le conseil approuve la convention constitutive du groupement de commandes.",
]

ids = st.builds(
    lambda department, root, *rest: ActesId(department, root + calc_check_digit(root), *rest),
    st.sampled_from(["001", "034", "095", "02A", "02B", "971", "988"]),
    st.integers(0, 99_999_999).map(lambda number: f"{number:08d}"),
    days,
    st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_]{0,14}", fullmatch=True),
    st.sampled_from(sorted(NATURES)),
)


def aracte(
    actes_id: ActesId | str = MONTPELLIER,
    received_on: date | str = RECEIVED,
    *,
    subject: str = "Groupement de commandes – fournitures",
    matter: Sequence[int | str] = (1, 7),
    paper: bool = True,
    act: dict[str, str] | None = None,
) -> str:
    """An ARActe as the State writes it, without its XML declaration; ``paper`` is the variant of 2018.

    ``act``: attributes of ActeRecu; those of ``actes_id`` by default. An empty value leaves the attribute out.
    """
    if act is None:
        act = attributes_of(actes_id)
    return _element(
        "ARActe",
        {"DateReception": str(received_on), "IDActe": str(actes_id)},
        acte_recu(act, subject=subject, matter=matter, paper=paper)
        + _element("ClassificationDateVersionEnCours", {}, "2015-11-13"),
        root=True,
    )


def attributes_of(actes_id: ActesId) -> dict[str, str]:
    return {
        "CodeNatureActe": NATURES[actes_id.nature][0],
        "Date": str(actes_id.decided_on),
        "NumeroInterne": actes_id.number,
    }


def acte_recu(
    act: dict[str, str],
    *,
    subject: str = "Groupement de commandes",
    matter: Sequence[int | str] = (1, 7),
    paper: bool = True,
    files: Sequence[str] = (),
) -> str:
    codes = "".join(
        _element(f"CodeMatiere{level}", {"CodeMatiere": str(code)}) for level, code in enumerate(matter, start=1)
    )
    names = "".join(_element("NomFichier", {}, name) for name in files)
    return _element(
        "ActeRecu",
        act,
        codes
        + _element("Objet", {}, escape(subject))
        + _element("ClassificationDateVersion", {}, "2015-11-13")
        + _element("Document", {}, names)
        + _element("Annexes", {"Nombre": "0"})
        + (_element("DocumentPapier", {}, "N") if paper else ""),
    )


def cancellation(actes_id: ActesId | str = MONTPELLIER, on: str = "2016-07-01") -> str:
    return _element("ARAnnulation", {"DateReception": on, "IDActe": str(actes_id)}, root=True)


def anomaly(detail: str, inside: str = "", *, name: str = "AnomalieActe", nature: str = "002") -> str:
    """``inside``: the ActeRecu or EnveloppeRecue of the message."""
    said = _element("Date", {}, "2016-06-02") + _element("Nature", {}, nature) + _element("Detail", {}, escape(detail))
    return _element(name, {}, said + inside, root=True)


def xml(message: str, encoding: str = "ISO-8859-1", *, declared: str | None = None, newline: str = "\n") -> bytes:
    """``message`` in bytes behind its declaration, which says ``declared`` if that differs from the truth."""
    return f'<?xml version="1.0" encoding="{declared or encoding}"?>{newline}{message}'.encode(encoding)


def _element(name: str, attributes: dict[str, str], content: str = "", *, root: bool = False) -> str:
    written = "".join(f" actes:{key}={quoteattr(value)}" for key, value in attributes.items() if value)
    declared = f' xmlns:actes="{NAMESPACE}"' if root else ""
    return f"<actes:{name}{declared}{written}>{content}</actes:{name}>"


def s2low(
    actes_id: ActesId | str = MONTPELLIER, received: str = "02/06/2016", *, sent: str = "01/06/2016", posted: str = ""
) -> list[str]:
    """The commonest stamp, on each page; « Affiché le » is most often left blank."""
    return [
        f"Envoyé en préfecture le {sent}",
        f"Reçu en préfecture le {received}",
        f"Affiché le {posted}",
        f"ID : {actes_id}",
    ]


def pdf(*pages: Sequence[str], password: str | None = None, compress: bool = True) -> bytes:
    """A PDF with a page for each list of lines; ``password`` is asked to open it, an empty one only to change it."""
    buffer = io.BytesIO()
    encryption = None if password is None else StandardEncryption(password, ownerPassword="owner", strength=128)
    canvas = Canvas(buffer, pageCompression=int(compress), encrypt=encryption, invariant=True)
    for lines in pages:
        for rank, line in enumerate(lines):
            canvas.drawString(50, 800 - 14 * rank, line)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def columns(labels: Sequence[str], values: Sequence[str]) -> bytes:
    """A PDF that draws all its labels, then all their values beside them."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, invariant=True)
    for left, lines in ((50, labels), (300, values)):
        for rank, line in enumerate(lines):
            canvas.drawString(left, 800 - 14 * rank, line)
    canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def scan(pages: int = 1) -> bytes:
    """A PDF of drawings without a letter, as a scanner makes."""
    buffer = io.BytesIO()
    canvas = Canvas(buffer, invariant=True)
    for _ in range(pages):
        canvas.rect(50, 50, 400, 700, fill=1)
        canvas.showPage()
    canvas.save()
    return buffer.getvalue()


def forged_pdf(content: bytes, *, pages: int = 6) -> bytes:
    """A PDF written by hand whose pages all draw ``content``, a stream of operators, once inflated."""
    packed = zlib.compress(content, 9)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count %d/Kids[%s]>>" % (pages, b"3 0 R " * pages),
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        b"<</Filter/FlateDecode/Length %d>>stream\n%s\nendstream" % (len(packed), packed),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    written, offsets = b"%PDF-1.7\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(b"%010d 00000 n \n" % len(written))
        written += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, b"".join(offsets))
    trailer = b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(written))
    return written + table + trailer
