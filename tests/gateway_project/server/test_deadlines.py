"""The sweep, and what it measures with."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_project.server.deadlines import Sweeper, UploadMeter, WriteMeter


class Member:
    """Counts its sweeps; may fail."""

    def __init__(self, *, fails: bool = False) -> None:
        self.swept: list[float] = []
        self.twice = asyncio.Event()
        self._fails = fails

    def on_sweep(self, now_s: float, elapsed_s: float) -> None:
        self.swept.append(elapsed_s)
        if len(self.swept) == 2:
            self.twice.set()
        if self._fails:
            raise ValueError("sweep")


async def test_members_are_swept() -> None:
    """Once per period, each told how long it was."""
    sweeper = Sweeper(asyncio.get_running_loop(), 0.02)
    member, left = Member(), Member()
    sweeper.add(member)
    sweeper.add(left)
    sweeper.discard(left)
    await asyncio.wait_for(member.twice.wait(), 5)
    sweeper.discard(member)

    assert member.swept[1] >= 0.015
    assert left.swept == []


async def test_failing_member_does_not_end_the_sweeping() -> None:
    """The next sweep comes all the same."""
    loop = asyncio.get_running_loop()
    failures: list[object] = []
    loop.set_exception_handler(lambda _loop, context: failures.append(context["exception"]))
    sweeper = Sweeper(loop, 0.01)
    member = Member(fails=True)
    sweeper.add(member)
    await asyncio.wait_for(member.twice.wait(), 5)
    sweeper.discard(member)

    assert len(failures) >= 1


async def test_others_get_their_turn_within_a_sweep() -> None:
    """However many members there are, the loop is not held up by all of them in a row; none is left out."""
    loop = asyncio.get_running_loop()
    sweeper = Sweeper(loop, 0.02)
    members = [Member() for _ in range(2000)]
    for member in members:
        sweeper.add(member)
    await members[0].twice.wait()
    seen: set[int] = set()
    while not all(len(member.swept) >= 3 for member in members):
        seen.add(sum(len(member.swept) for member in members) % len(members))
        await asyncio.sleep(0)

    assert len(seen) > 4
    assert max(len(member.swept) for member in members) <= 4


async def test_who_leaves_within_a_sweep_is_swept_no_more() -> None:
    """A connection that was lost meanwhile has no deadlines."""
    loop = asyncio.get_running_loop()
    sweeper = Sweeper(loop, 0.02)
    members = [Member() for _ in range(1000)]
    for member in members:
        sweeper.add(member)
    while not any(member.swept for member in members):  # noqa: ASYNC110 - each single turn counts
        await asyncio.sleep(0)
    left = [member for member in members if not member.swept]
    for member in members:
        sweeper.discard(member)
    await asyncio.sleep(0.1)

    assert left
    assert not any(member.swept for member in left)


async def test_no_members_no_timer() -> None:
    """An idle server sleeps, and the clock is right again when somebody comes."""
    loop = asyncio.get_running_loop()
    sweeper = Sweeper(loop, 0.01)
    member = Member()
    sweeper.add(member)
    sweeper.discard(member)
    await asyncio.sleep(0.05)
    before_s = sweeper.now_s
    sweeper.add(member)

    assert sweeper.now_s > before_s
    sweeper.discard(member)


def meter(rate: float = 500) -> UploadMeter:
    return UploadMeter(rate, grace_s=5, patience_s=30)


def seconds_until_too_slow(meter: UploadMeter, arriving: list[int]) -> int | None:
    for second, count in enumerate(arriving, start=1):
        meter.arrived = count
        if meter.too_slow(1.0):
            return second
    return None


def test_drip_ends_after_grace() -> None:
    """One byte per second has the grace period and no more."""
    assert seconds_until_too_slow(meter(), [1] * 60) == 6


def test_burst_buys_patience_only() -> None:
    """Ten megabytes at once do not pay for a drip of hours."""
    assert seconds_until_too_slow(meter(), [10_000_000] + [1] * 100) == 31


def test_pause_is_forgiven() -> None:
    """A good upload may stop for a while."""
    assert seconds_until_too_slow(meter(), ([100_000] * 5 + [0] * 25) * 5) is None


def test_without_a_rate_some_progress_is_asked() -> None:
    """A byte now and then is enough; silence is not."""
    assert seconds_until_too_slow(meter(0), [1, *[0] * 29] * 10) is None
    assert seconds_until_too_slow(meter(0), [1, *[0] * 40]) == 32


@given(st.lists(st.integers(min_value=500, max_value=10_000), max_size=200))
def test_fast_enough_is_never_too_slow(arriving: list[int]) -> None:
    """At the minimum rate or above, second by second."""
    assert seconds_until_too_slow(meter(), arriving) is None


@pytest.mark.parametrize(
    ("buffered", "stalled"),
    [
        ([100_000] * 40, True),
        ([100_000 - 100 * second for second in range(40)], True),
        ([100_000 - 600 * second for second in range(100)], False),
        ([100, *[50] * 40], True),
    ],
    ids=["nothing is taken", "too little", "enough", "little is left, and stays"],
)
def test_readers(buffered: list[int], stalled: bool) -> None:
    """Over each half minute the client must take its share, or all that there is."""
    meter = WriteMeter(500, patience_s=30, buffered=buffered[0])

    assert any(meter.stalled(1.0, left) for left in buffered) is stalled
