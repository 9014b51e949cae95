"""P: A connection pool whose dialler connects to nowhere, with a clock of the test's own."""

import asyncio
from typing import Any, cast

from authproxy.upstream.connection import Connection
from authproxy.upstream.dialling import Dialler, Factory
from authproxy.upstream.pool import Pool, PoolLimits
from authproxy.upstream.resolver import Address, Addresses
from authproxy.upstream.waiting import Patience
from tests.support.wires import Wire

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
HERE = Address(2, ("192.0.2.1", 80))
THERE = Address(2, ("192.0.2.2", 80))


class FakeDialler:
    """Connects at once, or when `go` is set, or fails."""

    origin = "http://target.test:80"

    def __init__(self) -> None:
        self.owner: Pool
        self.wires: list[Wire] = []
        self.go = asyncio.Event()
        self.go.set()
        self.trouble: Exception | None = None
        self.addresses: Addresses | None = None

    async def dial(self, factory: Factory) -> Connection:
        await self.go.wait()
        if self.trouble is not None:
            raise self.trouble
        wire = Wire(self.owner, HERE)
        self.wires.append(wire)
        made = factory(cast("Any", wire.socket), HERE)
        made.loop = wire.connection.loop
        made.born = made.idle_since = 1000.0
        made.connection_made(cast("Any", wire.transport))
        wire.connection = made
        return made

    def known_addresses(self) -> Addresses | None:
        return self.addresses


class Bench:
    """A pool with its fake surroundings."""

    def __init__(self, **limits: Any) -> None:
        self.dialler = FakeDialler()
        self.woken = 0
        self.pool = Pool(cast("Dialler", self.dialler), PoolLimits(**limits), self._wake)
        self.dialler.owner = self.pool

    def _wake(self) -> None:
        self.woken += 1

    async def take(self, *, fresh: bool = False, **patience: float) -> Connection:
        connection = await self.pool.acquire(Patience(**patience), fresh=fresh)
        connection.begin(to_head=False, read_s=10.0)
        return connection

    def answer(self, connection: Connection, data: bytes = HELLO, *, at: float = 1000.0) -> None:
        """The answer comes and is read."""
        cast("Any", connection.loop).now = at
        connection.data_received(data)
        self.pool.release(connection)

    @property
    def stats(self) -> tuple[int, int, int, int]:
        stats = self.pool.stats()
        return stats.open, stats.idle, stats.connecting, stats.waiting


async def settled(task: "asyncio.Task[Any]") -> None:
    """Let `task` run as far as it can."""
    for _ in range(5):
        await asyncio.sleep(0)
