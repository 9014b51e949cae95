"""P: What is known of a running gateway beyond its configuration, as explaining needs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from resilience.policies import QuotaPolicy
from routing.snapshot import CompiledRoute, CompiledService, CompiledTarget, HeaderList

Standing = Literal["healthy", "unhealthy", "ejected", "unchecked", "draining"]
Standings = Mapping[str, Standing]


@dataclass(frozen=True, slots=True)
class Counted:
    """A request as quotas see it. An empty `address` is one that nobody knows."""

    route: CompiledRoute
    caller: Mapping[str, Any] | None = None
    headers: HeaderList = ()
    address: str = ""


class Left(NamedTuple):
    """What one bucket has before the request is counted; times are seconds from now."""

    is_allowed: bool
    remaining: int
    reset_s: float
    """Until all is there again."""
    retry_after_s: float
    """0.0 when it is allowed."""
    counted_by: str = ""
    """Who, where it is not all workers together."""


Remaining = Left | str | None
"""A text says why nobody knows; None: nobody was asked."""
QuotasLeft = Callable[[Sequence[QuotaPolicy], Counted], Sequence[Remaining]]


@dataclass(frozen=True, slots=True)
class Discovered:
    """A target that registered itself; `expires_at` is in epoch seconds."""

    target: CompiledTarget
    state: Literal["approved", "quarantined", "draining"] = "approved"
    """quarantined: nobody has approved it; draining: it has left, and what it was sent may still end."""
    is_stale: bool = False
    """It was not renewed in time, or the database cannot say."""
    registered_by: str | None = None
    expires_at: float | None = None


@dataclass(frozen=True, slots=True)
class KnownCanary:
    """How a canary stands; times are in epoch seconds. `step` counts from 1."""

    state: str
    step: int
    steps: int
    percent: float
    since: float
    next_at: float | None
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Knowledge:
    """`breaker` says how the breaker of a service is (None: nobody knows), `targets` how its targets are, by URL.

    `quotas` says what is left of quotas for a request, one for each; `discovered` which targets registered themselves.
    `now` is in epoch seconds; 0.0 stands for a time at which nothing has ended yet.
    """

    breaker: Callable[[str], Mapping[str, Any] | None]
    targets: Callable[[CompiledService], Standings]
    now: float = 0.0
    quotas: QuotasLeft = lambda quotas, _: (None,) * len(quotas)
    discovered: Callable[[CompiledService], Sequence[Discovered]] = lambda _: ()
    canary: Callable[[str], KnownCanary | None] = lambda _: None
    """How the canary of a route stands; None: nobody knows, and then it gets nothing."""


NOTHING: Final = Knowledge(lambda _: None, lambda _: {})


def standing_of(*, drain: bool, is_ejected: bool = False, healthy: bool | None = None) -> Standing:
    """A target's, in a word; an operator's word comes first."""
    if drain:
        return "draining"
    if is_ejected:
        return "ejected"
    if healthy is None:
        return "unchecked"
    return "healthy" if healthy else "unhealthy"
