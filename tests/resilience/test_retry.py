"""The retry decision: what may be repeated, how often, after which pause."""

from collections.abc import Sequence
from itertools import product
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilience.budget import FLOOR, RetryBudget
from resilience.outcomes import Outcome
from resilience.policies import RetryCause, RetryPolicy
from resilience.retry import (
    IDEMPOTENT,
    LONGEST_BACKOFF_S,
    Again,
    Ending,
    Repeatable,
    Stop,
    Verdict,
    backoff_s,
    consider,
    decide,
    is_keyed,
    retry_after_s,
)

UNREACHED = [Outcome.DNS_ERROR, Outcome.CONNECT_REFUSED, Outcome.CONNECT_TIMEOUT, Outcome.TLS_ERROR]
POLICY = RetryPolicy(attempts=2, backoff_s=0.1)
GET = Repeatable("GET", replayable=True)
POST = Repeatable("POST", replayable=True)
NEVER_MIND = {"now": 0.0, "deadline": 60.0, "retries": 0, "budget": None}

endings = st.builds(
    Ending,
    outcome=st.sampled_from(Outcome),
    status=st.sampled_from([0, 200, 404, 429, 500, 502, 503, 504]),
    retry_after_s=st.floats(0, 100),
    fresh=st.booleans(),
)
requests = st.builds(
    Repeatable,
    method=st.sampled_from(["GET", "PUT", "POST", "PATCH"]),
    replayable=st.booleans(),
    keyed=st.booleans(),
)
policies = st.none() | st.builds(
    RetryPolicy,
    attempts=st.integers(1, 5),
    causes=st.frozensets(st.sampled_from(RetryCause)),
    statuses=st.frozensets(st.sampled_from([429, 500, 503])),
    methods=st.none() | st.frozensets(st.sampled_from(["GET", "POST"])),
    backoff_s=st.floats(0, 10),
)


def after(
    ending: Ending, request: Repeatable = GET, policy: RetryPolicy | None = POLICY, **more: Any
) -> Again | Stop:
    return consider(policy, ending, request, **{**NEVER_MIND, "roll": 0.5, **more})


def verdict(answer: Again | Stop) -> Verdict | Stop:
    return answer.verdict if isinstance(answer, Again) else answer


# --- Without a policy ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", UNREACHED)
@pytest.mark.parametrize("request_", [GET, POST])
def test_what_never_arrived_goes_to_another_target_at_once(outcome: Outcome, request_: Repeatable) -> None:
    """When no byte was sent, any method may be tried elsewhere, also when it was tried elsewhere before."""
    for retries in (0, 50):
        assert after(Ending(outcome), request_, None, retries=retries) == Again(Verdict.OTHER_TARGET, 0.0)


def test_keep_alive_race_is_run_once_more_on_a_fresh_connection() -> None:
    """Once, because a fresh connection cannot be stale; with a policy as without."""
    for policy in (None, POLICY, RetryPolicy(causes=frozenset())):
        assert after(Ending(Outcome.STALE), policy=policy) == Again(Verdict.FRESH_CONNECTION, 0.0)
    assert after(Ending(Outcome.STALE, fresh=True), policy=None) is Stop.NOT_LISTED


@pytest.mark.parametrize(
    "ending", [Ending(Outcome.RESET), Ending(Outcome.READ_TIMEOUT), Ending(Outcome.UPSTREAM_ERROR, 503)]
)
def test_nothing_else_is_repeated_unless_the_service_says_so(ending: Ending) -> None:
    """Not even a GET."""
    assert after(ending, policy=None) is Stop.NOT_LISTED


@pytest.mark.parametrize("policy", [None, POLICY])
@pytest.mark.parametrize("outcome", [Outcome.CONNECT_REFUSED, Outcome.STALE])
def test_nothing_is_repeated_after_the_deadline(policy: RetryPolicy | None, outcome: Outcome) -> None:
    """However safe it is."""
    assert after(Ending(outcome), policy=policy, now=60.0) is Stop.DEADLINE


# --- What is listed --------------------------------------------------------------------------------------------

