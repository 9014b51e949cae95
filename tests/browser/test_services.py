"""The page of a service with very many targets."""

import os
from pathlib import Path

import pytest
from playwright.async_api import Dialog, Page, expect

from tests.support.process import Running, Site

pytestmark = pytest.mark.browser
FIRST = "#id_targets-0-url"


async def test_targets_come_in_pages(page: Page, site: Site, gateway: Running) -> None:
    """What was typed is not lost unasked; saving a page keeps the others."""
    targets = [{"url": f"http://10.0.0.{n}:80"} for n in range(120)]
    await site.apply({"version": 1, "services": [{"name": "big", "targets": targets}]})
    await page.goto("/admin/routing/service/1/change/")
    await expect(page.locator(FIRST)).to_have_value("http://10.0.0.0:80")
    third = page.locator(".inline-pagination a", has_text="3")
    if folder := os.environ.get("SCREENSHOTS"):
        await third.scroll_into_view_if_needed()
        await page.screenshot(path=Path(folder) / "targets-in-pages.png")
    await third.click()
    await expect(page.locator(FIRST)).to_have_value("http://10.0.0.100:80")
    await page.fill(FIRST, "http://10.0.1.1:80")
    asked: list[str] = []

    async def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        await dialog.dismiss()

    page.once("dialog", stay)
    await page.locator(".inline-pagination a", has_text="2").click(no_wait_after=True)
    await expect(page.locator(FIRST)).to_have_value("http://10.0.1.1:80")
    await page.click("#submit-row button[name=_save]")
    await page.wait_for_url("**/service/")
    assert asked == ["beforeunload"]
    found = (await site.gateway("export")).out
    is_there = ["http://10.0.1.1:80" in found, "http://10.0.0.100:80" in found]
    assert (found.count("http://10.0."), is_there) == (120, [True, False])
