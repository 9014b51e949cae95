"""A client's connection on a transport that the test holds: order of closing, and bounds."""

import asyncio
from typing import Any

from authproxy.handshake import Taken
from realtime.closecodes import TOO_SLOW
from realtime.sessions.line import MOST_QUEUED, MOST_QUEUED_BYTES, Line
from realtime.tunnel.closing import payload_of
from realtime.tunnel.frames import BINARY, CLOSE, CONT, PING, PONG, TEXT, encode


class Transport(asyncio.Transport):
    """Keeps what is written; takes nothing away while it is full."""

    def __init__(self) -> None:
        super().__init__()
        self.written = b""
        self.waiting = 0
        self.is_closed = self.is_aborted = False

    def write(self, data: Any) -> None:
        self.written += data
        self.waiting += len(data)

    def get_write_buffer_size(self) -> int:
        return self.waiting

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None: ...
    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None: ...
    def resume_reading(self) -> None: ...

    def is_closing(self) -> bool:
        return self.is_closed

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_aborted = True


class Said:
    """Whom a line tells."""

    def __init__(self) -> None:
        self.transport = Transport()
        self.messages: list[bytes] = []
        self.ends = self.reliefs = self.releases = 0
        self.line = Line(Taken(self.transport, None, self.released), self)
        self.line.open()

    def released(self) -> None:
        self.releases += 1

    def heard(self, data: bytes) -> None:
        self.messages.append(data)

    def lost(self) -> None:
        self.ends += 1

    def relieved(self) -> None:
        self.reliefs += 1

    def comes(self, *frames: tuple[int, bool, bytes]) -> bytes:
        """What is answered to these frames of the client."""
        before = len(self.transport.written)
        self.line.data_received(b"".join(encode(*frame, masked=True) for frame in frames))
        return self.transport.written[before:]


async def test_messages_pings_and_fragments() -> None:
    said = Said()
    answer = said.comes(
        (TEXT, True, b"one"), (PING, True, b"p"), (TEXT, False, b"t"), (PONG, True, b""), (CONT, True, b"wo")
    )

    assert said.messages == [b"one", b"two"]
    assert answer == encode(PONG, True, b"p", masked=False)


async def test_who_closes_is_answered_once() -> None:
    said = Said()
    answer = said.comes((CLOSE, True, payload_of(1001, "bye")), (TEXT, True, b"late"))

    assert answer == encode(CLOSE, True, payload_of(1001), masked=False)
    assert said.transport.is_closed
    assert said.messages == []
    said.line.connection_lost(None)
    said.line.connection_lost(None)
    assert (said.ends, said.releases, said.line.code) == (1, 1, 1001)


async def test_what_closes_first_counts() -> None:
    """Nothing is written behind a closing frame; the client's own ends the connection."""
    said = Said()
    said.line.close(4401, "expired")
    said.line.send(b"late")
    said.line.close(1008, "again")
    assert said.transport.written == encode(CLOSE, True, payload_of(4401, "expired"), masked=False)
    assert not said.transport.is_closed
    said.comes((CLOSE, True, payload_of(4401)))
    assert said.transport.is_closed


async def test_bytes_are_no_messages() -> None:
    said = Said()
    said.comes((BINARY, True, b"x"))
    assert said.line.code == 1007


async def test_garbage_is_a_violation() -> None:
    said = Said()
    said.line.data_received(b"\xff\xff\xff\xff")
    assert said.line.code == 1002


async def test_what_follows_a_violation_is_not_kept() -> None:
    """However much of it comes before the connection is gone."""
    said = Said()
    said.line.data_received(b"\xff\xff\xff\xff")
    for _ in range(10):
        said.line.data_received(b"x" * 65_536)

    assert len(said.line._reader._data) == 4
    assert said.messages == []


async def test_slow_by_bytes() -> None:
    """What waits is bounded by a message more than the bound."""
    said = Said()
    said.line.pause_writing()
    while not said.line.code:
        said.line.send(b"x" * 10_000)

    assert said.line.code == TOO_SLOW
    assert said.transport.waiting < MOST_QUEUED_BYTES + 20_000


async def test_slow_by_number() -> None:
    said = Said()
    said.line.pause_writing()
    for _ in range(MOST_QUEUED):
        said.line.send(b"x")
    assert not said.line.code
    said.line.send(b"x")
    assert said.line.code == TOO_SLOW


async def test_who_catches_up_goes_on() -> None:
    said = Said()
    for _ in range(3):
        said.line.pause_writing()
        for _ in range(MOST_QUEUED - 1):
            said.line.send(b"x")
        said.line.resume_writing()

    assert (said.line.code, said.reliefs) == (0, 3)


async def test_gone_before_it_began() -> None:
    said = Said()
    said.transport.is_closed = True
    said.line.open()
    await asyncio.sleep(0)
    assert said.ends == 1