LISTED: list[tuple[Ending, RetryCause | int | None]] = [
    *((Ending(outcome), RetryCause.CONNECT) for outcome in UNREACHED),
    (Ending(Outcome.RESET), RetryCause.RESET),
    (Ending(Outcome.STALE, fresh=True), RetryCause.RESET),
    (Ending(Outcome.READ_TIMEOUT), RetryCause.TIMEOUT),
    (Ending(Outcome.WRITE_TIMEOUT), RetryCause.TIMEOUT),
    (Ending(Outcome.UPSTREAM_ERROR, 503), 503),
    (Ending(Outcome.OK, 429), 429),
    (Ending(Outcome.OK, 200), None),
    (Ending(Outcome.POOL_TIMEOUT), None),
    (Ending(Outcome.PROTOCOL_ERROR), None),
    (Ending(Outcome.BODY_BROKEN), None),
    (Ending(Outcome.BODY_TIMEOUT), None),
    (Ending(Outcome.NO_TARGET), None),
    (Ending(Outcome.CLIENT_GONE), None),
    (Ending(Outcome.CLIENT_BODY), None),
    (Ending(Outcome.GATEWAY_BUG), None),
    (Ending(Outcome.TOTAL_TIMEOUT), None),
]


@pytest.mark.parametrize(("ending", "cause"), LISTED)
def test_an_attempt_is_repeated_for_the_cause_that_is_listed(
    ending: Ending, cause: RetryCause | int | None
) -> None:
    """And for no other: each cause alone, then none."""
    for each in (*RetryCause, 429, 503):
        policy = RetryPolicy(
            causes=frozenset({each} if isinstance(each, RetryCause) else ()),
            statuses=frozenset({each} if isinstance(each, int) else ()),
        )
        expected = Verdict.OTHER_TARGET if each == cause else Stop.NOT_LISTED
        assert verdict(after(ending, policy=policy)) is expected


