"""A page of another origin calls routes with fetch: what a real browser lets it read."""

import json
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from tests.support.gateway import DataPlane, data_plane, document, route

pytestmark = pytest.mark.browser

PAGE = {"status": 200, "headers": {"content-type": "text/html"}, "body": "<title>elsewhere</title>"}
OK = {"status": 200, "headers": {"x-total": "7"}, "body": "hello"}
ASK = """async ([url, init]) => {
    try {
        const answer = await fetch(url, init);
        return [answer.status, await answer.text(), answer.headers.get("x-total")];
    } catch (error) {
        return error.name;
    }
}"""


def api(page: DataPlane) -> dict[str, Any]:
    """Routes for pages of `page`, for nobody else, and for strangers only."""
    origin = f"http://127.0.0.1:{page.port}"
    cors = {
        "origins": [origin],
        "methods": ["GET", "PUT"],
        "headers": ["x-mine"],
        "expose": ["x-total"],
        "credentials": True,
    }
    match = {"methods": ["GET", "PUT", "DELETE"]}
    return document(
        route("open", path="/open", respond=OK, cors=cors, match=match),
        {**route("closed", path="/closed", respond=OK, cors=cors), "auth": {"level": "user"}},
        route("away", path="/away", service="away", cors=cors),
        route("silent", path="/silent", respond=OK),
        route("others", path="/others", respond=OK, cors={"origins": ["https://app.test"]}),
        route("anybody", path="/anybody", respond=OK, cors={"origins": ["*"]}),
        services={"away": "http://127.0.0.1:1"},
    )


async def test_what_a_page_of_another_origin_may_read(browser: Browser) -> None:
    """Answers, preflighted ones and errors where the route allows it; nothing where it does not."""
    elsewhere = document(route("page", respond=PAGE))
    async with data_plane(elsewhere) as pages, data_plane(api(pages)) as gateway:
        page = await browser.new_page()
        await page.goto(f"http://127.0.0.1:{pages.port}/")
        # localhost is another site than 127.0.0.1: cookies and credentials matter.
        there = f"http://localhost:{gateway.port}"
        found = {name: await asked(page, there, *ask) for name, ask in ASKED.items()}
        await page.close()
        methods = [(done.method, done.scope["path"], done.status) for done in gateway.finished]

    assert found == {name: EXPECTED.get(name, "TypeError") for name in ASKED}
    assert ("OPTIONS", "/closed", 204) in methods
    assert ("DELETE", "/open", 200) not in methods  # the preflight has kept it away


ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "plain": ("/open", {}),
    "preflighted": ("/open", {"method": "PUT", "headers": {"X-Mine": "1"}, "body": "x"}),
    "with credentials": ("/open", {"credentials": "include"}),
    "wrong method": ("/open", {"method": "DELETE"}),
    "wrong field": ("/open", {"headers": {"X-Other": "1"}}),
    "refused": ("/closed", {"headers": {"X-Mine": "1"}}),
    "away": ("/away", {}),
    "nothing said": ("/silent", {}),
    "not for this page": ("/others", {}),
    "not for this page, preflighted": ("/others", {"method": "PUT"}),
    "anybody": ("/anybody", {}),
    "anybody with credentials": ("/anybody", {"credentials": "include"}),
}
EXPECTED: dict[str, Any] = {
    "plain": [200, "hello", "7"],
    "preflighted": [200, "hello", "7"],
    "with credentials": [200, "hello", "7"],
    "refused": [401, "AUTH_ERROR", None],
    "away": [502, "BAD_GATEWAY", None],
    "anybody": [200, "hello", None],
}


async def asked(page: Page, there: str, path: str, init: dict[str, Any]) -> Any:
    """Status, body (of an error: its code) and the exposed field; or the name of the error that was thrown."""
    answer = await page.evaluate(ASK, [there + path, init])
    if isinstance(answer, list) and answer[0] >= 400:
        answer[1] = json.loads(answer[1])["error"]["code"]
    return answer
