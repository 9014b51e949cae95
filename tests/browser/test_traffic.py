"""What an operator does about traffic in the browser: a quota that acts at once, and who is held back by it."""

import pytest
from playwright.async_api import Page, expect

from tests.support.process import Running, Site

pytestmark = pytest.mark.browser
ROUTE = {"name": "hello", "match": {"path": "/hello"}, "respond": {"body": "hi"}, "auth": {"level": "public"}}


async def save(page: Page) -> None:
    await page.click("#submit-row button[name=_save]")


async def test_a_quota_is_added_given_to_a_route_and_seen_at_work(
    page: Page, site: Site, gateway: Running
) -> None:
    """Its form tells a fault at its field; requests beyond it are refused, and the page says whose and why."""
    await site.apply({"version": 1, "routes": [ROUTE]})
    await gateway.until("/hello", b"hi")

    await page.goto("/admin/routing/quota/add/")
    await page.fill("#id_name", "two")
    await page.fill("#id_limit", "2")
    await page.fill("#id_per", "hour")
    await page.select_option("#id_algorithm", "fixed_window")
    await page.fill("#id_key", "[ip, {header: x-tenant}]")
    await save(page)
    await expect(page.get_by_text('say "1h"')).to_be_visible()
    await page.fill("#id_per", "1h")
    await save(page)
    await expect(page.get_by_text("Published as revision 2")).to_be_visible()

    await page.goto("/admin/routing/route/1/change/")
    await page.get_by_text("Limits", exact=True).click()
    await page.fill("#id_quotas", "[twoo]")
    await save(page)
    await expect(page.get_by_text('did you mean "two"')).to_be_visible()
    await page.fill("#id_quotas", "[two]")
    await save(page)
    await expect(page.get_by_text("Published as revision 3")).to_be_visible()

    await gateway.until("/hello", 429)
    await page.goto("/admin/routing/quota/")
    await expect(page.get_by_role("link", name="hello")).to_be_visible()

    await seen(page, "address 127.0.0.1")
    await page.get_by_role("link", name="address 127.0.0.1").click()
    await expect(
        page.get_by_text("Quota two allows 2 requests per hour to address 127.0.0.1")
    ).to_be_visible()
    request_id = await page.locator("code").first.inner_text()
    await page.goto(f"/admin/authproxy/limitedcaller/?q={request_id}&quota=two&mode=enforce&route=hello")
    await expect(page.get_by_text("1 limited caller")).to_be_visible()
    await page.goto("/admin/authproxy/limitedcaller/?mode=log")
    await expect(page.get_by_text("0 limited callers")).to_be_visible()


async def seen(page: Page, text: str) -> None:
    """Loads the list until a worker has written it down."""
    for _ in range(50):
        await page.goto("/admin/authproxy/limitedcaller/")
        if await page.get_by_text(text).count():
            return
    raise AssertionError(f"{text} was not written down")


async def test_targets_are_drained_in_the_browser(page: Page, site: Site, gateway: Running) -> None:
    """In their rows, which fit the page; the dark has no complaint about any of the pages."""
    targets = [{"url": "http://127.0.0.1:9"}, {"url": "http://127.0.0.1:10", "weight": 3}]
    guarded = {"name": "s", "targets": targets, "breaker": {}, "health": {"interval": "60s"}, "retries": {}}
    quotas = [{"name": "free", "limit": 9, "per": "1s"}]
    to_it = {"name": "r", "service": "s", "auth": {"level": "public"}, "quotas": ["free"]}
    await site.apply({"version": 1, "services": [guarded], "quotas": quotas, "routes": [to_it]})
    await page.emulate_media(color_scheme="dark")
    await page.goto("/admin/routing/service/1/change/")
    await page.select_option("#id_targets-0-drain", "yes")
    await page.fill("#id_targets-1-zone", "east")
    await save(page)
    await expect(page.get_by_text("Published as revision 2")).to_be_visible()

    await page.goto("/admin/routing/explain/?route=1")
    chosen = page.locator("tr", has=page.get_by_text("chosen", exact=True))
    await expect(chosen).to_contain_text("http://127.0.0.1:10")
    await expect(chosen).to_contain_text("east")
    await expect(page.get_by_text("draining")).to_be_visible()
    await expect(page.get_by_text("counted_for")).to_be_visible()
    for path in ("quota/1/change/", "quota/add/", "service/1/change/", "route/1/change/"):
        await page.goto(f"/admin/routing/{path}")
        await expect(page.locator("#main")).to_be_visible()
