"""The answer to what the application never sees."""

import json

import pytest

from gateway_project.server import refusals
from gateway_project.server.refusals import Refusal, render, sane_request_id

DATE = b"Thu, 01 Jan 2026 12:00:00 GMT"
ALL = [value for value in vars(refusals).values() if isinstance(value, Refusal)]


@pytest.mark.parametrize("refusal", [*ALL, refusals.malformed("no")], ids=lambda refusal: refusal.message)
def test_answer_is_the_envelope(refusal: Refusal) -> None:
    """Status line, exact length, close, and the contract's error object."""
    answer = render(refusal, request_id="r-1", timestamp="2026-01-01T12:00:00Z", date=DATE)
    head, _, body = answer.partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 %d " % refusal.status)
    assert b"content-length: %d" % len(body) in head
    assert b"connection: close" in head
    assert b"date: %b\r\n" % DATE in head
    assert json.loads(body) == {
        "error": {"code": refusal.code, "message": refusal.message, "details": {}},
        "request_id": "r-1",
        "timestamp": "2026-01-01T12:00:00Z",
    }


def test_head_has_no_body() -> None:
    """A refused HEAD gets the head alone, with the length that GET would have."""
    with_body = render(refusals.HEAD_TOO_LARGE, request_id="r", timestamp="t", date=DATE)
    head = render(refusals.HEAD_TOO_LARGE, request_id="r", timestamp="t", date=DATE, bodiless=True)

    assert with_body.startswith(head)
    assert head.endswith(b"\r\n\r\n")


def test_overload_says_when_to_come_back() -> None:
    """503 has Retry-After."""
    assert b"retry-after: 1\r\n" in render(
        refusals.TOO_MANY_CONNECTIONS, request_id="r", timestamp="t", date=DATE
    )


@pytest.mark.parametrize(
    ("value", "kept"),
    [(b"abc-1", True), (b"a" * 128, True), (b"a" * 129, False), (b"", False), (b"a b", False), (b'"', False)],
)
def test_request_id_is_kept_if_sane(value: bytes, kept: bool) -> None:
    """Short and plain, or a new one is made."""
    assert sane_request_id([(b"host", b"a"), (b"x-request-id", value)]) == (value.decode() if kept else None)
