"""D: A worker's watcher on a PostgreSQL that hangs, goes away and comes back; prints what it saw, and when, as JSON.

Run as a program with the URL of an empty PostgreSQL database as its argument.
"""

# ruff: noqa: ASYNC110 - threads change what is waited for

import asyncio
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.support.tcpproxy import TcpProxy

TIME_S = 25.0


async def main(url: str) -> None:
    parts = urlsplit(url)
    proxy = TcpProxy(parts.hostname or "", parts.port or 5432)
    await proxy.start()
    netloc = parts.netloc.rpartition("@")[0] + f"@127.0.0.1:{proxy.port}"
    os.environ["DATABASE_URL"] = urlunsplit(parts._replace(netloc=netloc))
    import django

    django.setup()
    print(json.dumps(await story(proxy)))  # noqa: T201


async def story(proxy: TcpProxy) -> dict[str, object]:
    from asgiref.sync import sync_to_async
    from django.conf import settings
    from django.core.management import call_command

    from routing.lastgood import LastGood

    await sync_to_async(call_command)("migrate", verbosity=0)
    await apply(1)
    kept = LastGood(settings.CONFIG.var_dir)
    worker = await Worker.start(kept)
    seen: dict[str, object] = {"started_with": worker.revision}
    await apply(2)
    seen["live"] = await worker.serves(2)
    proxy.freeze()
    seen["hang_noticed"] = await worker.notices()
    seen["served_while_hanging"] = worker.revision
    proxy.thaw()
    await apply(3)
    seen["live_after_hang"] = await worker.serves(3)
    await until(lambda: (record := kept.load()) is not None and record.number == 3)
    await proxy.stop()
    seen["loss_noticed"] = await worker.notices()
    seen["served_while_away"] = worker.revision
    began = time.time()
    late = await Worker.start(kept)
    seen["start_without"] = (began, time.time())
    seen["started_without"] = late.revision
    await proxy.start()
    await apply(4)
    both = asyncio.gather(worker.serves(4), late.serves(4))
    seen["live_after_loss"], seen["late_live_after_loss"] = await both
    await worker.watcher.stop()
    await late.watcher.stop()
    return seen


async def apply(port: int) -> None:
    """Publishes one more revision."""
    from asgiref.sync import sync_to_async
    from django.db import connections

    from routing.drafts import Actor
    from routing.publishing import apply_document
    from tests.support.configuration import small

    def publish() -> None:
        apply_document(small(port), actor=Actor("test"))
        connections.close_all()

    await sync_to_async(publish)()


class Worker:
    """A registry and its watcher, as a worker process has them."""

    def __init__(self, registry: Any, watcher: Any) -> None:
        self._registry = registry
        self.watcher = watcher

    @classmethod
    async def start(cls, kept: Any) -> Self:
        from routing.compiler import CompileOptions
        from routing.registry import Registry
        from routing.watcher import RevisionWatcher

        registry = Registry(CompileOptions())
        watcher = RevisionWatcher(registry, last_good=kept)
        watcher.listen()
        await watcher.start()
        return cls(registry, watcher)

    @property
    def revision(self) -> int | None:
        return self._registry.current and self._registry.current.revision

    async def serves(self, revision: int) -> tuple[float, float]:
        """From now until the revision is served."""
        return await until(lambda: self.revision == revision)

    async def notices(self) -> tuple[float, float]:
        """From now until the outage is noticed."""
        return await until(lambda: bool(self.watcher.database_error))


async def until(holds: Callable[[], bool]) -> tuple[float, float]:
    """Waits until it holds; other threads change what it looks at. When that began and ended, by the wall clock."""
    began = time.time()
    async with asyncio.timeout(TIME_S):
        while not holds():
            await asyncio.sleep(0.01)
    return began, time.time()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
