"""P: The circuit breaker of one service: whether a request may be sent there now.

Theory of operation. A breaker is closed: requests pass, and those that fail are counted in a sliding window. As many
failures as `failure_threshold`, among at least `min_throughput` requests, open it: nothing passes for
`recovery_timeout_s`. The first request after that finds it half open: it is a trial, and so are others after it, never
more than `half_open_requests` at a time. That many successes close it, one failure opens it again. A trial that nobody
ended within `half_open_timeout_s` gives its place back; one without a result (the client left) does so at once. So
each state has a way back that needs nothing but time and the next request.

An operator's force wins over what is measured, until it ends or is taken back; meanwhile what is measured stands still
below it. Each change of what is measured begins a period with the next number. A result counts only in the period
in which its request was let through. Other workers' changes are adopted if their period is later, so that the same
story, told in any order and more than once, ends the same everywhere.

`now` is of one clock throughout, monotonic by custom. If it goes back, waiting begins anew and counts are forgotten.
"""

from collections.abc import Callable
from enum import StrEnum
from math import inf, isfinite
from typing import Final, NamedTuple

from resilience.policies import BreakerPolicy
from resilience.window import Window

SOON_S: Final = 1.0
"""After which a caller may ask again while all trials are under way."""


class State(StrEnum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Cause(StrEnum):
    """Why a breaker changed, as history shows it."""

    FAILURES = "too many failures"
    RECOVERY = "recovery timeout is over"
    TRIAL_FAILED = "a trial failed"
    TRIALS_PASSED = "enough trials succeeded"
    RESET = "reset"
    FORCED = "forced"
    RELEASED = "the force ended"
    RESTORED = "as it was recorded"


NEXT: Final[dict[tuple[State, Cause], State]] = {
    (State.CLOSED, Cause.FAILURES): State.OPEN,
    (State.OPEN, Cause.RECOVERY): State.HALF_OPEN,
    (State.HALF_OPEN, Cause.TRIAL_FAILED): State.OPEN,
    (State.HALF_OPEN, Cause.TRIALS_PASSED): State.CLOSED,
}
"""What is measured moves so, and only so; a reset closes from anywhere."""


class Permit:
    """A request that was let through; its end is told by `Breaker.record`. Compared by identity."""

    __slots__ = ("is_trial", "period")

    def __init__(self, period: int, *, is_trial: bool = False) -> None:
        self.period = period
        self.is_trial = is_trial


FREE: Final = Permit(-1)
"""Of requests that pass because somebody forced the breaker closed: counted, and never judged."""


class Refused(NamedTuple):
    """Not now."""

    retry_after_s: float


class Transition(NamedTuple):
    """A change of `Breaker.state`."""

    before: State
    after: State
    cause: Cause
    at: float
    requests: int
    failures: int


class Standing(NamedTuple):
    """How a breaker stands, for people to look at. `since` and `forced_until` are times of the breaker's clock."""

    state: State
    measured: State
    since: float
    period: int
    requests: int
    failures: int
    trials: int
    successes: int
    forced: State | None
    forced_until: float


Tell = Callable[[Transition], None]


def _nobody(_transition: Transition) -> None:
    return


class Breaker:
    """Mutable, owned by one event loop; never raises. `tell` hears of every change of `state`."""

    __slots__ = (
        "_policy",
        "_successes",
        "_tell",
        "_trials",
        "cause",
        "forced",
        "forced_until",
        "is_straight",
        "measured",
        "passing",
        "period",
        "since",
        "state",
        "window",
    )

    def __init__(self, policy: BreakerPolicy, tell: Tell = _nobody) -> None:
        self._policy = policy
        self._tell = tell
        self._trials: dict[Permit, float] = {}
        self._successes = 0
        self.window = Window(policy.failure_window_s)
        self.forced: State | None = None
        self.forced_until = inf
        self.measured = State.CLOSED
        self.state = State.CLOSED
        """What holds, as of the last call: forced or measured."""
        self.since = 0.0
        """When what is measured became so, and why."""
        self.cause = Cause.RESTORED
        self.period = 0
        self.passing = Permit(0)
        """What `permit` answers in this closed period."""
        self.is_straight = True
        """Closed and not forced: `passing` is the answer."""

    @property
    def policy(self) -> BreakerPolicy:
        """What it goes by. Another one leaves everything as it stands."""
        return self._policy

    @policy.setter
    def policy(self, policy: BreakerPolicy) -> None:
        self._policy = policy
        self.window.resize(policy.failure_window_s)

    # Requests

    def permit(self, now: float) -> Permit | Refused:
        """Whether a request may be sent."""
        return self.passing if self.is_straight else self._judge(now)

    def record(self, permit: Permit, failed: bool | None, now: float) -> Transition | None:
        """How a request ended; None: without a result. Answers what `tell` heard of it."""
        if permit is self.passing and failed is False:
            newest = self.window.newest
            if now < newest.end:
                newest.requests += 1
            else:
                self.window.note(False, now)
            return None
        if failed is None and not permit.is_trial:
            return None
        return self._end_trial(permit, failed, now) if permit.is_trial else self._count(permit, failed, now)

    # What others say

    def force(self, state: State | None, until: float, now: float) -> Transition | None:
        """An operator's word, CLOSED or OPEN; None takes it back."""
        if state is not None and until <= now:
            state = None
        self.forced = state
        self.forced_until = until if state is not None else inf
        return self._show(Cause.RELEASED if state is None else Cause.FORCED, now)

    def adopt(self, state: State, since: float, period: int, now: float, cause: Cause) -> Transition | None:
        """What other workers or the records say; ignored unless it is later than what is known here."""
        if period < self.period or (period == self.period and state is self.measured):
            return None
        return self._enter(state, min(since, now), period, cause, now)

    def reset(self, now: float) -> Transition | None:
        """Closed, with nothing counted; what is forced stays forced."""
        return self._enter(State.CLOSED, now, self.period + 1, Cause.RESET, now)

    def look(self, now: float) -> Transition | None:
        """Ends a force whose time is over."""
        if self.forced is not None and now >= self.forced_until:
            return self.force(None, inf, now)
        return None

    def standing(self, now: float) -> Standing:
        """Everything about it."""
        count = self.window.total(now)
        return Standing(
            self.state,
            self.measured,
            self.since,
            self.period,
            count.requests,
            count.failures,
            len(self._trials),
            self._successes,
            self.forced,
            self.forced_until,
        )

    # Inside

    def _judge(self, now: float) -> Permit | Refused:
        self.look(now)
        if self.forced is State.CLOSED:
            return FREE
        if self.forced is State.OPEN:
            return Refused(self._until_released(now))
        if self.measured is State.OPEN and (wait_s := self._until_recovery(now)) > 0:
            return Refused(wait_s)
        if self.measured is State.OPEN:
            self._move(Cause.RECOVERY, now)
        return self.passing if self.measured is State.CLOSED else self._begin_trial(now)

    def _until_released(self, now: float) -> float:
        return self.forced_until - now if isfinite(self.forced_until) else self._policy.recovery_timeout_s

    def _until_recovery(self, now: float) -> float:
        self.since = min(self.since, now)
        return self.since + self._policy.recovery_timeout_s - now

    def _begin_trial(self, now: float) -> Permit | Refused:
        for trial, began in list(self._trials.items()):
            if began > now:
                self._trials[trial] = now
            elif now - began >= self._policy.half_open_timeout_s:
                del self._trials[trial]
        if len(self._trials) >= max(1, self._policy.half_open_requests):
            return Refused(SOON_S)
        permit = Permit(self.period, is_trial=True)
        self._trials[permit] = now
        return permit

    def _end_trial(self, permit: Permit, failed: bool | None, now: float) -> Transition | None:
        """A failure counts however late it is, a success only in time: waiting for it so long was none."""
        began = self._trials.pop(permit, -inf)
        if failed is None or permit.period != self.period or self.forced is not None:
            return None
        if failed:
            self.window.note(True, now)
            return self._move(Cause.TRIAL_FAILED, now)
        if now - began < self._policy.half_open_timeout_s:
            self._successes += 1
        if self._successes >= self._policy.half_open_requests:
            return self._move(Cause.TRIALS_PASSED, now)
        return None

    def _count(self, permit: Permit, failed: bool | None, now: float) -> Transition | None:
        if permit is not self.passing and permit is not FREE:
            return None  # of an earlier period
        self.window.note(bool(failed), now)
        if not failed or not self.is_straight:
            return None
        count = self.window.total(now)
        policy = self._policy
        if count.failures >= policy.failure_threshold and count.requests >= policy.min_throughput:
            return self._move(Cause.FAILURES, now)
        return None

    def _move(self, cause: Cause, now: float) -> Transition | None:
        return self._enter(NEXT[self.measured, cause], now, self.period + 1, cause, now)

    def _enter(self, state: State, since: float, period: int, cause: Cause, now: float) -> Transition | None:
        self.measured, self.since, self.period, self.cause = state, since, period, cause
        self._trials.clear()
        self._successes = 0
        self.passing = Permit(period)
        transition = self._show(cause, now)
        if state is State.CLOSED:
            self.window.clear()
        return transition

    def _show(self, cause: Cause, now: float) -> Transition | None:
        """Brings `state` up to date, and tells if that is a change."""
        before = self.state
        self.state = self.forced or self.measured
        self.is_straight = self.forced is None and self.measured is State.CLOSED
        if self.state is before:
            return None
        count = self.window.total(now)
        transition = Transition(before, self.state, cause, now, count.requests, count.failures)
        self._tell(transition)
        return transition
