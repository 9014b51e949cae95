"""The page of examples/realtime, served where its README says, beside the system and its worker process."""

import http.server
import os
import threading
from collections.abc import AsyncIterator, Iterator
from functools import partial

import pytest
from playwright.async_api import Page, async_playwright

from tests.browser.conftest import ARGUMENTS, PATIENCE_MS
from tests.support import systems
from tests.support.process import ROOT
from tests.support.systems import System

pytestmark = pytest.mark.browser


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        """What a page asks for is not the test's to print."""


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """Where the folder is served."""
    handler = partial(Quiet, directory=str(ROOT / "examples" / "realtime"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://localhost:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def system(origin: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """As it starts, but that the page is on a port that is free here."""
    folder = tmp_path_factory.mktemp("page")
    with systems.running("screenshot-to-code", folder, CORS_ALLOWED_ORIGINS=origin) as running:
        yield running


@pytest.fixture
async def page(origin: str, system: System, chromium: str) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        try:
            opened = await browser.new_page()
            opened.set_default_timeout(PATIENCE_MS)
            await opened.goto(origin)
            await opened.fill("#gateway", system.url)
            yield opened
        finally:
            await browser.close()


def test_readme_serves_it_where_the_system_lets_it_in() -> None:
    """CORS_ALLOWED_ORIGINS of system.yaml has the page's origin."""
    folder = ROOT / "examples" / "screenshot-to-code"
    assert "<http://localhost:3000/>" in (folder / "README.md").read_text()
    assert "CORS_ALLOWED_ORIGINS: http://localhost:3000," in (folder / "system.yaml").read_text()


async def test_progress_reaches_the_page(page: Page, system: System) -> None:
    """Each step of the worker, in its order, and the picture that it made."""
    await page.fill("#password", system.passwords["grace"])
    await page.click("button")
    await page.wait_for_selector("#images img")
    lines = (await page.inner_text("#log")).split("\n")
    if folder := os.environ.get("SCREENSHOTS"):
        await page.fill("#gateway", "http://127.0.0.1:8000")
        await page.set_viewport_size({"width": 760, "height": 940})
        await page.screenshot(path=f"{folder}/generation.png")
    assert lines[0].startswith("img_")
    assert [line.split(" ")[0] for line in lines[1:5]] == ["25", "50", "75", "100"]
    assert await page.get_attribute("#progress", "value") == "100"
    assert await page.evaluate("() => document.querySelector('#images img').naturalWidth") > 0
    assert await page.inner_text("#state") == "open"


async def test_refusals_are_shown(page: Page) -> None:
    await page.fill("#password", "not hers")
    await page.click("button")
    await page.wait_for_function("() => document.getElementById('log').textContent.includes('AUTH_ERROR')")
    assert await page.inner_text("#state") == "not connected"
