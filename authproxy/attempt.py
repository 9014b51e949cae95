"""I: One attempt: the request as one target gets it, and how it ended."""

from functools import partial
from typing import Final, NamedTuple

import httpx

from authproxy import problems
from authproxy.bodies import Body, BodyRefused, BodyTooLarge, ClientGone, Upload, client_gone
from authproxy.complaints import COMPLAINTS
from authproxy.exchange import Exchange
from authproxy.fieldlines import FieldLines
from authproxy.handshake import TAKE_OVER
from authproxy.headers import Pair, apply
from authproxy.rejections import Rejection
from authproxy.relaying import pass_interim
from authproxy.services import Endpoint, ServiceRuntime
from authproxy.shaping.templates import changed
from authproxy.upstream import errors, slim
from resilience import deadlines
from resilience.clock import monotonic
from resilience.outcomes import Outcome, Side
from routing.rewrite import CompiledRewrite

_INTERIM: Final = "http.response.informational"
_TE_TRAILERS: Final[tuple[Pair, ...]] = ((b"te", b"trailers"), (b"connection", b"te"))


class Delivery(NamedTuple):
    """What every attempt of one request shares."""

    headers: list[Pair]
    lines: bytes
    """Fields that come after `headers`, as `FieldLines` has them."""
    body: Body
    deadline: float
    key: bytes | None
    """What consistent hashing goes by."""
    is_hurried: bool = False
    """The client allows less time than the service would have."""


async def attempt(
    exchange: Exchange,
    runtime: ServiceRuntime,
    index: int,
    delivery: Delivery,
    *,
    now: float,
    fresh: bool,
) -> httpx.Response | Outcome | Rejection:
    """One target, once. An answer holds a place there until it has been relayed."""
    endpoint = runtime.endpoints[index]
    request = _request(exchange, endpoint, delivery, now=now)
    extensions = request.extensions
    extensions["timeout"] = runtime.timeouts
    extensions["deadline"] = delivery.deadline
    if fresh:
        extensions["fresh"] = True
    offered = exchange.scope.get("extensions", ())
    if _INTERIM in offered:
        extensions["on_informational"] = partial(pass_interim, exchange)
    elif TAKE_OVER in offered:
        extensions["upgrade"] = True
    exchange.attempts += 1
    target = runtime.pool.states[index]
    target.in_flight += 1
    outcome = Outcome.CLIENT_GONE
    try:
        response = await runtime.transport.handle_async_request(request)
        outcome = Outcome.UPSTREAM_ERROR if response.status_code >= 500 else Outcome.OK
        exchange.answered = monotonic()
        exchange.target = endpoint.name
        exchange.held = target
        return response
    except httpx.TransportError as failure:
        refusal = _client_side(exchange, failure)
        if refusal is not None:
            return refusal
        outcome = errors.outcome_of(failure)
        if outcome is Outcome.TOTAL_TIMEOUT and delivery.is_hurried:
            outcome = Outcome.NO_TIME  # else anybody could have a service taken for broken
        else:
            COMPLAINTS.note(failure, outcome, service=runtime.state.name, target=endpoint.name)
        note_failure(exchange, endpoint.name, outcome)
        return outcome
    finally:
        connecting_s = extensions.get("connecting_s")
        if connecting_s is not None:
            exchange.connecting_s += connecting_s
        if exchange.held is not target:
            target.in_flight -= 1
        if runtime.judge is not None:
            runtime.judge(index, failure_of(outcome))


def note_failure(exchange: Exchange, target: str, outcome: Outcome) -> None:
    """For whoever counts attempts: this one brought nothing that a client gets."""
    if exchange.failures is None:
        exchange.failures = []
    exchange.failures.append((target, outcome))


def failure_of(outcome: Outcome) -> bool | None:
    """Whose fault it was: the service's, nobody's, or somebody else's (None)."""
    if outcome is Outcome.OK:
        return False
    traits = outcome.traits
    return True if traits.side is Side.UPSTREAM and outcome is not Outcome.NO_TARGET else None


def _client_side(exchange: Exchange, failure: httpx.TransportError) -> Rejection | None:
    """The refusal, when it was the client's body and not the upstream that failed."""
    cause = failure.__cause__
    if isinstance(cause, BodyTooLarge):
        limit = exchange.route.max_body
        assert limit is not None
        exchange.outcome = Outcome.CLIENT_BODY
        return problems.payload_too_large(limit)
    if isinstance(cause, BodyRefused):
        exchange.outcome = Outcome.CLIENT_BODY
        return cause.rejection
    if isinstance(cause, ClientGone):
        return client_gone(exchange)
    return None


def request_headers(exchange: Exchange, body: Body) -> tuple[list[Pair], bytes]:
    """What every attempt sends; Host and the time that is left depend on the attempt.

    Second are the lines of fields that come after the others: what many requests say alike is written only once.
    """
    head = exchange.head
    lines = b""
    headers = [
        *head.passed,
        (b"x-request-id", exchange.request_id),
        (b"traceparent", exchange.traceparent),
    ]
    ops = exchange.route.request_headers
    for fields in (exchange.caller_fields, exchange.origin.fields):
        if ops is None and type(fields) is FieldLines:
            lines += fields.lines
        elif fields:
            headers += fields
    if ops is not None:
        headers = changed(exchange, ops, headers) if ops.templates else apply(ops, headers)
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
    return headers, lines


def _request(exchange: Exchange, endpoint: Endpoint, delivery: Delivery, *, now: float) -> httpx.Request:
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
    headers = [host, *delivery.headers, deadlines.field(delivery.deadline, now)]
    if exchange.attempts:
        headers.append((b"x-retry-count", b"%d" % exchange.attempts))
    return slim.request(
        exchange.method, endpoint.url, headers, delivery.body, {"target": target}, delivery.lines
    )


def _rewritten(exchange: Exchange, rewrite: CompiledRewrite, endpoint: Endpoint) -> tuple[bytes, Pair]:
    host = endpoint.host
    if rewrite.is_templated:
        rewrite = exchange.rewritten
    if rewrite.host is not None:
        host = (b"host", rewrite.host)
    elif rewrite.preserve_host:
        host = (b"host", exchange.head.host)
    return rewrite.apply(exchange.path.forward, endpoint.base_path), host
