"""What goes out to an upstream, byte for byte."""

from collections.abc import AsyncIterator

import httpx
import pytest

from authproxy.upstream import errors
from authproxy.upstream.http1 import Http1Transport
from tests.support.fetching import fetch, read
from tests.support.upstreams import Peer, ScriptedUpstream, answering, response

CHUNKED = ((b"transfer-encoding", b"chunked"),)


@pytest.fixture
async def transport() -> AsyncIterator[Http1Transport]:
    transport = Http1Transport()
    yield transport
    await transport.aclose()


class Recorder:
    """A script that keeps what it was sent."""

    def __init__(self) -> None:
        self.received = bytearray()

    async def __call__(self, peer: Peer) -> None:
        while data := await peer.reader.read(65536):
            self.received += data
            if self.received.endswith((b"\r\n\r\n", b"end")):
                await peer.send(response())


async def test_a_request_is_sent_as_it_was_given(transport: Http1Transport) -> None:
    """Target, order, duplicates and odd bytes are kept; nothing is added."""
    recorder = Recorder()
    async with ScriptedUpstream(recorder) as upstream:
        await fetch(
            transport,
            upstream.url,
            method="PROPFIND",
            target=b"/a%2Fb//c/../d?x=1&x=%zz&\xe9",
            headers=[(b"x-a", b"1"), (b"X-B", b"caf\xe9"), (b"x-a", b""), (b"cookie", b'a="b c"; d=\t')],
        )

    assert bytes(recorder.received) == (
        b"PROPFIND /a%2Fb//c/../d?x=1&x=%zz&\xe9 HTTP/1.1\r\n"
        b"host: upstream.test\r\n"
        b"x-a: 1\r\nX-B: caf\xe9\r\nx-a: \r\n"
        b'cookie: a="b c"; d=\t\r\n'
        b"\r\n"
    )


async def test_the_url_is_the_target_when_none_is_given(transport: Http1Transport) -> None:
    """Without the extension the path and query of the URL are sent, as any httpx transport does."""
    recorder = Recorder()
    async with ScriptedUpstream(recorder) as upstream:
        request = httpx.Request("GET", upstream.url + "/a%20b?c=d")
        await read(await transport.handle_async_request(request))

    assert recorder.received.startswith(b"GET /a%20b?c=d HTTP/1.1\r\nHost: 127.0.0.1:")


@pytest.mark.parametrize("target", [b"*", b"http://a.test/b", b"a.test:443"])
async def test_all_four_forms_of_targets_can_be_sent(transport: Http1Transport, target: bytes) -> None:
    """RFC 9112 section 3.2: asterisk, absolute and authority form go out as they are."""
    recorder = Recorder()
    async with ScriptedUpstream(recorder) as upstream:
        await fetch(transport, upstream.url, method="OPTIONS", target=target)

    assert recorder.received.startswith(b"OPTIONS %b HTTP/1.1\r\n" % target)


async def test_a_body_in_memory_goes_out_with_its_head(transport: Http1Transport) -> None:
    """With Content-Length as it is, with Transfer-Encoding as one chunk."""
    async with ScriptedUpstream(answering(response())) as upstream, ScriptedUpstream(Recorder()) as plain:
        for headers in [((b"content-length", b"4"),), CHUNKED]:
            assert (
                await fetch(transport, upstream.url, method="POST", headers=headers, body=b"data")
            ).status == 200
        recorder = plain._script
        assert isinstance(recorder, Recorder)
        await fetch(transport, plain.url, method="POST", headers=CHUNKED, body=b"")
        await fetch(transport, plain.url, method="POST", headers=[(b"content-length", b"0")])
        await fetch(transport, plain.url, method="POST", headers=CHUNKED, body=b"0123456789abcdef")

    assert bytes(recorder.received).split(b"POST / HTTP/1.1\r\nhost: upstream.test\r\n")[1:] == [
        b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"content-length: 0\r\n\r\n",
        b"transfer-encoding: chunked\r\n\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n",
    ]


ILLEGAL = {
    "line break in a value": {"headers": [(b"x-a", b"1\r\nx-b: 2")]},
    "LF in a value": {"headers": [(b"x-a", b"1\nx-b: 2")]},
    "CR in a value": {"headers": [(b"x-a", b"1\r")]},
    "NUL in a value": {"headers": [(b"x-a", b"\0")]},
    "control byte in a value": {"headers": [(b"x-a", b"\x1b[1m")]},
    "DEL in a value": {"headers": [(b"x-a", b"\x7f")]},
    "space in a name": {"headers": [(b"x a", b"1")]},
    "colon in a name": {"headers": [(b"x-a:b", b"1")]},
    "empty name": {"headers": [(b"", b"1")]},
    "line break in a name": {"headers": [(b"x-a\r\nx-b", b"1")]},
    "high byte in a name": {"headers": [(b"x-\xe9", b"1")]},
    "space in the target": {"target": b"/a b"},
    "tab in the target": {"target": b"/a\tb"},
    "line break in the target": {"target": b"/a\r\nx: y"},
    "no method": {"method": ""},
    "space in the method": {"method": "GET /x"},
    "high character in the method": {"method": "GÉT"},
    "line break in the method": {"method": "GET\r\n"},
    "two lengths": {"headers": [(b"content-length", b"0"), (b"Content-Length", b"0")]},
    "length and chunks": {"headers": [(b"content-length", b"0"), *CHUNKED]},
    "chunks and length": {"headers": [*CHUNKED, (b"content-length", b"0")]},
    "another transfer coding": {"headers": [(b"transfer-encoding", b"gzip, chunked")]},
    "no number": {"headers": [(b"content-length", b"+1")], "body": b"1"},
    "an endless number": {"headers": [(b"content-length", b"9" * 19)], "body": b"1"},
    "body longer than announced": {"headers": [(b"content-length", b"1")], "body": b"12"},
    "body shorter than announced": {"headers": [(b"content-length", b"3")], "body": b"12"},
    "body missing": {"headers": [(b"content-length", b"3")]},
    "body not announced": {"body": b"12"},
}


@pytest.mark.parametrize("name", ILLEGAL)
async def test_what_could_be_read_as_two_requests_is_not_sent(transport: Http1Transport, name: str) -> None:
    """The request is refused before a connection is even opened."""
    async with ScriptedUpstream(answering(response())) as upstream:
        with pytest.raises(httpx.LocalProtocolError) as caught:
            await fetch(transport, upstream.url, **ILLEGAL[name])
        assert upstream.accepted == 0

    assert errors.progress_of(caught.value) == errors.NOTHING_SENT
    assert caught.value.request is not None
