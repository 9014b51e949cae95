"""TLS towards upstreams: who is trusted, who we are, and what a failed handshake looks like."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from authproxy.upstream import errors
from authproxy.upstream.http1 import Http1Transport
from authproxy.upstream.tls import TlsOptions
from tests.support.fetching import Fetched, fetch
from tests.support.upstreams import Certificates, Peer, ScriptedUpstream, answering, response


@pytest.fixture(scope="module")
def certificates() -> Certificates:
    return Certificates()


async def secure_fetch(url: str, *, times: int = 1, **tls: object) -> Fetched:
    transport = Http1Transport(tls=TlsOptions(**tls))  # type: ignore[arg-type]
    try:
        for _ in range(times):
            fetched = await fetch(transport, url, timeout={"connect": 5})
    finally:
        await transport.aclose()
    return fetched


async def test_an_upstream_that_our_authority_vouches_for(certificates: Certificates, tmp_path: Path) -> None:
    """The authority may be given as PEM text or as a file; connections are kept."""
    file = tmp_path / "ca.pem"
    file.write_text(certificates.ca)
    async with ScriptedUpstream(answering(response(b"hi")), tls=certificates.server_context()) as upstream:
        for ca in (certificates.ca, str(file)):
            fetched = await secure_fetch(upstream.url, times=2, ca=ca)
            assert (fetched.body, fetched.reused) == (b"hi", True)
        assert upstream.accepted == 2


async def test_a_large_answer_and_upload(certificates: Certificates) -> None:
    """Backpressure works through TLS, too."""
    size = 5_000_000

    async def script(peer: Peer) -> None:
        request = await peer.request()
        await peer.send(response(request.body))
        await peer.until_closed()

    async with ScriptedUpstream(script, tls=certificates.server_context()) as upstream:
        transport = Http1Transport(tls=TlsOptions(ca=certificates.ca))
        fetched = await fetch(
            transport, upstream.url, headers=[(b"content-length", b"%d" % size)], body=b"x" * size
        )
        await transport.aclose()

    assert len(fetched.body) == size


UNTRUSTED: dict[str, Callable[[Certificates], tuple[str, dict[str, object]]]] = {
    "unknown authority": lambda certificates: ("localhost", {}),
    "another authority": lambda certificates: ("localhost", {"ca": Certificates().ca}),
    "another name": lambda certificates: ("elsewhere.test", {"ca": certificates.ca}),
    "another name than asked for": lambda certificates: (
        "127.0.0.1",
        {"ca": certificates.ca, "sni": "b.test"},
    ),
}


@pytest.mark.parametrize("case", UNTRUSTED)
async def test_an_upstream_that_is_not_trusted_is_not_spoken_to(
    certificates: Certificates, case: str
) -> None:
    """The handshake fails: a TLS error, and nothing has been sent."""
    name, tls = UNTRUSTED[case](certificates)
    async with ScriptedUpstream(answering(response()), tls=certificates.server_context(name)) as upstream:
        with pytest.raises(errors.TlsFailed) as caught:
            await secure_fetch(upstream.url, **tls)
        assert errors.progress_of(caught.value) == errors.NOTHING_SENT

        fetched = await secure_fetch(upstream.url, verify=False)
        assert fetched.status == 200


async def test_the_name_to_ask_for_can_be_set(certificates: Certificates) -> None:
    """SNI carries it, and the certificate has to be for it instead of the host."""
    asked: list[str | None] = []
    context = certificates.server_context("inner.test")
    context.sni_callback = lambda _, name, __: asked.append(name)
    async with ScriptedUpstream(answering(response()), tls=context) as upstream:
        fetched = await secure_fetch(upstream.url, ca=certificates.ca, sni="inner.test")

    assert fetched.status == 200
    assert asked == ["inner.test"]


@pytest.mark.parametrize("combined", [True, False])
async def test_a_client_certificate_is_presented(certificates: Certificates, combined: bool) -> None:
    """As certificate and key, or both in one; without it the upstream hangs up."""
    pair = certificates.issue("gateway@torana.test")
    given = {"cert": pair.cert + pair.key} if combined else {"cert": pair.cert, "key": pair.key}
    context = certificates.server_context(client_certificate=True)
    async with ScriptedUpstream(answering(response(b"known")), tls=context) as upstream:
        assert (await secure_fetch(upstream.url, ca=certificates.ca, **given)).body == b"known"
        with pytest.raises(
            (errors.ConnectionLost, errors.TlsFailed)
        ):  # TLS 1.3 tells only after the handshake
            await secure_fetch(upstream.url, ca=certificates.ca)


async def test_an_upstream_that_does_not_speak_tls() -> None:
    """What it answers is no handshake."""

    async def script(peer: Peer) -> None:
        await peer.reader.read(10)
        await peer.send(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await peer.until_closed()

    async with ScriptedUpstream(script) as upstream:
        with pytest.raises(errors.TlsFailed):
            await secure_fetch(upstream.url.replace("http:", "https:"))


async def test_an_upstream_that_hangs_up_in_the_handshake() -> None:
    """A reset there is a TLS failure as well: TCP had been connected."""

    async def script(peer: Peer) -> None:
        await peer.reader.read(10)
        peer.reset()

    async with ScriptedUpstream(script) as upstream:
        with pytest.raises(errors.TlsFailed):
            await secure_fetch(upstream.url.replace("http:", "https:"))


async def test_an_upstream_that_is_silent_in_the_handshake() -> None:
    """The connect timeout covers the handshake, and the socket is closed."""
    transport = Http1Transport()

    async def script(peer: Peer) -> None:
        await peer.until_closed()

    async with ScriptedUpstream(script) as upstream:
        with pytest.raises(errors.httpx.ConnectTimeout):
            await fetch(transport, upstream.url.replace("http:", "https:"), timeout={"connect": 0.1})
        await upstream.until_open(0)
    await transport.aclose()


@pytest.mark.parametrize("politely", [True, False])
async def test_a_body_until_close_needs_a_proper_goodbye(certificates: Certificates, politely: bool) -> None:
    """Without close_notify anybody in between could have cut the body short (RFC 8446 section 6.1)."""

    async def script(peer: Peer) -> None:
        await peer.request()
        await peer.send(b"HTTP/1.1 200 OK\r\n\r\nall of it")
        if politely:
            peer.close()
        else:
            await asyncio.sleep(0.05)
            peer.writer.transport.abort()

    async with ScriptedUpstream(script, tls=certificates.server_context()) as upstream:
        if politely:
            assert (await secure_fetch(upstream.url, ca=certificates.ca)).body == b"all of it"
        else:
            with pytest.raises(errors.BodyBroken):
                await secure_fetch(upstream.url, ca=certificates.ca)


async def test_a_file_that_was_replaced_counts_from_the_next_connection(
    certificates: Certificates, tmp_path: Path
) -> None:
    """The old one is used until there is one that can be; nobody has to reload anything."""
    others, file = Certificates(), tmp_path / "ca.pem"
    pair = others.issue("127.0.0.1")
    (tmp_path / "pair.pem").write_text(pair.cert + pair.key)
    file.write_text(certificates.ca)
    server = certificates.server_context()
    once = response(b"hi", headers=[("Connection", "close")])
    async with ScriptedUpstream(answering(once), tls=server) as upstream:
        transport = Http1Transport(tls=TlsOptions(ca=str(file)))
        assert (await fetch(transport, upstream.url)).body == b"hi"
        file.write_text(certificates.ca[:100])
        assert (await fetch(transport, upstream.url)).body == b"hi"
        server.load_cert_chain(tmp_path / "pair.pem")
        with pytest.raises(errors.TlsFailed):
            await fetch(transport, upstream.url)
        file.write_text(others.ca)
        assert (await fetch(transport, upstream.url)).body == b"hi"
        await transport.aclose()
