"""P: Upstream connections without sockets: a transport that records, a socket that answers as told."""

import asyncio
from typing import Any, cast

from authproxy.upstream.connection import Connection, Owner


class FakeTransport:
    """What a Connection uses of asyncio.Transport."""

    def __init__(self) -> None:
        self.written = bytearray()
        self.unsent = 0
        self.aborted = False
        self.closing = False
        self.reading = True

    def write(self, data: bytes) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def is_closing(self) -> bool:
        return self.closing or self.aborted

    def abort(self) -> None:
        self.aborted = True

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def get_extra_info(self, name: str) -> Any:
        return None


class FakeSocket:
    """Peeking at it tells what the test says: an exception is raised, bytes are returned."""

    def __init__(self) -> None:
        self.state: bytes | Exception = BlockingIOError()

    def recv(self, size: int, flags: int) -> bytes:
        if isinstance(self.state, Exception):
            raise self.state
        return self.state


class FakeOwner:
    def __init__(self) -> None:
        self.lost: list[Connection] = []

    def lost_idle(self, connection: Connection) -> None:
        self.lost.append(connection)


class FakeLoop:
    """A clock, and futures of the running loop."""

    def __init__(self) -> None:
        self.now = 1000.0

    def time(self) -> float:
        return self.now

    def create_future(self) -> "asyncio.Future[Any]":
        return asyncio.get_running_loop().create_future()


class Wire:
    """A Connection and everything around it."""

    def __init__(self, owner: Owner | None = None, address: object = ("192.0.2.1", 80)) -> None:
        self.owner = FakeOwner()
        self.loop = FakeLoop()
        self.socket = FakeSocket()
        self.transport = FakeTransport()
        self.connection = Connection(
            owner or self.owner,
            cast("asyncio.AbstractEventLoop", self.loop),
            cast("Any", self.socket),
            address,
        )
        self.connection.connection_made(cast("asyncio.BaseTransport", self.transport))

    def begin(self, *, to_head: bool = False, read_s: float = 10.0) -> Connection:
        """A request is under way."""
        self.connection.begin(to_head=to_head, read_s=read_s)
        return self.connection
