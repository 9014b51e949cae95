"""I: What health checks of many targets cost a gateway that does nothing else."""

import contextlib
import time
from pathlib import Path
from typing import Final

from benchmarks import documents, proc
from benchmarks.admission import ProbeCost, probe_verdict
from benchmarks.lineup import proxy_started
from benchmarks.peers import torana
from benchmarks.peers.base import Launch, Peer, Site
from benchmarks.upstream import Upstream

TARGETS: Final = 1000
_EVERY_S: Final = 5
_USUAL_S: Final = 30.0
"""The interval that a service has unless it says otherwise."""
_GOAL: Final = 0.05


def run(*, folder: Path, upstream: Upstream, proxy_core: int | None) -> str:
    """A line. Two gateways with the same targets in the same window, of which one checks them."""
    with contextlib.ExitStack() as stack:
        checking, idle = (
            stack.enter_context(
                proxy_started(_peer(interval), folder=folder, upstream_port=upstream.port, core=proxy_core)
            )
            for interval in (f"{_EVERY_S}s", None)
        )
        time.sleep(_EVERY_S)
        pids = checking.child.pid, idle.child.pid
        before, requests = [proc.cpu_us(pid) for pid in pids], upstream.requests()
        time.sleep(2 * _EVERY_S)
        used = [proc.cpu_us(pid) - at for pid, at in zip(pids, before, strict=True)]
        found = ProbeCost(TARGETS, upstream.requests() - requests, *used)
    return probe_verdict(found, interval_s=_USUAL_S, goal=_GOAL)


def _peer(interval: str | None) -> Peer:
    def prepare(site: Site) -> Launch:
        document = documents.checked(site.upstream_port, targets=TARGETS, interval=interval)
        return torana.serving(document, site)

    return Peer(f"Torana checking {interval}", prepare, torana.TORANA.version)
