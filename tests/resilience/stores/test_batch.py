"""Requests as arguments of the script, and its answer as verdicts."""

from struct import unpack

import pytest

from resilience.limiter import Meters
from resilience.policies import QuotaPolicy
from resilience.stores.base import Charge
from resilience.stores.batch import PREFIX, Batch, verdicts

ONE = QuotaPolicy("one", 3, 1.0, burst=5)
TWO = QuotaPolicy("two", 7, 60.0, algorithm="sliding_window", is_enforced=False)


def test_each_bucket_and_each_meter_goes_once() -> None:
    """Requests name them by number."""
    batch = Batch(Meters())
    batch.add([Charge(ONE, "a"), Charge(TWO, "a")])
    batch.add([])
    batch.add([Charge(ONE, "a")])
    meters, requests = batch.arguments()

    assert batch.keys() == [f"{PREFIX}t|one|a", f"{PREFIX}s|two|a"]
    assert unpack("<cBdddcBddd", meters) == (b"t", 1, 3.0, 5.0, 1e6, b"s", 0, 7.0, 7.0, 6e7)
    assert unpack("<9H", requests[:18]) == (2, 0, 0, 1, 1, 0, 1, 0, 0)
    assert len(requests) == 18


def test_answer_becomes_verdicts() -> None:
    """Three numbers for each charge; only an enforced quota refuses."""
    requests = [[Charge(ONE, "a"), Charge(TWO, "a")], [], [Charge(ONE, "a")]]
    first, second, third = verdicts(requests, [2, 500_000, 0, 0, 9, 9, 0, 7, 1_000_000])

    assert first == (True, ((ONE, True, 2, 0.5, 0.0), (TWO, False, 0, 9e-6, 9e-6)), False)
    assert second == (True, (), False)
    assert third == (False, ((ONE, False, 0, 7e-6, 1.0),), False)


@pytest.mark.parametrize("answer", [[], [1, 2], [1, 2, 3, 4]])
def test_answer_of_another_shape_is_refused(answer: list[int]) -> None:
    """Nobody gets somebody else's verdict."""
    with pytest.raises(ValueError, match="not asked"):
        verdicts([[Charge(ONE, "a")]], answer)
