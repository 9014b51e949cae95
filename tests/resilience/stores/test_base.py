"""Names of buckets, and what stands in for a decision."""

import pytest

from resilience.limiter import meter_of
from resilience.policies import QuotaPolicy
from resilience.stores.base import LONGEST_KEY, bucket_of, decision_of, undecided

QUOTA = QuotaPolicy("q", 3, 1.0)


@pytest.mark.parametrize("key", ["consumer:ada", "x" * LONGEST_KEY])
def test_usual_keys_are_readable(key: str) -> None:
    """Who looks into Redis sees whose bucket it is."""
    assert bucket_of(meter_of(QUOTA), key) == f"t|q|{key}"


@pytest.mark.parametrize("key", ["x" * (LONGEST_KEY + 1), "header:é", "header:\udcff", "x" * 1_000_000])
def test_other_keys_are_short_and_ascii(key: str) -> None:
    """A header's value may be of any length and any bytes; different ones stay different."""
    name = bucket_of(meter_of(QUOTA), key)

    assert name.isascii()
    assert len(name) < 64
    assert name != bucket_of(meter_of(QUOTA), key + "y")


def test_decision_has_seconds() -> None:
    """And allows if there is nothing to wait for."""
    assert decision_of(QUOTA, 2, 1_500_000, 0) == (QUOTA, True, 2, 1.5, 0.0)
    assert decision_of(QUOTA, 0, 1_500_000, 1).allowed is False


@pytest.mark.parametrize(("choice", "allowed", "retry_after_s"), [("allow", True, 0.0), ("deny", False, 1.0)])
def test_without_a_store_the_operator_has_chosen(choice: str, allowed: bool, retry_after_s: float) -> None:
    """`local` is decided by a store of the worker's own."""
    decision = undecided(QuotaPolicy("q", 3, 1.0, on_store_failure=choice))  # type: ignore[arg-type]

    assert (decision.allowed, decision.retry_after_s) == (allowed, retry_after_s)
