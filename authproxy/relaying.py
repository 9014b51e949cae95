"""I: The way back: an upstream's answer to the client, piece by piece, at the client's pace."""

from collections.abc import Awaitable, Callable

import httpx

from authproxy import problems
from authproxy.complaints import COMPLAINTS
from authproxy.exchange import Exchange, ResponseAborted
from authproxy.headers import CORS_FIELDS, Pair, apply, response_headers, with_own
from authproxy.lasting import Lasting, is_endless
from authproxy.rejections import Rejection
from authproxy.shaping.templates import changed
from authproxy.upstream import errors, slim
from authproxy.upstream.body import ResponseBody
from resilience.outcomes import Outcome

Shaper = Callable[[Exchange, httpx.Response], httpx.Response | Awaitable[httpx.Response]]
"""Makes the answer that goes on of one that came. It owns the body of the one that it was given, until it returns; a
body that breaks while a shaper reads it may raise httpx.TransportError."""


class AnswerRefused(Exception):  # noqa: N818 - becomes the refusal
    """A shaper can make nothing of an answer. `rejection` is what the client gets instead."""

    def __init__(self, rejection: Rejection) -> None:
        super().__init__(rejection.message)
        self.rejection = rejection


async def relay(exchange: Exchange, response: httpx.Response, service: str) -> Rejection | None:
    """Hand the answer on: in one message when it is all there already, else piece by piece. A refusal if it broke
    before anything of it was sent."""
    send = exchange.send
    status = response.status_code
    if status >= 500:
        exchange.outcome = Outcome.UPSTREAM_ERROR
    body = slim.body(response)
    try:
        for shape in exchange.route.plan.shapers:
            shaped = shape(exchange, response)
            response = shaped if isinstance(shaped, httpx.Response) else await shaped
            body = slim.body(response)
            status = response.status_code
        data, done = body.take()
        trailers = bool(body.trailers()) if done else _may_have_trailers(response)
        exchange.status = status
        await send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": answer_headers(exchange, response),
                "trailers": trailers,
            }
        )
        exchange.sent = len(data)
        if not done:
            data = await _rest(exchange, response, body, data)
        await send({"type": "http.response.body", "body": data})
        if trailers:
            await send({"type": "http.response.trailers", "headers": body.trailers()})
        return None
    except AnswerRefused as refused:
        return refused.rejection
    except httpx.TransportError as failure:
        exchange.outcome = errors.body_outcome_of(failure)
        COMPLAINTS.note(failure, exchange.outcome, service=service, target=exchange.target)
        if not exchange.status:
            return problems.from_outcome(exchange.outcome, service=service)
        raise ResponseAborted from failure
    finally:
        if not body.released:
            await body.aclose()


async def _rest(exchange: Exchange, response: httpx.Response, body: ResponseBody, data: bytes) -> bytes:
    """Sends `data` and what comes, until the last piece: that comes back unsent."""
    identity = exchange.identity
    lasting: Lasting | None = exchange.route.plan.lasting
    if identity is not None and lasting is not None and is_endless(slim.raw_pairs(response)):
        async with lasting.ended_with(exchange, identity):
            return await _pieces(exchange, body, data)
    return await _pieces(exchange, body, data)


async def _pieces(exchange: Exchange, body: ResponseBody, data: bytes) -> bytes:
    send, done = exchange.send, False
    while not done:
        if data:
            await send({"type": "http.response.body", "body": data, "more_body": True})
        data, done = await body.next()
        exchange.sent += len(data)
    return data


def pass_interim(exchange: Exchange, status: int, headers: list[Pair]) -> None:
    """Send an interim response on, unless the client is so far behind that it would have to wait."""
    headers = response_headers(headers)
    ops = exchange.route.response_headers
    if ops is not None:
        headers = [pair for pair in headers if pair[0] not in ops.remove]
    sending = exchange.send({"type": "http.response.informational", "status": status, "headers": headers})
    try:
        sending.send(None)
    except StopIteration:
        return
    sending.close()


def answer_headers(exchange: Exchange, response: httpx.Response) -> list[Pair]:
    """The fields of the answer that goes on: the upstream's, the gateway's own, and what the route makes of them."""
    safety = exchange.safety.routed[exchange.origin.scheme]
    headers = response_headers(slim.raw_pairs(response), safety)
    headers.append((b"x-request-id", exchange.request_id))
    headers.append((b"traceparent", exchange.traceparent))
    route = exchange.route
    if exchange.answer_fields:
        dropped = CORS_FIELDS if route.shapes.cors is not None else ()
        headers = with_own(headers, exchange.answer_fields, instead_of=dropped)
    ops = route.response_headers
    if ops is None:
        return headers
    return changed(exchange, ops, headers, exchange.status) if ops.templates else apply(ops, headers)


def _may_have_trailers(response: httpx.Response) -> bool:
    """Only a chunked body can end in trailer fields (RFC 9112 section 7.1.2)."""
    return any(name == b"transfer-encoding" for name, _ in slim.raw_pairs(response))
