"""Ejection: who goes, for how long, how many at a time, and that all come back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilience import ejection
from resilience.ejection import MOST_TIMES, Ejected, Returned
from resilience.policies import EjectionPolicy
from resilience.state import ServiceState, TargetState

POLICY = EjectionPolicy(consecutive_errors=3, base_s=30.0, max_share=0.5)
NOW = 1000.0


def service_of(number: int) -> tuple[ServiceState, list[TargetState]]:
    service = ServiceState("s")
    return service, [service.target(f"t{index}") for index in range(number)]


def fail(
    service: ServiceState, target: TargetState, now: float, *, times: int = 3, policy: EjectionPolicy = POLICY
) -> list[Ejected | Returned]:
    found = [ejection.record(policy, service, target, True, now) for _ in range(times)]
    return [each for each in found if each is not None]


def test_so_many_errors_in_a_row_eject() -> None:
    """Not one less; pools hear of it."""
    service, (target, _) = service_of(2)

    assert fail(service, target, NOW, times=2) == []
    assert target.is_available(NOW)
    version = service.version
    assert fail(service, target, NOW, times=1) == [Ejected("s", "t0", NOW + 30, 1, 3)]
    assert not target.is_available(NOW + 29.9)
    assert target.is_available(NOW + 30)
    assert service.version > version


def test_a_success_begins_the_count_anew() -> None:
    """Only errors in a row count."""
    service, (target, _) = service_of(2)
    for _ in range(10):
        fail(service, target, NOW, times=2)
        assert ejection.record(POLICY, service, target, False, NOW) is None

    assert target.is_available(NOW)


def test_each_ejection_is_longer_up_to_a_bound() -> None:
    """As long as it fails again at once."""
    service, (target, _) = service_of(2)
    now, lengths = NOW, []
    for _ in range(MOST_TIMES + 2):
        fail(service, target, now)
        lengths.append(target.ejected_until - now)
        now = target.ejected_until

    assert lengths == [30.0 * min(number, MOST_TIMES) for number in range(1, MOST_TIMES + 3)]


@pytest.mark.parametrize(("quiet_s", "ejections"), [(0, 4), (29, 4), (30, 3), (60, 2), (90, 1), (900, 1)])
def test_ejections_are_forgotten_after_quiet_time(quiet_s: float, ejections: int) -> None:
    """One for each base time in which it serves."""
    service, (target, _) = service_of(2)
    for _ in range(3):
        fail(service, target, max(NOW, target.ejected_until))
    now = target.ejected_until + quiet_s

    assert ejection.remembered(POLICY, target, now) == ejections - 1
    fail(service, target, now)
    assert target.ejections == ejections


def test_what_is_under_way_does_not_prolong_an_ejection() -> None:
    """Nor does a success end it, but the errors of that time are not held against it later."""
    service, (target, _) = service_of(2)
    fail(service, target, NOW)

    assert fail(service, target, NOW + 10, times=9) == []
    assert ejection.record(POLICY, service, target, False, NOW + 10) is None
    assert target.ejected_until == NOW + 30
    assert fail(service, target, NOW + 30, times=2) == [Returned("s", "t0")]
    assert target.is_available(NOW + 30)


def test_a_return_is_told_once() -> None:
    """By the first request after it, or by a look."""
    service, (one, two, *_) = service_of(6)
    for target in (one, two):
        fail(service, target, NOW)

    assert ejection.look(service, NOW + 29) == []
    assert ejection.record(POLICY, service, one, False, NOW + 30) == Returned("s", "t0")
    assert ejection.record(POLICY, service, one, False, NOW + 30) is None
    assert ejection.look(service, NOW + 30) == [Returned("s", "t1")]
    assert ejection.look(service, NOW + 30) == []


def test_a_target_that_fails_at_once_goes_again() -> None:
    """Where one error is enough, the return is swallowed by the next ejection."""
    service, (target, _) = service_of(2)
    policy = EjectionPolicy(consecutive_errors=1, base_s=30.0)
    fail(service, target, NOW, times=1, policy=policy)

    assert fail(service, target, NOW + 30, times=1, policy=policy) == [Ejected("s", "t0", NOW + 90, 2, 1)]


@pytest.mark.parametrize(
    ("number", "share", "most"), [(1, 1.0, 0), (2, 0.5, 1), (2, 0.1, 1), (2, 1.0, 1), (4, 0.5, 2),
                                  (5, 0.5, 2), (10, 0.1, 1), (10, 1.0, 9)],
)  # fmt: skip
def test_only_a_share_is_out_at_a_time(number: int, share: float, most: int) -> None:
    """Of few targets one may go, and never the last."""
    service, targets = service_of(number)
    policy = EjectionPolicy(consecutive_errors=3, base_s=30.0, max_share=share)
    for target in targets:
        fail(service, target, NOW, times=5, policy=policy)

    assert sum(not target.is_available(NOW) for target in targets) == most


def test_who_could_not_go_goes_when_there_is_room() -> None:
    """With its next error."""
    service, (one, two) = service_of(2)
    fail(service, one, NOW)
    assert fail(service, two, NOW, times=9) == []

    assert fail(service, two, NOW + 30, times=1) == [Ejected("s", "t1", NOW + 60, 1, 10)]


def test_the_last_one_available_stays() -> None:
    """Unhealthy and draining targets are no help."""
    service, (target, unhealthy, drains) = service_of(3)
    unhealthy.healthy, drains.drain = False, True

    assert fail(service, target, NOW) == []
    unhealthy.healthy = None
    assert len(fail(service, target, NOW, times=1)) == 1


def test_an_operator_lets_a_target_back() -> None:
    """At once, as if nothing had been."""
    service, (target, _) = service_of(2)
    fail(service, target, NOW)
    version = service.version

    ejection.readmit(service, target, NOW + 1)

    assert target.is_available(NOW + 1)
    assert (target.ejections, target.consecutive_errors, target.available_since) == (0, 0, NOW + 1)
    assert service.version > version
    assert ejection.look(service, NOW + 100) == []


def test_no_time_is_no_ejection() -> None:
    """A base of nothing divides by nothing."""
    service, (target, _) = service_of(2)
    policy = EjectionPolicy(consecutive_errors=1, base_s=0.0)
    for _ in range(3):
        fail(service, target, NOW, times=1, policy=policy)

    assert target.is_available(NOW)
    assert ejection.remembered(policy, target, NOW) == 0


@given(
    st.integers(1, 6),
    st.floats(0.0, 1.0),
    st.lists(st.tuples(st.integers(0, 5), st.booleans(), st.floats(0.0, 40.0)), max_size=80),
)
def test_somebody_is_always_available_and_all_come_back(
    number: int, share: float, history: list[tuple[int, bool, float]]
) -> None:
    """Whatever happens, ejection alone never empties a service, and time brings everybody back."""
    service, targets = service_of(number)
    policy = EjectionPolicy(consecutive_errors=2, base_s=10.0, max_share=share)
    now = NOW
    for index, failed, pause in history:
        ejection.record(policy, service, targets[index % number], failed, now)
        out = sum(not target.is_available(now) for target in targets)
        assert out <= max(1, int(share * number))
        assert out < number
        now += pause

    assert all(target.is_available(now + 10.0 * MOST_TIMES) for target in targets)
