"""I: What this process uses: memory, files, time, and how late its event loop is. None: the system does not tell."""

import asyncio
import os
import threading
import time
from pathlib import Path
from typing import Any, Final

from resilience.clock import monotonic

LAG_S: Final = 0.01
"""So long the loop is asked to sleep; what it takes longer is its lag."""
TIMEOUT_S: Final = 1.0
_PROCESS: Final = Path("/proc/self")


async def look(*, started: float) -> dict[str, Any]:
    """As of now. `started` is when the process began to serve, by the monotonic clock."""
    lag_s, files = await asyncio.gather(_lag_s(), _files())
    return {
        "pid": os.getpid(),
        "uptime_s": round(monotonic() - started, 1),
        "rss_bytes": rss_bytes(),
        "cpu_s": round(time.process_time(), 3),
        "open_fds": files[0],
        "open_sockets": files[1],
        "threads": threading.active_count(),
        "event_loop_lag_ms": round(lag_s * 1000, 3),
        "load": _load(),
        "cpus": os.cpu_count(),
    }


def rss_bytes(folder: Path = _PROCESS) -> int | None:
    """Memory that is resident now."""
    try:
        return int((folder / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None


def open_files(folder: Path = _PROCESS) -> tuple[int | None, int | None]:
    """Open descriptors, and how many of them are sockets: connections, and what listens."""
    try:
        links = list((folder / "fd").iterdir())
    except OSError:
        return None, None
    return len(links), sum(map(_is_socket, links))


def _is_socket(link: Path) -> bool:
    try:
        return str(link.readlink()).startswith("socket:")
    except OSError:
        return False  # closed meanwhile


async def _files() -> tuple[int | None, int | None]:
    """In a thread: of ten thousand descriptors it takes the loop's time."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return await asyncio.to_thread(open_files)
    except TimeoutError:
        return None, None


async def _lag_s() -> float:
    began = monotonic()
    await asyncio.sleep(LAG_S)
    return max(monotonic() - began - LAG_S, 0.0)


def _load() -> list[float] | None:
    try:
        return [round(each, 2) for each in os.getloadavg()]
    except OSError:
        return None
