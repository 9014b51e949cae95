"""Sections of the document become policies; what they leave out comes from the settings."""

from dataclasses import replace
from typing import Any

import pytest

from resilience.policies import (
    BalancingPolicy,
    BreakerPolicy,
    ConcurrencyPolicy,
    EjectionPolicy,
    FaultPolicy,
    HealthPolicy,
    QuotaPolicy,
    RetryCause,
    RetryPolicy,
)
from routing.compiler import CompileOptions, compile_snapshot
from routing.document.access import LimitsSpec, QuotaUseSpec
from routing.document.answers import FaultSpec
from routing.document.policies import PlanSpec, QuotaSpec
from routing.document.services import BreakerSpec, EjectionSpec, HealthSpec, RetriesSpec, ServiceSpec
from routing.snapshot import Snapshot
from routing.traffic import (
    TrafficDefaults,
    assemble_plans,
    assemble_quota,
    balancing_of,
    breaker_of,
    ejection_of,
    fault_of,
    health_of,
    quotas_of,
    retries_of,
    route_concurrency_of,
    service_concurrency_of,
)

DEFAULTS = TrafficDefaults()
QUOTA = {"name": "q", "limit": 10, "per": "1s"}


def quota(**keys: Any) -> QuotaPolicy:
    return assemble_quota(QuotaSpec.model_validate({**QUOTA, **keys}))


def service(**keys: Any) -> ServiceSpec:
    return ServiceSpec.model_validate({"name": "s", **keys})


@pytest.mark.parametrize(
    ("keys", "policy"),
    [
        ({}, QuotaPolicy("q", 10, 1.0)),
        ({"burst": 20, "per": "5m"}, QuotaPolicy("q", 10, 300.0, burst=20)),
        ({"algorithm": "sliding_window"}, QuotaPolicy("q", 10, 1.0, algorithm="sliding_window")),
        ({"per": "day"}, QuotaPolicy("q", 10, 86400.0, algorithm="fixed_window", calendar="day")),
        ({"per": "month"}, QuotaPolicy("q", 10, 31 * 86400.0, algorithm="fixed_window", calendar="month")),
        ({"key": ["ip", {"header": "x-a"}]}, QuotaPolicy("q", 10, 1.0, keys=("ip", "header:x-a"))),
        ({"methods": ["GET"]}, QuotaPolicy("q", 10, 1.0, methods=frozenset({"GET"}))),
        ({"on_store_failure": "deny"}, QuotaPolicy("q", 10, 1.0, on_store_failure="deny")),
        ({"mode": "log"}, QuotaPolicy("q", 10, 1.0, is_enforced=False)),
    ],
)
def test_quotas(keys: dict[str, Any], policy: QuotaPolicy) -> None:
    """A calendar period is a fixed window."""
    assert quota(**keys) == policy


def test_plan_replaces_how_much_and_nothing_else() -> None:
    """Key, methods and mode stay the quota's; a quota that is not there is passed over."""
    quotas = {"q": quota(key="ip", burst=3, mode="log"), "d": quota(name="d", per="day")}
    listed = [{"name": "q", "limit": 99, "per": "1m"}, {"name": "d", "limit": 5, "per": "month"}]
    plan = PlanSpec.model_validate(
        {"name": "gold", "quotas": [*listed, {"name": "x", "limit": 1, "per": "1s"}]}
    )

    assert assemble_plans([plan], quotas) == {
        "gold": {
            "q": replace(quotas["q"], limit=99, per_s=60.0, burst=0),
            "d": replace(quotas["d"], limit=5, per_s=31 * 86400.0, calendar="month"),
        }
    }


def test_quotas_of_a_route() -> None:
    """Those that it names; else those of the settings; none where limits are switched off."""
    quotas = {"q": quota()}
    uses = [QuotaUseSpec.model_validate("q")]
    logged = [QuotaUseSpec.model_validate({"name": "q", "mode": "log"})]
    defaults = TrafficDefaults(quotas=(quota(name="all"),))

    assert quotas_of(uses, quotas, defaults) == (quotas["q"],)
    assert quotas_of(logged, quotas, defaults) == (replace(quotas["q"], is_enforced=False),)
    assert quotas_of([], quotas, defaults) == defaults.quotas
    assert quotas_of(uses, quotas, replace(defaults, limits=False)) == ()


@pytest.mark.parametrize(
    ("keys", "defaults", "policy"),
    [
        ({}, {}, BalancingPolicy()),
        ({}, {"load_balancing": "random", "zone": "a"}, BalancingPolicy("random", zone="a")),
        ({"load_balancing": "random"}, {"load_balancing": "round_robin"}, BalancingPolicy("random")),
        ({"slow_start": "30s", "panic": True}, {}, BalancingPolicy(slow_start_s=30.0, panic=True)),
        (
            {"load_balancing": "consistent_hash", "hash_on": {"header": "x"}},
            {},
            BalancingPolicy("consistent_hash", hash_on="header:x"),
        ),
        ({}, {"load_balancing": "consistent_hash"}, BalancingPolicy("consistent_hash", hash_on="ip")),
    ],
)
def test_balancing(keys: dict[str, Any], defaults: dict[str, Any], policy: BalancingPolicy) -> None:
    """The service's own word, then the settings'."""
    assert balancing_of(service(**keys), TrafficDefaults(**defaults)) == policy


