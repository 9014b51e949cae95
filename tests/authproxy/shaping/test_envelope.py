"""Answers in an envelope."""

from typing import Any

import httpx
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from authproxy.shaping.envelope import MOST_ERROR, code_of, error_body, shape
from authproxy.shaping.pieces import memory_response
from authproxy.upstream import slim
from tests.support.exchanges import exchange

JSON = [(b"content-type", b"application/json")]


def wrapped(body: bytes, status: int = 200) -> bytes:
    found: Any = shape(exchange(), memory_response(status, JSON, body))
    assert isinstance(found, httpx.Response)
    assert dict(slim.raw_pairs(found))[b"content-type"] == b"application/json"
    return slim.body(found).take()[0]


@given(st.recursive(st.none() | st.booleans() | st.floats(-1e9, 1e9) | st.text(), st.lists, max_leaves=5))
def test_any_json_is_wrapped(value: object) -> None:
    """And is the same inside."""
    assert orjson.loads(wrapped(b" " + orjson.dumps(value) + b"\n"))["data"] == value


@given(st.binary(max_size=10))
def test_no_other_text_makes_the_envelope_longer_than_it_is(body: bytes) -> None:
    """What does not look like JSON is left alone."""
    found = wrapped(body)
    assert found == body or found.startswith(b'{"data":' + body.strip(b" \t\r\n"))


@given(st.integers(400, 599), st.binary(max_size=30), st.booleans())
def test_any_error_gets_the_shape(status: int, body: bytes, is_json: bool) -> None:
    """Whatever the upstream sent."""
    found = orjson.loads(error_body(status, body, is_json=is_json, request_id=b"1") or b"null")
    assert set(found) == {"error", "request_id", "timestamp"}
    assert set(found["error"]) == {"code", "message", "details"}
    assert found["error"]["message"]


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "INVALID_REQUEST"),
        (409, "CONFLICT"),
        (429, "RATE_LIMIT"),
        (499, "INVALID_REQUEST"),
        (599, "INTERNAL_ERROR"),
    ],
)
def test_codes(status: int, code: str) -> None:
    """The gateway's own, or the status's name."""
    assert code_of(status) == code


def test_what_the_shape_lacks_is_added() -> None:
    """An error that has code and message keeps them."""
    body = b'{"error":{"code":"X","message":"m"}}'
    found = orjson.loads(error_body(400, body, is_json=True, request_id=b"1") or b"")
    assert (found["error"], found["request_id"]) == ({"code": "X", "message": "m", "details": {}}, "1")


async def test_errors_that_are_too_long_lose_their_details() -> None:
    """They are not kept in memory."""
    given = memory_response(500, JSON, b'"' + b"x" * MOST_ERROR + b'"')
    found: Any = shape(exchange(), given)
    response = await found
    error = orjson.loads(slim.body(response).take()[0])["error"]
    assert (error["code"], error["details"]) == ("INTERNAL_ERROR", {})
