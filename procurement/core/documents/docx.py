"""Word files from Word templates: a jurist writes the template in Word, the program fills its fields and nothing else.

docxtpl repairs broken XML in silence, runs the template's own title as a program and loses « A & B » unless told
otherwise; here a field that is missing, empty (None) or misplaced raises ``DocxError``, every value is text, and
templates run in a sandbox. The same input gives the same bytes: dates come from the caller, never from the clock.
"""

import io
import unicodedata
import zipfile
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from docx.opc.exceptions import PackageNotFoundError
from docxtpl import DocxTemplate
from jinja2 import StrictUndefined, Template, TemplateError, Undefined
from jinja2.sandbox import SandboxedEnvironment
from lxml import etree
from markupsafe import Markup, escape

from procurement.core.documents.pdf import PRODUCT

LANGUAGE = "fr-FR"
#: The oldest date a zip can hold: that of every part of the file, which has its own date in its properties.
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)
_TITLE_LENGTH = 255  # of a core property, beyond which python-docx refuses
_NOT_XML = ("\ufffe", "\uffff")
_INVISIBLE = ("Cc", "Cf", "Cs")  # Unicode categories: controls, text-direction and zero-width marks, half characters


class DocxError(RuntimeError):
    """The document was not produced: the template is not a Word file, or asks for something it was not given."""


class Run(NamedTuple):
    """A piece of a paragraph, of one aspect. ``is_blank``: left for the reader to fill, printed highlighted."""

    text: str
    is_bold: bool = False
    is_blank: bool = False


def render_docx(
    template_path: Path, context: Mapping[str, Any], *, title: str, created_at: datetime, author: str = PRODUCT
) -> bytes:
    """Fill a Word template (docxtpl fields: ``{{ }}``, ``{%p %}``, ``{%tr %}``, and ``{{r }}`` for ``runs``).

    ``created_at`` (aware) dates the document; ``title`` and ``author`` are its properties. Values are text, escaped,
    without control or text-direction marks; what they hold is never run. A template changed on disk is read again.
    Raises DocxError for a file that is not a Word template, an unknown or None value, a tag at the wrong place.
    """
    if created_at.tzinfo is None:
        raise ValueError("created_at doit porter un fuseau horaire.")
    document = _Template(io.BytesIO(_template_bytes(template_path)))
    try:
        document.render(dict(context), jinja_env=_environment(), autoescape=True)
    except (TemplateError, etree.XMLSyntaxError, KeyError, TypeError, ValueError) as error:
        raise DocxError(f"Le modèle {template_path.name} n’a pas pu être rempli\u00a0: {error}") from error
    _describe(document.docx.core_properties, title=title, author=author, created_at=created_at)
    out = io.BytesIO()
    document.save(out)
    return _without_dates(out)


def finished_docx(document: Any, *, title: str, created_at: datetime, author: str = PRODUCT) -> bytes:
    """The bytes of a python-docx document made in code: its properties set, the same bytes for the same content."""
    if created_at.tzinfo is None:
        raise ValueError("created_at doit porter un fuseau horaire.")
    _describe(document.core_properties, title=title, author=author, created_at=created_at)
    out = io.BytesIO()
    document.save(out)
    return _without_dates(out)


def clean_line(text: str) -> str:
    """``text`` as Word prints it faithfully: NFC, without control nor invisible characters."""
    return _clean(text)


def runs(pieces: Iterable[Run]) -> Markup:
    """``pieces`` for a ``{{r field }}`` of a template: the paragraph keeps its style, each piece its aspect."""
    xml = []
    for piece in pieces:
        aspect = "<w:b/>" * piece.is_bold + '<w:highlight w:val="yellow"/>' * piece.is_blank
        properties = f"<w:rPr>{aspect}</w:rPr>" if aspect else ""
        xml.append(f'<w:r>{properties}<w:t xml:space="preserve">{printable(piece.text)}</w:t></w:r>')
    return Markup("".join(xml))  # noqa: S704 - every text went through ``printable``


def printable(text: str) -> Markup:
    """``text`` as XML text. Braces become references: docxtpl rewrites « {_{ » in what it has produced."""
    xml = str(escape(_clean(text))).replace("{", "&#123;").replace("}", "&#125;")
    return Markup(xml)  # noqa: S704 - escaped above


def _clean(text: str) -> str:
    """NFC, without control or invisible characters; a line break is kept."""
    composed = unicodedata.normalize("NFC", text)
    return "".join(
        c for c in composed if c == "\n" or (unicodedata.category(c) not in _INVISIBLE and c not in _NOT_XML)
    )


class _Template(DocxTemplate):
    def patch_xml(self, src_xml: str) -> str:
        return _patched(src_xml)

    def fix_tables(self, xml: str) -> Any:
        """docxtpl parses with ``recover=True``, which drops what it does not understand: first without."""
        etree.fromstring(xml)
        return super().fix_tables(xml)


@lru_cache(maxsize=16)
def _patched(source: str) -> str:
    """The template's XML made ready for Jinja: a third of the time of a document, the same for all."""
    return DocxTemplate.patch_xml(None, source)  # a function of the text alone: it uses no template


class _Environment(SandboxedEnvironment):
    def from_string(self, source: str, *args: Any, **kwargs: Any) -> Template:
        return _compiled(source)

    def compile_once(self, source: str) -> Template:
        return super().from_string(source)


@lru_cache(maxsize=1)
def _environment() -> _Environment:
    return _Environment(autoescape=True, undefined=StrictUndefined, finalize=_value)


@lru_cache(maxsize=64)
def _compiled(source: str) -> Template:
    return _environment().compile_once(source)


def _value(value: Any) -> Any:
    """What a field prints: text and whole numbers; anything else is a mistake of the caller."""
    if isinstance(value, Markup | Undefined):  # runs, or what raises as soon as it is printed
        return value
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise TypeError(f"une valeur de type {type(value).__name__} ne s’imprime pas")


def _template_bytes(path: Path) -> bytes:
    try:
        stat = path.stat()
        return _light_template(path, stat.st_mtime_ns, stat.st_size)
    except (OSError, PackageNotFoundError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise DocxError(f"Le modèle {path.name} n’est pas un fichier Word lisible\u00a0: {error}") from error


@lru_cache(maxsize=8)
def _light_template(path: Path, modified_ns: int, size: int) -> bytes:
    """The template's bytes, checked to be a Word file once per change on disk."""
    content = path.read_bytes()
    DocxTemplate(io.BytesIO(content)).get_docx()
    return content


def _describe(properties: Any, *, title: str, author: str, created_at: datetime) -> None:
    """After the filling: docxtpl runs the properties it finds in the template."""
    properties.title = _one_line(title)
    properties.author = properties.last_modified_by = _one_line(author)
    properties.language = LANGUAGE
    properties.created = properties.modified = created_at.astimezone(UTC).replace(tzinfo=None, microsecond=0)
    properties.revision = 1
    properties.comments = ""


def _one_line(text: str) -> str:
    return _clean(text).replace("\n", " ")[:_TITLE_LENGTH]


def _without_dates(document: io.BytesIO) -> bytes:
    """The same parts in the same order, without the clock that the zip writes beside each."""
    out = io.BytesIO()
    with zipfile.ZipFile(document) as source, zipfile.ZipFile(out, "w") as target:
        for name in source.namelist():
            target.writestr(zipfile.ZipInfo(name, _ZIP_DATE), source.read(name), zipfile.ZIP_DEFLATED)
    return out.getvalue()
