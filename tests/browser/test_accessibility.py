"""No page of admin is hard to use for somebody who cannot see it or has no mouse: axe finds no serious fault."""

from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page

from tests.support.process import Site

pytestmark = pytest.mark.browser
GRAVE = ("serious", "critical")
DOCUMENT = {
    "version": 1,
    "services": [{"name": "shop", "targets": [{"url": "http://127.0.0.1:9"}], "breaker": {}}],
    "quotas": [{"name": "default", "limit": 10, "per": "1s"}],
    "plans": [{"name": "gold", "quotas": [{"name": "default", "limit": 100, "per": "1s"}]}],
    "roles": [{"name": "analyst", "scopes": ["read"]}],
    "routes": [{"name": "orders", "match": {"path": "/orders"}, "service": "shop", "quotas": ["default"]}],
}


async def grave_faults(page: Page) -> list[str]:
    """What axe calls serious or critical on the page as it is, by rule and element."""
    await page.evaluate("() => new Promise(done => setTimeout(done))")  # the page's scripts come first
    found = await Axe().run(page)
    violations: list[dict[str, Any]] = found.response["violations"]
    return [
        f"{page.url}: {fault['id']}: {node['html'][:200]}"
        for fault in violations
        if fault["impact"] in GRAVE
        for node in fault["nodes"][:3]
    ]


async def pages_of_admin(page: Page) -> list[str]:
    """Every page that the sidebar leads to, and the form behind each page's button to add one."""
    await page.goto("/admin/")
    seen = await page.eval_on_selector_all(
        "a[href^='/admin/']", "links => links.map(link => new URL(link.href).pathname)"
    )
    leading = sorted({path for path in seen if path != "/admin/logout/"})
    forms = [f"{path}add/" for path in leading if path.count("/") == 4]
    return ["/admin/", *leading, *forms]


@pytest.mark.timeout(300)
async def test_no_page_of_admin_has_a_serious_fault(page: Page, site: Site) -> None:
    """Lists and forms, with something in them."""
    await site.apply(DOCUMENT)
    faults, visited = [], 0
    for path in await pages_of_admin(page):
        answer = await page.request.get(path)
        if answer.status != 200:
            continue  # what nobody may add has no form
        await page.goto(path)
        visited += 1
        faults += await grave_faults(page)
        first = page.locator("#result_list tbody th a").first
        if await first.count():
            await first.click()
            await page.wait_for_load_state("load")
            faults += await grave_faults(page)

    assert visited > 30
    assert not faults, "\n".join(faults)
