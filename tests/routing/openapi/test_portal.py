"""Documents of services and the gateway's as one: paths as clients call them, for whoever may call them."""

import time
from typing import Any

from routing.compiler import CompileOptions, compile_snapshot
from routing.foreign import Notes
from routing.openapi.portal import MOST_TEXT, Described, merged
from routing.openapi.reading import Source
from routing.snapshot import CompiledRoute, Snapshot

GATEWAY: dict[str, Any] = {
    "openapi": "3.1.0",
    "paths": {"/health": {"get": {}}},
    "components": {"schemas": {"ErrorEnvelope": {"type": "object"}}},
}
ITEM = {
    "get": {
        "operationId": "read",
        "tags": ["theirs"],
        "security": [{"oauth": []}],
        "servers": [{"url": "http://inside:8000"}],
        "callbacks": {"x": {}},
        "responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Item"}}}}},
    },
    "delete": {"responses": {"401": {"description": "theirs"}}},
}  # fmt: skip


def described(name: str, paths: dict[str, Any] | None = None, **more: Any) -> Described:
    raw = {
        "openapi": "3.1.0",
        "info": {"title": f"The {name}"},
        "paths": {"/items/{id}": ITEM} if paths is None else paths,
        "components": {"schemas": {"Item": {"title": name}, "Hidden": {}}},
        **more,
    }
    return Described(name, Source(raw, Notes()))


def snapshot_of(*routes: dict[str, Any], url: str = "http://127.0.0.1:9") -> Snapshot:
    services = [{"name": name, "targets": [{"url": url}]} for name in ("shop", "stock", "shop.a", "shop_a")]
    raw = {
        "version": 1,
        "services": services,
        "routes": list(routes),
        "quotas": [{"name": "q", "limit": 1, "per": "1s"}],
    }
    return compile_snapshot(raw, revision=1, options=CompileOptions())  # fmt: skip


def route(name: str, service: str = "shop", **more: Any) -> dict[str, Any]:
    match = {"path": f"/{name}"}
    return {"name": name, "match": match, "service": service, "rewrite": {"strip_prefix": True}, **more}


def anybody(_route: CompiledRoute) -> bool:
    return True


def test_an_operation_is_shown_as_a_client_calls_it() -> None:
    """With the route's credentials and refusals instead of its own."""
    snapshot = snapshot_of(
        route("a", auth={"scopes": ["read"], "methods": ["jwt", "api_key"]}, quotas=["q"]),
        route("b", auth={"level": "public"}),
    )
    found = merged([described("shop")], snapshot, anybody)
    one, other = found.paths["/a/items/{id}"]["get"], found.paths["/b/items/{id}"]["get"]

    assert one["security"] == [{"bearer": ["read"]}, {"apiKey": ["read"]}]
    assert set(one["responses"]) == {"200", "401", "403", "429", "503"}
    assert one["tags"] == ["shop"]
    assert "servers" not in one
    assert "callbacks" not in one
    assert [each["name"] for each in one["parameters"]] == ["id"]
    assert other["security"] == []
    assert set(other["responses"]) == {"200", "503"}
    assert one["operationId"] != other["operationId"]
    assert found.paths["/a/items/{id}"]["delete"]["responses"]["401"] == {"description": "theirs"}
    assert found.tags == [{"name": "shop", "description": "The shop"}]


def test_equal_names_of_components_do_not_meet() -> None:
    """Nor those of services whose names look alike; what nobody refers to stays out."""
    names = ["shop", "stock", "shop.a", "shop_a"]
    snapshot = snapshot_of(*(route(f"r{number}", name) for number, name in enumerate(names)))
    found = merged([described(name) for name in names], snapshot, anybody)
    titles = {name: each["title"] for name, each in found.components["schemas"].items()}

    assert sorted(titles.values()) == sorted(names)
    assert titles["shop.Item"] == "shop"
    whole = found.into(GATEWAY)
    assert len(whole["components"]["schemas"]) == 5
    assert set(whole["paths"]) == {"/health", *(f"/r{number}/items/{{id}}" for number in range(4))}


