"""A destination that lets in as many as may be: a place is given back exactly once, whatever happens."""

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from authproxy.answers import answer
from authproxy.crowding import bounded
from authproxy.exchange import Exchange, ResponseAborted
from authproxy.headers import read
from authproxy.rejections import Code, Rejection
from authproxy.steps import RoutePlan
from resilience.concurrency import ConcurrencyLimit
from resilience.outcomes import Outcome
from resilience.policies import ConcurrencyPolicy
from routing.snapshot import CompiledRoute
from tests.support import gateway
from tests.support.asgi import Recorder, http_scope, playback
from tests.support.snapshots import snapshot_of

OTHER = Rejection(Code.NOT_FOUND, "Not here.")


def exchange() -> Exchange:
    arrived = Exchange(
        http_scope(), playback(), Recorder(), snapshot=snapshot_of(), head=read([]), started=0.0
    )
    arrived.route = cast("CompiledRoute", SimpleNamespace(name="r"))
    return arrived


class Inside:
    """A destination that answers when it is told to; `ending` is what it does then."""

    def __init__(self, ending: Callable[[Exchange], Awaitable[Rejection | None]] | None = None) -> None:
        self.entered = 0
        self.somebody = asyncio.Event()
        self.go_on = asyncio.Event()
        self._ending = ending or (lambda exchange: answer(exchange, 200, [], b""))

    async def __call__(self, exchange: Exchange) -> Rejection | None:
        self.entered += 1
        self.somebody.set()
        await self.go_on.wait()
        return await self._ending(exchange)


class Run:
    """One limited route."""

    def __init__(self, inside: Inside, *, patience_s: float = 5.0, **policy: Any) -> None:
        self.policy = ConcurrencyPolicy(**{"limit": 2, **policy})
        self.limit = ConcurrencyLimit(self.policy)
        self.inside = inside
        self.enter = bounded(inside, self.limit, self.policy, patience_s=patience_s)

    async def begin(self) -> "asyncio.Task[Rejection | None]":
        """A request that is inside, waits, or has been answered."""

        async def one() -> Rejection | None:
            return await self.enter(exchange())

        task = asyncio.get_running_loop().create_task(one())
        await asyncio.sleep(0)
        return task


async def test_who_finds_no_place_is_refused_as_the_contract_says() -> None:
    """503 OVERLOADED with Retry-After; those inside are not disturbed."""
    run = Run(Inside())
    first, second, third = [await run.begin() for _ in range(3)]
    refusal = await third
    run.inside.go_on.set()

    assert refusal is not None
    assert (refusal.status, refusal.code) == (503, Code.OVERLOADED)
    assert refusal.headers == ((b"retry-after", b"1"),)
    assert refusal.details["route"] == "r"
    assert [await first, await second] == [None, None]
    assert (run.limit.in_flight, run.limit.refused, run.inside.entered) == (0, 1, 2)


async def test_who_may_wait_enters_when_somebody_leaves() -> None:
    """In turn; the queue's end is refused, and so is whoever has waited for long enough."""
    run = Run(Inside(), limit=1, queue=1)
    tasks = [await run.begin() for _ in range(3)]
    assert await tasks[2] is not None
    run.inside.go_on.set()
    assert [await tasks[0], await tasks[1]] == [None, None]

    hasty = Run(Inside(), limit=1, queue=1, patience_s=0.01)
    await hasty.begin()
    refusal = await hasty.enter(exchange())
    assert refusal is not None
    assert refusal.code is Code.OVERLOADED
    assert hasty.limit.in_flight == 1


async def test_mode_log_notes_who_would_have_found_no_place() -> None:
    """All of them are inside at once."""
    run = Run(Inside(), limit=1, is_enforced=False)
    given = [exchange(), exchange()]
    async with asyncio.TaskGroup() as group:
        for each in given:
            group.create_task(cast("Any", run.enter(each)))
            await asyncio.sleep(0)
        run.inside.go_on.set()

    assert given[0].would == ()
    [(policy, refusal)] = given[1].would
    assert (policy, refusal.code, run.inside.entered) == ("limits", Code.OVERLOADED, 2)


async def nothing(_exchange: Exchange) -> Rejection | None:
    return OTHER


async def abort(_exchange: Exchange) -> Rejection | None:
    raise ResponseAborted


async def bug(_exchange: Exchange) -> Rejection | None:
    raise RuntimeError("a bug")


@pytest.mark.parametrize("ending", [None, nothing, abort, bug])
@pytest.mark.parametrize("adaptive", [False, True])
async def test_place_is_given_back_however_it_ends(ending: Any, adaptive: bool) -> None:
    """Answered, refused further on, cut off, failed."""
    run = Run(Inside(ending), adaptive=adaptive)
    task = await run.begin()
    assert run.limit.in_flight == 1
    run.inside.go_on.set()
    ended = (await asyncio.gather(task, return_exceptions=True))[0]

    assert run.limit.in_flight == 0
    assert isinstance(ended, Exception) == (ending in (abort, bug))
    assert ended is OTHER or ending is not nothing


