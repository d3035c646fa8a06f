"""Tripwires and fixtures of the whole suite.

Nothing a test writes lands in var/; an undefined variable in one of our templates fails the test that rendered it.
"""

import inspect
from pathlib import Path
from types import FrameType

import pytest
from django.conf import settings
from django.template.base import FilterExpression
from django.test.utils import override_settings

OUR_TEMPLATES = Path(settings.BASE_DIR) / "templates"


class UndefinedVariable(str):
    """Django puts this in the place of a variable that does not exist: in a template of ours, the test fails.

    Libraries' own templates rely on undefined variables being empty: there it is the empty string, as in production.
    So it is under ``|default``, which says in the template that the variable may be missing.
    """

    def __bool__(self) -> bool:
        # FilterExpression.resolve asks: does a string stand for what is undefined? Everybody else sees "".
        frame = inspect.currentframe().f_back
        expression = frame.f_locals.get("self")
        if frame.f_code.co_name != "resolve" or not isinstance(expression, FilterExpression):
            return False
        filters = [function.__name__ for function, _ in expression.filters]
        return filters[:1] not in (["default"], ["default_if_none"]) and _rendering_ours(frame) is not None

    def __contains__(self, key: str) -> bool:
        return key == "%s"

    def __mod__(self, variable: object) -> str:
        template = _rendering_ours(inspect.currentframe())
        pytest.fail(f"Variable « {variable} » inconnue dans {template}")


def _rendering_ours(frame: FrameType | None) -> Path | None:
    """The template of ours whose node is being rendered, read on the stack; None for a library's."""
    while frame:
        node = frame.f_locals.get("self")
        origin = getattr(node, "origin", None)
        if frame.f_code.co_name in ("render", "render_annotated") and origin is not None:
            path = Path(origin.name)
            return path.relative_to(OUR_TEMPLATES) if path.is_relative_to(OUR_TEMPLATES) else None
        frame = frame.f_back
    return None


# Before the template engine is built, on the first template rendered.
settings.TEMPLATES[0]["OPTIONS"]["string_if_invalid"] = UndefinedVariable()


@pytest.fixture(autouse=True, scope="session")
def _isolated_settings(tmp_path_factory: pytest.TempPathFactory):
    data = tmp_path_factory.mktemp("var")
    with override_settings(
        DATA_DIR=data,
        MEDIA_ROOT=data / "documents",
        PASSWORD_HASHERS=["django.contrib.auth.hashers.MD5PasswordHasher"],
        EMAIL_BACKEND="django.core.mail.backends.locmem.EmailBackend",
    ):
        yield


@pytest.fixture(autouse=True)
def _silent_broker(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The bell of the jobs rings in this list: no test sends a message to a real broker unless it says so."""
    from procurement.core import tasks
    from procurement.core.mail import sending

    rung: list[str] = []
    monkeypatch.setattr(tasks.run_job, "delay", rung.append)
    monkeypatch.setattr(tasks.send_mail, "delay", lambda pk=None: None)
    monkeypatch.setattr(sending, "_broker_is_down_until", 0.0)
    return rung


@pytest.fixture
def bell(_silent_broker: list[str]) -> list[str]:
    """The ids of the jobs the broker was told about, in order."""
    return _silent_broker
