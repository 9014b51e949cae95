"""An operator shuts a service off in the browser, and lets it be called again."""

import os

import pytest
from playwright.async_api import Page, expect

from tests.support.pages import reloaded_until
from tests.support.process import Running, Site

pytestmark = pytest.mark.browser
NOBODY = "http://127.0.0.1:9"
SHOP = {
    "version": 1,
    "services": [{"name": "shop", "targets": [{"url": NOBODY}], "breaker": {"failure_threshold": 1000}}],
    "routes": [{"name": "shop", "match": {"path": "/shop"}, "service": "shop", "auth": {"level": "public"}}],
}


async def test_a_breaker_is_forced_open_and_released(page: Page, site: Site, gateway: Running) -> None:
    """It takes effect on requests at once; who did it and why stays on the breaker's page."""
    await site.apply(SHOP)
    await gateway.until("/shop", 502)
    listed = await reloaded_until(
        page,
        "/admin/resilience/breakerstate/",
        lambda page: page.get_by_role("link", name="shop", exact=True),
    )
    await listed.click()
    await page.get_by_role("link", name="Force open").click()
    await page.fill("#dialog [name=reason]", "its database is being moved")
    await page.fill("#dialog [name=duration]", "30m")
    await page.locator("#dialog").get_by_role("button", name="Force open").click()
    refused = await gateway.until("/shop", 503)
    assert b"CIRCUIT_OPEN" in refused.body

    await page.get_by_role("link", name="shop", exact=True).click()
    await expect(page.get_by_text("its database is being moved").first).to_be_visible()
    if folder := os.environ.get("SCREENSHOTS"):
        await page.screenshot(path=f"{folder}/breaker.png")
    await page.get_by_role("link", name="Release").click()
    await page.fill("#dialog [name=reason]", "moved")
    await page.locator("#dialog").get_by_role("button", name="Release").click()
    await gateway.until("/shop", 502)
