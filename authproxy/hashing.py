"""P: What consistent hashing goes by: a header field, a cookie, the address or the caller of a request."""

from collections.abc import Callable

from authproxy.exchange import Exchange
from resilience.policies import BalancingPolicy
from routing.splitting import cookies

HashKey = Callable[[Exchange], bytes]


def hash_key_of(policy: BalancingPolicy) -> HashKey | None:
    """None where nothing is hashed. What a request does not have, its address stands for."""
    kind, _, name = policy.hash_on.partition(":")
    if policy.algorithm != "consistent_hash":
        return None
    if kind == "header":
        wanted = name.lower().encode("ascii")
        return lambda exchange: _header(exchange, wanted) or _address(exchange)
    if kind == "cookie":
        cookie = name.encode("latin-1", "replace")
        return lambda exchange: _cookie(exchange, cookie) or _address(exchange)
    return caller_key if kind == "consumer" else _address


def _address(exchange: Exchange) -> bytes:
    return exchange.origin.client_ip.encode("latin-1", "replace")


def caller_key(exchange: Exchange) -> bytes:
    """Who calls; the address of somebody who is not known."""
    caller = exchange.identity
    return _address(exchange) if caller is None else caller.consumer.encode("utf-8", "surrogatepass")


def _header(exchange: Exchange, name: bytes) -> bytes:
    for field, value in exchange.scope["headers"]:
        if field == name:
            found: bytes = value
            return found
    return b""


def _cookie(exchange: Exchange, name: bytes) -> bytes:
    return next(filter(None, cookies(exchange.scope["headers"], name)), b"")
