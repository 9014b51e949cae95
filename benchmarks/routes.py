"""I: What the number of routes costs: the same load on 1, 10 and 10,000 routes."""

import contextlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import documents, wrk
from benchmarks.cores import pinned
from benchmarks.errors import BenchmarkError
from benchmarks.lineup import Proxy, proxy_started
from benchmarks.measure import Load, measure, write_script
from benchmarks.peers import torana
from benchmarks.peers.base import Launch, Peer, Site
from benchmarks.report import number, table
from benchmarks.summary import Sample, difference, line
from benchmarks.upstream import Upstream

TITLE = "Number of routes"
COUNTS = (1, 10, 10_000)
_GOAL_US = 1.0


def peer(routes: int) -> Peer:
    def prepare(site: Site) -> Launch:
        return torana.serving(documents.many(site.upstream_port, routes=routes), site)

    return Peer(f"Torana {routes} routes", prepare, torana.TORANA.version)


def run(
    *, folder: Path, upstream: Upstream, proxy_core: int | None, load_core: int | None, rounds: int, duration_s: int,
    say: Callable[[str], None],
) -> str:  # fmt: skip
    """wrk goes round all routes in scattered order; the gateways take turns; Markdown."""
    say("compiling and matching alone")
    alone = matched_alone(proxy_core)
    with contextlib.ExitStack() as stack:
        proxies: dict[int, Proxy] = {}
        loads: dict[int, Load] = {}
        for count in COUNTS:
            say(f"starting with {count} routes")
            starting = proxy_started(peer(count), folder=folder, upstream_port=upstream.port, core=proxy_core)
            proxies[count] = stack.enter_context(starting)
            script = wrk.rotation_script(count, "/route-%05d/items")
            loads[count] = Load("/", 32, duration_s, write_script(folder, f"routes-{count}.lua", script))
        samples: dict[int, list[Sample]] = {count: [] for count in COUNTS}
        for number_of_round in range(rounds):
            say(f"round {number_of_round + 1} of {rounds}")
            for count in COUNTS:
                samples[count].append(
                    measure(proxies[count], loads[count], upstream=upstream, core=load_core)
                )
    return f"{rendered(samples)}\n\n{alone}"


def rendered(samples: dict[int, list[Sample]]) -> str:
    """The difference between 1 and 10 routes shows how much of any difference is noise."""
    rows = []
    for count, own in samples.items():
        figures = line(own)
        extra = difference(own, samples[10])
        share = figures.cpu_us / line(samples[10]).cpu_us
        rows.append(
            (f"{count:,}", number(figures.cpu_us, 2), f"{extra:+.2f}", number(share, 3), str(figures.errors))
        )
    extra = difference(samples[COUNTS[-1]], samples[10])
    verdict = f"- {'ok' if extra <= _GOAL_US else 'MISSED'}: 10,000 routes cost {extra:+.2f} µs (goal: at most +1 µs)"
    columns = ("routes", "CPU µs/request", "µs beside 10 routes", "× 10 routes", "errors")
    return f"{table(columns, rows)}\n\n{verdict}"


def matched_alone(core: int | None) -> str:
    """In a process of its own, on the core that the proxies have; Markdown."""
    command = pinned((sys.executable, "-m", "benchmarks.matching", *map(str, COUNTS)), core)
    done = subprocess.run(command, cwd=torana.ROOT, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise BenchmarkError(f"matching alone ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout.strip()
