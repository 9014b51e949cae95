"""I: A running gateway's database goes away, in every way that it can, and comes back."""

import os
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from tests.support.process import Site
from tests.support.tcpproxy import TcpProxy

ON_POSTGRES = os.environ.get("DATABASE_URL", "").startswith("postgres")
WAYS = ("refuses and resets", "hangs") if ON_POSTGRES else ("is moved away", "is replaced")
"""The ways of the database that this run is on."""


class Outage(Protocol):
    """How the database goes away and comes back; `gone` is whether commands fail meanwhile."""

    gone: bool

    async def begin(self) -> None: ...
    async def end(self) -> None: ...


class Refusing:
    """Connections are reset, new ones refused."""

    gone = True

    def __init__(self, proxy: TcpProxy) -> None:
        self._proxy = proxy

    async def begin(self) -> None:
        await self._proxy.stop()

    async def end(self) -> None:
        await self._proxy.start()


class Hanging(Refusing):
    """Connections are accepted, and not a byte is passed on."""

    async def begin(self) -> None:
        self._proxy.freeze()

    async def end(self) -> None:
        self._proxy.thaw()


class MovedAway:
    """SQLite's file is renamed, and a folder is in its place; then it is moved back."""

    gone = True

    def __init__(self, file: Path) -> None:
        self._file = file
        self._elsewhere = file.with_name("elsewhere")

    async def begin(self) -> None:
        checkpoint(self._file)
        self._file.rename(self._elsewhere)
        self._file.mkdir()

    async def end(self) -> None:
        self._file.rmdir()
        self._elsewhere.rename(self._file)


class Replaced:
    """A copy takes the file's place, as when a backup is restored."""

    gone = False

    def __init__(self, file: Path) -> None:
        self._file = file

    async def begin(self) -> None:
        checkpoint(self._file)
        backup = self._file.with_name("backup")
        shutil.copyfile(self._file, backup)
        for suffix in ("-wal", "-shm"):
            Path(f"{self._file}{suffix}").unlink(missing_ok=True)
        backup.rename(self._file)

    async def end(self) -> None:
        """It answers already."""


def checkpoint(file: Path) -> None:
    """Moves what the log of changes holds into the file itself."""
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


@asynccontextmanager
async def outage(way: str, site: Site) -> AsyncIterator[Outage]:
    """Stands between the site and its database until the end; processes must be started within it."""
    if not ON_POSTGRES:
        file = Path(site.database_url.removeprefix("sqlite:///"))
        yield MovedAway(file) if way == "is moved away" else Replaced(file)
        return
    parts = urlsplit(site.database_url)
    proxy = TcpProxy(parts.hostname or "", parts.port or 5432)
    await proxy.start()
    site.env["DATABASE_URL"] = site.through(proxy.port)
    try:
        yield Hanging(proxy) if way == "hangs" else Refusing(proxy)
    finally:
        proxy.thaw()
        await proxy.stop()
