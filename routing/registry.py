"""I: The snapshot that this process serves: compiled aside, swapped in one step, the old one kept on failure.

Everything here runs on the event loop that serves requests, so compiling takes small turns.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Generator
from typing import Final, TypeVar

from routing.compiler import CompileOptions, compile_steps
from routing.problems import ConfigurationInvalid
from routing.quiet import collections_paused, settle
from routing.revision import NodeState, RevisionRecord
from routing.snapshot import Snapshot

LOG = logging.getLogger(__name__)
TURN_S: Final = 0.001
ERROR_LIMIT: Final = 4000

T = TypeVar("T")
Listener = Callable[[Snapshot | None, Snapshot], None]


class Registry:
    """Owns `current`; whoever serves a request reads it once and keeps what it read."""

    __slots__ = ("_listeners", "_lock", "_options", "_turn_s", "current", "error", "since_s")

    def __init__(self, options: CompileOptions, *, turn_s: float = TURN_S) -> None:
        self.current: Snapshot | None = None
        self.error = ""
        self.since_s: float | None = None
        self._options = options
        self._turn_s = turn_s
        self._listeners: list[Listener] = []
        self._lock = asyncio.Lock()

    def subscribe(self, listener: Listener) -> None:
        """Calls `listener(old, new)` right after each swap; it must not block."""
        self._listeners.append(listener)

    def state(self) -> NodeState:
        """What this process serves, for the report that admin shows."""
        revision = self.current.revision if self.current else None
        return NodeState(revision=revision, since_s=self.since_s, error=self.error)

    async def offer(self, record: RevisionRecord) -> bool:
        """Serves the revision from the next request on; False if it does not compile: then nothing changes."""
        async with self._lock:
            if self._serves(record):
                return True
            with collections_paused():
                served = await self._try(record)
            settle()
            return served

    async def _try(self, record: RevisionRecord) -> bool:
        try:
            snapshot = await self._compile(record)
        except ConfigurationInvalid as error:
            return self._refuse(record, str(error))
        except Exception as error:
            LOG.exception("revision %d cannot be compiled", record.number)
            return self._refuse(record, f"{type(error).__name__}: {error}")
        self._swap(snapshot)
        return True

    def _serves(self, record: RevisionRecord) -> bool:
        current = self.current
        return current is not None and (current.revision, current.digest) == (record.number, record.digest)

    async def _compile(self, record: RevisionRecord) -> Snapshot:
        steps = compile_steps(
            record.document,
            revision=record.number,
            options=self._options,
            previous=self.current,
            digest=record.digest,
        )
        return await in_turns(steps, turn_s=self._turn_s)

    def _swap(self, snapshot: Snapshot) -> None:
        old, self.current = self.current, snapshot
        self.since_s = time.time()
        self.error = ""
        LOG.info("serving revision %d", snapshot.revision)
        for listener in self._listeners:
            try:
                listener(old, snapshot)
            except Exception:
                LOG.exception("a listener failed on revision %d", snapshot.revision)

    def _refuse(self, record: RevisionRecord, reason: str) -> bool:
        self.error = f"revision {record.number} does not compile here: {reason}"[:ERROR_LIMIT]
        LOG.error("%s", self.error)
        return False


async def in_turns(steps: Generator[None, None, T], *, turn_s: float) -> T:
    """Drives a generator, giving the event loop a turn whenever `turn_s` seconds were used."""
    while True:
        end = time.perf_counter() + turn_s
        try:
            while time.perf_counter() < end:
                next(steps)
        except StopIteration as stop:
            result: T = stop.value
            return result
        await asyncio.sleep(0)
