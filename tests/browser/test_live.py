"""The live page of admin: what happens, as it happens."""

import pytest
from playwright.async_api import Page, expect

from tests.support.process import Running, Site

pytestmark = pytest.mark.browser
ROUTE = {"name": "hello", "match": {"path": "/hello"}, "respond": {"body": "hi"}, "auth": {"level": "user"}}


async def test_what_happens_is_shown(page: Page, site: Site, gateway: Running) -> None:
    """A revision and a sign-in that failed; paused it waits, and boxes choose what is shown."""
    await site.apply({"version": 1, "routes": [ROUTE]})
    await gateway.until("/hello", 401)
    await page.goto("/admin/")
    await page.locator('a[href="/admin/realtime/live/"]').click()
    await expect(page.get_by_role("status")).to_have_text("live")
    await expect(page.get_by_text("Nothing has happened")).to_be_visible()

    await site.apply({"version": 1, "routes": [{**ROUTE, "timeout": "9s"}]})
    rows = page.locator("#torana-live-rows tr")
    await expect(rows.first).to_contain_text("revision 2")

    await page.get_by_role("button", name="Pause").click()
    await gateway.get("/hello", "Authorization: Bearer nonsense")
    await expect(page.locator('[data-count="gateway.security"]')).to_have_text("1")
    await expect(rows).to_have_count(1)
    await page.get_by_role("button", name="Go on").click()
    await expect(rows.first).to_contain_text("auth failed")
    await expect(rows.first).to_contain_text("route hello")

    await page.get_by_label("Access").uncheck()
    await page.get_by_label("Revisions").uncheck()
    await page.get_by_role("button", name="Clear").click()
    await expect(rows).to_have_count(0)
