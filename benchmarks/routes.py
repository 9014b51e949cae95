"""I: What the number of routes costs: the same load on 1, 10 and 10,000 routes."""

import contextlib
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import documents, wrk
from benchmarks.cores import pinned
from benchmarks.errors import BenchmarkError
from benchmarks.lineup import Proxy, proxy_started
from benchmarks.measure import Load, measure, write_script
from benchmarks.peers import torana
from benchmarks.peers.base import Launch, Peer, Site
from benchmarks.report import number, table
from benchmarks.summary import Sample, difference, line, ratio
from benchmarks.upstream import Upstream

TITLE = "Number of routes"
COUNTS = (1, 10, 10_000)
_GOAL_US = 1.0
_PATH = "/route-%05d/items"


def peer(routes: int) -> Peer:
    def prepare(site: Site) -> Launch:
        return torana.serving(documents.many(site.upstream_port, routes=routes), site)

    return Peer(f"Torana {routes} routes", prepare, torana.TORANA.version)


@dataclass(frozen=True, slots=True)
class Case:
    """So many routes, of which so many are asked for in turn."""

    routes: int
    asked: int

    @property
    def title(self) -> str:
        return (
            f"{self.routes:,}"
            if self.asked == self.routes
            else f"{self.routes:,}, {self.asked} of them asked"
        )


# Asking for all of 10,000 routes adds what the processor's caches cannot hold to what matching costs.
CASES = (Case(1, 1), Case(10, 10), Case(10_000, 10), Case(10_000, 10_000))
_BASE = Case(10, 10)
Samples = dict[Case, list[Sample]]


def run(
    *, folder: Path, upstream: Upstream, proxy_core: int | None, load_core: int | None, rounds: int, duration_s: int,
    say: Callable[[str], None],
) -> str:  # fmt: skip
    """wrk goes round the routes in scattered order; the gateways take turns; Markdown."""
    say("compiling and matching alone")
    alone = matched_alone(proxy_core)
    loads = {case: Load("/", 32, duration_s, _script(folder, case)) for case in CASES}
    samples: Samples = {case: [] for case in CASES}
    with contextlib.ExitStack() as stack:
        proxies: dict[int, Proxy] = {}
        for count in COUNTS:
            say(f"starting with {count} routes")
            starting = proxy_started(peer(count), folder=folder, upstream_port=upstream.port, core=proxy_core)
            proxies[count] = stack.enter_context(starting)
        for number_of_round in range(rounds):
            say(f"round {number_of_round + 1} of {rounds}")
            for case in CASES:
                sample = measure(proxies[case.routes], loads[case], upstream=upstream, core=load_core)
                samples[case].append(sample)
    return f"{rendered(samples)}\n\n{alone}"


def _script(folder: Path, case: Case) -> str:
    """The routes that are asked for lie evenly among all of them."""
    step = case.routes // case.asked
    return write_script(
        folder, f"{case.routes}-{case.asked}.lua", wrk.rotation_script(case.asked, _PATH, step=step)
    )


def rendered(samples: Samples) -> str:
    """The difference between 1 and 10 routes shows how much of any difference is noise."""
    rows, verdicts = [], []
    for case, own in samples.items():
        figures = line(own)
        extra = difference(own, samples[_BASE])
        share = ratio({"own": own, "base": samples[_BASE]}, "own", to="base")
        rows.append(
            (case.title, number(figures.cpu_us, 2), f"{extra:+.2f}", number(share, 3), str(figures.errors))
        )
        if case.routes > _BASE.routes:
            word = "ok" if extra <= _GOAL_US else "MISSED"
            verdicts.append(f"- {word}: {case.title}: {extra:+.2f} µs beside 10 routes (goal: at most +1 µs)")
    columns = ("routes", "CPU µs/request", "µs beside 10 routes", "× 10 routes", "errors")
    return f"{table(columns, rows)}\n\n" + "\n".join(verdicts)


def matched_alone(core: int | None) -> str:
    """In a process of its own, on the core that the proxies have; Markdown."""
    command = pinned((sys.executable, "-m", "benchmarks.matching", *map(str, COUNTS)), core)
    done = subprocess.run(command, cwd=torana.ROOT, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise BenchmarkError(f"matching alone ended with {done.returncode}:\n{done.stderr[-2000:]}")
    return done.stdout.strip()
