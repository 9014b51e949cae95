"""A transport without a socket."""

import asyncio
from typing import Any


class FakeTransport(asyncio.Transport):
    """Keeps what is written; `buffered` is what it says is still on its way."""

    def __init__(self, peer: tuple[str, int] = ("192.0.2.1", 40000)) -> None:
        super().__init__()
        self.written = b""
        self.writes = 0
        self.buffered = 0
        self.reading = True
        self.state = "open"
        self._peer = peer

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": self._peer, "sockname": ("127.0.0.1", 8000)}.get(name, default)

    def write(self, data: Any) -> None:
        assert self.state == "open"
        self.written += bytes(data)
        self.writes += 1

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.state = "half closed"

    def close(self) -> None:
        self.state = "closed"

    def abort(self) -> None:
        self.state = "aborted"

    def is_closing(self) -> bool:
        return self.state in ("closed", "aborted")

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True

    def get_write_buffer_size(self) -> int:
        return self.buffered

    def take(self) -> bytes:
        """What was written since the last time."""
        written, self.written = self.written, b""
        return written
