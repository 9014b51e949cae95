"""What an operator does about stored answers, in the browser: those of a route, and those with a tag."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.support.process import Running, Site

pytestmark = pytest.mark.browser
SERVICE = {"name": "shop", "targets": [{"url": "http://10.0.0.1:8080"}]}
ROUTE = {
    "name": "prices",
    "match": {"path": "/prices"},
    "service": "shop",
    "cache": {"ttl": "1m", "tags": ["a"]},
}


async def test_answers_are_purged(page: Page, site: Site, gateway: Running) -> None:
    """Dialogs ask; the page of purges tells who did it, and why."""
    await site.apply({"version": 1, "services": [SERVICE], "routes": [ROUTE]})
    await page.goto("/admin/routing/route/")
    await page.get_by_role("link", name="prices").click()
    await page.get_by_role("link", name="Purge cache").click()
    await page.fill("#dialog [name=reason]", "wrong price")
    await page.locator("#dialog").get_by_role("button", name="Purge cache").click()
    await expect(page.get_by_text("Purged: route prices")).to_be_visible()
    await page.goto("/admin/resilience/cachepurge/")
    await expect(page.get_by_text("wrong price")).to_be_visible()
    await page.get_by_role("link", name=re.compile("Purge$")).click()
    await page.select_option("#dialog [name=kind]", "tag")
    await page.fill("#dialog [name=value]", "Sale")
    await page.locator("#dialog").get_by_role("button", name="Purge").click()
    await expect(page.get_by_text("Purged: tag sale")).to_be_visible()
