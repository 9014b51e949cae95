"""The usage examples of the system's document as they are written there, and limits by address without a sign-in.

Two things are filled in that are left out there: the end of the picture ("..."), and Python's word for `true`.
"""

import asyncio
import contextlib
import io
from collections.abc import Iterator

import pytest
from playwright.async_api import async_playwright

from tests.browser.conftest import ARGUMENTS
from tests.support import systems
from tests.support.systems import System, until

CODE = """
import requests

# Generate code from screenshot
response = requests.post('http://localhost:8000/api/v1/code/generate', json={
    "image": "data:image/jpeg;base64,/9j/4AAQSkZJRgABAQEAYABgAAD...",
    "code_stack": "react_tailwind",
    "generation_type": "create",
    "should_generate_images": true
})

print(response.json())
"""
IMAGE = """
import requests

# Generate image from prompt
response = requests.post('http://localhost:8000/api/v1/images/generate', json={
    "prompt": "A modern web interface with clean design",
    "provider": "dalle3",
    "size": "1024x1024",
    "num_images": 1
})

print(response.json())
"""
SOCKET = """
const ws = new WebSocket('ws://localhost:8000/api/v1/ws?connection_id=client123');

ws.onopen = function() {
    console.log('Connected to API Gateway');

    // Subscribe to generation updates
    ws.send(JSON.stringify({
        type: 'subscribe_generation',
        generation_id: 'gen_123'
    }));
};

ws.onmessage = function(event) {
    const message = JSON.parse(event.data);
    console.log('Received:', message);
};
"""
REST_OF_PICTURE = "/2Q=="
ALL = 40
"""Requests of an address in a minute."""


@pytest.fixture(scope="module")
def open_system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """Without authentication, which the document has as a switch."""
    env = {"ENABLE_AUTHENTICATION": "false", "RATE_LIMIT_REQUESTS": str(ALL)}
    env["RATE_LIMIT_WINDOW_SECONDS"] = "60"
    with systems.running("screenshot-to-code", tmp_path_factory.mktemp("open"), **env) as system:
        yield system


def printed_by(code: str, system: System) -> str:
    """What it prints, where the gateway has another port."""
    pytest.importorskip("requests")
    code = code.replace("AAD...", f"AAD{REST_OF_PICTURE}").replace(
        "localhost:8000", f"localhost:{system.port}"
    )
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(code, "usage", "exec"), {"true": True})
    return printed.getvalue()


def test_code_in_python(open_system: System) -> None:
    assert "'generation_id': 'gen_" in printed_by(CODE, open_system)


def test_image_in_python(open_system: System) -> None:
    assert "'generation_id': 'img_" in printed_by(IMAGE, open_system)


async def test_socket_in_javascript(open_system: System, chromium: str) -> None:
    """In a browser: it connects, subscribes, and hears what the worker's key tells."""
    said: list[str] = []
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        try:
            page = await browser.new_page()
            page.on("console", lambda message: said.append(message.text))
            await page.goto(f"http://localhost:{open_system.port}/health")
            script = SOCKET.replace("localhost:8000", f"localhost:{open_system.port}")
            await page.evaluate(f"() => {{ {script} }}")
            async with asyncio.timeout(30):
                while not any("subscribed" in line for line in said):
                    await page.wait_for_event("console")
            event = {"topic": "generation.gen_123", "type": "progress", "data": {"percent": 40}}
            heard = asyncio.ensure_future(page.wait_for_event("console", lambda one: "progress" in one.text))
            told = await asyncio.to_thread(
                open_system.ask, "POST", "/api/v1/events", open_system.keyed("worker"), json=event
            )
            assert told.status_code < 300
            assert "gen_123" in (await heard).text
        finally:
            await browser.close()
    assert "Connected to API Gateway" in said


def test_addresses_have_limits(open_system: System) -> None:
    """Who is not signed in is counted by address; the answer says when to come again."""
    seen: list[int] = []

    def asked() -> bool:
        answer = open_system.ask("GET", "/api/v1/images/usage/stats")
        seen.append(answer.status_code)
        return answer.status_code == 429

    until(asked)
    refused = open_system.ask("GET", "/api/v1/images/usage/stats")
    assert len(seen) <= ALL + 1
    assert set(seen[:-1]) == {200}
    assert refused.json()["error"]["code"] == "RATE_LIMIT"
    assert refused.headers["X-RateLimit-Limit"] == str(ALL)
    assert refused.headers["X-RateLimit-Remaining"] == "0"
    assert int(refused.headers["Retry-After"]) > 0
