"""I: What the pipeline does for one route, decided once when the route is compiled.

`admission` holds the steps that the route uses, in the pipeline's order, and no others: a bare route's is empty.
`destination` gives the answer.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from authproxy.answers import answer
from authproxy.exchange import Exchange
from authproxy.forwarder import forward
from authproxy.headers import apply
from authproxy.rejections import Rejection
from routing.rewrite import location
from routing.snapshot import CompiledRoute, Forward, Redirect, Respond

Step = Callable[[Exchange], Awaitable[Rejection | None]]


@dataclass(frozen=True, slots=True)
class RoutePlan:
    admission: tuple[Step, ...]
    destination: Step


def prepare_route(route: CompiledRoute) -> RoutePlan:
    """The compiler's hook: what it returns becomes the compiled route's `plan`."""
    return RoutePlan(admission=(), destination=_destination(route))


def _destination(route: CompiledRoute) -> Step:
    match route.destination:
        case Forward(service=service):
            return partial(forward, service=service)
        case Redirect() as redirect:
            return partial(_redirect, redirect=redirect)
        case Respond() as respond:
            return partial(_respond, respond=respond)


async def _respond(exchange: Exchange, respond: Respond) -> None:
    headers = list(respond.headers)
    ops = exchange.route.response_headers
    await answer(exchange, respond.status, apply(ops, headers) if ops else headers, respond.body)


async def _redirect(exchange: Exchange, redirect: Redirect) -> None:
    target = location(
        redirect,
        scheme=exchange.origin.scheme,
        host=exchange.head.host,
        path=exchange.path.forward,
        query=exchange.scope["query_string"],
    )
    headers = [(b"location", target)]
    ops = exchange.route.response_headers
    await answer(exchange, redirect.status, apply(ops, headers) if ops else headers, b"")
