"""Faults on purpose: for the share that was asked for, until their end."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilience.faults import Fault, decide
from resilience.policies import FaultPolicy


@pytest.mark.parametrize(
    ("policy", "wall_now", "roll", "fault"),
    [
        (FaultPolicy(delay_s=1.0, abort=503), 0.0, 0.999, Fault(1.0, 503)),
        (FaultPolicy(delay_s=1.0), 0.0, 0.0, Fault(1.0, 0)),
        (FaultPolicy(abort=429, share=0.05), 0.0, 0.049, Fault(0.0, 429)),
        (FaultPolicy(abort=429, share=0.05), 0.0, 0.05, None),
        (FaultPolicy(abort=429, share=0.0), 0.0, 0.0, None),
        (FaultPolicy(abort=429, until=100.0), 99.9, 0.0, Fault(0.0, 429)),
        (FaultPolicy(abort=429, until=100.0), 100.0, 0.0, None),
        (FaultPolicy(), 0.0, 0.0, None),
    ],
)
def test_fault_as_the_policy_says(
    policy: FaultPolicy, wall_now: float, roll: float, fault: Fault | None
) -> None:
    """Inside the share and before the end; a policy without delay and status does nothing."""
    assert decide(policy, wall_now, roll) == fault


@given(share=st.floats(0, 1), seed=st.integers(0, 2**32))
def test_share_is_met_over_many_requests(share: float, seed: int) -> None:
    """Within six standard deviations of a fair draw, and five for small numbers."""
    rng = Random(seed)
    policy = FaultPolicy(abort=500, share=share)
    hit = sum(decide(policy, 0.0, rng.random()) is not None for _ in range(1000))

    assert abs(hit - 1000 * share) <= 6 * (1000 * share * (1 - share)) ** 0.5 + 5
