"""Which pages of other origins may call a route."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.explanation import PolicyNote
from routing.shapes.cors import (
    DEFAULT_HEADERS,
    CorsPolicy,
    answer_fields,
    cors_note,
    default_cors,
    origin_of,
    preflight_fields,
)
from routing.traffic import TrafficDefaults
from tests.support.gateway import document, route
from tests.support.snapshots import snapshot_of

LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)


def policy_of(cors: dict[str, Any] | None = None, **keys: Any) -> CorsPolicy | None:
    written = {} if cors is None else {"cors": cors}
    raw = document(route(service="s", **written, **keys), services={"s": "http://127.0.0.1:1"})
    return snapshot_of(raw).routes["r"].shapes.cors


def policy(**cors: Any) -> CorsPolicy:
    found = policy_of(cors)
    assert found is not None
    return found


def test_named_origins_are_compared_to_the_letter() -> None:
    """Scheme, host and port."""
    found = policy(origins=["https://app.test", "http://localhost:3000"])

    assert found.allows(b"https://app.test")
    assert found.allows(b"http://localhost:3000")
    for other in (b"http://app.test", b"https://app.test:8443", b"https://App.test", b"https://x.app.test"):
        assert not found.allows(other)
    assert not found.allows(b"null")
    assert not found.allows(b"")


@pytest.mark.parametrize(
    ("origin", "allowed"),
    [
        (b"https://a.example.com", True),
        (b"https://a.b.example.com", True),
        (b"https://example.com", False),
        (b"https://.example.com", False),
        (b"https://evil-example.com", False),
        (b"https://evil.com/.example.com", False),
        (b"https://evil.com#.example.com", False),
        (b"https://evil.com:1.example.com", False),
        (b"https://a@b.example.com", False),
        (b"https://a..example.com", False),
        (b"http://a.example.com", False),
        (b"https://a.example.com:8443", False),
        (b"https://a.example.com.evil.com", False),
        (b"https://a.example.com\n", False),
    ],
)
def test_families_are_all_below_a_domain(origin: bytes, allowed: bool) -> None:
    """At any depth, but neither the domain itself nor what only looks like it."""
    assert policy(origins=["https://*.example.com"]).allows(origin) is allowed


@given(st.lists(LABELS, min_size=1, max_size=4), st.lists(LABELS, min_size=2, max_size=3))
def test_family_has_whatever_ends_in_whole_labels(above: list[str], domain: list[str]) -> None:
    """And nothing whose last label is longer."""
    base = ".".join(domain)
    found = default_cors([f"https://*.{base}"])
    assert found is not None

    assert found.allows(f"https://{'.'.join(above)}.{base}".encode())
    assert not found.allows(f"https://{''.join(above)}{base}".encode())
    assert not found.allows(f"https://{base}".encode())


def test_methods_are_the_routes_unless_named() -> None:
    """A route that takes any method lets any be used."""
    origins = ["https://app.test"]
    assert policy(origins=origins).methods == ()
    listed = policy_of({"origins": origins}, match={"methods": ["PUT", "GET"]})
    assert listed is not None
    assert listed.methods == ("PUT", "GET")
    assert policy(origins=origins, methods=["DELETE"]).methods == ("DELETE",)


def test_a_route_may_leave_it_to_its_service() -> None:
    """Even where there is a default policy."""
    raw = document(
        route("own", path="/own", service="s", cors={"enabled": False}),
        route("usual", path="/usual", service="s", match={"methods": ["GET"]}),
        services={"s": "http://127.0.0.1:1"},
    )
    usual = default_cors(["https://app.test"])
    routes = snapshot_of(raw, traffic=TrafficDefaults(cors=usual)).routes

    assert routes["own"].shapes.cors is None
    found = routes["usual"].shapes.cors
    assert found is not None
    assert (found.methods, found.is_default, found.headers) == (("GET",), True, DEFAULT_HEADERS)
    [note] = cors_note(None, "route", ())
    assert note.details == {"remark": "left to the service"}
    assert list(cors_note(None, "built-in", ())) == []


def test_a_policy_without_origins_lets_nobody_in() -> None:
    """Nor does the service."""
    found = policy()

    assert not found.allows(b"https://app.test")
    assert answer_fields(found, b"https://app.test") == ((b"vary", b"Origin"),)


def test_the_default_policy() -> None:
    """Named origins may send credentials, any origin may not; without origins there is none."""
    named, anybody = default_cors(["https://app.test"]), default_cors(["*"])

    assert named is not None
    assert named.credentials
    assert anybody is not None
    assert not anybody.credentials
    assert anybody.allows(b"https://whoever.test")
    assert default_cors([]) is None


def test_what_answers_say() -> None:
    """Fetch section 3.2.3: the origin itself with credentials, and that the answer depends on it."""
    found = policy(
        origins=["https://app.test"], credentials=True, expose=["X-Total", "x-total"], headers=["X-A"]
    )

    assert answer_fields(found, b"https://app.test") == (
        (b"access-control-allow-origin", b"https://app.test"),
        (b"access-control-allow-credentials", b"true"),
        (b"access-control-expose-headers", b"x-total"),
        (b"vary", b"Origin"),
    )
    assert answer_fields(found, b"https://other.test") == ((b"vary", b"Origin"),)
    assert answer_fields(found, b"") == ((b"vary", b"Origin"),)


def test_an_answer_for_everybody_is_the_same_for_everybody() -> None:
    """It does not vary, so that caches may give it to anybody."""
    found = policy(origins=["*"])

    assert answer_fields(found, b"") == ((b"access-control-allow-origin", b"*"),)
    assert answer_fields(found, b"https://a.test") == answer_fields(found, b"")


def test_what_preflights_are_told() -> None:
    """What is not allowed is not listed; what is not limited is what was asked for."""
    found = policy(origins=["https://app.test"], methods=["GET", "PUT"], headers=["X-A"], max_age="10m")
    told = dict(preflight_fields(found, b"https://app.test", "DELETE"))

    assert told[b"access-control-allow-methods"] == b"GET, PUT"
    assert told[b"access-control-allow-headers"] == b"x-a"
    assert told[b"access-control-max-age"] == b"600"
    assert told[b"vary"].startswith(b"Origin")
    assert b"access-control-allow-credentials" not in told

    free = dict(preflight_fields(policy(origins=["*"]), b"https://app.test", "DELETE"))
    assert free[b"access-control-allow-origin"] == b"*"
    assert free[b"access-control-allow-methods"] == b"DELETE"
    assert b"access-control-allow-headers" not in free
    assert b"access-control-max-age" not in free


def test_two_origins_are_none() -> None:
    """A browser sends one."""
    one = (b"origin", b"https://a.test")
    assert origin_of([one, (b"host", b"x")]) == b"https://a.test"
    assert origin_of([one, one]) == b""
    assert origin_of([]) == b""


def test_the_note() -> None:
    """Whose pages may come, and what becomes of this one."""
    found = policy(origins=["https://b.test", "https://*.a.test"])

    def note(origin: bytes) -> PolicyNote:
        [only] = cors_note(found, "route", ((b"origin", origin),) if origin else ())
        return only

    assert note(b"").details["origins"] == ["https://*.a.test", "https://b.test"]
    assert "verdict" not in note(b"").details
    assert note(b"https://b.test").details["verdict"] == "may read the answer"
    assert note(b"https://c.test").details["verdict"] == "may not read the answer"
    assert (note(b"").source, note(b"").outcome) == ("route", "applies")
    [usual] = cors_note(default_cors(["*"]), "built-in", ())
    assert (usual.source, usual.details["origins"]) == ("environment", ["*"])
