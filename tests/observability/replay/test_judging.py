"""What would not be the same of a request: of each kind one, and what holds for all."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from observability.replay.judging import Judging
from observability.replay.sides import pair_of
from routing.explain import explain
from tests.support.configuration import Document, documents, route, service, small
from tests.support.kept import AT
from tests.support.replays import LIVE, by, judged, pair, recorded
from tests.support.snapshots import snapshot_of

USERS = {"level": "user"}
OLDER = LIVE - 1
FAULT = {"abort": 503, "percent": 5, "until": "2090-01-01T00:00:00Z"}


def with_routes(*routes: dict[str, Any], **more: Any) -> Document:
    return {**small(), "services": [service(), service("users", 8002)], "routes": list(routes), **more}


def test_another_route_and_service() -> None:
    """From where to where is said."""
    after = with_routes(route(), route("fresh", "/orders/7", "users"))
    found = judged(with_routes(route()), after, recorded())
    assert (found.kind, str(found.before), str(found.after)) == (
        "elsewhere",
        "orders → orders",
        "fresh → users",
    )
    assert found.because == "by route fresh instead of orders; to users instead of orders"


def test_nothing_takes_it_any_more() -> None:
    """404, and why: its route is gone, or disabled."""
    found = judged(with_routes(route()), with_routes(), recorded())
    assert (found.kind, str(found.after)) == ("refused", "404 NOT_FOUND")
    assert found.because == "No route matches this request. Route orders is gone."
    off = judged(with_routes(route()), with_routes(route(enabled=False)), recorded())
    assert off.because.endswith("Route orders is disabled.")


def test_its_method_is_not_taken_any_more() -> None:
    """405."""
    after = with_routes({**route(), "match": {"path": "/orders", "methods": ["POST"]}})
    assert str(judged(with_routes(route()), after, recorded()).after) == "405 METHOD_NOT_ALLOWED"


@pytest.mark.parametrize(
    ("policy", "request_fields", "code"),
    [
        ({"auth": USERS}, {}, "AUTH_ERROR"),
        ({"auth": {"level": "admin"}}, by(), "FORBIDDEN"),
        ({"auth": {**USERS, "scopes": ["read"]}}, by(scopes=["write"]), "FORBIDDEN"),
        ({"auth": {**USERS, "roles": ["chef"]}}, by(roles=["cook"]), "FORBIDDEN"),
        ({"auth": {**USERS, "methods": ["jwt"]}}, by(how="api_key"), "AUTH_ERROR"),
        ({"ip": {"deny": ["203.0.113.0/24"]}}, {}, "FORBIDDEN"),
        ({"require_headers": {"x-privacy-level": {"one_of": ["strict"]}}}, {}, "INVALID_REQUEST"),
        ({"limits": {"max_body": 5}}, {"headers": (("content-length", "6"),)}, "PAYLOAD_TOO_LARGE"),
    ],
)
def test_a_policy_refuses_it(policy: dict[str, Any], request_fields: dict[str, Any], code: str) -> None:
    """And the other way round lets it in."""
    before, after = with_routes(route()), with_routes(route(**policy))
    found = judged(before, after, recorded(**request_fields))
    assert (found.kind, found.after.code) == ("refused", code)
    back = recorded(**{**request_fields, "status": found.after.status, "code": code, "service": ""})
    assert judged(after, before, back).kind == "admitted"


@pytest.mark.parametrize(
    "policy",
    [
        {"auth": {**USERS, "scopes": ["read"]}},
        {"ip": {"deny": ["10.0.0.0/8"]}},
        {"require_headers": {"authorization": {}}},
        {"auth": {"level": "admin", "mode": "log"}},
    ],
)
def test_a_policy_lets_it_pass(policy: dict[str, Any]) -> None:
    """By the caller's own rights, the address, the fields that it had; or it only logs."""
    found = judged(with_routes(route()), with_routes(route(**policy)), recorded(**by(scopes=["read"])))
    assert found.kind == "same"


def test_faults_are_said_not_to_be_judged() -> None:
    """For how many requests."""
    judging = Judging(pair(with_routes(route()), with_routes(route(fault=FAULT))))
    judging.of(recorded())
    assert dict(judging.unjudged) == {"faults of route orders: whom they refuse depends on other requests": 1}


