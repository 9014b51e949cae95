"""P: A breaker with its clock, and any story that can happen to it."""

from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from resilience.breaker import Breaker, Cause, Permit, Refused, State, Transition
from resilience.policies import BreakerPolicy

CLOSED, OPEN, HALF_OPEN = State
POLICY = BreakerPolicy(
    failure_threshold=5,
    failure_window_s=10.0,
    min_throughput=5,
    recovery_timeout_s=60.0,
    half_open_requests=2,
    half_open_timeout_s=30.0,
)


class Bench:
    """A breaker and its clock."""

    def __init__(self, **changed: Any) -> None:
        self.told: list[Transition] = []
        self.now = 1000.0
        self.breaker = Breaker(replace(POLICY, **changed), self.told.append)

    def permit(self) -> Permit:
        found = self.breaker.permit(self.now)
        assert isinstance(found, Permit), found
        return found

    def refused(self) -> float:
        found = self.breaker.permit(self.now)
        assert isinstance(found, Refused), found
        return found.retry_after_s

    def request(self, failed: bool | None) -> Transition | None:
        return self.breaker.record(self.permit(), failed, self.now)

    def opened(self) -> "Bench":
        for _ in range(self.breaker.policy.failure_threshold):
            self.request(True)
        assert self.breaker.state is OPEN
        return self

    def half_open(self) -> "Bench":
        """And its trial ended without a result."""
        self.opened().now += 60.0
        self.request(None)
        assert self.breaker.state is HALF_OPEN
        return self

    @property
    def moves(self) -> list[tuple[State, State, Cause]]:
        return [(each.before, each.after, each.cause) for each in self.told]


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ask", "good", "bad", "none", "wait", "back", "force", "adopt", "reset", "policy"]),
        st.floats(0.0, 40.0),
        st.integers(0, 10),
    ),
    max_size=150,
)


class Story:
    """Any sequence of what can happen to a breaker; requests end in any order, or never."""

    def __init__(self) -> None:
        self.bench = Bench()
        self.under_way: list[Permit] = []

    def step(self, what: str, amount: float, number: int) -> None:
        bench, breaker = self.bench, self.bench.breaker
        match what:
            case "ask":
                if isinstance(found := breaker.permit(bench.now), Permit):
                    self.under_way.append(found)
            case "good" | "bad" | "none" if self.under_way:
                permit = self.under_way.pop(number % len(self.under_way))
                breaker.record(permit, {"good": False, "bad": True, "none": None}[what], bench.now)
            case "wait":
                bench.now += amount
            case "back":
                bench.now -= amount * 100
            case "force":
                breaker.force((None, OPEN, CLOSED)[number % 3], bench.now + amount, bench.now)
            case "adopt":
                period = breaker.period + number - 5
                breaker.adopt(list(State)[number % 3], bench.now - amount, period, bench.now, Cause.RESTORED)
            case "reset":
                breaker.reset(bench.now)
            case "policy":
                breaker.policy = replace(POLICY, half_open_requests=1 + number % 3)
