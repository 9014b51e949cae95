"""Checks go on for ever, within bounds, and what they say reaches pools of every worker."""

import asyncio
import time
from pathlib import Path
from random import Random
from typing import Any

import pytest

from resilience import prober as module
from resilience.health import UNKNOWN, Answer, Failure
from resilience.leader import Alone, Leader
from resilience.policies import HealthPolicy
from resilience.prober import MOST_AT_ONCE, Probe, Prober, Watched
from resilience.verdicts import Verdict
from tests.support.breakers import unique_prefix, until
from tests.support.probing import URL, Targets, service, workers
from tests.support.redisserver import RedisServer
from tests.support.virtualtime import clock, in_virtual_time

A, B, C = (URL.format(number) for number in range(3))
OTHER = URL.format(9)


async def alone(probe: Probe, *, leads: bool = True) -> Prober:
    """A prober without a store."""
    leader = Leader(Alone(), holder="me", rng=Random(1), clock=clock)
    if leads:
        leader._until = float("inf")
    made = Prober(probe, node="me", leader=leader, rng=Random(2), clock=clock, wall_clock=clock)
    made.start()
    return made


def healths(watched: dict[str, Watched]) -> dict[str, bool | None]:
    return {url: state.healthy for url, state in watched["shop"].state.targets.items()}


@in_virtual_time
async def test_targets_are_asked_at_intervals() -> None:
    """All of them, jittered, as long as the prober runs."""
    targets, watched = Targets(), service()
    prober = await alone(targets.probe)
    prober.watch(watched)
    assert healths(watched) == {A: None, B: None, C: None}
    await asyncio.sleep(100)
    await prober.stop()
    asked = dict(targets.asked)
    await asyncio.sleep(10)

    assert healths(watched) == {A: True, B: True, C: True}
    assert asked == targets.asked
    assert all(90 <= number <= 112 for number in asked.values())


@in_virtual_time
async def test_sick_targets_are_found_and_well_ones_again() -> None:
    """Pools are told at the change, and not otherwise."""
    targets, watched = Targets(), service(unhealthy_after=3)
    state = watched["shop"].state
    prober = await alone(targets.probe)
    told: list[tuple[str, bool]] = []
    prober.on_verdict(lambda verdict, changed: told.append((verdict.target, changed)))
    prober.watch(watched)
    await asyncio.sleep(5)
    targets.sick.add(B)
    version = state.version
    await asyncio.sleep(5)
    assert healths(watched) == {A: True, B: False, C: True}
    assert state.version == version + 1
    targets.sick.clear()
    before = clock()
    await asyncio.sleep(5)
    assert healths(watched) == {A: True, B: True, C: True}
    since = state.target(B).available_since
    assert since is not None
    assert before <= since <= before + 1.2
    assert told.count((B, True)) == 3
    assert told.count((A, True)) == 1
    await prober.stop()


@in_virtual_time
async def test_whatever_a_check_ends_in_it_ends() -> None:
    """A target that hangs, or makes the probe raise, is unhealthy; it is asked again and again."""
    targets, watched = Targets(), service(timeout_s=0.3)
    targets.hanging, targets.raising = {A}, {B}
    prober = await alone(targets.probe)
    prober.watch(watched)
    await asyncio.sleep(10)

    assert healths(watched) == {A: False, B: False, C: True}
    why = {verdict.target: verdict.standing.why for verdict in prober.verdicts()}
    assert why == {A: "no answer within 0.3 s", B: "ValueError: not ? text", C: ""}
    targets.hanging, targets.raising = set(), set()
    await asyncio.sleep(3)
    assert healths(watched) == {A: True, B: True, C: True}
    await prober.stop()


@in_virtual_time
async def test_a_listener_that_fails_ends_nothing() -> None:
    """The next check comes all the same."""
    targets, watched = Targets(), service(1)
    failures: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: failures.append(context))
    prober = await alone(targets.probe)
    prober.on_verdict(lambda *_: 1 / 0)
    prober.watch(watched)
    await asyncio.sleep(10)
    await prober.stop()

    assert targets.asked[A] >= 8


@in_virtual_time
async def test_other_targets_keep_what_is_known() -> None:
    """One goes and one comes: the others are asked when they would have been, and stay as they are."""
    targets, watched = Targets(), service(interval_s=10.0)
    targets.sick = {A}
    prober = await alone(targets.probe)
    prober.watch(watched)
    await asyncio.sleep(35)
    standings = {verdict.target: verdict.standing for verdict in prober.verdicts()}
    due = {check.target: check.due for check in prober._checks.values()}
    policy, _, state = watched["shop"]
    state.settle([A, B, OTHER])
    prober.watch({"shop": Watched(policy, (A, B, OTHER), state)})

    assert {check.target: check.due for check in prober._checks.values() if check.target != OTHER} == {
        A: due[A],
        B: due[B],
    }
    found = {verdict.target: verdict.standing for verdict in prober.verdicts()}
    assert found == {A: standings[A], B: standings[B], OTHER: UNKNOWN}
    assert healths(watched) == {A: False, B: True, OTHER: None}
    asked = targets.asked[C]
    await asyncio.sleep(30)
    assert targets.asked[C] == asked
    assert targets.asked[OTHER] > 1
    await prober.stop()


