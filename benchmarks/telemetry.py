"""I: What watching costs: the same route with and without metrics, roll-ups, request log and access log."""

import contextlib
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks import documents, paired
from benchmarks.lineup import proxy_started
from benchmarks.measure import Load
from benchmarks.paired import Comparison
from benchmarks.peers import torana
from benchmarks.peers.base import Launch, Peer, Site
from benchmarks.report import number, table
from benchmarks.slices import BLOCKS_A_ROUND, SLICE_REQUESTS, Side, compare
from benchmarks.upstream import Upstream

TITLE = "Telemetry"
GOAL_US = 5.0
_NOTHING = "nothing is watched"
_SOME = "all of it, without an access log"
_ALL = "all of it, with an access log of every request"
_PATH = ", in the event loop"


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
    """Each gateway takes turns with the one that watches nothing; Markdown."""
    found: dict[str, list[Comparison]] = {title + part: [] for part in ("", _PATH) for title in (_SOME, _ALL)}
    environments = {
        _NOTHING: {"TELEMETRY": "false"},
        _SOME: {},
        _ALL: {"ACCESS_LOG": str(folder / "access.log")},
    }
    with contextlib.ExitStack() as stack:
        sides = {}
        for title, env in environments.items():
            say(f"starting: {title}")
            starting = proxy_started(
                _peer(title, env), folder=folder, upstream_port=upstream.port, core=proxy_core
            )
            sides[title] = Side(stack.enter_context(starting), Load("/", 32))
        for turn in range(rounds):
            say(f"round {turn + 1} of {rounds}")
            for title in (_SOME, _ALL):
                compared = compare(sides[title], sides[_NOTHING], upstream=upstream, core=load_core)
                found[title].append(compared.whole)
                found[title + _PATH].append(compared.loops)
    return rendered({title: paired.joined(parts) for title, parts in found.items()}, rounds=rounds)


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


def rendered(found: Mapping[str, Comparison], *, rounds: int) -> str:
    """Each beside the one that watches nothing."""
    rows = []
    for title, compared in found.items():
        own, base = number(compared.own_us, 2), number(compared.base_us, 2)
        rows.append((title, own, base, *compared.shown, str(compared.errors)))
    columns = ("watched", "CPU µs/request", _NOTHING, "µs over", "interval", "errors")
    about = paired.method(requests=SLICE_REQUESTS, blocks=BLOCKS_A_ROUND * rounds)
    bare_us = found[_ALL].base_us
    about += " A request waits for what the event loop does; lines and figures are written by other threads."
    said = "\n".join(
        paired.verdict(title, found[title], beside=_NOTHING, goal_us=GOAL_US, bare_us=bare_us)
        for title in (_ALL + _PATH, _ALL)
    )
    return "\n\n".join((about, table(columns, rows), said))
