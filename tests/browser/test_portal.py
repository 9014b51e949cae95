"""The portal: an account signs in, sees what it may call of a FastAPI service, tries it, and its account."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from fastapi import FastAPI, Header
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import PATIENCE_MS
from tests.browser.test_accessibility import grave_faults
from tests.support.process import Running, Site

pytestmark = pytest.mark.browser
NAME, WORD = "bob", "a long enough pass phrase"


def shop() -> FastAPI:
    """A service that describes itself."""
    app = FastAPI(title="The shop")

    @app.get("/items/{item}", summary="Read an item")
    def read(item: int, x_user_name: str = Header("")) -> dict[str, Any]:
        return {"item": item, "for": x_user_name}

    @app.post("/items", summary="Make an item")
    def make(name: str) -> dict[str, str]:
        return {"made": name}

    @app.get("/staff", summary="For staff alone")
    def staff() -> dict[str, str]:
        return {}

    return app


def document(port: int) -> dict[str, Any]:
    service = {"name": "shop", "targets": [{"url": f"http://127.0.0.1:{port}"}], "openapi": {}}
    dark = {"name": "dark", "targets": [{"url": "http://127.0.0.1:9"}], "openapi": {"path": "/api.yaml"}}
    strip = {"service": "shop", "rewrite": {"strip_prefix": True}}
    exact = {"path": "/shop/staff", "path_type": "exact"}
    return {
        "version": 1,
        "services": [service, dark],
        "quotas": [{"name": "daily", "algorithm": "fixed_window", "limit": 50, "per": "1d"}],
        "routes": [
            {"name": "shop", "match": {"path": "/shop"}, "quotas": ["daily"], **strip},
            {"name": "staff", "match": exact, "auth": {"level": "admin"}, "service": "shop",
             "rewrite": {"path": "/staff"}},
            {"name": "dark", "match": {"path": "/dark"}, "service": "dark"},
        ],
    }  # fmt: skip


@asynccontextmanager
async def opened(browser: Browser, gateway: Running, **options: Any) -> AsyncIterator[Page]:
    """Of a browser that nobody is signed in with; the console may complain of nothing but being asked to sign in."""
    context = await browser.new_context(base_url=f"http://127.0.0.1:{gateway.port}", **options)
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    complaints: list[str] = []
    page.on(
        "console",
        lambda message: complaints.append(message.text)
        if message.type == "error" and "401" not in message.text
        else None,
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    assert complaints == []
    await context.close()


async def picture(page: Page, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        await page.screenshot(path=f"{folder}/{name}.png", full_page=True)


async def sign_in(page: Page) -> None:
    await page.get_by_label("User name or e-mail address").fill(NAME)
    await page.get_by_label("Password").fill(WORD)
    await page.get_by_role("button", name="Sign in", exact=True).click()
    await expect(page.locator("#who")).to_have_text(f"Signed in as {NAME}", timeout=30_000)


@pytest.fixture
async def prepared(site: Site, gateway: Running) -> AsyncIterator[Running]:
    """A gateway in front of the shop, and an account that is no staff's."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(shop(), log_level="error", lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    created = await site.gateway("user", "create", NAME, "--password", WORD)
    applied = await site.apply(document(listener.getsockname()[1]))
    assert (created.code, applied.code) == (0, 0), created.err + applied.err
    yield gateway
    server.should_exit = True
    await serving