@in_virtual_time
async def test_a_check_of_a_target_that_goes_is_cut_short() -> None:
    """And says nothing any more."""
    targets, watched = Targets(), service(1, timeout_s=100.0)
    targets.hanging = {A}
    prober = await alone(targets.probe)
    told: list[Verdict] = []
    prober.on_verdict(lambda verdict, _: told.append(verdict))
    prober.watch(watched)
    await asyncio.sleep(7)
    assert targets.under_way == 1
    prober.watch({})
    await asyncio.sleep(1)
    assert (targets.under_way, told) == (0, [])
    await prober.stop()


@in_virtual_time
async def test_without_checks_nothing_is_known() -> None:
    """Taking the checks away brings an unhealthy target back: nobody checks it, which is a state of its own."""
    targets, watched = Targets(), service(1)
    targets.sick = {A}
    prober = await alone(targets.probe)
    prober.watch(watched)
    await asyncio.sleep(5)
    assert healths(watched) == {A: False}
    prober.watch({})
    assert healths(watched) == {A: None}
    assert prober.verdicts() == []
    await prober.stop()


@in_virtual_time
async def test_a_new_policy_counts_at_once() -> None:
    """What is known stays; a shorter interval does not wait for the end of the longer one."""
    targets, watched = Targets(), service(1, interval_s=3600.0)
    prober = await alone(targets.probe)
    prober.watch(watched)
    await asyncio.sleep(10)
    _, urls, state = watched["shop"]
    prober.watch({"shop": Watched(HealthPolicy(interval_s=1.0, unhealthy_after=1), urls, state)})
    targets.sick = {A}
    assert healths(watched) == {A: True}
    await asyncio.sleep(3)
    assert healths(watched) == {A: False}
    prober.watch({"shop": Watched(HealthPolicy(interval_s=50.0), urls, state)})
    await asyncio.sleep(3)
    asked = targets.asked[A]
    await asyncio.sleep(40)
    assert targets.asked[A] == asked
    await prober.stop()


@in_virtual_time
async def test_only_so_many_are_asked_at_a_time() -> None:
    """Targets that hang make others wait, and none is left out."""
    targets, watched = Targets(), service(4 * MOST_AT_ONCE, interval_s=3.0, timeout_s=2.0)
    targets.hanging = set(watched["shop"].targets[::2])
    prober = await alone(targets.probe)
    prober.watch(watched)
    await asyncio.sleep(60)
    await prober.stop()

    assert targets.peak == MOST_AT_ONCE
    assert set(healths(watched).values()) == {True, False}
    assert min(targets.asked.values()) >= 4


@in_virtual_time
async def test_an_operator_resets_a_target() -> None:
    """What is known is forgotten, and it is asked now."""
    targets, watched = Targets(), service(1, interval_s=3600.0, unhealthy_after=1)
    targets.sick = {A}
    prober = await alone(targets.probe)
    prober.watch(watched)
    await asyncio.sleep(10)
    assert healths(watched) == {A: False}
    targets.sick.clear()
    assert prober.reset("shop", A)
    assert healths(watched) == {A: None}
    assert prober.reset("shop", A)
    await asyncio.sleep(0.1)
    assert (healths(watched), targets.asked[A]) == ({A: True}, 2)
    assert not prober.reset("shop", "http://unknown")
    await asyncio.sleep(4000)
    assert targets.asked[A] in (3, 4)
    await prober.stop()
    assert prober.reset("shop", A)
    assert targets.under_way == 0


@in_virtual_time
async def test_what_others_found_before_a_reset_counts_no_more() -> None:
    """It may be on its way when the operator says otherwise."""
    targets, watched = Targets(), service(1, interval_s=3600.0)
    prober = await alone(targets.probe, leads=False)
    prober.watch(watched)

    def says(at: float) -> Verdict:
        return Verdict("shop", A, "other", UNKNOWN._replace(healthy=False, at=at))

    prober._adopt([says(clock())], True)
    assert healths(watched) == {A: False}
    await asyncio.sleep(100)
    early = clock()
    await asyncio.sleep(1)
    assert prober.reset("shop", A)
    for is_news in (True, False):
        prober._adopt([says(early)], is_news)
        assert healths(watched) == {A: None}
    await asyncio.sleep(1)
    prober._adopt([says(clock())], True)
    assert healths(watched) == {A: False}
    await prober.stop()


