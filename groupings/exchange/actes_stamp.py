"""The stamp of the contrôle de légalité in the text of a PDF: identifier, days of sending, reception and publication.

Each platform of télétransmission writes its own, on every page or on an acknowledgement page at the end:

- « Envoyé en préfecture le 09/02/2021 / Reçu en préfecture le 09/02/2021 / Affiché le / ID : 013-… »;
- « Accusé de réception en préfecture / 013-… / Date de télétransmission : … / Date de réception préfecture : … »;
- « Accusé de réception – Ministère de l’intérieur / 034-… / Accusé certifié exécutoire / Réception par le préfet : … /
  Affichage : … », « AR Prefecture / 006-… / Reçu le … », « Identifiant unique : … / Reçu par le MI le … »,
  « Date d’émission de l’accusé de réception : 2021-06-02(GMT+1) / Identifiant Acte : … ».

An act quotes others, with their identifiers: the stamp's is the one beside the stamp's words. A page without both an
identifier there and a day of reception is no stamp, for an act « envoyé » and not « reçu » is not received.
"""

import io
import re
import time
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import chain

from pypdf import PageObject, PdfReader, apply_configuration

from groupings.exchange.receipts import EARLY, NoText, Receipt, ReceiptKind, TypeByHand, UnreadableReceipt
from groupings.rules.actes import ActesId, ActesIdError, parse_actes_id

#: Pages read at each end: stamps are on the first, acknowledgements on the last.
PAGES_AT_EACH_END = 3
#: Seconds after which no further page is begun; the limits below keep the last one under a few more.
_PATIENCE = 5
#: What a page of text never needs: beyond, a hostile file stops with an error of pypdf, whose own limits are laxer.
_LIMITS = {
    "zlib_maximum_output_length": 3_000_000,
    "lzw_maximum_output_length": 3_000_000,
    "run_length_maximum_output_length": 3_000_000,
    "array_based_stream_maximum_output_length": 3_000_000,
    "stream_decoding_work_maximum_length": 6_000_000,
    "stream_parsing_work_maximum_count": 100_000,
    "xform_maximum_invocations_per_extraction": 200,
}
_MAX_CHARACTERS = 30_000  # of a page; a dense one has 6 000

_BY_HAND = "\u00a0: saisissez les champs à la main."
_HYPHENS = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-") | {"\u00ad": ""})

# Labels are matched in any case but for their first letter: « Reçu en préfecture le » is a stamp, « l’acte reçu en
# préfecture le » is prose. A dot stands for an accented letter, which some fonts lose.
_PREFECTURE = r"(?:sous-? ?)?pr.fecture"
_PREFET = rf"(?:{_PREFECTURE}|(?:sous-? ?)?pr.f(?:et|.te))"
_RECEIVED = (
    rf"(?-i:R)e.?u (?:en|par la|. la) {_PREFECTURE}",
    rf"(?-i:R).ception (?:(?:par|en|de|.) )?(?:l[ea] )?{_PREFET}",
    rf"(?-i:D)ate de r.ception (?:(?:par|en|de|.) )?(?:l[ea] )?{_PREFET}",
    r"(?-i:R)e.?u par le (?-i:[A-Z]{2,8})",
)
#: Words of reception too common to count without the heading of a stamp before them.
_RECEIVED_UNDER_HEADING = (
    r"(?-i:R)e.?u",
    r"(?-i:R).ception",
    r"(?-i:D)ate de r.ception",
    r"(?-i:D)ate d.? ?.mission de l.? ?accus. de r.ception",
)
_SENT = (
    rf"(?-i:E|É)nvoy. (?:en|. la) {_PREFECTURE}",
    rf"(?-i:T)ransmis (?:en|. la) {_PREFECTURE}",
    rf"(?-i:T).l.transmis(?: en {_PREFECTURE})?",
    r"(?-i:D)ate de t.l.transmission",
    rf"(?-i:E)nvoi(?: (?:en )?{_PREFECTURE})?",
)
_PUBLISHED = (
    r"(?-i:A)ffich.e?",
    r"(?-i:P)ubli.e?(?: par voie d.affichage)?",
    r"(?-i:M)ise? en ligne",
    r"(?-i:A)ffichage(?: ?/ ?publication)?",
    r"(?-i:P)ublication(?: ?/ ?affichage)?",
    r"(?-i:D)ate d.? ?affichage",
    r"(?-i:D)ate de (?:publication|mise en ligne)",
)
_HEADINGS = (
    r"(?-i:A)ccus. de r.ception(?: en pr.fecture)?(?: ?-? ?minist.re de l.? ?int.rieur)?",
    r"(?-i:A)cte re.?u par",
    rf"(?-i:AR)[ -]{_PREFECTURE}",
)
_MONTHS = ("janv", "f.vr", "mars", "avr", "mai", "juin", "juil", "ao.t", "sept", "oct", "nov", "d.c")
_DATE = (
    r"(?:(?P<day>[0-3]?[0-9]) ?[/.-] ?(?P<month>[01]?[0-9]) ?[/.-] ?(?P<year>[0-9]{4})(?![0-9])"
    r"|(?P<iso>[0-9]{4}-[0-9]{2}-[0-9]{2})(?![0-9])"
    rf"|(?P<day_in_words>[0-3]?[0-9])(?:er)? (?P<month_in_words>{'|'.join(_MONTHS)})[a-z]*\.? "
    r"(?P<year_in_words>[0-9]{4}))"
)


