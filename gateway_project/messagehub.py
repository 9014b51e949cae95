"""D: The message hub of MESSAGE_HUB_URL, put together for one worker.

routes that publish ──▶ BusLink ──▶ RabbitMQ, NATS, Redis Streams, HTTP ──▶ Inbound ──▶ Hub
                          │ away       ▲                                      │
                          ▼            │ in order                             ▼
                      DatabaseOutbox ──┘                                 dead letters
"""

from collections.abc import Callable
from functools import partial
from typing import Final

from authproxy.bus import Bus
from observability.buscheck import bus_check
from observability.components import Check
from realtime.bus.inbound import Inbound, Publish
from realtime.bus.kept import numbers
from realtime.bus.link import BusLink
from realtime.bus.opening import adapter_for
from realtime.bus.outbox import DatabaseOutbox

_COUNTED: Final = ("published", "kept", "refused", "rejected")


class MessageHub:
    """One worker's."""

    def __init__(self, url: str | None, *, worker: str, has_database: bool) -> None:
        self.outbox: DatabaseOutbox | None = None
        self.link: BusLink | None = None
        self.inbound: Inbound | None = None
        if url is not None:
            self.outbox = DatabaseOutbox(holder=worker) if has_database else None
            self.link = BusLink(partial(adapter_for, url), outbox=self.outbox)

    @property
    def bus(self) -> Bus | None:
        """Where routes publish."""
        return self.link

    def feed(self, publish: Publish, subjects: Callable[[], tuple[str, ...]], *, name: str) -> None:
        """What arrives on these subjects is published. `name` is the installation's, whose workers share it."""
        if self.link is not None:
            bury = None if self.outbox is None else self.outbox.bury
            self.inbound = Inbound(self.link, publish, subjects, group=f"{name}-topics", bury=bury)

    async def start(self) -> None:
        """The hub may be there or not, now and later."""
        if self.link is not None:
            self.link.start()
            if self.outbox is not None:
                self.outbox.start(self.link)
            if self.inbound is not None:
                self.inbound.start()

    async def stop(self) -> None:
        """What waits stays in the outbox."""
        if self.inbound is not None:
            await self.inbound.stop()
        if self.outbox is not None:
            await self.outbox.stop()
        if self.link is not None:
            await self.link.stop()

    @property
    def check(self) -> Check | None:
        """For /health/detailed."""
        if self.link is None:
            return None
        outbox = self.outbox
        return bus_check(self.link, self._numbers, None if outbox is None else partial(outbox.ask, numbers))

    def _numbers(self) -> dict[str, int]:
        """Since the start: what came from subjects, and what the outbox did."""
        found: dict[str, int] = {}
        if self.inbound is not None:
            found |= {"taken": self.inbound.counts.taken, "unmapped": self.inbound.counts.unmapped}
        if self.outbox is not None:
            found |= {"sent_on": self.outbox.counts.sent, "dead": self.outbox.counts.dead}
        return found

    @property
    def counts(self) -> dict[str, int]:
        """For metrics: messages by what became of them."""
        if self.link is None:
            return {}
        counts = self.link.counts
        return {name: getattr(counts, name) for name in _COUNTED} | self._numbers()
