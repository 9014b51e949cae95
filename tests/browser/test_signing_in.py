"""Staff signs in to admin in the browser: password, one-time code, recovery code, security key."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from playwright.async_api import Browser, ConsoleMessage, Page, expect

from tests.browser.conftest import PASSWORD, PATIENCE_MS, USER
from tests.support.process import Running, Site

pytestmark = pytest.mark.browser
HOST = "localhost"  # an address cannot be the name of a WebAuthn relying party
PERIOD_S = 30


@pytest.fixture
async def gateway(site: Site) -> AsyncIterator[Running]:
    async with site.serving(ALLOWED_HOSTS=f"127.0.0.1,{HOST}") as running:
        yield running


@asynccontextmanager
async def opened(browser: Browser, gateway: Running) -> AsyncIterator[Page]:
    """A page of a browser that nobody is signed in with. What its console complains about fails the test."""
    context = await browser.new_context(base_url=f"http://{HOST}:{gateway.port}")
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    complaints: list[str] = []
    ours = f"http://{HOST}:{gateway.port}/"

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error" and message.location["url"].startswith(ours):
            complaints.append(message.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    assert complaints == []
    await context.close()


@pytest.fixture
async def stranger(browser: Browser, gateway: Running) -> AsyncIterator[Page]:
    async with opened(browser, gateway) as page:
        yield page


async def give_password(page: Page, password: str = PASSWORD) -> None:
    await page.fill("#id_login", USER)
    await page.fill("#id_password", password)
    await page.click("#login-form button[type=submit]")


async def confirm_password(page: Page) -> None:
    """Asked again before something that matters."""
    await page.wait_for_url("**/accounts/reauthenticate/**")
    await page.fill("#id_password", PASSWORD)
    await page.click("main button[type=submit]")


async def sign_out(page: Page) -> None:
    await page.goto("/accounts/logout/")
    await page.click("main button[type=submit]")
    await page.wait_for_url("**/accounts/login/")


async def give_code(page: Page, secret: str, there: str) -> None:
    """A code lives for half a minute: one that has just ended is given anew."""
    for _ in range(2):
        await page.fill("#id_code", format_hotp_value(hotp_value(secret, int(time.time()) // PERIOD_S)))
        async with page.expect_navigation():
            await page.click("main button[type=submit] >> nth=0")
        if there in page.url:
            return
    raise AssertionError(page.url)


async def set_up_codes(page: Page) -> tuple[str, list[str]]:
    """Turns on one-time codes for whoever is signed in; the secret, and the recovery codes."""
    await page.goto("/accounts/2fa/totp/activate/")
    await confirm_password(page)
    await expect(page.locator("img[src^='data:image/svg']")).to_be_visible()
    secret = await page.locator("#authenticator_secret").input_value()
    await give_code(page, secret, "/recovery-codes/")
    codes = await page.locator("#recovery_codes").input_value()
    return secret, codes.split()


async def test_password_leads_to_the_page_that_was_wanted(stranger: Page) -> None:
    """A wrong password is told without saying what is wrong; the right one opens admin where one wanted to go."""
    await stranger.goto("/admin/routing/revision/")
    await give_password(stranger, "wrong")
    await expect(stranger.get_by_text("username and/or password")).to_be_visible()
    await give_password(stranger)
    await stranger.wait_for_url("**/admin/routing/revision/")

    await sign_out(stranger)
    await stranger.goto("/admin/")
    assert "/accounts/login/" in stranger.url


async def test_one_time_code_is_asked_for_once_it_is_set_up(stranger: Page) -> None:
    """The password alone no longer opens anything; a recovery code works once."""
    await stranger.goto("/admin/")
    await give_password(stranger)
    secret, recovery = await set_up_codes(stranger)
    assert len(recovery) == 10
    await sign_out(stranger)

    await give_password(stranger)
    await stranger.wait_for_url("**/accounts/2fa/authenticate/")
    await stranger.goto("/admin/")
    await stranger.wait_for_url("**/accounts/2fa/authenticate/")
    await stranger.fill("#id_code", "000000")
    await stranger.click("main button[type=submit] >> nth=0")
    await expect(stranger.get_by_text("Incorrect code")).to_be_visible()
    await give_code(stranger, secret, "/admin/")
    await sign_out(stranger)

    await give_password(stranger)
    await stranger.fill("#id_code", recovery[0])
    await stranger.click("main button[type=submit] >> nth=0")
    await stranger.wait_for_url("**/admin/")
    await sign_out(stranger)
    await give_password(stranger)
    await stranger.fill("#id_code", recovery[0])
    await stranger.click("main button[type=submit] >> nth=0")
    await expect(stranger.get_by_text("Incorrect code")).to_be_visible()


async def test_security_key_is_added_and_signs_in(stranger: Page) -> None:
    """WebAuthn with a real browser and its virtual authenticator."""
    session = await stranger.context.new_cdp_session(stranger)
    await session.send("WebAuthn.enable")
    options = {"protocol": "ctap2", "transport": "usb", "hasUserVerification": True, "isUserVerified": True}
    await session.send("WebAuthn.addVirtualAuthenticator", {"options": options})

    await stranger.goto("/admin/")
    await give_password(stranger)
    await stranger.goto("/accounts/2fa/webauthn/add/")
    await confirm_password(stranger)
    await stranger.fill("#id_name", "Blue key")
    await stranger.click("#mfa_webauthn_add")
    await stranger.wait_for_url("**/accounts/2fa/recovery-codes/**")
    await stranger.goto("/accounts/2fa/webauthn/")
    await expect(stranger.get_by_text("Blue key")).to_be_visible()
    await sign_out(stranger)

    await give_password(stranger)
    await stranger.click("#mfa_webauthn_authenticate")
    await stranger.wait_for_url("**/admin/")


async def test_security_key_wants_a_name_for_an_address(stranger: Page, gateway: Running) -> None:
    """Under 127.0.0.1 browsers offer none: the page says what to do instead."""
    base = f"http://127.0.0.1:{gateway.port}"
    await stranger.goto(f"{base}/accounts/2fa/webauthn/add/")
    await give_password(stranger)
    await confirm_password(stranger)
    await stranger.click("#mfa_webauthn_add")

    await expect(stranger.get_by_text("open this page as localhost")).to_be_visible()


async def test_password_is_changed(stranger: Page) -> None:
    """The old one no longer signs in; the browser that changed it stays signed in."""
    new = "an even better battery"
    await stranger.goto("/accounts/password/change/")
    await give_password(stranger)
    await stranger.fill("#id_oldpassword", PASSWORD)
    await stranger.fill("#id_password1", new)
    await stranger.fill("#id_password2", new)
    await stranger.click("main button[type=submit]")
    await stranger.wait_for_url("**/admin/")
    await sign_out(stranger)

    await give_password(stranger)
    await expect(stranger.get_by_text("username and/or password")).to_be_visible()
    await give_password(stranger, new)
    await stranger.wait_for_url("**/admin/")
