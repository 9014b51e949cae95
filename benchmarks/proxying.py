"""I: The main table: one proxied route on every peer, in several sizes and at several numbers of connections."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks import wrk
from benchmarks.cells import Cell, Measured
from benchmarks.lineup import Lineup
from benchmarks.measure import Load, measure, write_script
from benchmarks.summary import Sample
from benchmarks.upstream import POST_BYTES, Upstream

PAYLOADS = {"200 B": "/small", "10 kB": "/large", "POST 1 kB": "/post"}


def run(
    lineup: Lineup, wanted: Sequence[Cell], *, upstream: Upstream, folder: Path, core: int | None,
    say: Callable[[str], None],
) -> Iterator[Measured]:  # fmt: skip
    """Round-robin within each cell: A, B, C, A, B, C …, so that every round holds all peers within seconds."""
    script = write_script(folder, "post.lua", wrk.post_script(POST_BYTES))
    for cell in wanted:
        say(f"{cell.title}: {cell.rounds} rounds of {len(lineup.proxies)} peers, {cell.duration_s} s each")
        posts = script if "POST" in cell.payload else None
        load = Load(PAYLOADS[cell.payload], cell.connections, cell.duration_s, posts)
        samples: dict[str, list[Sample]] = {proxy.name: [] for proxy in lineup.proxies}
        for _ in range(cell.rounds):
            for proxy in lineup.proxies:
                samples[proxy.name].append(measure(proxy, load, upstream=upstream, core=core))
        yield Measured(cell, samples)
