"""What figures of small fleets make of a large one, and what is said of it."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import fleetfigures, fleettables
from benchmarks.admission import Admission
from benchmarks.fleetfigures import Bearing, DataNode, Large, Measured, NodeFigures, RedisMaximum, Size

FLEET = NodeFigures(
    nodes=4,
    bare_us=40.0,
    quota_us=50.0,
    admission=Admission(limit=100, keys=4, lasted_s=10.0, asked=20_000, admitted=4_400),
    alone=0,
    live_s=(0.1, 0.3, 0.2),
    redis_calls=0.5,
    redis_commands=1.5,
    redis_bytes=125.0,
    idle_statements_s=20.0,
    loaded_statements_s=25.0,
    connections=6.0,
    memory_mb=200.0,
    errors=0,
)
REDIS = RedisMaximum(
    call_us=8.0, decision_us=1.0, calls_s=100_000.0, decisions_s=600_000.0, busy=0.9, bucket_bytes=150.0
)
LARGE = Large(
    routes=10_000,
    apply_s=5.0,
    all_live_s=1.5,
    change_live_s=0.5,
    node_bytes=2_000_000,
    memory_mb=260.0,
    added_mb=60.0,
)
DATA = DataNode(connections=11.0, statements_s=40.0)
MEASURED = Measured(
    (replace(FLEET, nodes=1, quota_us=999.0), FLEET),
    REDIS,
    LARGE,
    DataNode(11.0, 40.0),
    5000.0,
    100,
    16_000.0,
    2,
)
SIZE = Size(nodes=100, routes=100_000, consumers=1_000_000)


def named(name: str, measured: Measured = MEASURED, size: Size = SIZE) -> Bearing:
    return next(each for each in fleetfigures.project(measured, size) if each.name == name)


@pytest.mark.parametrize(
    ("name", "needed", "bears"),
    [
        # Half a core of 100 nodes at 50 µs is a million requests; Redis has 8 × 0.5 + 1 µs for each.
        ("Redis, requests with a quota", 1_000_000, 200_000),
        ("Redis, its network", 1.0, math.nan),
        ("Redis, buckets of consumers", 150, 16_000),
        ("PostgreSQL, connections", 600, 100),
        ("PostgreSQL, statements of busy nodes", 2500, 5000),
        # 0.2 s with few routes, 0.3 s more with 10,000.
        ("one route changed, to live", 3.2, 1.0),
        ("all routes new, to live", 13.2, math.nan),
        ("all routes new, the command", 50.0, math.nan),
        ("one revision, to all nodes", 2.0, math.nan),
        ("memory of a node", 800, 8000),
    ],
)
def test_each_is_a_straight_line_through_what_was_measured(name: str, needed: float, bears: float) -> None:
    """The largest fleet's figures are used."""
    found = named(name)
    assert (found.needed, found.bears) == pytest.approx((needed, bears), nan_ok=True)


def test_what_breaks_first_is_what_is_asked_for_the_most_of_what_it_bears() -> None:
    """Nothing is judged that has no limit."""
    order = fleetfigures.in_order(fleetfigures.project(MEASURED, SIZE))
    assert [each.name for each in order[:3]] == [
        "PostgreSQL, connections",
        "Redis, requests with a quota",
        "one route changed, to live",
    ]
    assert not any(math.isnan(each.share) for each in order)


@given(st.integers(1, 1000), st.integers(1, 10**6), st.integers(1, 10**8))
def test_a_fleet_of_the_size_that_fills_it_fills_it(nodes: int, routes: int, consumers: int) -> None:
    """`full_at` is the size at which the share is one."""
    size = Size(nodes, routes, consumers)
    for before in fleetfigures.project(MEASURED, size):
        if math.isnan(before.share):
            continue
        times = before.full_at(size) / getattr(size, before.grows)
        scaled = replace(before, needed=before.fixed + (before.needed - before.fixed) * times)
        assert scaled.share == pytest.approx(1.0)


def test_more_requests_in_a_call_let_one_redis_bear_more() -> None:
    """A call of its own for each request costs the most."""
    assert REDIS.requests_s(1.0) == pytest.approx(1e6 / 9)
    assert REDIS.requests_s(0.1) > REDIS.requests_s(0.2) > REDIS.requests_s(1.0)


def test_text_names_the_network_the_figures_and_what_breaks_first() -> None:
    """The parts of a section of the results."""
    text = fleettables.rendered(MEASURED, network="loopback (not root)", load=5.0)
    assert "worker each, over loopback (not root);" in text
    assert "- ok: live on 4 nodes at most 0.300 s after the revision (goal: 1 s)" in text
    assert "- ok: 4,400 of 20,000 requests admitted in 10.0 s" in text
    assert "- one idle node with `--role data`: 11 connections, 40.0 statements/s" in text
    assert "- PostgreSQL, connections breaks first: 600 of 100, full at 16 nodes" in text


def test_nothing_breaks_while_all_shares_are_under_one() -> None:
    """Then it is said what is nearest."""
    text = fleettables.projection([Bearing("this", 50.0, 100.0, "MB", "nodes")], SIZE)
    assert text.endswith("- this comes nearest to its end: 50.0 MB of 100 MB, full at 200 nodes")


def test_what_does_not_grow_is_never_full() -> None:
    """Measured no slower with many routes than with few."""
    still = replace(MEASURED, large=replace(LARGE, change_live_s=0.2))
    text = fleettables.projection([named("one route changed, to live", still)], SIZE)
    assert text.endswith("comes nearest to its end: 0.2 s of 1.0 s, full at never")


@pytest.mark.parametrize(("slowest", "word"), [(1.0, "ok"), (1.001, "MISSED")])
def test_change_is_live_within_a_second_or_it_is_said(slowest: float, word: str) -> None:
    """The slowest of all counts."""
    fleet = replace(FLEET, live_s=(0.1, slowest))
    assert f"- {word}: live on 4 nodes" in fleettables.fleet_verdict(fleet, load=5.0)


def test_decisions_without_redis_are_told() -> None:
    """A limit that nodes counted alone is not a shared one."""
    verdict = fleettables.fleet_verdict(replace(FLEET, alone=12), load=5.0)
    assert "12 were decided without Redis, which answered too late" in verdict
