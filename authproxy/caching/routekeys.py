"""I: The keys of one route's requests: what can be known of them is worked out when the route is compiled."""

from collections.abc import Iterator
from typing import Any, Final

from authproxy.caching.keys import NOBODY, Key, Owner, configuration_of, owner_of, values_of
from authproxy.exchange import Exchange
from authproxy.headers import Pairs
from authproxy.splitting import settled_for
from routing.aggregation import Aggregate
from routing.shapes.cache import CachePolicy
from routing.snapshot import CompiledRoute
from routing.splitting import Split

_OF_HEADERS: Final = "request.header."
_ADDRESS: Final = "request.client_ip"
_new = tuple.__new__
_NOT_BESIDES: Final = frozenset(
    {b"x-forwarded-for", b"x-forwarded-host", b"x-forwarded-proto", b"x-real-ip", b"forwarded", b"via"}
)
"""Answers are distinguished by scheme and host anyway, and by addresses only where a route or the answer says so."""


class RouteKeys:
    """Makes keys. What a route sends of other header fields, by variables, distinguishes answers as well,
    and so does whom a request is sent to, where it may say so itself."""

    __slots__ = ("_by_address", "_configuration", "_is_minted", "_names", "_split")

    def __init__(self, route: CompiledRoute, policy: CachePolicy) -> None:
        variables = set(_variables(route))
        headers = {
            name.removeprefix(_OF_HEADERS).lower().encode("ascii")
            for name in variables
            if name.startswith(_OF_HEADERS)
        }
        self._names = tuple(sorted({*policy.vary, *headers}))
        self._by_address = _ADDRESS in variables
        self._split = route.destination if isinstance(route.destination, Split) else None
        self._is_minted = route.forward_identity == "token"
        self._configuration = configuration_of(
            {
                "route": route.name,
                "destination": route.destination,
                "rewrite": route.rewrite,
                "request_headers": route.request_headers,
                "forward_identity": route.forward_identity,
                "forward_credentials": route.forward_credentials,
                "cache": policy,
            }
        )

    def of(self, exchange: Exchange) -> Key:
        """The key of the answers that are this request's own."""
        head = exchange.head
        owner: Owner = NOBODY
        if head.credentials is not None:
            roles, fields = exchange.snapshot.roles, exchange.caller_fields
            owner = owner_of(exchange.identity, roles, fields, is_minted=self._mints_for(exchange))
        values = values_of(self._names, exchange.scope["headers"]) if self._names else ()
        if self._by_address:
            values = (*values, exchange.origin.client_ip.encode())
        if self._split is not None:
            share = settled_for(self._split, exchange)
            values = (*values, None if share is None else share.variant)
        host = head.host
        if head.forwarding is not None:
            if (shown := _shown_host(exchange)) != host:
                host, values = shown, (*values, host)  # the service may get to see both
            values = (*values, *_told_besides(exchange))
        query = exchange.scope["query_string"]
        url = (exchange.origin.scheme, host.lower(), exchange.path.forward, query)
        return _new(Key, (self._configuration, owner, url, values))  # the class's own constructor costs twice

    def passes_authorization(self, exchange: Exchange) -> bool:
        """Whether the service gets an Authorization field of the client's own (RFC 9111 section 3.5)."""
        if exchange.head.credentials is None or self._mints_for(exchange):
            return False
        return any(name == b"authorization" for name, _ in exchange.caller_fields)

    def _mints_for(self, exchange: Exchange) -> bool:
        return self._is_minted and exchange.identity is not None


def seen_fields(exchange: Exchange) -> tuple[Pairs, ...]:
    """The fields of the request that the service sees, by which its Vary distinguishes answers."""
    return exchange.head.passed, exchange.caller_fields, exchange.origin.fields


def _shown_host(exchange: Exchange) -> bytes:
    """What a trusted proxy says that the client asked for; else what the client itself says."""
    found = (value for name, value in exchange.origin.fields if name == b"x-forwarded-host")
    return next(found, exchange.head.host)


def _told_besides(exchange: Exchange) -> Iterator[bytes]:
    """What else a trusted proxy tells the service of the client, such as who it is (X-Forwarded-User)."""
    for name, value in exchange.origin.fields:
        if name not in _NOT_BESIDES:
            yield name + b": " + value


def _variables(route: CompiledRoute) -> Iterator[str]:
    """The names of the variables that what services get is made of."""
    rewrite, ops = route.rewrite, route.request_headers
    if isinstance(route.destination, Aggregate):
        yield from (variable.name for variable in route.destination.variables.values())
    found: list[Any] = [getattr(rewrite, name, None) for name in ("template", "host_template")]
    found += (template for _, template in getattr(ops, "templates", ()))
    for template in found:
        yield from (piece.name for piece in getattr(template, "pieces", ()) if not isinstance(piece, bytes))