def test_quotas_count_what_comes_so_far() -> None:
    """Whoever is refused before takes nothing; whoever was refused by a quota does."""
    quotas = [{"limit": 1, "per": "1h", "name": "q", "algorithm": "fixed_window"}]
    closed = route("users", "/users", "users", auth=USERS, quotas=["q"])
    after = with_routes(route(quotas=["q"]), closed, quotas=quotas)
    judging = Judging(pair(with_routes(route(), closed, quotas=quotas), after))
    limited = recorded(status=429, code="RATE_LIMIT", service="")
    stranger = recorded("/users", route="users", service="", status=401, code="AUTH_ERROR")
    for each in (
        recorded(),
        limited,
        stranger,
        recorded("/nowhere", route="", status=404, code="NOT_FOUND"),
    ):
        judging.of(each, AT)
    found = judging.counting.refusals()
    assert (found.counted, found.refused) == (2, 1)
    assert not judging.unjudged


def test_refused_for_another_reason() -> None:
    """404 becomes 401."""
    missed = recorded("/users", route="", service="", status=404, code="NOT_FOUND")
    after = with_routes(route(), route("users", "/users", "users", auth=USERS))
    found = judged(with_routes(route()), after, missed)
    assert (found.kind, str(found.after)) == ("refused_otherwise", "401 AUTH_ERROR by users")


@pytest.mark.parametrize(
    ("policy", "request_fields", "missing"),
    [
        ({"validate": {"body_schema": {"type": "object"}}}, {}, "its body"),
        ({"limits": {"max_body": 5}}, {"method": "POST"}, "the size of its body"),
        ({"ip": {"allow": ["10.0.0.0/8"]}}, {"client": ""}, "its client's address"),
        ({"require_headers": {"x-token": {"one_of": ["a"]}}}, {"headers": (("x-token", "…"),)}, "x-token"),
        ({"require_headers": {"x-forwarded-for": {}}}, {}, "x-forwarded-for"),
        ({"auth": {"level": "user"}}, {"headers": (("cookie", "…"),)}, "its credentials"),
    ],
)
def test_what_is_not_kept_is_said(
    policy: dict[str, Any], request_fields: dict[str, Any], missing: str
) -> None:
    """Nothing is guessed."""
    request = recorded(**{"revision": OLDER, **request_fields})
    found = judged(with_routes(route()), with_routes(route(**policy)), request)
    assert (found.kind, missing in found.because) == ("unknown", True)


def test_what_was_seen_counts_more_than_what_is_worked_out() -> None:
    """A request that was served in spite of what is kept is not judged."""
    before, after = with_routes(route()), with_routes(route(to="users"))
    assert judged(before, after, recorded()).kind == "elsewhere"
    assert judged(before, after, recorded(route="users")).kind == "unknown"
    assert judged(before, after, recorded(status=401, code="AUTH_ERROR")).kind == "unknown"
    assert judged(before, after, recorded(revision=OLDER, route="users")).kind == "elsewhere"


def test_what_its_body_was_refused_for_stays() -> None:
    """As long as the same is asked of it."""
    rules = {"validate": {"body_schema": {"type": "object"}}}
    refused = recorded(method="POST", status=400, code="VALIDATION_ERROR", service="")
    before = with_routes(route(**rules))
    assert judged(before, with_routes(route(timeout="1s", **rules)), refused).kind == "same"
    assert judged(before, with_routes(route()), refused).kind == "admitted"


def test_a_condition_on_what_is_masked() -> None:
    """Where another route may take it by a secret, nobody can say; where that route stays as it is, nobody need."""
    keyed = {**route("keyed", to="users"), "match": {"path": "/orders", "headers": {"x-token": "abc"}}}
    masked, open_one = recorded(headers=(("x-token", "…"),)), recorded()
    before = with_routes(route())
    found = judged(before, with_routes(route(), keyed), masked)
    assert (found.kind, found.because) == ("unknown", "the header x-token, by which route keyed is chosen")
    assert judged(before, with_routes(route(), keyed), open_one).kind == "same"
    assert judged(with_routes(route(), keyed), with_routes(route(), keyed), masked).kind == "same"


def test_handshakes() -> None:
    """A route that takes no WebSocket connections refuses them."""
    asked = recorded(status=101, headers=(("sec-websocket-version", "13"),))
    before = with_routes(route(websocket={"enabled": True}))
    assert judged(before, with_routes(route()), asked).after.code == "INVALID_REQUEST"


