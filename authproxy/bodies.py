"""I: The request's body on its way up: small ones as bytes, all others streamed with the client's own pace."""

from collections.abc import AsyncIterator

import httpx

from authproxy import problems
from authproxy.exchange import CLIENT_CLOSED_REQUEST, Exchange, Message, Receive
from authproxy.rejections import Rejection
from authproxy.upstream import slim
from resilience.outcomes import Outcome


class ClientGone(Exception):  # noqa: N818 - an event, nobody's error
    """The client left before its request was complete."""


class BodyTooLarge(Exception):  # noqa: N818 - becomes a refusal
    """The body grew past its limit while it arrived."""


class BodyRefused(Exception):  # noqa: N818 - becomes a refusal
    """What arrives of the body is not what the route takes. `rejection` says why."""

    def __init__(self, rejection: Rejection) -> None:
        super().__init__(rejection.message)
        self.rejection = rejection


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


async def whole(exchange: Exchange, limit: int) -> bytes | Rejection:
    """All of the request's body, for a step that has to see it; who comes after finds it as if nobody had read it.

    A body over `limit` (or over the route's `max_body`, if that is less) is refused at the byte that is too many.
    """
    if isinstance(exchange.receive, Replay):
        return exchange.receive.data
    if not exchange.head.has_body:
        return b""
    most = limit if exchange.route.max_body is None else min(limit, exchange.route.max_body)
    try:
        body = await take(exchange.receive, content_length=exchange.head.content_length, limit=most)
        if isinstance(body, Upload):
            data = b"".join([chunk async for chunk in body])
        elif isinstance(body, Rejection):
            exchange.outcome = Outcome.CLIENT_BODY
            return body
        else:
            data = slim.memory_body(body) or b""
    except ClientGone:
        return client_gone(exchange)
    except BodyTooLarge:
        exchange.outcome = Outcome.CLIENT_BODY
        return problems.payload_too_large(most)
    except BodyRefused as refused:
        exchange.outcome = Outcome.CLIENT_BODY
        return refused.rejection
    replace(exchange, data)
    return data


def replace(exchange: Exchange, data: bytes) -> None:
    """The request's body is `data` from now on."""
    exchange.receive = Replay(data, exchange.receive)
    exchange.head.content_length = b"%d" % len(data)


def client_gone(exchange: Exchange) -> Rejection:
    """Nobody is there any more to be answered."""
    exchange.outcome = Outcome.CLIENT_GONE
    exchange.status = CLIENT_CLOSED_REQUEST
    return problems.from_outcome(Outcome.CLIENT_GONE, service="")


class Replay:
    """A `receive` that gives a body that was read already, and then what the client does next."""

    __slots__ = ("_receive", "_told", "data")

    def __init__(self, data: bytes, receive: Receive) -> None:
        self.data = data
        self._receive = receive
        self._told = False

    async def __call__(self) -> Message:
        if self._told:
            return await self._receive()
        self._told = True
        return {"type": "http.request", "body": self.data, "more_body": False}


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
