"""I: The way of a route's WebSocket handshakes: sent on as the request that it is, then two connections become one.

Targets, breaker, places, retries, deadlines, header fields and refusals are those of requests: it is the same forwarder
that sends the handshake. An answer other than 101 goes to the client as it is, before any upgrade.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import httpx

from authproxy import problems
from authproxy.exchange import CLIENT_CLOSED_REQUEST, Exchange
from authproxy.handshake import SCOPE_HANDSHAKE, TAKE_OVER, Handshake, Taken, TakeOver
from authproxy.rejections import Code, Rejection
from authproxy.relaying import answer_headers
from authproxy.steps import Destination
from authproxy.upstream import slim
from realtime.tunnel import switching
from realtime.tunnel.course import Course
from realtime.tunnel.ends import End
from realtime.tunnel.place import Place
from realtime.tunnel.sockets import Sockets
from resilience.outcomes import Outcome
from routing.shapes.websocket import SocketPolicy
from routing.snapshot import CompiledRoute

_NO_SERVER: Final = Rejection(
    Code.SERVICE_UNAVAILABLE,
    "This server carries no WebSocket connections of routes.",
    details={"reason": "websocket"},
)


def tunnel_for(sockets: Sockets) -> Callable[[CompiledRoute, Destination], Destination]:
    """What makes the way of a route's connections; they are kept in `sockets`."""

    def make(route: CompiledRoute, destination: Destination) -> Destination:
        policy = route.shapes.websocket
        assert policy is not None
        return Tunnel(policy, destination, sockets).answer

    return make


class Tunnel:
    """One route's."""

    __slots__ = ("_destination", "_policy", "_sockets")

    def __init__(self, policy: SocketPolicy, destination: Destination, sockets: Sockets) -> None:
        self._policy = policy
        self._destination = destination
        self._sockets = sockets

    async def answer(self, exchange: Exchange) -> Rejection | None:
        """Sends the handshake on; returns when the connection is over, or was never made."""
        handshake: Handshake = exchange.scope[SCOPE_HANDSHAKE]
        if TAKE_OVER not in (handshake.scope.get("extensions") or ()):
            return _NO_SERVER
        handshake.hand_on = self._hand_on
        exchange.head.passed = switching.asking(exchange.head.passed)
        return await self._destination(exchange)

    async def _hand_on(self, exchange: Exchange, answer: httpx.Response, service: str) -> Rejection | None:
        """An upstream's 101."""
        answered = slim.raw_pairs(answer)
        if fault := switching.fault_of(exchange.head.passed, answered):
            exchange.outcome = Outcome.PROTOCOL_ERROR
            await slim.body(answer).aclose()
            return problems.bad_answer(service, f"The upstream's answer to the handshake is wrong: {fault}.")
        upstream, rest = slim.body(answer).detach()
        handshake: Handshake = exchange.scope[SCOPE_HANDSHAKE]
        fields = switching.telling(answer_headers(exchange, answer), answered)
        if handshake.wants_bearer and not any(name == switching.SUBPROTOCOL for name, _ in fields):
            fields.append((switching.SUBPROTOCOL, b"bearer"))  # browsers want one of those that they offered
        take_over: TakeOver = handshake.scope["extensions"][TAKE_OVER]
        who = _Leaving()
        taken = take_over(who, fields)
        if taken is None:
            upstream.abort()
            exchange.outcome, exchange.status = Outcome.CLIENT_GONE, CLIENT_CLOSED_REQUEST
            return None
        exchange.status = 101
        if handshake.on_open is not None:
            handshake.on_open()
        course = who.course = _joined(taken, upstream, self._policy, beat_s=self._sockets.beat_s, rest=rest)
        await self._carry(exchange, course, service, taken)
        return None

    async def _carry(self, exchange: Exchange, course: Course, service: str, taken: Taken) -> None:
        targets = exchange.snapshot.services[service].targets
        is_leased = all(target.url != exchange.target for target in targets)
        place = Place(exchange.route.name, service, exchange.target, is_leased)
        identity, address = exchange.identity, exchange.origin.client_ip
        socket = self._sockets.add(course, place, self._policy, identity=identity, address=address)
        try:
            await course.over()
        finally:
            self._sockets.discard(socket)
            taken.release()


class _Leaving:
    """Stands where the course will be; the server may tell it to leave before there is one."""

    __slots__ = ("course",)

    course: Course | None

    def __init__(self) -> None:
        self.course = None

    def shutdown(self) -> None:
        if self.course is not None:
            self.course.shutdown()


def _joined(
    taken: Taken,
    upstream: asyncio.Transport,
    policy: SocketPolicy,
    *,
    beat_s: float,
    rest: bytes,
) -> Course:
    """Both sides, each the other's; what the upstream has sent with its answer goes first."""
    loop = asyncio.get_running_loop()
    ends = (
        End(loop, is_client=True, max_message=policy.max_message, deflate_bits=taken.deflate_bits),
        End(loop, is_client=False, max_message=policy.max_message),
    )
    for end, transport in zip(ends, (taken.transport, upstream), strict=True):
        end.transport = transport
    course = Course(*ends, idle_s=policy.idle_timeout_s, beat_s=beat_s)
    client, server = ends
    client.adopt(b"")
    server.adopt(rest)
    return course