METHODS = st.sampled_from(["GET", "POST", "OPTIONS"])
TARGETS = st.lists(st.sampled_from(["a", "b", "0", "orders", "%2F", ".."]), max_size=4).map(
    lambda parts: "/" + "/".join(parts)
)
VALUES = st.sampled_from(["1", "acme", "a b"])
FIELDS = st.dictionaries(st.sampled_from(["x-a", "x-b", "x-tenant", "x-token"]), VALUES, max_size=3)
QUERIES = st.sampled_from(["", "v=1", "w=two", "v=1&w=two"])
HOSTS = st.sampled_from(["a.test", "x.b.test", "d.test", "other.test"])


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    """Of an older revision, so that all is worked out; everything of them is kept."""
    host = draw(HOSTS)
    fields = tuple(draw(FIELDS).items())
    who = draw(
        st.sampled_from([{}, by(roles=["analyst"], scopes=["read"]), by(how="api_key", is_staff=True)])
    )
    given = {"method": draw(METHODS), "query": draw(QUERIES), "host": host, "revision": OLDER, **who}
    given["headers"] = (*who.get("headers", ()), *fields)
    return {"path": draw(TARGETS), **given}


@given(documents(), requests())
def test_by_what_is_live_nothing_changes(document: Document, request: dict[str, Any]) -> None:
    """Whatever the configuration, and whatever the request."""
    assert judged(document, document, recorded(**request)).kind == "same"


@given(documents(), documents(), requests())
def test_it_says_what_explain_says(before: Document, after: Document, request: dict[str, Any]) -> None:
    """Of callers who are not known, of which explain knows all: who takes it, and what refuses it."""
    request = {**request, "consumer": "", "auth_method": "", "facts": {}}
    request["headers"] = tuple(each for each in request["headers"] if each[0].startswith("x-"))
    request["headers"] = tuple(each for each in request["headers"] if each[0] != "x-api-key")
    asked = recorded(**request)
    here, there = snapshot_of(before, revision=LIVE), snapshot_of(after, revision=0)
    found = Judging(pair_of(here, there)).of(asked)
    mine, yours = (explain(each, asked.request) for each in (here, there))
    if found.kind in ("same", "elsewhere", "admitted"):
        assert yours.refusal is None or (found.kind == "same" and mine.refusal is not None)
    if found.kind in ("refused", "refused_otherwise"):
        assert yours.refusal is not None
        assert found.after.code == yours.refusal.code
    if found.kind in ("admitted", "refused_otherwise"):
        assert mine.refusal is not None
    if found.kind == "same" and mine.refusal is None and mine.matched and yours.matched:
        assert (mine.matched.route, mine.matched.service) == (yours.matched.route, yours.matched.service)


OPPOSITE = {"refused": "admitted", "admitted": "refused"}


@given(documents(), documents(), requests())
def test_the_way_back_is_the_opposite(before: Document, after: Document, request: dict[str, Any]) -> None:
    """What one change refuses, its undoing lets in."""
    asked = recorded(**request)
    there, back = judged(before, after, asked), judged(after, before, asked)
    if "unknown" not in (there.kind, back.kind):
        assert back.kind == OPPOSITE.get(there.kind, there.kind)


@given(documents(), documents(), requests(), st.sampled_from(["x-a", "x-b", "x-tenant", "v", "w"]))
def test_masking_makes_nobody_guess(
    before: Document, after: Document, request: dict[str, Any], secret: str
) -> None:
    """With less to go by, the same is said, or that something is missing."""
    whole = judged(before, after, recorded(**request))
    headers = tuple((name, "…" if name == secret else value) for name, value in request["headers"])
    parts = [part.partition("=") for part in request["query"].split("&") if part]
    query = "&".join(f"{name}={'…' if name == secret else value}" for name, _, value in parts)
    less = judged(before, after, recorded(**{**request, "headers": headers, "query": query}))
    assert less.kind in ("unknown", whole.kind)


@given(documents(), documents(), st.booleans(), st.lists(requests(), max_size=3))
def test_what_is_spared_changes_nothing(
    before: Document, after: Document, is_same: bool, asked: list[dict[str, Any]]
) -> None:
    """Of one index, and without conditions, less is looked at: with all of it looked at, the same is found."""
    here = snapshot_of(before, revision=LIVE)
    there = replace(here, revision=0) if is_same else snapshot_of(after, revision=0)
    plainly = Judging(pair_of(here, snapshot_of(before if is_same else after, revision=0)))
    plainly._has_conditions, plainly._is_one_index = True, False
    shortly = Judging(pair_of(here, there))
    assert shortly._is_one_index is is_same
    for request in asked:
        each = recorded(**request)
        assert shortly.of(each, AT) == plainly.of(each, AT)
    assert shortly.unjudged == plainly.unjudged
    assert shortly.counting.refusals() == plainly.counting.refusals()


def test_too_long_to_be_judged() -> None:
    """What was cut off may have led anywhere."""
    assert judged(small(), small(), recorded("/" + "a" * 1999)).kind == "unknown"
