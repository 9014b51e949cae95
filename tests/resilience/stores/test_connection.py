"""The link never raises, keeps nobody waiting, and comes back by itself, whatever Redis does."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import pytest

from resilience.stores import connection
from resilience.stores.connection import FAILURES, MOST_CALLS, Away, RedisLink, Script
from tests.support.fetching import until
from tests.support.redisserver import RedisServer
from tests.support.stopwatch import Stopwatch
from tests.support.tcpproxy import TcpProxy
from tests.support.virtualtime import clock, in_virtual_time

DOUBLE = Script.of("return ARGV[1] * 2")
BUSY_S = 0.3  # a late machine, on top of the link's own limit


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    with RedisServer(tmp_path) as server:
        yield server


@asynccontextmanager
async def linked(url: str, **options: Any) -> AsyncIterator[RedisLink]:
    link = RedisLink(url, rng=Random(1), **options)
    await link.start()
    try:
        yield link
    finally:
        await link.stop()


@asynccontextmanager
async def proxied(server: RedisServer) -> AsyncIterator[tuple[TcpProxy, str]]:
    proxy = TcpProxy("127.0.0.1", urlsplit(server.url).port or 0)
    await proxy.start()
    try:
        yield proxy, f"redis://127.0.0.1:{proxy.port}/0"
    finally:
        proxy.thaw()
        await proxy.stop()


async def fail(link: RedisLink) -> None:
    """As often as it takes to give Redis up."""
    for _ in range(FAILURES):
        assert isinstance(await link.call("SET", "k", "v"), Away)
    assert not link.is_up


async def test_commands_and_scripts_are_answered(server: RedisServer) -> None:
    """A script that the server does not know is brought along, and again when the server forgot it."""
    async with linked(server.url) as link:
        assert await link.call("SET", "key", "value") in (b"OK", True)
        assert await link.call("GET", "key") == b"value"
        for _ in range(2):
            assert [await link.run(DOUBLE, ["{x}"], [number]) for number in (1, 2, 3)] == [2, 4, 6]
            server.ask("SCRIPT", "FLUSH")
        assert (link.counts.scripts, link.counts.failed) == (2, 0)


async def test_unix_sockets_are_reached(tmp_path: Path) -> None:
    """As the embedded server listens."""
    path = tmp_path / "s"
    with RedisServer(tmp_path, "--unixsocket", str(path)):
        async with linked(f"unix://{path}") as link:
            assert link.is_up


async def test_stopped_server_is_away_and_an_empty_one_is_back(
    server: RedisServer, caplog: pytest.LogCaptureFixture
) -> None:
    """One line in the log for each; calls meanwhile are answered at once and counted."""
    caplog.set_level(logging.INFO, logger="resilience.stores.connection")
    async with linked(server.url) as link:
        await link.run(DOUBLE, ["{x}"], [1])
        server.stop()
        await fail(link)
        before = link.counts.calls
        for _ in range(1000):
            assert isinstance(await link.call("GET", "k"), Away)
        assert (link.counts.refused, link.counts.calls) == (1000, before), "none was tried"
        assert link.why
        server.start()
        await until(lambda: link.is_up)
        assert await link.run(DOUBLE, ["{x}"], [2]) == 4
        assert (link.why, link.counts.outages) == ("", 1)
    assert [record.message.partition(",")[0] for record in caplog.records] == [
        "Redis is away",
        "Redis is back",
    ]


async def test_server_that_hangs_costs_each_caller_one_time_limit(
    server: RedisServer, stopwatch: Stopwatch
) -> None:
    """It accepts and never answers; what it says later is nobody's answer."""
    async with proxied(server) as (proxy, url), linked(url) as link:
        proxy.freeze()
        for number in range(FAILURES):
            began = time.time()
            assert isinstance(await link.call("ECHO", str(number)), Away)
            assert time.time() - began > 0.04
            assert stopwatch.since(began) < 0.05 + BUSY_S
        assert not link.is_up
        proxy.thaw()
        await until(lambda: link.is_up)
        assert await link.call("ECHO", "new") == b"new"


async def test_reset_connection_is_opened_again(server: RedisServer) -> None:
    """A few losses in a row are an outage; one is not."""
    async with proxied(server) as (proxy, url), linked(url) as link:
        assert await link.call("ECHO", "a") == b"a"
        await proxy.stop()
        await proxy.start()
        await asyncio.sleep(0.01)
        await link.call("ECHO", "b")
        assert await link.call("ECHO", "c") == b"c"
        assert link.is_up


