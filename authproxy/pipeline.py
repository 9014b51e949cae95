"""I: The life of a request, in order. Read this file first.

A step returns None to go on or a Rejection to end; a route's plan holds only the steps that the route uses.
"""

import logging
from collections.abc import Callable
from typing import Final
from urllib.parse import unquote

from authproxy import bodies, headers, ids, problems
from authproxy.answers import refuse
from authproxy.bodies import BodyTooLarge
from authproxy.exchange import (
    CLIENT_CLOSED_REQUEST,
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
from authproxy.plan import RoutePlan
from authproxy.rejections import Code, Rejection
from resilience.clock import monotonic
from resilience.outcomes import Outcome
from routing.paths import BadPath, normalise
from routing.snapshot import BuiltinRoute, CompiledRoute, Miss, Snapshot

BUILTIN_MAX_BODY: Final = 10 * 1024 * 1024
"""For the gateway's own endpoints: Django puts a whole body on the disk before it asks who sent it."""
_log: Final = logging.getLogger("torana.pipeline")
_INTERNAL: Final = Rejection(Code.INTERNAL_ERROR, "The gateway could not serve this request.")
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
        served: frozenset[str] | None = None,
        forwarding: ForwardingFields,
        refuse_http: Callable[[Exchange], Rejection] | None = None,
        on_finish: tuple[Callable[[Exchange], None], ...] = (),
    ) -> None:
        self._snapshot = snapshot
        self._builtin = builtin
        self._served = served  # names of the built-in endpoints that this node has; None: all
        self._forwarding = forwarding
        self._refuse_http = refuse_http
        self._on_finish = on_finish

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = self._arrive(scope, receive, send)
        try:
            found = self._locate(exchange)
            if isinstance(found, CompiledRoute):
                refusal = await self._answer(exchange, found)
            elif isinstance(found, BuiltinRoute):
                refusal = await self._hand_over(exchange, found)
            else:
                refusal = found
            if refusal is not None and exchange.status != CLIENT_CLOSED_REQUEST:
                await refuse(exchange, refusal)
        except ResponseAborted:
            raise
        except Exception:
            await self._report_bug(exchange)
        except BaseException:
            exchange.outcome = Outcome.CLIENT_GONE
            exchange.status = exchange.status or CLIENT_CLOSED_REQUEST
            raise
        finally:
            for subscriber in self._on_finish:
                subscriber(exchange)

    async def _hand_over(self, exchange: Exchange, endpoint: BuiltinRoute) -> Rejection | None:
        """To an endpoint of the gateway itself, which learns the real scheme and answers with the request's id."""
        if self._served is not None and endpoint.name not in self._served:
            return problems.not_found()
        scope, receive, send = exchange.scope, exchange.receive, exchange.send
        if exchange.head.has_body:
            if int(exchange.head.content_length or b"0") > BUILTIN_MAX_BODY:
                return problems.payload_too_large(BUILTIN_MAX_BODY)
            receive = bodies.counted(receive, BUILTIN_MAX_BODY)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.status = message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", exchange.request_id)]
            await send(message)

        told = {
            "path": unquote(exchange.path.match),  # the path that was judged, not one with ways around it
            "raw_path": exchange.path.forward,
            "scheme": exchange.origin.scheme,
            SCOPE_REQUEST_ID: exchange.request_id,
        }
        try:
            await self._builtin({**scope, **told}, receive, send_with_id)
        except BodyTooLarge:
            if exchange.status:
                raise ResponseAborted from None
            return problems.payload_too_large(BUILTIN_MAX_BODY)
        return None

    def _arrive(self, scope: Scope, receive: Receive, send: Send) -> Exchange:
        """Step 1: the snapshot, the clock, the header fields, the correlation ids."""
        head = headers.read(scope["headers"])
        if not (head.request_id and head.traceparent):
            request_id, traceparent = ids.correlation()
            head.request_id = head.request_id or request_id
            head.traceparent = head.traceparent or traceparent
        return Exchange(scope, receive, send, snapshot=self._snapshot(), head=head, started=monotonic())

    def _locate(self, exchange: Exchange) -> CompiledRoute | BuiltinRoute | Rejection:
        """Step 2: the route, found on the normalised path; then who the client is behind its proxies."""
        scope = exchange.scope
        head = exchange.head
        path = normalise(scope["raw_path"])
        if isinstance(path, BadPath):
            return Rejection(Code.INVALID_REQUEST, f"The path is refused: {path.reason}.")
        found = exchange.snapshot.index.match(
            exchange.method, head.host, path.match, scope["headers"], scope["query_string"]
        )
        if path.has_encoded_slash and not (isinstance(found, CompiledRoute) and found.allow_encoded_slashes):
            return _ENCODED_SLASH
        if isinstance(found, Miss):
            return problems.method_not_allowed(found.allow) if found.allow else problems.not_found()
        client = scope["client"]
        exchange.path = path
        exchange.origin = self._forwarding.origin(
            peer=client[0] if client else "",
            host=head.host,
            scheme=scope["scheme"],
            claimed=head.forwarding,
        )
        if isinstance(found, CompiledRoute):
            exchange.route = found
            if self._refuse_http and exchange.origin.scheme == "http":
                return self._refuse_http(exchange)
        return found

    async def _answer(self, exchange: Exchange, route: CompiledRoute) -> Rejection | None:
        """Steps 3 to 10: what the route's plan says, in the plan's order."""
        plan: RoutePlan = route.plan
        for step in plan.admission:
            refusal = await step(exchange)
            if refusal is not None:
                return refusal
        return await plan.destination(exchange)

    async def _report_bug(self, exchange: Exchange) -> None:
        _log.exception("request %s failed in the gateway", exchange.request_id.decode("ascii"))
        exchange.outcome = Outcome.GATEWAY_BUG
        if exchange.status:
            raise ResponseAborted
        await refuse(exchange, _INTERNAL)
