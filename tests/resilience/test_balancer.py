"""Pools: who is available, who is preferred, who begins slowly, and that nobody stays away for ever."""

import timeit
from collections import Counter
from dataclasses import replace
from random import Random
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from resilience import ejection
from resilience.balancer import FIRST_SHARE, Member, Pool, share_of
from resilience.health import UNKNOWN, Answer, Failure, Standing, step
from resilience.policies import Balancing, BalancingPolicy, EjectionPolicy, HealthPolicy
from resilience.state import ServiceState, TargetState

NOW = 1000.0
ALGORITHMS = sorted(get_args(Balancing))


def pool_of(*members: Member, state: ServiceState | None = None, **policy: Any) -> Pool:
    return Pool(BalancingPolicy(**policy), members, state or ServiceState("s"), rng=Random(1))


def named(names: str, **changed: Any) -> list[Member]:
    return [Member(name, **changed) for name in names]


def picked(pool: Pool, now: float = NOW, *, number: int = 60) -> set[str]:
    """Who takes requests."""
    found = [pool.pick(now, (), b"key-%d" % each) for each in range(number)]
    return {pool.members[index].name for index in found if index is not None}


def change(pool: Pool, name: str, **values: Any) -> None:
    """What checks or ejection would write down."""
    state = next(each for each in pool.states if each.name == name)
    for field, value in values.items():
        setattr(state, field, value)
    pool._state.changed()


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_only_available_targets_take_requests(algorithm: str) -> None:
    """Not the unhealthy, the ejected or those that drain; who is not checked does."""
    drains = Member("d", drain=True)
    pool = pool_of(*named("abc"), drains, algorithm=algorithm)
    assert picked(pool) == set("abc")

    change(pool, "a", healthy=False)
    change(pool, "b", ejected_until=NOW + 5)

    assert picked(pool) == {"c"}
    assert picked(pool, NOW + 5) == {"b", "c"}
    change(pool, "a", healthy=True)
    assert picked(pool, NOW + 5) == {"a", "b", "c"}


def test_a_retry_goes_to_somebody_else() -> None:
    """Until all have been tried."""
    pool = pool_of(*named("ab"))
    first = pool.pick(NOW, ())
    assert first is not None
    second = pool.pick(NOW, [first])
    assert second is not None

    assert {first, second} == {0, 1}
    assert pool.pick(NOW, [first, second]) is None


def test_targets_of_the_own_zone_are_preferred() -> None:
    """Others are used when none there is available, and go back to rest afterwards."""
    pool = pool_of(*named("ab", zone="here"), *named("cd", zone="there"), Member("e"), zone="here")
    assert picked(pool) == set("ab")

    change(pool, "a", healthy=False)
    assert picked(pool) == {"b"}
    change(pool, "b", healthy=False)
    assert picked(pool) == set("cde")
    change(pool, "a", healthy=True)
    assert picked(pool) == {"a"}


def test_without_a_zone_of_its_own_zones_do_not_matter() -> None:
    """A gateway that does not know where it stands uses everybody."""
    assert picked(pool_of(Member("a", zone="x"), Member("b", zone="y"), Member("c"))) == set("abc")


def test_backups_wait_until_no_ordinary_target_is_available() -> None:
    """Wherever the ordinary ones stand."""
    ordinary = [Member("a", zone="here"), Member("b", zone="there")]
    backups = [Member("c", zone="there", backup=True), Member("d", zone="here", backup=True)]
    pool = pool_of(*ordinary, *backups, zone="here")

    for gone, left in (("a", "b"), ("b", "d"), ("d", "c")):
        change(pool, gone, healthy=False)
        assert picked(pool) == {left}


def test_a_request_that_tried_a_whole_group_goes_on_with_the_next() -> None:
    """First elsewhere, then to a backup."""
    pool = pool_of(Member("a", zone="here"), Member("b", zone="there"), Member("c", backup=True), zone="here")

    assert [pool.pick(NOW, tried) for tried in ([], [0], [0, 1], [0, 1, 2])] == [0, 1, 2, None]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_without_panic_nobody_is_tried_when_nobody_is_available(algorithm: str) -> None:
    """That is a 503."""
    pool = pool_of(*named("ab"), algorithm=algorithm)
    for name in "ab":
        change(pool, name, healthy=False)

    assert picked(pool) == set()
    assert not pool.is_panicking


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_panic_tries_all_but_those_that_drain(algorithm: str) -> None:
    """Zones and backups do not matter then; it ends as soon as anybody is available."""
    members = [Member("a", zone="here"), Member("b"), Member("c", backup=True), Member("d", drain=True)]
    pool = pool_of(*members, algorithm=algorithm, panic=True, zone="here")
    for name in "abc":
        change(pool, name, healthy=False)

    assert picked(pool) == set("abc")
    assert pool.is_panicking
    change(pool, "c", healthy=True)
    assert picked(pool) == {"c"}
    assert not pool.is_panicking


