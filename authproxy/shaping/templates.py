"""P: What variables of the configuration stand for in a request: header values, paths and hosts that are filled in."""

from authproxy.exchange import Exchange
from authproxy.headers import Pair, Pairs, apply
from authproxy.rejections import Code, Rejection
from routing.rewrite import CompiledRewrite
from routing.shapes.changes import filled, rendered
from routing.shapes.templates import Facts
from routing.snapshot import CompiledRoute, Forward, HeaderOps

_new = tuple.__new__


def facts(exchange: Exchange, status: int = 0) -> Facts:
    """All that variables may ask for; `status` is the answer's, once there is one."""
    head, origin, route, scope = exchange.head, exchange.origin, exchange.route, exchange.scope
    destination = route.destination
    given = (
        exchange.method,
        origin.scheme,
        head.host,
        exchange.path,
        scope["query_string"],
        scope["headers"],
        origin.client_ip,
        exchange.request_id,
        exchange.identity,
        route.name,
        destination.service if type(destination) is Forward else "",
        status,
    )
    return _new(Facts, given)  # the class's own constructor costs twice


def changed(exchange: Exchange, ops: HeaderOps, pairs: Pairs, status: int = 0) -> list[Pair]:
    """A route's `request_headers` or `response_headers`, applied; only those with variables ask for them."""
    made = apply(ops, pairs)
    if ops.templates:
        made += rendered(ops.templates, facts(exchange, status))
    return made


class Rewriting:
    """The step of a route whose `rewrite` has variables: the path and host for this request."""

    def __init__(self, route: CompiledRoute, rewrite: CompiledRewrite) -> None:
        self._rewrite = rewrite
        self._slashes = route.allow_encoded_slashes

    def step(self, exchange: Exchange) -> Rejection | None:
        """Refuses a request of which no path or host can be made, rather than send it somewhere else."""
        made = filled(self._rewrite, facts(exchange), encoded_slashes=self._slashes)
        if isinstance(made, str):
            return Rejection(
                Code.INVALID_REQUEST,
                f"No {made} for the service can be made of this request.",
                details={"reason": "rewrite", "part": made},
            )
        exchange.rewritten = made
        return None
