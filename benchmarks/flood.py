"""I: Memory of a gateway that counts ever new callers, none of whom comes again."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks import documents, proc, wrk
from benchmarks.admission import Flood, column_titles, flood_verdict
from benchmarks.errors import BenchmarkError
from benchmarks.lineup import Proxy, proxy_started
from benchmarks.measure import Load, finished, generating, write_script
from benchmarks.peers import torana
from benchmarks.peers.base import Launch, Peer, Site
from benchmarks.report import number, table
from benchmarks.upstream import Upstream
from gateway_project.embedded import EmbeddedValkey

_FULL: Final = 200_000
"""More keys than a worker keeps."""
_CONNECTIONS: Final = 32
_LONGEST_S: Final = 600
_APART: Final = 100_000_000
"""Between the first keys of two runs."""


def run(
    *, folder: Path, upstream: Upstream, redis: EmbeddedValkey, proxy_core: int | None, load_core: int | None,
    keys: int,
) -> str:  # fmt: skip
    """A row for each gateway, and one for Redis, which forgets keys by itself; Markdown."""
    floods: list[Flood] = []
    steps = (_FULL, keys)
    for title, redis_url in (("in process", "none"), ("through Redis", redis.url)):
        peer = _peer(title, redis_url)
        with proxy_started(peer, folder=folder, upstream_port=upstream.port, core=proxy_core) as proxy:
            _ask(proxy, 2000, 0, upstream, folder, load_core)  # what is loaded at the first requests
            figures = [_resident_mb(proxy, redis)]
            done = 0
            for number_of_step, step in enumerate(steps, 1):
                _ask(proxy, step - done, number_of_step * _APART, upstream, folder, load_core)
                figures.append(_resident_mb(proxy, redis))
                done = step
        own, beside = zip(*figures, strict=True)
        floods.append(Flood(title, (0, *steps), own))
    return rendered(floods, Flood("Redis itself", (0, *steps), beside))


def rendered(floods: Sequence[Flood], beside: Flood) -> str:
    rows = [(each.title, *(number(mb) for mb in each.resident_mb)) for each in (*floods, beside)]
    return f"{table(column_titles(floods), rows)}\n\n" + "\n".join(map(flood_verdict, floods))


def _ask(
    proxy: Proxy, count: int, first: int, upstream: Upstream, folder: Path, load_core: int | None
) -> None:
    """So many requests at least, each with a key of its own."""
    script = write_script(folder, f"distinct-{first}.lua", wrk.distinct_script(first))
    wanted = upstream.requests() + count
    load = Load("/", _CONNECTIONS, _LONGEST_S, script)
    with generating(proxy.url, load, core=load_core, limit_s=_LONGEST_S) as generator:
        while upstream.requests() < wanted:
            if generator.poll() is not None:
                raise BenchmarkError(f"{count:,} requests were not through after {_LONGEST_S} s")
            time.sleep(0.05)
        report = finished(generator)
    if report.errors:
        raise BenchmarkError(f"{report.errors} of {report.requests} requests failed")


def _resident_mb(proxy: Proxy, redis: EmbeddedValkey) -> tuple[float, float]:
    assert redis.process is not None
    pids = proxy.child.pid, redis.process.pid
    own, beside = (proc.memory_kb(pid, "VmRSS") / 1024 for pid in pids)
    return own, beside


def _peer(title: str, redis_url: str) -> Peer:
    def prepare(site: Site) -> Launch:
        # A bucket that was asked once is full again after six minutes: none is forgotten for its age meanwhile.
        launch = torana.serving(documents.limited(site.upstream_port, limit=10, per="1h"), site)
        return Launch(launch.command, {**launch.env, "REDIS_URL": redis_url}, launch.ready_path)

    return Peer(f"Torana flooded {title}", prepare, torana.TORANA.version)