def _label(patterns: tuple[str, ...]) -> str:
    return rf"(?<![^\W_])(?:{'|'.join(patterns)})(?![^\W_])"


def _dated(patterns: tuple[str, ...]) -> re.Pattern:
    return re.compile(rf"{_label(patterns)} ?:? ?(?:le |du )?(?:: ?)?{_DATE}", re.IGNORECASE)


_RECEIVED_DATE, _SENT_DATE, _PUBLISHED_DATE = map(_dated, (_RECEIVED, _SENT, _PUBLISHED))
_HEADED_DATE = _dated(_RECEIVED_UNDER_HEADING)
_RECEIVED_LABEL, _HEADING = (re.compile(_label(patterns), re.IGNORECASE) for patterns in (_RECEIVED, _HEADINGS))
_ANY_LABEL = re.compile(_label((*_RECEIVED, *_SENT[:4], *_PUBLISHED[:2], *_HEADINGS)), re.IGNORECASE)
#: The object of the act, and what most often follows it: the text of a page has no end of line.
_SUBJECT = re.compile(r"\bO(?:bjet|BJET) ?: ?(.{10,250})")
_AFTER_SUBJECT = re.compile(
    r" (?=Rapporteu|Vu |L.(?:an|AN) |Le [CMP]|M\. |Mme |Fichiers? |Monsieur|Madame|Exposé|Considérant)"
)
_SIMULATED = re.compile(r"\b(?:R.ception|Envoi) simul.e?\b|\(SIMULATION\)")
_ID_LABEL = re.compile(
    r"\b(?:ID|Identifiant(?: unique)?(?: de l.acte| acte| ACTES)?) ?: ?(?:[0-9]{2}_[A-Z]{2}-)?$", re.I
)
#: An identifier, one space tolerated anywhere: a narrow stamp breaks it at the end of its lines. Its number may hold
#: hyphens, and it ends at the first nature that nothing continues but the ranks of a file name (``-1-1_1``).
_ID = re.compile(
    r"(?<![0-9])[0-9] ?[0-9] ?[0-9ABab] ?- ?[0-9](?: ?[0-9]){8} ?- ?[0-9](?: ?[0-9]){7} ?- ?"
    r"[A-Za-z0-9_](?: ?[A-Za-z0-9_-]){0,14}? ?- ?(?:D ?E|A ?[RIU]|C ?C|B ?F)"
    r"(?:(?=-[0-9]-[0-9]_[0-9])|(?![A-Za-z0-9_-]))"
)
#: Characters between an identifier and the heading, the words, then the furthest day of its stamp.
_UNDER, _NEAR, _SAME_STAMP = 40, 80, 300

_Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Stamp:
    actes_id: ActesId
    received_on: date
    sent_on: date | None
    published_on: date | None


