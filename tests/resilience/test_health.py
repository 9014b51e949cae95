"""Checks: what counts as good, how many it takes, and when the next one is due."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilience import health
from resilience.health import MOST_BODY, UNKNOWN, Answer, Failure, Standing, complaint, step
from resilience.policies import HealthPolicy

GOOD = Answer(200, b"ok", 0.01)
BAD = Failure("refused")


@pytest.mark.parametrize(
    ("policy", "answer", "wrong"),
    [
        ({}, Answer(200, b"", 9.0), ""),
        ({}, Answer(204, b"", 0.0), "status 204"),
        ({}, Answer(301, b"", 0.0), "status 301"),
        ({"expect": frozenset({204, 503})}, Answer(503, b"", 0.0), ""),
        ({"body": "up"}, Answer(200, b'{"status": "up"}', 0.0), ""),
        ({"body": "up"}, Answer(200, b"down", 0.0), "the body is not as expected"),
        ({"body": "läuft"}, Answer(200, "läuft".encode(), 0.0), ""),
        ({"body": "up"}, Answer(200, b" " * MOST_BODY + b"up", 0.0), "the body is not as expected"),
        ({"slower_than_s": 0.5}, Answer(200, b"", 0.5), ""),
        ({"slower_than_s": 0.5}, Answer(200, b"", 0.6), "took 600 ms"),
        ({}, Failure("refused"), "refused"),
        ({}, Failure(""), "no answer"),
    ],
)
def test_what_is_wrong_with_an_answer(policy: dict[str, Any], answer: Answer | Failure, wrong: str) -> None:
    """Status, body and time; each alone is enough."""
    assert complaint(HealthPolicy(**policy), answer) == wrong


def after(policy: HealthPolicy, *answers: Answer | Failure, standing: Standing = UNKNOWN) -> Standing:
    for number, answer in enumerate(answers, 1):
        standing = step(policy, standing, answer, float(number))
    return standing


@pytest.mark.parametrize(
    ("answers", "healthy", "since"),
    [
        ([], None, 0.0),
        ([GOOD], None, 0.0),
        ([GOOD, GOOD], True, 2.0),
        ([GOOD, GOOD, GOOD], True, 2.0),
        ([BAD, BAD], None, 0.0),
        ([BAD, BAD, BAD], False, 3.0),
        ([GOOD, BAD, GOOD, BAD, GOOD], None, 0.0),
        ([GOOD, GOOD, BAD, BAD, GOOD, BAD, BAD], True, 2.0),
        ([GOOD, GOOD, BAD, BAD, BAD], False, 5.0),
        ([BAD, BAD, BAD, GOOD, BAD, GOOD, GOOD], True, 7.0),
    ],
)
def test_so_many_in_a_row_decide(answers: list[Any], healthy: bool | None, since: float) -> None:
    """Two good ones, three bad ones; `since` is when that changed."""
    standing = after(HealthPolicy(healthy_after=2, unhealthy_after=3), *answers)

    assert (standing.healthy, standing.since) == (healthy, since)


def test_a_standing_tells_about_the_last_check() -> None:
    """What people want to see."""
    bad = after(HealthPolicy(), GOOD, Answer(500, b"", 0.25))

    assert bad == Standing(True, 1.0, 1, False, "status 500", 500, 0.25, 2.0)
    assert step(HealthPolicy(), bad, BAD, 3.0) == Standing(True, 1.0, 2, False, "refused", 0, 0.0, 3.0)


@given(
    st.lists(st.sampled_from([GOOD, BAD, Answer(404, b"", 0.0), Answer(200, b"", 99.0)]), max_size=30),
    st.integers(1, 5),
    st.integers(1, 5),
)
def test_no_target_is_ever_stuck(answers: list[Any], healthy_after: int, unhealthy_after: int) -> None:
    """From every reachable standing enough good checks make it healthy, and enough bad ones unhealthy."""
    policy = HealthPolicy(healthy_after=healthy_after, unhealthy_after=unhealthy_after, slower_than_s=1.0)
    standing = after(policy, *answers)

    assert after(policy, *[GOOD] * healthy_after, standing=standing).healthy is True
    assert after(policy, *[BAD] * unhealthy_after, standing=standing).healthy is False


@given(st.floats(0.0, 1.0), st.floats(0.01, 1000.0))
def test_checks_are_spread(chance: float, interval_s: float) -> None:
    """The first comes soon, the others near the interval, none all at once."""
    policy = HealthPolicy(interval_s=interval_s)

    assert 0.0 <= health.first_pause_s(policy, chance) <= min(interval_s, health.FIRST_WITHIN_S)
    assert 0.89 * interval_s <= health.pause_s(policy, chance) <= 1.11 * interval_s
    assert health.pause_s(policy, 0.0) < health.pause_s(policy, 1.0)


def test_patience_is_longer_than_a_check() -> None:
    """Three intervals and a time-out."""
    assert health.patience_s(HealthPolicy(interval_s=10.0, timeout_s=2.0)) == 32.0
