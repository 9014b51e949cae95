import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authproxy import limiting, pipeline, problems
from authproxy.shaping import addresses, cors
from resilience.policies import QuotaPolicy
from resilience.stores.base import Decision
from routing.compiler import CompileOptions, compile_snapshot
from routing.explain import (
    ADDRESS_REFUSED,
    CIRCUIT_OPEN,
    ENCODED_SLASH,
    NO_TARGET,
    NOT_FOUND,
    UNREAD,
    NoRequest,
    Request,
    explain,
    request_to,
)
from routing.explainpreflights import STRANGER
from routing.explanation import Explanation, Refusal
from routing.knowledge import Knowledge, Left
from routing.matching import index_of
from routing.snapshot import CompiledRoute, Snapshot
from routing.standing import Admission
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
        {"name": "closed", "service": "orders", "match": {"path": "/closed"}, "auth": {"methods": ["jwt"]}},
        {"name": "tried", "service": "orders", "match": {"path": "/tried"}, "auth": {"mode": "log"}},
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
    plain = {"weight": 1, "zone": None, "backup": False, "drain": False, "origin": "configuration"}
    assert explanation.targets == (
        {"url": "http://one:81/base", "chosen": True, **plain},
        {"url": "http://two", "chosen": False, **plain},
    )


def test_how_targets_are_decides_which_is_chosen() -> None:
    """As the balancer would: not one that is unhealthy, left out, or draining; none at all is a refusal."""
    url = {"one": "http://one:81/base", "two": "http://two"}
    for standings, chosen in (
        ({"one": "unhealthy"}, "http://two"),
        ({"one": "ejected", "two": "healthy"}, "http://two"),
        ({"one": "ejected", "two": "unhealthy"}, "http://one:81/base"),
        ({"one": "unchecked"}, "http://one:81/base"),
    ):
        seen: Any = {url[name]: standing for name, standing in standings.items()}
        found = explained("GET", "/orders", known=Knowledge(lambda _: None, lambda _, seen=seen: seen))
        assert [each["url"] for each in found.targets if each["chosen"]] == [chosen]
        assert {each["url"]: each["state"] for each in found.targets if "state" in each} == seen
    ill: Any = dict.fromkeys(url.values(), "unhealthy")
    refused = explained("GET", "/orders", known=Knowledge(lambda _: None, lambda _: ill))
    assert (refused.refusal, refused.upstream_request) == (NO_TARGET, None)
    draining = {
        "services": [{"name": "s", "targets": [{"url": "http://a", "drain": True}, {"url": "http://b"}]}]
    }
    route = {"name": "r", "service": "s", "auth": {"level": "public"}}
    found = explain(snapshot_of({**draining, "routes": [route]}), request_to("GET", "/"))
    assert [(each["chosen"], each.get("state")) for each in found.targets] == [
        (False, "draining"),
        (True, None),
    ]


def test_an_open_breaker_refuses() -> None:
    """Before the body is looked at, after the caller was."""
    document = {
        "services": [{"name": "s", "targets": [{"url": "http://a"}], "breaker": {}}],
        "routes": [
            {"name": "r", "service": "s", "auth": {"level": "public"}, "limits": {"max_body": 1}},
            {"name": "c", "service": "s", "match": {"path": "/c"}},
        ],
    }
    known = Knowledge(lambda _: {"state": "open"}, lambda _: {})
    for url, refusal in (
        ("/", CIRCUIT_OPEN),
        ("/c", problems.unauthenticated("missing", methods=[], realm="x")),
    ):
        found = explain(
            snapshot_of(document), request_to("POST", url, [("content-length", "9")]), known=known
        )
        assert found.refusal is not None
        assert found.refusal.message == refusal.message
    assert problems.circuit_open("s", retry_after_s=1.0).message == CIRCUIT_OPEN.message


def test_a_quota_that_is_used_up_refuses() -> None:
    """Before the breaker is looked at, after the caller was; of several the one that takes longest to come back."""
    quotas = [{"name": name, "limit": 1, "per": "1m"} for name in ("a", "b", "c")]
    document = {
        "services": [{"name": "s", "targets": [{"url": "http://a"}], "breaker": {}}],
        "quotas": quotas,
        "routes": [
            {"name": "r", "service": "s", "auth": {"level": "public"}, "quotas": ["a", "b", "c"]},
            {"name": "closed", "service": "s", "match": {"path": "/closed"}, "quotas": ["a", "b", "c"]},
        ],
    }
    left = Left(False, 0, 60.0, 20.0), Left(False, 0, 60.0, 30.0), Left(True, 1, 0.0, 0.0)
    known = Knowledge(lambda _: {"state": "open"}, lambda _: {}, quotas=lambda _, request: left)
    refused = explain(snapshot_of(document), request_to("GET", "/"), known=known)
    policy = QuotaPolicy("b", 1, 60.0)
    told = limiting._refusal(Decision(policy, False, 0, 60.0, 30.0))
    assert refused.refusal == Refusal(told.status, told.code.value, told.message)
    assert refused.upstream_request is None
    closed = explain(snapshot_of(document), request_to("GET", "/closed"), known=known)
    assert closed.refusal is not None
    assert closed.refusal.code == "AUTH_ERROR"