def test_panic_does_not_touch_those_that_drain() -> None:
    """An operator's word holds even then."""
    assert picked(pool_of(Member("a", drain=True), panic=True)) == set()


@pytest.mark.parametrize("panic", [False, True])
def test_ejection_alone_never_leaves_nobody(panic: bool) -> None:
    """Those that are merely ejected are better than nobody, and than those that checks found unhealthy."""
    pool = pool_of(*named("ab"), Member("c", drain=True), panic=panic)
    change(pool, "a", ejected_until=NOW + 5)
    assert picked(pool) == {"b"}

    change(pool, "b", healthy=False)

    assert picked(pool) == {"a"}
    assert not pool.is_panicking


def test_nobody_is_picked_of_nobody() -> None:
    """An empty service has no target."""
    assert picked(pool_of(panic=True)) == set()


def test_slow_start_is_linear() -> None:
    """From a tenth to all of a target's share."""
    state = TargetState("a")
    assert share_of(state, 100.0, NOW) == 1.0
    state.available_since = NOW

    shares = [share_of(state, 100.0, NOW + age) for age in (0, 5, 10, 50, 75, 100, 1e9)]

    assert shares == [FIRST_SHARE, 0.1, 0.1, 0.5, 0.75, 1.0, 1.0]
    state.ejected_until = NOW + 200
    assert share_of(state, 100.0, NOW + 220) == 0.2


@pytest.mark.parametrize("algorithm", ["round_robin", "weighted_round_robin", "random", "least_connections"])
def test_a_new_target_ramps_up(algorithm: str) -> None:
    """Beside ones that were there before; at the end it has its full share."""
    state = ServiceState("s")
    before = pool_of(*named("ab"), state=state, slow_start_s=100.0, algorithm=algorithm)
    assert len(picked(before)) == 2
    pool = pool_of(*named("abc"), state=state, slow_start_s=100.0, algorithm=algorithm)

    def share(now: float) -> float:
        """Requests under way settle as the algorithm wants it."""
        counts: Counter[int] = Counter()
        for each in pool.states:
            each.in_flight = 0
        for _ in range(3000):
            index = pool.pick(now, ())
            assert index is not None
            counts[index] += 1
            pool.states[index].in_flight += algorithm == "least_connections"
        return counts[2] / (counts[0] + counts[1]) * 2

    pool.pick(NOW, ())
    found = [share(NOW + age) for age in (1, 50, 100)]

    assert found == pytest.approx([0.1, 0.5, 1.0], abs=0.1)


def test_hashing_does_not_start_slowly() -> None:
    """It would move keys again and again."""
    state = ServiceState("s")
    picked(pool_of(*named("ab"), state=state))
    slow = pool_of(*named("abc"), state=state, slow_start_s=100.0, algorithm="consistent_hash")
    quick = pool_of(*named("abc"), algorithm="consistent_hash")

    keys = [b"%d" % number for number in range(200)]
    assert [slow.pick(NOW, (), key) for key in keys] == [quick.pick(NOW, (), key) for key in keys]


def test_when_all_are_new_nobody_ramps_up() -> None:
    """There is nobody to take their load."""
    pool = pool_of(*named("ab"), slow_start_s=100.0)
    pool.pick(NOW, ())

    assert [share_of(state, 100.0, NOW) for state in pool.states] == [1.0, 1.0]


def test_settling_forgets_targets_of_older_snapshots() -> None:
    """Those that stay keep what is known of them; an older pool goes on with what it had."""
    state = ServiceState("s")
    old = pool_of(*named("ab"), state=state)
    old.settle()
    change(old, "a", healthy=False)
    new = pool_of(Member("a", drain=True), Member("c"), state=state)
    new.settle()

    assert state.targets.keys() == {"a", "c"}
    assert new.states[0] is old.states[0]
    assert new.states[0].drain
    assert picked(old) == {"b"}
    old.settle()
    assert state.targets["b"] is old.states[1]


