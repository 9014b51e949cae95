"""P: For whom a CORS preflight asks: the route that would take the request to come (Fetch standard section 4.8).

A preflight is an OPTIONS request, but a route that lists GET and PUT has to hear of it all the same; and it is that
route's policy that counts, not that of another which takes any OPTIONS.
"""

from __future__ import annotations

from typing import NamedTuple

from routing.conditions import Headers
from routing.document.wire import is_token
from routing.matching import RouteIndex
from routing.shapes.cors import CorsPolicy
from routing.snapshot import BuiltinRoute, CompiledRoute

CROSS_ORIGIN = frozenset({"auth", "token", "account", "health", "status"})
"""The gateway's own endpoints that pages of other origins may use, if CORS_ALLOWED_ORIGINS names them. Staff's pages,
and what operates the gateway, are not among them; the keys that verify tokens are for everybody anyway."""


class Preflight(NamedTuple):
    """Asks whether `method` may come to what was found."""

    found: CompiledRoute | BuiltinRoute
    method: str


def asked_method(headers: Headers) -> str:
    """The method to come, of an OPTIONS request that is a preflight; else ""."""
    method = ""
    has_origin = False
    for name, value in headers:
        if name == b"access-control-request-method":
            method = value.decode("latin-1")
        elif name == b"origin":
            has_origin = True
    return method if has_origin and is_token(method) else ""


def preflight_for(
    index: RouteIndex, host: bytes, path: str, headers: Headers, query: bytes, *, default: CorsPolicy | None
) -> Preflight | None:
    """What an OPTIONS request asks for; None: it is a plain one, or nobody here answers for that route.

    Conditions on header fields are not met by a preflight, which has none of the request to come.
    """
    method = asked_method(headers)
    if not method:
        return None
    found = index.match(method, host, path, headers, query)
    if isinstance(found, CompiledRoute):
        return Preflight(found, method) if found.shapes.cors is not None else None
    if isinstance(found, BuiltinRoute) and default is not None and found.name in CROSS_ORIGIN:
        return Preflight(found, method)
    return None
