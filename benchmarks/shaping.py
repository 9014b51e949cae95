"""I: What reading and changing answers costs, and what an answer from the cache does."""

import contextlib
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks import documents, shapes, wrk
from benchmarks.lineup import Proxy, proxy_started
from benchmarks.measure import Load, measure_answers, write_script
from benchmarks.peers import torana
from benchmarks.peers.base import Launch, Peer, Site
from benchmarks.peers.torana import ROOT
from benchmarks.processes import environment, started, wait_until_ready
from benchmarks.shapes import ROWS, Row
from benchmarks.summary import Sample
from benchmarks.traffic import redis_running
from benchmarks.upstream import Upstream
from gateway_project.server.ports import keep_port

TITLE = "Requests and answers in shape"
_MOST_FILLINGS = 8


def run(
    *, folder: Path, upstream: Upstream, proxy_core: int | None, load_core: int | None, rounds: int,
    duration_s: int, say: Callable[[str], None],
) -> str:  # fmt: skip
    """The rows take turns; Markdown."""
    with redis_running(folder) as redis, _slow(folder, load_core) as slow_port:
        peer = _peer(redis.url, slow_port)
        with proxy_started(peer, folder=folder, upstream_port=upstream.port, core=proxy_core) as proxy:
            loads = {row: _load(row, folder, duration_s) for row in ROWS}
            samples: dict[Row, list[Sample]] = {row: [] for row in ROWS}
            say("filling the cache")
            _fill(proxy, loads, upstream=upstream, core=load_core)
            for turn in range(rounds):
                say(f"round {turn + 1} of {rounds}")
                for row, load in loads.items():
                    samples[row].append(measure_answers(proxy, load, core=load_core))
    return shapes.rendered(samples)


@contextlib.contextmanager
def _slow(folder: Path, core: int | None) -> Iterator[int]:
    """The port of an upstream that takes 50 ms."""
    port = keep_port()
    command = (sys.executable, "-m", "benchmarks.lean_upstream", str(port))
    with started("slow", command, folder=folder, env=environment(folder), cwd=ROOT, core=core) as child:
        wait_until_ready(child, port=port, path="/")
        yield port


def _fill(proxy: Proxy, loads: dict[Row, Load], *, upstream: Upstream, core: int | None) -> None:
    """Until the upstream is asked no more: of many new answers at once, not all are written to Redis."""
    for row, load in loads.items():
        if row.urls > 1:
            for _ in range(_MOST_FILLINGS):
                before, asked = upstream.requests(), 0.0
                while asked < 1.5 * row.urls:
                    asked += measure_answers(proxy, load, core=core).requests_per_s * load.duration_s
                if upstream.requests() == before:
                    break


def _load(row: Row, folder: Path, duration_s: int) -> Load:
    if row.urls == 1:
        return Load(row.path, row.connections, duration_s)
    script = write_script(folder, "urls.lua", wrk.rotation_script(row.urls, row.path))
    return Load("/", row.connections, duration_s, script)


def _peer(redis_url: str, slow_port: int) -> Peer:
    def prepare(site: Site) -> Launch:
        launch = torana.serving(documents.shaping(site.upstream_port, slow_port), site)
        return Launch(launch.command, {**launch.env, "REDIS_URL": redis_url}, launch.ready_path)

    return Peer("Torana shapes", prepare, torana.TORANA.version)
