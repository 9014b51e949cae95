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
        (Outcome.NO_TIME, 504),
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


@pytest.mark.parametrize(
    ("methods", "reason", "challenges"),
    [
        (("jwt",), "missing", [b'Bearer realm="shop"']),
        (("jwt",), "invalid", [b'Bearer realm="shop", error="invalid_token"']),
        (("session", "api_key"), "invalid", [b'ApiKey realm="shop"']),
        (("session",), "missing", [b'Cookie realm="shop"']),
    ],
)
def test_challenges_name_what_the_route_takes(
    methods: tuple[str, ...], reason: problems.Reason, challenges: list[bytes]
) -> None:
    """A 401 always has WWW-Authenticate (RFC 9110 section 15.5.2); a missing token is no error (RFC 6750)."""
    refusal = problems.unauthenticated(reason, methods=methods, realm="shop")

    assert refusal.status == 401
    assert [value for name, value in refusal.headers if name == b"www-authenticate"] == challenges


@pytest.mark.parametrize(("reason", "status"), [("unavailable", 503), ("cross_site", 403)])
def test_not_every_failure_is_the_credentials_own(reason: problems.Reason, status: int) -> None:
    """The store's outage is a 503 that says when to come again; another site's request is a 403."""
    refusal = problems.unauthenticated(reason, methods=("jwt",), realm="shop")

    assert refusal.status == status
    assert (b"retry-after" in dict(refusal.headers)) == (status == 503)


@pytest.mark.parametrize(("asked_s", "told"), [(0.2, b"1"), (1, b"1"), (1.2, b"2")])
def test_too_many_at_a_time_are_told_when_to_come_back(asked_s: float, told: bytes) -> None:
    """503 OVERLOADED, in whole seconds; what is full is named."""
    refusal = problems.overloaded(route="r", retry_after_s=asked_s)

    assert (refusal.status, refusal.code) == (503, Code.OVERLOADED)
    assert refusal.headers == ((b"retry-after", told),)
    assert refusal.details == {"route": "r", "reason": "max_concurrency", "retry_after": int(told)}


@pytest.mark.parametrize(
    ("status", "code", "names"),
    [
        (503, Code.SERVICE_UNAVAILABLE, [b"retry-after"]),
        (429, Code.RATE_LIMIT, [b"retry-after"]),
        (401, Code.AUTH_ERROR, [b"www-authenticate"]),
        (405, Code.METHOD_NOT_ALLOWED, [b"allow"]),
        (400, Code.INVALID_REQUEST, []),
        (500, Code.INTERNAL_ERROR, []),
        (502, Code.BAD_GATEWAY, []),
        (504, Code.UPSTREAM_TIMEOUT, []),
        (418, Code.INVALID_REQUEST, []),
        (599, Code.SERVICE_UNAVAILABLE, []),
    ],
)
def test_injected_fault_looks_like_the_failure_it_stands_for(
    status: int, code: Code, names: list[bytes]
) -> None:
    """Any status; with the fields that go with it, and a reason that tells it from the real thing."""
    refusal = problems.injected(status)

    assert (refusal.status, refusal.code) == (status, code)
    assert [name for name, _ in refusal.headers] == names
    assert refusal.details == {"reason": "fault"}