@in_virtual_time
async def test_a_check_without_its_target_does_no_harm() -> None:
    """The state may have been settled without it."""
    targets, watched = Targets(), service(1)
    prober = await alone(targets.probe)
    prober.watch(watched)
    watched["shop"].state.settle([])
    await asyncio.sleep(5)
    assert targets.asked[A] > 2
    await prober.stop()


async def test_one_worker_asks_and_all_know(redis_url: str) -> None:
    """Changes are there at once; who says so, and why, as well."""
    targets = Targets()
    async with workers(redis_url, 3, targets) as found:
        await until(lambda: all(each.health(n) is True for each in found for n in range(3)))
        targets.sick.add(A)
        await until(lambda: all(each.health() is False for each in found))
        targets.sick.clear()
        await until(lambda: all(each.health() is True for each in found))

        assert set(targets.askers) == {"worker-0"}
        for each in found:
            assert {(v.target, v.node) for v in each.prober.verdicts()} == {
                (url, "worker-0") for url in (A, B, C)
            }
        assert [v.standing.healthy for v, changed in found[0].told if changed and v.target == A] == [
            True, False, True,
        ]  # fmt: skip
        assert found[1].told == []


async def test_who_comes_later_knows_at_once(redis_url: str) -> None:
    """Before anybody is asked again."""
    targets, prefix = Targets(), unique_prefix()
    targets.sick = {A}
    async with workers(redis_url, 1, targets, prefix=prefix, interval_s=20.0, unhealthy_after=1) as (first,):
        await until(lambda: first.health() is False, within_s=20.0)
        await until(lambda: all(first.health(n) is not None for n in range(3)), within_s=20.0)
        await asyncio.sleep(1.2)  # what is no change is told within a second
        asked = targets.asked.total()
        async with workers(redis_url, 1, targets, prefix=prefix, first=1, interval_s=20.0) as (second,):
            await until(lambda: second.health() is False and second.health(1) is True)
        assert targets.asked.total() == asked


async def test_another_takes_over(redis_url: str) -> None:
    """When the leader dies without a word, checks go on, and their results are shared."""
    targets = Targets()
    async with workers(redis_url, 3, targets, interval_s=0.2) as found:
        await until(lambda: all(each.health() is True for each in found))
        first = found[0]
        assert first.leader._task is not None
        first.leader._task.cancel()
        assert first.prober._alarm is not None
        first.prober._is_running = False
        first.prober._alarm.cancel()
        targets.sick.add(A)
        await until(lambda: found[1].health() is False and found[2].health() is False)
        targets.sick.clear()
        await until(lambda: found[1].health() is True and found[2].health() is True)
        assert [each.leader.leads for each in found].count(True) == 1


async def test_without_redis_everybody_asks(tmp_path: Path) -> None:
    """From the start, during an outage, and when it is back empty one asks again."""
    targets = Targets()
    with RedisServer(tmp_path) as server:
        async with workers(server.url, 2, targets, interval_s=0.2) as found:
            await until(lambda: all(each.health() is True for each in found))
            server.stop()
            targets.sick.add(A)
            await until(lambda: all(each.health() is False for each in found))
            assert set(targets.askers) == {"worker-0", "worker-1"}
            server.start()
            await until(lambda: [each.leader.leads for each in found].count(True) == 1)
            targets.sick.clear()
            await until(lambda: all(each.health() is True for each in found))


async def test_a_target_that_only_one_worker_knows_is_asked_by_it(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After three intervals of silence, though it does not lead."""
    monkeypatch.setattr(module, "patience_s", lambda _: 0.4)
    targets = Targets()
    async with workers(redis_url, 2, targets) as (_, second):
        policy, urls, state = second.watched["shop"]
        state.settle([*urls, OTHER])
        second.prober.watch({"shop": Watched(policy, (*urls, OTHER), state)})
        await until(lambda: state.target(OTHER).healthy is True)
        assert not second.leader.leads
        assert targets.askers["worker-1"] >= 1


def test_a_thousand_targets_cost_little(capsys: pytest.CaptureFixture[str]) -> None:
    """Under 5 % of a core at the usual interval; the answers' own cost is not in it (see `authproxy.probing`)."""

    async def probe(service: str, target: str, path: str, timeout_s: float) -> Answer | Failure:
        await asyncio.sleep(0.001)
        return Answer(200, b"", 0.001)

    async def play() -> float:
        prober = await alone(probe)
        prober.watch(service(1000, interval_s=30.0))
        began = time.process_time()
        await asyncio.sleep(300)
        used = time.process_time() - began
        await prober.stop()
        return used / 300

    found: list[float] = []

    @in_virtual_time
    async def run() -> None:
        found.append(await play())

    run()
    assert found[0] < 0.02