def test_credentials_are_not_looked_at() -> None:
    """Which is said where nobody said whose request it is; what admission says itself comes first."""
    key = ("X-API-Key", "hunter2")
    assert explained("GET", "/orders", key).policies[0].details["remark"] == UNREAD
    assert "remark" not in explained("GET", "/orders").policies[0].details
    named = explained("GET", "/orders", key, judge=lambda *_: Admission(caller={"consumer": "ada"}))
    assert "remark" not in named.policies[0].details
    off = explained("GET", "/orders", key, judge=lambda *_: Admission(remark="off"))
    assert off.policies[0].details["remark"] == "off"
    assert "hunter2" not in json.dumps(explained("GET", "/orders", key).to_json())


def test_policies_name_their_source() -> None:
    """Each policy says whether the route, the defaults or the gateway brought it."""
    notes = {note.name: (note.source, note.outcome) for note in explained("GET", "/orders/7").policies}
    assert notes == {
        "auth": ("defaults", "pass"),
        "limits": ("route", "pass"),
        "load_balancing": ("built-in", "applies"),
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
        ("GET", "/closed", [], 401, "AUTH_ERROR"),
        ("GET", "/closed/a%2Fb", [], 400, "INVALID_REQUEST"),
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
    closed = explained("GET", "/closed")
    assert closed.refusal is not None
    expected = problems.unauthenticated("missing", methods=["jwt"], realm="torana")
    assert (expected.message, expected.status) == (closed.refusal.message, closed.refusal.status)
    assert closed.policies[0].details["refused_for"] == expected.details


def test_refusals_of_origins_and_addresses_have_them_too() -> None:
    """Whoever reads both takes them for the same."""
    for said, known in ((cors.STRANGER, STRANGER), (addresses.REFUSAL, ADDRESS_REFUSED)):
        assert (said.status, said.code.value, said.message) == (known.status, known.code, known.message)


@pytest.mark.parametrize(
    ("address", "refused"),
    [("192.0.2.1", True), ("10.0.0.1", False), ("::ffff:10.0.0.1", False), ("", False)],
)
def test_an_address_is_refused_before_anybody_asks_who_calls(address: str, refused: bool) -> None:
    """One that nobody named is not judged."""
    route = {"name": "r", "respond": {"status": 200}, "ip": {"allow": ["10.0.0.0/8"]}}
    snapshot = snapshot_of({"version": 1, "routes": [route]})
    found = explain(snapshot, request_to("GET", "/x", address=address))

    assert (found.refusal == ADDRESS_REFUSED) is refused
    [note] = [note for note in found.policies if note.name == "ip"]
    assert note.outcome == ("refuse" if refused else "pass")


def test_whoever_calls_is_judged() -> None:
    """A refusal ends it where the policy is in force; where it is tried out, the request goes on."""

    def forbid(route: CompiledRoute, snapshot: Snapshot) -> Admission:
        assert snapshot is SNAPSHOT
        return Admission(Refusal(403, "FORBIDDEN", route.name), {"level": "admin"}, {"consumer": "anna"})

    refused = explained("GET", "/closed", judge=forbid)
    assert refused.refusal == Refusal(403, "FORBIDDEN", "closed")
    assert (refused.policies[0].outcome, refused.upstream_request) == ("refuse", None)
    tried = explained("GET", "/tried", judge=forbid)
    assert (tried.refusal, tried.policies[0].outcome) == (None, "pass")
    assert tried.upstream_request is not None
    assert explained("GET", "/closed", judge=lambda *_: Admission()).refusal is None


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
    """Any text is explained, if only as a refusal, unless no client could send it."""
    with suppress(NoRequest):
        explanation = explain(SNAPSHOT, request_to("GET", url, headers))
        assert explanation.matched is not None or explanation.refusal is not None
        json.dumps(explanation.to_json())
