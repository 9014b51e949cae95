"""Policies say what their keys of the document say."""

import pytest

from resilience.policies import QuotaPolicy


@pytest.mark.parametrize(
    ("more", "capacity"),
    [
        ({}, 10),
        ({"burst": 25}, 25),
        ({"burst": 25, "algorithm": "sliding_window"}, 10),
        ({"burst": 25, "algorithm": "fixed_window"}, 10),
    ],
)
def test_burst_is_the_size_of_a_token_bucket(more: dict[str, object], capacity: int) -> None:
    """Windows have none; without one, a bucket holds the limit."""
    assert QuotaPolicy(name="q", limit=10, per_s=1.0, **more).capacity == capacity  # type: ignore[arg-type]
