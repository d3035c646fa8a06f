"""What would fail later is said at start-up."""

import pytest
from django.core.checks import run_checks

from procurement.core.checks import is_local, settings_hold_together


def found() -> list[str]:
    return [error.id for error in settings_hold_together(None)]


def test_nothing_to_say(settings):
    settings.ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
    assert found() == []


@pytest.mark.parametrize("host", ["groupements.exemple.fr", "*", ".exemple.fr", "0.0.0.0", "192.168.1.4", ""])
def test_the_demonstration_refuses_any_address_but_a_local_one(settings, host):
    settings.DEMONSTRATION, settings.ALLOWED_HOSTS = True, ["localhost", host]
    assert found() == ["core.E001"]
    settings.DEMONSTRATION, settings.SITE_URL = False, "https://groupements.exemple.fr"
    assert found() == []


def test_in_production_the_links_of_mails_lead_somewhere(settings):
    settings.DEMONSTRATION, settings.SITE_URL = False, "http://127.0.0.1:8000"
    assert found() == ["core.W005"]


def test_production_needs_its_secret(settings):
    settings.SECRET_KEY = ""
    assert found() == ["core.E002"]


def test_a_missing_font_and_a_closed_folder_are_said(settings, tmp_path):
    settings.BASE_DIR = tmp_path
    settings.DATA_DIR = tmp_path / "absent"
    assert found() == ["core.E003", "core.E004"]


def test_the_checks_are_registered(settings):
    settings.DEMONSTRATION, settings.ALLOWED_HOSTS = True, ["groupements.exemple.fr"]
    assert "core.E001" in [error.id for error in run_checks()]


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("[::1]", True),
        ("::1", True),
        ("localhost", True),
        ("10.0.0.1", False),
    ],
)
def test_local_names(host, local):
    assert is_local(host) is local
