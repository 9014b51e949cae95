"""The step that judges query and body; what it makes of requests is in tests/functional/test_validation.py."""

from typing import Any

from authproxy.shaping.validating import judge_json
from routing.shapes.validation import Validation
from tests.support.gateway import RawClient, data_plane, document, route
from tests.support.snapshots import snapshot_of


def rules(**validate: Any) -> Validation:
    raw = document(route(respond={}, validate=validate))
    found = snapshot_of(raw).routes["r"].shapes.validation
    assert found is not None
    return found


def test_json_is_judged_by_form_then_schema_then_files() -> None:
    """The first that is wrong."""
    strict = rules(body_schema={"required": ["image"]}, upload={"types": ["image/png"]}, data_urls=["/image"])

    def reason(data: bytes) -> str:
        found = judge_json(strict, data)
        return "" if found is None else found.reason

    assert reason(b"{") == "malformed"
    assert reason(b"{}") == "body_schema"
    assert reason(b'{"image": "data:,a"}') == "file_type"
    assert reason(b'{"image": "data:image/png;base64,iVBORw0KGgo="}') == ""


async def test_a_route_that_asks_no_service_is_judged_too() -> None:
    """Its body is read for it."""
    raw = document(route(respond={"status": 204}, validate={"body_schema": {"type": "object"}}))
    async with data_plane(raw) as plane, RawClient(plane.port) as client:
        assert (await client.get("/", method="POST", body=b"{}")).status == 204
        assert (await client.get("/", method="POST", body=b"[]")).status == 400
