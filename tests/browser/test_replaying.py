"""From the page of pending changes to what the draft would make of recorded requests, and on to one of them."""

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import USER
from tests.browser.test_accessibility import grave_faults
from tests.browser.test_reviewing import pictured, signed_in
from tests.support.gateway import document, route
from tests.support.process import Site, eventually

pytestmark = pytest.mark.browser
SAID = {"respond": {"status": 200, "body": "x"}}


async def test_a_draft_is_replayed(browser: Browser, site: Site) -> None:
    """The button, the numbers, the filter, the request, the explanation."""
    before = route("orders", path="/orders", redirect={"host": "shop.test"})
    await site.apply(document(before, route("catalogue", path="/catalogue", **SAID)))
    async with site.serving(PUBLISH="review", REQUEST_LOG_SAMPLES_PER_SECOND="1000") as running:
        for number in range(12):
            await running.get(f"/orders/{number}?page=2")
            await running.get(f"/catalogue/{number % 3}", "X-Internal: yes" if number % 3 else "X-A: 1")
        await running.get("/reports/2030")

        async def written() -> bool:
            return len((await site.gateway("requests", "list", "--json")).data) >= 25

        await eventually(written, every_s=0.3)
        after = route("orders", path="/orders", redirect={"host": "shop-next.test"})
        closed = {**route("catalogue", path="/catalogue", **SAID), "require_headers": {"x-internal": {}}}
        await site.apply(document(after, closed, route("reports", path="/reports", **SAID)), "--draft")

        page = await signed_in(browser, running, USER)
        await page.goto("/admin/routing/pendingchange/")
        await page.get_by_role("link", name="Replay recorded requests").click()
        said = page.get_by_text(
            "12 would go elsewhere, 4 would be refused, 1 would be admitted instead of refused"
        )
        await expect(said).to_be_visible()
        assert await grave_faults(page) == []
        await pictured(page, "replay")
        await page.get_by_role("link", name="would be refused", exact=True).click()
        await expect(page.get_by_text("4, the newest first")).to_be_visible()
        await page.get_by_role("link", name="Explain", exact=True).first.click()
        await expect(page.get_by_text("INVALID_REQUEST").first).to_be_visible()
        await pictured(page, "replay-explain")
        await page.go_back()
        await page.get_by_role("link", name="GET /catalogue/0").first.click()
        await expect(page.get_by_text("It was answered with 200 by the route itself.")).to_be_visible()
