"""I: What the gateway says of itself, as events for staff: the topics below.

Each happening is told by the worker that makes the record of it, so it is one event however many workers there are.
Hooks call `note` from any thread; it never waits. What is too much is dropped and counted: anybody can cause refusals.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

from authproxy.security import SecurityEvent
from realtime.hub.hub import Hub
from resilience.guard import Record
from resilience.verdicts import Verdict
from routing.snapshot import Snapshot

BREAKERS: Final = "gateway.breakers"
TARGETS: Final = "gateway.targets"
REVISIONS: Final = "gateway.revisions"
SECURITY: Final = "gateway.security"
TRAFFIC: Final = "gateway.traffic"
MOST_WAITING: Final = 1000
MOST_IN_A_SECOND: Final = 50

Note = tuple[str, str, Mapping[str, Any], str]


class OwnEvents:
    """One worker's. `start` and `stop` frame its life; what is noted before is told then."""

    def __init__(self, hub: Hub, *, pause: Callable[[float], Any] = asyncio.sleep) -> None:
        self._hub = hub
        self._pause = pause
        self._waiting: deque[Note] = deque()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self.dropped = 0

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._task = self._loop.create_task(self._tell())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._loop = self._task = None

    def breaker(self, record: Record) -> None:
        """A breaker let through something else than before."""
        if record.cause is None:
            return  # only counts are new
        data = {
            "service": record.service,
            "before": record.before.value,
            "state": record.state.value,
            "cause": record.cause.value,
            "requests": record.requests,
            "failures": record.failures,
        }
        self._note(BREAKERS, record.state.value, data)

    def target(self, verdict: Verdict, is_change: bool) -> None:
        """A target passes its checks again, or does no longer."""
        if is_change:
            word = "healthy" if verdict.standing.healthy else "unhealthy"
            self._note(TARGETS, word, {"service": verdict.service, "target": verdict.target, "state": word})

    def revision(self, old: Snapshot | None, new: Snapshot) -> None:
        """Another revision is live. All workers say so, by the same name: it is one event."""
        if old is not None and old.revision != new.revision:
            data = {"revision": new.revision, "before": old.revision}
            self._note(REVISIONS, "live", data, f"revision:{old.revision}:{new.revision}")

    def security(self, event: SecurityEvent) -> None:
        """Something happened to somebody's access."""
        data = {
            "actor": event.actor,
            "subject": event.subject,
            "address": event.address,
            "details": dict(event.details),
        }
        self._note(SECURITY, event.kind, data)

    def traffic(self, summary: Mapping[str, Any]) -> None:
        """What this worker served in a second."""
        self._note(TRAFFIC, "second", summary)

    def _note(self, topic: str, kind: str, data: Mapping[str, Any], id: str = "") -> None:  # noqa: A002 - the hub's name
        if len(self._waiting) >= MOST_WAITING:
            self.dropped += 1
            return
        self._waiting.append((topic, kind, data, id))
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake.set)

    async def _tell(self) -> None:
        while True:
            for _ in range(MOST_IN_A_SECOND):
                if not self._waiting:
                    break
                topic, kind, data, name = self._waiting.popleft()
                await self._hub.publish(topic, kind, data, id=name)
            if self._waiting:
                await self._pause(1.0)
                continue
            self._wake.clear()
            if not self._waiting:
                await self._wake.wait()
