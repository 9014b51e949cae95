"""P: A request's head as bytes, refused before a byte is written if it could be read in two ways (RFC 9112).

Checked for every request, whoever built it: names are tokens, no control bytes anywhere, one request line, one way of
framing the body. What upstreams do with anything else is request smuggling.
"""

import re
from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Final

import httpx

from authproxy.fieldlines import CONTROLS, FRAMING, Pair

CHUNKED: Final = -1
"""Body length of a request with Transfer-Encoding: chunked."""

LAST_CHUNK: Final = b"0\r\n\r\n"

_CONTENT_LENGTH: Final = b"content-length"

_TOKEN: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_MAX_CACHED: Final = 4096
_LONGEST_CACHED: Final = 64
"""Bytes of a name: longer ones, which clients may invent as long as a head, are judged each time."""

_methods: dict[str, bytes] = {}
_ordinary: set[bytes] = set()
"""Both are caches of names that were found to be tokens; fields of ordinary names say nothing of the body."""

_name_of: Final = itemgetter(0)
_line_of: Final = b": ".join


def encode_head(method: str, target: bytes, pairs: Sequence[Pair], lines: bytes = b"") -> tuple[bytes, int]:
    """The request's head, and the length of the body it announces: bytes, CHUNKED, or 0 if it announces none.

    `lines` are fields of `FieldLines`, which come after `pairs` and do not frame the body. Raises
    httpx.LocalProtocolError if the head is not exactly one well-formed HTTP/1.1 request head.
    """
    # What runs in the interpreter for each field costs several times what it costs inside of these calls.
    length = 0 if _ordinary.issuperset(map(_name_of, pairs)) else _framing(pairs)
    parts = [_methods.get(method) or _method(method), target, b" HTTP/1.1"]
    head = b"\r\n".join((b"".join(parts), *map(_line_of, pairs)))
    # Each line but the last ends in two bytes that are controls; if more are missing, there was one inside a line.
    if len(head.translate(None, CONTROLS)) != len(head) - 2 * len(pairs):
        raise httpx.LocalProtocolError("control byte in the request's head")
    if not target or 32 in target or 9 in target:  # numbers: bytes in bytes would be taken for one first
        raise httpx.LocalProtocolError("the request's target is not one word")
    return b"%b\r\n%b\r\n" % (head, lines), length


def _framing(pairs: Iterable[Pair]) -> int:
    """Judges names that are not known to be ordinary; what the fields say of the body's length."""
    length: int | None = None
    for name, value in pairs:
        if name in _ordinary:
            continue
        lowered = name.lower()
        if lowered not in FRAMING:
            _judge_name(name)
        elif length is not None:
            raise httpx.LocalProtocolError("the request's body is framed twice")
        else:
            length = _content_length(value) if lowered == _CONTENT_LENGTH else _chunked(value)
    return length or 0


def chunk(data: bytes) -> bytes:
    """`data` (not empty) as one chunk."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def with_body(head: bytes, length: int, body: bytes) -> bytes:
    """The whole request. Raises httpx.LocalProtocolError if `body` is not as long as the head says."""
    if length == CHUNKED:
        return b"%b%b%b" % (head, chunk(body) if body else b"", LAST_CHUNK)
    if length != len(body):
        raise wrong_length(length, len(body))
    return head + body if body else head


def wrong_length(announced: int, given: int) -> httpx.LocalProtocolError:
    return httpx.LocalProtocolError(f"the request's head announces {announced} bytes, its body has {given}")


def _method(method: str) -> bytes:
    encoded = method.encode("ascii", "replace")
    if not _TOKEN.fullmatch(encoded):
        raise httpx.LocalProtocolError("the request's method is not a token")
    line = encoded + b" "
    if len(_methods) < _MAX_CACHED and len(method) <= _LONGEST_CACHED:
        _methods[method] = line
    return line


def _judge_name(name: bytes) -> None:
    if not _TOKEN.fullmatch(name):
        raise httpx.LocalProtocolError("a header's name is not a token")
    if len(_ordinary) < _MAX_CACHED and len(name) <= _LONGEST_CACHED:
        _ordinary.add(name)


def _content_length(value: bytes) -> int:
    if not value.isdigit() or len(value) > 18:
        raise httpx.LocalProtocolError("the request's Content-Length is not a number")
    return int(value)


def _chunked(value: bytes) -> int:
    if value.lower() != b"chunked":
        raise httpx.LocalProtocolError("the request's Transfer-Encoding is not chunked")
    return CHUNKED
