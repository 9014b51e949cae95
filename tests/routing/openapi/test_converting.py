"""From an OpenAPI document to a configuration document."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.openapi.converting import convert, routes_of
from routing.openapi.reading import NotOpenApi
from routing.validation import check_document
from tests.support.shop import shop
from tests.support.snapshots import snapshot_of


def test_a_document_that_the_gateway_takes() -> None:
    """One service, and a route for each operation, each below the prefix."""
    found = convert(shop(), service="shop", prefix="shop/")
    checked = check_document(found.document, env={})

    assert checked.problems == ()
    assert found.document["services"] == [
        {"name": "shop", "targets": [{"url": "https://shop.example.com/v1"}]}
    ]
    routes = [(route["name"], route["match"]) for route in found.document["routes"]]
    assert [(name, match["path"], match["path_type"]) for name, match in routes] == [
        ("shop-listOrders", "/shop/orders", "exact"),
        ("shop-createOrder", "/shop/orders", "exact"),
        ("shop-get-orders-id", "/shop/orders/{id}", "template"),
        ("shop-upload", "/shop/files/[^/]+\\.[^/]+", "regex"),
    ]
    assert found.not_carried == (
        "GET /orders: query parameter filter is not checked: it is an object",
        "GET /orders/{id}: path parameter id may be any text",
    )
    route = snapshot_of(found.document).routes["shop-get-orders-id"]
    assert route.rewrite is not None
    assert route.rewrite.apply(b"/shop/orders/5", b"/v1") == b"/v1/orders/5"


def test_without_a_prefix_nothing_is_rewritten() -> None:
    """And the target may be said."""
    found = convert(shop(), service="shop", url="http://127.0.0.1:8000/")

    assert all("rewrite" not in route for route in found.document["routes"])
    assert found.document["services"][0]["targets"] == [{"url": "http://127.0.0.1:8000"}]


def test_names_are_never_the_same() -> None:
    """However operations are called."""
    raw = shop()
    for number in range(3):
        raw["paths"][f"/same/{number}"] = {"get": {"operationId": "list Orders!" * 20}}
    names = [route["name"] for route in convert(raw, service="shop").document["routes"]]

    assert len(set(names)) == len(names)
    assert all(len(name) <= 100 for name in names)


@pytest.mark.parametrize(
    "server",
    [None, "/v1", "ftp://x", "https://x.example//v1", "https://{region}.example", "https://x.example/?v=1"],
)
def test_a_service_without_a_target_is_noted(server: str | None) -> None:
    """It can be said on the command line."""
    raw = shop()
    raw["servers"] = [] if server is None else [{"url": server}]
    found = convert(raw, service="shop")

    assert found.document["services"][0]["targets"] == []
    assert found.not_carried[0].startswith("servers: ")


def test_refusals() -> None:
    """No operations; no name; no URL."""
    with pytest.raises(NotOpenApi, match="no operations"):
        convert({"openapi": "3.1.0", "paths": {}}, service="shop")
    with pytest.raises(NotOpenApi, match="not a name"):
        convert(shop(), service="a shop")
    with pytest.raises(NotOpenApi, match=r"target that was said: .* must begin with http"):
        convert(shop(), service="shop", url="ftp://x")


def test_routes_of_a_service() -> None:
    """Whatever else a document has."""
    own, other, by_hand = (
        {"name": "a-x", "service": "a"},
        {"name": "a-x", "service": "b"},
        {"name": "x", "service": "a"},
    )

    assert routes_of({"routes": [own, other, by_hand, "c"]}, "a") == [own]
    assert routes_of({}, "a") == []


@given(st.from_regex(r"(/[a-z{}.()+*]{0,8}){1,3}", fullmatch=True))
def test_any_path_becomes_one_that_can_be_checked(path: str) -> None:
    """Or its operation is left out; the document has no other fault than an expression may have."""
    raw: dict[str, Any] = {"openapi": "3.1.0", "paths": {"/there": {"get": {}}, path: {"get": {}}}}
    checked = check_document(convert(raw, service="s", url="http://a").document, env={})
    assert {problem.id for problem in checked.problems} <= {"gateway.E014"}


def test_operations_that_no_request_can_be_for_are_named() -> None:
    """Some documents tell operations apart behind the path: they are left out, and the others carried over."""
    raw = shop()
    get = {"get": {"responses": {}}}
    raw["paths"] |= {"/#X-Target=Shop.List": get, "/rest?method=list": get, "/a//b": get}
    found = convert(raw, service="shop")

    assert check_document(found.document, env={}).problems == ()
    assert len(found.document["routes"]) == len(convert(shop(), service="shop").document["routes"])
    named = [line for line in found.not_carried if "the operation is left out" in line]
    assert [line.partition(":")[0] for line in named] == [
        "GET /#X-Target=Shop.List", "GET /rest?method=list", "GET /a//b",
    ]  # fmt: skip

    only = {"openapi": "3.0.0", "paths": {"/#a": get}}
    with pytest.raises(NotOpenApi, match='a path for: GET /#a: "/#a" has a fragment'):
        convert(only, service="shop")
