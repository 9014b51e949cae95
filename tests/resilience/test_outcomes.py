"""Outcomes: every one has traits, and blame is consistent with them."""

import pytest

from resilience.outcomes import Outcome, Phase, Side


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_has_traits(outcome: Outcome) -> None:
    """No outcome is without a side, a phase and a word on whether anything was sent."""
    side, phase, nothing_sent = outcome.traits

    assert isinstance(side, Side)
    assert isinstance(phase, Phase)
    assert isinstance(nothing_sent, bool)


@pytest.mark.parametrize("outcome", [Outcome.CLIENT_GONE, Outcome.CLIENT_BODY])
def test_a_client_is_never_the_upstreams_fault(outcome: Outcome) -> None:
    """A client that leaves or breaks its body off counts against nobody else."""
    assert outcome.traits.side is Side.CLIENT


@pytest.mark.parametrize("outcome", Outcome)
def test_nothing_sent_only_while_connecting(outcome: Outcome) -> None:
    """Only an attempt that never got past connecting can be certain that nothing was sent."""
    traits = outcome.traits

    assert traits.nothing_sent == (traits.phase is Phase.CONNECT)


def test_upstream_faults_are_the_ones_a_breaker_should_count() -> None:
    """Timeouts, refusals, garbage and 5xx count; a keep-alive race and a full pool do not."""
    counted = {outcome for outcome in Outcome if outcome.traits.side is Side.UPSTREAM}

    assert {
        Outcome.UPSTREAM_ERROR,
        Outcome.CONNECT_REFUSED,
        Outcome.READ_TIMEOUT,
        Outcome.PROTOCOL_ERROR,
    } <= counted
    assert not counted & {Outcome.OK, Outcome.STALE, Outcome.POOL_TIMEOUT, Outcome.GATEWAY_BUG}
