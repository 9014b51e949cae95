"""What somebody who administers access does in the browser, until a request is let through and no longer is."""

import time

import pytest
from playwright.async_api import Page, expect

from tests.support.gateway import Answer
from tests.support.process import Running, Site, eventually
from tests.support.stopwatch import Stopwatch

pytestmark = pytest.mark.browser
LIVE_WITHIN_S = 1.0
CLOSED = {
    "version": 1,
    "roles": [{"name": "analyst", "scopes": ["read"]}],
    "plans": [{"name": "gold"}],
    "routes": [
        {
            "name": "closed",
            "match": {"path": "/closed"},
            "respond": {"body": "come in"},
            "auth": {"scopes": ["read"]},
        }
    ],
}


async def save(page: Page) -> None:
    await page.click("#submit-row button[name=_save]")


async def refused(gateway: Running, key: str, stopwatch: Stopwatch) -> float:
    """Seconds until a key is refused."""
    began = time.time()

    async def is_refused() -> bool:
        status = (await asked(gateway, key)).status
        assert status in (200, 401)
        return status == 401

    await eventually(is_refused)
    return stopwatch.since(began)


async def tells(page: Page, kind: str, text: str) -> bool:
    """Whether the list of security events has one; they are written in rounds, so that nobody waits for one."""
    await page.goto(f"/admin/authproxy/securityevent/?kind={kind}")
    return await page.locator("#result_list", has_text=text).count() == 1


async def asked(gateway: Running, key: str) -> Answer:
    return await gateway.get("/closed", f"X-API-Key: {key}")


async def test_key_made_in_the_browser_opens_a_route_until_it_is_revoked(
    page: Page, site: Site, gateway: Running, stopwatch: Stopwatch
) -> None:
    """A consumer, a role, a key that is shown once; a wrong scope is told at its field; revoking is live at once."""
    await site.apply(CLOSED)
    await gateway.until("/closed", 401)

    await page.goto("/admin/authproxy/consumer/add/")
    await page.fill("#id_name", "batch")
    await page.select_option("#id_kind", "service")
    await page.select_option("#id_plan", "gold")
    await page.fill("#id_scopes", "read")
    await save(page)
    await page.click("tr:has-text('batch') .field-actions_holder span")
    await page.click("nav a:visible:has-text('New key')")

    await page.fill("#id_name", "nightly")
    await page.fill("#id_scopes", "fly")
    await save(page)
    await expect(page.get_by_text("batch does not have fly. It has: read.")).to_be_visible()
    await page.fill("#id_scopes", "read")
    await save(page)
    key = await page.inner_text("#secret")
    answer = await asked(gateway, key)
    assert (answer.status, answer.body) == (200, b"come in")

    await page.get_by_role("link", name="To the consumer").click()
    await page.get_by_role("link", name="nightly").click()
    await expect(page.get_by_text(key[:16])).to_have_count(2)  # title and field
    assert key not in await page.content()
    await page.click("a:has-text('Revoke')")
    await page.fill("#dialog input[name=reason]", "was in a log")
    await page.click("#dialog button[type=submit]")
    await expect(page.get_by_text("Revoked 1 API key")).to_be_visible()
    assert await refused(gateway, key, stopwatch) < LIVE_WITHIN_S

    await eventually(lambda: tells(page, "key_revoked", "batch"))


async def test_selected_consumers_are_shut_out_after_a_question(
    page: Page, site: Site, gateway: Running, stopwatch: Stopwatch
) -> None:
    """Nothing happens before it is confirmed; afterwards, the key is refused at once."""
    await site.apply(CLOSED)
    await site.gateway("consumer", "create", "batch", "--kind", "service", "--scope", "read")
    key = (await site.gateway("apikey", "create", "nightly", "--consumer", "batch")).out.strip()
    await gateway.until("/closed", 401)
    assert (await asked(gateway, key)).status == 200

    await page.goto("/admin/authproxy/consumer/")
    await page.check("input.action-select")
    await page.select_option("select[name=action]", "disable_selected")
    await page.click("button[name=index]")
    await expect(page.get_by_text("Disable 1 consumer?")).to_be_visible()
    assert (await asked(gateway, key)).status == 200
    await page.click("#content button[type=submit]")
    await expect(page.get_by_text("Disabled 1 consumer")).to_be_visible()
    assert await refused(gateway, key, stopwatch) < LIVE_WITHIN_S


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_pages_open_without_a_complaint(page: Page, site: Site, scheme: str) -> None:
    """No script error and nothing blocked by the page's own policy, on any page."""
    await site.gateway("consumer", "create", "batch", "--kind", "service")
    await site.gateway("apikey", "create", "nightly", "--consumer", "batch")
    await page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    for path in (
        *("consumer/", "consumer/add/", "consumer/1/change/", "consumer/1/delete/", "consumer/1/history/"),
        *("apikey/", "apikey/add/?consumer=1", "apikey/1/change/", "session/", "signingkey/"),
        *("securityevent/", "securityevent/?kind=login&q=ada"),
    ):
        response = await page.goto(f"/admin/authproxy/{path}")
        assert response is not None
        assert response.status == 200, path
        await expect(page.locator("#main")).to_be_visible()
