"""Tests of HTTP/2's sockets, against real ones."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpcore
import httpx
import pytest

from authproxy.upstream import errors, http2wire
from authproxy.upstream.http2wire import MOST_UNREAD, Wire, Wires
from authproxy.upstream.resolver import Address, Resolver
from authproxy.upstream.tls import TlsOptions, http2_context_for
from tests.support.fetching import until
from tests.support.upstreams import Certificates, Peer, ScriptedUpstream


@asynccontextmanager
async def pair() -> AsyncIterator[tuple[Wire, socket.socket]]:
    """A wire, and a plain socket at its other end that is read by hand."""
    loop = asyncio.get_running_loop()
    near, far = socket.socketpair()
    near.setblocking(False)
    far.setblocking(False)
    _, wire = await loop.create_connection(Wire, sock=near)
    try:
        yield wire, far
    finally:
        await wire.aclose()
        far.close()


async def test_what_comes_is_read() -> None:
    """As far as it is there and wanted; nothing at the end, again and again."""
    loop = asyncio.get_running_loop()
    async with pair() as (wire, far):
        await loop.sock_sendall(far, b"hello")
        assert await wire.read(3) == b"hel"
        assert await wire.read(3) == b"lo"
        waiting = asyncio.create_task(wire.read(10, timeout=10))
        await loop.sock_sendall(far, b"again")
        assert await waiting == b"again"
        far.close()
        assert await wire.read(10) == await wire.read(10) == b""
        assert wire.is_over


async def test_silence_ends_in_a_timeout() -> None:
    """And what comes afterwards is not lost."""
    async with pair() as (wire, far):
        with pytest.raises(httpcore.ReadTimeout):
            await wire.read(10, timeout=0.01)
        await asyncio.get_running_loop().sock_sendall(far, b"late")
        assert await wire.read(10) == b"late"


async def test_unread_bytes_are_bounded() -> None:
    """The sender has to wait; all of it comes through in order."""
    loop = asyncio.get_running_loop()
    sent = bytes(range(256)) * 20_000
    async with pair() as (wire, far):
        sending = asyncio.create_task(loop.sock_sendall(far, sent))
        while not wire._is_paused:  # noqa: ASYNC110
            await asyncio.sleep(0.001)
        assert len(wire._got) < 2 * MOST_UNREAD
        assert not sending.done()
        got = bytearray()
        while len(got) < len(sent):
            got += await wire.read(100_000)
        await sending
    assert got == sent


async def test_a_write_that_is_cancelled_is_written() -> None:
    """Whoever carried the bytes: another one's may be among them. Only waiting for room ends."""
    loop = asyncio.get_running_loop()
    async with pair() as (wire, far):
        full = asyncio.create_task(wire.write(b"a" * 10_000_000))
        await asyncio.sleep(0)
        cancelled = asyncio.create_task(wire.write(b"b"))
        await asyncio.sleep(0)
        for task in (full, cancelled):
            assert not task.done()
            task.cancel()
        await asyncio.wait([full, cancelled])
        wire.put(b"c")
        wire.put(b"")
        got = bytearray()
        while not got.endswith(b"c"):
            got += await loop.sock_recv(far, 1 << 20)
        await wire.write(b"")
    assert got == b"a" * 10_000_000 + b"bc"


async def test_an_upstream_that_takes_nothing() -> None:
    """A timeout."""
    async with pair() as (wire, _):
        with pytest.raises(httpcore.WriteTimeout):
            await wire.write(bytes(10_000_000), timeout=0.01)


async def test_a_lost_connection() -> None:
    """Reading and writing both say so, and whoever waits hears of it."""
    async with pair() as (wire, far):
        stuck = asyncio.create_task(wire.write(bytes(10_000_000)))
        await asyncio.sleep(0)
        far.close()
        await stuck
        with pytest.raises(httpcore.ReadError):
            await wire.read(1)
        with pytest.raises(httpcore.WriteError):
            wire.put(b"x")


async def test_connecting() -> None:
    """Names and refusals as everywhere; a dialler for each place, a bounded number of them."""
    wires = Wires()
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        for _ in range(2):
            with pytest.raises(httpx.ConnectError):
                await wires.connect_tcp("127.0.0.1", closed.getsockname()[1], timeout=5)
        assert len(wires._diallers) == 1


async def test_a_name_that_leads_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection to an address that the name no longer has is left; one that it still has among others is not."""
    answers = ["127.0.0.1"]

    def lookup(_host: str, port: int) -> list[Address]:
        return [Address(socket.AF_INET, (each, port)) for each in answers]

    async def script(peer: Peer) -> None:
        await peer.until_closed()

    resolver = Resolver(ttl_s=0.0, lookup=lookup)
    monkeypatch.setattr(http2wire, "shared_resolver", lambda: resolver)
    async with ScriptedUpstream(script) as upstream:
        port = httpx.URL(upstream.url).port or 0
        wire = await Wires().connect_tcp("moving.test", port)
        left = [wire.is_left]
        for now in (["127.0.0.2", "127.0.0.1"], ["127.0.0.2"]):
            answers[:] = now
            await until(lambda now=now: len(resolver.known("moving.test", port)) == len(now), within_s=30.0)
            left.append(wire.is_left)
        await wire.aclose()
    resolver.close()
    assert left == [False, False, True]


async def test_diallers_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest is forgotten."""
    monkeypatch.setattr(http2wire, "MOST_DIALLERS", 2)

    async def script(peer: Peer) -> None:
        await peer.until_closed()

    wires = Wires()
    async with (
        ScriptedUpstream(script) as one,
        ScriptedUpstream(script) as two,
        ScriptedUpstream(script) as three,
    ):
        ports = [httpx.URL(upstream.url).port or 0 for upstream in (one, two, three)]
        opened = [await wires.connect_tcp("127.0.0.1", port) for port in ports]
        assert [port for _, port in wires._diallers] == ports[1:]
        for wire in opened:
            await wire.aclose()


async def test_a_silent_handshake() -> None:
    """Connecting's own timeout."""

    async def script(peer: Peer) -> None:
        await peer.until_closed()

    async with ScriptedUpstream(script) as upstream:
        wire = await Wires().connect_tcp("127.0.0.1", httpx.URL(upstream.url).port or 0)
        with pytest.raises(httpx.ConnectTimeout):
            await wire.start_tls(http2_context_for(TlsOptions()), "a.test", timeout=0.05)
        assert wire._transport.is_closing()


async def test_a_handshake_that_fails() -> None:
    """Nobody trusts the certificate."""
    certificates = Certificates()

    async def script(peer: Peer) -> None:
        await peer.until_closed()

    async with ScriptedUpstream(script, tls=certificates.server_context()) as upstream:
        wire = await Wires().connect_tcp("127.0.0.1", httpx.URL(upstream.url).port or 0)
        with pytest.raises(errors.TlsFailed):
            await wire.start_tls(http2_context_for(TlsOptions()), "localhost", timeout=5)
        assert wire._transport.is_closing()
