"""One attempt at a target: whose fault its end is, and what the target gets."""

import httpx
import pytest

from authproxy.attempt import failure_of
from authproxy.upstream.errors import DeadlineExceeded
from resilience.outcomes import Outcome
from tests.support.forwarding import Run


@pytest.mark.parametrize(
    ("outcome", "failed"),
    [
        (Outcome.OK, False),
        (Outcome.UPSTREAM_ERROR, True),
        (Outcome.READ_TIMEOUT, True),
        (Outcome.CONNECT_REFUSED, True),
        (Outcome.BODY_BROKEN, True),
        (Outcome.CLIENT_GONE, None),
        (Outcome.CLIENT_BODY, None),
        (Outcome.POOL_TIMEOUT, None),
        (Outcome.STALE, None),
        (Outcome.NO_TARGET, None),
        (Outcome.NO_TIME, None),
        (Outcome.CIRCUIT_OPEN, None),
    ],
)
def test_whose_fault_it_was(outcome: Outcome, failed: bool | None) -> None:
    """Breakers and ejection count what the service did wrong, and nothing else."""
    assert failure_of(outcome) is failed


async def test_a_target_holds_a_place_until_its_attempt_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """The failed one as well as the one whose answer was relayed."""
    run = Run(monkeypatch, httpx.ConnectError("no"))
    assert (await run()).status == 200
    assert [target.in_flight for target in run.state.targets.values()] == [0, 0, 0]


async def test_time_that_is_left_and_repetitions_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client's own word on repetitions is not passed on, and its patience shortens the time."""
    run = Run(monkeypatch, httpx.ConnectError("no"))
    await run("GET", (b"x-request-timeout-ms", b"5000"), (b"x-retry-count", b"7"))
    first, second = (dict(request.headers.raw) for request in run.transport.requests)

    assert 4000 <= int(first[b"x-request-timeout-ms"]) <= 5000
    assert int(second[b"x-request-timeout-ms"]) <= int(first[b"x-request-timeout-ms"])
    assert b"x-retry-count" not in first
    assert second[b"x-retry-count"] == b"1"


@pytest.mark.parametrize("claimed", [b"", b"soon", b"0", b"-5", b"999999999"])
async def test_a_client_cannot_lengthen_the_time(monkeypatch: pytest.MonkeyPatch, claimed: bytes) -> None:
    """Nor end it by nonsense."""
    run = Run(monkeypatch, timeout="2s")
    await run("GET", (b"x-request-timeout-ms", claimed))
    assert 1000 < int(dict(run.transport.requests[0].headers.raw)[b"x-request-timeout-ms"]) <= 2000


@pytest.mark.parametrize(
    ("claimed", "outcome"),
    [(b"500", Outcome.NO_TIME), (b"9000", Outcome.TOTAL_TIMEOUT), (b"", Outcome.TOTAL_TIMEOUT)],
)
async def test_a_client_in_a_hurry_makes_no_service_late(
    claimed: bytes, outcome: Outcome, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the gateway's own time says that a service is too slow."""
    run = Run(monkeypatch, DeadlineExceeded("late"), timeout="2s")
    await run("GET", (b"x-request-timeout-ms", claimed))
    assert (run.send.status, run.finished[0].outcome) == (504, outcome)