@pytest.mark.parametrize(
    ("break_it", "mend_it"),
    [
        (("CONFIG", "SET", "maxmemory", "1"), ("CONFIG", "SET", "maxmemory", "0")),
        (("REPLICAOF", "127.0.0.1", "1"), ("REPLICAOF", "NO", "ONE")),
    ],
    ids=["out of memory", "read-only"],
)
async def test_server_that_answers_errors_is_away(
    server: RedisServer, break_it: tuple[str, ...], mend_it: tuple[str, ...]
) -> None:
    """Though it would answer PING: until it takes a write, it is not back."""
    async with linked(server.url) as link:
        server.ask(*break_it)
        await fail(link)
        probed = link.why
        await until(lambda: link.why != probed or link._pause_s >= 0.4)
        assert not link.is_up
        server.ask(*mend_it)
        await until(lambda: link.is_up)
        assert await link.call("GET", "k") is None


async def test_wrong_password_is_away_from_the_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Said once, without the password; once it is right, the link is up."""
    with RedisServer(tmp_path, "--requirepass", "other") as server:
        async with linked(f"redis://:hunter2@127.0.0.1:{server.port}/0") as link:
            assert not link.is_up
            assert isinstance(await link.run(DOUBLE, ["{x}"], [1]), Away)
            assert "hunter2" not in link.why + caplog.text
            assert len(caplog.records) == 1
            async with linked(f"redis://:other@127.0.0.1:{server.port}/0") as right:
                await right.call("CONFIG", "SET", "requirepass", "hunter2")
            await until(lambda: link.is_up)


async def test_too_many_calls_are_refused(server: RedisServer) -> None:
    """Those under way are bounded; the rest is told at once."""
    async with proxied(server) as (proxy, url), linked(url, timeout_s=30.0) as link:
        proxy.freeze()
        calls = asyncio.gather(*(link.call("ECHO", "x") for _ in range(MOST_CALLS + 5)))
        await until(lambda: link.counts.dropped == 5)
        proxy.thaw()
        answers = await calls
        assert sum(answer == b"x" for answer in answers) == MOST_CALLS


async def test_answer_that_came_while_this_process_was_busy_is_not_late(server: RedisServer) -> None:
    """A stall of the event loop is no failure of Redis."""
    async with linked(server.url) as link:
        await link.call("ECHO", "warm")
        asyncio.get_running_loop().call_later(0.0, time.sleep, 0.1)
        assert await link.call("ECHO", "x") == b"x"
        assert link.counts.failed == 0


async def test_caller_who_leaves_disturbs_nobody(server: RedisServer) -> None:
    """Its connection is not used again with its answer still to come."""
    async with proxied(server) as (proxy, url), linked(url) as link:
        proxy.freeze()
        leaving = asyncio.ensure_future(link.call("ECHO", "left"))
        await asyncio.sleep(0.01)
        leaving.cancel()
        proxy.thaw()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        assert await link.call("ECHO", "stays") == b"stays"


@pytest.mark.parametrize("error", [OSError("no"), RuntimeError("a bug"), ValueError("options")])
async def test_nothing_that_a_client_raises_gets_through(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither when it is made, nor when it is asked."""
    monkeypatch.setattr(connection, "FIRST_PAUSE_S", 0.001)

    class Raising:
        works = True

        async def execute_command(self, *args: Any) -> Any:
            if not self.works:
                raise error

        async def aclose(self) -> None:
            raise error

    client = Raising()
    async with linked("redis://h", connect=lambda address: client) as link:
        client.works = False
        await fail(link)
        client.works = True
        await until(lambda: link.is_up)

    def refuse(address: object) -> Raising:
        raise error

    async with linked("redis://h", connect=refuse) as link:
        assert not link.is_up
        assert str(error) in link.why


@in_virtual_time
async def test_log_says_what_took_too_long(caplog: pytest.LogCaptureFixture) -> None:
    """A call, or coming back: a time limit has no words of its own. Nor has what is raised without any."""

    class Silent:
        hangs = True

        async def execute_command(self, *args: Any) -> Any:
            if self.hangs:
                await asyncio.Event().wait()
            if args[0] == "GET":
                raise ConnectionResetError

        async def aclose(self) -> None:
            pass

    client = Silent()
    async with linked("redis://h", connect=lambda address: client) as link:
        assert link.why == "connecting and a first write took longer than 1 s"
        client.hangs = False
        await asyncio.sleep(60)
        assert link.is_up
        assert await link.call("GET", "k") == Away("ConnectionResetError")
        client.hangs = True
        await fail(link)
    assert [record.message.partition(": ")[2] for record in caplog.records if "away" in record.message] == [
        "connecting and a first write took longer than 1 s",
        "no answer to a call within 50 ms",
    ]


@in_virtual_time
async def test_pauses_grow_and_have_a_bound() -> None:
    """With jitter, so that workers do not come back in step."""
    tried: list[float] = []

    def refuse(address: object) -> Any:
        tried.append(clock())
        raise OSError

    link = RedisLink("redis://h", rng=Random(1), connect=refuse)
    await link.start()
    await asyncio.sleep(60)
    await link.stop()
    pauses = [after - before for before, after in pairwise(tried)]

    assert pauses[0] <= 0.1
    assert all(1.0 <= pause <= 2.0 for pause in pauses[5:])
    assert len(set(pauses)) == len(pauses) > 20
