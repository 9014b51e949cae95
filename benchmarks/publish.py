"""I: From publish to live, and what publishing under full load does to requests."""

import contextlib
import http.client
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from statistics import median

from benchmarks import documents, wrk
from benchmarks.cores import pinned
from benchmarks.errors import BenchmarkError
from benchmarks.measure import Load, finished, generating
from benchmarks.peers import torana
from benchmarks.processes import HOST, Child, environment, started, wait_until_ready
from benchmarks.report import number, table
from benchmarks.upstream import Upstream
from gateway_project.server.ports import keep_port

TITLE = "Publishing"
_ROUTES = 1000
_POLL_S = 0.001
_LIVE_GOAL_S = 1.0
_P99_GOAL = 3.0
_LIVE_LIMIT_S = 20.0


@dataclass(frozen=True, slots=True)
class Cores:
    """Where the gateway runs, and everything else."""

    proxy: int | None
    load: int | None


@dataclass(frozen=True, slots=True)
class Gateway:
    """Torana on a database of its own; documents are applied to it with its own command."""

    child: Child
    folder: Path
    port: int
    upstream_port: int
    redis: bool
    core: int | None

    def document(self, mark: str) -> Path:
        document = documents.marked(self.upstream_port, routes=_ROUTES, mark=mark)
        return torana.write_document(self.folder / "document.yaml", document)

    def manage(self, *arguments: str) -> str:
        return torana.manage(self.folder, "gateway", *arguments, redis=self.redis, core=self.core)

    def apply(self, mark: str, *options: str) -> None:
        self.manage("apply", str(self.document(mark)), *options)


@contextlib.contextmanager
def gateway(folder: Path, *, upstream_port: int, workers: int, cores: Cores) -> Iterator[Gateway]:
    """Migrated, with the first document applied, serving. Several workers need a Redis: the embedded one."""
    folder.mkdir()
    redis, port = workers > 1, keep_port()
    torana.manage(folder, "migrate", "--verbosity", "0", redis=redis)
    command = torana.serve_command(port, "--workers", str(workers))
    env = environment(folder, torana.settings_of(folder, redis=redis))
    with started("Torana", command, folder=folder, env=env, cwd=torana.ROOT, core=cores.proxy) as child:
        own = Gateway(child, folder, port, upstream_port, redis, cores.load)
        wait_until_ready(child, port=port, path="/health/live")
        own.apply("first")
        wait_until_ready(child, port=port, path=torana.READY_PATH)
        Pollers([(HOST, port)]).wait_for("first")
        yield own


class Pollers:
    """Connections kept open to `/mark`, so many that every worker of every node has some of them."""

    def __init__(self, places: Iterable[tuple[str, int]]) -> None:
        """A connection for each host and port."""
        self._connections = [http.client.HTTPConnection(host, port, timeout=5) for host, port in places]

    def wait_for(
        self, mark: str, *, while_running: subprocess.Popen[str] | None = None, limit_s: float = _LIVE_LIMIT_S
    ) -> float:
        """Unix time at which the last of the connections first saw the mark; one question a millisecond."""
        deadline = time.monotonic() + limit_s
        behind = list(self._connections)
        while behind:
            behind = [connection for connection in behind if not self._sees(connection, mark)]
            if behind and time.monotonic() > deadline:
                raise BenchmarkError(f"the change {mark!r} was not live after {limit_s:g} s")
            if while_running is not None and while_running.poll():
                raise BenchmarkError(f"gateway apply was refused: {while_running.communicate()[0][-2000:]}")
        return time.time()

    def _sees(self, connection: http.client.HTTPConnection, mark: str) -> bool:
        time.sleep(_POLL_S)
        try:
            connection.request("GET", "/mark")
            return connection.getresponse().read() == mark.encode()
        except (OSError, http.client.HTTPException):
            connection.close()
            return False


@dataclass(frozen=True, slots=True)
class Delay:
    """Seconds until live: since the revision was written, and since `gateway apply` was started."""

    since_revision_s: float
    since_start_s: float


def time_to_live(own: Gateway, *, times: int, connections: int) -> list[Delay]:
    """Apply, and watch, so many times. The revision's own time is taken before its commit: an upper bound."""
    pollers = Pollers([(HOST, own.port)] * connections)
    pollers.wait_for("first")
    seen: list[tuple[float, float]] = []
    for turn in range(times):
        mark = f"mark-{turn}"
        began = time.time()
        process = _applying(own, mark)
        live_at = pollers.wait_for(mark, while_running=process)
        output, _ = process.communicate(timeout=120)
        if process.returncode:
            raise BenchmarkError(f"gateway apply ended with {process.returncode}: {output[-2000:]}")
        seen.append((began, live_at))
    written = _revision_times(own)[-times:]
    return [Delay(live - at, live - began) for (began, live), at in zip(seen, written, strict=True)]


