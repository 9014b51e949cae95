"""I: `envelope: true`: JSON answers as `{"data": …, "request_id": …, "timestamp": …}`, errors in the gateway's shape.

The body of an answer is not parsed: what stands around it is sent before and after it, so that a long one streams
with flat memory and its first byte waits for nothing. Whether it is JSON is judged by its media type and by the bytes
that it begins (and, where it is all there, ends) with. An error is read whole, up to `MOST_ERROR` bytes.
"""

from collections.abc import Awaitable
from functools import lru_cache
from http import HTTPStatus
from typing import Any, Final

import httpx
import orjson

from authproxy import problems
from authproxy.exchange import Exchange
from authproxy.headers import Pair, Pairs
from authproxy.rejections import Code
from authproxy.shaping.mending import field, has_body, is_plain_json, media_type, mended
from authproxy.shaping.pieces import ChangedBody, ContinuedBody, MemoryBody, collect, with_body
from authproxy.upstream import slim
from resilience.clock import timestamp, wall_clock

MOST_ERROR: Final = 64 * 1024
_LONGEST_MESSAGE: Final = 500
_BEGINS: Final = frozenset(b'{["-0123456789tfn')
_ENDS: Final = frozenset(b'}]"0123456789el')
_SPACE: Final = b" \t\r\n"
_PAGES: Final = ("", "text/plain", "text/html", "application/xhtml+xml")
"""What an error may come as beside JSON: pages of servers that were not asked for them."""
_MESSAGES: Final = ("message", "detail", "error_description", "title", "error", "reason", "msg")
_PREFIX: Final = b'{"data":'
_JSON: Final[Pair] = (b"content-type", b"application/json")


def shape(exchange: Exchange, response: httpx.Response) -> httpx.Response | Awaitable[httpx.Response]:
    """The shaper of routes with an envelope."""
    status, pairs = response.status_code, slim.raw_pairs(response)
    if not has_body(exchange.method, status):
        return _bodiless(exchange, response, pairs)
    if status >= 400:
        return _failed(exchange, response) if _is_readable_error(pairs) else response
    return _wrapped(exchange, response, pairs) if is_plain_json(pairs) else response


def ending(request_id: bytes) -> bytes:
    """What comes after the data."""
    return b',"request_id":"%b","timestamp":"%b"}' % (request_id, _stamp(int(wall_clock())))


@lru_cache(maxsize=2)
def _stamp(second: int) -> bytes:
    """The time of one second, written once."""
    return timestamp().encode("ascii")


def error_body(status: int, body: bytes, *, is_json: bool, request_id: bytes) -> bytes | None:
    """The error shape of an upstream's error (CONTRACT section 7); None for one that has it already."""
    value = _parsed(body) if is_json else None
    inner = value.get("error") if isinstance(value, dict) else None
    if isinstance(value, dict) and isinstance(inner, dict) and _is_shaped(inner):
        if "request_id" in value and "timestamp" in value:
            return None
        code, message, details = inner["code"], inner["message"], inner.get("details", {})
    else:
        code = code_of(status)
        message = _message(value, None if is_json else body, status)
        details = {} if value is None else {"upstream": value}
    shaped = {"error": {"code": code, "message": message, "details": details}}
    told = {"request_id": request_id.decode("ascii", "replace"), "timestamp": timestamp()}
    return orjson.dumps({**shaped, **told})


def code_of(status: int) -> str:
    """The code for a status: the gateway's own where it has one, else the status's name."""
    if status == HTTPStatus.UNPROCESSABLE_ENTITY:
        return Code.VALIDATION_ERROR.value
    known = problems.code_of(status)
    if known is not None:
        return known.value
    try:
        return str(HTTPStatus(status).name)
    except ValueError:
        return str((Code.INVALID_REQUEST if status < 500 else Code.INTERNAL_ERROR).value)


def _bodiless(exchange: Exchange, response: httpx.Response, pairs: list[Pair]) -> httpx.Response:
    """HEAD says nothing of a length that GET would not have (RFC 9110 section 9.3.2)."""
    if exchange.method != "HEAD" or not is_plain_json(pairs):
        return response
    return with_body(response, mended(pairs, None), response.stream)  # type: ignore[arg-type]


