"""Tests of resolving names: remembered, refreshed behind the scenes, kept when the name server fails."""

import asyncio
import socket
import threading
from collections.abc import Iterator, Sequence

import pytest

from authproxy.upstream import resolver as module
from authproxy.upstream.errors import NameResolutionFailed
from authproxy.upstream.resolver import Address, Resolver, shared_resolver, system_lookup
from tests.support.fetching import until


def address(text: str) -> Address:
    return Address(socket.AF_INET, (text, 80))


class NameServer:
    """Answers what the test says, when it says so."""

    def __init__(self) -> None:
        self.answer: list[Address] | Exception = [address("192.0.2.1")]
        self.may_answer = threading.Event()
        self.may_answer.set()
        self.asked: list[tuple[str, int]] = []

    def __call__(self, host: str, port: int) -> Sequence[Address]:
        self.asked.append((host, port))
        self.may_answer.wait(5)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@pytest.fixture
def server() -> Iterator[NameServer]:
    server = NameServer()
    yield server
    server.may_answer.set()


@pytest.fixture
def resolver(server: NameServer) -> Iterator[Resolver]:
    resolver = Resolver(ttl_s=0.03, retry_s=0.03, lookup=server)
    yield resolver
    resolver.close()


async def test_an_answer_is_remembered_without_its_duplicates(server: NameServer, resolver: Resolver) -> None:
    """One question for many requests; each name and port has its own."""
    server.answer = [address("192.0.2.1"), address("192.0.2.2"), address("192.0.2.1")]
    answers = await asyncio.gather(*[resolver.resolve("a.test", 80) for _ in range(5)])
    await resolver.resolve("a.test", 81)

    assert set(answers) == {(address("192.0.2.1"), address("192.0.2.2"))}
    assert server.asked == [("a.test", 80), ("a.test", 81)]


async def test_an_old_answer_is_used_while_it_is_refreshed(server: NameServer, resolver: Resolver) -> None:
    """Only the first request ever waits for a name server."""
    old = await resolver.resolve("a.test", 80)
    await asyncio.sleep(0.05)
    server.answer = [address("192.0.2.9")]
    server.may_answer.clear()
    assert await resolver.resolve("a.test", 80) is old
    assert resolver.known("a.test", 80) is old
    server.may_answer.set()
    await until(lambda: resolver.known("a.test", 80) == (address("192.0.2.9"),))
    assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (socket.gaierror(socket.EAI_NONAME, "Name or service not known"), "Name or service not known"),
        (OSError("no reason"), "no reason"),
        (UnicodeError("label too long"), "label too long"),
    ],
)
async def test_a_failure_is_remembered_for_a_while(
    server: NameServer, resolver: Resolver, failure: Exception, reason: str
) -> None:
    """It is told at once to whoever asks meanwhile."""
    server.answer = failure
    for _ in range(3):
        with pytest.raises(NameResolutionFailed, match=f"a.test: {reason}"):
            await resolver.resolve("a.test", 80)
    assert len(server.asked) == 1
    assert resolver.known("a.test", 80) == ()
    server.answer = [address("192.0.2.1")]
    await until(lambda: resolver.known("a.test", 80) != ())


async def test_an_old_answer_outlives_a_failure(server: NameServer, resolver: Resolver) -> None:
    """Stale if error."""
    await resolver.resolve("a.test", 80)
    server.answer = OSError("away")
    await until(lambda: bool(resolver.known("a.test", 80)) and len(server.asked) >= 3)

    assert await resolver.resolve("a.test", 80) == (address("192.0.2.1"),)


async def test_an_empty_answer_is_a_failure(server: NameServer, resolver: Resolver) -> None:
    """No name server should give one."""
    server.answer = []
    with pytest.raises(NameResolutionFailed, match="no address"):
        await resolver.resolve("a.test", 80)


async def test_whoever_leaves_does_not_disturb_the_others(server: NameServer, resolver: Resolver) -> None:
    """The question goes on when one of the requests that wait for it is cancelled."""
    server.may_answer.clear()
    quitter, patient = (asyncio.create_task(resolver.resolve("a.test", 80)) for _ in range(2))
    await asyncio.sleep(0)
    quitter.cancel()
    await asyncio.sleep(0)
    server.may_answer.set()

    assert await patient == (address("192.0.2.1"),)


def test_another_loop_asks_again(server: NameServer, resolver: Resolver) -> None:
    """A question that a finished loop left behind is nobody's answer."""
    server.may_answer.clear()

    async def leave() -> None:
        resolver.known("a.test", 80)
        await asyncio.sleep(0)

    with asyncio.Runner() as runner:
        runner.run(leave())
    server.may_answer.set()

    async def ask() -> int:
        return len(await resolver.resolve("a.test", 80))

    with asyncio.Runner() as runner:
        assert runner.run(ask()) == 1


async def test_the_memory_is_bounded(resolver: Resolver, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest name is forgotten."""
    monkeypatch.setattr(module, "MAX_NAMES", 2)
    for host in ("a.test", "b.test", "c.test"):
        await resolver.resolve(host, 80)

    assert list(resolver._entries) == [("b.test", 80), ("c.test", 80)]


def test_the_system_is_asked() -> None:
    """localhost is known everywhere."""
    assert Address(socket.AF_INET, ("127.0.0.1", 80)) in system_lookup("localhost", 80)


def test_the_process_shares_one() -> None:
    """Services on the same host share its answers."""
    assert shared_resolver() is shared_resolver()