OWN = BreakerPolicy(7, 5.0, 8, 9.0, 2, 3.0)
SETTINGS = BreakerPolicy(failure_threshold=3, recovery_timeout_s=11.0, half_open_timeout_s=12.0)


@pytest.mark.parametrize(
    ("keys", "defaults", "policy"),
    [
        (None, {}, None),
        (None, {"breaks_everywhere": True}, SETTINGS),
        (None, {"breaks_everywhere": True, "breaks": False}, None),
        ({}, {}, SETTINGS),
        ({"enabled": False}, {"breaks_everywhere": True}, None),
        ({}, {"breaks": False}, None),
        (
            {
                "failure_threshold": 7,
                "failure_window": "5s",
                "min_throughput": 8,
                "recovery_timeout": "9s",
                "half_open_requests": 2,
                "half_open_timeout": "3s",
            },
            {},
            OWN,
        ),
    ],
)
def test_breakers(
    keys: dict[str, Any] | None, defaults: dict[str, Any], policy: BreakerPolicy | None
) -> None:
    """A service without the section has one only if the settings ask for breakers."""
    spec = None if keys is None else BreakerSpec.model_validate(keys)
    assert breaker_of(spec, TrafficDefaults(breaker=SETTINGS, **defaults)) == policy


@pytest.mark.parametrize(
    ("keys", "policy"),
    [
        (None, None),
        ({"attempts": 0}, None),
        ({}, RetryPolicy()),
        (
            {"attempts": 1, "on": ["reset", 500], "methods": ["POST"], "budget": 0.5, "backoff": "1s"},
            RetryPolicy(
                1, frozenset({RetryCause.RESET}), frozenset({500}), frozenset({"POST"}), 0.5, backoff_s=1.0
            ),
        ),
    ],
)
def test_retries(keys: dict[str, Any] | None, policy: RetryPolicy | None) -> None:
    """Names and statuses are told apart."""
    assert retries_of(None if keys is None else RetriesSpec.model_validate(keys)) == policy


def test_health() -> None:
    """Nothing is asked unless somebody says so."""
    keys = {"path": "/up", "interval": "1s", "timeout": "2s", "healthy_after": 3, "unhealthy_after": 4}
    more = {"expect": [204], "body": "ok", "slower_than": "100ms"}

    assert health_of(None) is None
    assert health_of(HealthSpec.model_validate({})) == HealthPolicy()
    assert health_of(HealthSpec.model_validate({**keys, **more})) == HealthPolicy(
        "/up", 1.0, 2.0, 3, 4, frozenset({204}), "ok", 0.1
    )


def test_ejection() -> None:
    """Percents become shares."""
    assert ejection_of(None) is None
    spec = EjectionSpec.model_validate({"consecutive_errors": 2, "for": "1m", "max_percent": 25})
    assert ejection_of(spec) == EjectionPolicy(2, 60.0, 0.25)


def test_concurrency() -> None:
    """Of a service and of a route."""
    limits = {"max_concurrency": 7, "queue": 2, "adaptive": True, "mode": "log"}

    assert service_concurrency_of(service()) is None
    assert service_concurrency_of(service(max_concurrency=3)) == ConcurrencyPolicy(3)
    assert route_concurrency_of(None) is None
    assert route_concurrency_of(LimitsSpec.model_validate({"max_body": 1})) is None
    assert route_concurrency_of(LimitsSpec.model_validate(limits)) == ConcurrencyPolicy(7, 2, True, False)


def test_faults() -> None:
    """One that does nothing is none; the settings may forbid them all."""
    keys = {"delay": "1s", "abort": 503, "percent": 5, "until": "2026-12-31"}
    spec = FaultSpec.model_validate(keys)

    assert fault_of(None, DEFAULTS) is None
    assert fault_of(FaultSpec.model_validate({"percent": 5, "until": "2026-12-31"}), DEFAULTS) is None
    assert fault_of(spec, TrafficDefaults(faults=False)) is None
    assert fault_of(spec, DEFAULTS) == FaultPolicy(1.0, 503, 0.05, 1798675200.0)


def compiled(*, limit: int, previous: Snapshot | None = None) -> Snapshot:
    raw = {
        "version": 1,
        "quotas": [{**QUOTA, "limit": limit}, {**QUOTA, "name": "other"}],
        "plans": [{"name": "gold", "quotas": [{"name": "q", "limit": 50, "per": "1s"}]}],
        "routes": [
            {"name": "a", "match": {"path": "/a"}, "respond": {"status": 200}, "quotas": ["q"]},
            {"name": "b", "match": {"path": "/b"}, "respond": {"status": 200}, "quotas": [{"name": "other"}]},
        ],
    }
    return compile_snapshot(raw, revision=1, options=CompileOptions(), previous=previous)


def test_a_route_is_made_anew_when_its_quota_changed() -> None:
    """And only then."""
    first = compiled(limit=10)
    again = compiled(limit=10, previous=first)
    after = compiled(limit=11, previous=again)

    assert first.plans["gold"]["q"].limit == 50
    assert again.routes["a"] is first.routes["a"]
    assert after.routes["a"].quotas == (QuotaPolicy("q", 11, 1.0),)
    assert after.routes["b"] is first.routes["b"]
