"""The files that enter by upload: receipts, several at once, and open data."""

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile

from groupings.exchange.receipts import MAX_BYTES
from procurement.core.documents.tabular import MAX_BYTES as TABLE_MAX_BYTES
from procurement.core.forms import StyledFormMixin

MAX_FILES = 50


class ManyFilesInput(forms.FileInput):
    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """The list of the files sent. What each of them is worth is told file by file, not here."""

    widget = ManyFilesInput

    def clean(self, data: list[UploadedFile] | None, initial=None) -> list[UploadedFile]:
        files = [super(ManyFilesField, self).clean(file, initial) for file in data or [None]]
        if len(files) > MAX_FILES:
            raise ValidationError(f"{MAX_FILES} fichiers au plus à la fois\u00a0: vous en avez choisi {len(files)}.")
        return files


class ReceiptsForm(StyledFormMixin, forms.Form):
    files = ManyFilesField(
        label="Accusés de réception",
        allow_empty_file=True,  # the import says it better
        help_text=f"Messages XML ou PDF tamponnés, {MAX_FILES} fichiers de {MAX_BYTES // 1024**2}\u00a0Mo au plus.",
        error_messages={"required": "Choisissez au moins un fichier."},
        widget=ManyFilesInput(attrs={"accept": ".xml,.pdf"}),
    )


class OpenDataForm(StyledFormMixin, forms.Form):
    file = forms.FileField(
        label="Fichier des délibérations publiées",
        allow_empty_file=True,
        help_text=f"Format SCDL, en csv, xlsx ou JSON. {TABLE_MAX_BYTES // 1024**2}\u00a0Mo au plus.",
        error_messages={"required": "Choisissez un fichier."},
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx,.json"}),
    )


class NeedsFileForm(StyledFormMixin, forms.Form):
    file = forms.FileField(
        label="Classeur des besoins",
        allow_empty_file=True,
        help_text=f"Le classeur rempli, en xlsx ou en csv. {TABLE_MAX_BYTES // 1024**2}\u00a0Mo au plus.",
        error_messages={"required": "Choisissez un fichier."},
        widget=forms.FileInput(attrs={"accept": ".csv,.xlsx"}),
    )
