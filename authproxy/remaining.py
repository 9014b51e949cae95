"""P: What is left of quotas for a request that is explained: whose buckets it would count against, and what is in them.

The keys are those of the data path (`authproxy.counting`). Where one rests on what nobody knows here, nobody knows what
is left.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from authproxy.counting import bucket_key
from resilience.policies import QuotaPolicy
from resilience.stores.base import Charge, Decision
from routing.knowledge import Counted, Left, Remaining
from routing.snapshot import CompiledRoute, Forward

NO_ADDRESS: Final = "it is counted by the client's address, which is not known here"
NO_KEY: Final = "it is counted by the API key, and which one that is, is not known here"
_SOME_ADDRESSES: Final = ("192.0.2.1", "198.51.100.1")


@dataclass(frozen=True, slots=True)
class Peeked:
    """What a store says, for each charge; `counted_by` is empty where all workers count together."""

    decisions: Sequence[Decision]
    counted_by: str = ""


Peek = Callable[[Sequence[Charge]], Peeked | str]
"""Asks a store, consuming nothing; a text says why it cannot be asked."""


def left(quotas: Sequence[QuotaPolicy], request: Counted, *, peek: Peek) -> Sequence[Remaining]:
    """For each quota, in their order. The store is asked once, if at all."""
    keys = [_key(quota, request) for quota in quotas]
    charges = [Charge(quota, key.text) for quota, key in zip(quotas, keys, strict=True) if not key.unknown]
    found = peek(charges) if charges else Peeked(())
    if isinstance(found, str):
        return [key.unknown or found for key in keys]
    decisions = iter(found.decisions)
    return [key.unknown or _left(next(decisions), found.counted_by) for key in keys]


def _left(decision: Decision, counted_by: str) -> Left:
    return Left(
        decision.allowed, decision.remaining, decision.reset_s, decision.retry_after_s, counted_by=counted_by
    )


@dataclass(frozen=True, slots=True)
class _Key:
    text: str
    unknown: str = ""
    """Why nobody knows it."""


def _key(quota: QuotaPolicy, request: Counted) -> _Key:
    if "api_key" in quota.keys and (request.caller or {}).get("method") == "api_key":
        return _Key("", NO_KEY)
    if request.address:
        return _Key(_of(quota, request, request.address))
    text, other = (_of(quota, request, address) for address in _SOME_ADDRESSES)
    return _Key(text, "" if text == other else NO_ADDRESS)


def _of(quota: QuotaPolicy, request: Counted, address: str) -> str:
    destination = request.route.destination
    service = destination.service if isinstance(destination, Forward) else ""
    caller = None if request.caller is None else _Caller(str(request.caller["consumer"]))
    asked = _Request(caller, request.route, _Origin(address), {"headers": request.headers})
    return bucket_key(quota, asked, service=service)


@dataclass(frozen=True, slots=True)
class _Caller:
    consumer: str
    key_id: int = 0


@dataclass(frozen=True, slots=True)
class _Origin:
    client_ip: str


@dataclass(frozen=True, slots=True)
class _Request:
    """As much of an Exchange as its quotas look at."""

    identity: _Caller | None
    route: CompiledRoute
    origin: _Origin
    scope: Mapping[str, Any]
