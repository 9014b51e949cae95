"""Uploading what a gRPC service's messages look like, on the service's page in admin."""

import os
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Page, expect

from tests.support.grpcserver import EchoServer, echo_server, echo_set
from tests.support.process import Running, Site

pytestmark = pytest.mark.browser
FILE = "#id_descriptors_file"
CALLED = {
    "name": "said",
    "match": {"path": "/said"},
    "service": "calls",
    "grpc": {"service": "echo.Echo", "method": "Say"},
    "auth": {"level": "public"},
}


@pytest.fixture
async def echo() -> AsyncIterator[EchoServer]:
    """A gRPC service that does not tell by reflection what its methods are."""
    async with echo_server(reflects=False) as running:
        yield running


async def choose(page: Page, data: bytes) -> None:
    """A file of that content."""
    content = {"name": "set.binpb", "mimeType": "application/octet-stream", "buffer": data}
    await page.set_input_files(FILE, content)  # type: ignore[arg-type]


async def save(page: Page) -> None:
    await page.click("#submit-row button[name=_save]")


async def fill(page: Page, echo: EchoServer) -> None:
    await page.goto("/admin/routing/service/add/")
    await page.fill("#id_name", "calls")
    await page.select_option("#id_protocol", "grpc")
    await page.fill("#id_targets-0-url", echo.url)
    await page.get_by_text("Messages of gRPC", exact=True).click()


async def test_a_set_is_uploaded_and_called(
    page: Page, site: Site, gateway: Running, echo: EchoServer
) -> None:
    """What is none is told at the file, with all else still there; a real one is published, shown, and called by."""
    await fill(page, echo)
    for data in (b"nonsense", echo_set()[:-9]):
        await choose(page, data)
        await save(page)
        await expect(page.get_by_text("Is not a descriptor set")).to_be_visible()
        await expect(page.locator("#id_targets-0-url")).to_have_value(echo.url)
        await expect(page.locator("#id_descriptors")).to_be_empty()

    await choose(page, echo_set())
    await save(page)
    await expect(page.get_by_text("Published as revision 1")).to_be_visible()
    await page.locator("#result_list").get_by_role("link", name="calls", exact=True).click()
    await page.get_by_text("Messages of gRPC", exact=True).click()
    await expect(page.get_by_text("Now: echo.Echo (")).to_be_visible()
    if folder := os.environ.get("SCREENSHOTS"):
        await page.screenshot(path=f"{folder}/descriptors.png", full_page=True)
    await site.apply({"version": 1, "routes": [CALLED]})
    answer = await gateway.until("/said", 200)
    assert answer.body.startswith(b"{")


async def test_a_file_that_is_too_large_stays_here(page: Page, echo: EchoServer) -> None:
    """It is refused where it is chosen, and nothing that was typed is lost; a smaller one goes."""
    await fill(page, echo)
    await choose(page, bytes(11 << 20))
    await save(page)
    said = await page.evaluate(f"() => document.querySelector('{FILE}').validationMessage")
    assert said == "The file is larger than 4 MB."
    await expect(page.locator("#id_targets-0-url")).to_have_value(echo.url)
    await choose(page, echo_set())
    await save(page)
    await expect(page.get_by_text("Published as revision 1")).to_be_visible()
