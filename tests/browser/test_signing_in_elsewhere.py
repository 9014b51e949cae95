"""Staff signs in to admin through an identity provider: a real one, in a process of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import USER
from tests.browser.test_signing_in import HOST, opened
from tests.support import oidc
from tests.support.oidc import Provider
from tests.support.oidcserver import CLIENT_ID, CLIENT_SECRET, EMAIL, PASSWORD, USERNAME
from tests.support.process import Running, Site

pytestmark = pytest.mark.browser
CALLBACK = "/accounts/oidc/staff/login/callback/"


@pytest.fixture
async def provider(tmp_path: Path) -> AsyncIterator[Provider]:
    folder = tmp_path / "provider"
    folder.mkdir()
    with oidc.process(folder) as port:
        async with oidc.reached(port) as running:
            yield running


@pytest.fixture
async def gateway(site: Site, provider: Provider) -> AsyncIterator[Running]:
    environ = {
        "ALLOWED_HOSTS": f"127.0.0.1,{HOST}",
        "STAFF_OIDC_ISSUER": provider.issuer,
        "STAFF_OIDC_CLIENT_ID": CLIENT_ID,
        "STAFF_OIDC_CLIENT_SECRET": CLIENT_SECRET,
    }
    async with site.serving(**environ) as running:
        await provider.control("redirect", uri=f"http://{HOST}:{running.port}{CALLBACK}")
        yield running


@pytest.fixture
async def stranger(browser: Browser, gateway: Running) -> AsyncIterator[Page]:
    async with opened(browser, gateway) as page:
        yield page


async def go_through_the_provider(page: Page) -> None:
    await page.goto("/admin/")
    await page.get_by_role("button", name="Sign in through 127.0.0.1").click()
    await page.fill("input[name=username]", USERNAME)
    await page.fill("input[name=password]", PASSWORD)
    await page.get_by_role("button", name="Sign in at the provider").click()


async def test_staff_with_the_verified_address_is_signed_in(stranger: Page, site: Site) -> None:
    """And stays connected: the next time the provider's own id counts, not the address."""
    site.sql("UPDATE auth_user SET email = ? WHERE username = ?", EMAIL, USER)
    await go_through_the_provider(stranger)
    await stranger.wait_for_url("**/admin/")
    site.sql("UPDATE auth_user SET email = ? WHERE username = ?", "moved@example.test", USER)
    await stranger.goto("/accounts/logout/")
    await stranger.click("main button[type=submit]")

    await stranger.get_by_role("button", name="Sign in through 127.0.0.1").click()
    await stranger.wait_for_url("**/admin/")
    assert site.sql("SELECT username, email FROM auth_user") == [(USER, "moved@example.test")]


async def test_somebody_else_is_refused_and_gets_no_account(
    browser: Browser, gateway: Running, site: Site
) -> None:
    """Being known to the provider is not being staff here."""
    context = await browser.new_context(base_url=f"http://{HOST}:{gateway.port}")
    page = await context.new_page()
    await go_through_the_provider(page)

    await expect(page.get_by_text("There is no staff account for you")).to_be_visible()
    assert site.sql("SELECT count(*) FROM auth_user") == [(1,)]
    assert site.sql("SELECT count(*) FROM socialaccount_socialaccount") == [(0,)]
    await context.close()


async def test_provider_that_is_away_is_told(browser: Browser, gateway: Running, provider: Provider) -> None:
    """A page says that it did not work; answers that nobody has asked for are refused the same way."""
    context = await browser.new_context(base_url=f"http://{HOST}:{gateway.port}")
    page = await context.new_page()
    for answer in ("", "?code=x", "?code=x&state=y", "?error=access_denied&state=y", "?state=%00&code=%ff"):
        response = await page.goto(f"{CALLBACK}{answer}")
        assert response is not None
        assert response.status < 500, answer
    await provider.line.stop()
    await page.goto("/accounts/login/")
    await page.get_by_role("button", name="Sign in through 127.0.0.1").click()

    await expect(page.get_by_text("Sign-in did not work")).to_be_visible()
    await context.close()
