"""The three people sign in, the buyer produces the conventions and downloads them; every page passes axe."""

import hashlib
import zipfile

import pytest

from tests.browser.site import PROFILES, axe, enter, overflows, serving

pytestmark = [pytest.mark.browser, pytest.mark.slow]


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The demonstration, as a newcomer gets it."""
    with serving(tmp_path_factory.mktemp("site")) as served:
        yield served


@pytest.mark.parametrize("profile", PROFILES)
def test_each_person_enters_in_one_click_and_leaves(site, open_page, profile):
    page = open_page()
    enter(page, site, profile)
    assert page.get_by_role("heading", level=1).inner_text()
    page.locator(".user-menu summary").click()
    page.get_by_role("button", name="Se déconnecter").click()
    page.goto(site.url + "/groupements/")
    assert "/connexion/" in page.url


def test_buyer_produces_the_conventions_watches_the_bar_and_downloads(site, open_page, tmp_path):
    page = open_page()
    enter(page, site, PROFILES[0])
    page.get_by_role("link", name="Groupements", exact=True).click()
    page.goto(site.url + "/groupements/?q=GC-2027-02")
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
    page.goto(site.url + "/groupements/?q=GC-2027-03")
    page.get_by_role("link", name="Produits d’hygiène et d’entretien").first.click()
    page.get_by_role("button", name="Produire les conventions").click()
    page.wait_for_url("**/taches/**")
    page.get_by_role("link", name="Télécharger", exact=False).first.wait_for(timeout=60_000)


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("profile", PROFILES)
def test_every_page_passes_axe_and_fits_the_screen(site, open_page, profile, width):
    page = open_page(width)
    faults = []
    page.goto(site.url + "/connexion/")
    faults += axe(page)
    enter(page, site, profile)
    page.goto(site.url + "/groupements/?q=GC-2027-01")
    grouping = page.locator("table tbody a").first.get_attribute("href")
    page.goto(site.url + "/membres/?q=Prades")
    member = page.locator("table tbody a").first.get_attribute("href")
    page.goto(site.url + "/deliberations/?q=Prades")
    deliberation = page.locator("table.matrix tbody a").first.get_attribute("href")
    own_pages = ["/", "/groupements/", grouping, f"{grouping}besoins/", "/membres/", member, "/mon-compte/"]
    own_pages += [
        "/deliberations/?affichage=detaille",
        "/deliberations/?affichage=compact&lances=on",
        "/deliberations/?q=personne",
        deliberation,
        "/mes-deliberations/",
        "/courriels/",
        "/membres/seances/",
        "/calendrier/",
    ]
    if profile != PROFILES[2]:
        own_pages += [
            "/deliberations/recus/",
            "/deliberations/donnees-ouvertes/",
            "/deliberations/rapprochements/",
            "/membres/seances/importer/",
        ]
    if profile == PROFILES[0]:
        own_pages += [
            "/groupements/nouveau/",
            "/groupements/nouveau-declare/",
            f"{grouping}modifier/",
            f"{grouping}kit/",
            f"{grouping}lancer-sans/",
            f"{grouping}membres/ajouter/",
            f"{grouping}lots/nouveau/",
            "/membres/nouveau/",
            f"{member}modifier/",
        ]
    for path in [*own_pages, "/aide/", "/accessibilite/", "/mentions-legales/", "/donnees-personnelles/"]:
        response = page.goto(site.url + path)
        assert response.status == 200, path
        faults += [f"{path} : {fault}" for fault in axe(page)]
        if overflows(page):
            faults.append(f"{path} déborde à {width} px")
    assert not faults, "\n".join(faults)
