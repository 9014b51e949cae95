"""Why a request was answered as it was, in words."""

from typing import Any

import pytest

from observability.requests.why import why
from tests.support.kept import refused


def told(fields: dict[str, Any], **more: Any) -> list[str]:
    given = {"service": "shop", "target": "", "consumer": "ada", "client": "203.0.113.7", "breaker": ""}
    return why(status=fields["status"], facts=fields["facts"], **{**given, **more})


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (refused("AUTH_ERROR", 401, reason="expired", methods=["jwt"]), "Its credentials had expired (jwt)."),
        (refused("FORBIDDEN", 403, missing_scopes=["a", "b"]), "The caller ada lacks the scopes a, b."),
        (
            refused("FORBIDDEN", 403, roles=["boss"], level="admin"),
            "The caller ada has none of the roles boss, and is not staff.",
        ),
        (
            refused("FORBIDDEN", 403, "This is not served to your address."),
            "The caller ada: This is not served to your address.",
        ),
        (
            refused("RATE_LIMIT", 429, quota="daily", limit=10, window_s=60.0, retry_after=7),
            "The caller ada has used up the quota daily: 10 requests in 60 seconds. "
            "There was room again after 7 seconds.",
        ),
        (
            refused("CIRCUIT_OPEN", 503, service="shop", retry_after=1),
            "The breaker of the service shop was open: it had failed too often, and was left alone for 1 second more.",
        ),
        (
            refused("OVERLOADED", 503, route="r", reason="max_concurrency"),
            "As many requests as the route r may have at a time were on their way.",
        ),
        (
            refused("BAD_GATEWAY", 502, service="shop", reason="connect_refused"),
            "The service shop gave no answer: it took no connection.",
        ),
        (
            refused("SERVICE_UNAVAILABLE", 503, service="shop", reason="no_target"),
            "The service shop had no target to send to: none was healthy, or there is none.",
        ),
        (
            refused("PAYLOAD_TOO_LARGE", 413, max_body=5),
            "Its body is larger than the route's limit of 5 bytes.",
        ),
        (refused("NOT_FOUND", 404, "No route matches this request."), "No route matches this request."),
        (refused("METHOD_NOT_ALLOWED", 405, "Allowed: GET.", allow=["GET"]), "Allowed: GET. (allow: GET)"),
    ],
)
def test_refusals(fields: dict[str, Any], sentence: str) -> None:
    """Which quota, which scope, which breaker."""
    assert told(fields) == [sentence]


def test_since_when_a_breaker_was_open() -> None:
    """Where it is known."""
    said = told(refused("CIRCUIT_OPEN", 503, service="shop"), breaker="It had opened at noon.")
    assert said[1] == "It had opened at noon."


def test_answers_of_services_are_told_apart() -> None:
    """From those of the gateway; clients that left from both."""
    assert told({"status": 500, "facts": {}}, target="http://a") == [
        "The gateway let it pass; the service shop at http://a answered 500."
    ]
    assert told({"status": 499, "facts": {}}) == ["The client left before the answer was there."]
    assert told({"status": 0, "facts": {}}) == ["The gateway was stopped before there was an answer."]
    assert told({"status": 200, "facts": {}}, service="") == ["It was answered with 200 by the route itself."]


def test_attempts_and_what_would_have_been() -> None:
    """Each in its own sentence."""
    forbidden = refused("FORBIDDEN", 403, missing_scopes=["a"])["facts"]["refusal"]
    facts = {"failures": [["http://a", "reset"]], "would": [{"policy": "auth", **forbidden}]}

    assert told({"status": 200, "facts": facts}, consumer="")[1:] == [
        "An attempt at http://a failed: it closed the connection without an answer.",
        "If auth were enforced, it would be refused with 403: "
        "A caller without credentials from 203.0.113.7 lacks the scope a.",
    ]
