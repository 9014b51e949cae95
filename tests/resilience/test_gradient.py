"""The adaptive limit against a simulated service: it finds about what the service can do, and comes back."""

import heapq
from collections.abc import Callable, Iterator
from random import Random
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilience.gradient import REMEASURE_S, WINDOW_S, WINDOW_SAMPLES, Gradient

CEILING = 200
USUAL_S = 0.05


class Simulation:
    """Requests arrive at random; `servers` of them are worked on at a time, the others queue inside the service."""

    def __init__(self, servers: int, *, seed: int = 1, is_even: bool = False) -> None:
        self.gradient = Gradient(CEILING)
        self.now = 0.0
        self.limits: list[int] = []
        self.latencies: list[float] = []
        self.refused = 0
        self._rng = Random(seed)
        self._free = [0.0] * servers
        self._under_way: list[tuple[float, float]] = []
        self._is_even = is_even

    def run(self, seconds: float, *, rate: float, work_s: float = USUAL_S) -> "Simulation":
        """What happened is forgotten first, what was learnt is not."""
        self.limits, self.latencies, self.refused = [], [], 0
        until = self.now + seconds
        while self.now < until:
            self.now += self._rng.expovariate(rate)
            self._end()
            if len(self._under_way) < self.gradient.limit:
                self._begin(work_s)
            else:
                self.refused += 1
            self.limits.append(self.gradient.limit)
        return self

    def _begin(self, work_s: float) -> None:
        begins = max(heapq.heappop(self._free), self.now)
        ends = begins + work_s * (1.0 if self._is_even else self._rng.expovariate(1.0))
        heapq.heappush(self._free, ends)
        heapq.heappush(self._under_way, (ends, self.now))

    def _end(self) -> None:
        while self._under_way and self._under_way[0][0] <= self.now:
            in_flight = len(self._under_way)
            ends, began = heapq.heappop(self._under_way)
            self.latencies.append(ends - began)
            self.gradient.observe(ends - began, in_flight, dropped=False, now=ends)


@pytest.mark.parametrize("is_even", [True, False])
@pytest.mark.parametrize("servers", [30, 50])
def test_overload_finds_about_the_right_limit(servers: int, is_even: bool) -> None:
    """Three times too many requests: the service stays busy, and its queue stays about as long as it is wide."""
    rate = servers / USUAL_S
    simulation = Simulation(servers, is_even=is_even)
    simulation.run(15, rate=3 * rate)
    simulation.run(20, rate=3 * rate)

    assert 0.8 * servers <= mean(simulation.limits) <= 2.5 * servers
    assert len(simulation.latencies) / 20 >= 0.93 * rate, "the service was left idle"
    assert mean(simulation.latencies) < 2.2 * USUAL_S, "a fixed limit of 200 makes it much more"


def test_service_that_keeps_up_is_not_limited() -> None:
    """However much its latency varies: the ceiling stands, nobody is refused."""
    simulation = Simulation(60).run(60, rate=0.6 * 60 / USUAL_S)

    assert min(simulation.limits) == CEILING
    assert simulation.refused == 0


