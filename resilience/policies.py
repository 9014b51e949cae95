"""P: What operators ask for, as frozen values: limits, breakers, retries, balancing, health, ejection, concurrency.

Made when a configuration is compiled, read for every request. Times are seconds, shares are 0 to 1. The names are
those of the configuration document; what a value means for a request is decided in the module of the same name
(`limiter`, `breaker`, `retry`, …).
"""

from dataclasses import dataclass
from enum import Enum
from typing import Literal

Algorithm = Literal["token_bucket", "sliding_window", "fixed_window"]
Calendar = Literal["", "day", "month"]
OnStoreFailure = Literal["local", "allow", "deny"]
Balancing = Literal["round_robin", "weighted_round_robin", "least_connections", "random", "consistent_hash"]


@dataclass(frozen=True, slots=True)
class QuotaPolicy:
    """How many requests in which time, counted by what."""

    name: str
    limit: int
    per_s: float  # length of the period; of a calendar period its longest: 86,400 or 31 days
    algorithm: Algorithm = "token_bucket"
    calendar: Calendar = ""  # the period begins with the day or the month, UTC; only fixed_window
    burst: int = 0  # the token bucket's size; 0: the limit
    keys: tuple[str, ...] = ("consumer",)  # consumer, ip, api_key, header:NAME, route, service, global
    methods: frozenset[str] = frozenset()  # which count; empty: all
    on_store_failure: OnStoreFailure = "local"
    is_enforced: bool = True  # False: judge, count, let pass

    @property
    def capacity(self) -> int:
        """What a caller who was quiet for long may use at once."""
        return (self.burst or self.limit) if self.algorithm == "token_bucket" else self.limit


@dataclass(frozen=True, slots=True)
class BreakerPolicy:
    """When a service that keeps failing is left alone, and how it is tried again."""

    failure_threshold: int = 5
    failure_window_s: float = 10.0
    min_throughput: int = 5
    recovery_timeout_s: float = 60.0
    half_open_requests: int = 1
    half_open_timeout_s: float = 30.0


class RetryCause(Enum):
    """What a failed attempt is called in a service's `retries.on`; statuses stand there as numbers."""

    CONNECT = "connect"
    RESET = "reset"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """When a failed attempt is repeated."""

    attempts: int = 2  # after the first
    causes: frozenset[RetryCause] = frozenset(RetryCause)
    statuses: frozenset[int] = frozenset({502, 503, 504})
    methods: frozenset[str] | None = None  # that may be sent twice; None: the idempotent ones
    budget: float = 0.2  # retries as a share of the requests of the last ten seconds
    backoff_s: float = 0.025  # before the first retry; doubles each time


@dataclass(frozen=True, slots=True)
class HealthPolicy:
    """How targets are asked whether they are well."""

    path: str = "/health"  # of gRPC: the name that Check asks about
    interval_s: float = 30.0
    timeout_s: float = 2.0
    healthy_after: int = 1
    unhealthy_after: int = 3
    expect: frozenset[int] = frozenset({200})
    body: str | None = None  # must be in the answer
    slower_than_s: float | None = None  # a slower answer is a failure


@dataclass(frozen=True, slots=True)
class EjectionPolicy:
    """When a target whose requests fail is left out for a while."""

    consecutive_errors: int = 5
    base_s: float = 30.0  # times the number of its ejections
    max_share: float = 0.5  # of the targets may be out at a time; always at least one


@dataclass(frozen=True, slots=True)
class BalancingPolicy:
    """How a target is picked, and from which."""

    algorithm: Balancing = "round_robin"
    hash_on: str = ""  # consistent_hash: header:NAME, cookie:NAME, ip or consumer
    slow_start_s: float = 0.0
    panic: bool = False  # with no healthy target, try them all
    zone: str = ""  # the gateway's own: targets there are preferred


@dataclass(frozen=True, slots=True)
class ConcurrencyPolicy:
    """How many requests at a time, in one worker."""

    limit: int
    queue: int = 0  # that may wait for their turn
    adaptive: bool = False  # the limit goes down by itself while answers get slower
    is_enforced: bool = True


@dataclass(frozen=True, slots=True)
class FaultPolicy:
    """Faults on purpose."""

    delay_s: float = 0.0
    abort: int = 0  # status that is answered instead; 0: none
    share: float = 1.0
    until: float = float("inf")  # epoch seconds
