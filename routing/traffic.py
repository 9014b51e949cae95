"""P: From checked specifications to the policies that hold traffic in check.

What a section leaves out comes from the gateway's settings (`TrafficDefaults`); what has no section is not done at
all, but for breakers, which the settings may ask for everywhere.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, cast

from resilience.policies import (
    Balancing,
    BalancingPolicy,
    BreakerPolicy,
    Calendar,
    ConcurrencyPolicy,
    EjectionPolicy,
    FaultPolicy,
    HealthPolicy,
    QuotaPolicy,
    RetryCause,
    RetryPolicy,
)
from routing.document.access import LimitsSpec, QuotaUseSpec
from routing.document.answers import FaultSpec
from routing.document.policies import PlanSpec, QuotaSpec
from routing.document.services import (
    BreakerSpec,
    EjectionSpec,
    HealthSpec,
    RetriesSpec,
    ServiceSpec,
)
from routing.shapes.cors import CorsPolicy

_LONGEST_S: Final = {"day": 86_400.0, "month": 31 * 86_400.0}
_BREAKER: Final = BreakerPolicy()
Quotas = Mapping[str, QuotaPolicy]


@dataclass(frozen=True, slots=True)
class TrafficDefaults:
    """What the gateway's settings say where the document says nothing."""

    load_balancing: Balancing = "round_robin"
    zone: str = ""
    breaker: BreakerPolicy = _BREAKER
    breaks_everywhere: bool = False  # also services without a breaker section
    breaks: bool = True  # False: no breaker acts, whatever the document says
    limits: bool = True  # False: no quota acts
    faults: bool = True  # False: no fault is injected
    quotas: tuple[QuotaPolicy, ...] = ()  # of routes that name none
    cors: CorsPolicy | None = None  # of routes that name none


NO_DEFAULTS: Final = TrafficDefaults()


def assemble_quota(spec: QuotaSpec) -> QuotaPolicy:
    """A calendar period is always a fixed window."""
    calendar = cast("Calendar", spec.per) if isinstance(spec.per, str) else ""
    return QuotaPolicy(
        name=spec.name,
        limit=spec.limit,
        per_s=_period_s(spec.per),
        algorithm="fixed_window" if calendar else spec.algorithm,
        calendar=calendar,
        burst=spec.burst or 0,
        keys=spec.key,
        methods=frozenset(spec.methods),
        on_store_failure=spec.on_store_failure,
        is_enforced=spec.mode == "enforce",
    )


def assemble_plans(plans: Iterable[PlanSpec], quotas: Quotas) -> Mapping[str, Quotas]:
    """By plan, the quotas that take the place of those of the same name."""
    return {plan.name: _replacements(plan, quotas) for plan in plans}


def _replacements(plan: PlanSpec, quotas: Quotas) -> Quotas:
    replaced = {}
    for spec in plan.quotas:
        known = quotas.get(spec.name)
        if known is not None:
            calendar = cast("Calendar", spec.per) if isinstance(spec.per, str) else ""
            replaced[spec.name] = replace(
                known,
                limit=spec.limit,
                per_s=_period_s(spec.per),
                calendar=calendar,
                algorithm="fixed_window" if calendar else known.algorithm,
                burst=spec.burst or 0,
            )
    return replaced


def quotas_of(
    uses: Iterable[QuotaUseSpec], quotas: Quotas, defaults: TrafficDefaults
) -> tuple[QuotaPolicy, ...]:
    """The quotas that a route's requests count against."""
    if not defaults.limits:
        return ()
    named = tuple(_used(use, quotas[use.name]) for use in uses)
    return named or defaults.quotas


def _used(use: QuotaUseSpec, quota: QuotaPolicy) -> QuotaPolicy:
    return replace(quota, is_enforced=False) if use.mode == "log" else quota


def _period_s(per: float | str) -> float:
    return _LONGEST_S[per] if isinstance(per, str) else per


def balancing_of(spec: ServiceSpec, defaults: TrafficDefaults) -> BalancingPolicy:
    """Where the settings ask for consistent hashing and the service names nothing to hash, it is the address."""
    algorithm = spec.load_balancing or defaults.load_balancing
    return BalancingPolicy(
        algorithm=algorithm,
        hash_on=(spec.hash_on or "ip") if algorithm == "consistent_hash" else "",
        slow_start_s=spec.slow_start or 0.0,
        panic=spec.panic,
        zone=defaults.zone,
    )


def breaker_of(spec: BreakerSpec | None, defaults: TrafficDefaults) -> BreakerPolicy | None:
    """None: no breaker acts for the service."""
    if not defaults.breaks:
        return None
    if spec is None:
        return defaults.breaker if defaults.breaks_everywhere else None
    if not spec.enabled:
        return None
    base = defaults.breaker
    return BreakerPolicy(
        failure_threshold=spec.failure_threshold or base.failure_threshold,
        failure_window_s=spec.failure_window,
        min_throughput=spec.min_throughput,
        recovery_timeout_s=spec.recovery_timeout or base.recovery_timeout_s,
        half_open_requests=spec.half_open_requests,
        half_open_timeout_s=spec.half_open_timeout or base.half_open_timeout_s,
    )


def retries_of(spec: RetriesSpec | None) -> RetryPolicy | None:
    """None: only what was never sent is sent again."""
    if spec is None or not spec.attempts:
        return None
    return RetryPolicy(
        attempts=spec.attempts,
        causes=frozenset(RetryCause(cause) for cause in spec.on if isinstance(cause, str)),
        statuses=frozenset(cause for cause in spec.on if isinstance(cause, int)),
        methods=None if isinstance(spec.methods, str) else frozenset(spec.methods),
        budget=spec.budget,
        backoff_s=spec.backoff,
    )


def health_of(spec: HealthSpec | None, protocol: str = "http") -> HealthPolicy | None:
    """None: targets are not asked. gRPC has no path: the name that `Check` asks about stands there."""
    if spec is None:
        return None
    return HealthPolicy(
        path=spec.service if protocol == "grpc" else spec.path,
        interval_s=spec.interval,
        timeout_s=spec.timeout,
        healthy_after=spec.healthy_after,
        unhealthy_after=spec.unhealthy_after,
        expect=frozenset(spec.expect),
        body=spec.body,
        slower_than_s=spec.slower_than,
    )


def ejection_of(spec: EjectionSpec | None) -> EjectionPolicy | None:
    """None: no target is left out for its errors."""
    if spec is None:
        return None
    return EjectionPolicy(spec.consecutive_errors, spec.for_, spec.max_percent / 100)


def service_concurrency_of(spec: ServiceSpec) -> ConcurrencyPolicy | None:
    """None: as many requests at a time as come."""
    return None if spec.max_concurrency is None else ConcurrencyPolicy(spec.max_concurrency)


def route_concurrency_of(spec: LimitsSpec | None) -> ConcurrencyPolicy | None:
    """None: as many requests at a time as come."""
    if spec is None or spec.max_concurrency is None:
        return None
    return ConcurrencyPolicy(
        spec.max_concurrency, queue=spec.queue, adaptive=spec.adaptive, is_enforced=spec.mode == "enforce"
    )


def fault_of(spec: FaultSpec | None, defaults: TrafficDefaults) -> FaultPolicy | None:
    """None: nothing is done on purpose."""
    if spec is None or not defaults.faults or not (spec.delay or spec.abort):
        return None
    return FaultPolicy(
        delay_s=spec.delay or 0.0,
        abort=spec.abort or 0,
        share=spec.percent / 100,
        until=spec.until,
    )
