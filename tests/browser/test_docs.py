"""The page of the API's documentation: it works without any other site, under its policy, and calls what it shows."""

import os
from collections import Counter

import pytest
from playwright.async_api import Page, expect

from tests.support.process import Running

pytestmark = pytest.mark.browser


async def test_the_api_is_shown_and_can_be_tried(page: Page, gateway: Running) -> None:
    """Every operation is listed, below its tag where they are many; one is executed from the page."""
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto("/docs")
    document = await (await page.request.get("/docs/openapi.json")).json()
    tags = Counter(each["tags"][0] for methods in document["paths"].values() for each in methods.values())
    assert tags.total() > 120
    await expect(page.locator(".opblock-tag")).to_have_count(len(tags))
    for tag, operations in tags.items():
        heading = page.locator(f".opblock-tag[data-tag='{tag}']")
        await heading.click()
        await expect(page.locator(".opblock")).to_have_count(operations)
        await heading.click()
        await expect(page.locator(".opblock")).to_have_count(0)
    await page.locator(".opblock-tag[data-tag='Keys']").click()
    operation = page.locator(".opblock", has_text="Public keys")
    await operation.locator("button.opblock-summary-control").click()
    await operation.get_by_role("button", name="Try it out").click()
    await operation.get_by_role("button", name="Execute").click()
    await expect(operation.locator(".live-responses-table")).to_contain_text('"keys"')
    if folder := os.environ.get("SCREENSHOTS"):
        await page.screenshot(path=f"{folder}/docs.png", full_page=True)

    here = f"http://127.0.0.1:{gateway.port}/"
    assert [url for url in asked if not url.startswith((here, "data:"))] == []
