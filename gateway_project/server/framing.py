"""P: Turns ASGI response messages into HTTP/1.1 bytes whose framing is always exact (RFC 9112)."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

Headers = Iterable[tuple[bytes, bytes]]

NO_BODY: Final = 0
SIZED: Final = 1
CHUNKED: Final = 2
UNTIL_CLOSE: Final = 3

# Fields that frame, route or authenticate a message may not come after it (RFC 9110 section 6.5.1).
_NOT_IN_TRAILERS: Final = frozenset(
    b"authorization connection content-encoding content-length content-range content-type cookie expect host "
    b"keep-alive max-forwards proxy-authenticate proxy-authorization set-cookie te trailer transfer-encoding upgrade "
    b"www-authenticate".split()
)


class InvalidResponse(RuntimeError):  # noqa: N818 - a verdict on the application
    """The application's messages do not make a valid HTTP response."""


def _status_line(status: int) -> bytes:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = ""
    return b"HTTP/1.1 %d %b\r\n" % (status, phrase.encode())


_FRAMING_NAME_SIZES: Final = frozenset(map(len, (b"connection", b"content-length", b"transfer-encoding")))
STATUS_LINES: Final = {status: _status_line(status) for status in range(100, 1000)}


def response_head(
    status: int, headers: Headers, *, method: str, version: str, keep_alive: bool
) -> tuple[bytes, int, int, bool]:
    """Returns the head's bytes, how the body is framed, its declared length, and whether the connection lives on.

    The length is 0 unless the body is SIZED. The application's own Connection and Transfer-Encoding fields only
    say "close" and "chunked"; the server writes its own. Raises InvalidResponse.
    """
    if status < 200:
        raise InvalidResponse(f"{status} is not a final status")
    parts = [STATUS_LINES.get(status) or _status_line(status)]
    length = -1
    chunked = False
    for name, value in headers:
        if len(name) in _FRAMING_NAME_SIZES:
            lowered = name.lower()
            if lowered == b"content-length":
                length = _content_length(value, before=length)
                if status == 204:  # which never has one (RFC 9110 section 8.6)
                    continue
            elif lowered == b"transfer-encoding":
                chunked = _is_chunked(value)
                continue
            elif lowered == b"connection":
                keep_alive = keep_alive and b"close" not in value.lower()
                continue
        parts += (name, b": ", value, b"\r\n")
    mode = _body_mode(status, method=method, version=version, chunked=chunked, sized=length >= 0)
    if mode == CHUNKED:
        parts += (b"transfer-encoding", b": ", b"chunked", b"\r\n")
    keep_alive = keep_alive and mode != UNTIL_CLOSE
    if not keep_alive:
        parts += (b"connection", b": ", b"close", b"\r\n")
    return _sealed(parts), mode, length if mode == SIZED else 0, keep_alive


def _body_mode(status: int, *, method: str, version: str, chunked: bool, sized: bool) -> int:
    if chunked and sized:
        raise InvalidResponse("Transfer-Encoding and Content-Length exclude each other")
    if method == "HEAD" or status in (204, 304):
        return NO_BODY
    if sized:
        return SIZED
    return UNTIL_CLOSE if version == "1.0" else CHUNKED


def _content_length(value: bytes, *, before: int) -> int:
    if before >= 0 or not value.isdigit():
        raise InvalidResponse("the response's Content-Length is not one number")
    return int(value)


def _is_chunked(value: bytes) -> bool:
    if value.lower() != b"chunked":
        raise InvalidResponse("the only transfer coding known is chunked")
    return True


def informational_head(status: int, headers: Headers) -> bytes:
    """An interim response (RFC 9110 section 15.2), but never 101: upgrades are not the application's to do."""
    if not 100 <= status < 200 or status == 101:
        raise InvalidResponse(f"{status} is not an interim status")
    parts = [STATUS_LINES[status]]
    for name, value in headers:
        if name.lower() not in (b"content-length", b"transfer-encoding", b"connection"):
            parts += (name, b": ", value, b"\r\n")
    return _sealed(parts)


def chunk(body: bytes, *, last: bool) -> bytes:
    """`body` as a chunk, with the end of the message if it is the `last` (RFC 9112 section 7.1)."""
    if not body:
        return b"0\r\n\r\n" if last else b""
    return b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if last else b"%x\r\n%b\r\n" % (len(body), body)


def last_chunk(trailers: Headers) -> bytes:
    """The end of a chunked message with its trailer section; fields not allowed there are left out."""
    parts = [b"0\r\n"]
    for name, value in trailers:
        if name.lower() not in _NOT_IN_TRAILERS:
            parts += (name, b": ", value, b"\r\n")
    return _sealed(parts)


def _sealed(parts: list[bytes]) -> bytes:
    """Joins a first line and fields of four parts each; more line ends than those would be an injection."""
    lines = len(parts) // 4 + 2
    parts.append(b"\r\n")
    block = b"".join(parts)
    if block.count(b"\n") != lines or block.count(b"\r") != lines or 0 in block:
        raise InvalidResponse("a response header holds a line break or NUL")
    return block
