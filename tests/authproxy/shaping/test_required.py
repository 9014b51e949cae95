"""The step that refuses requests without the header fields that their route requires."""

import json

from authproxy.shaping.logonly import JUDGEMENTS
from tests.support.gateway import RawClient, data_plane, document, route

RULES = {"x-privacy-level": {"one_of": ["strict", "standard"]}}


async def test_a_request_without_the_field_is_told_what_is_wanted() -> None:
    """400 with the field, the values and what came; the right value passes."""
    raw = document(route(respond={"status": 200}, require_headers=RULES))
    async with data_plane(raw) as plane, RawClient(plane.port) as client:
        missing = await client.get("/")
        wrong = await client.get("/", "X-Privacy-Level: none")
        right = await client.get("/", "X-Privacy-Level: strict")

    assert (missing.status, wrong.status, right.status) == (400, 400, 200)
    error = json.loads(wrong.body)["error"]
    assert error["code"] == "INVALID_REQUEST"
    assert error["details"] == {
        "header": "x-privacy-level",
        "expected": ["strict", "standard"],
        "value": "none",
    }
    assert json.loads(missing.body)["error"]["details"]["value"] is None


async def test_log_counts_and_lets_pass() -> None:
    """Nobody is refused; what would have been is counted."""
    raw = document(route("headers-log", respond={"status": 200}, require_headers={**RULES, "mode": "log"}))
    async with data_plane(raw) as plane, RawClient(plane.port) as client:
        answer = await client.get("/")

    assert answer.status == 200
    assert JUDGEMENTS.would_refuse["headers-log", "require_headers", "missing"] == 1
