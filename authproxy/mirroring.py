"""I: Copies of requests for another service, whose answers nobody sees.

The client's request goes its way and is only listened to. Once its answer has begun and its body is whole, a copy is
sent by a task of its own, so it neither slows nor fails the original. Copies are bounded: in number, time and bytes.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, Final

from authproxy.exchange import Exchange, Message, Receive, Send
from authproxy.headers import Pairs
from authproxy.rejections import Rejection
from authproxy.steps import Destination
from authproxy.subrequests import Ask, copied_route, discard
from routing.shapes.mirror import Mirror
from routing.snapshot import CompiledRoute

Tell = Callable[[Exchange, str], Pairs]
"""What a service is told of the caller."""
MOST_AT_ONCE: Final = 100
"""Copies on their way, per worker; a request beyond is not copied."""
LONGEST_S: Final = 30.0
"""A copy that takes longer is given up."""


class Mirrors:
    """The copies that one worker has on their way, and how copies have ended."""

    def __init__(self, *, most: int = MOST_AT_ONCE) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()
        """By route and ending: answered, failed, too_many, too_long."""
        self._most = most
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, route: str, copying: Callable[[], Coroutine[Any, Any, bool]]) -> None:
        """Start a copy, unless there are too many already."""
        if len(self._tasks) >= self._most:
            self.counts[route, "too_many"] += 1
            return
        task = asyncio.get_running_loop().create_task(self._sent(route, copying))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _sent(self, route: str, copying: Callable[[], Coroutine[Any, Any, bool]]) -> None:
        was_answered = False
        try:
            async with asyncio.timeout(LONGEST_S):
                was_answered = await copying()
        except TimeoutError:
            pass
        finally:
            self.counts[route, "answered" if was_answered else "failed"] += 1

    async def aclose(self) -> None:
        """Give up what is on its way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


class Mirroring:
    """What stands around one route's destination."""

    def __init__(
        self,
        route: CompiledRoute,
        mirror: Mirror,
        destination: Destination,
        *,
        mirrors: Mirrors,
        tell: Tell,
        roll: Callable[[], float],
    ) -> None:
        self._route = copied_route(route)
        self._mirror = mirror
        self._destination = destination
        self._mirrors = mirrors
        self._tell = tell
        self._roll = roll

    async def answer(self, exchange: Exchange) -> Rejection | None:
        """The destination's answer."""
        if self._roll() >= self._mirror.share:
            return await self._destination(exchange)
        heard = _Heard(exchange.receive, self._mirror.max_body, has_body=exchange.head.has_body)
        send = exchange.send
        watch = _Watch(send, lambda: self._copy(exchange, heard))
        exchange.receive, exchange.send = heard, watch
        try:
            return await self._destination(exchange)
        finally:
            exchange.send = send  # a refusal is no answer of the service's
            if watch.has_begun and not heard.is_taken:
                self._copy(exchange, heard)
                if not heard.is_taken:
                    self._mirrors.counts[exchange.route.name, "too_long"] += 1

    def _copy(self, exchange: Exchange, heard: "_Heard") -> None:
        """Once the whole request has been heard."""
        if not heard.is_whole or heard.is_taken:
            return
        heard.is_taken = True
        mirror, path = self._mirror, exchange.path.forward
        query, fields = exchange.scope["query_string"], list(exchange.head.passed)
        wanted = Ask(mirror.service, exchange.method, path, query, fields, b"".join(heard.parts))
        told = self._tell(exchange, mirror.service)
        self._mirrors.send(exchange.route.name, lambda: discard(exchange, self._route, wanted, told=told))


class _Heard:
    """A `receive` that keeps what passes, as long as it is short enough."""

    __slots__ = ("_left", "_receive", "is_taken", "is_whole", "parts")

    def __init__(self, receive: Receive, limit: int, *, has_body: bool) -> None:
        self._receive = receive
        self._left = limit
        self.parts: list[bytes] = []
        self.is_whole = not has_body
        self.is_taken = False

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request" and not self.is_whole and self._left >= 0:
            data = message.get("body", b"")
            self._left -= len(data)
            if self._left < 0:
                self.parts.clear()
            else:
                self.parts.append(data)
                self.is_whole = not message.get("more_body", False)
        return message


class _Watch:
    """A `send` that notes when the answer begins."""

    __slots__ = ("_begun", "_send", "has_begun")

    def __init__(self, send: Send, begun: Callable[[], None]) -> None:
        self._send = send
        self._begun = begun
        self.has_begun = False

    def __call__(self, message: Message) -> Coroutine[Any, Any, None]:
        if message["type"] == "http.response.start":
            self.has_begun = True
            self._begun()
        return self._send(message)
