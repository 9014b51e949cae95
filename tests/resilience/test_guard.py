"""One service's breaker in one worker: what it costs, what it tells, and what it does while others cannot be asked."""

import asyncio
import timeit
from collections.abc import Callable
from inspect import isawaitable
from time import process_time
from typing import Any

import pytest

from resilience.breaker import SOON_S, Cause, Permit, Refused, State, Transition
from resilience.guard import KEPT_ERRORS, Guard, Hooks, Record
from resilience.policies import BreakerPolicy
from resilience.stores.breakers import Ask, Change, Reply, StoreAway

CLOSED, OPEN, HALF_OPEN = State
POLICY = BreakerPolicy()


class Others:
    """The shared store's part: what it was asked, and what it answers."""

    worker = "a"

    def __init__(self) -> None:
        self.is_up = True
        self.asked: list[tuple[State, int, Cause, Ask]] = []
        self.answer: Callable[[Any, Ask], Any] = lambda breaker, ask: reply(breaker.measured, breaker.period)

    async def step(self, service: str, breaker: Any, cause: Cause, ask: Ask, *, now: float) -> Reply:
        self.asked.append((breaker.measured, breaker.period, cause, ask))
        found = self.answer(breaker, ask)
        found = await found if isawaitable(found) else found
        if isinstance(found, BaseException):
            raise found
        return found  # type: ignore[no-any-return]


def reply(state: State, period: int, **more: Any) -> Reply:
    given = {
        "age_s": 0.0,
        "cause": Cause.RESTORED,
        "granted": False,
        "requests": 0,
        "failures": 0,
        "changes": (),
    }
    return Reply(state, period, **{**given, **more})


class Bench:
    """A guard with its clock and hooks."""

    def __init__(self, others: Others | None = None, policy: BreakerPolicy = POLICY) -> None:
        self.now = 1000.0
        self.told: list[Transition] = []
        self.kept: list[Record] = []
        self.guard = Guard(
            "shop",
            policy,
            Hooks(lambda _, transition: self.told.append(transition), self.kept.append),
            shared=others,  # type: ignore[arg-type]
            clock=lambda: self.now,
            wall_clock=lambda: self.now + 1e9,
        )

    async def request(self, failed: bool | None, why: str = "") -> Permit | Refused:
        found = self.guard.permit(self.now)
        verdict = found if isinstance(found, Permit | Refused) else await found
        if isinstance(verdict, Permit):
            self.guard.record(verdict, failed, self.now, why)
        return verdict

    async def fail(self, times: int = 5) -> None:
        for number in range(times):
            await self.request(True, f"reset {number}")

    async def opened(self) -> "Bench":
        await self.fail()
        await self.settled()
        assert self.guard.state is OPEN
        return self

    async def settled(self) -> None:
        """What was to be told has been told."""
        while (task := self.guard._reporting) is not None:
            await asyncio.wait([task])

    @property
    def changes(self) -> list[tuple[State, State, Cause]]:
        return [(each.before, each.state, each.cause) for each in self.kept if each.cause is not None]


async def test_alone_it_decides_and_keeps_its_own_changes() -> None:
    """With what it counted and what was wrong."""
    bench = Bench()
    await bench.fail(7)
    bench.now += 60
    await bench.request(False)
    assert bench.guard.state is CLOSED
    assert bench.changes == [
        (CLOSED, OPEN, Cause.FAILURES),
        (OPEN, HALF_OPEN, Cause.RECOVERY),
        (HALF_OPEN, CLOSED, Cause.TRIALS_PASSED),
    ]
    opened = next(each for each in bench.kept if each.cause)
    assert (opened.requests, opened.failures, opened.period, opened.window_s) == (5, 5, 1, 10.0)
    assert [why for _, why in opened.errors] == [f"reset {number}" for number in range(5)]
    assert [each.after for each in bench.told] == [OPEN, HALF_OPEN, CLOSED]


async def test_alone_counts_are_kept_once_a_second() -> None:
    """However many requests fail meanwhile."""
    bench = Bench(policy=BreakerPolicy(failure_threshold=1000))
    for _ in range(50):
        await bench.request(True, "x" * 1000)
        bench.now += 0.1
    assert 5 <= len(bench.kept) <= 6
    assert {each.cause for each in bench.kept} == {None}
    assert bench.kept[-1].failures > bench.kept[0].failures
    assert len(bench.kept[-1].errors) == KEPT_ERRORS
    assert len(bench.kept[-1].errors[0][1]) == 200


async def test_nothing_is_told_while_all_is_well() -> None:
    """Not a word for successes, nor for clients that left."""
    others = Others()
    bench = Bench(others)
    for failed in [False, None] * 50:
        await bench.request(failed)
    await bench.settled()
    assert others.asked == []
    assert bench.kept == []


async def test_failures_are_told_together_and_beside_the_traffic() -> None:
    """With the successes around them; each once."""
    others = Others()
    bench = Bench(others)
    for failed in (False, False, True, True):
        await bench.request(failed)
    await bench.settled()
    assert [ask.counts for *_, ask in others.asked] == [((0.0, 4, 2),)]
    await bench.request(True)
    await bench.settled()
    assert others.asked[-1][3].counts == ((0.0, 1, 1),)


