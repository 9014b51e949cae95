"""Why a request goes where it goes, asked on the explain page by pasting a `curl` line."""

import pytest
from playwright.async_api import Page, expect

from tests.browser.test_accessibility import grave_faults
from tests.browser.test_reviewing import pictured
from tests.support.process import Running, Site

pytestmark = pytest.mark.browser
SHOP = {
    "version": 1,
    "services": [
        {
            "name": "shop",
            "targets": [{"url": "http://127.0.0.1:9101"}, {"url": "http://127.0.0.1:9102", "drain": True}],
            "breaker": {},
        }
    ],
    "quotas": [{"name": "by-address", "limit": 100, "per": "1m", "key": "ip"}],
    "routes": [
        {
            "name": "orders",
            "match": {"path": "/api/orders", "path_type": "prefix"},
            "service": "shop",
            "quotas": ["by-address"],
            "auth": {"level": "public"},
        },
        {
            "name": "orders-write",
            "match": {"path": "/api/orders", "path_type": "prefix", "methods": ["POST"]},
            "service": "shop",
            "auth": {"level": "admin"},
        },
        {
            "name": "rest",
            "match": {"path": "/api", "path_type": "prefix"},
            "respond": {"status": 404},
            "auth": {"level": "public"},
        },
    ],
}


async def test_a_pasted_request_is_explained(page: Page, site: Site, gateway: Running) -> None:
    """The winner, why each other route did not take it, what policies do and where it would go; nothing is sent."""
    await site.apply(SHOP)
    await page.goto("/admin/routing/explain/")
    await page.fill("#id_curl", "curl -H 'X-Trace: a b' 'https://shop.example/api/orders/7?full=1'")
    await page.get_by_role("button", name="Explain", exact=True).click()
    matched = page.get_by_role("link", name="orders", exact=True)
    await expect(matched.first).to_be_visible()
    await expect(page.get_by_text("method", exact=False).first).to_be_visible()
    chosen = page.locator("tr", has=page.get_by_text("chosen", exact=True))
    await expect(chosen).to_contain_text("http://127.0.0.1:9101")
    for shown in ("orders-write", "by-address", "draining", "/api/orders/7?full=1"):
        await expect(page.get_by_text(shown).first).to_be_visible()
    assert await grave_faults(page) == []
    await pictured(page, "explain")

    await page.fill("#id_curl", "curl -X")
    await page.get_by_role("button", name="Explain", exact=True).click()
    await expect(page.locator("#main")).to_contain_text("-X")
    await expect(page.get_by_text("chosen", exact=True)).to_have_count(0)
