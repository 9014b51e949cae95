"""What an admin does in the browser, from an empty gateway to a request that goes through it."""

import time
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect

from tests.support.process import Running, Site
from tests.support.stopwatch import Stopwatch
from tests.support.upstreams import Peer, ScriptedUpstream

pytestmark = pytest.mark.browser
LIVE_WITHIN_S = 1.0
HELLO = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"


@pytest.fixture
async def upstream() -> AsyncIterator[str]:
    """The URL of a real HTTP server that says hello."""

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            await peer.send(HELLO)

    async with ScriptedUpstream(script) as running:
        yield running.url


async def save(page: Page) -> None:
    await page.click("#submit-row button[name=_save]")


async def choose(page: Page, field: str, text: str) -> None:
    """Picks from a list that is searched while one types."""
    await page.click(f"#id_{field} + .select2")
    await page.fill(".select2-search__field", text)
    await page.click(f".select2-results__option:has-text('{text}')")


async def test_service_and_route_added_in_the_browser_are_live_within_a_second(
    page: Page, gateway: Running, upstream: str, stopwatch: Stopwatch
) -> None:
    """Sign in, add a service with a target, add a route to it, and the gateway forwards to a real server."""
    assert (await gateway.get("/hello/world")).status == 404

    await page.goto("/admin/routing/service/add/")
    await page.fill("#id_name", "greeter")
    await page.fill("#id_targets-0-url", upstream)
    await save(page)
    await expect(page.get_by_text("Published as revision 1")).to_be_visible()

    await page.goto("/admin/routing/route/add/")
    await page.fill("#id_name", "hello")
    await page.fill("#id_match__path", "/hello")
    await choose(page, "service", "greeter")
    await page.select_option("#id_auth__level", "public")
    await page.fill("#id_reason", "Say hello")
    began = time.time()
    await save(page)
    await expect(page.get_by_text("Published as revision 2")).to_be_visible()
    answer = await gateway.until("/hello/world", 200)
    took_s = stopwatch.since(began)

    assert answer.body == b"hello"
    assert took_s < LIVE_WITHIN_S + 1.0, "one second for the page to load, one for the change"
    await page.goto("/admin/routing/revision/")
    await expect(page.get_by_text("Say hello")).to_be_visible()


async def test_form_shows_fields_of_the_chosen_destination_and_keeps_what_was_typed(
    page: Page, gateway: Running
) -> None:
    """Choosing another destination shows its fields; an error is at its field, with everything still there."""
    await page.goto("/admin/routing/route/add/")
    await expect(page.locator("#id_redirect__host")).to_be_hidden()
    await page.select_option("#id_destination", "respond")
    await expect(page.locator("#id_respond__body")).to_be_visible()
    await expect(page.locator("#id_service + .select2")).to_be_hidden()

    await page.fill("#id_name", "closed")
    await page.fill("#id_match__path", "/closed")
    await page.fill("#id_respond__status", "99")
    await page.fill("#id_respond__body", "We are closed.")
    await page.select_option("#id_auth__level", "public")
    await page.get_by_text("Limits", exact=True).click()
    await page.fill("#id_timeout", "5")
    await save(page)

    await expect(page.get_by_text("Must be a duration with a unit")).to_be_visible()
    await expect(page.locator("#id_respond__body")).to_have_value("We are closed.")
    await page.fill("#id_timeout", "5s")
    await page.fill("#id_respond__status", "503")
    await save(page)
    await expect(page.get_by_text("Published as revision 1")).to_be_visible()
    answer = await gateway.until("/closed", 503)
    assert answer.body == b"We are closed."


async def test_weighted_services_are_shown_where_they_are_chosen(page: Page, site: Site) -> None:
    """Below the destination; and whatever is chosen, as long as one of them is wrong."""
    await site.apply({"version": 1})
    await page.goto("/admin/routing/route/add/")
    another = page.get_by_text("Add another Weighted service")
    await expect(page.locator("#id_service + .select2")).to_be_visible()
    await expect(another).to_be_hidden()
    await page.select_option("#id_destination", "backends")
    await expect(another).to_be_visible()
    chosen, rows = await page.locator("#id_destination").bounding_box(), await another.bounding_box()
    assert chosen is not None
    assert rows is not None
    assert chosen["y"] < rows["y"]

    await another.click()
    await page.fill("#id_backends-0-weight", "5")
    await page.select_option("#id_destination", "respond")
    await expect(another).to_be_hidden()
    await page.fill("#id_name", "closed")
    await page.fill("#id_respond__status", "503")
    await save(page)

    await expect(page.get_by_text("This field is required")).to_be_visible()
    await expect(another).to_be_visible()


async def test_route_is_disabled_in_a_dialog_and_history_leads_back(
    page: Page, site: Site, gateway: Running
) -> None:
    """A dialog asks before a route stops; rolling back from history starts it again."""
    answers = {
        "match": {"path": "/on"},
        "respond": {"status": 200, "body": "on"},
        "auth": {"level": "public"},
    }
    await site.apply({"version": 1, "routes": [{"name": "on", **answers}]})
    await gateway.until("/on", b"on")

    await page.goto("/admin/routing/route/")
    await page.click(".field-actions_holder span")
    await page.click("nav a:visible:has-text('Disable')")
    await page.fill("#dialog input[name=reason]", "maintenance")
    await page.click("#dialog button[type=submit]")
    await expect(page.get_by_text("Published as revision 2")).to_be_visible()
    await gateway.until("/on", 404)

    await page.goto("/admin/routing/revision/?q=1")
    await page.click("tr:has-text('1 route added') .field-actions_holder span")
    await page.click("nav a:visible:has-text('Roll back to this')")
    await page.click("#dialog button[type=submit]")
    await expect(page.get_by_text("Published as revision 3")).to_be_visible()
    await gateway.until("/on", b"on")


async def test_pages_open_without_a_complaint(page: Page, site: Site, gateway: Running) -> None:
    """No script error and nothing blocked by the page's own policy, on any page; in the dark as well."""
    route = {"name": "r", "match": {"path": "/r"}, "respond": {}, "auth": {"level": "public"}}
    await site.apply({"version": 1, "services": [{"name": "s"}], "routes": [route]})
    await page.emulate_media(color_scheme="dark")
    for path in (
        *("", "routing/service/", "routing/service/add/", "routing/route/", "routing/route/add/"),
        *("routing/route/1/change/", "routing/routedefaults/", "routing/explain/?route=1"),
        *("routing/revision/", "routing/revision/1/change/", "routing/node/", "routing/pendingchange/"),
        *("auth/user/", "auth/user/1/change/", "auth/group/add/"),
    ):
        response = await page.goto(f"/admin/{path}")
        assert response is not None
        assert response.status == 200, path
        await expect(page.locator("#main")).to_be_visible()