async def test_what_the_others_decided_is_adopted_and_kept_by_who_caused_it() -> None:
    """The answer brings both; counts without a change are kept, too."""
    others = Others()
    bench = Bench(others)
    change = Change("shop", CLOSED, OPEN, 1, 0.0, Cause.FAILURES, 9, 5)
    others.answer = lambda _breaker, _ask: reply(CLOSED, 0, requests=8, failures=4)
    await bench.request(True, "refused")
    await bench.settled()
    others.answer = lambda _breaker, _ask: reply(OPEN, 1, cause=Cause.FAILURES, changes=(change,))
    await bench.request(True, "refused")
    await bench.settled()
    assert bench.guard.state is OPEN
    assert bench.changes == [(CLOSED, OPEN, Cause.FAILURES)]
    assert [(each.cause, each.requests, each.failures) for each in bench.kept] == [
        (None, 8, 4),
        (Cause.FAILURES, 9, 5),
    ]


async def test_what_it_decided_by_itself_is_kept_with_what_it_counted() -> None:
    """The store takes the change over, and knows none of the counts that led to it."""
    others, change = Others(), Change("shop", CLOSED, OPEN, 1, 0.0, Cause.FAILURES, 0, 0)
    others.answer = lambda it, _ask: reply(it.measured, it.period, changes=(change,) * it.period)
    kept = (await Bench(others).opened()).kept[0]
    assert (kept.cause, kept.requests, kept.failures) == (Cause.FAILURES, 5, 5)


async def test_news_is_adopted_without_being_kept_again() -> None:
    """Whoever caused it keeps it."""
    bench = Bench(Others())
    bench.guard.hear(Change("shop", CLOSED, OPEN, 4, 1.0, Cause.FAILURES, 9, 5))
    assert bench.guard.state is OPEN
    assert await bench.request(False) == Refused(59.0)
    assert bench.kept == []


async def test_own_decision_is_told_as_news_once() -> None:
    """Told again later, it is how things are."""
    others = Others()
    bench = await Bench(others).opened()
    bench.guard.sync()
    await bench.settled()
    causes = [(state, cause) for state, _, cause, _ in others.asked]
    assert causes == [(OPEN, Cause.FAILURES), (OPEN, Cause.RESTORED)]


async def test_what_could_not_be_told_is_told_again_as_it_was() -> None:
    """Under the same number, and older by the time that passed; meanwhile the change is kept as this worker's own."""
    others = Others()
    bench = Bench(others)
    others.answer = lambda _breaker, _ask: StoreAway("late")
    await bench.fail()
    await bench.settled()
    assert bench.changes == [(CLOSED, OPEN, Cause.FAILURES)]
    bench.now += 2.0
    del others.answer
    others.answer = lambda breaker, ask: reply(breaker.measured, breaker.period)
    await bench.guard.synced()
    first, again = others.asked[0][3], others.asked[-1][3]
    assert again.batch == first.batch
    assert again.counts == ((2.0, 5, 5),)
    assert others.asked[-1][2] is Cause.RESTORED
    assert len(bench.changes) == 1


async def test_a_change_during_a_step_is_not_forgotten() -> None:
    """It opens while the answer to an earlier step is on its way, and that is all that ever arrives."""
    others, gate = Others(), asyncio.Event()
    bench = Bench(others)

    async def slow(breaker: Any, _ask: Ask) -> Reply:
        await gate.wait()
        return reply(CLOSED, 0)

    others.answer = slow
    await bench.request(True)
    while not others.asked:  # noqa: ASYNC110
        await asyncio.sleep(0)
    await bench.fail(4)
    assert bench.guard.state is OPEN
    gate.set()
    others.answer = lambda _breaker, _ask: StoreAway("gone")
    await bench.settled()
    assert bench.guard.state is OPEN
    assert bench.changes == [(CLOSED, OPEN, Cause.FAILURES)]


# Trials


async def test_a_trial_asks_for_a_place_and_tells_how_it_ended() -> None:
    """The answer to `permit` is awaited then, and only then."""
    others = Others()
    bench = await Bench(others).opened()
    assert isinstance(bench.guard.permit(bench.now), Refused)
    bench.now += 60
    others.answer = lambda breaker, ask: reply(breaker.measured, breaker.period, granted=bool(ask.lease))
    verdict = await bench.request(False)
    assert isinstance(verdict, Permit)
    assert others.asked[-1][:3] == (HALF_OPEN, 2, Cause.RECOVERY)
    lease = others.asked[-1][3].lease
    await bench.settled()
    assert others.asked[-1][3].done == ((lease, True),)


