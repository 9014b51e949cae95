"""I: The life of a request, in order. Read this file first.

A step returns None to go on or a Rejection to end; a route's plan holds only the steps that the route uses.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final
from urllib.parse import unquote

from authproxy import bodies, headers, ids, problems
from authproxy.answers import refuse
from authproxy.bodies import BodyRefused, BodyTooLarge
from authproxy.exchange import (
    CLIENT_CLOSED_REQUEST,
    SCOPE_AUTH_FAILURE,
    SCOPE_CLIENT,
    SCOPE_IDENTITY,
    SCOPE_REQUEST_ID,
    ASGIApp,
    Exchange,
    Message,
    Receive,
    ResponseAborted,
    Scope,
    Send,
)
from authproxy.forwarded import ForwardingFields
from authproxy.handshake import SCOPE_HANDSHAKE, Handshake, no_body
from authproxy.rejections import Code, Rejection
from authproxy.securityfields import NO_FIELDS, SecurityFields, completed
from authproxy.shaping.cors import prepared
from authproxy.steps import RoutePlan, Step
from authproxy.tracing import Spans
from resilience.clock import http_date, monotonic
from resilience.outcomes import Outcome
from routing.paths import BadPath, NormalPath, normalise
from routing.preflights import CROSS_ORIGIN, Preflight, preflight_for
from routing.shapes.cors import CorsPolicy
from routing.snapshot import BuiltinRoute, CompiledRoute, Miss, Snapshot

BUILTIN_MAX_BODY: Final = 10 * 1024 * 1024
"""For the gateway's own endpoints: Django puts a whole body on the disk before it asks who sent it."""
_log: Final = logging.getLogger("torana.pipeline")
_INTERNAL: Final = Rejection(Code.INTERNAL_ERROR, "The gateway could not serve this request.")
_NO_SOCKETS: Final = Rejection(
    Code.INVALID_REQUEST, "This route takes no WebSocket connections.", details={"reason": "websocket"}
)
_ENCODED_SLASH: Final = Rejection(
    Code.INVALID_REQUEST, "Slashes and backslashes in a path must not be encoded."
)


