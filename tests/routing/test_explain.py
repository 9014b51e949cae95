import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authproxy import pipeline, problems
from routing.compiler import CompileOptions, compile_snapshot
from routing.explain import ENCODED_SLASH, NO_TARGET, NOT_FOUND, Request, explain, request_to
from routing.explanation import Explanation
from routing.matching import index_of
from routing.snapshot import CompiledRoute, Snapshot
from tests.support.reference_matcher import Wanted, reference_match
from tests.support.route_sets import ROUTES, WANTED

DOCUMENT: dict[str, Any] = {
    "defaults": {"auth": {"level": "public"}, "timeout": "9s"},
    "services": [
        {"name": "orders", "targets": [{"url": "http://one:81/base"}, {"url": "http://two"}]},
        {"name": "empty"},
    ],
    "routes": [
        {
            "name": "orders",
            "service": "orders",
            "match": {"path": "/orders"},
            "rewrite": {"strip_prefix": True},
        },
        {
            "name": "order",
            "service": "orders",
            "match": {"path": "/orders/{id}", "path_type": "template", "methods": ["GET"]},
            "limits": {"max_body": 10},
        },
        {"name": "beta", "service": "orders", "match": {"path": "/orders", "headers": {"x-mode": "beta"}}},
        {"name": "other", "service": "orders", "match": {"path": "/orders", "hosts": ["other.example.com"]}},
        {"name": "off", "service": "orders", "match": {"path": "/orders"}, "enabled": False, "priority": 1},
        {"name": "moved", "redirect": {"path": {"prefix": "/orders"}}, "match": {"path": "/old"}},
        {"name": "posts", "service": "orders", "match": {"path": "/posts", "methods": ["POST", "PUT"]}},
        {"name": "none", "service": "empty", "match": {"path": "/none"}},
        {"name": "slashes", "service": "orders", "match": {"path": "/s"}, "allow_encoded_slashes": True},
        {"name": "ops", "service": "orders", "match": {"path": "/health/x"}},
    ],
}


def snapshot_of(document: dict[str, Any]) -> Snapshot:
    return compile_snapshot(document, revision=4, options=CompileOptions())


SNAPSHOT = snapshot_of(DOCUMENT)


def explained(method: str, url: str, *headers: tuple[str, str], **options: Any) -> Explanation:
    return explain(SNAPSHOT, request_to(method, url, headers), **options)


def reasons(explanation: Explanation) -> dict[str, str]:
    return {item.route: item.because for item in explanation.passed_over}


def test_the_winner_says_why() -> None:
    """Each condition that holds is listed, and why the route comes before the next one that fits."""
    explanation = explained("GET", "http://shop.example.com/orders/7")
    assert explanation.matched is not None
    assert (explanation.matched.route, explanation.matched.service) == ("order", "orders")
    assert explanation.matched.why == (
        "any host",
        "path /orders/7 fits the template /orders/{id}",
        "method GET is one of GET",
        "it comes before orders: its path is more specific, read from the left",
    )
    assert explanation.refusal is None


def test_the_losers_say_the_first_condition_that_failed() -> None:
    """Or what won over them, when they would have taken the request."""
    because = reasons(explained("GET", "http://shop.example.com/orders/7"))
    assert (
        because["orders"]
        == "a more specific route won: order (its path is more specific, read from the left)"
    )
    assert because["off"] == "the route is disabled"
    assert because["beta"] == "wanted: header x-mode is 'beta'; the header is missing"
    assert because["other"] == "host shop.example.com is not other.example.com"
    assert because["posts"] == "path /orders/7 is neither /posts nor below it"
    assert "order" not in because
    assert list(because)[:2] == ["off", "orders"]


def test_the_upstream_request() -> None:
    """It is what the chosen target would get, with base path, rewrite and query."""
    explanation = explained("GET", "http://shop.example.com/orders?a=%20b")
    assert explanation.upstream_request == {
        "method": "GET",
        "url": "http://one:81/base?a=%20b",
        "host": "one:81",
        "headers": {"remove": [], "set": {}, "add": {}},
    }
    assert explanation.targets == (
        {"url": "http://one:81/base", "chosen": True},
        {"url": "http://two", "chosen": False},
    )
    second = explained("GET", "/orders", pick=lambda service: 1)
    assert second.upstream_request is not None
    assert second.upstream_request["url"] == "http://two/"


def test_policies_name_their_source() -> None:
    """Each policy says whether the route, the defaults or the gateway brought it."""
    notes = {note.name: (note.source, note.outcome) for note in explained("GET", "/orders/7").policies}
    assert notes == {
        "auth": ("defaults", "pass"),
        "limits": ("route", "pass"),
        "timeout": ("defaults", "applies"),
    }


@pytest.mark.parametrize(
    ("method", "url", "headers", "status", "code"),
    [
        ("GET", "/nothing", [], 404, "NOT_FOUND"),
        ("GET", "/posts", [], 405, "METHOD_NOT_ALLOWED"),
        ("GET", "/a%00", [], 400, "INVALID_REQUEST"),
        ("GET", "/orders/a%2Fb", [], 400, "INVALID_REQUEST"),
        ("GET", "/nothing/a%2Fb", [], 400, "INVALID_REQUEST"),
        ("GET", "/health/a%2Fb", [], 400, "INVALID_REQUEST"),
        ("GET", "/orders/7", [("Content-Length", "11")], 413, "PAYLOAD_TOO_LARGE"),
        ("GET", "/none", [], 503, "SERVICE_UNAVAILABLE"),
    ],
)
def test_refusals(method: str, url: str, headers: list[tuple[str, str]], status: int, code: str) -> None:
    """A request that the gateway would refuse has the refusal and no upstream request."""
    explanation = explained(method, url, *headers)
    assert explanation.refusal is not None
    assert (explanation.refusal.status, explanation.refusal.code) == (status, code)
    assert explanation.upstream_request is None


