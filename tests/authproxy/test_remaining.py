"""Whose buckets an explained request would count against, and what is in them."""

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from authproxy.counting import bucket_key
from authproxy.identity import Identity
from authproxy.remaining import NO_ADDRESS, NO_KEY, Peeked, left
from resilience.limiter import SECOND_US
from resilience.policies import QuotaPolicy
from resilience.stores.base import Charge
from resilience.stores.memory import MemoryStore
from routing.knowledge import Counted, Left, Remaining
from tests.support.documents import document
from tests.support.snapshots import snapshot_of

ROUTE = snapshot_of(document({})).routes["r0"]
ANNA = {"consumer": "anna|x", "method": "jwt"}
BOT = {"consumer": "bot", "method": "api_key"}
TENANT = ((b"x-tenant", b"acme"),)


def quota(*keys: str, name: str = "q") -> QuotaPolicy:
    return QuotaPolicy(name, 5, 60.0, keys=keys)


def asked(*quotas: QuotaPolicy, **request: Any) -> tuple[list[str], Sequence[Remaining]]:
    """The keys of the buckets that were asked for, and the answers."""
    keys: list[str] = []

    def peek(charges: Sequence[Charge]) -> Peeked:
        keys.extend(key for _, key in charges)
        return Peeked(MemoryStore(now_us=lambda: SECOND_US).peek(charges))

    return keys, left(quotas, Counted(ROUTE, **request), peek=peek)


@pytest.mark.parametrize(
    ("keys", "request_"),
    [
        (("consumer",), {"caller": ANNA}),
        (("consumer",), {"caller": None, "address": "192.0.2.7"}),
        (("consumer",), {"caller": None, "address": "2001:db8::1"}),
        (("ip", "route"), {"caller": ANNA, "address": "10.0.0.1"}),
        (("service", "global"), {"caller": None}),
        (("header:X-Tenant",), {"caller": None, "headers": TENANT}),
        (("header:X-Tenant", "consumer"), {"caller": ANNA, "headers": TENANT}),
        (("api_key",), {"caller": ANNA, "address": "10.0.0.1"}),
    ],
)
def test_the_bucket_is_that_of_the_data_path(keys: tuple[str, ...], request_: dict[str, Any]) -> None:
    """Whatever the key is made of."""
    found, _ = asked(quota(*keys), **request_)
    caller = request_["caller"]
    exchange: Any = SimpleNamespace(
        identity=Identity(method="jwt", consumer=caller["consumer"]) if caller else None,
        route=ROUTE,
        scope={"headers": request_.get("headers", ())},
        origin=SimpleNamespace(client_ip=request_.get("address", "")),
    )
    service = ROUTE.destination.service if hasattr(ROUTE.destination, "service") else ""
    assert found == [bucket_key(quota(*keys), exchange, service=service)]


@pytest.mark.parametrize(
    ("keys", "request_", "why"),
    [
        (("consumer",), {"caller": None}, NO_ADDRESS),
        (("ip",), {"caller": ANNA}, NO_ADDRESS),
        (("route", "ip"), {"caller": ANNA}, NO_ADDRESS),
        (("header:x-tenant",), {"caller": ANNA}, NO_ADDRESS),
        (("api_key",), {"caller": BOT, "address": "10.0.0.1"}, NO_KEY),
    ],
)
def test_what_rests_on_something_unknown_is_unknown(
    keys: tuple[str, ...], request_: dict[str, Any], why: str
) -> None:
    """Nobody is asked, and it is said why."""
    assert asked(quota(*keys), **request_) == ([], [why])


def test_each_quota_gets_its_own_answer() -> None:
    """In their order, with one question to the store; where it cannot be asked, its reason."""
    quotas = [quota("ip"), quota("consumer", name="a"), quota("global", name="b")]
    keys, answers = asked(*quotas, caller=ANNA)
    assert (keys, answers) == (
        ["consumer:anna%7Cx", "global"],
        [NO_ADDRESS, Left(True, 5, 0.0, 0.0), Left(True, 5, 0.0, 0.0)],
    )
    assert left(quotas, Counted(ROUTE, ANNA), peek=lambda _: "away") == [NO_ADDRESS, "away", "away"]
    assert left([], Counted(ROUTE), peek=lambda _: "away") == []


def test_who_counts_is_said_where_it_is_not_everybody() -> None:
    """And what is used up is told."""
    store = MemoryStore(now_us=lambda: SECOND_US)
    policy = QuotaPolicy("q", 1, 60.0, keys=("global",))
    store.take([Charge(policy, "global")])
    [found] = left([policy], Counted(ROUTE), peek=lambda charges: Peeked(store.peek(charges), "this worker"))
    assert found == Left(False, 0, 60.0, 60.0, "this worker")
