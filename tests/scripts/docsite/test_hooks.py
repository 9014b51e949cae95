"""The whole site, as `make docs` builds it: without a warning, complete, and without any other site."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from mkdocs.config.defaults import MkDocsConfig
from playwright.sync_api import sync_playwright

from scripts.docsite.hooks import on_config
from scripts.docsite.places import GENERATED, WHOLE, page_of
from tests.support.source import ROOT

LOADED = re.compile(r"<(?:script|link|img|iframe)\b[^>]*?\b(?:src|href)=[\"']?((?:https?:)?//[^\"' >]+)")
ABROAD = re.compile(r"url\(\s*[\"']?(?:https?:)?//|@import")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that it was built into."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "PUBLISH": "review"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    return folder


def test_every_page_is_there(site: Path) -> None:
    """Written, generated, and made of files that are elsewhere."""
    origins = {file.relative_to(ROOT).as_posix() for file in (ROOT / "docs").rglob("*.md")}
    for origin in origins | GENERATED | set(WHOLE):
        assert (site / page_of(origin)).with_suffix(".html").is_file(), origin


def test_every_guide_is_in_the_navigation(site: Path) -> None:
    """So that somebody finds it."""
    start = (site / "index.html").read_text()
    missing = [file.stem for file in (ROOT / "docs").glob("*.md") if f'href="{file.stem}.html"' not in start]
    assert missing == ["index"] or missing == []


def test_a_guide_without_a_place_is_listed_at_the_end() -> None:
    """Nothing is lost because somebody forgot the navigation."""
    config = MkDocsConfig()
    config.nav = [{"Start": ["index.md", {"A tour": "tour.md"}]}]
    listed = on_config(config).nav
    assert listed is not None
    (more,) = listed[1].values()
    assert "caching.md" in more
    assert not {"index.md", "tour.md"} & set(more)


def test_nothing_comes_from_other_sites(site: Path) -> None:
    """No script, font, picture or style."""
    found = {url for page in site.rglob("*.html") for url in LOADED.findall(page.read_text())}
    assert found == set()
    assert [sheet.name for sheet in site.rglob("*.css") if ABROAD.search(sheet.read_text())] == []


def test_search_knows_each_key(site: Path) -> None:
    """Of the configuration, commands and variables."""
    index = json.loads((site / "search" / "search_index.json").read_text())
    text = " ".join(entry["title"] + entry["text"] for entry in index["docs"])
    for word in (
        "half_open_timeout",
        "gateway apikey create",
        "TRUSTED_PROXIES",
        "/control/v1/breakers/{service}",
    ):
        assert word in text


def test_search_shows_guides_first(site: Path) -> None:
    """Files and decisions that are shown as they are have the words, too."""
    index = json.loads((site / "search" / "search_index.json").read_text())
    boosts = {entry["location"].partition("#")[0]: entry.get("boost", 1) for entry in index["docs"]}

    assert boosts["resilience.html"] == 1
    assert {boost for page, boost in boosts.items() if page.startswith(("files/", "adr/"))} == {0.25}


@pytest.mark.browser
@pytest.mark.parametrize("page", ["index.html", "reference/configuration.html"])
def test_search_works_without_a_server(site: Path, chromium: str, page: str) -> None:
    """Pages are opened as files; what is found is where it says, and nothing is asked of any host."""
    asked: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        opened = browser.new_page()
        opened.on("request", lambda request: asked.append(request.url))
        opened.goto((site / page).as_uri())
        opened.click("input[name=query]")
        opened.locator("input[name=query]").press_sequentially("half_open_timeout")
        link = opened.locator(".md-search-result__link", has_text="Breaker").first
        link.click()
        opened.wait_for_url("**/reference/configuration.html*#breaker")
        browser.close()
    assert {urlsplit(url).scheme for url in asked} == {"file"}


@pytest.mark.browser
def test_what_is_copied_is_what_one_types(site: Path, chromium: str) -> None:
    """Neither the prompt nor the answer; a line that is longer than the page is not cut."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        opened = browser.new_page()
        opened.goto((site / "quick-start.html").as_uri())
        code = opened.locator(".language-console code").nth(2)
        is_whole = code.evaluate("it => it.scrollWidth <= it.clientWidth")
        copied = code.evaluate("it => { it.setAttribute('data-md-copying', ''); return it.innerText }")
        browser.close()
    assert is_whole
    assert copied.strip() == ".venv/bin/python manage.py gateway apply mine.yaml"


def test_links_within_the_site_lead_somewhere(site: Path) -> None:
    """Those of generated pages, too, with their anchors."""
    ids = {page: set(re.findall(r'\bid="([^"]+)"', page.read_text())) for page in site.rglob("*.html")}
    broken = []
    for page in ids:
        if page.name == "404.html":
            continue
        for link in re.findall(r'<a\b[^>]*?href="([^"#:?]*)(?:#[^"]*)?"', page.read_text()):
            if link and not (page.parent / link).exists():
                broken.append((page.name, link))
    assert broken == []
