"""Which target a request would get, as the balancer decides it."""

from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilience.balancer import Member, Pool
from resilience.state import ServiceState
from routing.choosing import choose
from routing.knowledge import Standing
from routing.snapshot import CompiledService
from tests.support.snapshots import snapshot_of

URLS = [f"http://t{number}" for number in range(5)]
ANNA = {"consumer": "anna"}


def service(*targets: dict[str, Any], **more: Any) -> CompiledService:
    given = targets or tuple({"url": url} for url in URLS)
    raw = {"version": 1, "services": [{"name": "s", "targets": list(given), **more}]}
    return snapshot_of(raw).services["s"]


def test_backups_and_draining_targets_come_last_or_never() -> None:
    """An unchecked target is as good as a healthy one."""
    found = service({"url": URLS[0], "backup": True}, {"url": URLS[1], "drain": True}, {"url": URLS[2]})
    standings: dict[str, Standing] = {}
    assert choose(found, standings, (), None) == 2
    standings[URLS[2]] = "unhealthy"
    assert choose(found, standings, (), None) == 0
    standings[URLS[0]] = "unhealthy"
    assert choose(found, standings, (), None) == -1
    panicking = service({"url": URLS[0]}, panic=True)
    assert choose(panicking, {URLS[0]: "unhealthy"}, (), None) == 0


@pytest.mark.parametrize("algorithm", ["round_robin", "weighted_round_robin", "least_connections", "random"])
def test_the_first_of_equals(algorithm: str) -> None:
    """Nobody knows whose turn it is; in slow start as well."""
    found = service(load_balancing=algorithm, slow_start="10s")
    assert choose(found, {URLS[0]: "ejected"}, (), None) == 1


@pytest.mark.parametrize(
    ("hash_on", "headers", "caller", "key"),
    [
        ({"header": "X-Tenant"}, [(b"x-tenant", b"acme")], None, b"acme"),
        ({"cookie": "sid"}, [(b"x", b"y"), (b"cookie", b"a=1; sid= 7 ")], None, b"7"),
        ("consumer", [], ANNA, b"anna"),
        ({"header": "x-tenant"}, [(b"x-tenant", b"")], None, None),
        ({"cookie": "sid"}, [(b"cookie", b"sid=; a=1")], None, None),
        ("consumer", [], None, None),
        ("ip", [], ANNA, None),
    ],
)
def test_hashing_goes_by_what_the_request_says(
    hash_on: Any, headers: list[tuple[bytes, bytes]], caller: Any, key: bytes | None
) -> None:
    """As the data plane's own pool does it; whose address is not known gets any target."""
    found = service(load_balancing="consistent_hash", hash_on=hash_on)
    pool = Pool(found.balancing, [Member(url) for url in URLS], ServiceState("s", cursor=-1), rng=Random(1))
    chosen = choose(found, {}, headers, caller)
    assert chosen in range(len(URLS))
    if key is not None:
        assert chosen == pool.pick(0.0, (), key)


@given(st.lists(st.sampled_from(["healthy", "unhealthy", "ejected", "unchecked"]), min_size=5, max_size=5))
def test_never_one_that_is_unhealthy(standings: list[Standing]) -> None:
    """And an ejected one only if there is no other."""
    chosen = choose(service(), dict(zip(URLS, standings, strict=True)), (), None)
    if chosen < 0:
        assert set(standings) == {"unhealthy"}
    else:
        assert standings[chosen] != "unhealthy"
        assert standings[chosen] != "ejected" or not {"healthy", "unchecked"} & set(standings)
