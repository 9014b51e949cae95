"""I: The step that notes bodies larger than `limits.max_body`, where `limits` is in `mode: log`: they pass."""

from typing import Final

from authproxy import problems
from authproxy.exchange import Exchange, Message, Receive
from authproxy.shaping.logonly import concluded

POLICY: Final = "limits"
REASON: Final = "max_body"


class SizeWatch:
    """One route's step."""

    __slots__ = ("_limit",)

    def __init__(self, limit: int) -> None:
        self._limit = limit

    def step(self, exchange: Exchange) -> None:
        """What the head announces is judged at once; a body of unknown length while it passes."""
        head = exchange.head
        if int(head.content_length or b"0") > self._limit:
            note(exchange, self._limit)
        elif head.chunked:
            exchange.receive = _Counting(exchange, exchange.receive, self._limit)


class _Counting:
    """A `receive` that notes once that there is too much."""

    __slots__ = ("_exchange", "_left", "_limit", "_receive")

    def __init__(self, exchange: Exchange, receive: Receive, limit: int) -> None:
        self._exchange: Exchange | None = exchange
        self._receive = receive
        self._limit = self._left = limit

    async def __call__(self) -> Message:
        message = await self._receive()
        exchange = self._exchange
        if exchange is not None:
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                self._exchange = None
                note(exchange, self._limit)
        return message


def note(exchange: Exchange, limit: int) -> None:
    """Counts it, and keeps what the client would have been told."""
    concluded(exchange, POLICY, REASON, problems.payload_too_large(limit), is_enforced=False)