def test_refusals_have_the_words_of_the_data_plane() -> None:
    """An explanation quotes the answer that a client would get."""
    assert problems.not_found().message == NOT_FOUND.message
    assert pipeline._ENCODED_SLASH.message == ENCODED_SLASH.message
    assert problems.payload_too_large(10).message in {
        refusal.message
        for refusal in [explained("GET", "/orders/7", ("content-length", "11")).refusal]
        if refusal
    }
    missed = explained("GET", "/posts").refusal
    assert missed is not None
    assert missed.allow == ("POST", "PUT")
    assert problems.method_not_allowed(missed.allow).message == missed.message
    assert NO_TARGET.message == "The service has no target to send to."


def test_encoded_slashes_pass_where_they_may() -> None:
    """The policy is shown only for a path that has them."""
    explanation = explained("GET", "/s/a%2Fb")
    assert explanation.refusal is None
    assert explanation.policies[0].name == "allow_encoded_slashes"
    assert explanation.upstream_request is not None
    assert explanation.upstream_request["url"] == "http://one:81/base/s/a%2Fb"


def test_endpoints_of_the_gateway() -> None:
    """They are named, and a route behind them learns why it does not get the request."""
    explanation = explained("GET", "/health/x")
    assert explanation.matched is not None
    assert (explanation.matched.route, explanation.matched.builtin) == (None, "health")
    assert explanation.matched.why == ("path /health/x belongs to the gateway (/health)",)
    assert reasons(explanation)["ops"] == "the path belongs to the gateway (/health)"
    auth = explained("POST", "/api/auth/login").matched
    assert auth is not None
    assert auth.why[-1] == "no route takes it over"


def test_answers_without_an_upstream() -> None:
    """A redirect shows where it leads."""
    explanation = explained("GET", "https://h/old/1?x=2")
    assert explanation.answer == {"status": 301, "location": "/orders/1?x=2"}
    assert (explanation.upstream_request, explanation.targets) == (None, ())


def test_only_the_nearest_are_listed() -> None:
    """Among very many routes the nearest are named and the rest counted."""
    routes = [{"name": f"r{n}", "respond": {}, "match": {"path": f"/x/r{n}"}} for n in range(300)]
    near = {"name": "near", "respond": {}, "match": {"path": "/y", "methods": ["PUT"]}}
    snapshot = snapshot_of({"defaults": {"auth": {"level": "public"}}, "routes": [*routes, near]})
    explanation = explain(snapshot, request_to("GET", "/y"))
    assert explanation.passed_over[0].route == "near"
    assert explanation.passed_over[0].because == "method GET is not PUT"
    assert len(explanation.passed_over) == 50
    assert explanation.more_passed_over == 251


def test_json() -> None:
    """The keys of the contract are always there, and everything can be written."""
    written = json.loads(json.dumps(explained("GET", "/orders/7").to_json()))
    assert written["revision"] == 4
    assert written["matched"]["route"] == "order"
    assert {"passed_over", "policies", "upstream_request", "targets"} <= written.keys()
    assert written["targets"][0]["chosen"] is True


@pytest.mark.parametrize(
    ("url", "headers", "request_read"),
    [
        ("/a?b=1#c", [], Request("GET", b"", b"/a", b"b=1", (), "http")),
        ("https://u:p@h:1/a%20b?", [], Request("GET", b"h:1", b"/a%20b", b"", (), "https")),
        ("HTTP://h", [], Request("GET", b"h", b"/", b"", (), "http")),
        ("http://h?x", [("Host", "v")], Request("GET", b"v", b"/", b"x", ((b"host", b"v"),), "http")),
        ("", [], Request("GET", b"", b"/", b"", (), "http")),
        ("//h/a", [], Request("GET", b"", b"//h/a", b"", (), "http")),
    ],
)
def test_requests_as_people_write_them(
    url: str, headers: list[tuple[str, str]], request_read: Request
) -> None:
    """A path or a whole URL, taken apart without changing it."""
    assert request_to("get", url, headers) == request_read


@given(ROUTES, WANTED)
def test_explaining_agrees_with_matching(routes: list[CompiledRoute], wanted: Wanted) -> None:
    """Whatever matches is explained as matched; every other route has a reason."""
    snapshot = Snapshot(1, "", {}, {route.name: route for route in routes}, index_of(routes))
    path = "".join(f"%{byte:02X}" if byte > 127 else chr(byte) for byte in wanted.path.encode())
    request = Request(wanted.method, wanted.host, path.encode(), wanted.query, wanted.headers)
    explanation = explain(snapshot, request)
    expected = reference_match(routes, wanted)
    assert (explanation.matched.route if explanation.matched else None) == getattr(expected, "name", None)
    assert len(explanation.passed_over) == len(routes) - (explanation.matched is not None)
    assert all(item.because for item in explanation.passed_over)


@given(
    st.text(st.characters(exclude_categories=()), max_size=30),
    st.lists(st.tuples(st.text(max_size=5), st.text(max_size=5)), max_size=2),
)
def test_nothing_that_is_asked_breaks_it(url: str, headers: list[tuple[str, str]]) -> None:
    """Any text is explained, if only as a refusal."""
    explanation = explain(SNAPSHOT, request_to("GET", url, headers))
    assert explanation.matched is not None or explanation.refusal is not None
    json.dumps(explanation.to_json())
