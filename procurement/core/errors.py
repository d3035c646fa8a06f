"""Refusals the user can understand: the message of each is the French sentence shown on screen."""


class BusinessError(Exception):
    """An action refused by a rule. ``str(error)`` is a complete French sentence, shown where the user is looking."""

    def __init__(self, message: str, *, field: str | None = None):
        super().__init__(message)
        self.message = message
        self.field = field  # the form field the sentence belongs to, when there is one

    def __str__(self) -> str:
        return self.message


class TransitionRefused(BusinessError):
    """The life cycle does not allow this step from the present state, or not by this person."""


class NotAllowed(BusinessError):
    """The person may see the object but may not do this to it (HTTP 403)."""
