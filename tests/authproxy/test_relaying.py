"""The way back to the client."""

import pytest

from resilience.outcomes import Outcome
from tests.support.forwarding import Run


@pytest.mark.parametrize(
    ("status", "outcome"), [(200, Outcome.OK), (404, Outcome.OK), (500, Outcome.UPSTREAM_ERROR)]
)
async def test_an_answer_passes_as_it_is(
    monkeypatch: pytest.MonkeyPatch, status: int, outcome: Outcome
) -> None:
    """A server error is the service's fault, and its own answer all the same."""
    run = Run(monkeypatch, status)
    answer = await run()

    assert (answer.status, answer.body) == (status, b"answer")
    assert run.finished[0].outcome is outcome


async def test_what_the_gateway_tells_takes_the_place_of_the_upstream_s(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An upstream's own limits are not this gateway's."""
    quotas = [{"name": "q", "limit": 5, "per": "1m"}]
    run = Run(monkeypatch, more={"quotas": quotas}, quotas=["q"])
    run.transport.fields = [(b"x-ratelimit-limit", b"99"), (b"x-other", b"1")]
    answer = await run()
    told = [value for name, value in answer.headers if name == b"x-ratelimit-limit"]

    assert told == [b"5"]
    assert (b"x-other", b"1") in answer.headers
