"""I: A hub for tests that does as it is told, and the wait for what it gets."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from realtime.bus.adapter import Handle, HubAway, HubRefused, Message


@dataclass
class FakeHub:
    """`mode`: "up", "away", "hangs" (never answers), "refuses", or "cut" (takes, and does not confirm)."""

    mode: str = "up"
    got: list[Message] = field(default_factory=list)
    opened: int = 0
    closed: int = 0
    guarantee: str = "a test"
    arriving: "asyncio.Queue[Message]" = field(default_factory=asyncio.Queue)
    handled: list[tuple[Message, bool]] = field(default_factory=list)
    listened: list[tuple[str, ...]] = field(default_factory=list)

    async def open(self) -> None:
        self.opened += 1
        await self._answer()

    async def ping(self) -> None:
        await self._answer()

    async def send(self, message: Message) -> None:
        await self._answer()
        if self.mode == "refuses":
            raise HubRefused("it is not wanted", too_large=len(message.body) > 10)
        self.got.append(message)
        if self.mode == "cut":
            self.mode = "away"
            raise HubAway("the connection broke")

    async def listen(self, subjects: Sequence[str], group: str, handle: Handle) -> None:
        self.listened.append(tuple(subjects))
        while True:
            message = await self.arriving.get()
            self.handled.append((message, await handle(message)))

    async def close(self) -> None:
        self.closed += 1

    async def _answer(self) -> None:
        if self.mode == "away":
            raise HubAway("nobody is there")
        if self.mode == "hangs":
            await asyncio.Event().wait()


def message(number: int = 1, **more: object) -> Message:
    """One of a row."""
    made = Message(
        f"e{number}", "a.b", "2026-01-01T00:00:00.000Z", b'{"n":%d}' % number, "application/json", {}
    )
    return made._replace(**more)
