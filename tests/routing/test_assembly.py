from typing import Any

import pytest

from resilience.policies import BalancingPolicy
from routing.assembly import assemble_route, assemble_service
from routing.conditions import HeaderCondition, QueryCondition
from routing.document.routes import RouteSpec
from routing.document.services import ServiceSpec
from routing.problems import ConfigurationInvalid
from routing.rewrite import CompiledRewrite
from routing.snapshot import CompiledRoute, CompiledService, Forward, HeaderOps, Redirect, Respond


def route(**keys: Any) -> CompiledRoute:
    """The compiled form of a route; it forwards to "s" unless it says otherwise."""
    raw = {"name": "r", **keys}
    if not {"service", "redirect", "respond"} & raw.keys():
        raw["service"] = "s"
    return assemble_route(RouteSpec.model_validate(raw), source=raw, from_defaults=frozenset())


def service(**keys: Any) -> CompiledService:
    raw = {"name": "s", "targets": [{"url": "http://h:1/b"}], **keys}
    spec = ServiceSpec.model_validate(raw)
    return assemble_service(spec, source=raw, overridden_by=None, total_timeout_s=7.0)


def test_a_bare_service() -> None:
    """What a service leaves out comes from the schema, or from the environment."""
    bare = service()
    assert (bare.protocol, bare.max_connections, bare.balancing) == ("http", 512, BalancingPolicy())
    assert (bare.concurrency, bare.retries, bare.breaker, bare.health, bare.ejection) == (None,) * 5
    assert (bare.connect_timeout_s, bare.read_timeout_s, bare.total_timeout_s) == (2.0, 30.0, 7.0)
    assert [(target.host, target.base_path) for target in bare.targets] == [("h", b"/b")]
    assert bare.tls is None
    assert bare.runtime is None


def test_a_full_service() -> None:
    """Durations become seconds; TLS settings are kept as checked."""
    full = service(
        protocol="https",
        timeout={"connect": "250ms", "read": "1m", "total": "1h"},
        tls={"verify": False},
        max_connections=3,
        targets=[{"url": "https://a"}, {"url": "https://b"}],
    )
    assert (full.connect_timeout_s, full.read_timeout_s, full.total_timeout_s) == (0.25, 60.0, 3600.0)
    assert full.tls is not None
    assert not full.tls.verify
    assert len(full.targets) == 2
    assert full.max_connections == 3


def test_a_bare_route() -> None:
    """A route that says nothing takes everything and changes nothing."""
    bare = route()
    assert bare.destination == Forward("s")
    assert bare.pattern.covers("/any/thing")
    assert (bare.hosts, bare.methods, bare.headers, bare.query) == ((), (), (), ())
    assert (bare.rewrite, bare.request_headers, bare.response_headers) == (None, None, None)
    assert (bare.max_body, bare.timeout_s, bare.allow_encoded_slashes) == (None, None, False)


def test_a_full_match() -> None:
    """Names of headers are compared in lower case, values as bytes; lists lose repetitions and order."""
    full = route(
        match={
            "hosts": ["b.example.com", "*.example.com"],
            "path": "/caf\u00e9/{id}",
            "path_type": "template",
            "methods": ["PUT", "GET"],
            "headers": {"X-Tenant": "\u00e4", "x-mode": {"regex": "b.*"}},
            "query": {"v": "2"},
        },
        priority=3,
        limits={"max_body": "2KB"},
        timeout="5s",
        allow_encoded_slashes=True,
    )
    assert full.hosts == ("b.example.com", "*.example.com")
    assert full.pattern.segments == ("caf\u00e9", None)
    assert full.methods == ("GET", "PUT")
    assert HeaderCondition(b"x-tenant", "\u00e4".encode()) in full.headers
    assert [condition.name for condition in full.headers] == [b"x-tenant", b"x-mode"]
    assert full.query == (QueryCondition(b"v", b"2"),)
    assert (full.priority, full.max_body, full.timeout_s, full.allow_encoded_slashes) == (3, 2048, 5.0, True)