@pytest.mark.parametrize("who", [0, 1])
async def test_client_that_leaves_gives_its_place_back(who: int) -> None:
    """From inside, or from the queue."""
    run = Run(Inside(), limit=1, queue=1)
    tasks = [await run.begin() for _ in range(2)]
    tasks[who].cancel()
    run.inside.go_on.set()
    ended = await asyncio.gather(*tasks, return_exceptions=True)

    assert [isinstance(end, asyncio.CancelledError) for end in ended] == [who == 0, who == 1]
    assert (run.limit.in_flight, run.limit.waiting) == (0, 0)


async def test_connection_that_is_closed_gives_its_place_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the server: the next client is served."""
    run = Run(Inside(), limit=1)
    monkeypatch.setattr(gateway, "planner", lambda *_, **__: lambda _: RoutePlan((), (), run.enter))
    async with gateway.data_plane(gateway.document(gateway.route(respond={"status": 204}))) as plane:
        async with gateway.RawClient(plane.port) as first, gateway.RawClient(plane.port) as second:
            await first.send(b"GET / HTTP/1.1\r\nHost: gateway.test\r\n\r\n")
            await run.inside.somebody.wait()
            refused = await second.get("/")
        await plane.until_finished(2)
        assert run.limit.in_flight == 0
        run.inside.go_on.set()
        async with gateway.RawClient(plane.port) as third:
            served = await third.get("/")

    assert (refused.status, refused.header("retry-after"), served.status) == (503, "1", 200)
    assert run.limit.in_flight == 0


async def test_limit_follows_the_snapshot_that_a_request_came_on() -> None:
    """Counting goes on where it was."""
    run = Run(Inside(), limit=1)
    first = await run.begin()
    wider = bounded(run.inside, run.limit, ConcurrencyPolicy(2))
    second = asyncio.ensure_future(wider(exchange()))
    await asyncio.sleep(0)
    refusal = await wider(exchange())
    run.inside.go_on.set()
    await asyncio.gather(first, second)

    assert refusal is not None
    assert (run.limit.limit, run.limit.in_flight, run.inside.entered) == (2, 0, 2)


# --- What an adaptive limit learns -----------------------------------------------------------------------------------


class Notebook(ConcurrencyLimit):
    """Keeps what it is told."""

    __slots__ = ("learnt",)

    def learn(self, latency_s: float, *, dropped: bool, now: float) -> None:
        self.learnt = (latency_s, dropped)


async def learnt_of(ending: Callable[[Exchange], Awaitable[Rejection | None]]) -> tuple[float, bool] | None:
    policy = ConcurrencyPolicy(1, adaptive=True)
    notebook = Notebook(policy)
    arrived = exchange()
    send = arrived.send
    await asyncio.gather(bounded(ending, notebook, policy)(arrived), return_exceptions=True)

    assert arrived.send is send
    assert notebook.in_flight == 0
    return getattr(notebook, "learnt", None)


async def test_client_that_reads_slowly_is_no_slow_service(monkeypatch: pytest.MonkeyPatch) -> None:
    """Latency is the time to the answer's head, not the minute that the client takes for its body."""
    now = 1000.0
    monkeypatch.setattr("authproxy.crowding.monotonic", lambda: now)

    async def slow_reader(exchange: Exchange) -> None:
        nonlocal now
        now += 0.25
        await exchange.send({"type": "http.response.start", "status": 200, "headers": []})
        now += 60.0
        await exchange.send({"type": "http.response.body", "body": b"x"})

    assert await learnt_of(slow_reader) == (0.25, False)


@pytest.mark.parametrize(
    ("status", "outcome", "dropped"),
    [
        (200, Outcome.OK, False),
        (500, Outcome.OK, False),
        (503, Outcome.OK, True),
        (0, Outcome.READ_TIMEOUT, True),
        (0, Outcome.POOL_TIMEOUT, True),
        (0, Outcome.CLIENT_GONE, None),
        (0, Outcome.CONNECT_REFUSED, None),
        (0, Outcome.NO_TARGET, None),
    ],
)
async def test_what_was_turned_away_for_overload_is_dropped(
    status: int, outcome: Outcome, dropped: bool | None
) -> None:
    """Timeouts and 503s; of what says nothing about the service's load nothing is learnt."""

    async def ending(exchange: Exchange) -> Rejection | None:
        exchange.outcome = outcome
        if status:
            await answer(exchange, status, [], b"")
        return OTHER

    learnt = await learnt_of(ending)

    assert (learnt and learnt[1]) is dropped