@pytest.mark.timeout(180)
async def test_an_account_sees_and_tries_what_it_may_call(browser: Browser, prepared: Running) -> None:
    """Anonymous: the gateway's own part. Signed in: the shop's operations at their public paths, without staff's."""
    async with opened(browser, prepared) as page:
        await page.goto("/docs")
        await page.locator(".opblock-tag[data-tag='Keys']").click(timeout=30_000)
        await expect(page.locator(".opblock", has_text="Public keys")).to_be_visible()
        await expect(page.locator(".opblock", has_text="/shop/items")).to_have_count(0)
        assert not await grave_faults_of_ours(page)

        await sign_in(page)
        operation = page.locator(".opblock", has_text="/shop/items/{item}")
        await expect(operation).to_be_visible(timeout=30_000)
        await expect(page.locator(".opblock", has_text="/shop/staff")).to_have_count(0)
        await expect(page.locator("#notes")).to_contain_text("dark: it has no document: it does not answer")

        await page.get_by_label("Show").select_option("shop")
        await expect(page.locator(".opblock", has_text="Public keys")).to_have_count(0)
        await operation.locator("button.opblock-summary-control").click()
        await operation.get_by_role("button", name="Try it out").click()
        await operation.get_by_placeholder("item").fill("7")
        await operation.get_by_role("button", name="Execute").click()
        await expect(operation.locator(".live-responses-table")).to_contain_text('"for": "bob"')
        await picture(page, "portal")

        make = page.locator(".opblock", has_text="Make an item")
        await make.locator("button.opblock-summary-control").click()
        await make.get_by_role("button", name="Try it out").click()
        await make.get_by_placeholder("name").fill("lamp")
        await make.get_by_role("button", name="Execute").click()
        await expect(make.locator(".live-responses-table")).to_contain_text('"made": "lamp"')

        await page.get_by_role("link", name="Your account").click()
        await expect(page.locator("#left")).to_contain_text("48, all again in")
        await page.get_by_label("Name", exact=True).fill("laptop")
        await page.get_by_role("button", name="Create").click()
        await expect(page.locator("#secret code")).not_to_be_empty()
        key = str(await page.locator("#secret code").text_content())
        await expect(page.locator("#key-rows")).to_contain_text("laptop")
        await expect(page.locator("#session-rows")).to_contain_text("this one")
        assert not await grave_faults(page)
        await picture(page, "account")

        found = await page.request.get(
            "/docs/openapi.json?service=shop", headers={"X-API-Key": key, "Cookie": ""}
        )
        paths = (await found.json())["paths"]
        assert set(paths) == {"/shop/items", "/shop/items/{item}"}
        assert set(paths["/shop/items"]["post"]["responses"]) >= {"200", "401", "403", "422", "429", "503"}
        assert found.headers["cache-control"] == "private, no-cache"
        assert found.headers["vary"] == "Authorization, Cookie, X-API-Key"

        page.on("dialog", lambda dialog: dialog.accept())
        await page.get_by_role("button", name="Revoke laptop").click()
        await expect(page.locator("#key-rows")).to_contain_text("No keys.")
        await page.get_by_role("button", name="Sign out").click()
        await expect(page.locator("#who")).to_have_text("Not signed in")


@pytest.mark.timeout(120)
async def test_the_pages_fit_a_phone(browser: Browser, prepared: Running) -> None:
    """Nothing sticks out; a pasted token shows as much as a session does."""
    async with opened(browser, prepared, viewport={"width": 360, "height": 740}) as page:
        pair = await page.request.post("/api/auth/login", data={"username": NAME, "password": WORD})
        token = (await pair.json())["access"]
        await page.context.clear_cookies()
        await page.goto("/docs")
        await page.get_by_text("Use a token or an API key").click()
        await page.get_by_label("Token or key").fill(token)
        await page.get_by_role("button", name="Use it").click()
        await expect(page.locator(".opblock", has_text="/shop/items/{item}")).to_be_visible(timeout=30_000)
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360
        await picture(page, "portal-phone")
        await page.goto("/docs/account")
        await sign_in(page)
        await expect(page.locator("#left")).to_contain_text("50")
        assert await page.evaluate("document.documentElement.scrollWidth") <= 360
        await picture(page, "account-phone")


async def grave_faults_of_ours(page: Page) -> list[str]:
    """Without those of Swagger UI, which is somebody else's."""
    await page.evaluate("document.getElementById('swagger-ui').hidden = true")
    faults = await grave_faults(page)
    await page.evaluate("document.getElementById('swagger-ui').hidden = false")
    return faults
