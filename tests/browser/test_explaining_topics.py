"""Who may do what with a topic, asked on the explain page."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import USER
from tests.browser.test_accessibility import grave_faults
from tests.browser.test_reviewing import pictured
from tests.support.process import Running, Site

pytestmark = pytest.mark.browser
RULES = [
    {"name": "orders", "topics": ["orders.>"], "subscribe": {"level": "admin"}},
    {"name": "own-orders", "topics": ["orders.${user.name}"], "publish": {"level": "service"}},
]


async def test_a_topic_is_explained(page: Page, site: Site, gateway: Running) -> None:
    """The verdict, the rule with a link to it, and the rules that do not decide; a request beside it is a fault."""
    await site.apply({"version": 1, "topics": RULES})
    await page.goto("/admin/routing/explain/")
    await page.fill("#id_topic", f"orders.{USER}")
    await page.fill("#id_caller", USER)
    await page.get_by_role("button", name="Explain", exact=True).click()
    await expect(page.get_by_text(f"{USER} may read it")).to_be_visible()
    await expect(page.get_by_text("it fits, and is less specific")).to_be_visible()
    assert await grave_faults(page) == []
    await pictured(page, "explain-topic")
    await page.fill("#id_url", "/orders")
    await page.get_by_role("button", name="Explain", exact=True).click()
    await expect(page.get_by_text("Give either a request or a topic")).to_be_visible()
    await page.fill("#id_url", "")
    await page.get_by_role("button", name="Explain", exact=True).click()
    await page.get_by_role("link", name="own-orders", exact=True).click()
    await expect(page.locator("#id_name")).to_have_value("own-orders")
