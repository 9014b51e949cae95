"""Fixtures for tests in a real browser: a gateway of its own, an account, and Chromium."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.support import databases, warm
from tests.support.process import PATIENCE_S, Running, Site

USER, PASSWORD = "ada", "correct horse battery staple"
ARGUMENTS = [
    "--no-sandbox",  # tests may run as root
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 15_000
expect.set_options(timeout=PATIENCE_MS)


@pytest.fixture(scope="session")
def prepared_database(migrated_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a database with tables and an account, to be copied."""
    folder = tmp_path_factory.mktemp("prepared")
    with databases.empty_database(folder, like=migrated_database) as url:
        environ = Site(folder, {"DATABASE_URL": url}).environ(DJANGO_SUPERUSER_PASSWORD=PASSWORD)
        account = ("createsuperuser", "--noinput", "--username", USER, "--email", "ada@example.com")
        code, _, err = warm.run([*account], env=environ, cwd=folder, timeout_s=PATIENCE_S)
        assert code == 0, err
        yield url


@pytest.fixture
def site(tmp_path: Path, prepared_database: str) -> Iterator[Site]:
    """An installation with an account, on a database of the kind that this run is on."""
    with databases.empty_database(tmp_path, like=prepared_database) as url:
        yield Site(tmp_path, {"DATABASE_URL": url})


@pytest.fixture
async def gateway(site: Site) -> AsyncIterator[Running]:
    """`gateway serve`, ready."""
    async with site.serving() as running:
        yield running


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        try:
            yield launched
        finally:
            await launched.close()


@pytest.fixture
async def page(browser: Browser, gateway: Running) -> AsyncIterator[Page]:
    """A page that is signed in to admin. What its console complains about fails the test."""
    context = await browser.new_context(base_url=f"http://127.0.0.1:{gateway.port}")
    opened = await context.new_page()
    opened.set_default_timeout(PATIENCE_MS)
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    await opened.goto("/admin/")
    await opened.fill("#id_login", USER)
    await opened.fill("#id_password", PASSWORD)
    await opened.click("#login-form button[type=submit]")
    await opened.wait_for_url("**/admin/")
    yield opened
    assert complaints == []
    await context.close()