def read_stamp(content: bytes) -> Receipt:
    """The reception that the stamp of a PDF tells, of kind RECEIVED.

    Several stamps with different identifiers (an annex that was an act of its own): the first page's is read, and
    ``reason`` names the others. Raises NoText for a scan or a closed file, TypeByHand for a text without a whole
    stamp, UnreadableReceipt for a damaged PDF or a stamp of simulation.
    """
    texts = [text for text in _page_texts(content) if text]
    if sum(map(len, texts)) < 10:
        raise NoText(f"Ce PDF ne contient pas de texte{_BY_HAND}")
    if any(map(_SIMULATED.search, texts)):
        raise UnreadableReceipt("Le tampon de ce PDF est une simulation\u00a0: l’acte n’est pas reçu en préfecture.")
    stamps = list(chain.from_iterable(map(_stamps, texts)))
    if not stamps:
        raise TypeByHand(_what_is_missing(texts))
    first = stamps[0]
    return Receipt(
        kind=ReceiptKind.RECEIVED,
        actes_id=first.actes_id,
        received_on=first.received_on,
        sent_on=first.sent_on,
        published_on=first.published_on,
        decided_on=first.actes_id.decided_on,
        number=first.actes_id.number,
        nature=first.actes_id.nature,
        subject=_subject(texts),
        reason=_doubts(first, stamps),
    )


def _page_texts(content: bytes) -> list[str]:
    """The text of the pages at both ends, on one line each. Raises NoText or UnreadableReceipt."""
    with apply_configuration(**_LIMITS):
        try:
            # pypdf looks for the end of a file that has none line by line, for minutes.
            reader = PdfReader(io.BytesIO(content if b"%%EOF" in content[-4096:] else b""))
            # A file that only its owner may change opens with an empty password, as in any viewer.
            closed = reader.is_encrypted and not reader.decrypt("")
            count = 0 if closed else len(reader.pages)
        except Exception as error:  # whatever a hostile file makes pypdf raise, from KeyError to RecursionError
            raise UnreadableReceipt("Ce PDF est abîmé\u00a0: téléchargez-le à nouveau.") from error
        if closed:
            raise NoText(f"Ce PDF est protégé par un mot de passe{_BY_HAND}")
        begun = time.monotonic()
        ends = sorted({*range(count)[:PAGES_AT_EACH_END], *range(count)[-PAGES_AT_EACH_END:]})
        return [_page_text(reader, number) for number in ends if time.monotonic() - begun < _PATIENCE]


def _page_text(reader: PdfReader, number: int) -> str:
    """One page; a page that cannot be read does not hide the stamp of the others."""
    try:
        page = reader.pages[number]
        text = _on_one_line(page.extract_text())
        if _RECEIVED_LABEL.search(text) and not _RECEIVED_DATE.search(text):
            # The days were drawn apart from their labels: the layout puts both on one line again.
            text += " " + _on_one_line(_laid_out(page))
    except Exception:  # as above
        return ""
    return text


def _laid_out(page: PageObject) -> str:
    return page.extract_text(extraction_mode="layout", layout_mode_strip_rotated=False)


def _on_one_line(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text[:_MAX_CHARACTERS]).translate(_HYPHENS).split())


def _stamps(text: str) -> Iterator[_Stamp]:
    """The stamps of a page from top to bottom: those whose identifier shows best that it is one."""
    labels, headings = ([found.span() for found in label.finditer(text)] for label in (_ANY_LABEL, _HEADING))
    receptions = _days(_RECEIVED_DATE, text) + [
        (span, day)
        for span, day in _days(_HEADED_DATE, text)
        if any(0 <= span[0] - end <= 2 * _SAME_STAMP for _start, end in headings)
    ]
    if not receptions:
        return
    sendings, publications = _days(_SENT_DATE, text), _days(_PUBLISHED_DATE, text)
    labels += [span for span, _day in receptions + sendings + publications]
    ranked = []
    for span, actes_id in _identifiers(text):
        rank = _rank(text, span, labels, headings)
        near, received_on = min(receptions, key=lambda reception: _gap(span, reception[0]))
        if rank and (rank == _LABELLED_AFAR or _gap(span, near) <= _SAME_STAMP):
            sent_on, published_on = (
                _nearest(days, near, since=actes_id.decided_on) for days in (sendings, publications)
            )
            ranked.append((rank, _Stamp(actes_id, received_on, sent_on, published_on)))
    best = min((rank for rank, _stamp in ranked), default=0)
    yield from (stamp for rank, stamp in ranked if rank == best)


