"""A breaker opens exactly at its threshold, tries carefully, closes again, and never gets stuck."""

import timeit
from dataclasses import replace
from math import inf
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilience.breaker import FREE, NEXT, SOON_S, Breaker, Cause, Permit, Refused, State, Transition
from tests.support.breakerbench import POLICY, STEPS, Bench, Story

CLOSED, OPEN, HALF_OPEN = State


@pytest.mark.parametrize("successes", [0, 3])
def test_it_opens_exactly_at_the_threshold(successes: int) -> None:
    """And tells so, once, with what it counted."""
    bench = Bench()
    for _ in range(successes):
        bench.request(False)
    assert [bench.request(True) for _ in range(4)] == [None] * 4
    moved = bench.request(True)
    assert moved == Transition(CLOSED, OPEN, Cause.FAILURES, 1000.0, successes + 5, 5)
    assert bench.told == [moved]
    assert bench.refused() == 60.0


def test_few_requests_do_not_open_it() -> None:
    """As long as there are fewer than `min_throughput`; the next failure beyond that does."""
    bench = Bench(min_throughput=20)
    for failed in [True] * 10 + [False] * 9:
        assert bench.request(failed) is None
    assert bench.request(True) is not None


def test_failures_of_long_ago_do_not_count() -> None:
    """Five, but not within the window."""
    bench = Bench()
    for _ in range(20):
        assert bench.request(True) is None
        bench.now += 2.5
    assert bench.breaker.state is CLOSED


def test_requests_without_a_result_do_not_count() -> None:
    """Clients that leave open nothing."""
    bench = Bench()
    for _ in range(20):
        bench.request(None)
    assert bench.breaker.standing(bench.now).requests == 0


def test_results_of_an_earlier_period_do_not_count() -> None:
    """Ten were under way when five of them opened it; the rest changes nothing, then and later."""
    bench = Bench()
    permits = [bench.permit() for _ in range(10)]
    for permit in permits[:5]:
        bench.breaker.record(permit, True, bench.now)
    for permit in permits[5:7]:
        assert bench.breaker.record(permit, True, bench.now) is None
    bench.now += 60
    bench.request(False)
    bench.request(False)
    assert bench.breaker.state is CLOSED
    for permit in permits[7:]:
        bench.breaker.record(permit, True, bench.now)
    bench.breaker.record(permits[0], False, bench.now)
    assert bench.breaker.standing(bench.now).requests == 0


def test_a_refusal_says_how_long_it_will_last() -> None:
    """Until a trial is due; while all trials are under way, soon."""
    bench = Bench().opened()
    bench.now += 45.5
    assert bench.refused() == 14.5
    bench.now += 14.5
    bench.permit()
    bench.permit()
    assert bench.refused() == SOON_S


def test_enough_successes_close_it() -> None:
    """One after the other or at once; what was counted before is forgotten."""
    bench = Bench().half_open()
    assert bench.request(False) is None
    moved = bench.request(False)
    assert moved is not None
    assert (moved.before, moved.after, moved.cause) == (HALF_OPEN, CLOSED, Cause.TRIALS_PASSED)
    assert [bench.request(True) for _ in range(4)] == [None] * 4
    assert [cause for *_, cause in bench.moves] == [Cause.FAILURES, Cause.RECOVERY, Cause.TRIALS_PASSED]


def test_one_failed_trial_opens_it_again() -> None:
    """For the whole time."""
    bench = Bench().half_open()
    first, second = bench.permit(), bench.permit()
    assert bench.breaker.record(first, False, bench.now) is None
    moved = bench.breaker.record(second, True, bench.now)
    assert moved is not None
    assert (moved.after, moved.cause, moved.failures) == (OPEN, Cause.TRIAL_FAILED, 1)
    assert bench.refused() == 60.0


def test_a_trial_without_a_result_is_none() -> None:
    """Its place is free at once, and it is no success."""
    bench = Bench().half_open()
    for _ in range(10):
        bench.request(None)
    assert bench.breaker.state is HALF_OPEN
    assert bench.breaker.standing(bench.now)[6:8] == (0, 0)


@pytest.mark.parametrize(("failed", "after"), [(False, HALF_OPEN), (None, HALF_OPEN), (True, OPEN)])
def test_a_trial_that_hangs_gives_its_place_back(failed: bool | None, after: State) -> None:
    """When it ends at last, only a failure counts."""
    bench = Bench().half_open()
    first, second = bench.permit(), bench.permit()
    bench.now += 29.9
    bench.refused()
    bench.now += 0.1
    bench.breaker.record(first, failed, bench.now)
    if bench.breaker.state is HALF_OPEN:
        bench.permit()  # drops the second from its place
    bench.breaker.record(second, failed, bench.now)
    assert bench.breaker.state is after
    assert bench.breaker.standing(bench.now).successes == 0


def test_trials_of_an_earlier_period_do_not_count() -> None:
    """They belong to another story."""
    bench = Bench().half_open()
    late, other = bench.permit(), bench.permit()
    bench.breaker.record(other, True, bench.now)
    bench.now += 60
    bench.permit()
    assert bench.breaker.record(late, True, bench.now) is None
    assert bench.breaker.state is HALF_OPEN


