"""Bounds and their sanity."""

import pytest

from gateway_project.server.limits import ServerLimits


def test_defaults_are_sane() -> None:
    """Deadlines are swept four times a second, and a head can always hold its URL."""
    limits = ServerLimits()

    assert limits.sweep_period_s == 0.25
    assert limits.max_url_bytes < limits.max_head_bytes


def test_short_deadlines_are_swept_often() -> None:
    """A quarter of the shortest, but not more than fifty times a second."""
    assert ServerLimits(head_timeout_s=0.2).sweep_period_s == pytest.approx(0.05)
    assert ServerLimits(head_timeout_s=0.001).sweep_period_s == 0.02


@pytest.mark.parametrize("name", ["max_headers", "head_timeout_s", "drain_idle_s"])
@pytest.mark.parametrize("value", [0, -1])
def test_nonsense_is_refused(name: str, value: int) -> None:
    """A bound of zero or less would refuse everything."""
    with pytest.raises(ValueError, match=f"{name} must be above zero"):
        ServerLimits(**{name: value})


def test_minimum_rate_may_be_off() -> None:
    """Zero is the one bound that means none."""
    assert ServerLimits(min_transfer_bytes_per_s=0).min_transfer_bytes_per_s == 0
