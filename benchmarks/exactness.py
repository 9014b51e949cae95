"""I: Whether two workers that share a Redis admit what a quota allows, and no more."""

import json
import time
from pathlib import Path
from typing import Final

from benchmarks import documents, proc, wrk
from benchmarks.admission import Admission, admission_verdict
from benchmarks.errors import BenchmarkError
from benchmarks.lineup import proxy_started
from benchmarks.measure import Load, finished, generating, write_script
from benchmarks.peers import torana
from benchmarks.peers.base import Launch, Peer, Site
from benchmarks.processes import answer_of
from benchmarks.upstream import Upstream

KEYS: Final = 4
LOAD: Final = 5.0
_LIMIT: Final = 100
_WORKERS: Final = 2
_CONNECTIONS: Final = 256
"""Many, so that each rests long beside the time that an answer takes, and the load is what it should be."""
_SETTLED_S: Final = 0.5
_ASKED_FOR_HEALTH: Final = 50


def run(
    *, folder: Path, upstream: Upstream, redis_url: str, proxy_core: int | None, load_core: int | None, seconds: int
) -> str:  # fmt: skip
    """A line. What was admitted is what the upstream had; how long it took is what wrk says."""
    pause_ms = round(_CONNECTIONS / (_LIMIT * KEYS * LOAD) * 1000)
    script = write_script(folder, "keys.lua", wrk.callers_script(KEYS, pause_ms=pause_ms))
    load = Load("/", _CONNECTIONS, seconds, script)
    peer = _peer(redis_url)
    with proxy_started(peer, folder=folder, upstream_port=upstream.port, core=proxy_core) as proxy:
        before = upstream.requests()
        with generating(proxy.url, load, core=load_core, limit_s=2 * seconds) as generator:
            time.sleep(seconds)
            report = finished(generator)
        time.sleep(_SETTLED_S)
        admitted = upstream.requests() - before
        if len(_busy(proxy.child.pid)) < _WORKERS:
            raise BenchmarkError("one worker had all the requests")
        alone = _decided_alone(proxy.port)
    if report.socket_errors:
        raise BenchmarkError(f"{report.socket_errors} requests had no answer")
    lasted_s = report.duration_s - pause_ms / 1000  # connections rest before their first request as well
    found = Admission(_LIMIT, KEYS, lasted_s, report.requests, admitted)
    without = f"; {alone:,} were decided without Redis, which answered too late" if alone else ""
    return admission_verdict(found, load=LOAD) + without


def _decided_alone(port: int) -> int:
    """By all workers together; a connection meets one of them by chance."""
    found: dict[str, int] = {}
    for _ in range(_ASKED_FOR_HEALTH):
        report = json.loads(answer_of(port, "/health/detailed").body)
        found[report["worker"]["name"]] = report["components"]["redis"]["decided_alone"]
        if len(found) == _WORKERS:
            break
    return sum(found.values())


def _busy(root: int) -> list[int]:
    """The processes of the tree that did a good part of all that it did since its start."""
    ticks = {stat.pid: stat.ticks for stat in proc.tree(root)}
    return [pid for pid, used in ticks.items() if used > sum(ticks.values()) / 5]


def _peer(redis_url: str) -> Peer:
    def prepare(site: Site) -> Launch:
        document = documents.limited(site.upstream_port, limit=_LIMIT, per="1s")
        launch = torana.serving(document, site)
        command = (*launch.command, "--workers", str(_WORKERS))
        return Launch(
            command, {**launch.env, "REDIS_URL": redis_url, "OPS_ACCESS": "private"}, launch.ready_path
        )

    return Peer("Torana exact", prepare, torana.TORANA.version)