@pytest.mark.parametrize("failed", [None, True])
async def test_a_trial_that_came_to_nothing_gives_its_place_back(failed: bool | None) -> None:
    """To the others as well."""
    others = Others()
    bench = await Bench(others, BreakerPolicy(half_open_requests=2)).opened()
    bench.now += 60
    others.answer = lambda breaker, ask: reply(breaker.measured, breaker.period, granted=bool(ask.lease))
    await bench.request(failed)
    await bench.settled()
    assert [done for _, done in others.asked[-1][3].done] == [False]


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        (reply(HALF_OPEN, 2), Refused(SOON_S)),
        (reply(HALF_OPEN, 4, granted=True), Refused(SOON_S)),
        (reply(OPEN, 3, age_s=10.0), Refused(50.0)),
        (reply(OPEN, 3, age_s=99.0), Refused(SOON_S)),
    ],
)
async def test_without_a_place_it_is_refused(answer: Reply, verdict: Refused) -> None:
    """And the worker's own place is free again."""
    others = Others()
    bench = await Bench(others).opened()
    bench.now += 60
    others.answer = lambda _breaker, _ask: answer
    assert await bench.request(False) == verdict
    assert bench.guard.breaker.standing(bench.now).trials <= 1


async def test_closed_meanwhile_it_passes_like_any_other() -> None:
    """Another worker's trial was the one."""
    others = Others()
    bench = await Bench(others).opened()
    bench.now += 60
    others.answer = lambda _breaker, _ask: reply(CLOSED, 3)
    verdict = await bench.request(False)
    assert isinstance(verdict, Permit)
    assert not verdict.is_trial
    assert bench.guard.state is CLOSED


async def test_without_an_answer_the_worker_decides_alone() -> None:
    """As if there were nobody else."""
    others = Others()
    bench = await Bench(others).opened()
    bench.now += 60
    others.answer = lambda _breaker, _ask: StoreAway("late")
    first = bench.guard.permit(bench.now)
    assert not isinstance(first, Permit | Refused)
    permit = await first
    assert isinstance(permit, Permit)
    assert bench.changes[-1] == (OPEN, HALF_OPEN, Cause.RECOVERY)
    others.is_up = False
    assert bench.guard.permit(bench.now) == Refused(SOON_S), "at once"
    bench.guard.record(permit, False, bench.now)
    assert bench.guard.state is CLOSED


async def test_a_client_that_leaves_while_a_place_is_asked_for_gives_it_back() -> None:
    """Here and to the others, who may have granted it."""
    others = Others()
    bench = await Bench(others).opened()
    bench.now += 60
    others.answer = lambda _breaker, _ask: asyncio.Event().wait()
    task = asyncio.ensure_future(bench.request(False))
    while others.asked[-1][3].lease == "":  # noqa: ASYNC110
        await asyncio.sleep(0)
    lease = others.asked[-1][3].lease
    others.answer = lambda breaker, _ask: reply(breaker.measured, breaker.period)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await bench.settled()
    assert others.asked[-1][3].done == ((lease, False),)
    assert bench.guard.breaker.standing(bench.now).trials == 0


# Operators and records


async def test_what_is_forced_is_not_told_as_measured() -> None:
    """Failures under a force stay here; they count for the page alone."""
    others = Others()
    bench = Bench(others)
    bench.guard.breaker.force(CLOSED, float("inf"), bench.now)
    await bench.fail(20)
    await bench.settled()
    assert others.asked == []
    assert bench.changes == []
    assert bench.kept[0].failures == 1
    bench.guard.sync()
    await bench.settled()
    assert others.asked[0][3].counts == ()


async def test_a_reset_is_told_and_kept_by_nobody_else() -> None:
    """Whoever asked for it has written it down."""
    others = Others()
    bench = await Bench(others).opened()
    bench.kept.clear()
    others.answer = lambda breaker, _ask: reply(
        CLOSED,
        breaker.period,
        changes=(Change("shop", OPEN, CLOSED, breaker.period, 0.0, Cause.RESET, 0, 0),),
    )
    bench.guard.reset()
    assert bench.guard.state is CLOSED
    await bench.settled()
    assert others.asked[-1][:3] == (CLOSED, 2, Cause.RESET)
    assert bench.changes == []


async def test_what_was_recorded_is_taken_up_unless_others_know_better() -> None:
    """A record is where things were; the others are where they are."""
    others = Others()
    bench = Bench(others)
    others.answer = lambda _breaker, _ask: reply(CLOSED, 9)
    bench.guard.restore(OPEN, 7, 5.0)
    assert bench.guard.state is OPEN
    bench.guard.sync()
    await bench.settled()
    assert bench.guard.state is CLOSED
    assert bench.kept == []


async def test_stop_ends_what_is_under_way() -> None:
    """Even if the answer never comes."""
    others = Others()
    bench = Bench(others)
    others.answer = lambda _breaker, _ask: asyncio.Event().wait()
    await bench.request(True)
    assert bench.guard._reporting is not None
    await asyncio.wait_for(bench.guard.stop(), 5)
    assert bench.guard._reporting is None
    await asyncio.wait_for(bench.guard.stop(), 5)


def test_a_request_costs_next_to_nothing_while_all_is_well() -> None:
    """A permit and the record of its success: at most 0.6 µs, shared or not."""
    guard = Bench(Others()).guard

    def request() -> None:
        guard.record(guard.permit(1000.0), False, 1000.0)  # type: ignore[arg-type]

    assert min(timeit.repeat(request, number=20_000, repeat=9, timer=process_time)) / 20_000 < 0.6e-6
