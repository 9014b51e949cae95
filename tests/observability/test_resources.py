"""What this process uses."""

import os
import socket
import time
from pathlib import Path

from observability.resources import look, open_files, rss_bytes


async def test_what_is_told() -> None:
    """All of it, on Linux."""
    found = await look(started=time.monotonic() - 100.0)
    assert found["pid"] == os.getpid()
    assert 100.0 <= found["uptime_s"] < 1000.0
    assert found["rss_bytes"] > 1_000_000
    assert found["open_fds"] > 2
    assert found["threads"] >= 1
    assert found["event_loop_lag_ms"] >= 0.0
    assert len(found["load"]) == 3
    assert found["cpus"] >= 1
    assert found["cpu_s"] > 0


def test_connections_are_counted() -> None:
    """Among the open files."""
    before = open_files()
    with socket.socket(), Path(os.devnull).open():
        files, sockets = open_files()
    assert (files, sockets) == ((before[0] or 0) + 2, (before[1] or 0) + 1)


def test_another_system(tmp_path: Path) -> None:
    """Which has no /proc, or another one."""
    assert (rss_bytes(tmp_path), open_files(tmp_path)) == (None, (None, None))
    (tmp_path / "statm").write_text("x")
    assert rss_bytes(tmp_path) is None