@pytest.mark.parametrize(
    ("redirect", "expected"),
    [
        (
            {"scheme": "https", "host": "h", "port": 8443},
            Redirect(301, "https", "h", 8443, prefix_segments=2),
        ),
        (
            {"path": {"prefix": "/n w".replace(" ", "%20")}},
            Redirect(301, prefix=b"/n%20w", prefix_segments=2),
        ),
        ({"path": "/x", "status": 308}, Redirect(308, path=b"/x", prefix_segments=2)),
        ({"path": "/x?a=1#b"}, Redirect(301, path=b"/x", query=b"a=1", fragment=b"#b", prefix_segments=2)),
        ({"path": "/x?", "status": 302}, Redirect(302, path=b"/x", query=b"", prefix_segments=2)),
        ({"path": "/x?a=1", "query": "b=2"}, Redirect(301, path=b"/x", query=b"b=2", prefix_segments=2)),
        ({"query": ""}, Redirect(301, query=b"", prefix_segments=2)),
    ],
)
def test_redirects(redirect: dict[str, Any], expected: Redirect) -> None:
    """A path may bring its own query and fragment."""
    assert route(match={"path": "/a/b"}, redirect=redirect).destination == expected


def test_responses() -> None:
    """A body without a type is plain text; header names are lower case."""
    plain = route(respond={"status": 201, "headers": {"X-A": "1"}, "body": "gr\u00fcezi"}).destination
    assert isinstance(plain, Respond)
    assert (plain.status, plain.body) == (201, "gr\u00fcezi".encode())
    assert plain.headers == ((b"x-a", b"1"), (b"content-type", b"text/plain; charset=utf-8"))
    typed = route(respond={"headers": {"Content-Type": "text/html"}, "body": "x"}).destination
    assert typed == Respond(200, ((b"content-type", b"text/html"),), b"x")
    assert route(respond={"status": 204}).destination == Respond(204)


@pytest.mark.parametrize(
    ("rewrite", "path", "result"),
    [
        ({"strip_prefix": True}, b"/a/b/c", b"/c"),
        ({"prefix": "/new"}, b"/a/b/c", b"/new/c"),
        ({"path": "/exact"}, b"/a/b/c", b"/exact"),
        ({"regex": {"pattern": "^/a/(.*)", "to": "/z/\\1"}}, b"/a/b/c", b"/z/b/c"),
        ({"host": "h"}, b"/a/b/c", b"/a/b/c"),
    ],
)
def test_rewrites(rewrite: dict[str, Any], path: bytes, result: bytes) -> None:
    """Each change of the path is compiled with the prefix that it replaces."""
    compiled = route(match={"path": "/a/b"}, rewrite=rewrite).rewrite
    assert compiled is not None
    assert compiled.apply(path) == result


@pytest.mark.parametrize(
    "change", [{}, {"strip_prefix": True}, {"path": "/x"}, {"regex": {"pattern": "a", "to": "b"}}]
)
def test_hosts_are_rewritten_with_any_change(change: dict[str, Any]) -> None:
    """The host may change together with the path."""
    with_host = route(match={"path": "/a"}, rewrite={**change, "host": "h:81"}).rewrite
    kept = route(match={"path": "/a"}, rewrite={**change, "preserve_host": True}).rewrite
    assert isinstance(with_host, CompiledRewrite)
    assert isinstance(kept, CompiledRewrite)
    assert (with_host.host, with_host.preserve_host) == (b"h:81", False)
    assert (kept.host, kept.preserve_host) == (None, True)


def test_header_operations() -> None:
    """They are bytes in lower case; none at all is None, which costs nothing."""
    ops = route(request_headers={"set": {"X-A": "1"}, "add": {"X-B": "2"}, "remove": ["X-C"]}).request_headers
    assert ops == HeaderOps(frozenset([b"x-c"]), ((b"x-a", b"1"),), ((b"x-b", b"2"),))
    assert route(response_headers={}).response_headers is None


@pytest.mark.parametrize(
    ("keys", "place"),
    [({"match": {"path": "/%zz"}}, "routes[r].match.path"), ({}, "routes[r]")],
)
def test_what_the_checks_should_have_refused(keys: dict[str, Any], place: str) -> None:
    """A specification that was not checked is refused, not guessed at."""
    raw = {"name": "r", **keys}
    if "match" in keys:
        raw["service"] = "s"
    with pytest.raises(ConfigurationInvalid) as refused:
        assemble_route(RouteSpec.model_validate(raw), source=raw, from_defaults=frozenset())
    assert refused.value.problems[0].path == place
