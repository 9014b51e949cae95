"""Tests of opening connections; real sockets are in the functional tests."""

import asyncio
import socket
from collections.abc import Callable
from typing import Any, cast

import httpx
import pytest

from authproxy.upstream import dialling
from authproxy.upstream.dialling import AVOID_S, Dialler, Origin
from authproxy.upstream.resolver import Address, Addresses, Resolver


def address(text: str) -> Address:
    return Address(socket.AF_INET, (text, 80))


ONE, TWO, THREE = address("192.0.2.1"), address("192.0.2.2"), address("192.0.2.3")


@pytest.mark.parametrize(
    ("url", "origin", "text"),
    [
        ("http://a.test/x", Origin("http", "a.test", 80), "http://a.test:80"),
        ("https://a.test", Origin("https", "a.test", 443), "https://a.test:443"),
        ("http://a.test:8080", Origin("http", "a.test", 8080), "http://a.test:8080"),
        ("http://bücher.test", Origin("http", "xn--bcher-kva.test", 80), "http://xn--bcher-kva.test:80"),
        ("http://[::1]:81", Origin("http", "::1", 81), "http://[::1]:81"),
        ("unix:///run/a b.sock", Origin("unix", "", 0, "/run/a b.sock"), "unix:/run/a b.sock"),
        ("unix://localhost/run/a.sock", Origin("unix", "", 0, "/run/a.sock"), "unix:/run/a.sock"),
    ],
)
def test_an_origin_is_what_connections_lead_to(url: str, origin: Origin, text: str) -> None:
    """Scheme, host and port of a URL, or its socket; nothing else of it."""
    assert Origin.of(httpx.URL(url)) == origin
    assert str(origin) == text


def test_other_schemes_lead_nowhere() -> None:
    """The message names the scheme."""
    with pytest.raises(httpx.UnsupportedProtocol, match="ftp"):
        Origin.of(httpx.URL("ftp://a.test"))


class FakeResolver:
    def __init__(self, *addresses: Address) -> None:
        self.addresses: Addresses = addresses

    async def resolve(self, host: str, port: int) -> Addresses:
        return self.addresses

    def known(self, host: str, port: int) -> Addresses:
        return self.addresses


class FakeSocket:
    def __init__(self, name: object) -> None:
        self.name = name
        self.closed = False

    def close(self) -> None:
        self.closed = True


