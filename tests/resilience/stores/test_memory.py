"""Limits in one process: all quotas or none, within bounds."""

import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from resilience.limiter import SECOND_US
from resilience.policies import QuotaPolicy
from resilience.stores.base import Charge
from resilience.stores.memory import MemoryStore, epoch_us
from tests.support.source import ROOT

WIDE = QuotaPolicy("wide", 5, 60.0)
NARROW = QuotaPolicy("narrow", 1, 60.0, algorithm="fixed_window")
LOGGED = QuotaPolicy("logged", 1, 60.0, is_enforced=False)


class Clock:
    def __init__(self) -> None:
        self.now = 1_700_000_000 * SECOND_US

    def __call__(self) -> int:
        return self.now


def remaining(store: MemoryStore, *charges: Charge) -> list[int]:
    return [decision.remaining for decision in store.look(charges)]


def test_nothing_is_consumed_when_one_quota_refuses() -> None:
    """And what remains is told as it is."""
    store = MemoryStore(now_us=Clock())
    charges = [Charge(WIDE, "a"), Charge(NARROW, "a"), Charge(LOGGED, "b")]
    first, second = store.take(charges), store.take(charges)

    assert (first.allowed, [each.remaining for each in first.decisions]) == (True, [4, 0, 0])
    assert (second.allowed, [each.allowed for each in second.decisions]) == (False, [True, False, False])
    assert remaining(store, *charges) == [4, 0, 0]
    assert not second.degraded


def test_logged_quota_never_blocks() -> None:
    """It says whom it would have refused; the others count on."""
    store = MemoryStore(now_us=Clock())
    for charges in ([Charge(LOGGED, "a")], [Charge(LOGGED, "a"), Charge(WIDE, "a")]):
        store.take(charges)
        verdict = store.take(charges)
        assert (verdict.allowed, verdict.decisions[0].allowed) == (True, False)
    assert remaining(store, Charge(WIDE, "a")) == [3]


def test_two_charges_of_one_bucket_count_once() -> None:
    """A route and its service may name the same quota."""
    store = MemoryStore(now_us=Clock())

    assert store.take([Charge(NARROW, "a"), Charge(NARROW, "a")]).allowed
    assert not store.take([Charge(NARROW, "a")]).allowed
    assert store.take([Charge(NARROW, "b")]).allowed


def test_no_charges_are_no_limit() -> None:
    """A request whose method no quota counts."""
    assert MemoryStore().take([]) == (True, (), False)


def test_moved_clock_is_noted_by_those_who_are_refused() -> None:
    """A clock that goes back a day locks nobody out for one, alone or among other quotas."""
    for charges in ([Charge(WIDE, "a")], [Charge(WIDE, "a"), Charge(NARROW, "a")]):
        clock = Clock()
        store = MemoryStore(now_us=clock)
        while store.take(charges).allowed:
            pass
        for _ in range(9):
            store.take([Charge(WIDE, "a")])
        clock.now -= 86_400 * SECOND_US
        refused = store.take(charges)
        clock.now += round(max(each.retry_after_s for each in refused.decisions) * SECOND_US)

        assert not refused.allowed
        assert store.take(charges).allowed


@given(
    st.lists(st.tuples(st.lists(st.sampled_from([WIDE, NARROW, LOGGED])), st.integers(0, 40)), max_size=40)
)
def test_store_admits_what_each_quota_alone_would(requests: list[tuple[list[QuotaPolicy], int]]) -> None:
    """A request passes exactly if every enforced quota has something left."""
    clock = Clock()
    store = MemoryStore(now_us=clock)
    for policies, passed_s in requests:
        clock.now += passed_s * SECOND_US
        charges = [Charge(policy, "a") for policy in policies]
        before = store.look(charges)
        verdict = store.take(charges)
        assert verdict.allowed == all(each.allowed for each in before if each.policy.is_enforced)
        assert [each.allowed for each in verdict.decisions] == [each.allowed for each in before]


def test_a_million_callers_leave_memory_flat() -> None:
    """Two thirds of them come when there is no room; one new key costs a look at a few."""
    program = """
from resilience.policies import QuotaPolicy
from resilience.stores.base import Charge
from resilience.stores.memory import MemoryStore
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
store, policy, empty = MemoryStore(), QuotaPolicy("default", 100, 3600.0), resident()
for number in range(1_000_000):
    store.take([Charge(policy, f"consumer:{number}")])
    if number == 400_000:
        early = resident()
print(len(store), store.dropped, resident() - empty, resident() - early)
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    kept, dropped, used, grown = map(int, done.stdout.split())

    assert (kept, dropped) == (131_072, 1_000_000 - 131_072)
    assert used < 56_000_000
    assert grown < 16_000_000  # the allocator holds on to tables that a dictionary outgrew


def test_clock_is_the_walls() -> None:
    """Windows of the calendar are."""
    assert 1_700_000_000 < epoch_us() / SECOND_US < 10_000_000_000
