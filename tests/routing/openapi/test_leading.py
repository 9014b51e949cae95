"""Upstream paths as clients call them: what the route would send is what the upstream's document names."""

from typing import Any

import pytest

from routing.compiler import CompileOptions, compile_snapshot
from routing.openapi.leading import cannot_turn, public_path, routes_to, takes
from routing.snapshot import Snapshot


def snapshot_of(*routes: dict[str, Any]) -> Snapshot:
    services = [{"name": name, "targets": [{"url": "http://127.0.0.1:9"}]} for name in ("shop", "other")]
    named = [{"name": f"r{number}", "service": "shop", **route} for number, route in enumerate(routes)]
    return compile_snapshot(
        {"version": 1, "services": services, "routes": named}, revision=1, options=CompileOptions()
    )


@pytest.mark.parametrize(
    ("match", "rewrite", "upstream", "public"),
    [
        ({"path": "/shop"}, None, "/shop/items/{id}", "/shop/items/{id}"),
        ({"path": "/shop"}, None, "/items", None),
        ({"path": "/shop"}, None, "/shopping", None),
        ({"path": "/"}, None, "/items", "/items"),
        ({"path": "/shop"}, {"strip_prefix": True}, "/items/{id}", "/shop/items/{id}"),
        ({"path": "/shop"}, {"strip_prefix": True}, "/", "/shop/"),
        ({"path": "/shop"}, {"prefix": "/v2"}, "/v2/items", "/shop/items"),
        ({"path": "/shop"}, {"prefix": "/v2"}, "/v1/items", None),
        ({"path": "/shop"}, {"prefix": "/v2"}, "/v2", "/shop"),
        ({"path": "/a/b", "path_type": "exact"}, {"path": "/c"}, "/c", "/a/b"),
        ({"path": "/a/b", "path_type": "exact"}, {"path": "/c"}, "/d", None),
        ({"path": "/items/{id}", "path_type": "template"}, None, "/items/{key}", "/items/{key}"),
        ({"path": "/items/{id}", "path_type": "template"}, None, "/items/{key}/more", None),
        ({"path": "/acme", "path_type": "prefix"}, None, "/{tenant}/items", "/acme/items"),
        ({"path": "/items/[0-9]+", "path_type": "regex"}, None, "/items/{id}", "/items/{id}"),
        ({"path": "/items/[0-9]+", "path_type": "regex"}, None, "/users/{id}", None),
        ({"path": "/a"}, {"regex": {"pattern": "^/a/(.*)", "to": "/b/\\1"}}, "/b/x", None),
    ],
)
def test_paths_are_turned_around(
    match: dict[str, Any], rewrite: dict[str, Any] | None, upstream: str, public: str | None
) -> None:
    """Prefixes, whole paths, templates, regular expressions."""
    route = {"match": match} | ({} if rewrite is None else {"rewrite": rewrite})
    snapshot = snapshot_of(route)
    compiled = snapshot.routes["r0"]

    assert public_path(compiled, upstream) == public
    if public is not None and "{" not in public and compiled.rewrite is not None:
        assert compiled.rewrite.apply(public.encode()) == upstream.encode()


def test_what_cannot_be_turned_around_is_said() -> None:
    """A rewrite by a regular expression."""
    snapshot = snapshot_of({
        "match": {"path": "/a"}, "rewrite": {"regex": {"pattern": "^/a/(.*)", "to": "/b/\\1"}}
    })  # fmt: skip

    assert "turned around" in str(cannot_turn(snapshot.routes["r0"]))


def test_only_what_the_route_gets_is_taken() -> None:
    """Its methods; what no better route and no endpoint of the gateway takes."""
    snapshot = snapshot_of(
        {"match": {"path": "/", "methods": ["GET"]}},
        {"match": {"path": "/items/special", "path_type": "exact"}, "service": "other"},
        {"match": {"hosts": ["*.example.com"], "path": "/hosted"}},
    )
    every, _, hosted = snapshot.routes.values()

    def taken(method: str, path: str) -> bool:
        return takes(snapshot.index, every, method, path)

    assert taken("GET", "/items/{id}")
    assert not taken("POST", "/items/{id}")
    assert not taken("GET", "/items/special")
    assert not taken("GET", "/health/live")
    assert takes(snapshot.index, hosted, "PUT", "/hosted/x")


def test_routes_of_a_split_lead_to_all_its_services() -> None:
    """And a redirect to none."""
    both = {"backends": [{"service": "shop", "weight": 9}, {"service": "other", "weight": 1}]}
    snapshot = snapshot_of({"match": {"path": "/a"}}, {"match": {"path": "/b"}, "service": None, **both})
    routes = list(snapshot.routes.values())

    assert [route.name for route in routes_to("shop", routes)] == ["r0", "r1"]
    assert [route.name for route in routes_to("other", routes)] == ["r1"]
