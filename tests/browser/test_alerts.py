"""Alerts in the browser: a receiver is made, its secret shown once, and a test sent by the running gateway."""

import asyncio
import os

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.support.process import Running
from tests.support.receivers import webhook

pytestmark = pytest.mark.browser


async def test_a_receiver_is_made_and_tested(page: Page, gateway: Running) -> None:
    """The message arrives signed, and the list says that it was sent."""
    assert gateway is not None
    with webhook() as hook:
        await page.goto("/admin/observability/alertreceiver/add/")
        await page.fill("#id_name", "ops")
        await page.fill("#id_url", hook.url)
        found = await Axe().run(page)
        serious = [v["id"] for v in found.response["violations"] if v["impact"] in ("serious", "critical")]
        if folder := os.environ.get("SCREENSHOTS"):
            await page.screenshot(path=f"{folder}/receiver.png", full_page=True)
        await page.click("#submit-row button[name=_save]")
        await expect(page.get_by_text("is not shown again")).to_be_visible()
        await page.goto("/admin/observability/alertreceiver/1/change/")
        await page.get_by_text("Send a test").first.click()
        await page.get_by_role("button", name="Send", exact=True).click()
        _, given, _ = await asyncio.to_thread(hook.received.get, timeout=15)
    assert given["webhook-signature"].startswith("v1,")
    assert serious == []
