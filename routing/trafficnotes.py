"""P: What the policies that hold traffic in check would make of a request, for `explain`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from math import ceil
from typing import Any, Final

from resilience.policies import BalancingPolicy, BreakerPolicy, ConcurrencyPolicy, FaultPolicy, QuotaPolicy
from resilience.retry import IDEMPOTENT
from routing.explanation import PolicyNote
from routing.knowledge import NOTHING, Counted, Knowledge, Left, Remaining
from routing.snapshot import CompiledRoute, CompiledService, Forward, HeaderList, Snapshot

SECRET: Final = frozenset({"authorization", "cookie", "x-api-key"})
ADDRESS: Final = "the client's address"
LIMITS_OFF: Final = "ENABLE_RATE_LIMITING is off: nothing is counted"
FAULTS_OFF: Final = "FAULT_INJECTION is off: nothing is done"
BREAKERS_OFF: Final = "CIRCUIT_BREAKER_ENABLED is off: it does not act"


def quota_notes(
    snapshot: Snapshot,
    route: CompiledRoute,
    source: str,
    *,
    method: str,
    request: Counted,
    known: Knowledge = NOTHING,
) -> Iterator[PolicyNote]:
    """One for each quota; `source` says where the route's list comes from."""
    plan = str((request.caller or {}).get("plan") or "")
    replaced = snapshot.plans.get(plan, {})
    found: list[tuple[QuotaPolicy, str]] = []
    for quota in route.quotas:
        if quota.name in replaced:
            found.append((replace(replaced[quota.name], is_enforced=quota.is_enforced), f"plan {plan}"))
        else:
            found.append((quota, source if quota.name in snapshot.quotas else "environment"))
    counting = [quota for quota, _ in found if _counts(quota, method)]
    left = iter(known.quotas(counting, request) if counting else ())
    for quota, origin in found:
        counts = _counts(quota, method)
        remaining = next(left) if counts else None
        details = _quota(quota, counted_for=whose(quota, request) if counts else None)
        refuses = isinstance(remaining, Left) and not remaining.is_allowed and quota.is_enforced
        outcome = "refuse" if refuses else "applies" if counts else "pass"
        yield PolicyNote("quotas", origin, outcome, details | _left(remaining, known.now))
    if not route.quotas and (route.source.get("quotas") or _default(snapshot, route, "quotas")):
        yield PolicyNote("quotas", source, "pass", {"remark": LIMITS_OFF})


def whose(quota: QuotaPolicy, request: Counted) -> str:
    """Whose requests the request is counted with, in words."""
    return ", ".join(_part(key, request) for key in quota.keys)


def fault_notes(snapshot: Snapshot, route: CompiledRoute, source: str, now: float) -> Iterator[PolicyNote]:
    """Faults on purpose; those that have ended pass."""
    fault = route.fault
    if fault is not None:
        yield PolicyNote("fault", source, "applies" if now < fault.until else "pass", _fault(fault, now))
    elif _says_something(route.source.get("fault") or _default(snapshot, route, "fault")):
        yield PolicyNote("fault", source, "pass", {"remark": FAULTS_OFF})


def concurrency_note(policy: ConcurrencyPolicy | None, source: str) -> Iterator[PolicyNote]:
    """How many at a time."""
    if policy is not None:
        details = {
            "at_a_time": policy.limit,
            "per": "worker",
            "queue": policy.queue,
            "adaptive": policy.adaptive or None,
            "mode": _mode(policy.is_enforced),
        }
        yield PolicyNote("concurrency", source, "applies", details)


def breaker_note(
    service: CompiledService, known: Mapping[str, Any] | None, now: float
) -> Iterator[PolicyNote]:
    """With its state, where somebody knows it: an open one refuses."""
    breaker, written = service.breaker, service.source.get("breaker")
    source = "environment" if written is None else "service"
    if breaker is not None:
        details = _state(known or {}, breaker, now) | {
            "failure_threshold": breaker.failure_threshold,
            "failure_window_s": breaker.failure_window_s,
            "min_throughput": breaker.min_throughput,
            "recovery_timeout_s": breaker.recovery_timeout_s,
            "half_open_requests": breaker.half_open_requests,
            "half_open_timeout_s": breaker.half_open_timeout_s,
        }
        yield PolicyNote("breaker", source, "refuse" if details["state"] == "open" else "pass", details)
    elif isinstance(written, Mapping) and written.get("enabled", True) is not False:
        yield PolicyNote("breaker", source, "pass", {"remark": BREAKERS_OFF})