def _wrapped(
    exchange: Exchange, response: httpx.Response, pairs: list[Pair]
) -> httpx.Response | Awaitable[httpx.Response]:
    body = slim.body(response)
    data, done = body.take()
    if done:
        text = data.strip(_SPACE)
        if not text or text[0] not in _BEGINS or text[-1] not in _ENDS:
            return with_body(response, pairs, MemoryBody(data, body.trailers()))
        whole = _PREFIX + text + ending(exchange.request_id)
        # The straight path of short answers: the response is ours, so it need not be made anew.
        response.headers = slim.PairHeaders(mended(pairs, len(whole)))
        response.stream = MemoryBody(whole, body.trailers())
        return response
    return _begun(exchange, response, pairs, data)


async def _begun(
    exchange: Exchange, response: httpx.Response, pairs: list[Pair], data: bytes
) -> httpx.Response:
    """One whose body is still to come: the first byte says whether it is JSON."""
    body, done = slim.body(response), False
    while not data.strip(_SPACE) and not done and len(data) < MOST_ERROR:
        more, done = await body.next()
        data += more
    text = data.lstrip(_SPACE)
    if not text or text[0] not in _BEGINS:
        rest = MemoryBody(data, body.trailers()) if done else ContinuedBody(data, body)
        return with_body(response, pairs, rest)
    end = ending(exchange.request_id)
    length = field(pairs, b"content-length")
    total = len(_PREFIX) + int(length) + len(end) if length.isdigit() else None
    if done:
        whole = _PREFIX + data + end
        return with_body(response, mended(pairs, len(whole)), MemoryBody(whole, body.trailers()))
    inner = ContinuedBody(_PREFIX + data, body)
    return with_body(response, mended(pairs, total), ChangedBody(inner, _same, lambda: end))


async def _failed(exchange: Exchange, response: httpx.Response) -> httpx.Response:
    """An error, in the gateway's shape; one that is too long loses its details."""
    pairs, body = slim.raw_pairs(response), slim.body(response)
    collected = await collect(body, MOST_ERROR)
    if not collected.complete:
        await body.aclose()
    shaped = error_body(
        response.status_code,
        collected.data if collected.complete else b"",
        is_json=is_plain_json(pairs),
        request_id=exchange.request_id,
    )
    if shaped is None:
        return with_body(response, pairs, MemoryBody(collected.data, body.trailers()))
    kept = [
        pair for pair in mended(pairs, len(shaped)) if pair[0] not in (b"content-type", b"transfer-encoding")
    ]
    return with_body(response, [*kept, _JSON], MemoryBody(shaped))


def _is_readable_error(pairs: Pairs) -> bool:
    if is_plain_json(pairs):
        return True
    encoded = field(pairs, b"content-encoding").lower() not in (b"", b"identity")
    return not encoded and media_type(field(pairs, b"content-type")) in _PAGES


def _is_shaped(error: dict[str, Any]) -> bool:
    return isinstance(error.get("code"), str) and "message" in error


def _parsed(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return None


def _message(value: Any, text: bytes | None, status: int) -> str:
    """What the upstream says itself, if that is a sentence; else what the status means."""
    if isinstance(value, dict):
        inner = value.get("error")
        for part in (inner, value) if isinstance(inner, dict) else (value,):
            for name in _MESSAGES:
                if isinstance(part.get(name), str) and part[name]:
                    return str(part[name][:_LONGEST_MESSAGE])
    elif isinstance(value, str) and value:
        return value[:_LONGEST_MESSAGE]
    elif text and len(text) <= _LONGEST_MESSAGE and b"<" not in text:
        return text.decode("utf-8", "replace").strip() or _phrase(status)
    return _phrase(status)


def _phrase(status: int) -> str:
    try:
        return f"{HTTPStatus(status).phrase}."
    except ValueError:
        return f"The service answered {status}."


def _same(data: bytes) -> bytes:
    return data