@pytest.mark.parametrize("requests", [0, -1])
def test_a_policy_without_trials_has_one(requests: int) -> None:
    """So that there is a way back whatever somebody wrote."""
    bench = Bench(half_open_requests=requests).opened()
    bench.now += 60
    bench.request(False)
    assert bench.breaker.state is CLOSED


def test_another_policy_keeps_what_is() -> None:
    """State, counts and trials; the new numbers count from the next step on."""
    bench = Bench()
    for _ in range(3):
        bench.request(True)
    bench.breaker.policy = replace(POLICY, failure_threshold=4, min_throughput=1, recovery_timeout_s=5.0)
    assert bench.breaker.policy.failure_threshold == 4
    assert bench.request(True) is not None
    bench.now += 5.0
    bench.permit()
    bench.breaker.policy = replace(POLICY, half_open_requests=1)
    assert bench.breaker.state is HALF_OPEN
    assert bench.refused() == SOON_S


# Operators


def test_what_is_forced_wins() -> None:
    """Open although nothing failed, closed although everything does; what is measured stands still below it."""
    bench = Bench()
    bench.breaker.force(OPEN, 1010.0, bench.now)
    assert bench.refused() == 10.0
    bench.breaker.force(CLOSED, inf, bench.now)
    for _ in range(20):
        assert bench.permit() is FREE
        assert bench.request(True) is None
    assert (bench.breaker.state, bench.breaker.measured) == (CLOSED, CLOSED)
    assert bench.breaker.standing(bench.now).failures == 20
    bench.breaker.force(None, inf, bench.now)
    assert bench.request(True) is not None, "what was counted meanwhile counts"
    assert bench.moves[:2] == [(CLOSED, OPEN, Cause.FORCED), (OPEN, CLOSED, Cause.FORCED)]


def test_forced_open_without_an_end_names_the_usual_time() -> None:
    """There has to be some number in Retry-After."""
    breaker = Breaker(POLICY)
    breaker.force(OPEN, inf, 0.0)
    assert breaker.permit(0.0) == Refused(60.0)


def test_a_force_ends_by_itself() -> None:
    """At its time, or when somebody looks after that."""
    bench = Bench()
    bench.breaker.force(OPEN, 1010.0, bench.now)
    bench.now = 1009.9
    assert bench.breaker.look(bench.now) is None
    bench.now = 1010.0
    bench.permit()
    assert bench.moves[-1] == (OPEN, CLOSED, Cause.RELEASED)
    assert bench.breaker.force(OPEN, 1010.0, bench.now) is None, "a time that is over"
    assert bench.breaker.look(bench.now) is None


def test_a_force_hides_what_is_measured_and_gives_it_back() -> None:
    """Open and forced closed: the recovery time goes on below."""
    bench = Bench().opened()
    bench.breaker.force(CLOSED, inf, bench.now)
    bench.now += 59.0
    bench.request(True)
    bench.breaker.force(None, inf, bench.now)
    assert bench.moves[-1] == (CLOSED, OPEN, Cause.RELEASED)
    assert bench.refused() == 1.0


def test_trials_that_end_under_a_force_change_nothing() -> None:
    """Whatever came of them; nor do results of the closed period before."""
    bench = Bench().half_open()
    trial = bench.permit()
    bench.breaker.force(OPEN, inf, bench.now)
    assert bench.breaker.record(trial, True, bench.now) is None
    assert bench.breaker.measured is HALF_OPEN
    bench = Bench()
    permits = [bench.permit() for _ in range(6)]
    bench.breaker.force(OPEN, inf, bench.now)
    assert [bench.breaker.record(permit, True, bench.now) for permit in permits] == [None] * 6


def test_a_reset_closes_from_anywhere() -> None:
    """And forgets; what is forced stays forced."""
    for bench in (Bench().opened(), Bench().half_open()):
        moved = bench.breaker.reset(bench.now)
        assert moved is not None
        assert (moved.after, moved.cause) == (CLOSED, Cause.RESET)
    bench = Bench()
    for _ in range(4):
        bench.request(True)
    assert bench.breaker.reset(bench.now) is None, "it was closed already"
    assert bench.request(True) is None
    bench.breaker.force(OPEN, inf, bench.now)
    bench.breaker.reset(bench.now)
    assert bench.breaker.state is OPEN


# Others


@pytest.mark.parametrize(
    ("state", "period", "is_adopted"),
    [(OPEN, 4, True), (OPEN, 3, True), (CLOSED, 3, False), (OPEN, 2, False), (CLOSED, 9, False)],
)
def test_the_later_period_wins(state: State, period: int, is_adopted: bool) -> None:
    """Of the same period, what differs; what is told again, or late, changes nothing."""
    bench = Bench()
    bench.breaker.adopt(CLOSED, 900.0, 3, bench.now, Cause.RESET)
    moved = bench.breaker.adopt(state, 990.0, period, bench.now, Cause.FAILURES)
    assert (moved is not None) is is_adopted
    again = bench.breaker.adopt(state, 990.0, period, bench.now, Cause.FAILURES)
    assert again is None


