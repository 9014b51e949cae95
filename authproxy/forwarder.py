"""I: Forwarding: choose a target, send, judge how it ended, decide again; then relay the answer as it comes.

    client ──▶ body (bytes | Upload) ──▶ attempt 1..n ──▶ target
    client ◀── chunk by chunk, at the client's pace ◀──── answer

1. take the body as far as it is there      4. send through the service's transport
2. build the header fields, once            5. judge: answer, or an outcome
3. pick a target that was not tried         6. again, or relay
"""

from functools import partial
from typing import Final

import httpx

from authproxy import bodies, problems
from authproxy.bodies import EMPTY, Body, BodyTooLarge, ClientGone, Upload
from authproxy.complaints import COMPLAINTS
from authproxy.exchange import CLIENT_CLOSED_REQUEST, Exchange, ResponseAborted
from authproxy.headers import Pair, apply, response_headers
from authproxy.rejections import Rejection
from authproxy.services import Endpoint, ServiceRuntime
from authproxy.upstream import errors, slim
from resilience import retry
from resilience.clock import monotonic
from resilience.outcomes import Outcome
from resilience.retry import Verdict
from routing.rewrite import CompiledRewrite

_INTERIM: Final = "http.response.informational"
_TE_TRAILERS: Final[tuple[Pair, ...]] = ((b"te", b"trailers"), (b"connection", b"te"))


async def forward(exchange: Exchange, service: str) -> Rejection | None:
    """Send the request to `service` and relay its answer; a refusal if no answer was to be had."""
    route = exchange.route
    runtime: ServiceRuntime = exchange.snapshot.services[service].runtime
    head = exchange.head
    body: Body = EMPTY
    if head.has_body:
        try:
            taken = await bodies.take(
                exchange.receive, content_length=head.content_length, limit=route.max_body
            )
        except ClientGone:
            return _client_gone(exchange)
        if isinstance(taken, Rejection):
            return taken
        body = taken
    runtime.state.in_flight += 1
    try:
        answer = await _attempts(exchange, runtime, body)
        if isinstance(answer, httpx.Response):
            await _relay(exchange, answer, service)
            return None
        return answer
    finally:
        runtime.state.in_flight -= 1


async def _attempts(exchange: Exchange, runtime: ServiceRuntime, body: Body) -> httpx.Response | Rejection:
    route = exchange.route
    headers = _request_headers(exchange, body)
    began = monotonic() if exchange.head.has_body else exchange.started
    deadline = began + (route.timeout_s or runtime.total_timeout_s)
    interim = _INTERIM in exchange.scope.get("extensions", ())
    tried: list[int] = []
    fresh = False
    outcome = Outcome.NO_TARGET
    index = runtime.pick(runtime.state, runtime.count, tried)
    while index is not None:
        exchange.attempts += 1
        request = _request(exchange, runtime.endpoints[index], headers, body)
        extensions = request.extensions
        extensions["timeout"] = runtime.timeouts
        extensions["deadline"] = deadline
        if fresh:
            extensions["fresh"] = True
        if interim:
            extensions["on_informational"] = partial(_pass_interim, exchange)
        try:
            response = await runtime.transport.handle_async_request(request)
        except httpx.TransportError as failure:
            refusal = _client_side(exchange, failure)
            if refusal is not None:
                return refusal
            outcome = errors.outcome_of(failure)
            COMPLAINTS.note(
                failure, outcome, service=runtime.state.name, target=runtime.endpoints[index].name
            )
        else:
            exchange.target = runtime.endpoints[index].name
            return response
        replayable = not isinstance(body, Upload) or not body.started
        verdict = retry.decide(outcome, method=exchange.method, replayable=replayable, fresh=fresh)
        if verdict is Verdict.FRESH_CONNECTION:
            fresh = True
            continue
        if verdict is Verdict.STOP:
            break
        tried.append(index)
        index = runtime.pick(runtime.state, runtime.count, tried)
    exchange.outcome = outcome
    return problems.from_outcome(outcome, service=runtime.state.name)


