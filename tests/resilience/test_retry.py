"""The retry decision: what may be repeated, and how."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resilience.outcomes import Outcome
from resilience.retry import IDEMPOTENT, Verdict, decide


@pytest.mark.parametrize(
    "outcome", [Outcome.DNS_ERROR, Outcome.CONNECT_REFUSED, Outcome.CONNECT_TIMEOUT, Outcome.TLS_ERROR]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_what_never_arrived_goes_to_another_target(outcome: Outcome, method: str) -> None:
    """When no byte was sent, any method may be tried elsewhere."""
    assert decide(outcome, method=method, replayable=True, fresh=False) is Verdict.OTHER_TARGET


def test_a_stale_connection_is_retried_on_a_fresh_one() -> None:
    """The keep-alive race is repeated once for an idempotent method."""
    assert decide(Outcome.STALE, method="GET", replayable=True, fresh=False) is Verdict.FRESH_CONNECTION


def test_a_fresh_connection_cannot_be_stale_twice() -> None:
    """There is no second repetition."""
    assert decide(Outcome.STALE, method="GET", replayable=True, fresh=True) is Verdict.STOP


@given(
    outcome=st.sampled_from(Outcome),
    method=st.sampled_from(["POST", "PATCH", "FOO"]),
    fresh=st.booleans(),
    replayable=st.booleans(),
)
def test_a_post_that_may_have_arrived_is_never_sent_twice(
    outcome: Outcome, method: str, fresh: bool, replayable: bool
) -> None:
    """A method that is not idempotent is repeated only if nothing was sent."""
    verdict = decide(outcome, method=method, replayable=replayable, fresh=fresh)

    assert verdict is Verdict.STOP or outcome.traits.nothing_sent


@given(outcome=st.sampled_from(Outcome), method=st.sampled_from(sorted(IDEMPOTENT)), fresh=st.booleans())
def test_a_body_that_is_gone_is_never_repeated(outcome: Outcome, method: str, fresh: bool) -> None:
    """What cannot be replayed whole is not replayed at all."""
    assert decide(outcome, method=method, replayable=False, fresh=fresh) is Verdict.STOP
