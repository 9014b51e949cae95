"""Refusals and outcomes as the error envelope."""

import orjson
import pytest

from authproxy import problems
from authproxy.rejections import Code, Rejection
from resilience.outcomes import Outcome


def test_envelope_has_the_contracts_shape() -> None:
    """error.code, error.message, error.details, request_id and timestamp; nothing else."""
    rejection = Rejection(Code.RATE_LIMIT, "Too fast.", details={"quota": "default"})

    written = problems.envelope(rejection, request_id="abc", timestamp="2026-01-01T12:00:00Z")

    assert orjson.loads(written) == {
        "error": {"code": "RATE_LIMIT", "message": "Too fast.", "details": {"quota": "default"}},
        "request_id": "abc",
        "timestamp": "2026-01-01T12:00:00Z",
    }


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (Outcome.CONNECT_REFUSED, 502),
        (Outcome.DNS_ERROR, 502),
        (Outcome.TLS_ERROR, 502),
        (Outcome.RESET, 502),
        (Outcome.PROTOCOL_ERROR, 502),
        (Outcome.STALE, 502),
        (Outcome.CONNECT_TIMEOUT, 504),
        (Outcome.READ_TIMEOUT, 504),
        (Outcome.TOTAL_TIMEOUT, 504),
        (Outcome.WRITE_TIMEOUT, 504),
        (Outcome.NO_TARGET, 503),
        (Outcome.POOL_TIMEOUT, 503),
        (Outcome.CLIENT_BODY, 400),
        (Outcome.GATEWAY_BUG, 500),
    ],
)
def test_each_outcome_answers_with_its_status(outcome: Outcome, status: int) -> None:
    """A timeout is 504, a bad answer 502, no target or no connection to spare 503."""
    rejection = problems.from_outcome(outcome, service="orders")

    assert rejection.status == status
    assert rejection.details == {"service": "orders", "reason": outcome.value}


def test_unavailable_says_when_to_come_back() -> None:
    """503 carries Retry-After (CONTRACT section 6)."""
    assert (b"retry-after", b"1") in problems.from_outcome(Outcome.NO_TARGET, service="s").headers
    assert problems.from_outcome(Outcome.RESET, service="s").headers == ()


def test_method_not_allowed_lists_what_is() -> None:
    """405 has Allow (RFC 9110 section 15.5.6)."""
    rejection = problems.method_not_allowed(("GET", "POST"))

    assert rejection.headers == ((b"allow", b"GET, POST"),)
    assert rejection.status == 405


def test_too_large_closes_the_connection() -> None:
    """The rest of an unwanted body is not read."""
    rejection = problems.payload_too_large(10)

    assert rejection.close
    assert rejection.details == {"max_body": 10}
    assert problems.not_found().status == 404
