"""P: Requests that the server itself refuses, and the answer that says so.

The body is the error envelope. Nothing here knows about connections.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from http import HTTPStatus

from authproxy.headers import SANE_ID


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request never reached the application."""

    status: int
    code: str
    message: str


class Refused(Exception):  # noqa: N818 - control flow, not a fault
    """Leaves a parser callback, which cannot return a value, with the refusal."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


def malformed(message: str) -> Refusal:
    return Refusal(400, "INVALID_REQUEST", message)


HEAD_TOO_SLOW = Refusal(408, "REQUEST_TIMEOUT", "the request head did not arrive in time")
BODY_TOO_SLOW = Refusal(408, "REQUEST_TIMEOUT", "the request body arrived too slowly")
URL_TOO_LONG = Refusal(414, "URI_TOO_LONG", "the request target is too long")
HEAD_TOO_LARGE = Refusal(431, "HEADERS_TOO_LARGE", "the request head is too large")
TOO_MANY_HEADERS = Refusal(431, "HEADERS_TOO_LARGE", "the request has too many header fields")
EXPECTATION_FAILED = Refusal(417, "INVALID_REQUEST", "the only expectation known is 100-continue")
UNKNOWN_CODING = Refusal(501, "INVALID_REQUEST", "the only transfer coding known is chunked")
UNKNOWN_VERSION = Refusal(505, "INVALID_REQUEST", "this server speaks HTTP/1.0 and HTTP/1.1")
TOO_MANY_PIPELINED = Refusal(400, "INVALID_REQUEST", "too many pipelined requests")
TOO_MANY_CONNECTIONS = Refusal(503, "OVERLOADED", "too many connections")
APPLICATION_FAILED = Refusal(500, "INTERNAL_ERROR", "the request could not be answered")


def sane_request_id(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The client's X-Request-ID, if it is short and plain enough to be repeated."""
    for name, value in headers:
        if name == b"x-request-id" and SANE_ID(value):
            return value.decode("ascii")
    return None


def render(
    refusal: Refusal, *, request_id: str, timestamp: str, date: bytes, bodiless: bool = False
) -> bytes:
    """The whole HTTP/1.1 answer, which always ends the connection. `date`: of its Date field; `bodiless`: for HEAD."""
    body = json.dumps(
        {
            "error": {"code": refusal.code, "message": refusal.message, "details": {}},
            "request_id": request_id,
            "timestamp": timestamp,
        }
    ).encode()
    lines = [
        f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}",
        "content-type: application/json",
        f"content-length: {len(body)}",
        f"date: {date.decode('ascii')}",
        f"x-request-id: {request_id}",
        "cache-control: no-store",
        "connection: close",
    ]
    if refusal.status == HTTPStatus.SERVICE_UNAVAILABLE:
        lines.append("retry-after: 1")
    head = "\r\n".join(lines).encode() + b"\r\n\r\n"
    return head if bodiless else head + body
