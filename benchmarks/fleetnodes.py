"""I: Nodes of one fleet: started, given documents, and loaded all at once."""

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks import documents, proc, wrk
from benchmarks.cores import pinned
from benchmarks.errors import BenchmarkError
from benchmarks.fleetnet import Network, Place
from benchmarks.fleetstores import Database, SharedRedis
from benchmarks.measure import Load, finished, generating
from benchmarks.peers import torana
from benchmarks.processes import Child, environment, started, wait_until_ready
from benchmarks.publish import Pollers
from benchmarks.upstream import Upstream
from gateway_project.server.ports import keep_port

LIMIT: Final = 100
"""Requests a second of each bucket whose exactness is measured."""
FEW: Final = 10
_PORT: Final = 8000
_SECRET: Final = "one-secret-for-all-nodes-of-the-fleet-that-is-measured"
_READY_S: Final = 60.0
_APPLY_LIMIT_S: Final = 90.0
_SETTLE_S: Final = 0.5
_TAIL_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all fleets of a run have: their network, their stores, what is behind them."""

    folder: Path
    network: Network
    database: Database
    redis: SharedRedis
    upstream: Upstream
    proxy_core: int | None
    load_core: int | None

    def settings(self, folder: Path, database_url: str) -> dict[str, str]:
        own = torana.settings_of(folder, redis=True)
        shared = {"DATABASE_URL": database_url, "REDIS_URL": self.redis.url, "SECRET_KEY": _SECRET}
        return {**own, **shared, "OPS_ACCESS": "public", "ALLOWED_HOSTS": "*"}

    def manage(self, *arguments: str) -> str:
        more = self.settings(self.folder, self.database.url)
        return torana.manage(self.folder, *arguments, redis=True, core=self.load_core, more=more)

    def document(self, mark: str, routes: int) -> Path:
        document = documents.fleet(
            self.network.hub, self.upstream.port, routes=routes, limit=LIMIT, mark=mark
        )
        return torana.write_document(self.folder / "document.yaml", document)

    def applying(self, mark: str, routes: int) -> subprocess.Popen[str]:
        """`gateway apply`, under way."""
        command = (sys.executable, "manage.py", "gateway", "apply", str(self.document(mark, routes)))
        return subprocess.Popen(
            pinned(command, self.load_core), cwd=torana.ROOT, text=True, stdin=subprocess.DEVNULL,
            env=environment(self.folder, self.settings(self.folder, self.database.url)),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Node:
    """One gateway of one worker."""

    child: Child
    host: str
    port: int

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def place(self) -> tuple[str, int]:
        return self.host, self.port


@contextlib.contextmanager
def nodes_running(around: Surroundings, count: int, *, title: str, role: str = "all") -> Iterator[list[Node]]:
    """All started, all ready: each has its own VAR_DIR and serves what the database holds."""
    with contextlib.ExitStack() as stack:
        nodes = [
            stack.enter_context(_started(around, place, around.folder / f"{title}-{number}", role))
            for number, place in enumerate(around.network.places[:count], 1)
        ]
        for node in nodes:
            wait_until_ready(
                node.child, port=node.port, path=torana.READY_PATH, timeout_s=_READY_S, host=node.host
            )
        yield nodes


@contextlib.contextmanager
def _started(around: Surroundings, place: Place, folder: Path, role: str) -> Iterator[Node]:
    folder.mkdir()
    port = _PORT if place.prefix else keep_port()
    command = (*place.prefix, *torana.serve_command(port, "--workers", "1", "--role", role, host=place.host))
    env = environment(folder, around.settings(folder, around.database.shared_url))
    core = around.proxy_core
    with started("Torana", command, folder=folder, env=env, cwd=torana.ROOT, core=core) as child:
        yield Node(child, place.host, port)


def live_after(
    around: Surroundings, nodes: Sequence[Node], mark: str, *, routes: int = FEW
) -> tuple[float, float]:
    """Seconds from the revision's own time, before its commit, until the last node served it; and of the command."""
    pollers, began = Pollers(node.place for node in nodes), time.monotonic()
    process = around.applying(mark, routes)
    try:
        live_at = pollers.wait_for(mark, while_running=process, limit_s=_APPLY_LIMIT_S)
        output, _ = process.communicate(timeout=_APPLY_LIMIT_S)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    took_s = time.monotonic() - began
    if process.returncode:
        raise BenchmarkError(f"gateway apply ended with {process.returncode}: {output[-2000:]}")
    return live_at - around.database.newest_revision(), took_s


@dataclass(frozen=True, slots=True)
class Window:
    """What all nodes did within it; costs are for each request that reached the upstream."""

    cpu_us: float
    requests: int
    redis_calls: float
    redis_commands: float
    redis_bytes: float
    errors: int


def loaded(around: Surroundings, nodes: Sequence[Node], load: Load) -> Window:
    """Every node has this load. All is read at the ends of a window in which all generators run."""
    with generating_all(nodes, load, core=around.load_core) as generators:
        time.sleep(_SETTLE_S)
        cpu, redis, count = cpu_of(nodes), around.redis.use(), around.upstream.requests()
        time.sleep(max(0.5, load.duration_s - _SETTLE_S - _TAIL_S))
        cpu, after = cpu_of(nodes) - cpu, around.redis.use()
        count = around.upstream.requests() - count
        reports = all_finished(generators)
    if not count:
        raise BenchmarkError(f"no request for {load.path} reached the upstream")
    moved = after.bytes_in + after.bytes_out - redis.bytes_in - redis.bytes_out
    return Window(
        cpu / count, count, (after.calls - redis.calls) / count, (after.commands - redis.commands) / count,
        moved / count, sum(report.errors for report in reports),
    )  # fmt: skip


@contextlib.contextmanager
def generating_all(
    nodes: Sequence[Node], load: Load, *, core: int | None
) -> Iterator[list[subprocess.Popen[str]]]:
    """One wrk for each node, at the same time."""
    with contextlib.ExitStack() as stack:
        yield [
            stack.enter_context(generating(node.url, load, core=core, limit_s=load.duration_s + 30))
            for node in nodes
        ]


def all_finished(generators: Sequence[subprocess.Popen[str]]) -> list[wrk.WrkReport]:
    """All are asked to stop before any of them is waited for."""
    for generator in generators:
        generator.send_signal(signal.SIGINT)
    return [finished(generator) for generator in generators]


def cpu_of(nodes: Sequence[Node]) -> float:
    return sum(proc.cpu_us(node.child.pid) for node in nodes)


def resident_mb(nodes: Sequence[Node]) -> float:
    """Of one node, on average."""
    return sum(proc.memory_kb(node.child.pid, "VmRSS") for node in nodes) / 1024 / len(nodes)
