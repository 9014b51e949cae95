"""D: A worker's watcher on a PostgreSQL that hangs, goes away and comes back; prints what it saw as JSON.

Run as a program with the URL of an empty PostgreSQL database as its argument.
"""

# ruff: noqa: ASYNC110 - threads change what is waited for

import asyncio
import json
import os
import sys
import time
from pathlib import Path
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
    from django.db import connections

    from routing.compiler import CompileOptions
    from routing.drafts import Actor
    from routing.lastgood import LastGood
    from routing.publishing import apply_document
    from routing.registry import Registry
    from routing.watcher import RevisionWatcher
    from tests.support.configuration import small

    def apply(port: int) -> None:
        apply_document(small(port), actor=Actor("test"))
        connections.close_all()

    async def live(revision: int) -> float:
        began = time.monotonic()
        async with asyncio.timeout(TIME_S):
            while registry.current is None or registry.current.revision != revision:
                await asyncio.sleep(0.01)
        return round(time.monotonic() - began, 3)

    async def noticed() -> float:
        began = time.monotonic()
        async with asyncio.timeout(TIME_S):
            while not watcher.database_error:
                await asyncio.sleep(0.01)
        return round(time.monotonic() - began, 3)

    await sync_to_async(call_command)("migrate", verbosity=0)
    await sync_to_async(apply)(1)
    registry, kept = Registry(CompileOptions()), LastGood(settings.CONFIG.var_dir)
    watcher = RevisionWatcher(registry, last_good=kept)
    watcher.listen()
    await watcher.start()
    seen: dict[str, object] = {"started_with": registry.current and registry.current.revision}
    await sync_to_async(apply)(2)
    seen["live_s"] = await live(2)
    proxy.freeze()
    seen["hang_noticed_s"] = await noticed()
    seen["served_while_hanging"] = registry.current and registry.current.revision
    proxy.thaw()
    await sync_to_async(apply)(3)
    seen["live_after_hang_s"] = await live(3)
    async with asyncio.timeout(TIME_S):
        while (record := kept.load()) is None or record.number != 3:
            await asyncio.sleep(0.01)
    await proxy.stop()
    seen["loss_noticed_s"] = await noticed()
    seen["served_while_away"] = registry.current and registry.current.revision
    second = Registry(CompileOptions())
    began = time.monotonic()
    late = RevisionWatcher(second, last_good=kept)
    await late.start()
    seen["start_without_s"] = round(time.monotonic() - began, 3)
    seen["started_without"] = second.current and second.current.revision
    await proxy.start()
    await sync_to_async(apply)(4)
    seen["live_after_loss_s"] = await live(4)
    await watcher.stop()
    await late.stop()
    return seen


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
