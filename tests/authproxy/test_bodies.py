"""Request bodies: bytes when they are all there, a stream when they are not, refused when too large."""

from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from authproxy import bodies
from authproxy.exchange import Message
from authproxy.rejections import Code, Rejection
from tests.support.asgi import body_message, playback


async def drain(upload: bodies.Upload) -> list[bytes]:
    return [piece async for piece in upload]


async def test_a_complete_body_is_bytes() -> None:
    """One message makes no stream."""
    body = await bodies.take(playback(body_message(b"hello")), content_length=b"5", limit=None)

    assert isinstance(body, httpx.ByteStream)
    assert b"".join([piece async for piece in body]) == b"hello"


async def test_a_longer_body_is_a_stream_in_order() -> None:
    """Chunks pass one by one; empty ones are not passed."""
    receive = playback(
        body_message(b"a", more=True),
        body_message(b"", more=True),
        body_message(b"b", more=True),
        body_message(b"c"),
    )
    body = await bodies.take(receive, content_length=b"", limit=None)

    assert isinstance(body, bodies.Upload)
    assert not body.started
    assert await drain(body) == [b"a", b"b", b"c"]
    assert body.started


async def test_a_declared_length_over_the_limit_is_refused_unread() -> None:
    """Nothing is received: the client never gets its 100 Continue."""
    refusal = await bodies.take(playback(), content_length=b"11", limit=10)

    assert isinstance(refusal, Rejection)
    assert refusal.code is Code.PAYLOAD_TOO_LARGE


async def test_a_first_chunk_over_the_limit_is_refused() -> None:
    """A body without a declared length is measured as it comes."""
    refusal = await bodies.take(playback(body_message(b"x" * 11, more=True)), content_length=b"", limit=10)

    assert isinstance(refusal, Rejection)


@pytest.mark.parametrize(("sizes", "fits"), [((5, 5), True), ((5, 6), False), ((10,), True)])
async def test_the_limit_is_exact_while_streaming(sizes: tuple[int, ...], fits: bool) -> None:
    """The byte that is one too many ends the upload; the one before does not."""
    messages = [body_message(b"x" * size, more=True) for size in sizes]
    body = await bodies.take(playback(*messages, body_message(b"")), content_length=b"", limit=10)
    assert isinstance(body, bodies.Upload)

    if fits:
        assert sum(map(len, await drain(body))) == sum(sizes)
    else:
        with pytest.raises(bodies.BodyTooLarge):
            await drain(body)


async def test_a_client_that_leaves_before_its_body_is_told_apart() -> None:
    """A disconnect instead of a body is an event of its own."""
    with pytest.raises(bodies.ClientGone):
        await bodies.take(playback({"type": "http.disconnect"}), content_length=b"", limit=None)


async def test_a_client_that_leaves_within_its_body_is_told_apart() -> None:
    """A disconnect half-way is no end of the body."""
    receive = playback(body_message(b"a", more=True), {"type": "http.disconnect"})
    body = await bodies.take(receive, content_length=b"", limit=None)
    assert isinstance(body, bodies.Upload)

    with pytest.raises(bodies.ClientGone):
        await drain(body)


async def test_a_body_that_is_refused_on_its_way_is_refused_to_who_reads_it_whole() -> None:
    """As to who streams it."""
    refusal = Rejection(Code.UNSUPPORTED_MEDIA_TYPE, "no")

    async def receive() -> Message:
        raise bodies.BodyRefused(refusal)

    exchange: Any = SimpleNamespace(
        receive=receive,
        head=SimpleNamespace(has_body=True, content_length=b""),
        route=SimpleNamespace(max_body=None),
    )

    assert await bodies.whole(exchange, 100) is refusal