class Pipeline:
    """An ASGI application: what routes claim is served here, reserved endpoints go to `builtin`."""

    def __init__(
        self,
        *,
        snapshot: Callable[[], Snapshot],
        builtin: ASGIApp,
        builtin_socket: ASGIApp | None = None,
        recognise: Callable[[Exchange], Awaitable[None]],
        served: frozenset[str] | None = None,
        forwarding: ForwardingFields,
        refuse_http: Callable[[Exchange], Rejection] | None = None,
        limit_builtin: Step | None = None,
        cors: CorsPolicy | None = None,
        safety: SecurityFields = NO_FIELDS,
        on_arrival: tuple[Callable[[Exchange], None], ...] = (),
        spans: Spans | None = None,
        on_finish: tuple[Callable[[Exchange], None], ...] = (),
    ) -> None:
        self._snapshot = snapshot
        self._builtin = builtin
        self._builtin_socket = builtin_socket
        self._recognise = recognise  # learns who calls a built-in endpoint
        self._served = served  # names of the built-in endpoints that this node has; None: all
        self._forwarding = forwarding
        self._refuse_http = refuse_http
        self._limit_builtin = limit_builtin  # of `{API_PREFIX}/health`, by which clients see their limits
        self._cors = cors  # of what no route answers: the gateway's own endpoints, and paths that nobody has
        self._safety = safety
        self._on_arrival = on_arrival
        self._spans = spans  # where traces are exported: what services are told is their parent
        self._on_finish = on_finish
        self.in_flight = 0
        """Requests that have begun and are not over."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = self._arrive(scope, receive, send)
        self.in_flight += 1
        for subscriber in self._on_arrival:
            subscriber(exchange)
        try:
            found = self._locate(exchange)
            if isinstance(found, CompiledRoute):
                refusal = await self._answer(exchange, found)
            elif isinstance(found, BuiltinRoute):
                refusal = await self._hand_over(exchange, found)
            elif isinstance(found, Preflight):
                refusal = await self._permit(exchange, found)
            else:
                refusal = found
            if refusal is not None and exchange.status != CLIENT_CLOSED_REQUEST:
                await refuse(exchange, refusal)
        except ResponseAborted:
            raise
        except Exception as failure:
            await self._fail(exchange, failure)
        except BaseException:
            exchange.outcome = Outcome.CLIENT_GONE
            exchange.status = exchange.status or CLIENT_CLOSED_REQUEST
            raise
        finally:
            self.in_flight -= 1
            for subscriber in self._on_finish:
                subscriber(exchange)

    async def connect(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A WebSocket handshake: the way of any request, to a route's tunnel or an endpoint that speaks WebSocket."""
        if (await receive())["type"] == "websocket.connect":
            handshake = Handshake(scope, receive, send)
            await self(handshake.request, no_body, handshake.deny)

    async def _hand_over(self, exchange: Exchange, endpoint: BuiltinRoute) -> Rejection | None:
        """To an endpoint of the gateway itself, which learns the real scheme and answers with the request's id."""
        if self._cors is not None and endpoint.name in CROSS_ORIGIN:
            prepared(self._cors).step(exchange)
        if self._served is not None and endpoint.name not in self._served:
            return problems.not_found()
        receive = exchange.receive
        if exchange.head.has_body:
            if int(exchange.head.content_length or b"0") > BUILTIN_MAX_BODY:
                return problems.payload_too_large(BUILTIN_MAX_BODY)
            receive = bodies.counted(receive, BUILTIN_MAX_BODY)

        await self._recognise(exchange)
        refusal = None if self._limit_builtin is None else self._limit_builtin(exchange)
        if refusal is not None and not isinstance(refusal, Rejection):
            refusal = await refusal
        if refusal is not None:
            return refusal
        return await self._hand(exchange, receive)

    async def _hand(self, exchange: Exchange, receive: Receive) -> Rejection | None:
        scope, send = exchange.scope, exchange.send
        handshake: Handshake | None = scope.get(SCOPE_HANDSHAKE)
        safety = exchange.safety.own[exchange.origin.scheme]

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.body":
                exchange.sent += len(message.get("body", b""))
            elif message["type"] == "http.response.start":
                exchange.status = message["status"]
                said = completed(message.get("headers", ()), (*safety, (b"date", http_date())))
                message["headers"] = [*said, (b"x-request-id", exchange.request_id), *exchange.answer_fields]
            await send(message)

        told = {
            "path": unquote(exchange.path.match),  # the path that was judged, not one with ways around it
            "raw_path": exchange.path.forward,
            "scheme": exchange.origin.scheme,
            SCOPE_REQUEST_ID: exchange.request_id,
            SCOPE_IDENTITY: exchange.identity,
            SCOPE_AUTH_FAILURE: "" if exchange.identity else exchange.auth_failure,
            SCOPE_CLIENT: exchange.origin.client_ip,
        }
        if handshake is not None:
            return await self._hand_socket(exchange, handshake, told)
        try:
            await self._builtin({**scope, **told}, receive, send_with_id)
        except BodyTooLarge:
            if exchange.status:
                raise ResponseAborted from None
            return problems.payload_too_large(BUILTIN_MAX_BODY)
        return None

    async def _hand_socket(
        self, exchange: Exchange, handshake: Handshake, told: dict[str, Any]
    ) -> Rejection | None:
        """101 is the status of what was accepted (RFC 9110 section 15.2.2)."""
        if self._builtin_socket is None:
            return _NO_SOCKETS

        async def send(message: Message) -> None:
            if message["type"] == "websocket.http.response.start":
                exchange.status = message["status"]
            await handshake.send(message)

        told["scheme"] = "wss" if told["scheme"] == "https" else "ws"
        told[SCOPE_HANDSHAKE] = handshake
        await self._builtin_socket({**handshake.scope, **told}, handshake.receive, send)
        exchange.status = exchange.status or 101
        return None

    def _arrive(self, scope: Scope, receive: Receive, send: Send) -> Exchange:
        """Step 1: the snapshot, the clock, the header fields, the correlation ids."""
        head = headers.read(scope["headers"])
        came = head.traceparent
        if not (head.request_id and came):
            request_id, traceparent = ids.correlation()
            head.request_id = head.request_id or request_id
            head.traceparent = came or traceparent
        snapshot, safety = self._snapshot(), self._safety
        exchange = Exchange(
            scope, receive, send, snapshot=snapshot, head=head, started=monotonic(), safety=safety
        )
        if self._spans is not None:
            exchange.traceparent = self._spans.traceparent(head, came)
        return exchange

    def _locate(self, exchange: Exchange) -> CompiledRoute | BuiltinRoute | Preflight | Rejection:
        """Step 2: who the client is behind its proxies; then the route, found on the normalised path."""
        scope = exchange.scope
        head = exchange.head
        client = scope["client"]
        exchange.origin = self._forwarding.origin(
            peer=client[0] if client else "",
            host=head.host,
            scheme=scope["scheme"],
            claimed=head.forwarding,
        )
        path = normalise(scope["raw_path"])
        if isinstance(path, BadPath):
            reason = f"The path is refused: {path.reason}."
            return self._missed(exchange, Rejection(Code.INVALID_REQUEST, reason))
        exchange.path = path
        found = exchange.snapshot.index.match(
            exchange.method, head.host, path.match, scope["headers"], scope["query_string"]
        )
        asked = self._preflight(exchange, path) if exchange.method == "OPTIONS" else None
        if asked is not None:
            found = asked.found
        if path.has_encoded_slash and not (isinstance(found, CompiledRoute) and found.allow_encoded_slashes):
            return self._missed(exchange, _ENCODED_SLASH)
        if isinstance(found, Miss):
            refusal = problems.method_not_allowed(found.allow) if found.allow else problems.not_found()
            return self._missed(exchange, refusal)
        if isinstance(found, CompiledRoute):
            exchange.route = found
        if self._refuse_http and exchange.origin.scheme == "http" and not _is_for_the_process(found):
            return self._refuse_http(exchange)
        return asked or found

    def _preflight(self, exchange: Exchange, path: NormalPath) -> Preflight | None:
        scope, index = exchange.scope, exchange.snapshot.index
        host, headers, query = exchange.head.host, scope["headers"], scope["query_string"]
        return preflight_for(index, host, path.match, headers, query, default=self._cors)

    async def _permit(self, exchange: Exchange, asked: Preflight) -> Rejection | None:
        """Answers a preflight, before anybody asks who calls."""
        found = asked.found
        policy = found.shapes.cors if isinstance(found, CompiledRoute) else self._cors
        assert policy is not None  # else it is none
        return await prepared(policy).preflight(exchange, asked.method)

    def _missed(self, exchange: Exchange, refusal: Rejection) -> Rejection:
        """No route's policy says who may read that there is none."""
        if self._cors is not None:
            prepared(self._cors).step(exchange)
        return refusal

    async def _answer(self, exchange: Exchange, route: CompiledRoute) -> Rejection | None:
        """Steps 3 to 10: what the route's plan says, in the plan's order."""
        plan: RoutePlan = route.plan
        destination = plan.destination
        if SCOPE_HANDSHAKE in exchange.scope:
            if plan.tunnel is None:
                return _NO_SOCKETS
            destination = plan.tunnel
        steps = plan.admission if exchange.head.credentials is None else plan.callers_admission
        for step in steps:
            refusal = step(exchange)
            if refusal is not None and not isinstance(refusal, Rejection):
                refusal = await refusal
            if refusal is not None:
                return refusal
        exchange.admitted = monotonic()
        return await destination(exchange)

    async def _fail(self, exchange: Exchange, failure: Exception) -> None:
        """A bug; or a step has read a body that another one watches, and refuses."""
        if isinstance(failure, BodyRefused):
            exchange.outcome, refusal = Outcome.CLIENT_BODY, failure.rejection
        else:
            request_id = exchange.request_id.decode("ascii")
            ids = {"request_id": request_id, "trace_id": exchange.traceparent[3:35].decode("ascii")}
            _log.exception("request %s failed in the gateway", request_id, extra=ids)
            exchange.outcome, refusal = Outcome.GATEWAY_BUG, _INTERNAL
        if exchange.status:
            raise ResponseAborted
        await refuse(exchange, refusal)


def _is_for_the_process(found: CompiledRoute | BuiltinRoute) -> bool:
    """Probes and scrapers speak plain HTTP, to the process itself."""
    return isinstance(found, BuiltinRoute) and found.name in ("health", "metrics")
