"""A submitted form and the action behind it: the refusal of the one or of the other is told in the same place."""

from collections.abc import Callable
from functools import wraps
from typing import ClassVar

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.forms import BaseForm
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from procurement.core.errors import BusinessError, NotAllowed

View = Callable[..., HttpResponse]


def posted(request: HttpRequest) -> QueryDict | None:
    """What the person sent, None when the page is only asked for: an empty POST is still a submitted form."""
    return request.POST if request.method == "POST" else None


def posted_or_back(name: str, *kept: str) -> Callable[[View], View]:
    """View decorator: a form's own address. Opened by GET (a refused form reloaded, a phone restoring its tabs) it goes
    back to the page ``name``, whose arguments are those of ``kept``; that page says who may see it."""

    def decorate(view: View) -> View:
        @wraps(view)
        def posted_only(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
            if request.method in ("GET", "HEAD"):
                return redirect(name, **{argument: kwargs[argument] for argument in kept})
            return require_POST(view)(request, *args, **kwargs)

        return posted_only

    return decorate


def submit(form: BaseForm, write: Callable[[], object]) -> bool:
    """Run ``write`` once ``form`` is valid. False when either refuses: the form then says why and keeps the input."""
    if not form.is_valid():
        return False
    try:
        write()
    except (ValidationError, BusinessError) as error:
        add_refusal(form, error)
        return False
    return True


def add_refusal(form: BaseForm, error: ValidationError | BusinessError) -> None:
    """Put the sentence of a refused action by its field, or in the summary. NotAllowed goes on, to the 403 page."""
    if isinstance(error, NotAllowed):
        raise error
    if isinstance(error, BusinessError):
        form.add_error(error.field if error.field in form.fields else None, error.message)
        return
    place = getattr(form, "place_of", lambda message: None)
    by_field = error.error_dict if hasattr(error, "error_dict") else {None: error.error_list}
    for name, problems in by_field.items():
        for problem in problems:
            form.add_error(name if name in form.fields else place(" ".join(problem.messages)), problem)


class PlacedErrorsMixin:
    """Puts the sentence of a database constraint by the field it is about. Before ``forms.ModelForm`` in the bases."""

    #: Constraint name → field.
    places: ClassVar[dict[str, str]] = {}

    def place_of(self, message: str) -> str | None:
        """The field of the constraint that says ``message``, None when it concerns the whole form."""
        for constraint in self._meta.model._meta.constraints:
            if str(constraint.violation_error_message) == message:
                field = self.places.get(constraint.name)
                return field if field in self.fields else None
        return None

    def _update_errors(self, errors: ValidationError) -> None:
        by_field = errors.error_dict if hasattr(errors, "error_dict") else {NON_FIELD_ERRORS: errors.error_list}
        placed: dict[str, list] = {}
        for name, problems in by_field.items():
            for problem in problems:
                target = self.place_of(" ".join(problem.messages)) if name == NON_FIELD_ERRORS else name
                placed.setdefault(target or NON_FIELD_ERRORS, []).append(problem)
        super()._update_errors(ValidationError(placed))