class Network:
    """Addresses connect, refuse, or keep silent until the test ends."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.refusing: set[Address] = set()
        self.silent: dict[Address, asyncio.Event] = {}
        self.tried: list[Any] = []
        self.opened: list[FakeSocket] = []
        self.deaf = False
        monkeypatch.setattr(dialling, "_open", self._open)
        monkeypatch.setattr(dialling, "STAGGER_S", 0.005)

    async def _open(self, family: int, sockaddr: Any) -> FakeSocket:
        target = Address(family, sockaddr)
        self.tried.append(target)
        if target in self.silent:
            try:
                await self.silent[target].wait()
            except asyncio.CancelledError:
                if not self.deaf:  # else it connected in the very moment in which it was to stop
                    raise
        if target in self.refusing:
            raise ConnectionRefusedError(111, f"{sockaddr[0]} refused")
        self.opened.append(FakeSocket(target))
        return self.opened[-1]


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    return Network(monkeypatch)


def dialler(*addresses: Address, url: str = "http://a.test") -> Dialler:
    resolver = cast("Resolver", FakeResolver(*addresses))
    return Dialler(Origin.of(httpx.URL(url)), resolver=resolver, tls=None, server_name=None)


async def connect(made: Dialler) -> Address:
    sock, chosen = await made._connect()
    assert cast("FakeSocket", sock).name == chosen
    assert chosen is not None
    return chosen


async def test_addresses_take_turns(network: Network) -> None:
    """Each connection begins with the next one."""
    made = dialler(ONE, TWO, THREE)

    assert [await connect(made) for _ in range(4)] == [TWO, THREE, ONE, TWO]


async def test_one_that_refuses_goes_to_the_end(network: Network, monkeypatch: pytest.MonkeyPatch) -> None:
    """For a while; then it gets another chance."""
    network.refusing = {TWO}
    made = dialler(ONE, TWO)
    assert [await connect(made) for _ in range(4)] == [ONE, ONE, ONE, ONE]
    assert network.tried == [TWO, ONE, ONE, ONE, ONE]
    network.refusing = set()
    now = asyncio.get_running_loop().time()
    assert made._ordered((ONE, TWO), now + AVOID_S + 1) == (ONE, TWO)
    made._avoid_until.clear()
    assert await connect(made) == TWO


async def test_all_refuse(network: Network) -> None:
    """The first reason is given."""
    network.refusing = {ONE, TWO}
    with pytest.raises(httpx.ConnectError, match=r"http://a\.test:80: 192\.0\.2\.2 refused"):
        await connect(dialler(ONE, TWO))


async def test_the_only_one_refuses(network: Network) -> None:
    """No second is tried."""
    network.refusing = {ONE}
    with pytest.raises(httpx.ConnectError, match="refused"):
        await connect(dialler(ONE))


async def test_a_silent_one_is_overtaken(network: Network) -> None:
    """And given up, even if it comes through in that very moment."""
    for deaf in (False, True):
        network.deaf = deaf
        network.silent = {TWO: asyncio.Event()}
        assert await connect(dialler(ONE, TWO)) == ONE
        await asyncio.sleep(0.01)
        assert [sock.closed for sock in network.opened if sock.name == TWO] == [True] * deaf


async def test_a_silent_one_may_still_win(network: Network) -> None:
    """While the others fail, it is waited for."""
    network.refusing = {ONE}
    network.silent = {TWO: asyncio.Event()}
    task = asyncio.create_task(connect(dialler(ONE, TWO)))
    await asyncio.sleep(0.02)
    network.silent[TWO].set()

    assert await task == TWO


async def test_two_at_once(network: Network) -> None:
    """One is used, the other closed."""
    network.silent = {TWO: asyncio.Event(), ONE: asyncio.Event()}
    task = asyncio.create_task(connect(dialler(ONE, TWO)))
    await asyncio.sleep(0.02)
    network.silent[ONE].set()
    network.silent[TWO].set()
    await task
    await asyncio.sleep(0)

    assert sorted(sock.closed for sock in network.opened) == [False, True]


async def test_giving_up_leaves_no_attempt_behind(network: Network) -> None:
    """Cancelling the whole cancels each."""
    network.silent = {TWO: asyncio.Event(), ONE: asyncio.Event()}
    task = asyncio.create_task(connect(dialler(ONE, TWO)))
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert network.opened == []
    assert len(asyncio.all_tasks()) == 1 or not await asyncio.sleep(0.01)
    assert len(asyncio.all_tasks()) == 1


@pytest.mark.parametrize("url", ["http://192.0.2.7", "http://[2001:db8::7]", "unix:///a.sock"])
async def test_only_names_can_change(url: str) -> None:
    """Literal addresses and sockets are not looked up."""
    assert dialler(ONE, url=url).known_addresses() is None
    assert dialler(ONE).known_addresses() == (ONE,)


async def test_a_literal_is_its_own_address(network: Network) -> None:
    """Whatever the resolver would say."""
    assert await connect(dialler(ONE, url="http://192.0.2.7:81")) == Address(
        socket.AF_INET, ("192.0.2.7", 81)
    )
    assert (await connect(dialler(ONE, url="http://[2001:db8::7]"))).family == socket.AF_INET6


@pytest.mark.parametrize(("failure", "kind"), [(OSError("x"), httpx.ConnectError), (KeyError("x"), KeyError)])
async def test_a_failure_after_connecting_closes_the_socket(
    network: Network, monkeypatch: pytest.MonkeyPatch, failure: Exception, kind: type[Exception]
) -> None:
    """In the handshake it is a TLS failure; anything else is passed on."""
    made = dialler(ONE)

    async def speak(sock: Any, factory: Callable[[], Any]) -> None:
        raise failure

    monkeypatch.setattr(made, "_speak", speak)
    with pytest.raises(kind):
        await made.dial(cast("Any", None))
    assert network.opened[0].closed