def _client_side(exchange: Exchange, failure: httpx.TransportError) -> Rejection | None:
    """The refusal, when it was the client's body and not the upstream that failed."""
    cause = failure.__cause__
    if isinstance(cause, BodyTooLarge):
        limit = exchange.route.max_body
        assert limit is not None
        exchange.outcome = Outcome.CLIENT_BODY
        return problems.payload_too_large(limit)
    if isinstance(cause, ClientGone):
        return _client_gone(exchange)
    return None


def _client_gone(exchange: Exchange) -> Rejection:
    exchange.outcome = Outcome.CLIENT_GONE
    exchange.status = CLIENT_CLOSED_REQUEST
    return problems.from_outcome(Outcome.CLIENT_GONE, service="")


def _request_headers(exchange: Exchange, body: Body) -> list[Pair]:
    """What every attempt sends, Host excepted (it depends on the target)."""
    head = exchange.head
    headers = [
        *head.passed,
        *exchange.origin.fields,
        (b"x-request-id", exchange.request_id),
        (b"traceparent", exchange.traceparent),
    ]
    ops = exchange.route.request_headers
    if ops is not None:
        headers = apply(ops, headers)
    if head.has_body:
        if isinstance(body, Upload) and not head.content_length:
            headers.append((b"transfer-encoding", b"chunked"))
        else:
            headers.append(
                (b"content-length", head.content_length or b"%d" % len(slim.memory_body(body) or b""))
            )
    elif head.content_length:
        headers.append((b"content-length", head.content_length))
    if head.trailers:
        headers += _TE_TRAILERS
    return headers


def _request(exchange: Exchange, endpoint: Endpoint, headers: list[Pair], body: Body) -> httpx.Request:
    route = exchange.route
    scope = exchange.scope
    target = exchange.path.forward
    host = endpoint.host
    if route.rewrite is not None:
        target, host = _rewritten(exchange, route.rewrite, endpoint)
    elif endpoint.base_path:
        target = endpoint.base_path + target
    query = scope["query_string"]
    if query:
        target = target + b"?" + query
    return slim.request(
        exchange.method, endpoint.url, [host, *headers], stream=body, extensions={"target": target}
    )


def _rewritten(exchange: Exchange, rewrite: CompiledRewrite, endpoint: Endpoint) -> tuple[bytes, Pair]:
    host = endpoint.host
    if rewrite.host is not None:
        host = (b"host", rewrite.host)
    elif rewrite.preserve_host:
        host = (b"host", exchange.head.host)
    return rewrite.apply(exchange.path.forward, endpoint.base_path), host


async def _relay(exchange: Exchange, response: httpx.Response, service: str) -> None:
    """Hand the answer on: in one message when it is all there already, else piece by piece."""
    body = slim.body(response)
    send = exchange.send
    try:
        data, done = body.take()
        trailers = bool(body.trailers()) if done else _may_have_trailers(response)
        exchange.status = response.status_code
        await send(
            {
                "type": "http.response.start",
                "status": response.status_code,
                "headers": _answer_headers(exchange, response),
                "trailers": trailers,
            }
        )
        while not done:
            if data:
                await send({"type": "http.response.body", "body": data, "more_body": True})
            data, done = await body.next()
        await send({"type": "http.response.body", "body": data})
        if trailers:
            await send({"type": "http.response.trailers", "headers": body.trailers()})
    except httpx.TransportError as failure:
        exchange.outcome = errors.body_outcome_of(failure)
        COMPLAINTS.note(failure, exchange.outcome, service=service, target=exchange.target)
        raise ResponseAborted from failure
    finally:
        if not body.released:
            await body.aclose()


def _answer_headers(exchange: Exchange, response: httpx.Response) -> list[Pair]:
    headers = response_headers(slim.raw_pairs(response))
    headers.append((b"x-request-id", exchange.request_id))
    headers.append((b"traceparent", exchange.traceparent))
    ops = exchange.route.response_headers
    return headers if ops is None else apply(ops, headers)


def _may_have_trailers(response: httpx.Response) -> bool:
    """Only a chunked body can end in trailer fields (RFC 9112 section 7.1.2)."""
    return any(name == b"transfer-encoding" for name, _ in slim.raw_pairs(response))


def _pass_interim(exchange: Exchange, status: int, headers: list[Pair]) -> None:
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
