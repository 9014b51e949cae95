"""P: What was measured of fleets of nodes, and what it makes of one too large for this machine."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final, Literal

from benchmarks.admission import Admission

LIVE_GOAL_S: Final = 1.0
BUSY: Final = 0.5
"""The share of its core that a node uses at the load that is projected."""
Grows = Literal["nodes", "routes", "consumers"]


@dataclass(frozen=True, slots=True)
class NodeFigures:
    """Of so many nodes together; costs are for each request, rates and memory for each node."""

    nodes: int
    bare_us: float
    quota_us: float
    admission: Admission
    alone: int
    """Requests that were decided without Redis, which answered too late."""
    live_s: tuple[float, ...]
    """From each revision's own time, which is before its commit, until the last node served it."""
    redis_calls: float
    redis_commands: float
    redis_bytes: float
    idle_statements_s: float
    loaded_statements_s: float
    connections: float
    memory_mb: float
    errors: int


@dataclass(frozen=True, slots=True)
class RedisMaximum:
    """One Redis that does nothing else. Its time for a call is `call_us`, and `decision_us` for each decision in it."""

    call_us: float
    decision_us: float
    calls_s: float
    """With one decision each."""
    decisions_s: float
    """With many in each call."""
    busy: float
    """The share of a core that Redis had meanwhile."""
    bucket_bytes: float

    def requests_s(self, calls_per_request: float) -> float:
        """How many requests with one quota keep one core busy."""
        return 1e6 / (self.call_us * calls_per_request + self.decision_us)


@dataclass(frozen=True, slots=True)
class Large:
    """What many routes take of one node, measured with so many."""

    routes: int
    apply_s: float
    """Of the whole command, every route being new."""
    all_live_s: float
    change_live_s: float
    """One route changed, the others as they were."""
    node_bytes: int
    """That PostgreSQL sends to one node for one revision."""
    memory_mb: float
    added_mb: float


@dataclass(frozen=True, slots=True)
class DataNode:
    """What one idle node that serves only routed traffic (`--role data`) asks of PostgreSQL."""

    connections: float
    statements_s: float


@dataclass(frozen=True, slots=True)
class Measured:
    """All that a projection rests on; the figures of the largest fleet are used."""

    fleets: tuple[NodeFigures, ...]
    redis: RedisMaximum
    large: Large
    data: DataNode
    statements_s: float
    """That PostgreSQL answers to one connection that asks without pause."""
    most_connections: int
    machine_mb: float
    cores: int


@dataclass(frozen=True, slots=True)
class Size:
    """Of the fleet that is projected."""

    nodes: int
    routes: int
    consumers: int


PROJECTED: Final = Size(100, 100_000, 1_000_000)


@dataclass(frozen=True, slots=True)
class Bearing:
    """What is asked of one thing, and what it bears; nan: nothing here says how much."""

    name: str
    needed: float
    bears: float
    unit: str
    grows: Grows
    fixed: float = 0.0
    """The part of `needed` that does not grow."""

    @property
    def share(self) -> float:
        return self.needed / self.bears

    def full_at(self, size: Size) -> float:
        """How many nodes, routes or consumers use it up, if all else stays; infinite where it does not grow."""
        if self.needed <= self.fixed:
            return math.inf
        return float(getattr(size, self.grows)) * (self.bears - self.fixed) / (self.needed - self.fixed)


def project(measured: Measured, size: Size) -> list[Bearing]:
    """Straight lines through what was measured. Each node is busy with requests that count one quota."""
    fleet, large, redis = measured.fleets[-1], measured.large, measured.redis
    requests_s = size.nodes * BUSY * 1e6 / fleet.quota_us
    times = size.routes / large.routes
    few_s, few_mb = median(measured.fleets[0].live_s), large.memory_mb - large.added_mb
    change_s, all_s = (
        few_s + max(0.0, live_s - few_s) * times for live_s in (large.change_live_s, large.all_live_s)
    )
    memory_mb = few_mb + large.added_mb * times
    gbit_s = requests_s * fleet.redis_bytes * 8 / 1e9
    sent_gb = size.nodes * large.node_bytes * times / 1e9
    return [
        Bearing("Redis, requests with a quota", requests_s, redis.requests_s(fleet.redis_calls), "/s", "nodes"),
        Bearing("Redis, its network", gbit_s, math.nan, "Gbit/s", "nodes"),
        Bearing(
            "Redis, buckets of consumers", size.consumers * redis.bucket_bytes / 1e6, measured.machine_mb,
            "MB", "consumers",
        ),
        Bearing(
            "PostgreSQL, connections", size.nodes * fleet.connections, measured.most_connections, "", "nodes"
        ),
        Bearing(
            "PostgreSQL, statements of busy nodes", size.nodes * fleet.loaded_statements_s, measured.statements_s,
            "/s", "nodes",
        ),
        Bearing("one route changed, to live", change_s, LIVE_GOAL_S, "s", "routes", few_s),
        Bearing("all routes new, to live", all_s, math.nan, "s", "routes"),
        Bearing("all routes new, the command", large.apply_s * times, math.nan, "s", "routes"),
        Bearing("one revision, to all nodes", sent_gb, math.nan, "GB", "routes"),
        Bearing("memory of a node", memory_mb, measured.machine_mb / measured.cores, "MB", "routes", few_mb),
    ]  # fmt: skip


def in_order(bearings: Sequence[Bearing]) -> list[Bearing]:
    """Those that can be judged; what breaks first comes first."""
    judged = [bearing for bearing in bearings if not math.isnan(bearing.share)]
    return sorted(judged, key=lambda bearing: bearing.share, reverse=True)


def middle_ms(seconds: Sequence[float]) -> float:
    return median(seconds) * 1000
