"""I: The request's body on its way up: small ones as bytes, all others streamed with the client's own pace."""

from collections.abc import AsyncIterator

import httpx

from authproxy import problems
from authproxy.exchange import Message, Receive
from authproxy.rejections import Rejection


class ClientGone(Exception):  # noqa: N818 - an event, nobody's error
    """The client left before its request was complete."""


class BodyTooLarge(Exception):  # noqa: N818 - becomes a refusal
    """The body grew past its limit while it arrived."""


class Upload(httpx.AsyncByteStream):
    """A body that is still arriving. Holds one chunk at a time; refuses at the byte that is too many."""

    __slots__ = ("_first", "_left", "_receive", "started")

    def __init__(self, first: bytes, receive: Receive, *, limit: int | None) -> None:
        self._first = first
        self._receive = receive
        self._left = limit
        self.started = False
        """True once a byte may have gone to an upstream: from then on nothing can be repeated."""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        self.started = True
        chunk, more = self._first, True
        while True:
            if chunk:
                self._count(len(chunk))
                yield chunk
            if not more:
                return
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGone
            chunk, more = message.get("body", b""), message.get("more_body", False)

    def _count(self, size: int) -> None:
        if self._left is None:
            return
        self._left -= size
        if self._left < 0:
            raise BodyTooLarge


Body = httpx.ByteStream | Upload
EMPTY = httpx.ByteStream(b"")


async def take(receive: Receive, *, content_length: bytes, limit: int | None) -> Body | Rejection:
    """The body as far as it has arrived. A declared length over `limit` is refused before a byte is read."""
    if limit is not None and content_length and int(content_length) > limit:
        return problems.payload_too_large(limit)
    message = await receive()
    if message["type"] == "http.disconnect":
        raise ClientGone
    body = message.get("body", b"")
    if limit is not None and len(body) > limit:
        return problems.payload_too_large(limit)
    if message.get("more_body", False):
        return Upload(body, receive, limit=limit)
    return httpx.ByteStream(body)


def counted(receive: Receive, limit: int) -> Receive:
    """A `receive` that raises BodyTooLarge at the byte that is too many."""
    left = limit

    async def receive_counted() -> Message:
        nonlocal left
        message = await receive()
        left -= len(message.get("body", b""))
        if left < 0:
            raise BodyTooLarge
        return message

    return receive_counted
