"""Policies that only log: the page says whom they would have refused, and enforcing one refuses them."""

import pytest
from playwright.async_api import Browser, expect

from tests.browser.conftest import USER
from tests.browser.test_accessibility import grave_faults
from tests.browser.test_reviewing import pictured, signed_in
from tests.support.gateway import document, route
from tests.support.process import Site, eventually

pytestmark = pytest.mark.browser
SAID = {"respond": {"status": 200, "body": "x"}}
TENANT = {"x-tenant": {"one_of": ["acme", "globex"]}, "mode": "log"}
QUOTA = {"name": "daily", "limit": 2, "per": "day", "key": "ip", "mode": "log"}


async def test_a_policy_is_watched_and_then_enforced(browser: Browser, site: Site) -> None:
    """Real requests make the rows; the question says what it changes; then such a request is refused."""
    orders = route("orders", path="/orders", require_headers=TENANT, quotas=["daily"], **SAID)
    quiet = route("quiet", path="/quiet", ip={"deny": ["192.0.2.0/24"], "mode": "log"}, **SAID)
    await site.apply({**document(orders, quiet), "quotas": [QUOTA]})
    async with site.serving() as running:
        for number in range(4):
            assert (await running.get("/orders", "X-Tenant: acme" if number == 0 else "X-A: 1")).status == 200

        async def written() -> bool:
            found = (await site.gateway("log-only", "--json")).data
            return sum(each["requests"] for each in found) >= 5

        await eventually(written, every_s=0.3)
        page = await signed_in(browser, running, USER)
        await page.goto("/admin/observability/wouldrefuse/")
        await expect(page.get_by_text("Would have refused 3 requests of 1 caller")).to_be_visible()
        await expect(page.get_by_text("Would have refused nobody within 30 days.")).to_be_visible()
        assert await grave_faults(page) == []
        await pictured(page, "log-only")
        card = page.get_by_role("heading", name="require_headers of orders").locator("..")
        await card.get_by_role("link", name="Enforce it").click()
        await expect(page.get_by_text("It changes route orders.")).to_be_visible()
        assert await grave_faults(page) == []
        await pictured(page, "log-only-enforce")
        await page.fill("#id_reason", "Only our own script was hit")
        await page.get_by_role("button", name="Enforce").click()
        await expect(page.get_by_text("Published as revision 2")).to_be_visible()
        await expect(page.get_by_text("It is not in mode log any more.")).to_be_visible()
        await running.until("/orders", 400)
        assert (await running.get("/orders", "X-Tenant: acme")).status == 200
        await page.goto("/admin/observability/auditevent/")
        await expect(page.get_by_text("Only our own script was hit")).to_have_count(1)
