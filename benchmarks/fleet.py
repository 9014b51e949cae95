"""I: Fleets of 1, 2 and 4 nodes that share one PostgreSQL and one Redis, and what a hundred nodes would ask of them."""

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final, TypeVar

import psycopg

from benchmarks import upstream, wrk
from benchmarks.admission import Admission
from benchmarks.errors import BenchmarkError
from benchmarks.fleetfigures import DataNode, Large, Measured, NodeFigures, RedisMaximum
from benchmarks.fleetnet import network
from benchmarks.fleetnodes import (
    FEW,
    LIMIT,
    Node,
    Surroundings,
    Window,
    all_finished,
    generating_all,
    live_after,
    loaded,
    nodes_running,
    resident_mb,
)
from benchmarks.fleetstores import Database, database, shared_redis
from benchmarks.fleettables import rendered
from benchmarks.measure import Load, write_script
from benchmarks.processes import HOST, answer_of
from benchmarks.redisload import maximum

_T = TypeVar("_T")
TITLE: Final = "Fleets of nodes"
_KEYS: Final = 4
_LOAD: Final = 5.0
_ALL_CONNECTIONS: Final = 256
"""Of all nodes together, while limits are judged: each rests long beside the time that an answer takes."""
_CONNECTIONS: Final = 32
_ASKING_S: Final = 2.0
_POLL: Final = b"SELECT number, digest FROM routing_revision ORDER BY number DESC LIMIT 1"
_SETTLED_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Plan:
    """How long it may take."""

    nodes: tuple[int, ...]
    rounds: int
    duration_s: int
    idle_s: float
    exact_s: int
    times: int
    routes: int
    redis_s: float


QUICK: Final = Plan((1, 2), rounds=1, duration_s=2, idle_s=5.0, exact_s=5, times=2, routes=1000, redis_s=1.0)
WHOLE: Final = Plan(
    (1, 2, 4), rounds=3, duration_s=3, idle_s=12.0, exact_s=10, times=5, routes=10_000, redis_s=3.0
)


def run(
    *, folder: Path, proxy_core: int | None, load_core: int | None, plan: Plan, say: Callable[[str], None]
) -> str:  # fmt: skip
    """Markdown: a table of what was measured, and the projection."""
    say("one Redis alone")
    alone = _redis_alone(folder, proxy_core, plan)
    with _surroundings(folder, max(plan.nodes), proxy_core, load_core) as around:
        say(f"{around.network.kind}; migrating a database of its own")
        around.manage("migrate", "--verbosity", "0")
        around.manage("gateway", "apply", str(around.document("first", FEW)))
        fleets = []
        for count in plan.nodes:
            say(f"{count} node{'s' if count > 1 else ''}")
            with nodes_running(around, count, title=f"of-{count}") as nodes:
                fleets.append(_figures(around, nodes, plan))
        say("one data node")
        with nodes_running(around, 1, title="data", role="data"):
            data = _data_node(around, plan)
        say(f"{plan.routes:,} routes")
        with nodes_running(around, 1, title="large") as nodes:
            large = _large(around, nodes, plan.routes)
        measured = Measured(
            tuple(fleets), alone, large, data, _statements_s(around.database), around.database.most_connections,
            _machine_mb(), os.cpu_count() or 1,
        )  # fmt: skip
        return rendered(measured, network=around.network.kind, load=_LOAD)


def _redis_alone(folder: Path, core: int | None, plan: Plan) -> RedisMaximum:
    """On the core that nodes have later."""
    own = folder / "redis-alone"
    own.mkdir()
    with shared_redis(own, HOST, core=core) as redis:
        return maximum(redis, seconds=plan.redis_s)


@contextlib.contextmanager
def _surroundings(
    folder: Path, nodes: int, proxy_core: int | None, load_core: int | None
) -> Iterator[Surroundings]:
    with contextlib.ExitStack() as stack:
        net = stack.enter_context(network(nodes))
        behind = folder / "upstream"
        behind.mkdir()
        hosts = tuple(dict.fromkeys((HOST, net.hub)))
        yield Surroundings(
            folder,
            net,
            stack.enter_context(database(net.hub)),
            stack.enter_context(shared_redis(folder, net.hub, core=load_core)),
            stack.enter_context(upstream.running(behind, core=load_core, hosts=hosts)),
            proxy_core,
            load_core,
        )


