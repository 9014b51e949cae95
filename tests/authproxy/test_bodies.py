"""Request bodies: bytes when they are all there, a stream when they are not, refused when too large."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from authproxy import bodies
from authproxy.rejections import Code, Rejection


def script(*messages: dict[str, Any]) -> Callable[[], Awaitable[dict[str, Any]]]:
    """An ASGI `receive` that plays back messages and fails when asked for more."""
    remaining = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(remaining)

    return receive


def chunk(body: bytes, *, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": body, "more_body": more}


async def drain(upload: bodies.Upload) -> list[bytes]:
    return [piece async for piece in upload]


async def test_a_complete_body_is_bytes() -> None:
    """One message makes no stream."""
    body = await bodies.take(script(chunk(b"hello")), content_length=b"5", limit=None)

    assert isinstance(body, httpx.ByteStream)
    assert b"".join([piece async for piece in body]) == b"hello"


async def test_a_longer_body_is_a_stream_in_order() -> None:
    """Chunks pass one by one; empty ones are not passed."""
    receive = script(chunk(b"a", more=True), chunk(b"", more=True), chunk(b"b", more=True), chunk(b"c"))
    body = await bodies.take(receive, content_length=b"", limit=None)

    assert isinstance(body, bodies.Upload)
    assert not body.started
    assert await drain(body) == [b"a", b"b", b"c"]
    assert body.started


async def test_a_declared_length_over_the_limit_is_refused_unread() -> None:
    """Nothing is received: the client never gets its 100 Continue."""
    refusal = await bodies.take(script(), content_length=b"11", limit=10)

    assert isinstance(refusal, Rejection)
    assert refusal.code is Code.PAYLOAD_TOO_LARGE


async def test_a_first_chunk_over_the_limit_is_refused() -> None:
    """A body without a declared length is measured as it comes."""
    refusal = await bodies.take(script(chunk(b"x" * 11, more=True)), content_length=b"", limit=10)

    assert isinstance(refusal, Rejection)


@pytest.mark.parametrize(("sizes", "fits"), [((5, 5), True), ((5, 6), False), ((10,), True)])
async def test_the_limit_is_exact_while_streaming(sizes: tuple[int, ...], fits: bool) -> None:
    """The byte that is one too many ends the upload; the one before does not."""
    messages = [chunk(b"x" * size, more=True) for size in sizes]
    body = await bodies.take(script(*messages, chunk(b"")), content_length=b"", limit=10)
    assert isinstance(body, bodies.Upload)

    if fits:
        assert sum(map(len, await drain(body))) == sum(sizes)
    else:
        with pytest.raises(bodies.BodyTooLarge):
            await drain(body)


async def test_a_client_that_leaves_before_its_body_is_told_apart() -> None:
    """A disconnect instead of a body is an event of its own."""
    with pytest.raises(bodies.ClientGone):
        await bodies.take(script({"type": "http.disconnect"}), content_length=b"", limit=None)


async def test_a_client_that_leaves_within_its_body_is_told_apart() -> None:
    """A disconnect half-way is no end of the body."""
    receive = script(chunk(b"a", more=True), {"type": "http.disconnect"})
    body = await bodies.take(receive, content_length=b"", limit=None)
    assert isinstance(body, bodies.Upload)

    with pytest.raises(bodies.ClientGone):
        await drain(body)
