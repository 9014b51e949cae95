"""Where upstreams are: names with several, changing or no addresses, IPv6, Unix sockets, closed ports."""

import asyncio
import socket
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import httpx
import pytest

from authproxy.upstream import errors
from authproxy.upstream.http1 import Http1Transport
from authproxy.upstream.pool import PoolLimits
from authproxy.upstream.resolver import Address, Resolver
from tests.support.fetching import fetch, until
from tests.support.upstreams import Peer, ScriptedUpstream, answering, response


class Names:
    """A name server under the test's control."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses
        self.asked = 0

    def __call__(self, host: str, port: int) -> Sequence[Address]:
        self.asked += 1
        if not self.addresses:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [
            Address(socket.AF_INET6, (text, port, 0, 0))
            if ":" in text
            else Address(socket.AF_INET, (text, port))
            for text in self.addresses
        ]


@pytest.fixture
async def names() -> Names:
    return Names()


@pytest.fixture
async def transport(names: Names) -> AsyncIterator[Http1Transport]:
    resolver = Resolver(ttl_s=0.05, retry_s=0.05, lookup=names)
    transport = Http1Transport(resolver=resolver, sweep_s=0.01)
    yield transport
    await transport.aclose()
    resolver.close()


def named(upstream: ScriptedUpstream) -> str:
    return f"http://api.test:{upstream.port}"


async def test_a_unix_socket(transport: Http1Transport, tmp_path: Path) -> None:
    """unix:///path; connections are kept as any others."""
    async with ScriptedUpstream(answering(response(b"local")), path=tmp_path / "up.sock") as upstream:
        first = await fetch(transport, upstream.url)
        second = await fetch(transport, upstream.url)

    assert (first.body, second.reused) == (b"local", True)
    assert list(transport.stats()) == [f"unix:{tmp_path}/up.sock"]


async def test_a_unix_socket_that_is_not_there(transport: Http1Transport, tmp_path: Path) -> None:
    """A refused connection like any other."""
    with pytest.raises(httpx.ConnectError, match="No such file"):
        await fetch(transport, f"unix://{tmp_path}/none.sock")


async def test_an_ipv6_literal(transport: Http1Transport) -> None:
    """No name is looked up."""
    async with ScriptedUpstream(answering(response()), host="::1") as upstream:
        assert (await fetch(transport, upstream.url)).status == 200


async def test_a_closed_port(transport: Http1Transport) -> None:
    """Refused: nothing has been sent, and nothing is left."""
    upstream = ScriptedUpstream(answering(response()))
    async with upstream:
        pass
    with pytest.raises(httpx.ConnectError) as caught:
        await fetch(transport, upstream.url)

    assert errors.progress_of(caught.value) == errors.NOTHING_SENT
    assert transport.stats()[upstream.url].connecting == 0


async def test_a_port_that_does_not_answer(transport: Http1Transport) -> None:
    """The connect timeout, or the deadline if that comes first."""
    loop = asyncio.get_running_loop()
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        url = f"http://127.0.0.1:{full.getsockname()[1]}"
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        with pytest.raises(httpx.ConnectTimeout):
            await fetch(transport, url, timeout={"connect": 0.1})
        with pytest.raises(errors.DeadlineExceeded):
            await fetch(transport, url, timeout={"connect": 5}, deadline=loop.time() + 0.1)
        assert transport.stats()[url].connecting == 0
        for filler in fillers:
            filler.close()


async def test_a_name_without_addresses(transport: Http1Transport) -> None:
    """A DNS error; while it lasts the name server is not asked for every request."""
    names = transport._resolver._lookup
    for _ in range(3):
        with pytest.raises(errors.NameResolutionFailed, match="not known") as caught:
            await fetch(transport, "http://api.test:1")
        assert errors.progress_of(caught.value) == errors.NOTHING_SENT
    assert names.asked == 1  # type: ignore[attr-defined]


async def test_a_name_is_asked_for_once_however_many_requests_wait(
    transport: Http1Transport, names: Names
) -> None:
    """One question at a time, and none while the answer is fresh."""
    names.addresses = ("127.0.0.1",)
    async with ScriptedUpstream(answering(response())) as upstream:
        await asyncio.gather(*[fetch(transport, named(upstream)) for _ in range(10)])

    assert names.asked == 1


