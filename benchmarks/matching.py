"""I: Compiling and matching alone, without the noise of a network: `python -m benchmarks.matching COUNT…`."""

import sys
import time
from collections.abc import Sequence
from statistics import median

from benchmarks import documents
from benchmarks.report import number, table
from routing.compiler import CompileOptions, compile_snapshot
from routing.matching import RouteIndex
from routing.paths import NormalPath, normalise

_REPEATS = 5
_LOOKUPS = 20_000


def run(counts: Sequence[int]) -> str:
    """Markdown: microseconds to normalise and match one path, the paths in scattered order; seconds to compile."""
    rows = []
    for count in counts:
        document = documents.many(1, routes=count)
        began = time.perf_counter()
        snapshot = compile_snapshot(document, revision=1, options=CompileOptions())
        compile_s = time.perf_counter() - began
        began = time.perf_counter()
        compile_snapshot(document, revision=2, options=CompileOptions(), previous=snapshot)
        again_s = time.perf_counter() - began
        cost_us = median(_match_us(snapshot.index, count) for _ in range(_REPEATS))
        rows.append(
            (f"{count:,}", number(cost_us, 2), number(compile_s * 1000, 0), number(again_s * 1000, 0))
        )
    columns = ("routes, in process", "normalise and match µs", "compile ms", "compile again unchanged ms")
    return table(columns, rows)


def _match_us(index: RouteIndex, count: int) -> float:
    paths = [b"/route-%05d/items" % (step * 7919 % count) for step in range(_LOOKUPS)]
    headers = ((b"host", b"127.0.0.1"), (b"accept", b"*/*"))
    began = time.perf_counter()
    for raw in paths:
        path = normalise(raw)
        assert isinstance(path, NormalPath)
        index.match("GET", b"127.0.0.1", path.match, headers, b"")
    return (time.perf_counter() - began) / _LOOKUPS * 1e6


if __name__ == "__main__":
    print(run(tuple(map(int, sys.argv[1:]))))
