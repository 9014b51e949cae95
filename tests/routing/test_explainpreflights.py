"""What becomes of a CORS preflight, for explain."""

from routing.explain import explain, request_to
from routing.explanation import Explanation
from tests.support.gateway import document, route
from tests.support.snapshots import snapshot_of

CORS = {"origins": ["https://app.test"], "methods": ["PUT"], "headers": ["x-a"]}
RAW = document(
    route("closed", path="/x", service="s", cors=CORS, match={"methods": ["PUT"]})
    | {"auth": {"level": "admin"}},
    services={"s": "http://127.0.0.1:1"},
)


def explained(origin: str, method: str = "PUT") -> Explanation:
    fields = [("Origin", origin), ("Access-Control-Request-Method", method)]
    return explain(snapshot_of(RAW), request_to("OPTIONS", "/x", fields))


def test_it_is_answered_before_anybody_asks_who_calls() -> None:
    """By the route that takes the method to come."""
    found = explained("https://app.test")

    assert found.matched is not None
    assert found.matched.route == "closed"
    assert found.refusal is None
    assert found.answer is not None
    assert found.answer["status"] == 204
    assert found.answer["headers"]["access-control-allow-methods"] == "PUT"
    assert [note.name for note in found.policies] == ["cors"]
    assert found.upstream_request is None


def test_other_origins_are_refused() -> None:
    """With the reason."""
    found = explained("https://other.test")

    assert found.refusal is not None
    assert (found.refusal.status, found.refusal.code) == (403, "FORBIDDEN")
    assert found.answer is None


def test_a_method_that_nobody_takes_is_no_preflight_of_a_route() -> None:
    """It is what OPTIONS itself is there."""
    found = explained("https://app.test", "DELETE")

    assert found.refusal is not None
    assert found.refusal.status == 405
