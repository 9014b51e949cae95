"""P: Faults on purpose: who gets one, and which. Waiting and answering are done elsewhere."""

from typing import NamedTuple

from resilience.policies import FaultPolicy


class Fault(NamedTuple):
    delay_s: float
    abort: int
    """The status that is answered instead, after the delay; 0: the request goes on."""


def decide(policy: FaultPolicy, wall_now: float, roll: float) -> Fault | None:
    """The fault of one request. `wall_now` is in epoch seconds, `roll` is drawn evenly from [0, 1)."""
    if wall_now >= policy.until or roll >= policy.share or not (policy.delay_s or policy.abort):
        return None
    return Fault(policy.delay_s, policy.abort)
