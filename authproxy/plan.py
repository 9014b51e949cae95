"""I: What the pipeline does for one route, decided once when the route is compiled.

`admission` holds the steps that the route uses, in the pipeline's order, and no others: a bare route's is empty.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from random import Random

from authproxy.admission import Gate, Gatekeeper
from authproxy.aggregating import Aggregating
from authproxy.answers import answer
from authproxy.bus import Bus
from authproxy.caching.cache import Cache
from authproxy.crowding import bounded
from authproxy.exchange import Exchange
from authproxy.faulting import Faulting
from authproxy.forwarder import forward
from authproxy.grpc.transcoding import Transcoding
from authproxy.headers import Pair
from authproxy.lasting import Lasting
from authproxy.limiting import Limiter, Limits
from authproxy.mirroring import Mirroring, Mirrors
from authproxy.publishing import Publishing
from authproxy.rejections import Rejection
from authproxy.relaying import relay
from authproxy.securityfields import completed
from authproxy.shaping import arrangement
from authproxy.shaping.pieces import memory_response
from authproxy.shaping.templates import changed
from authproxy.splitting import CanarySplitting, Splitting
from authproxy.steps import Destination, RoutePlan, Step
from resilience.canaries import Canaries
from resilience.canary import CanaryPolicy
from resilience.clock import http_date
from resilience.concurrency import LimitTable
from routing.aggregation import Aggregate
from routing.rewrite import location
from routing.snapshot import CompiledRoute, Forward, Grpc, Publish, Redirect, Respond, services_of
from routing.splitting import Split

Tunnels = Callable[[CompiledRoute, Destination], Destination]


@dataclass(frozen=True, slots=True)
class Doors:
    """What the plans of all routes share."""

    gatekeeper: Gatekeeper
    limiter: Limiter
    crowds: LimitTable
    """How many requests of each route are on their way."""
    rng: Random
    cache: Cache = field(default_factory=Cache)
    mirrors: Mirrors = field(default_factory=Mirrors)
    canaries: Canaries = field(default_factory=Canaries)
    tunnel: Tunnels | None = None
    """Makes of a route and its destination the way of its WebSocket connections; None: there is none."""
    bus: Bus | None = None
    """Where routes publish; None: no message hub is configured."""
    lasting: Lasting | None = None
    """What ends answers that go on and on when their callers' credentials end."""


def prepare_route(route: CompiledRoute, doors: Doors) -> RoutePlan:
    """The compiler's hook: what it returns becomes the compiled route's `plan`."""
    gate = Gate(route, doors.gatekeeper)
    first = arrangement.entry_steps(route)
    then: tuple[Step, ...] = ()
    if route.quotas:
        services = services_of(route.destination)
        service = services[0] if len(services) == 1 else ""
        then = (Limits(route.name, route.quotas, doors.limiter, service=service).limit,)
    if route.fault is not None:
        then = (*then, Faulting(route.fault, rng=doors.rng).step)
    then = (*then, *arrangement.check_steps(route))
    destination = _destination(route, gate, doors)
    tunnel = None
    if route.shapes.websocket is not None and doors.tunnel is not None:
        tunnel = doors.tunnel(route, destination)
    if (mirror := route.shapes.mirror) is not None:
        destination = Mirroring(
            route, mirror, destination, mirrors=doors.mirrors, tell=gate.told, roll=doors.rng.random
        ).answer
    destination = arrangement.around(route, destination, doors.cache)
    if route.concurrency is not None:
        crowd = doors.crowds.get(route.name, route.concurrency)
        destination = bounded(destination, crowd, route.concurrency)
        tunnel = tunnel and bounded(tunnel, crowd, route.concurrency)
    return RoutePlan(
        (*first, *gate.steps, *then),
        (*first, gate.admit, *then),
        destination,
        arrangement.shapers(route),
        tunnel,
        doors.lasting,
    )


def _destination(route: CompiledRoute, gate: Gate, doors: Doors) -> Destination:
    match route.destination:
        case Forward(service=service):
            return partial(forward, service=service)
        case Split(canary=CanaryPolicy() as policy) as split:
            live = doors.canaries.get(route.name, policy)
            return CanarySplitting(split, gate.told, live=live, roll=doors.rng.random).answer
        case Split() as split:
            return Splitting(split, gate.told, roll=doors.rng.random).answer
        case Redirect() as redirect:
            return partial(_redirect, redirect=redirect)
        case Respond() as respond:
            return partial(_respond, respond=respond)
        case Aggregate() as aggregate:
            return Aggregating(route, aggregate, gate.told).answer
        case Grpc() as grpc:
            return Transcoding(route, grpc).answer
        case Publish(topic=topic):
            return Publishing(route, topic, doors.bus).answer


async def _respond(exchange: Exchange, respond: Respond) -> Rejection | None:
    headers = list(respond.headers)
    if exchange.route.plan.shapers:
        own = [*headers, (b"content-length", b"%d" % len(respond.body)), (b"date", http_date())]
        return await relay(exchange, memory_response(respond.status, own, respond.body), "")
    await answer(exchange, respond.status, _said(exchange, headers, respond.status), respond.body)
    return None


async def _redirect(exchange: Exchange, redirect: Redirect) -> None:
    target = location(
        redirect,
        scheme=exchange.origin.scheme,
        host=exchange.head.host,
        path=exchange.path.forward,
        query=exchange.scope["query_string"],
    )
    headers = [(b"location", target)]
    await answer(exchange, redirect.status, _said(exchange, headers, redirect.status), b"")


def _said(exchange: Exchange, headers: list[Pair], status: int) -> list[Pair]:
    """The fields of an answer that the route gives itself, changed as it says."""
    headers = completed(headers, exchange.safety.routed[exchange.origin.scheme])
    ops = exchange.route.response_headers
    return changed(exchange, ops, headers, status) if ops else headers