async def test_an_address_that_refuses_is_passed_over(transport: Http1Transport, names: Names) -> None:
    """The next address gets the connection; for a while the bad one comes last."""
    names.addresses = ("::1", "127.0.0.1")
    async with ScriptedUpstream(answering(response())) as upstream:
        for _ in range(4):
            assert (await fetch(transport, named(upstream), fresh=True)).status == 200


async def test_all_addresses_refuse(transport: Http1Transport, names: Names) -> None:
    """Then so does the connection."""
    names.addresses = ("::1", "127.0.0.1", "127.0.0.2")
    upstream = ScriptedUpstream(answering(response()))
    async with upstream:
        pass
    with pytest.raises(httpx.ConnectError):
        await fetch(transport, named(upstream))


async def test_an_address_that_is_silent_is_not_waited_for(transport: Http1Transport, names: Names) -> None:
    """After a moment the next address is tried beside it (RFC 8305)."""
    with socket.socket() as full:
        full.bind(("127.0.0.2", 0))
        full.listen(0)
        port = full.getsockname()[1]
        fillers = [socket.socket() for _ in range(3)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        names.addresses = ("127.0.0.1", "127.0.0.2")
        upstream = ScriptedUpstream(answering(response()))
        upstream.port = port
        async with upstream:
            for _ in range(2):
                assert (
                    await fetch(transport, named(upstream), fresh=True, timeout={"connect": 2})
                ).status == 200
        for filler in fillers:
            filler.close()


async def test_connections_are_spread_over_the_addresses(transport: Http1Transport, names: Names) -> None:
    """Each new connection begins with another address."""
    names.addresses = ("127.0.0.1", "127.0.0.2")
    async with ScriptedUpstream(answering(response(b"one")), host="127.0.0.1") as one:
        two = ScriptedUpstream(answering(response(b"two")), host="127.0.0.2")
        two.port = one.port
        async with two:
            bodies = [(await fetch(transport, named(one), fresh=True)).body for _ in range(4)]

    assert sorted(bodies) == [b"one", b"one", b"two", b"two"]


async def test_a_name_that_moves_takes_its_connections_along(transport: Http1Transport, names: Names) -> None:
    """Idle connections to an address that is gone are closed, busy ones when their request is over."""
    names.addresses = ("127.0.0.1",)
    go = asyncio.Event()

    async def script(peer: Peer) -> None:
        request = await peer.request()
        if request.target == b"/slow":
            await go.wait()
        await peer.send(response(b"old"))
        await peer.until_closed()

    async with ScriptedUpstream(script) as old:
        new = ScriptedUpstream(answering(response(b"new")), host="127.0.0.2")
        new.port = old.port
        async with new:
            slow = asyncio.create_task(fetch(transport, named(old), target=b"/slow"))
            await fetch(transport, named(old))
            await old.until_open(2)
            names.addresses = ("127.0.0.2",)
            await old.until_open(1)
            go.set()
            assert (await slow).body == b"old"
            await old.until_open(0)
            assert (await fetch(transport, named(old))).body == b"new"


async def test_a_name_server_that_fails_changes_nothing(transport: Http1Transport, names: Names) -> None:
    """The last answer stays in use, and it is asked again now and then."""
    names.addresses = ("127.0.0.1",)
    async with ScriptedUpstream(answering(response())) as upstream:
        await fetch(transport, named(upstream))
        names.addresses = ()
        await until(lambda: names.asked >= 3)
        assert (await fetch(transport, named(upstream))).reused
        assert (await fetch(transport, named(upstream), fresh=True)).status == 200


async def test_an_unknown_scheme(transport: Http1Transport) -> None:
    """Only http, https and unix lead anywhere."""
    with pytest.raises(httpx.UnsupportedProtocol):
        await fetch(transport, "ftp://127.0.0.1/")


async def test_many_at_once_never_exceed_the_limit(names: Names) -> None:
    """500 requests over 20 connections: all are served, never more connections than allowed."""
    transport = Http1Transport(limits=PoolLimits(max_connections=20), sweep_s=0.01)
    async with ScriptedUpstream(answering(response())) as upstream:
        results = await asyncio.gather(*[fetch(transport, upstream.url) for _ in range(500)])
        assert {result.status for result in results} == {200}
        assert upstream.accepted == 20
    await transport.aclose()
