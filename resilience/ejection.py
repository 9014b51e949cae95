"""P: Targets whose requests keep failing are left out for a while. Times are of the monotonic clock.

A target goes after so many errors in a row, for a base time multiplied by the number of its ejections of late, at
most ten times the base. It comes back by time alone, whatever happens. While it serves, one ejection is forgotten for
each base time. Only a share of the targets may be out at a time (of few targets: one), and never the last one that
is available.
"""

from typing import Final, NamedTuple

from resilience.policies import EjectionPolicy
from resilience.state import ServiceState, TargetState

MOST_TIMES: Final = 10


class Ejected(NamedTuple):
    """A target is left out from now on."""

    service: str
    target: str
    until: float
    ejections: int
    errors: int


class Returned(NamedTuple):
    """A target takes requests again."""

    service: str
    target: str


def record(
    policy: EjectionPolicy, service: ServiceState, target: TargetState, failed: bool, now: float
) -> Ejected | Returned | None:
    """How an attempt at a target ended, and what that changes."""
    if not failed and not target.is_ejected:
        target.consecutive_errors = 0
        return None
    returned = _notice(service, target, now)
    if target.is_ejected:
        return None  # a request that began before it went, or one in panic
    if not failed:
        target.consecutive_errors = 0
        return returned
    target.consecutive_errors += 1
    if target.consecutive_errors < policy.consecutive_errors or not may_eject(policy, service, target, now):
        return returned
    return _eject(policy, service, target, now)


def look(service: ServiceState, now: float) -> list[Returned]:
    """Who is back and has not been noticed, for want of requests."""
    found = [_notice(service, target, now) for target in service.targets.values() if target.is_ejected]
    return [each for each in found if each is not None]


def readmit(service: ServiceState, target: TargetState, now: float) -> None:
    """An operator's word: it is back, and everything about it is forgotten."""
    target.is_ejected = False
    target.ejected_until = target.available_since = now
    target.ejections = target.consecutive_errors = 0
    service.changed()


def may_eject(policy: EjectionPolicy, service: ServiceState, target: TargetState, now: float) -> bool:
    """Whether enough others stay."""
    others = [each for each in service.targets.values() if each is not target and not each.drain]
    if not any(each.is_available(now) for each in others):
        return False
    out = sum(each.ejected_until > now for each in others)
    return out + 1 <= max(1, int(policy.max_share * (len(others) + 1)))


def remembered(policy: EjectionPolicy, target: TargetState, now: float) -> int:
    """Its ejections that are not forgotten yet."""
    quiet_s = now - target.ejected_until
    if policy.base_s <= 0 or quiet_s >= target.ejections * policy.base_s:
        return 0
    return target.ejections - int(max(0.0, quiet_s) / policy.base_s)


def _eject(policy: EjectionPolicy, service: ServiceState, target: TargetState, now: float) -> Ejected:
    ejections = min(remembered(policy, target, now) + 1, MOST_TIMES)
    errors = target.consecutive_errors
    target.ejections, target.consecutive_errors = ejections, 0
    target.is_ejected, target.ejected_until = True, now + policy.base_s * ejections
    service.changed()
    return Ejected(service.name, target.name, target.ejected_until, ejections, errors)


def _notice(service: ServiceState, target: TargetState, now: float) -> Returned | None:
    if not target.is_ejected or now < target.ejected_until:
        return None
    target.is_ejected = False
    return Returned(service.name, target.name)
