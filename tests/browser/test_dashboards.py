"""Dashboards of admin in a browser: what they show is what two workers were sent."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.support import databases
from tests.support.process import Running, Site
from tests.support.upstreams import Peer, ScriptedUpstream, response

pytestmark = pytest.mark.browser
ROUTES = [
    {"name": "hello", "match": {"path": "/hello"}, "respond": {"body": "hi"}, "auth": {"level": "public"}},
    {"name": "closed", "match": {"path": "/closed"}, "respond": {"body": "hi"}, "auth": {"level": "user"}},
]


@pytest.fixture
def site(tmp_path: Path, prepared_database: str, redis_url: str) -> Iterator[Site]:
    """Whose workers share a Redis."""
    with databases.empty_database(tmp_path, like=prepared_database) as url:
        shared = {"REDIS_URL": redis_url, "SERVICE_NAME": f"boards-{tmp_path.name}"[:40]}
        yield Site(tmp_path, {"DATABASE_URL": url, **shared})


@pytest.fixture
async def gateway(site: Site) -> AsyncIterator[Running]:
    """Two workers share what is sent."""
    async with site.serving("--workers", "2") as running:
        yield running


async def send(gateway: Running, path: str, count: int) -> None:
    """Over a connection each, so that both workers get some."""
    for _ in range(count):
        await gateway.get(path)


async def faults(page: Page) -> list[str]:
    found = await Axe().run(page)
    return [each["id"] for each in found.response["violations"] if each["impact"] in ("serious", "critical")]


async def test_totals_are_what_was_sent(page: Page, site: Site, gateway: Running) -> None:
    """On the page of everything and on that of one route; in either theme nobody is shut out."""
    await page.goto("/admin/traffic/")
    await expect(page.get_by_text("No request came in this time.")).to_be_visible()
    await site.apply({"version": 1, "routes": ROUTES})
    await gateway.until("/closed", 401)
    before = 1
    await asyncio.gather(*(send(gateway, "/hello", 10) for _ in range(4)), send(gateway, "/closed", 5))

    requests = page.locator('[data-figure="requests"]')
    await expect(requests).to_have_text(str(45 + before), timeout=40_000)
    await expect(page.get_by_role("status")).to_have_text("live")
    table = page.locator(".torana-board-card", has_text="Top routes")
    await expect(table.get_by_role("row").nth(1)).to_contain_text("hello40")
    refused = page.locator(".torana-board-card", has_text="Refused by the gateway")
    await expect(refused).to_contain_text("AUTH_ERROR")
    assert await faults(page) == []

    await table.get_by_role("link", name="hello").click()
    await expect(requests).to_have_text("40")
    await page.get_by_role("button", name="7 d").click()
    await expect(page.get_by_role("button", name="7 d")).to_have_attribute("aria-pressed", "true")
    await expect(requests).to_have_text("40")


async def closing(peer: Peer) -> None:
    """Each request needs a connection of its own."""
    await peer.request()
    await peer.send(response(b"hi", headers=[("Connection", "close")]))
    peer.end()


OPENED = """() => Chart.getChart("torana-chart-opened")?.data.datasets[0].data.reduce((sum, each) => sum + each, 0)"""
"""What the chart's bars add up to."""
TOOK = """() => Chart.getChart("torana-chart-connects").data.datasets.map(({ data }) => Math.max(...data))"""


async def test_connections_to_services_are_drawn(page: Page, site: Site, gateway: Running) -> None:
    """As many as the service saw of both workers, on its own page and on that of everything."""
    route = {"name": "shop", "match": {"path": "/shop"}, "service": "shop", "auth": {"level": "public"}}
    async with ScriptedUpstream(closing) as upstream:
        shop = {"name": "shop", "targets": [{"url": upstream.url}]}
        await site.apply({"version": 1, "services": [shop], "routes": [route]})
        await gateway.until("/shop", b"hi")
        await asyncio.gather(*(send(gateway, "/shop", 8) for _ in range(4)))
        opened = upstream.accepted
    assert opened >= 32

    await page.goto("/admin/traffic/?service=shop")
    await page.wait_for_function(f"wanted => ({OPENED})() === wanted", arg=opened, timeout=40_000)
    p99, p95, median = await page.evaluate(TOOK)
    assert p99 >= p95 >= median > 0
    assert await faults(page) == []
    if folder := os.environ.get("SCREENSHOTS"):
        await page.screenshot(path=f"{folder}/connects.png", full_page=True)
    await page.goto("/admin/traffic/?range=7d")
    assert await page.evaluate(OPENED) == opened
    await page.goto("/admin/traffic/?route=shop")
    await expect(page.locator('[data-figure="requests"]')).to_have_text(str(opened))
    await expect(page.locator("#torana-chart-opened")).to_have_count(0)


async def test_seconds_are_shown_live(page: Page, site: Site, gateway: Running) -> None:
    """On the page Live, of both workers together."""
    await site.apply({"version": 1, "routes": ROUTES})
    await gateway.until("/closed", 401)
    await page.goto("/admin/realtime/live/")
    await expect(page.get_by_role("status")).to_have_text("live")
    shown = page.locator('#torana-live-traffic [data-figure="requests"]')
    stopped = asyncio.Event()

    async def keep_asking() -> None:
        while not stopped.is_set():
            await gateway.get("/hello")

    asking = asyncio.create_task(keep_asking())
    await expect(shown).not_to_have_text("0")
    if folder := os.environ.get("SCREENSHOTS"):
        await page.screenshot(path=f"{folder}/live.png", full_page=True)
    stopped.set()
    await asking
    await expect(shown).to_have_text("0")
