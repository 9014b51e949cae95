"""P: Which target of a service a request would get, by the balancer itself, given how the targets are.

Where round robin stands and what chance would say nobody knows beforehand: it is the first of those whose turn it can
be.
"""

from collections.abc import Mapping, Sequence
from math import inf
from typing import Any

from resilience.balancer import Member, Pool
from resilience.policies import BalancingPolicy
from resilience.state import ServiceState
from routing.knowledge import Standings
from routing.snapshot import CompiledService

_NOW = 0.0
_WHILE = 1.0


class _First:
    """No chance: always the first."""

    def random(self) -> float:
        return 0.0


def choose(
    service: CompiledService,
    standings: Standings,
    headers: Sequence[tuple[bytes, bytes]],
    caller: Mapping[str, Any] | None,
    address: str = "",
) -> int:
    """An index into the service's targets; -1 when no target would be tried. `address`: of the client, if known."""
    state = ServiceState(service.name, cursor=-1)
    for target in service.targets:
        known = state.target(target.url)
        known.available_since = -inf
        standing = standings.get(target.url)
        known.healthy = False if standing == "unhealthy" else None
        known.ejected_until = _WHILE if standing == "ejected" else -inf
    members = [Member(each.url, each.weight, each.zone, each.backup, each.drain) for each in service.targets]
    pool = Pool(service.balancing, members, state, rng=_First())
    index = pool.pick(_NOW, (), _key(service.balancing, headers, caller) or _address(address))
    return -1 if index is None else index


def _key(
    policy: BalancingPolicy, headers: Sequence[tuple[bytes, bytes]], caller: Mapping[str, Any] | None
) -> bytes | None:
    """What consistent hashing goes by, as far as the request itself says it."""
    kind, _, name = policy.hash_on.partition(":")
    if kind == "consumer" and caller is not None:
        return str(caller["consumer"]).encode("utf-8", "surrogatepass")
    if kind == "header":
        return next((value for field, value in headers if field == name.lower().encode() and value), None)
    return _cookie(headers, name.encode("latin-1", "replace")) if kind == "cookie" else None


def _address(address: str) -> bytes | None:
    """It stands for what a request does not have."""
    return address.encode("latin-1", "replace") or None


def _cookie(headers: Sequence[tuple[bytes, bytes]], name: bytes) -> bytes | None:
    for field, text in headers:
        for part in text.split(b";") if field == b"cookie" else ():
            key, _, value = part.partition(b"=")
            if key.strip() == name and value.strip():
                return value.strip()
    return None