def service_notes(service: CompiledService, method: str) -> Iterator[PolicyNote]:
    """Balancing, connections, checks, ejection, retries and the portal, where there is something to say."""
    balancing = service.balancing
    if len(service.targets) > 1 or balancing.algorithm != "round_robin":
        source = "service" if service.source.get("load_balancing") else "environment"
        is_built_in = source != "service" and balancing.algorithm == "round_robin"
        yield PolicyNote(
            "load_balancing", "built-in" if is_built_in else source, "applies", _balancing(balancing)
        )
    if (health := service.health) is not None:
        yield PolicyNote("health", "service", "applies", {
            "path": health.path,
            "interval_s": health.interval_s,
            "timeout_s": health.timeout_s,
            "healthy_after": health.healthy_after,
            "unhealthy_after": health.unhealthy_after,
            "expect": sorted(health.expect),
            "body": health.body,
            "slower_than_s": health.slower_than_s,
        })  # fmt: skip
    if (ejection := service.ejection) is not None:
        yield PolicyNote("ejection", "service", "applies", {
            "consecutive_errors": ejection.consecutive_errors,
            "for_s": ejection.base_s,
            "max_percent": ejection.max_share * 100,
        })  # fmt: skip
    if (retries := service.retries) is not None:
        methods = IDEMPOTENT if retries.methods is None else retries.methods
        yield PolicyNote("retries", "service", "applies", {
            "attempts": retries.attempts,
            "on": [*sorted(cause.value for cause in retries.causes), *sorted(retries.statuses)],
            "methods": sorted(methods),
            "may_be_sent_twice": method in methods,
            "budget": retries.budget,
            "backoff_s": retries.backoff_s,
        })  # fmt: skip
    if (tls := service.tls) is not None:
        yield PolicyNote("tls", "service", "applies", {
            "verify": tls.verify,
            "own_authority": tls.ca is not None,
            "client_certificate": tls.cert is not None,
            "sni": tls.sni,
        })  # fmt: skip
    if service.source.get("max_connections") is not None:
        limit = {"limit": service.max_connections, "counted": "per target and worker"}
        yield PolicyNote("max_connections", "service", "applies", limit)
    if (openapi := service.openapi) is not None:
        described = {"path": openapi.path, "refresh_s": openapi.refresh_s, "for": "the portal at /docs"}
        yield PolicyNote("openapi", "service", "applies", described)


def _counts(quota: QuotaPolicy, method: str) -> bool:
    return not quota.methods or method in quota.methods


def _quota(quota: QuotaPolicy, *, counted_for: str | None) -> dict[str, Any]:
    return {
        "quota": quota.name,
        "limit": quota.limit,
        "per": quota.calendar or f"{quota.per_s:g}s",
        "algorithm": quota.algorithm,
        "burst": quota.burst or None,
        "counted_for": counted_for,
        "methods": sorted(quota.methods),
        "mode": _mode(quota.is_enforced),
        "on_store_failure": quota.on_store_failure,
    }


def _left(remaining: Remaining, now: float) -> dict[str, Any]:
    """What is left before the request is counted."""
    if remaining is None:
        return {}
    if isinstance(remaining, str):
        return {"remaining": "unknown", "unknown_because": remaining}
    resets_at = _moment(ceil(now + remaining.reset_s)) if remaining.reset_s else None
    found: dict[str, Any] = {"remaining": remaining.remaining, "resets_at": resets_at}
    if not remaining.is_allowed:
        found["retry_after_s"] = ceil(remaining.retry_after_s)
    return found | ({"counted_by": remaining.counted_by} if remaining.counted_by else {})


def _part(key: str, request: Counted) -> str:
    caller, destination = request.caller, request.route.destination
    if key == "consumer" and caller is not None:
        return f"consumer {caller['consumer']}"
    if key == "api_key" and caller is not None and caller.get("method") == "api_key":
        return "the API key"
    if key == "route":
        return f"route {request.route.name}"
    if key == "service":
        return f"service {destination.service}" if isinstance(destination, Forward) else "service"
    if key == "global":
        return "everybody together"
    said = _header(key.removeprefix("header:"), request.headers) if key.startswith("header:") else ""
    return said or (f"address {request.address}" if request.address else ADDRESS)


def _header(name: str, headers: HeaderList) -> str:
    wanted = name.lower()
    value = next((value for field, value in headers if field == wanted.encode()), None)
    if value is None:
        return ""
    return f"header {name}" if wanted in SECRET else f"header {name}: {value.decode('latin-1')}"


def _state(known: Mapping[str, Any], breaker: BreakerPolicy, now: float) -> dict[str, Any]:
    """An open breaker lets the next request try once its time is over; a force ends by itself."""
    state, since, until = known.get("state"), known.get("since"), known.get("until")
    forced = known.get("forced") if until is None or now < until else None
    if forced is not None:
        ends = None if until is None else _moment(until)
        return {
            "state": forced,
            "forced_by": known.get("forced_by"),
            "reason": known.get("reason"),
            "until": ends,
        }
    if state == "open" and since is not None and now >= since + breaker.recovery_timeout_s:
        state = "half_open"
    return {"state": state, "since": None if since is None else _moment(since)}


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _fault(fault: FaultPolicy, now: float) -> dict[str, Any]:
    return {
        "delay_s": fault.delay_s or None,
        "abort": fault.abort or None,
        "percent": fault.share * 100,
        "until": _moment(fault.until),
        "has_ended": now >= fault.until,
    }


def _balancing(policy: BalancingPolicy) -> dict[str, Any]:
    return {
        "algorithm": policy.algorithm,
        "hash_on": policy.hash_on or None,
        "slow_start_s": policy.slow_start_s or None,
        "panic": policy.panic or None,
        "zone": policy.zone or None,
    }


def _mode(is_enforced: bool) -> str:
    return "enforce" if is_enforced else "log"


def _default(snapshot: Snapshot, route: CompiledRoute, key: str) -> Any:
    return snapshot.defaults.get(key) if key in route.from_defaults else None


def _says_something(fault: Any) -> bool:
    return isinstance(fault, Mapping) and bool(fault.get("delay") or fault.get("abort"))
