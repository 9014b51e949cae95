"""What becomes of canaries in rows: one decision for all, with who, why and figures."""

from typing import Any

import pytest

from resilience.canaries import BUCKETS, NOTHING, Counts, Wanted
from resilience.canary import CanaryPolicy, Word
from resilience.models import CanaryEvent, CanaryState
from routing import canarying
from routing.canarying import advance, begin, end_others, steer
from routing.ordering import OrderRefused

pytestmark = [pytest.mark.store, pytest.mark.django_db]
NOW = 1_900_000_000.0
POLICY = CanaryPolicy(steps=(10.0, 100.0), every_s=10.0, min_requests=4)
WANTED = Wanted(POLICY, "new", "m1")


def counts(requests: int, failures: int = 0) -> Counts:
    return Counts(requests, failures, (requests - failures, *(0,) * (BUCKETS - 1)))


def events() -> list[tuple[Any, ...]]:
    columns = ("stage", "percent", "by", "reason", "requests", "failures")
    return list(CanaryEvent.objects.order_by("pk").values_list(*columns))


def row() -> CanaryState:
    return CanaryState.objects.get(route="r")


def test_steps_are_taken_when_workers_counted_enough_together() -> None:
    """Counts of a step that is over are left, so nothing is decided twice."""
    begin("r", WANTED, 1, NOW)
    period = row().period
    advance("r", period, counts(3), counts(5), NOW + 11)
    assert canarying.percent_of(row()) == 10
    advance("r", period, counts(1), NOTHING, NOW + 12)
    advance("r", period, counts(9, 9), NOTHING, NOW + 12)
    assert (canarying.percent_of(row()), row().canary) == (100, [])
    assert events() == [
        ("running", 10.0, "system", "it began", 0, 0),
        ("running", 100.0, "system", "the step went well: 0 of 4 requests failed", 4, 0),
    ]


def test_what_fails_goes_back_at_once() -> None:
    """The reason says how much."""
    begin("r", WANTED, 1, NOW)
    advance("r", row().period, counts(4, 2), NOTHING, NOW + 1)
    assert (row().stage, canarying.percent_of(row())) == ("rolled_back", 0)
    assert events()[-1][2:] == ("system", "50.0% of 4 requests failed, 5.0% are allowed", 4, 2)


def test_only_newer_configurations_begin_another() -> None:
    """A worker that is late does not undo what another began."""
    begin("r", WANTED, 2, NOW)
    steer("r", "pause", by="anna")
    begin("r", WANTED, 3, NOW)
    assert row().stage == "paused"
    other = Wanted(POLICY, "new", "m2")
    begin("r", other, 3, NOW + 1)
    assert (row().mark, row().stage) == ("m2", "running")
    begin("r", WANTED, 2, NOW + 2)
    assert row().mark == "m2"


def test_a_canary_ends_with_its_section_and_begins_with_it() -> None:
    """A rollback of the configuration begins it anew."""
    begin("r", WANTED, 1, NOW)
    steer("r", "roll_back", by="anna")
    end_others({"r"}, 2, NOW)
    assert canarying.found("r") is not None
    end_others(set(), 2, NOW)
    assert canarying.found("r") is None
    with pytest.raises(OrderRefused, match="no canary of a route"):
        steer("r", "restart", by="anna")
    begin("r", WANTED, 3, NOW)
    assert (row().stage, row().step) == ("running", 0)


@pytest.mark.parametrize(
    ("word", "stage", "percent"),
    [("pause", "paused", 10), ("promote", "promoted", 100), ("roll_back", "rolled_back", 0)],
)
def test_operators_have_the_last_word(word: Word, stage: str, percent: float) -> None:
    """Who and why are kept; the same word again means nothing, restart always does."""
    begin("r", WANTED, 1, NOW)
    steer("r", word, by="anna", reason="because\0")
    assert (row().stage, canarying.percent_of(row()), row().by) == (stage, percent, "anna")
    assert events()[-1][2:4] == ("anna", "because\N{REPLACEMENT CHARACTER}")
    with pytest.raises(OrderRefused, match="means nothing there"):
        steer("r", word, by="anna")
    steer("r", "restart", by="anna")
    assert (row().stage, row().step, canarying.next_at(row()) is not None) == ("running", 0, True)


@pytest.mark.parametrize("name", ["x", "r\0", ""])
def test_unknown_routes_are_refused(name: str) -> None:
    """With what might be meant."""
    begin("r", WANTED, 1, NOW)
    with pytest.raises(OrderRefused, match="there is no canary"):
        steer(name, "pause", by="anna")


def test_counts_are_packed() -> None:
    """And come out as they were."""
    assert canarying.unpacked(canarying.packed(counts(5, 2))) == counts(5, 2)
    assert canarying.unpacked([]) == NOTHING