def test_limit_comes_back_after_a_slow_phase() -> None:
    """While work takes four times as long the limit is low; soon after, nobody is refused."""
    simulation = Simulation(50)
    simulation.run(20, rate=700)
    slow = simulation.run(40, rate=700, work_s=4 * USUAL_S)
    assert mean(slow.limits[len(slow.limits) // 2 :]) < CEILING / 2
    simulation.run(15, rate=700)
    after = simulation.run(20, rate=700)

    assert after.refused == 0
    assert min(after.limits) > 100


def test_service_that_is_slower_for_good_is_not_taken_as_crowded_for_ever() -> None:
    """Among fewer requests it is as slow: that is its usual latency from now on."""
    simulation = Simulation(1000)
    simulation.run(20, rate=700)
    simulation.run(2.5 * REMEASURE_S, rate=700, work_s=4 * USUAL_S)
    later = simulation.run(20, rate=700, work_s=4 * USUAL_S)

    assert later.refused == 0
    assert mean(later.latencies) == pytest.approx(4 * USUAL_S, rel=0.05)


# --- Window by window ------------------------------------------------------------------------------------------------


class Feed:
    """Windows of answers that are all alike."""

    def __init__(self, ceiling: int = 100) -> None:
        self.gradient = Gradient(ceiling)
        self.now = 50.0

    def window(self, latency_s: float, *, in_flight: int = 100, dropped: bool = False) -> int:
        """Until the window has ended."""
        for _ in self._until_decided(latency_s, in_flight, dropped):
            self.now += WINDOW_S / 10
        return self.gradient.limit

    def until_measuring(self) -> int:
        """Slow answers, until the limit is cut down by more than slowness can. What it was before."""
        self.window(0.01)
        before = self.gradient.limit
        while self.window(0.018) > before / 2:
            before = self.gradient.limit
        return before

    def _until_decided(self, latency_s: float, in_flight: int, dropped: bool) -> Iterator[None]:
        observe: Callable[..., bool] = self.gradient.observe
        while not observe(latency_s, in_flight, dropped=dropped, now=self.now):
            yield


def test_limit_moves_once_in_a_window() -> None:
    """A window has a length and a number of answers; both must be reached."""
    gradient = Gradient(100)
    early = [gradient.observe(0.01, 1, dropped=False, now=WINDOW_S / 2) for _ in range(WINDOW_SAMPLES)]
    few = Gradient(100)
    late = [few.observe(0.01, 1, dropped=False, now=float(now)) for now in range(WINDOW_SAMPLES)]

    assert not any(early)
    assert gradient.observe(0.01, 1, dropped=False, now=WINDOW_S * 2)
    assert late == [False] * (WINDOW_SAMPLES - 1) + [True]


def test_slow_answers_lower_the_limit_only_while_it_is_in_use() -> None:
    """Half of it at least; a crowd that is not there is not the cause."""
    busy, quiet = Feed(), Feed()
    for feed, in_flight in ((busy, 100), (quiet, 10)):
        feed.window(0.01)
        for _ in range(5):
            feed.window(0.1, in_flight=in_flight)

    assert busy.gradient.limit < 70
    assert quiet.gradient.limit == 100


def test_dropped_requests_lower_the_limit_by_a_tenth() -> None:
    """Also when nothing but drops is left to measure, down to the floor and no further."""
    feed = Feed()
    feed.window(0.01)

    assert feed.window(0.0, dropped=True) == 90
    assert feed.window(0.0, dropped=True) == 81
    assert min(feed.window(0.0, dropped=True) for _ in range(40)) >= feed.gradient.floor == 10


def test_latency_is_measured_anew_among_fewer() -> None:
    """A third of the requests, and only those that began since; what is found then is usual."""
    feed = Feed()
    lowered = feed.until_measuring()
    began, gradient = feed.now, feed.gradient
    assert gradient.limit == pytest.approx(lowered / 3, abs=2)
    for _ in range(1000):
        assert not gradient.observe(2.0, 100, dropped=False, now=began + 1.9), "it stood in the old crowd"
    feed.now += 0.1

    assert feed.window(0.018) == pytest.approx(lowered, abs=5)
    assert [feed.window(0.018) for _ in range(60)][-1] == 100


def test_crowd_that_was_the_cause_stays_out() -> None:
    """Among fewer, answers are as fast as ever: the limit goes on where it was."""
    feed = Feed()
    lowered = feed.until_measuring()
    feed.now += 0.1

    assert feed.window(0.01) == pytest.approx(lowered, abs=5)
    assert feed.window(0.018) <= lowered + 5


@pytest.mark.parametrize("dropped", [True, False])
def test_measuring_ends_by_itself(dropped: bool) -> None:
    """Even if hardly anybody comes, or nothing but drops: every state has a way back."""
    feed = Feed()
    lowered = feed.until_measuring()
    feed.now += REMEASURE_S

    assert feed.gradient.observe(0.1, 1, dropped=dropped, now=feed.now)
    assert feed.gradient.limit == pytest.approx(lowered, abs=5)


def test_quiet_service_that_is_slower_is_known_to_be() -> None:
    """Where a third of the limit is not even used, slowness is no crowd's: a rush finds the limit where it was."""
    feed = Feed()
    feed.window(0.01, in_flight=10)
    for _ in range(500):
        feed.window(0.1, in_flight=10)

    assert feed.window(0.1, in_flight=100) == 100


@given(
    ceiling=st.integers(1, 500),
    answers=st.lists(
        st.tuples(st.floats(0, 100), st.integers(1, 600), st.booleans(), st.floats(0, 20)), max_size=300
    ),
)
def test_limit_stays_between_floor_and_ceiling(
    ceiling: int, answers: list[tuple[float, int, bool, float]]
) -> None:
    """Whatever is fed: at least one, at least a tenth, at most what operators set."""
    gradient, now = Gradient(ceiling), 0.0
    for latency_s, in_flight, dropped, pause_s in answers:
        now += pause_s
        gradient.observe(latency_s, in_flight, dropped=dropped, now=now)
        assert max(1, ceiling // 10) == gradient.floor <= gradient.limit <= ceiling
