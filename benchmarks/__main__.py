"""I: Command line of the benchmarks: `python -m benchmarks [PART…]`."""

import argparse
import contextlib
import os
import platform
import signal
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from benchmarks import (
    cells,
    credentials,
    fleet,
    lineup,
    memory,
    proxying,
    publish,
    realtime,
    report,
    routes,
    shaping,
    telemetry,
    traffic,
    upstream,
)
from benchmarks.cores import Cores
from benchmarks.errors import BenchmarkError
from benchmarks.measure import require_wrk
from benchmarks.peers import catalogue
from benchmarks.peers.base import Peer

RESULTS = Path(__file__).resolve().parent / "RESULTS.md"
_PROXYING_TITLE = "One proxied route"
_HEAD = """# Benchmark results

Written by `make bench`; figures of one run are for comparing with each other, not with another machine's.
"""
_METHOD = """CPU is the time (user and system) of the peer's whole process tree, divided by the requests that
reached the upstream within the same window. Each figure is the median of {rounds} rounds (at most 3
beyond 200 B) in which all peers took turns; ratios are medians of the ratios within each round. Every
peer has one process or worker on the same core, no access log, and keeps its connections to the
upstream open. The upstream ({upstream}) and wrk run on another core and are not counted. The machine
has {cores} cores.
"""


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for."""

    parts: tuple[str, ...]
    peers: tuple[Peer, ...]
    extras: tuple[Peer, ...]
    payloads: tuple[str, ...]
    connections: tuple[int, ...]
    rounds: int
    duration_s: int
    times: int
    size_bytes: int
    quick: bool
    write: bool


@dataclass(frozen=True, slots=True)
class Bench:
    """What every part needs."""

    folder: Path
    upstream: upstream.Upstream
    cores: Cores
    options: Options

    def part_folder(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir()
        return folder


PARTS = (
    "proxying",
    "routes",
    "credentials",
    "traffic",
    "shaping",
    "telemetry",
    "realtime",
    "publish",
    "memory",
    "fleet",
)


def parse(arguments: Sequence[str], *, quick: bool) -> Options:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure Torana beside its peers."
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)} (default: all)")
    parser.add_argument("--peers", help="comma-separated beginnings of names, e.g. torana,caddy")
    parser.add_argument("--extra", action="append", default=[], metavar="NAME=COMMAND")
    parser.add_argument("--payloads", default=",".join(cells.PAYLOAD_NAMES))
    parser.add_argument("--connections", default=",".join(map(str, cells.CONNECTIONS)))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2, help="of one measurement")
    parser.add_argument("--times", type=int, default=20, help="publishes to wait for")
    parser.add_argument("--megabytes", type=int, default=1000, help="size of the long bodies")
    parser.add_argument("--no-write", action="store_true", help="leave RESULTS.md alone")
    given = parser.parse_args(arguments)
    if unknown := set(given.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))} (there are {', '.join(PARTS)})")
    if unknown := set(given.payloads.split(",")) - set(cells.PAYLOAD_NAMES):
        parser.error(
            f"no such payload: {', '.join(sorted(unknown))} (there are {', '.join(cells.PAYLOAD_NAMES)})"
        )
    narrowing = ("peers", "extra", "payloads", "connections", "rounds", "seconds", "times", "megabytes")
    whole = all(getattr(given, name) == parser.get_default(name) for name in narrowing)
    return Options(
        parts=tuple(given.parts) or (("proxying",) if quick else PARTS),
        peers=catalogue.chosen(given.peers or ("torana,caddy" if quick else None)),
        extras=tuple(map(catalogue.extra, given.extra)),
        payloads=tuple(given.payloads.split(",")),
        connections=tuple(map(int, given.connections.split(","))),
        rounds=given.rounds,
        duration_s=given.seconds,
        times=given.times,
        size_bytes=given.megabytes * 1_000_000,
        quick=quick,
        write=whole and not quick and not given.no_write,
    )


def measure_proxying(bench: Bench) -> str:
    options = bench.options
    wanted = cells.quick_cells() if options.quick else cells.cells(
        options.payloads, options.connections, rounds=options.rounds, duration_s=options.duration_s
    )  # fmt: skip
    folder, core = bench.part_folder("proxying"), bench.cores
    peers = (*options.peers, *options.extras)
    with lineup.assembled(peers, folder=folder, upstream=bench.upstream, core=core.proxy) as present:
        for name, reason in present.absent:
            say(f"without {name}: {reason}")
        if not present.proxies:
            raise BenchmarkError("no peer could be started")
        measured, parts = [], []
        for cell in proxying.run(
            present, wanted, upstream=bench.upstream, folder=folder, core=core.load, say=say
        ):
            measured.append(cell)
            parts.append(f"### {cell.cell.title}\n\n{report.cell_table(cell)}")
            print(f"\n{parts[-1]}\n", flush=True)
        versions = "\n".join(f"- {proxy.name}: {proxy.version}" for proxy in present.proxies)
        missing = "\n".join(f"- {name}: did not take part" for name, _ in present.absent)
    verdicts = report.verdicts(measured)
    print(verdicts, flush=True)
    method = _METHOD.format(rounds=options.rounds, upstream=bench.upstream.kind, cores=os.cpu_count())
    about = f"Python {platform.python_version()}.\n\n{versions}\n{missing}".rstrip()
    return "\n\n".join((method.rstrip(), about, verdicts, *parts))


def in_rounds(name: str, run: Callable[..., str]) -> Callable[[Bench], str]:
    """A part whose cases take turns before the same upstream."""

    def measure(bench: Bench) -> str:
        options = bench.options
        text = run(
            folder=bench.part_folder(name), upstream=bench.upstream, proxy_core=bench.cores.proxy,
            load_core=bench.cores.load, rounds=options.rounds, duration_s=max(3, options.duration_s), say=say,
        )  # fmt: skip
        print(f"\n{text}\n", flush=True)
        return text

    return measure


def measure_traffic(bench: Bench) -> str:
    options = bench.options
    whole = traffic.whole(options.rounds, max(3, options.duration_s))
    text = traffic.run(
        folder=bench.part_folder("traffic"), upstream=bench.upstream, proxy_core=bench.cores.proxy,
        load_core=bench.cores.load, plan=traffic.QUICK if options.quick else whole, say=say,
    )  # fmt: skip
    print(f"\n{text}\n", flush=True)
    return text


def measure_realtime(bench: Bench) -> str:
    options = bench.options
    text = realtime.run(
        folder=bench.part_folder("realtime"), proxy_core=bench.cores.proxy, load_core=bench.cores.load,
        rounds=options.rounds, duration_s=max(3, options.duration_s), say=say,
    )  # fmt: skip
    print(f"\n{text}\n", flush=True)
    return text


def measure_publish(bench: Bench) -> str:
    options, cores = bench.options, publish.Cores(bench.cores.proxy, bench.cores.load)
    text = publish.run(
        folder=bench.part_folder("publish"), upstream=bench.upstream, cores=cores, times=options.times,
        rounds=min(3, options.rounds), duration_s=4 * options.duration_s, say=say,
    )  # fmt: skip
    print(f"\n{text}\n", flush=True)
    return text


def measure_memory(bench: Bench) -> str:
    options = bench.options
    named = [peer for peer in options.peers if peer.name in (report.TORANA, report.CADDY)]
    text = memory.run(
        (*named, *options.extras), folder=bench.part_folder("memory"), proxy_core=bench.cores.proxy,
        load_core=bench.cores.load, size_bytes=options.size_bytes, say=say,
    )  # fmt: skip
    print(f"\n{text}\n", flush=True)
    return text


def measure_fleet(bench: Bench) -> str:
    text = fleet.run(
        folder=bench.part_folder("fleet"), proxy_core=bench.cores.proxy, load_core=bench.cores.load,
        plan=fleet.QUICK if bench.options.quick else fleet.WHOLE, say=say,
    )  # fmt: skip
    print(f"\n{text}\n", flush=True)
    return text


_MEASURES: dict[str, tuple[str, Callable[[Bench], str]]] = {
    "proxying": (_PROXYING_TITLE, measure_proxying),
    "routes": (routes.TITLE, in_rounds("routes", routes.run)),
    "credentials": (credentials.TITLE, in_rounds("credentials", credentials.run)),
    "traffic": (traffic.TITLE, measure_traffic),
    "shaping": (shaping.TITLE, in_rounds("shaping", shaping.run)),
    "telemetry": (telemetry.TITLE, in_rounds("telemetry", telemetry.run)),
    "realtime": (realtime.TITLE, measure_realtime),
    "publish": (publish.TITLE, measure_publish),
    "memory": (memory.TITLE, measure_memory),
    "fleet": (fleet.TITLE, measure_fleet),
}


def run(options: Options) -> int:
    """Exit code: 0 measured, 1 a part could not be."""
    require_wrk()
    cores = lineup.core_plan()
    lineup.leave_proxy_core(cores)
    if os.getloadavg()[0] > 0.5:
        say(f"this machine is busy (load {os.getloadavg()[0]:.1f}): trust ratios, not latencies")
    failed = False
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as name,
        upstream.running(Path(name), core=cores.upstream) as behind,
    ):
        bench = Bench(Path(name), behind, cores, options)
        for part in options.parts:
            title, measure = _MEASURES[part]
            try:
                text = measure(bench)
            except BenchmarkError as failure:
                say(f"{part} could not be measured: {failure}")
                failed = True
                continue
            if options.write:
                save(title, text)
    return 1 if failed else 0


def save(title: str, text: str) -> None:
    document = RESULTS.read_text() if RESULTS.exists() else _HEAD
    RESULTS.write_text(report.with_section(document, title, text))
    say(f"wrote {RESULTS.name}, section {title!r}")


def say(text: str) -> None:
    print(f"· {text}", file=sys.stderr, flush=True)


def _leave(number: int, _: FrameType | None) -> None:
    """A signal unwinds the stack, so that everything that was started is ended."""
    raise SystemExit(128 + number)


def main() -> int:
    signal.signal(signal.SIGTERM, _leave)
    quick = os.environ.get("QUICK", "") not in ("", "0")
    with contextlib.suppress(KeyboardInterrupt):
        try:
            return run(parse(sys.argv[1:], quick=quick))
        except BenchmarkError as failure:
            print(failure, file=sys.stderr)
            return 1
    return 130


if __name__ == "__main__":
    sys.exit(main())
