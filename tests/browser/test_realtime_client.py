"""The JavaScript client of the examples, in a page, against the endpoint."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from realtime.hub.hub import Hub
from tests.support.clientsockets import PATH, Place, endpoint
from tests.support.gateway import document, route
from tests.support.process import ROOT, eventually

pytestmark = pytest.mark.browser
CLIENT = ROOT / "examples/realtime/torana.js"
PAGE = """<!doctype html><title>live</title><script type="module">
import { Torana } from "/torana.js";
window.said = []; window.gaps = []; window.states = []; window.errors = []; window.asked = 0;
window.begin = (url, token) => {
  window.live = new Torana(url, {
    token: () => { window.asked += 1; return token; }, random: () => 0,
    onState: (...state) => states.push(state), onError: (error) => errors.push(error.code),
  });
  const onGap = (gap) => gaps.push(gap.topic);
  window.leave = live.subscribe("generation.1", (event) => said.push(event.data), { onGap });
};
window.ready = true;
</script>"""


@asynccontextmanager
async def live(
    browser: Browser, hub: Hub | None = None, *, token: str = "ada"
) -> AsyncIterator[tuple[Place, Page]]:
    """A page that listens to one topic."""
    async with endpoint(hub) as place:
        served = {"/page": ("text/html", PAGE), "/torana.js": ("text/javascript", CLIENT.read_text())}
        place.plane.publish(
            document(
                *(
                    route(
                        path[1:].replace(".", "-"),
                        path=path,
                        respond={"body": body, "headers": {"Content-Type": kind}},
                    )
                    for path, (kind, body) in served.items()
                )
            )
        )
        page = await browser.new_page()
        url = f"127.0.0.1:{place.plane.port}"
        await page.goto(f"http://{url}/page")
        await page.wait_for_function("window.ready")
        await page.evaluate("([url, token]) => begin(url, token)", [f"ws://{url}{PATH}", token])
        try:
            yield place, page
        finally:
            await page.close()


async def told(page: Page, name: str, wanted: Any) -> None:
    """Once the page has it."""
    await page.wait_for_function(
        "([name, wanted]) => JSON.stringify(window[name]) === wanted", arg=[name, wanted]
    )


async def listening(place: Place) -> None:
    await eventually(lambda: any("generation.1" in each.topics for each in _sessions(place)))


def _sessions(place: Place) -> list[Any]:
    return [*place.sessions._all]


async def test_events_arrive(browser: Browser) -> None:
    """With the token that the page was given; a topic that it may not have is refused, and leaving ends it."""
    async with live(browser) as (place, page):
        await listening(place)
        await place.hub.publish("generation.1", "progress", {"percent": 50})
        await told(page, "said", '[{"percent":50}]')
        await page.evaluate("() => live.subscribe('user.999', () => {})")
        await told(page, "errors", '["FORBIDDEN"]')
        assert [[*each.topics] for each in _sessions(place)] == [["generation.1"]]
        await page.evaluate("() => leave()")
        await eventually(lambda: not any(each.topics for each in _sessions(place)))
        await place.hub.publish("generation.1", "progress", {"percent": 60})
        assert await page.evaluate("() => said") == [{"percent": 50}]


async def test_a_connection_that_breaks_loses_nothing(browser: Browser) -> None:
    """It comes back by itself, with a token that is asked for anew, and goes on after the last event."""
    async with live(browser) as (place, page):
        await listening(place)
        await place.hub.publish("generation.1", "progress", 1)
        await told(page, "said", "[1]")
        for session in _sessions(place):
            session.line.transport.abort()
        await place.hub.publish("generation.1", "progress", 2)
        await told(page, "said", "[1,2]")
        await place.hub.publish("generation.1", "progress", 3)
        await told(page, "said", "[1,2,3]")
        assert await page.evaluate("() => window.asked") >= 2


async def test_what_is_gone_is_told(browser: Browser) -> None:
    """Events that the gateway does not have any more are a gap."""
    async with live(browser) as (place, page):
        await listening(place)
        await place.hub.publish("generation.1", "progress", 1)
        await told(page, "said", "[1]")
        await place.hub.lose(["generation.1"])
        await told(page, "gaps", '["generation.1"]')
        assert await page.evaluate("() => said") == [1]


async def test_who_ends_it_stays_away(browser: Browser) -> None:
    async with live(browser) as (place, page):
        await listening(place)
        await page.evaluate("() => live.close()")
        await eventually(lambda: not _sessions(place))
        assert (await page.evaluate("() => states.at(-1)"))[0] == "closed"


async def test_a_token_that_is_refused_is_tried_with_pauses(browser: Browser) -> None:
    """Each time with a new one."""
    async with live(browser, token="nobody") as (_, page):
        await page.wait_for_function("() => window.asked >= 3")
        assert await page.evaluate("() => states.some(([state]) => state === 'open')") is False