def _applying(own: Gateway, mark: str) -> subprocess.Popen[str]:
    command = (sys.executable, "manage.py", "gateway", "apply", str(own.document(mark)))
    env = environment(own.folder, torana.settings_of(own.folder, redis=own.redis))
    return subprocess.Popen(
        pinned(command, own.core), cwd=torana.ROOT, env=env, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def _revision_times(own: Gateway) -> list[float]:
    """Unix times of all revisions, oldest first."""
    revisions = json.loads(own.manage("revisions", "--json"))
    ordered = sorted(revisions, key=lambda revision: int(revision["number"]))
    return [datetime.fromisoformat(revision["created_at"]).timestamp() for revision in ordered]


@dataclass(frozen=True, slots=True)
class Phase:
    """One run of wrk with something going on beside it."""

    changes: int
    report: wrk.WrkReport


def under_load(own: Gateway, *, rounds: int, duration_s: int) -> dict[str, list[Phase]]:
    """Quiet, dry runs (which cost the machine the same but publish nothing), and publishes, in turn."""
    phases: dict[str, list[Phase]] = {"quiet": [], "dry runs": [], "publishes": []}
    for turn in range(rounds):
        phases["quiet"].append(_phase(own, None, turn=turn, duration_s=duration_s))
        phases["dry runs"].append(_phase(own, ("--dry-run",), turn=turn, duration_s=duration_s))
        phases["publishes"].append(_phase(own, (), turn=turn, duration_s=duration_s))
    return phases


def _phase(own: Gateway, options: tuple[str, ...] | None, *, turn: int, duration_s: int) -> Phase:
    load = Load("/route-00500/items", 32, duration_s)
    ends, took_s, changes = time.monotonic() + duration_s, 0.0, 0
    with generating(f"http://{HOST}:{own.port}", load, core=own.core, limit_s=duration_s + 60) as generator:
        time.sleep(0.3)
        while options is not None and time.monotonic() + took_s < ends:
            began = time.monotonic()
            own.apply(f"load-{turn}-{changes}", *options)
            took_s = time.monotonic() - began
            changes += 1
        time.sleep(max(0.5, ends - time.monotonic()))
        return Phase(changes, finished(generator))


def run(
    *, folder: Path, upstream: Upstream, cores: Cores, times: int, rounds: int, duration_s: int,
    say: Callable[[str], None],
) -> str:  # fmt: skip
    """Markdown."""
    parts = []
    with gateway(folder / "one", upstream_port=upstream.port, workers=1, cores=cores) as own:
        say(f"one worker: {times} times from apply to live")
        one = time_to_live(own, times=times, connections=1)
        say(f"one worker: publishing under load, {rounds} rounds of three phases of {duration_s} s")
        phases = under_load(own, rounds=rounds, duration_s=duration_s)
    with gateway(folder / "two", upstream_port=upstream.port, workers=2, cores=cores) as own:
        say(f"two workers: {times} times from apply to live")
        two = time_to_live(own, times=times, connections=8)
    parts.append(rendered_delays({"1 worker": one, "2 workers": two}))
    parts.append(rendered_phases(phases))
    return "\n\n".join(parts)


def rendered_delays(delays: dict[str, list[Delay]]) -> str:
    rows, lines = [], []
    for title, own in delays.items():
        since_revision = [delay.since_revision_s for delay in own]
        since_start = [delay.since_start_s for delay in own]
        figures = (median(since_revision), max(since_revision), median(since_start), max(since_start))
        rows.append((title, str(len(own)), *(number(figure * 1000, 0) for figure in figures)))
        word = "ok" if max(since_revision) <= _LIVE_GOAL_S else "MISSED"
        lines.append(
            f"- {word}: {title}: live at most {max(since_revision):.3f} s after the revision (goal: 1 s)"
        )
    columns = (
        "to live",
        "times",
        "median ms",
        "max ms",
        "median ms with the command",
        "max ms with the command",
    )
    return f"{table(columns, rows)}\n\n" + "\n".join(lines)


def rendered_phases(phases: dict[str, list[Phase]]) -> str:
    rows = []
    for title, own in phases.items():
        reports = [phase.report for phase in own]
        p99 = median(report.p99_ms for report in reports)
        rate = median(report.requests_per_s for report in reports)
        failed, requests = sum(r.errors for r in reports), sum(r.requests for r in reports)
        changes = sum(phase.changes for phase in own)
        rows.append((title, str(changes), f"{requests:,}", str(failed), number(rate, 0), number(p99, 2)))
    usual = median(phase.report.p99_ms for phase in phases["quiet"])
    ratio = median(phase.report.p99_ms for phase in phases["publishes"]) / usual
    failed = sum(phase.report.errors for phase in phases["publishes"])
    whole, swift = ("ok" if met else "MISSED" for met in (failed == 0, ratio < _P99_GOAL))
    lines = (
        f"- {whole}: {failed} failed requests while publishing (goal: none)",
        f"- {swift}: p99 while publishing is {ratio:.2f} times the usual (goal: under 3)",
    )
    columns = ("under load, 32 connections", "changes", "requests", "failed", "requests/s", "p99 ms")
    return f"{table(columns, rows)}\n\n" + "\n".join(lines)
