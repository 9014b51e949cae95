"""Under review one person changes something, and another one looks at it, says something, and lets it go live."""

import os
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from tests.browser.conftest import PASSWORD, PATIENCE_MS, USER
from tests.browser.test_accessibility import grave_faults
from tests.support.process import Running, Site

pytestmark = pytest.mark.browser
OTHER = "bert"
SAYING = {
    "version": 1,
    "routes": [
        {
            "name": "hello",
            "match": {"path": "/hello"},
            "respond": {"status": 200, "body": "hello"},
            "auth": {"level": "public"},
        }
    ],
}


@pytest.fixture
async def gateway(site: Site) -> AsyncIterator[Running]:
    """Where changes wait for somebody else."""
    await site.apply(SAYING)
    await site.manage(
        "createsuperuser", "--noinput", "--username", OTHER, "--email", "b@example.com",
        DJANGO_SUPERUSER_PASSWORD=PASSWORD,
    )  # fmt: skip
    async with site.serving(PUBLISH="review") as running:
        yield running


async def signed_in(browser: Browser, gateway: Running, name: str) -> Page:
    context = await browser.new_context(base_url=f"http://127.0.0.1:{gateway.port}")
    page = await context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    await page.goto("/admin/")
    await page.fill("#id_login", name)
    await page.fill("#id_password", PASSWORD)
    await page.click("#login-form button[type=submit]")
    await page.wait_for_url("**/admin/")
    return page


async def pictured(page: Page, name: str) -> None:
    if folder := os.environ.get("SCREENSHOTS"):
        await page.screenshot(path=f"{folder}/{name}.png", full_page=True)


async def test_two_people_publish_a_change(browser: Browser, gateway: Running) -> None:
    """Nothing is live before the second one says so; the first one cannot."""
    ada, bert = [await signed_in(browser, gateway, name) for name in (USER, OTHER)]
    await ada.goto("/admin/routing/route/")
    await ada.get_by_role("link", name="hello", exact=True).first.click()
    await ada.fill("#id_respond__body", "good evening")
    await ada.fill("#id_reason", "It is late")
    await ada.click("#submit-row button[name=_save]")
    await ada.goto("/admin/routing/pendingchange/")
    await expect(ada.get_by_text("You have a hand in this draft")).to_be_visible()
    assert (await gateway.get("/hello")).body == b"hello"

    await bert.goto("/admin/routing/pendingchange/")
    await expect(bert.get_by_text("good evening")).to_be_visible()
    await bert.fill("#id_comment", "Friendlier than before")
    await bert.get_by_role("button", name="Say it").click()
    await expect(bert.get_by_text("Friendlier than before")).to_be_visible()
    assert await grave_faults(bert) == []
    await pictured(bert, "pending")
    await bert.fill("#id_reason", "Looks right")
    await bert.get_by_role("button", name="Approve and publish").click()
    await gateway.until("/hello", b"good evening")

    await bert.goto("/admin/routing/revision/")
    await expect(bert.get_by_text("Looks right")).to_be_visible()
    await bert.goto("/admin/observability/auditevent/")
    await expect(bert.get_by_text("configuration.publish").first).to_be_visible()
    await pictured(bert, "audit")
    await (
        bert.locator("#result_list tbody tr", has_text="configuration.publish")
        .first.locator("th a, td a")
        .first.click()
    )
    await expect(bert.locator("ins", has_text="good evening")).to_be_visible()
    await expect(bert.locator("del")).to_be_visible()
    await expect(bert.get_by_text("Looks right")).to_be_visible()


async def test_going_back_asks_first(browser: Browser, gateway: Running, site: Site) -> None:
    """For the reason; the old configuration is a revision of its own then, live at once also under review."""
    await site.apply({**SAYING, "routes": [{**SAYING["routes"][0], "respond": {"body": "hi"}}]})  # type: ignore[index, dict-item]
    await gateway.until("/hello", b"hi")
    page = await signed_in(browser, gateway, USER)
    await page.goto("/admin/routing/revision/")
    await page.get_by_role("link", name="1", exact=True).first.click()
    await page.get_by_text("Roll back to this").first.click()
    await page.fill("#dialog input[name=reason]", "Too short a greeting")
    assert await grave_faults(page) == []
    await pictured(page, "rollback")
    await page.click("#dialog button[type=submit]")
    await expect(page.get_by_text("Published as revision 3")).to_be_visible()
    await expect(page.get_by_text("Too short a greeting")).to_be_visible()
    await gateway.until("/hello", b"hello")


async def test_two_revisions_are_compared(browser: Browser, gateway: Running, site: Site) -> None:
    """Any two, side by side."""
    changed = {**SAYING, "routes": [{**SAYING["routes"][0], "priority": 7}]}  # type: ignore[index, dict-item]
    await site.apply(changed)
    page = await signed_in(browser, gateway, USER)
    await page.goto("/admin/routing/revision/")
    await page.get_by_role("link", name="2", exact=True).first.click()
    await page.get_by_role("link", name="Compare").click()
    await expect(page.get_by_text("priority").first).to_be_visible()
    assert await grave_faults(page) == []
    await pictured(page, "compare")


async def test_a_change_comes_and_goes(browser: Browser, gateway: Running) -> None:
    """One person plans it, another one approves; it is live at once, as its time has begun, until it is cancelled."""
    ada, bert = [await signed_in(browser, gateway, name) for name in (USER, OTHER)]
    await ada.goto("/admin/routing/schedule/")
    assert await grave_faults(ada) == []
    await ada.get_by_role("link", name="Schedule a change").click()
    await ada.fill("#id_document", "routes:\n- name: hello\n  enabled: false")
    await ada.fill("#id_zone", "Europe/Berlin")
    await ada.fill("#id_starts", "2026-01-02 09:00")
    await ada.fill("#id_until", "2090-01-02 18:00")
    await ada.fill("#id_reason", "Maintenance")
    assert await grave_faults(ada) == []
    await pictured(ada, "schedule-form")
    await ada.get_by_role("button", name="Schedule", exact=True).click()
    await expect(ada.get_by_text("Maintenance").first).to_be_visible()
    assert (await gateway.get("/hello")).body == b"hello"

    await bert.goto("/admin/routing/schedule/")
    await bert.locator("#result_list tbody th a").first.click()
    await bert.get_by_role("link", name="Approve").click()
    await bert.fill("#dialog [name=reason]", "agreed")
    await bert.locator("#dialog").get_by_role("button", name="Approve").click()
    await gateway.until("/hello", 404)
    await bert.goto("/admin/routing/schedule/")
    await pictured(bert, "schedules")
    await bert.locator("#result_list tbody th a").first.click()
    await bert.get_by_role("link", name="Cancel").click()
    await bert.fill("#dialog [name=reason]", "done early")
    await bert.locator("#dialog").get_by_role("button", name="Cancel the change").click()
    await gateway.until("/hello", b"hello")
