"""What an operator does about what runs, in the browser: put a target back, and have a caller counted anew."""

from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Page, expect

from tests.support.process import Running, Site

pytestmark = pytest.mark.browser
QUOTA = {"name": "free", "limit": 40, "per": "month"}
SERVICE = {"name": "shop", "targets": [{"url": "http://10.0.0.1:8080"}, {"url": "http://10.0.0.2:8080"}]}


def out(site: Site) -> None:
    """One target is unhealthy, the other one ejected by two workers."""
    now = datetime.now(UTC)
    for url, healthy in (("http://10.0.0.1:8080", False), ("http://10.0.0.2:8080", None)):
        site.sql(
            "INSERT INTO resilience_targethealth (service, target, healthy, since, checked_at, ok, why, status, "
            "latency_s, run, node) VALUES ('shop', ?, ?, ?, ?, ?, ?, 0, 0, 3, 'n')",
            url,
            healthy,
            None if healthy is None else str(now - timedelta(minutes=7)),
            None if healthy is None else str(now),
            False,
            "" if healthy is None else "no answer within 2 s",
        )
    for node in ("w1", "w2"):
        site.sql(
            "INSERT INTO resilience_targetejection (service, target, node, since, until, times, errors) "
            "VALUES ('shop', 'http://10.0.0.2:8080', ?, ?, ?, 1, 5)",
            node,
            str(now),
            str(now + timedelta(minutes=9)),
        )


async def test_a_target_is_put_back(page: Page, site: Site, gateway: Running) -> None:
    """The list says who is out and why; the dialog asks, and the page of the target tells who did it."""
    await site.apply({"version": 1, "services": [SERVICE]})
    out(site)
    await page.goto("/admin/resilience/targethealth/")
    await expect(page.get_by_text("5 requests in a row failed, at 2 workers")).to_be_visible()
    await expect(page.get_by_text("no answer within 2 s")).to_be_visible()
    await page.get_by_role("link", name="http://10.0.0.2:8080").click()
    await page.get_by_role("link", name="Put back").click()
    await page.fill("#dialog [name=reason]", "mended")
    await page.locator("#dialog").get_by_role("button", name="Put back").click()
    await expect(page.get_by_text("put back, live everywhere within a second")).to_be_visible()
    await expect(page.get_by_text("at 2 workers")).not_to_be_visible()
    await page.get_by_role("link", name="http://10.0.0.2:8080").click()
    await expect(page.get_by_role("cell", name="mended")).to_be_visible()


async def test_a_count_is_reset(page: Page, site: Site, gateway: Running) -> None:
    """Support sees whose quota is used up, and gives it back."""
    await site.apply({"version": 1, "quotas": [QUOTA]})
    ends_s = (int(datetime.now(UTC).timestamp()) // 86_400 + 9) * 86_400
    for caller, count in (("consumer:ada", 40), ("ip:192.0.2.1", 7)):
        site.sql(
            "INSERT INTO resilience_quotacount (bucket, count, ends_s, resets) VALUES (?, ?, ?, 0)",
            f"m|free|{caller}",
            count,
            ends_s,
        )
    await page.goto("/admin/")
    await page.get_by_role("link", name="Calendar counts").click()
    await expect(page.get_by_text("used up")).to_be_visible()
    await page.get_by_role("link", name="consumer ada").click()
    await page.get_by_role("link", name="Reset").click()
    await page.fill("#dialog [name=reason]", "their loop is mended")
    await page.locator("#dialog").get_by_role("button", name="Reset").click()
    await expect(page.get_by_text("reset from 40")).to_be_visible()
    await expect(page.get_by_text("used up")).not_to_be_visible()
