"""I: Memory that a proxy adds while 1 GB goes up and 1 GB comes down."""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import proc, transfers
from benchmarks.errors import BenchmarkError
from benchmarks.lineup import Proxy, proxy_started
from benchmarks.peers.base import Peer
from benchmarks.peers.torana import ROOT
from benchmarks.processes import Child, environment, started, wait_until_ready
from benchmarks.report import TORANA, number, table
from gateway_project.server.ports import keep_port

TITLE = "Memory while a body passes"
_GOAL_MB = 8.0
_STALL_S = 1.0


@dataclass(frozen=True, slots=True)
class Growth:
    """Peak of the process tree's resident memory above what it was before, and the speed."""

    added_mb: float
    speed_mb_s: float


def run(
    peers: Sequence[Peer], *, folder: Path, proxy_core: int | None, load_core: int | None, size_bytes: int,
    say: Callable[[str], None],
) -> str:  # fmt: skip
    """Markdown; a peer that cannot take part is named with the reason."""
    port = keep_port()
    command = (sys.executable, "-m", "benchmarks.streams", str(port))
    rows, notes = [], []
    with started(
        "streams", command, folder=folder, env=environment(folder), cwd=ROOT, core=load_core
    ) as streams:
        wait_until_ready(streams, port=port, path="/")
        for peer in peers:
            say(f"{peer.name}: {size_bytes / 1e9:g} GB up, down, and both against a stalled reader")
            try:
                with proxy_started(peer, folder=folder, upstream_port=port, core=proxy_core) as proxy:
                    rows.append((peer.name, measured(proxy, size_bytes)))
            except (BenchmarkError, OSError) as failure:
                notes.append(f"- {peer.name}: {failure}")
    return rendered(rows, notes, size_bytes=size_bytes)


def measured(proxy: Proxy, size_bytes: int) -> dict[str, Growth]:
    """After a little traffic, which loads what is loaded at the first request."""
    for transfer in (transfers.upload, transfers.download):
        transfer(proxy.port, size_bytes=100_000)
    jobs = {
        "up": partial(transfers.upload, proxy.port, size_bytes=size_bytes),
        "down": partial(transfers.download, proxy.port, size_bytes=size_bytes),
        "up, upstream stalls": partial(transfers.upload, proxy.port, size_bytes=size_bytes, pause_s=_STALL_S),
        "down, client stalls": partial(
            transfers.download, proxy.port, size_bytes=size_bytes, pause_s=_STALL_S
        ),
    }
    return {title: growth(proxy.child, job, size_bytes=size_bytes) for title, job in jobs.items()}


def growth(child: Child, transfer: Callable[[], None], *, size_bytes: int) -> Growth:
    proc.reset_peak(child.pid)
    before_kb = proc.memory_kb(child.pid, "VmRSS")
    began = time.monotonic()
    transfer()
    took_s = time.monotonic() - began
    added_kb = max(0, proc.memory_kb(child.pid, "VmHWM") - before_kb)
    return Growth(added_kb / 1024, size_bytes / 1e6 / took_s)


def rendered(rows: Sequence[tuple[str, dict[str, Growth]]], notes: Sequence[str], *, size_bytes: int) -> str:
    lines = [
        (name, title, number(grown.added_mb), number(grown.speed_mb_s, 0))
        for name, growths in rows
        for title, grown in growths.items()
    ]
    text = table(("peer", f"{size_bytes / 1e9:g} GB", "memory added MB", "MB/s"), lines) if lines else ""
    own = [grown.added_mb for name, growths in rows if name == TORANA for grown in growths.values()]
    if own:
        word = "ok" if max(own) < _GOAL_MB else "MISSED"
        notes = [f"- {word}: Torana adds at most {max(own):.1f} MB (goal: under {_GOAL_MB:g} MB)", *notes]
    return "\n\n".join(part for part in (text, "\n".join(notes)) if part)
