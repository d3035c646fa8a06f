"""A real browser against a real server and a real worker, all on this machine."""

import os
import shutil

import pytest

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
]
LOCAL = ("http://127.0.0.1", "http://localhost", "data:", "about:", "blob:")


@pytest.fixture(scope="module")  # no longer: Playwright keeps an event loop in this thread, which Django's ORM refuses
def chromium():
    from playwright.sync_api import sync_playwright

    wanted = (os.environ.get("CHROMIUM", "chromium"), "chromium-browser", "google-chrome")
    path = next(filter(None, map(shutil.which, wanted)), None)
    if path is None:
        pytest.fail(
            "Chromium est absent : installez le paquet chromium, ou lancez « make test » qui le dit clairement."
        )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, headless=True, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium):
    """A function opening a page of a given width; afterwards, no console error and no request left this machine."""
    contexts, anomalies = [], []

    def open_one(width=1280, **options):
        context = chromium.new_context(
            viewport={"width": width, "height": 900},
            locale="fr-FR",
            timezone_id="Europe/Paris",
            reduced_motion="reduce",
            **options,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(30_000)
        # A form refused answers 422: Chromium reports it as an error, it is the answer expected.
        page.on(
            "console",
            lambda m: (
                m.type in ("error", "warning")
                and "status of 422" not in m.text
                and anomalies.append(f"console : {m.text}")
            ),
        )
        page.on("pageerror", lambda error: anomalies.append(f"erreur : {error}"))
        page.on("request", lambda r: r.url.startswith(LOCAL) or anomalies.append(f"extérieur : {r.url}"))
        return page

    yield open_one
    for context in contexts:
        context.close()
    assert not anomalies