def test_what_is_adopted_goes_on_from_there() -> None:
    """Open since then; a time that lies ahead is now."""
    bench = Bench()
    bench.breaker.adopt(OPEN, bench.now - 50.0, 7, bench.now, Cause.FAILURES)
    assert bench.refused() == 10.0
    bench.breaker.adopt(OPEN, bench.now + 500.0, 9, bench.now, Cause.TRIAL_FAILED)
    assert bench.breaker.adopt(OPEN, 0.0, 8, bench.now, Cause.FAILURES) is None
    assert bench.refused() == 60.0
    standing = bench.breaker.standing(bench.now)
    assert (standing.period, standing.since, standing.state) == (9, bench.now, OPEN)


def test_half_open_that_is_adopted_has_all_its_places() -> None:
    """Trials of the period before hold none."""
    bench = Bench().half_open()
    bench.permit()
    bench.permit()
    bench.breaker.adopt(HALF_OPEN, bench.now, 9, bench.now, Cause.RECOVERY)
    bench.permit()
    bench.permit()
    assert bench.refused() > 0.0


# Clocks


def test_a_clock_that_goes_back_begins_waiting_anew() -> None:
    """Open: for one recovery time; half open: for one trial's time; never for ever."""
    bench = Bench().opened()
    bench.now = 10.0
    assert bench.refused() == 60.0
    bench.now = 70.0
    bench.permit()
    bench.permit()
    bench.now = 5.0
    bench.refused()
    bench.now = 35.0
    bench.permit()


def test_success_after_a_quiet_time_is_counted() -> None:
    """In a bucket of its own."""
    bench = Bench()
    for wait_s, counted in ((0.0, 1), (5.0, 2), (0.0, 3), (5.0, 3)):
        bench.now += wait_s
        bench.request(False)
        assert bench.breaker.standing(bench.now).requests == counted


# Whatever happens


@given(STEPS)
def test_never_more_trials_at_once_than_allowed(steps: list[tuple[str, float, int]]) -> None:
    """Of one period, among those that are not overdue; a smaller number counts for those that are let in."""
    story, began = Story(), dict[Permit, float]()
    for step in steps:
        if step[0] == "back":
            continue
        story.step(*step)
        breaker, now = story.bench.breaker, story.bench.now
        if step[0] == "ask" and story.under_way and story.under_way[-1].is_trial:
            began.setdefault(story.under_way[-1], now)
            ours = [
                permit
                for permit in story.under_way
                if permit.is_trial and permit.period == breaker.period and now - began[permit] < 30.0
            ]
            assert len(ours) <= max(breaker.policy.half_open_requests, 1)


@given(STEPS)
def test_every_state_has_a_way_back(steps: list[tuple[str, float, int]]) -> None:
    """Whatever happened, with whichever clock: time and good requests close it, once nothing is forced."""
    story = Story()
    for step in steps:
        story.step(*step)
    bench = story.bench
    bench.breaker.force(None, inf, bench.now)
    for _ in range(10):
        bench.now += 60.0
        if isinstance(found := bench.breaker.permit(bench.now), Permit):
            bench.breaker.record(found, False, bench.now)
    assert bench.breaker.state is CLOSED


@given(STEPS)
def test_transitions_follow_each_other(steps: list[tuple[str, float, int]]) -> None:
    """Each begins where the last one ended; what is measured moves only as the table says, one period at a time."""
    story = Story()
    state, period = CLOSED, 0
    for step in steps:
        before = story.bench.breaker.measured
        story.step(*step)
        breaker = story.bench.breaker
        if step[0] != "adopt":
            assert breaker.period - period in (0, 1)
            if breaker.period != period and breaker.cause is not Cause.RESET:
                assert NEXT[before, breaker.cause] is breaker.measured
        assert breaker.period >= period
        period = breaker.period
    for transition in story.bench.told:
        assert transition.before is state
        assert transition.after is not state
        state = transition.after
    assert story.bench.breaker.state is state


@given(st.lists(st.booleans(), max_size=60), st.integers(1, 6), st.integers(1, 12))
def test_it_opens_at_the_first_failure_that_is_enough(
    results: list[bool], threshold: int, throughput: int
) -> None:
    """Neither before nor after, within one window."""
    bench = Bench(failure_threshold=threshold, min_throughput=throughput)
    expected = next(
        (
            number
            for number, failed in enumerate(results)
            if failed and sum(results[: number + 1]) >= threshold and number + 1 >= throughput
        ),
        None,
    )
    moved = None
    for number, failed in enumerate(results):
        if bench.request(failed) is not None:
            moved = number
            break
    assert moved == expected


def test_a_request_costs_next_to_nothing_while_all_is_well() -> None:
    """A permit and the record of its success: at most 0.6 µs."""
    breaker = Bench().breaker

    def request() -> None:
        breaker.record(breaker.permit(1000.0), False, 1000.0)

    assert min(timeit.repeat(request, number=20_000, repeat=9, timer=process_time)) / 20_000 < 0.6e-6
