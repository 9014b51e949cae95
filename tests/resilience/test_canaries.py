"""What one worker knows of canaries: counts belong to the step that they were made in, and nobody is asked unknown."""

from hypothesis import given
from hypothesis import strategies as st

from resilience.canaries import BUCKETS, NOTHING, Canaries, Counts, Side, Wanted, bucket_of, p95_s
from resilience.canary import CanaryPolicy, Standing

POLICY = CanaryPolicy(steps=(10.0, 100.0), every_s=10.0, min_requests=4)
WANTED = Wanted(POLICY, "new", "m1")
SIDES = st.lists(st.tuples(st.floats(0.0001, 100.0), st.booleans()), max_size=30)


def counted(requests: list[tuple[float, bool]]) -> Counts:
    side = Side()
    for seconds, failed in requests:
        side.count(seconds, failed=failed)
    return side.counts()


def watching() -> Canaries:
    canaries = Canaries()
    canaries.get("r", POLICY)
    canaries.reconcile({"r": WANTED}, 1)
    return canaries


@given(seconds=st.floats(min_value=0.0, max_value=1e9))
def test_every_duration_has_a_bucket(seconds: float) -> None:
    """Whatever a clock says."""
    assert 0 <= bucket_of(seconds) < BUCKETS


@given(seconds=st.floats(0.0001, 100.0))
def test_the_slowest_twentieth_is_known_to_a_quarter(seconds: float) -> None:
    """A quarter of a doubling, upwards."""
    found = p95_s(counted([(seconds, False)] * 20).times)
    assert found is not None
    assert seconds <= found <= 1.26 * seconds


def test_nothing_is_known_of_no_requests() -> None:
    """Nor of failures alone."""
    assert NOTHING.seen().p95_s is None
    assert counted([(1.0, True)]).seen().p95_s is None


def test_one_in_thirty_is_not_the_slowest_twentieth() -> None:
    """Two are."""
    quick, slow = (0.01, False), (5.0, False)
    assert (p95_s(counted([quick] * 29 + [slow]).times) or 9) < 0.02
    assert (p95_s(counted([quick] * 28 + [slow] * 2).times) or 0) > 4


@given(one=SIDES, other=SIDES)
def test_counts_add_up_and_are_taken_off_again(
    one: list[tuple[float, bool]], other: list[tuple[float, bool]]
) -> None:
    """So what several workers counted is as if one had."""
    both = counted(one).plus(counted(other))
    assert both == counted(one + other)
    assert both.plus(counted(other), -1) == counted(one)


def test_a_canary_has_no_share_until_something_is_known() -> None:
    """And another canary's word is not its own."""
    canaries = watching()
    live = canaries.get("r", POLICY)
    assert live.percent == 0
    canaries.stand("r", "m0", Standing(5.0), 1)
    assert live.percent == 0
    canaries.stand("r", "m1", Standing(5.0), 1)
    assert live.percent == 10


def test_counts_of_a_step_end_with_it() -> None:
    """The same word again ends nothing."""
    canaries = watching()
    live = canaries.get("r", POLICY)
    canaries.stand("r", "m1", Standing(5.0), 1)
    tally = live.tally
    canaries.stand("r", "m1", Standing(5.0), 1)
    assert canaries.tallies() == {"r": (1, tally)}
    canaries.stand("r", "m1", Standing(15.0, 1), 2)
    assert live.percent == 100
    assert live.tally is not tally


def test_a_changed_canary_begins_anew_and_another_revision_does_not() -> None:
    """It is the same object for the plans of all configurations."""
    canaries = watching()
    live = canaries.get("r", POLICY)
    canaries.stand("r", "m1", Standing(5.0), 7)
    canaries.reconcile({"r": WANTED}, 2)
    assert (live.period, live.percent) == (7, 10)
    canaries.reconcile({"r": Wanted(CanaryPolicy(steps=(50.0,)), "new", "m2")}, 3)
    assert (live.period, live.percent, canaries.get("r", POLICY)) == (-1, 0, live)
    canaries.reconcile({}, 4)
    assert canaries.tallies() == {}
    assert canaries.get("r", POLICY) is not live


def test_a_worker_alone_decides_by_itself() -> None:
    """Step by step, and back."""
    canaries = watching()
    live = canaries.get("r", POLICY)
    assert list(canaries.decide_alone(0.0)) == []
    assert live.percent == 10
    for _ in range(4):
        live.tally.canary.count(0.1, failed=False)
    [(route, standing)] = canaries.decide_alone(10.0)
    assert (route, standing.step, live.percent) == ("r", 1, 100)
    for _ in range(4):
        live.tally.canary.count(0.1, failed=True)
    [(_, standing)] = canaries.decide_alone(11.0)
    assert (standing.stage, live.percent) == ("rolled_back", 0)
    assert list(canaries.decide_alone(99.0)) == []