# --- What is safe ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("methods", "keyed", "safe"),
    [
        (None, False, {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"}),
        (None, True, {"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE", "POST", "PATCH"}),
        (frozenset({"GET", "POST"}), False, {"GET", "POST"}),
        (frozenset({"GET"}), True, {"GET"}),
    ],
)
@pytest.mark.parametrize("ending", [Ending(Outcome.RESET), Ending(Outcome.STALE), Ending(Outcome.OK, 503)])
def test_what_may_have_arrived_is_repeated_only_if_it_may_be_sent_twice(
    ending: Ending, methods: frozenset[str] | None, keyed: bool, safe: set[str]
) -> None:
    """Said by the service's list, which stands alone; else by the method, or by the client's key."""
    policy = RetryPolicy(methods=methods)
    for method in (*IDEMPOTENT, "POST", "PATCH"):
        answer = after(ending, Repeatable(method, replayable=True, keyed=keyed), policy)
        assert isinstance(answer, Again) == (method in safe)
        assert method in safe or answer is Stop.UNSAFE


def test_what_was_not_sent_is_repeated_whatever_the_methods() -> None:
    """A POST that found no connection has not been sent once yet."""
    policy = RetryPolicy(methods=frozenset({"GET"}))

    assert verdict(after(Ending(Outcome.CONNECT_REFUSED), POST, policy)) is Verdict.OTHER_TARGET


@given(policy=policies, ending=endings, request_=requests, retries=st.integers(0, 5), now=st.floats(0, 70))
def test_no_answer_breaks_the_rules(
    policy: RetryPolicy | None, ending: Ending, request_: Repeatable, retries: int, now: float
) -> None:
    """Never without the body, never twice what may have arrived and is not safe, never too late or too often."""
    answer = after(ending, request_, policy, retries=retries, now=now)
    if isinstance(answer, Stop):
        return
    unsent = ending.outcome in UNREACHED
    assert request_.replayable
    assert now + answer.wait_s < 60.0
    if policy is not None and policy.methods is not None:
        assert unsent or request_.method in policy.methods
    else:
        assert unsent or request_.method in IDEMPOTENT or request_.keyed
    if answer.verdict is Verdict.FRESH_CONNECTION:
        assert ending.outcome is Outcome.STALE
        assert not ending.fresh
    elif policy is not None:
        assert retries < policy.attempts


# --- How often, and when -----------------------------------------------------------------------------------------


def waits(policy: RetryPolicy, *, seed: int = 3, **more: Any) -> Sequence[float]:
    """The pause before each retry of one request."""
    pauses: list[float] = []
    rng = Random(seed)
    answer = after(Ending(Outcome.RESET), policy=policy, roll=rng.random(), **more)
    while isinstance(answer, Again):
        pauses.append(answer.wait_s)
        answer = after(
            Ending(Outcome.RESET), policy=policy, roll=rng.random(), **{**more, "retries": len(pauses)}
        )
    assert answer is Stop.ATTEMPTS
    return pauses


@pytest.mark.parametrize("attempts", [1, 2, 5])
def test_there_are_as_many_retries_as_the_policy_says(attempts: int) -> None:
    """After the first attempt."""
    assert len(waits(RetryPolicy(attempts=attempts))) == attempts


@given(
    retries=st.integers(0, 2000),
    base=st.just(0.0) | st.floats(0.001, 20),
    roll=st.floats(0, 1, exclude_max=True),
)
def test_pause_is_anything_up_to_a_bound_that_doubles(retries: int, base: float, roll: float) -> None:
    """Full jitter; the bound ends at five seconds or at the policy's own pause, should that be longer."""
    policy = RetryPolicy(backoff_s=base)
    bound = min(base * 2.0 ** min(retries, 64), max(base, LONGEST_BACKOFF_S))

    assert backoff_s(policy, retries, roll) == pytest.approx(roll * bound)


def test_pauses_are_drawn_anew_and_longer_each_time() -> None:
    """So that callers who failed together do not come back together."""
    seeds = [waits(RetryPolicy(attempts=3, backoff_s=0.1), seed=seed) for seed in range(500)]

    for number, bound in enumerate((0.1, 0.2, 0.4)):
        drawn = [pauses[number] for pauses in seeds]
        assert max(drawn) <= bound
        assert sum(drawn) / len(drawn) == pytest.approx(bound / 2, rel=0.15)
        assert len(set(drawn)) == len(drawn)


def test_retry_that_would_come_too_late_is_not_made() -> None:
    """The pause counts as well; what an upstream asks for in Retry-After is respected or ends it."""
    busy = Ending(Outcome.OK, 503, retry_after_s=2.0)

    assert after(busy) == Again(Verdict.OTHER_TARGET, 2.0)
    assert after(busy, deadline=2.0) is Stop.DEADLINE
    assert verdict(after(busy, deadline=2.01)) is Verdict.OTHER_TARGET


def test_budget_bounds_retries_but_not_what_was_never_sent() -> None:
    """A service that refuses connections gets no load from those who try."""
    budget = RetryBudget(0.0)
    resets = [after(Ending(Outcome.RESET), budget=budget) for _ in range(FLOOR + 1)]

    assert [isinstance(answer, Again) for answer in resets] == [True] * FLOOR + [False]
    assert resets[-1] is Stop.BUDGET
    assert isinstance(after(Ending(Outcome.CONNECT_REFUSED), budget=budget), Again)
    assert isinstance(after(Ending(Outcome.STALE), budget=budget), Again)
    assert budget.used == FLOOR


def test_retry_that_is_not_made_costs_no_budget() -> None:
    """Whatever the reason."""
    budget = RetryBudget(0.0)
    after(Ending(Outcome.RESET), POST, budget=budget)
    after(Ending(Outcome.RESET), budget=budget, retries=2)
    after(Ending(Outcome.OK, 503, retry_after_s=100.0), budget=budget)
    after(Ending(Outcome.OK, 404), budget=budget)

    assert budget.used == 0


# --- Header fields -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "keyed"),
    [
        ([], False),
        ([(b"idempotency-key", b'"8e03978e"')], True),
        ([(b"idempotency-key", b" ")], False),
        ([(b"x-idempotency-key", b"1"), (b"idempotency-key", b"1")], True),
    ],
)
def test_idempotency_key(headers: list[tuple[bytes, bytes]], keyed: bool) -> None:
    """One that says something."""
    assert is_keyed(headers) is keyed


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (b"120", 120.0),
        (b" 7 ", 7.0),
        (b"9" * 5000, 999_999_999.0),
        (b"Fri, 31 Dec 1999 23:59:59 GMT", 59.0),
        (b"Fri, 31 Dec 1999 23:59:59 -0000", 59.0),
        (b"Fri, 31 Dec 1999 23:00:00 GMT", 0.0),
        (b"", 0.0),
        (b"soon", 0.0),
        (b"-5", 0.0),
        (b"1.5", 0.0),
        (b"Fri, 31 Dec 99999999 23:59:59 GMT", 0.0),
        (b"Fri, 31 Dec 1999 23:59:59 +99999999999999999999", 0.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(value: bytes, seconds: float) -> None:
    """Nonsense asks for nothing."""
    assert retry_after_s(value, 946_684_740.0) == seconds


@given(st.binary(max_size=40))
def test_retry_after_takes_any_bytes(value: bytes) -> None:
    """An upstream's field never raises, and never asks for less than nothing."""
    assert retry_after_s(value, 0.0) >= 0.0


# --- The decision without a policy, in short -----------------------------------------------------------------------


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_short_form_decides_the_same(outcome: Outcome, method: str) -> None:
    """As without a policy and without a key."""
    for replayable, fresh in product((True, False), repeat=2):
        long = after(Ending(outcome, fresh=fresh), Repeatable(method, replayable), None)
        short = decide(outcome, method=method, replayable=replayable, fresh=fresh)

        assert short is (long.verdict if isinstance(long, Again) else Verdict.STOP)
