"""Checks' connections over TLS: sessions are resumed, and nobody is trusted for it who would not be otherwise."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import httpx
import pytest
import uvloop

from authproxy.upstream import errors
from authproxy.upstream.resuming import ResumingTransport
from authproxy.upstream.sessions import Sessions
from authproxy.upstream.tls import TlsOptions
from tests.support.fetching import fetch
from tests.support.upstreams import Certificates, Peer, ScriptedUpstream, answering, response

CERTIFICATES = Certificates()


class Server:
    """An upstream that knows which of its handshakes resumed a session."""

    def __init__(self, tls: ssl.SSLContext) -> None:
        self.resumed: list[bool] = []
        self.upstream = ScriptedUpstream(self._serve, tls=tls)

    async def _serve(self, peer: Peer) -> None:
        self.resumed.append(peer.writer.get_extra_info("ssl_object").session_reused)
        await peer.request()
        await peer.send(response(b"well"))
        await peer.until_closed()

    async def restart(self, tls: ssl.SSLContext) -> None:
        """On the same port, with other keys and another certificate."""
        await self.upstream.stop()
        self.upstream._tls = tls
        await self.upstream.__aenter__()


@asynccontextmanager
async def server(version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> AsyncIterator[Server]:
    tls = CERTIFICATES.server_context("inner.test")
    tls.maximum_version = version
    made = Server(tls)
    async with made.upstream:
        yield made


@asynccontextmanager
async def transport(sessions: Sessions) -> AsyncIterator[ResumingTransport]:
    made = ResumingTransport(sessions=sessions, tls=TlsOptions(ca=CERTIFICATES.ca, sni="inner.test"))
    made.retire()
    yield made
    await made.aclose()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_each_connection_resumes_the_first_ones_session(version: ssl.TLSVersion) -> None:
    """As the server sees it; each is a new connection."""
    assert await resumed(version) == [False, True, True, True]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_workers_event_loop_takes_sessions_as_well(version: ssl.TLSVersion) -> None:
    """They are handed over in a way that loops need not allow."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        assert runner.run(resumed(version)) == [False, True, True, True]


async def resumed(version: ssl.TLSVersion) -> list[bool]:
    """Of four connections one after another: which of them took up a session."""
    async with server(version) as made, transport(Sessions()) as ours:
        for _ in range(4):
            assert (await fetch(ours, made.upstream.url)).body == b"well"
            await made.upstream.until_open(0)
        return made.resumed


async def test_a_server_that_refuses_works_as_before() -> None:
    """It was restarted, and does not know its tickets any more."""
    async with server() as made, transport(Sessions()) as ours:
        for _ in range(2):
            await fetch(ours, made.upstream.url)
        await made.restart(CERTIFICATES.server_context("inner.test"))
        for _ in range(2):
            assert (await fetch(ours, made.upstream.url)).body == b"well"
        assert made.resumed == [False, True, False, False]


UNTRUSTED: dict[str, Callable[[], ssl.SSLContext]] = {
    "another authority": lambda: Certificates().server_context("inner.test"),
    "another name": lambda: CERTIFICATES.server_context("elsewhere.test"),
}


@pytest.mark.parametrize("case", UNTRUSTED)
async def test_a_new_certificate_is_verified(case: str) -> None:
    """Whatever session is offered; and the failure takes the session away."""
    sessions = Sessions()
    async with server() as made, transport(sessions) as ours:
        for _ in range(2):
            await fetch(ours, made.upstream.url)
        await made.restart(UNTRUSTED[case]())
        for _ in range(2):
            with pytest.raises(errors.TlsFailed):
                await fetch(ours, made.upstream.url)
            assert not len(sessions)
        await made.restart(CERTIFICATES.server_context("inner.test"))
        for _ in range(2):
            await fetch(ours, made.upstream.url)
        assert made.resumed[-2:] == [False, True]


async def test_an_answer_that_fails_takes_the_session_away() -> None:
    """Whoever is ill is met as by a stranger."""
    sessions = Sessions()
    async with server() as made, transport(sessions) as ours:
        await fetch(ours, made.upstream.url)
        assert len(sessions) == 1
        await made.upstream.stop()
        with pytest.raises(httpx.ConnectError):
            await fetch(ours, made.upstream.url)
        assert not len(sessions)


async def test_without_tls_there_is_nothing_to_resume() -> None:
    """The same transport serves targets of both kinds."""
    sessions = Sessions()
    async with ScriptedUpstream(answering(response(b"plain"))) as upstream, transport(sessions) as ours:
        for _ in range(2):
            assert (await fetch(ours, upstream.url)).body == b"plain"
        assert not len(sessions)