def test_a_look_is_only_taken_when_something_may_have_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for each request."""
    looks: list[float] = []
    look = Pool._look
    monkeypatch.setattr(Pool, "_look", lambda pool, now: (looks.append(now), look(pool, now)))
    pool = pool_of(*named("ab"))
    for _ in range(10):
        pool.pick(NOW, ())
    change(pool, "a", ejected_until=NOW + 5)
    for age in (0, 1, 4.9, 5, 6, 1e6):
        pool.pick(NOW + age, ())

    assert looks == [NOW, NOW, NOW + 5]


def test_the_straight_path_is_short() -> None:
    """A pick costs about as much as two calls of an empty function each on the way."""
    pool = pool_of(*named("abc"))

    def nothing(_one: float, _two: object, _three: object = None) -> int | None:
        return None

    def twice() -> float:
        return min(timeit.repeat(lambda: nothing(NOW, ()), number=2000, repeat=30))

    cost = min(timeit.repeat(lambda: pool.pick(NOW, ()), number=2000, repeat=30))

    assert cost < 12 * twice()


class Fate(RuleBasedStateMachine):
    """Whatever happened to targets: good checks, or nothing but time, bring each of them back."""

    checks = HealthPolicy(healthy_after=2, unhealthy_after=2, interval_s=1.0)
    policy = EjectionPolicy(consecutive_errors=2, base_s=5.0, max_share=0.7)

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.service = ServiceState("s")
        self.standings: dict[str, Standing] = {}
        self.configure(count=3, panic=False, algorithm="round_robin", slow_start_s=0.0)

    @rule(
        count=st.integers(1, 5),
        panic=st.booleans(),
        algorithm=st.sampled_from(ALGORITHMS),
        slow_start_s=st.sampled_from([0.0, 10.0]),
    )
    def configure(self, count: int, panic: bool, algorithm: Balancing, slow_start_s: float) -> None:
        members = named("abcde"[:count])
        policy = BalancingPolicy(algorithm, panic=panic, slow_start_s=slow_start_s)
        self.pool = Pool(policy, members, self.service, rng=Random(1))
        self.pool.settle()

    @rule(seconds=st.floats(0.0, 20.0))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(number=st.integers(0, 4), failed=st.booleans(), times=st.integers(1, 4))
    def request(self, number: int, failed: bool, times: int) -> None:
        for _ in range(times):
            state = self.pool.states[number % len(self.pool.states)]
            ejection.record(self.policy, self.service, state, failed, self.now)

    @rule(number=st.integers(0, 4), good=st.booleans())
    def check(self, number: int, good: bool) -> None:
        state = self.pool.states[number % len(self.pool.states)]
        self.checked(state, good)

    @rule()
    def readmit(self) -> None:
        ejection.readmit(self.service, self.pool.states[0], self.now)

    @rule()
    def checks_are_taken_away(self) -> None:
        for state in self.pool.states:
            self.standings.pop(state.name, None)
            state.healthy = None
        self.service.changed()

    def checked(self, state: TargetState, good: bool) -> None:
        answer = Answer(200, b"", 0.0) if good else Failure("refused")
        standing = step(self.checks, self.standings.get(state.name, UNKNOWN), answer, self.now)
        self.standings[state.name] = standing
        if state.healthy is not standing.healthy:
            state.healthy = standing.healthy
            self.service.changed()

    @invariant()
    def ejection_leaves_somebody(self) -> None:
        """Even when all others were taken out of the configuration."""
        if any(state.healthy is not False for state in self.pool.states):
            assert self.pool.pick(self.now, (), b"key") is not None

    @invariant()
    def everybody_can_come_back(self) -> None:
        """Tried on the real states, which are put back afterwards."""
        before = [(state.healthy, self.standings.get(state.name)) for state in self.pool.states]
        now = self.now
        for state in self.pool.states:
            if state.healthy is not None:
                for _ in range(self.checks.healthy_after):
                    self.checked(state, True)
        self.now += self.policy.base_s * ejection.MOST_TIMES
        available = [state.is_available(self.now) for state in self.pool.states]
        picked(self.pool, self.now, number=1)
        used = picked(self.pool, self.now + self.pool.balancing.slow_start_s)
        self.now = now
        for state, (healthy, standing) in zip(self.pool.states, before, strict=True):
            state.healthy = healthy
            if standing is not None:
                self.standings[state.name] = standing
        self.service.changed()
        self.pool._look_at = now
        assert all(available)
        assert used == {member.name for member in self.pool.members}


TestFate = Fate.TestCase
TestFate.settings = settings(max_examples=100, stateful_step_count=30)


@given(st.data())
def test_a_pool_never_raises(data: st.DataObject) -> None:
    """Whatever the members, the states and the time."""
    flags = st.booleans()
    members = [
        Member(name, data.draw(st.integers(1, 9)), data.draw(st.sampled_from(["", "x", "y"])),
               data.draw(flags), data.draw(flags))
        for name in "abcdef"[: data.draw(st.integers(0, 6))]
    ]  # fmt: skip
    policy = BalancingPolicy(
        data.draw(st.sampled_from(ALGORITHMS)), panic=data.draw(flags), slow_start_s=5.0, zone="x"
    )
    pool = Pool(replace(policy), members, ServiceState("s"), rng=Random(1))
    for state in pool.states:
        state.healthy = data.draw(st.sampled_from([True, False, None]))
        state.ejected_until = data.draw(st.sampled_from([0.0, NOW + 1, NOW - 1]))
    tried: list[int] = []
    while (index := pool.pick(NOW, tried, b"key")) is not None:
        assert index not in tried
        assert not members[index].drain
        tried.append(index)
    there = [state for state, member in zip(pool.states, members, strict=True) if not member.drain]
    able = sum(state.is_available(NOW) for state in there)
    assert len(tried) == (
        able or sum(each.healthy is not False for each in there) or policy.panic * len(there)
    )
