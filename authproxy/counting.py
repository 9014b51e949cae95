"""P: Whose requests are counted together: the key of a quota's bucket, from the request and its caller."""

from collections.abc import Mapping
from hashlib import blake2b
from ipaddress import IPv6Address, IPv6Network
from typing import Any, Final, Protocol

from authproxy.headers import CREDENTIALS
from resilience.policies import QuotaPolicy

_MOST_CACHED: Final = 4096
_LONGEST_VALUE: Final = 200
_BETWEEN: Final = "|"
_network: dict[str, str] = {}


class Caller(Protocol):
    """What quotas look at of an Identity."""

    @property
    def consumer(self) -> str: ...
    @property
    def key_id(self) -> int: ...


class Named(Protocol):
    """A route."""

    @property
    def name(self) -> str: ...


class Placed(Protocol):
    """An origin."""

    @property
    def client_ip(self) -> str: ...


class Countable(Protocol):
    """What quotas look at of an Exchange."""

    @property
    def identity(self) -> Caller | None: ...
    @property
    def route(self) -> Named: ...
    @property
    def origin(self) -> Placed: ...
    @property
    def scope(self) -> Mapping[str, Any]: ...


def bucket_key(policy: QuotaPolicy, exchange: Countable, *, service: str) -> str:
    """Such as "consumer:ada"; the parts of a list are joined. What a request does not have, its address stands for."""
    keys = policy.keys
    if len(keys) == 1:
        return _part(keys[0], exchange, service)
    return _BETWEEN.join([_part(key, exchange, service) for key in keys])


def address_key(address: str) -> str:
    """The address; of IPv6 its /64, which is what one customer has (RFC 6177)."""
    if ":" not in address:
        return address
    found = _network.get(address)
    if found is None:
        if len(_network) >= _MOST_CACHED:
            _network.clear()
        found = _network[address] = _network_of(address)
    return found


def _network_of(address: str) -> str:
    try:
        parsed = IPv6Address(address.partition("%")[0])
    except ValueError:
        return address[:_LONGEST_VALUE]
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(IPv6Network((parsed, 64), strict=False))


def _part(key: str, exchange: Countable, service: str) -> str:
    caller = exchange.identity
    if key == "consumer":
        if caller is not None:
            return f"consumer:{_escaped(caller.consumer)}"
    elif key == "api_key":
        if caller is not None and caller.key_id:
            return f"api_key:{caller.key_id}"
    elif key == "route":
        return f"route:{exchange.route.name}"
    elif key == "service":
        return f"service:{service}"
    elif key == "global":
        return "global"
    elif key.startswith("header:"):
        value = _header(exchange, key.removeprefix("header:"))
        if value is not None:
            return f"{key}={value}"
    return f"ip:{address_key(exchange.origin.client_ip)}"


def _header(exchange: Countable, name: str) -> str | None:
    """The value of a header field; of one that holds credentials only a digest of it, since buckets are shown."""
    wanted = name.lower().encode("ascii")
    for field, value in exchange.scope["headers"]:
        if field == wanted:
            return _digest(value) if wanted in CREDENTIALS else _escaped(value.decode("latin-1"))
    return None


def _escaped(text: str) -> str:
    """Nobody can write a key that is somebody else's: parts are joined by a bar. Bounded: clients choose values."""
    if len(text) > _LONGEST_VALUE:
        return _digest(text.encode("utf-8", "surrogatepass"))
    if "%" in text or _BETWEEN in text:
        return text.replace("%", "%25").replace(_BETWEEN, "%7C")
    return text


def _digest(value: bytes) -> str:
    return "%" + blake2b(value, digest_size=16).hexdigest()
