"""I: A request's body that somebody looks at before it goes on: as much of it as is wanted is held, and given again."""

from collections.abc import Callable

from authproxy import bodies
from authproxy.exchange import Exchange, Message, Receive

Check = Callable[[bytes, bool], None]
"""Sees each piece before it goes on, and whether it is the last; raises BodyRefused."""


class Held:
    """A `receive` that gives what was held first, in one piece, and then what comes; all but that passes `check`."""

    __slots__ = ("_check", "_held", "_more", "_receive", "_told")

    def __init__(self, held: bytes, *, more: bool, receive: Receive, check: Check | None = None) -> None:
        self._held = held
        self._more = more
        self._receive = receive
        self._check = check
        self._told = False

    async def __call__(self) -> Message:
        if not self._told:
            self._told = True
            held, self._held = self._held, b""
            return {"type": "http.request", "body": held, "more_body": self._more}
        message = await self._receive()
        if self._more and message["type"] == "http.request":
            self._more = message.get("more_body", False)
            if self._check is not None:
                self._check(message.get("body", b""), not self._more)
        return message


class Gone:
    """A `receive` of a client that has left."""

    async def __call__(self) -> Message:
        return {"type": "http.disconnect"}


async def hold(exchange: Exchange, enough: Callable[[bytes, bool], bool], check: Check | None = None) -> None:
    """Take pieces until `enough` says so of one (the last one is always enough); then all of them are given again.

    A client that leaves meanwhile is noticed by whoever reads next. `enough` may raise: nothing is given again then.
    """
    receive = exchange.receive
    pieces: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            exchange.receive = Gone()
            return
        piece, more = message.get("body", b""), message.get("more_body", False)
        pieces.append(piece)
        if enough(piece, not more) or not more:
            break
    exchange.receive = Held(b"".join(pieces), more=more, receive=receive, check=check)


async def read_up_to(exchange: Exchange, limit: int) -> bytes | None:
    """The whole body, unless it is larger than `limit`: None then. Either way it is as if nobody had read it."""
    if isinstance(exchange.receive, bodies.Replay):
        return exchange.receive.data if len(exchange.receive.data) <= limit else None
    if int(exchange.head.content_length or b"0") > limit:
        return None
    pieces: list[bytes] = []
    size = 0
    is_whole = False

    def enough(piece: bytes, is_last: bool) -> bool:
        nonlocal size, is_whole
        pieces.append(piece)
        size += len(piece)
        is_whole = is_last and size <= limit
        return size > limit

    await hold(exchange, enough)
    return b"".join(pieces) if is_whole else None