def _figures(around: Surroundings, nodes: Sequence[Node], plan: Plan) -> NodeFigures:
    """Idle first, then changes, then load."""
    traffic = around.database.forwarder.traffic
    _, idle_s = _statements_during(around, lambda: time.sleep(plan.idle_s))
    connections = traffic.connections / len(nodes)
    live = [live_after(around, nodes, f"{len(nodes)}-{turn}")[0] for turn in range(plan.times)]
    connect = max(1, _CONNECTIONS // len(nodes))
    callers = write_script(around.folder, "callers.lua", wrk.callers_script(1000))
    bare, quota = (Load(path, connect, plan.duration_s, callers) for path in ("/bare", "/quota"))
    pairs: list[tuple[Window, Window]] = []

    def under_load() -> tuple[Admission, int]:
        for _ in range(plan.rounds):
            pairs.append((loaded(around, nodes, bare), loaded(around, nodes, quota)))
        return _exact(around, nodes, plan.exact_s)

    (admission, alone), loaded_s = _statements_during(around, under_load)
    quotas = [pair[1] for pair in pairs]
    return NodeFigures(
        nodes=len(nodes),
        bare_us=median(pair[0].cpu_us for pair in pairs),
        quota_us=median(window.cpu_us for window in quotas),
        admission=admission,
        alone=alone,
        live_s=tuple(live),
        redis_calls=median(window.redis_calls for window in quotas),
        redis_commands=median(window.redis_commands for window in quotas),
        redis_bytes=median(window.redis_bytes for window in quotas),
        idle_statements_s=idle_s / len(nodes),
        loaded_statements_s=loaded_s / len(nodes),
        connections=connections,
        memory_mb=resident_mb(nodes),
        errors=sum(window.errors for pair in pairs for window in pair),
    )


def _statements_during(around: Surroundings, job: Callable[[], _T]) -> tuple[_T, float]:
    """What came of the job, and statements a second of all nodes meanwhile."""
    traffic, began = around.database.forwarder.traffic, time.monotonic()
    before = traffic.statements
    found = job()
    return found, (traffic.statements - before) / (time.monotonic() - began)


def _exact(around: Surroundings, nodes: Sequence[Node], seconds: int) -> tuple[Admission, int]:
    """As two workers are judged by `exactness`, but on all nodes at once; and what was decided without Redis."""
    pause_ms = round(_ALL_CONNECTIONS / (LIMIT * _KEYS * _LOAD) * 1000)
    script = write_script(around.folder, "keys.lua", wrk.callers_script(_KEYS, pause_ms=pause_ms))
    load = Load("/limited", _ALL_CONNECTIONS // len(nodes), seconds, script)
    alone, before = _alone(nodes), around.upstream.requests()
    with generating_all(nodes, load, core=around.load_core) as generators:
        time.sleep(seconds)
        reports = all_finished(generators)
    time.sleep(_SETTLED_S)
    admitted = around.upstream.requests() - before
    lasted_s = max(report.duration_s for report in reports) - pause_ms / 1000
    asked = sum(report.requests for report in reports)
    return Admission(LIMIT, _KEYS, lasted_s, asked, admitted), _alone(nodes) - alone


def _alone(nodes: Sequence[Node]) -> int:
    """Of all nodes, since their start."""
    answers = [answer_of(node.port, "/health/detailed", host=node.host) for node in nodes]
    if refused := [answer.status for answer in answers if answer.status != 200]:
        raise BenchmarkError(f"/health/detailed answers {refused[0]}")
    return sum(json.loads(answer.body)["components"]["redis"]["decided_alone"] for answer in answers)


def _data_node(around: Surroundings, plan: Plan) -> DataNode:
    _, statements_s = _statements_during(around, lambda: time.sleep(plan.idle_s))
    return DataNode(around.database.forwarder.traffic.connections, statements_s)


def _large(around: Surroundings, nodes: Sequence[Node], routes: int) -> Large:
    """From few routes to many, then one of them changed."""
    traffic, before_mb = around.database.forwarder.traffic, resident_mb(nodes)
    before_bytes = traffic.down_bytes
    all_live_s, apply_s = live_after(around, nodes, "large", routes=routes)
    node_bytes = traffic.down_bytes - before_bytes
    change_live_s, _ = live_after(around, nodes, "changed", routes=routes)
    after_mb = resident_mb(nodes)
    return Large(routes, apply_s, all_live_s, change_live_s, node_bytes, after_mb, after_mb - before_mb)


def _statements_s(own: Database) -> float:
    """What a watching node asks, without pause, over one connection."""
    with psycopg.connect(own.url, autocommit=True) as connection:
        count, ends = 0, time.monotonic() + _ASKING_S
        while time.monotonic() < ends:
            connection.execute(_POLL).fetchone()
            count += 1
    return count / _ASKING_S


def _machine_mb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e6
