"""I: What watching costs: the same route with and without metrics, roll-ups, request log and access log."""

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks import documents
from benchmarks.lineup import proxy_started
from benchmarks.measure import Load, measure
from benchmarks.peers import torana
from benchmarks.peers.base import Launch, Peer, Site
from benchmarks.report import number, table
from benchmarks.summary import Sample, difference, line
from benchmarks.upstream import Upstream

TITLE = "Telemetry"
GOAL_US = 5.0
_NOTHING, _ALL = "nothing is watched", "all of it, with an access log of every request"


def run(
    *,
    folder: Path,
    upstream: Upstream,
    proxy_core: int | None,
    load_core: int | None,
    rounds: int,
    duration_s: int,
    say: Callable[[str], None],
) -> str:
    """The two gateways take turns; Markdown."""
    cases = {
        _NOTHING: {"TELEMETRY": "false"},
        "all of it, without an access log": {},
        _ALL: {"ACCESS_LOG": str(folder / "access.log")},
    }
    samples: dict[str, list[Sample]] = {title: [] for title in cases}
    with contextlib.ExitStack() as stack:
        proxies = {}
        for title, env in cases.items():
            say(f"starting: {title}")
            starting = proxy_started(
                _peer(title, env), folder=folder, upstream_port=upstream.port, core=proxy_core
            )
            proxies[title] = stack.enter_context(starting)
        load = Load("/", 32, duration_s)
        for turn in range(rounds):
            say(f"round {turn + 1} of {rounds}")
            for title, proxy in proxies.items():
                samples[title].append(measure(proxy, load, upstream=upstream, core=load_core))
    return rendered(samples)


def _peer(title: str, env: Mapping[str, str]) -> Peer:
    def prepare(site: Site) -> Launch:
        """With a database of its own, since most of it ends up there."""
        document = torana.write_document(site.folder / "document.yaml", documents.bare(site.upstream_port))
        torana.manage(site.folder, "migrate", "--verbosity", "0", more=env)
        torana.manage(site.folder, "gateway", "apply", str(document), more=env)
        return Launch(
            torana.serve_command(site.port), {**torana.settings_of(site.folder), **env}, torana.READY_PATH
        )

    return Peer(f"Torana: {title}", prepare, torana.TORANA.version)


def rendered(samples: Mapping[str, list[Sample]]) -> str:
    """Each beside the one that watches nothing, in the same round."""
    rows, extra = [], 0.0
    for title, own in samples.items():
        figures, extra = line(own), difference(own, samples[_NOTHING])
        shown = "–" if title == _NOTHING else f"{extra:+.2f}"
        rows.append((title, number(figures.cpu_us, 2), shown, str(figures.errors)))
    word = "ok" if extra <= GOAL_US else "MISSED"
    columns = ("watched", "CPU µs/request", "µs over", "errors")
    verdict = f"- {word}: {_ALL}: {extra:+.2f} µs (goal: at most +{GOAL_US:g} µs)"
    return f"{table(columns, rows)}\n\n{verdict}"