def test_of_what_somebody_may_not_call_nothing_is_told() -> None:
    """No path, component, tag or note."""
    snapshot = snapshot_of(route("a"), route("b", "stock"))
    notes = [described("shop"), Described("stock", None, "it has no document: secret")]
    found = merged(notes, snapshot, lambda each: each.name == "a")

    assert set(found.paths) == {"/a/items/{id}"}
    assert found.notes == []
    assert [tag["name"] for tag in found.tags] == ["shop"]
    assert merged(notes, snapshot, lambda _: False).into(GATEWAY)["paths"] == GATEWAY["paths"]


def test_methods_that_the_route_does_not_take_are_left_out() -> None:
    """And what other routes take."""
    snapshot = snapshot_of({**route("a"), "match": {"path": "/a", "methods": ["GET"]}}, route("a2", "stock"))
    found = merged([described("shop")], snapshot, anybody)

    assert list(found.paths["/a/items/{id}"]) == ["get"]


def test_hosts_headers_and_queries_are_said() -> None:
    """As servers and parameters."""
    match = {"path": "/a", "hosts": ["*.example.com"], "headers": {"x-mode": "b"}, "query": {"v": "2"}}
    found = merged([described("shop")], snapshot_of({**route("a"), "match": match}), anybody)
    operation = found.paths["/a/items/{id}"]["get"]

    assert operation["servers"][0]["url"] == "//{label}.example.com"
    asked = {(each["in"], each["name"]) for each in operation["parameters"]}
    assert asked == {("path", "id"), ("header", "x-mode"), ("query", "v")}


def test_the_servers_path_and_the_targets_are_reckoned_with() -> None:
    """A document that names its prefix, in front of a target that has it."""
    servers = [{"url": "https://inside/base/v1"}]
    behind = snapshot_of(route("a"), url="http://127.0.0.1:9/base")
    elsewhere = snapshot_of(route("a"), url="http://127.0.0.1:9/other")

    assert set(merged([described("shop", servers=servers)], behind, anybody).paths) == {"/a/v1/items/{id}"}
    assert set(merged([described("shop")], behind, anybody).paths) == {"/a/items/{id}"}
    assert merged([described("shop", servers=servers)], elsewhere, anybody).paths == {}


def test_garbage_brings_notes_and_no_fault() -> None:
    """Whatever stands where something else should."""
    paths = {
        "/a": None,
        "b": ITEM,
        "/c": {"get": [], "post": {"parameters": {}, "responses": []}, "put": {"parameters": [1, None]}},
        "/d": {"$ref": "#/paths/~1d"},
        "/e": {"get": {"requestBody": {"$ref": "http://elsewhere/"}}},
    }
    found = merged(
        [described("shop", paths, servers=[{"url": "http://[x"}])], snapshot_of(route("a")), anybody
    )

    assert set(found.paths) == {"/a/c", "/a/e"}
    assert any("leads out of the document" in note["note"] for note in found.notes)


def test_a_thousand_routes_are_merged_in_time() -> None:
    """Within what a page may take; it is made once for those who may call the same."""
    snapshot = snapshot_of(*(route(f"r{number}") for number in range(1000)))
    paths = {f"/p{number}/{{id}}": ITEM for number in range(5)}
    began = time.perf_counter()
    found = merged([described("shop", paths)], snapshot, anybody)
    taken = time.perf_counter() - began

    assert found.operations == 10_000
    assert taken < 20, f"{taken:.1f} s"


def test_what_many_routes_show_is_bounded() -> None:
    """Each repeats the whole document."""
    snapshot = snapshot_of(*(route(f"r{number}") for number in range(100)))
    paths = {f"/p{number}": {"get": {"description": "x" * 100_000}} for number in range(10)}
    found = merged([described("shop", paths)], snapshot, anybody)

    assert 0 < found.operations <= MOST_TEXT // 100_000 + 1
    assert any("too many operations" in note["note"] for note in found.notes)
