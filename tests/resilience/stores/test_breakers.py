"""The script that adds up what workers count, decides once, and tells everybody; on a real Redis."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest

from resilience.breaker import Breaker, Cause, State
from resilience.policies import BreakerPolicy
from resilience.stores.breakers import Ask, Change, Reply, SharedBreakers, StoreAway, Wanted, read_news
from resilience.stores.connection import RedisLink, Script
from tests.support.breakers import unique_prefix
from tests.support.redislink import link_to, published

CLOSED, OPEN, HALF_OPEN = State
POLICY = BreakerPolicy(half_open_requests=2)
FAILED: tuple[tuple[float, int, int], ...] = ((0.0, 1, 1),)


class Published:
    """A store that remembers what it was asked to hear."""

    def __init__(self, link: RedisLink) -> None:
        self.link = link
        self.answer: Any = None
        self.heard: dict[str, Any] = {}

    is_up = True

    async def run(self, script: Script, keys: Any, arguments: Any) -> Any:
        return self.answer or await self.link.run(script, keys, arguments)

    def subscribe(self, channel: str, hear: Any) -> None:
        self.heard[channel] = hear

    def when_up(self, listener: Any) -> None:
        self.heard["up"] = listener

    def start(self) -> None:
        self.heard["started"] = True

    async def stop(self) -> None:
        self.heard["started"] = False


class Desk:
    """Workers of one service, each with a breaker of its own."""

    def __init__(self, link: RedisLink) -> None:
        self.link = link
        self.prefix = unique_prefix()
        self._batch = 0

    def shared(self, worker: str = "a") -> SharedBreakers:
        return SharedBreakers(Published(self.link), worker=worker, prefix=self.prefix)

    async def step(
        self, worker: str, breaker: Breaker, ask: Ask | None = None, *, cause: Cause = Cause.RESTORED
    ) -> Reply:
        """`breaker` is what the worker believes; it adopts what it is told."""
        self._batch += 1
        ask = ask or Ask(counts=FAILED, batch=self._batch)
        reply = await self.shared(worker).step("shop", breaker, cause, ask, now=1000.0)
        breaker.adopt(reply.state, 1000.0 - reply.age_s, reply.period, 1000.0, reply.cause)
        return reply

    async def opened(self, breaker: Breaker) -> None:
        for _ in range(5):
            await self.step("a", breaker)
        assert breaker.measured is OPEN

    async def half_open(self, breaker: Breaker) -> None:
        await self.opened(breaker)
        breaker.permit(1e6)
        await self.step("a", breaker, Ask())
        assert breaker.measured is HALF_OPEN


@pytest.fixture
async def desk(redis_url: str) -> AsyncIterator[Desk]:
    async with link_to(redis_url) as link:
        yield Desk(link)


async def test_the_fifth_failure_opens_it_whoever_saw_the_others(desk: Desk) -> None:
    """Each worker told one; the answer says what was decided, to the one who caused it."""
    breakers = {name: Breaker(POLICY) for name in "abcde"}
    replies = [await desk.step(name, breaker) for name, breaker in breakers.items()]
    assert [reply.state for reply in replies] == [CLOSED] * 4 + [OPEN]
    assert replies[3][4:] == (False, 4, 4, ())
    assert replies[4].changes == (Change("shop", CLOSED, OPEN, 1, 0.0, Cause.FAILURES, 5, 5),)
    late = await desk.step("a", breakers["a"])
    assert (late.state, late.period, late.changes) == (OPEN, 1, ())


async def test_a_batch_that_is_sent_twice_counts_once(desk: Desk) -> None:
    """An answer that came too late looks like none."""
    breaker = Breaker(POLICY)
    ask = Ask(counts=((0.0, 4, 4),), batch=77)
    assert [(await desk.step("a", breaker, ask)).failures for _ in range(3)] == [4, 4, 4]


async def test_what_is_older_than_the_window_does_not_count(desk: Desk) -> None:
    """Ages come from the workers, since their clocks differ."""
    breaker = Breaker(POLICY)
    old = Ask(counts=((10.1, 4, 4), (5.0, 3, 2)), batch=1)
    reply = await desk.step("a", breaker, old)
    assert (reply.requests, reply.failures) == (3, 2)


async def test_workers_with_only_successes_are_asked_for_their_numbers(desk: Desk, redis_url: str) -> None:
    """When failures would be enough but requests are not."""
    policy = BreakerPolicy(min_throughput=20)
    news: asyncio.Queue[Any] = asyncio.Queue()
    async with published(redis_url, f"{desk.prefix}breakers", news):
        failing, fine = Breaker(policy), Breaker(policy)
        assert (await desk.step("a", failing, Ask(counts=((0.0, 5, 5),), batch=1))).state is CLOSED
        assert read_news(await news.get(), worker="b") == Wanted("shop")
        told = await desk.step("b", fine, Ask(counts=((0.0, 14, 0),), batch=1))
        assert (told.state, told.requests) == (CLOSED, 19)
        assert (await desk.step("b", fine, Ask(counts=((0.0, 1, 0),), batch=2))).state is OPEN
        change = read_news(await news.get(), worker="a")
        assert isinstance(change, Change)
        assert (change.state, change.requests, change.failures) == (OPEN, 20, 5)
        assert news.empty()


async def test_what_a_worker_decided_alone_is_taken_over_once(desk: Desk) -> None:
    """Of two at the same time the first wins, and the other one adopts it."""
    first, second = Breaker(POLICY), Breaker(POLICY)
    first.adopt(OPEN, 995.0, 3, 1000.0, Cause.FAILURES)
    second.adopt(CLOSED, 999.0, 3, 1000.0, Cause.TRIALS_PASSED)
    reply = await desk.step("a", first, Ask(), cause=Cause.FAILURES)
    assert [change.cause for change in reply.changes] == [Cause.FAILURES]
    assert (await desk.step("a", first, Ask())).changes == ()
    told = await desk.step("b", second, Ask(), cause=Cause.TRIALS_PASSED)
    assert (told.state, told.period, told.changes) == (OPEN, 3, ())
    assert 5.0 <= told.age_s < 15.0
    assert second.measured is OPEN


async def test_a_server_that_forgot_everything_learns_it_again(desk: Desk) -> None:
    """From the first worker that asks."""
    breaker = Breaker(POLICY)
    breaker.adopt(OPEN, 990.0, 12, 1000.0, Cause.FAILURES)
    await desk.step("a", breaker, Ask())
    other = Breaker(POLICY)
    await desk.step("b", other, Ask())
    assert (other.measured, other.period) == (OPEN, 12)


async def test_all_workers_share_the_places_of_trials(desk: Desk) -> None:
    """Two, and not two for each; one that is over is free again."""
    breaker = Breaker(POLICY)
    await desk.half_open(breaker)
    granted = [(await desk.step(name, breaker, Ask(lease=f"{name}:1"))).granted for name in "abcd"]
    assert granted == [True, True, False, False]
    await desk.step("a", breaker, Ask(done=(("a:1", False),)))
    assert (await desk.step("c", breaker, Ask(lease="c:2"))).granted
    assert not (await desk.step("d", breaker, Ask(lease="d:2"))).granted


async def test_a_trial_that_hangs_gives_its_place_back(desk: Desk) -> None:
    """And counts as no success when it ends at last."""
    policy = BreakerPolicy(
        half_open_requests=1, half_open_timeout_s=1.0
    )  # amply for the two steps at the end
    breaker = Breaker(policy)
    await desk.half_open(breaker)
    assert (await desk.step("a", breaker, Ask(lease="a:1"))).granted
    async with asyncio.timeout(5):
        while not (await desk.step("b", breaker, Ask(lease="b:1"))).granted:
            continue
    assert (await desk.step("a", breaker, Ask(done=(("a:1", True),)))).state is HALF_OPEN
    assert (await desk.step("b", breaker, Ask(done=(("b:1", True),)))).state is CLOSED


async def test_successes_of_several_workers_close_it(desk: Desk) -> None:
    """As many as are wanted, together; one that is told twice counts once."""
    breaker = Breaker(POLICY)
    await desk.half_open(breaker)
    for name in "ab":
        assert (await desk.step(name, breaker, Ask(lease=f"{name}:1"))).granted
    for _ in range(2):
        assert (await desk.step("a", breaker, Ask(done=(("a:1", True),)))).state is HALF_OPEN
    reply = await desk.step("b", breaker, Ask(done=(("b:1", True),)))
    assert [(change.state, change.cause) for change in reply.changes] == [(CLOSED, Cause.TRIALS_PASSED)]
    assert (await desk.step("a", breaker)).failures == 1, "it counts from nothing"


async def test_who_comes_late_is_told_how_things_are(desk: Desk) -> None:
    """Neither its counts nor its lease belong to this period."""
    breaker, late = Breaker(POLICY), Breaker(POLICY)
    await desk.half_open(breaker)
    reply = await desk.step("b", late, Ask(counts=((0.0, 9, 9),), batch=1, lease="b:1"))
    assert (reply.state, reply.granted, reply.failures) == (HALF_OPEN, False, 0)


async def test_keys_are_few_lie_together_and_end(desk: Desk) -> None:
    """One hash tag for each service, for Clusters; whatever is no longer used goes by itself."""
    breaker = Breaker(POLICY)
    await desk.step("a", breaker)
    await desk.half_open(breaker)
    await desk.step("a", breaker, Ask(lease="a:1"))
    keys = await desk.link.call("KEYS", f"{desk.prefix}*")
    assert sorted(keys) == [f"{desk.prefix}breaker:{{shop}}{end}".encode() for end in ("", ":trials")]
    for key in keys:
        assert await desk.link.call("PTTL", key) > 0


async def test_what_older_versions_measured_goes_on(desk: Desk) -> None:
    """Nodes of two versions share a breaker while they are replaced one by one: this is what is kept of an open one."""
    seconds, _ = await desk.link.call("TIME")
    told = (
        "state",
        "open",
        "period",
        "7",
        "since",
        f"{(seconds - 2) * 1000}",
        "cause",
        "too many failures",
        "successes",
        "0",
    )
    await desk.link.call("HSET", f"{desk.prefix}breaker:{{shop}}", *told)
    reply = await desk.step("a", Breaker(POLICY))

    assert (reply.state, reply.period, reply.cause, reply.changes) == (OPEN, 7, Cause.FAILURES, ())
    assert 2.0 <= reply.age_s < 60.0


async def test_an_answer_that_makes_no_sense_is_none(desk: Desk) -> None:
    """Another version of the gateway may share the server."""
    store = Published(desk.link)
    shared = SharedBreakers(store, worker="a")
    for answer in (b"{", b"[]", b"{}", b'{"state":"ajar","period":1,"age_ms":0,"cause":"reset"}', 7):
        store.answer = answer
        with pytest.raises(StoreAway):
            await shared.step("shop", Breaker(POLICY), Cause.RESTORED, Ask(), now=0.0)


async def test_only_news_of_others_is_heard(desk: Desk) -> None:
    """What cannot be read is left out."""
    heard: list[Any] = []
    shared = SharedBreakers(store := Published(desk.link), worker="a", prefix="p:")
    shared.listen(heard.append, lambda: None)
    hear = store.heard["p:breakers"]
    for worker in ("a", "b"):
        hear(orjson.dumps({"service": "shop", "worker": worker, "wanted": 3}))
    for garbage in (b"", b"1", b"{}", b"\xff", b'{"worker":"b","service":"shop","state":"ajar"}'):
        hear(garbage)
    assert heard == [Wanted("shop")]
    assert store.heard["started"]
    await shared.stop()
    assert not store.heard["started"]
