"""The three people sign in, the buyer produces the conventions and downloads them; every page passes axe."""

import hashlib
import os
import signal
import socket
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "RGAAv4", "best-practice"]
PROFILES = ("Acheteuse de la métropole", "Secrétaire de mairie", "Finances")

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """``manage.py serve`` on the demonstration: the web server and the worker, as a newcomer gets them."""
    folder = tmp_path_factory.mktemp("site")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "DATA_DIR": str(folder), "DEMONSTRATION": "true", "PORT": str(port)}
    for name in ("DATABASE_URL", "CELERY_BROKER_URL", "SECRET_KEY"):
        environment.pop(name, None)

    def manage(*arguments):
        subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=environment, check=True, timeout=120)

    manage("migrate", "--verbosity", "0")
    manage("load_demonstration", "--without-conventions")
    server = subprocess.Popen([sys.executable, "manage.py", "serve"], cwd=ROOT, env=environment, start_new_session=True)
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.2)
    yield f"http://127.0.0.1:{port}"
    server.send_signal(signal.SIGTERM)
    server.wait(timeout=30)


def enter(page, site, profile):
    page.goto(site + "/")
    page.get_by_role("button", name=profile).click()
    page.wait_for_url(site + "/")


def axe(page):
    from axe_playwright_python.sync_playwright import Axe

    result = Axe().run(page, options={"runOnly": {"type": "tag", "values": AXE_TAGS}})
    return [f"{v['id']} : {v['help']} – {v['nodes'][0]['html'][:200]}" for v in result.response["violations"]]


@pytest.mark.parametrize("profile", PROFILES)
def test_each_person_enters_in_one_click_and_leaves(site, open_page, profile):
    page = open_page()
    enter(page, site, profile)
    assert page.get_by_role("heading", level=1).inner_text()
    page.locator(".user-menu summary").click()
    page.get_by_role("button", name="Se déconnecter").click()
    page.goto(site + "/groupements/")
    assert "/connexion/" in page.url


def test_buyer_produces_the_conventions_watches_the_bar_and_downloads(site, open_page, tmp_path):
    page = open_page()
    enter(page, site, PROFILES[0])
    page.get_by_role("link", name="Groupements", exact=True).click()
    page.goto(site + "/groupements/?q=GC-2027-02")
    page.get_by_role("link", name="Vêtements professionnels et équipements de protection").first.click()
    page.get_by_role("button", name="Produire les conventions").click()
    page.wait_for_url("**/taches/**")
    assert page.locator("progress").count() == 1
    with page.expect_download(timeout=60_000) as download:
        page.get_by_role("link", name="Télécharger", exact=False).first.click(timeout=60_000)
    archive = tmp_path / "conventions.zip"
    download.value.save_as(archive)
    with zipfile.ZipFile(archive) as content:
        assert content.testzip() is None
        names = content.namelist()
        assert len(names) == len(set(names)) > 6
        hashes = {hashlib.sha256(content.read(name)).hexdigest() for name in names}
        assert all(content.read(name).startswith(b"%PDF-") for name in names)
    assert len(hashes) == len(names)


def test_the_conventions_are_produced_without_javascript_too(site, open_page):
    page = open_page(java_script_enabled=False)
    enter(page, site, PROFILES[0])
    page.goto(site + "/groupements/?q=GC-2027-03")
    page.get_by_role("link", name="Produits d’hygiène et d’entretien").first.click()
    page.get_by_role("button", name="Produire les conventions").click()
    page.wait_for_url("**/taches/**")
    page.get_by_role("link", name="Télécharger", exact=False).first.wait_for(timeout=60_000)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("profile", PROFILES)
def test_every_page_passes_axe_and_fits_the_screen(site, open_page, profile, width):
    page = open_page(width)
    faults = []
    page.goto(site + "/connexion/")
    faults += axe(page)
    enter(page, site, profile)
    page.goto(site + "/groupements/?q=GC-2027-01")
    grouping = page.locator("table tbody a").first.get_attribute("href")
    page.goto(site + "/membres/?q=Prades")
    member = page.locator("table tbody a").first.get_attribute("href")
    own_pages = ["/", "/groupements/", grouping, f"{grouping}besoins/", "/membres/", member, "/mon-compte/"]
    if profile == PROFILES[0]:
        own_pages += [
            "/groupements/nouveau/",
            "/groupements/nouveau-declare/",
            f"{grouping}modifier/",
            f"{grouping}membres/ajouter/",
            f"{grouping}lots/nouveau/",
            "/membres/nouveau/",
            f"{member}modifier/",
        ]
    for path in [*own_pages, "/aide/", "/accessibilite/", "/mentions-legales/", "/donnees-personnelles/"]:
        response = page.goto(site + path)
        assert response.status == 200, path
        faults += [f"{path} : {fault}" for fault in axe(page)]
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth + 1"):
            faults.append(f"{path} déborde à {width} px")
    assert not faults, "\n".join(faults)
