"""Canaries: shares that go up by schedule, and back to nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilience.canary import ALL, CanaryPolicy, Seen, Standing, Word, decide, obey, percent

POLICY = CanaryPolicy(
    steps=(5.0, 50.0, ALL), every_s=60, max_error_ratio=0.1, min_requests=10, max_latency_ratio=2.0
)
GOOD, BAD, FEW = Seen(100, 1, 0.1), Seen(100, 20, 0.1), Seen(9, 9, 9.0)
SEEN = st.builds(
    lambda requests, failures, p95_s: Seen(requests, min(requests, failures), p95_s),
    st.integers(0, 100),
    st.integers(0, 100),
    st.none() | st.floats(0, 10),
)
STANDINGS = st.builds(
    Standing,
    since=st.floats(0, 1000),
    step=st.integers(0, 2),
    stage=st.sampled_from(["running", "paused", "promoted", "rolled_back"]),
)
WORDS: list[Word] = ["pause", "resume", "promote", "roll_back", "restart"]


def test_all_steps_are_taken_one_after_the_other() -> None:
    """Each lasts its time; the last one promotes."""
    standing, now, shares = Standing(0.0), 0.0, []
    while standing.stage == "running":
        shares.append(percent(POLICY, standing))
        assert decide(POLICY, standing, now + 59, GOOD, GOOD) is None
        now += 60
        following = decide(POLICY, standing, now, GOOD, GOOD)
        assert following is not None
        standing = following

    assert shares == [5.0, 50.0, ALL]
    assert (standing.stage, percent(POLICY, standing)) == ("promoted", ALL)
    assert decide(POLICY, standing, now + 1000, BAD, GOOD) is None


def test_failures_send_it_back_at_once() -> None:
    """Also while it is paused; then it stays there."""
    for stage in ("running", "paused"):
        back = decide(POLICY, Standing(0.0, 1, stage), 1.0, BAD, GOOD)  # type: ignore[arg-type]
        assert back is not None
        assert (back.stage, percent(POLICY, back)) == ("rolled_back", 0.0)
        assert back.reason == "20.0% of 100 requests failed, 10.0% are allowed"
        assert decide(POLICY, back, 1000.0, GOOD, GOOD) is None


def test_slowness_is_judged_beside_the_others() -> None:
    """If they were asked often enough, and if it is looked at."""
    slow = Seen(100, 0, 0.3)
    back = decide(POLICY, Standing(0.0), 1.0, slow, GOOD)

    assert back is not None
    assert back.reason == "the slowest twentieth takes 3 times as long as elsewhere, 2 is allowed"
    assert decide(POLICY, Standing(0.0), 1.0, slow, Seen(9, 0, 0.1)) is None
    assert decide(POLICY, Standing(0.0), 1.0, slow, Seen(100, 0, None)) is None
    assert decide(POLICY, Standing(0.0), 1.0, Seen(100, 0, 0.2), GOOD) is None
    unlooked = CanaryPolicy(min_requests=10)
    assert decide(unlooked, Standing(0.0), 1.0, slow, GOOD) is None


def test_a_schedule_that_ends_below_all_stays_there() -> None:
    """Until somebody promotes it."""
    half = CanaryPolicy(steps=(10.0, 50.0), every_s=60, min_requests=10)

    assert decide(half, Standing(0.0, 1), 1000.0, GOOD, GOOD) is None
    assert percent(half, Standing(0.0, 7)) == 50.0
    assert percent(CanaryPolicy(steps=()), Standing(0.0)) == 0.0


@given(STANDINGS, st.floats(0, 10_000), SEEN, SEEN)
def test_it_never_jumps_and_never_comes_back_by_itself(
    standing: Standing, now: float, canary: Seen, others: Seen
) -> None:
    """One step at a time, up while all is well, to nothing otherwise; never on too few requests."""
    following = decide(POLICY, standing, now, canary, others)
    if following is None:
        return
    assert standing.stage in ("running", "paused")
    assert canary.requests >= POLICY.min_requests
    assert following.since == now
    assert following.reason
    if canary.failures / canary.requests > POLICY.max_error_ratio:
        assert following.stage == "rolled_back"
    if following.stage != "rolled_back":
        assert standing.stage == "running"
        assert now - standing.since >= POLICY.every_s
        assert following.step - standing.step in (0, 1)
        assert percent(POLICY, following) >= percent(POLICY, standing)


@given(STANDINGS, st.sampled_from(WORDS), st.floats(0, 10_000))
def test_words_have_one_meaning_each(standing: Standing, word: Word, now: float) -> None:
    """What they ask for is so afterwards."""
    following = obey(POLICY, standing, word, now, "because")
    wanted = {"pause": "paused", "resume": "running", "promote": "promoted"}
    wanted |= {"roll_back": "rolled_back", "restart": "running"}

    if following is None:
        assert word != "restart"
        return
    assert (following.stage, following.reason, following.since) == (wanted[word], "because", now)
    assert 0.0 <= percent(POLICY, following) <= ALL
    if word in ("pause", "resume"):
        assert percent(POLICY, following) == percent(POLICY, standing)


@pytest.mark.parametrize(
    ("word", "stage"),
    [("pause", "paused"), ("pause", "promoted"), ("resume", "running"), ("promote", "promoted")],
)
def test_words_that_mean_nothing(word: Word, stage: str) -> None:
    """Whoever says them is told so."""
    assert obey(POLICY, Standing(0.0, 0, stage), word, 1.0) is None  # type: ignore[arg-type]


def test_too_few_requests_decide_nothing() -> None:
    """Neither for it nor against it; the step goes on."""
    assert decide(POLICY, Standing(0.0), 1000.0, FEW, GOOD) is None
    assert decide(CanaryPolicy(min_requests=0), Standing(0.0), 1000.0, Seen(), GOOD) is None
