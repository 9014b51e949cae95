"""I: Requests that the gateway itself sends to services on a client's behalf: parts of an aggregate, copies, refreshes.

They take the same way as a client's request does (place, breaker, target, retries, deadline); only their answers are
kept instead of handed on. Whoever sends one is its client: to cancel the task is to leave.
"""

from dataclasses import replace
from typing import Any, Final, NamedTuple

from authproxy import problems
from authproxy.bodies import Replay
from authproxy.exchange import Exchange, Message, ResponseAborted, Scope, Send
from authproxy.forwarder import forward
from authproxy.headers import Pair, Pairs, RequestHead
from authproxy.rejections import Rejection
from authproxy.steps import RoutePlan
from resilience.clock import monotonic
from routing.paths import NormalPath
from routing.snapshot import CompiledRoute


async def nobody(exchange: Exchange) -> Rejection | None:
    """The destination of a route for requests that are sent elsewhere."""
    raise AssertionError(f"{exchange!r} has no client to answer")


UNCHANGED: Final = RoutePlan((), (), nobody)
"""What a request of the gateway's own is put through: nothing."""


_ABOUT_THEIR_BODY: Final = frozenset({"POST", "PUT", "PATCH"})
"""They say how long it is, even if there is none (RFC 9110 section 8.6)."""


class Ask(NamedTuple):
    """A request to a service. `path` is as it is to be sent, percent-encoded, without the target's own base path."""

    service: str
    method: str
    path: bytes
    query: bytes = b""
    headers: Pairs = ()
    body: bytes = b""


class Answer(NamedTuple):
    """A service's answer, whole. Names of `headers` are lower case."""

    status: int
    headers: list[Pair]
    body: bytes


class AnswerTooLarge(Exception):  # noqa: N818 - becomes a refusal
    """More than there is room for."""


def with_plan(route: CompiledRoute, plan: RoutePlan, **changes: Any) -> CompiledRoute:
    """`route`, changed, for requests of the gateway's own."""
    made = replace(route, **changes)
    object.__setattr__(made, "plan", plan)
    return made


def own_route(route: CompiledRoute, *, timeout_s: float | None = None) -> CompiledRoute:
    """The route that requests of the gateway's own take in place of `route`: without what it does to its clients'.

    Made once, when the route is compiled. `timeout_s` replaces the service's total.
    """
    return with_plan(
        route,
        UNCHANGED,
        rewrite=None,
        request_headers=None,
        response_headers=None,
        timeout_s=timeout_s,
        max_body=None,
        quotas=(),
        concurrency=None,
        fault=None,
    )


def copied_route(route: CompiledRoute) -> CompiledRoute:
    """The route that copies of requests take: what is changed on the way to the service is changed for them, too."""
    changes = {"rewrite": route.rewrite, "request_headers": route.request_headers}
    return with_plan(own_route(route), UNCHANGED, **changes)


async def ask(
    client: Exchange, route: CompiledRoute, wanted: Ask, *, told: Pairs | None = None, limit: int
) -> Answer | Rejection:
    """Send `wanted` for `client` and wait for the whole answer; over `limit` bytes it is refused as 502.

    The service learns who the client is as it would from a forwarded request: by `told`, or `client.caller_fields`.
    """
    answer = _Kept(limit)
    exchange = _exchange(client, route, wanted, answer)
    if told is not None:
        exchange.caller_fields = told
    try:
        refusal = await forward(exchange, wanted.service)
    except AnswerTooLarge:
        return problems.bad_answer(wanted.service, f"The answer is longer than {limit} bytes.")
    except ResponseAborted:
        return problems.from_outcome(exchange.outcome, service=wanted.service)
    finally:
        client.attempts += exchange.attempts
    if refusal is not None:
        return refusal
    return Answer(answer.status, answer.headers, b"".join(answer.parts))


async def discard(client: Exchange, route: CompiledRoute, wanted: Ask, *, told: Pairs) -> bool:
    """Send `wanted` for `client` and throw the answer away, whatever its length. Whether there was one."""
    exchange = _exchange(client, route, wanted, throw_away)
    exchange.caller_fields = told
    if route.rewrite is not None and route.rewrite.is_templated:
        exchange.rewritten = client.rewritten
    try:
        return await forward(exchange, wanted.service) is None
    except ResponseAborted:
        return False


async def throw_away(_message: Message) -> None:
    """A `send` to nobody."""


def _exchange(client: Exchange, route: CompiledRoute, wanted: Ask, send: Send) -> Exchange:
    head = RequestHead()
    head.host = client.head.host
    head.request_id = client.request_id
    head.traceparent = client.traceparent
    head.timeout_ms = client.head.timeout_ms
    head.passed = list(wanted.headers)
    if wanted.body or wanted.method in _ABOUT_THEIR_BODY:
        head.content_length = b"%d" % len(wanted.body)
    scope: Scope = {
        "type": "http",
        "method": wanted.method,
        "query_string": wanted.query,
        "headers": client.scope["headers"],  # what consistent hashing goes by
    }
    exchange = Exchange(
        scope,
        Replay(wanted.body, client.receive),
        send,
        snapshot=client.snapshot,
        head=head,
        started=monotonic(),
    )
    exchange.route = route
    exchange.path = NormalPath(wanted.path.decode("latin-1"), wanted.path, has_encoded_slash=False)
    exchange.origin = client.origin
    exchange.identity = client.identity
    exchange.caller_fields = client.caller_fields
    return exchange


class _Kept:
    """A `send` that keeps the answer."""

    __slots__ = ("_left", "headers", "parts", "status")

    def __init__(self, limit: int) -> None:
        self._left = limit
        self.status = 0
        self.headers: list[Pair] = []
        self.parts: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = list(message["headers"])
        elif message["type"] == "http.response.body":
            data = message.get("body", b"")
            self._left -= len(data)
            if self._left < 0:
                raise AnswerTooLarge
            self.parts.append(data)
