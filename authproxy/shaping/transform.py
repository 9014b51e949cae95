"""I: JMESPath over JSON bodies: what an upstream gets of a client's body, and a client of an upstream's.

A body is read whole, up to the route's `max_body`. What is longer, is no JSON or is encoded passes as it is, and the
answer says so in `X-Torana-Transform`. An expression that cannot be applied is the client's fault in a request (400)
and the upstream's in an answer (502). Answers of errors pass as they are: expressions are for what succeeds.

An evaluation is bounded, and done beside other requests (`applying`).
"""

from typing import Final

import httpx

from authproxy.bodies import replace
from authproxy.exchange import Exchange
from authproxy.problems import bad_answer
from authproxy.rejections import Code, Rejection
from authproxy.relaying import AnswerRefused
from authproxy.shaping.applying import applied
from authproxy.shaping.holding import read_up_to
from authproxy.shaping.mending import field, has_body, is_plain_json, media_type, mended
from authproxy.shaping.pieces import ContinuedBody, MemoryBody, collect, with_body
from authproxy.upstream import slim
from routing.mediatypes import is_json
from routing.shapes.transform import Expression
from routing.snapshot import CompiledRoute, Forward

SKIPPED: Final = b"x-torana-transform"
_JSON: Final = (b"content-type", b"application/json")


class RequestTransform:
    """The step of a route that changes the bodies of its requests."""

    def __init__(self, expression: Expression, limit: int) -> None:
        self._expression = expression
        self._limit = limit

    async def step(self, exchange: Exchange) -> Rejection | None:
        """The body is another from here on, or stays as it is."""
        head = exchange.head
        if not head.has_body:
            return None
        if not is_json(media_type(field(head.passed, b"content-type"))):
            return None
        if field(head.passed, b"content-encoding").lower() not in (b"", b"identity"):
            _skip(exchange, "request", "encoded")
            return None
        body = await read_up_to(exchange, self._limit)
        if body is None:
            _skip(exchange, "request", "too_large")
            return None
        try:
            made = await applied(self._expression, body)
        except ValueError as problem:
            details = {"reason": "transform", "expression": "transform.request", "problem": str(problem)}
            message = "The body is not one that this route can make a request for its service of."
            return Rejection(Code.INVALID_REQUEST, message, details=details)
        if made is None:
            _skip(exchange, "request", "not_json")
            return None
        await exchange.receive()  # what was read is not given again behind the new one
        replace(exchange, made)
        head.passed = mended(head.passed, None)
        return None


class ResponseTransform:
    """The shaper of a route that changes the bodies of its answers."""

    def __init__(self, route: CompiledRoute, expression: Expression, limit: int) -> None:
        self._expression = expression
        self._limit = limit
        self._service = route.destination.service if isinstance(route.destination, Forward) else ""

    async def shape(self, exchange: Exchange, response: httpx.Response) -> httpx.Response:
        """Another body, or the same."""
        status, pairs = response.status_code, slim.raw_pairs(response)
        if not 200 <= status < 300 or status == 206:
            return response
        if not is_plain_json(pairs):
            if is_json(media_type(field(pairs, b"content-type"))) and exchange.method != "HEAD":
                _skip(exchange, "response", "encoded")
            return response
        if not has_body(exchange.method, status):
            return with_body(response, mended(pairs, None), response.stream)  # type: ignore[arg-type]
        length = field(pairs, b"content-length")
        if length.isdigit() and int(length) > self._limit:
            _skip(exchange, "response", "too_large")
            return response
        body = slim.body(response)
        data, complete = await collect(body, self._limit)
        if not complete:
            _skip(exchange, "response", "too_large")
            return with_body(response, pairs, ContinuedBody(data, body))
        try:
            made = await applied(self._expression, data)
        except ValueError as problem:
            refusal = bad_answer(self._service, f"The service's answer is not what was expected: {problem}")
            raise AnswerRefused(refusal) from None
        if made is None:
            _skip(exchange, "response", "not_json")
            return with_body(response, pairs, MemoryBody(data, body.trailers()))
        kept = [
            pair
            for pair in mended(pairs, len(made))
            if pair[0] not in (b"content-type", b"transfer-encoding")
        ]
        return with_body(response, [*kept, _JSON], MemoryBody(made))


def _skip(exchange: Exchange, part: str, reason: str) -> None:
    told = f"skipped; part={part}; reason={reason}".encode("ascii")
    exchange.answer_fields = (*exchange.answer_fields, (SKIPPED, told))
