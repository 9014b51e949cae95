"""D: A worker's feed of changes under test: what it knows, a database that is away, and a disk that is full."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError
from django.db.models import Model

from authproxy import changefeed, revocation
from authproxy.changefeed import ChangeFeed
from authproxy.changes import Change, Changes
from authproxy.identity import Identity
from authproxy.keptchanges import Kept, KeptChanges


@sync_to_async
def record(*subjects: str) -> None:
    revocation.record(*subjects, reason="test")


def caller(subject: str, *, seq: int | None = 0, issued_at: float = 0.0) -> Identity:
    return Identity(method="jwt", consumer="ada", subjects=(subject,), seq=seq, issued_at=issued_at)


class Known(Changes):
    """What a worker knows; `knows` waits until it is so."""

    def __init__(self) -> None:
        super().__init__()
        self._noted = asyncio.Event()
        self.subscribe(lambda _subjects: self._noted.set())

    async def knows(self, holds: Callable[[], bool]) -> float:
        """Seconds until it holds."""
        began = asyncio.get_running_loop().time()
        async with asyncio.timeout(10):
            while not holds():
                self._noted.clear()
                await self._noted.wait()
        return asyncio.get_running_loop().time() - began

    async def ends(self, subject: str) -> float:
        return await self.knows(lambda: self.is_stale(caller(subject)))


@asynccontextmanager
async def fed(**options: Any) -> AsyncIterator[tuple[ChangeFeed, Known]]:
    known = Known()
    feed = ChangeFeed(known, **{"access_lifetime_s": 900.0, **options})
    await feed.start()
    try:
        yield feed, known
    finally:
        await feed.stop()


class Counted(KeptChanges):
    """How often it was written to; and a disk that may be full."""

    def __init__(self, var_dir: Path) -> None:
        super().__init__(var_dir)
        self.attempts = 0
        self.is_full = False

    def rewrite(self, changes: Sequence[Change], *, upto: int) -> Kept:
        self.attempts += 1
        return "not now" if self.is_full else super().rewrite(changes, upto=upto)

    def append(self, changes: Sequence[Change]) -> Kept:
        self.attempts += 1
        return "not now" if self.is_full else super().append(changes)


def subjects(kept: KeptChanges) -> list[str]:
    return [change.subject for change in kept.load()]


class Outage:
    """The feed's queries fail until it ends."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.on = True
        ask = changefeed.newest_of

        def asked(model: type[Model], *, seen: int | None) -> int:
            if self.on:
                raise OperationalError("connection refused")
            return ask(model, seen=seen)

        monkeypatch.setattr(changefeed, "newest_of", asked)

    def ends(self) -> None:
        self.on = False


async def until(holds: Callable[[], bool]) -> None:
    """Waits for what another thread does, where nothing tells of it."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