#: How an identifier shows that it is the stamp's, surest first.
_LABELLED, _UNDER_HEADING, _BESIDE, _LABELLED_AFAR = 1, 2, 3, 4


def _rank(text: str, span: _Span, labels: list[_Span], headings: list[_Span]) -> int:
    """One of the four ranks above; 0 for an identifier of the body of the act."""
    gap = min((_gap(span, label) for label in labels), default=len(text))
    if _ID_LABEL.search(text, max(0, span[0] - _UNDER), span[0]):
        return _LABELLED if gap <= _NEAR else _LABELLED_AFAR
    if any(0 <= span[0] - end <= _UNDER for _start, end in headings):
        return _UNDER_HEADING
    return _BESIDE if gap <= 1 else 0  # without even a comma: the line above or below


def _identifiers(text: str) -> Iterator[tuple[_Span, ActesId]]:
    for found in _ID.finditer(text):
        try:
            yield found.span(), parse_actes_id(found.group().replace(" ", ""))
        except ActesIdError:
            continue


def _gap(one: _Span, other: _Span) -> int:
    """Characters between two spans."""
    return max(other[0] - one[1], one[0] - other[1], 0)


def _days(pattern: re.Pattern, text: str) -> list[tuple[_Span, date]]:
    return [(found.span(), day) for found in pattern.finditer(text) if (day := _day(found))]


def _nearest(days: list[tuple[_Span, date]], stamp: _Span, *, since: date) -> date | None:
    """The day of the same stamp nearest to its reception; one before ``since`` is that of the convocation."""
    near = [(_gap(span, stamp), day) for span, day in days if day >= since and _gap(span, stamp) <= _SAME_STAMP]
    return min(near, default=(0, None))[1]


def _day(found: re.Match) -> date | None:
    """The date of a match of ``_dated``; None when it is not in the calendar."""
    part = found.groupdict()
    try:
        if part["iso"]:
            return date.fromisoformat(part["iso"])
        if part["year"]:
            return date(int(part["year"]), int(part["month"]), int(part["day"]))
        written = part["month_in_words"].lower()
        month = next(rank for rank, name in enumerate(_MONTHS, start=1) if re.match(name, written))
        return date(int(part["year_in_words"]), month, int(part["day_in_words"]))
    except ValueError:
        return None


def _subject(texts: list[str]) -> str:
    """What follows « Objet : » on the first page that says it, a few words too many perhaps; empty when none does."""
    found = next(filter(None, map(_SUBJECT.search, texts)), None)
    return _AFTER_SUBJECT.split(_ANY_LABEL.split(found[1])[0])[0].strip() if found else ""


def _doubts(first: _Stamp, stamps: list[_Stamp]) -> str:
    doubts = []
    if others := sorted({str(stamp.actes_id) for stamp in stamps} - {str(first.actes_id)}):
        doubts.append(f"Ce PDF porte aussi le tampon d’un autre acte, qui n’est pas lu\u00a0: {', '.join(others)}.")
    elif len(days := sorted({stamp.received_on for stamp in stamps})) > 1:
        written = " et ".join(f"{day:%d/%m/%Y}" for day in days)
        doubts.append(f"Les tampons de ce PDF portent plusieurs dates de réception\u00a0: {written}.")
    if first.received_on < first.actes_id.decided_on:
        doubts.append(EARLY)
    return " ".join(doubts)


def _what_is_missing(texts: list[str]) -> str:
    """Why no page has a whole stamp, the sentence that helps most."""
    words = (_RECEIVED_LABEL, _HEADING, _SENT_DATE)
    stamped = [text for text in texts if any(label.search(text) for label in words)]
    if not stamped:
        return f"Ce PDF ne porte pas de tampon du contrôle de légalité{_BY_HAND}"
    if not any(_days(_RECEIVED_DATE, text) or _days(_HEADED_DATE, text) for text in stamped):
        return f"Le tampon de ce PDF ne donne pas de date de réception en préfecture{_BY_HAND}"
    return f"Le tampon de ce PDF ne donne pas d’identifiant ACTES juste{_BY_HAND}"
