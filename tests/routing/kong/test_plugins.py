"""Plugins of Kong: what they mean here, and never less than they meant."""

from typing import Any

import pytest

from routing.kong.converting import convert


def made(*plugins: dict[str, Any], **more: Any) -> tuple[dict[str, Any], list[str]]:
    """A route with these plugins, and what was not carried over."""
    raw = {
        "_format_version": "3.0",
        "services": [
            {
                "name": "s",
                "url": "http://s",
                "routes": [{"name": "r", "paths": ["/"], "plugins": list(plugins)}],
            }
        ],
        **more,
    }
    found = convert(raw)
    return found.document, list(found.not_carried)


def route_of(*plugins: dict[str, Any], **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = made(*plugins, **more)[0]["routes"][0]
    return found


@pytest.mark.parametrize(
    "plugin",
    [
        {"name": "key-auth"},
        {"name": "key-auth", "service": "s"},
        {"name": "key-auth", "service": {"id": "11"}},
        {"name": "key-auth", "route": {"id": "22"}},
    ],
)
@pytest.mark.parametrize("service", ["s", {"name": "s"}, {"id": "11"}])
def test_a_plugin_is_in_force_however_it_is_tied(plugin: dict[str, Any], service: object) -> None:
    """By name or by id; one that is switched off hides none that holds for more."""
    off = {"name": "key-auth", "enabled": False}
    route = {"name": "r", "id": "22", "paths": ["/"], "service": service, "plugins": [off]}
    raw = {
        "_format_version": "3.0",
        "services": [{"name": "s", "id": "11", "url": "http://s"}],
        "routes": [route],
        "plugins": [plugin],
    }

    assert convert(raw).document["routes"][0]["auth"]["level"] == "user"


def test_a_service_and_a_route_of_one_name_have_limits_of_their_own() -> None:
    """Though the quotas are called by them."""
    few = {"name": "rate-limiting", "config": {"minute": 5}}
    many = {"name": "rate-limiting", "config": {"minute": 500}}
    routes = [{"name": "s", "paths": ["/"], "plugins": [few]}, {"name": "r", "paths": ["/r"]}]
    raw = {
        "_format_version": "3.0",
        "services": [{"name": "s", "url": "http://s", "plugins": [many], "routes": routes}],
    }
    found = convert(raw).document
    limits = {each["name"]: each["limit"] for each in found["quotas"]}

    assert [[limits[name] for name in route["quotas"]] for route in found["routes"]] == [[5], [500]]


def test_roles_that_routes_ask_for_are_there() -> None:
    """A role that nobody defined would be refused."""
    found, _ = made({"name": "key-auth"}, {"name": "acl", "config": {"allow": ["ops"], "deny": ["x"]}})
    assert found["roles"] == [{"name": "ops", "scopes": []}]


def test_limits_by_scope() -> None:
    """Counted together where the plugin was shared; the most specific is in force."""
    limit = {"name": "rate-limiting"}
    found, _ = made(
        {**limit, "config": {"second": 5, "day": 100, "limit_by": "ip", "fault_tolerant": False}},
        plugins=[{**limit, "config": {"minute": 9}}],
    )
    assert found["routes"][0]["quotas"] == ["r-second", "r-day"]
    assert found["quotas"][0] == {
        "name": "r-second", "algorithm": "fixed_window", "limit": 5, "per": "1s", "key": "ip",
        "on_store_failure": "deny",
    }  # fmt: skip
    assert made(plugins=[{**limit, "config": {"minute": 9}}])[0]["quotas"][0]["name"] == "kong-minute"


@pytest.mark.parametrize(
    ("plugin", "key", "value"),
    [
        ({"name": "ip-restriction", "config": {"allow": ["10.0.0.0/8"]}}, "ip", {"allow": ["10.0.0.0/8"]}),
        (
            {"name": "request-size-limiting", "config": {"allowed_payload_size": 8}},
            "limits",
            {"max_body": "8MB"},
        ),
        (
            {"name": "request-transformer", "config": {"replace": {"uri": "/new"}}},
            "rewrite",
            {"path": "/new"},
        ),
        (
            {"name": "response-transformer", "config": {"append": {"headers": ["X-A: b:c"]}}},
            "response_headers",
            {"add": {"X-A": "b:c"}},
        ),
        (
            {"name": "request-termination", "config": {"status_code": 410, "message": "Gone"}},
            "respond",
            {"status": 410, "headers": {"content-type": "application/json"}, "body": '{"message":"Gone"}'},
        ),
        (
            {"name": "cors", "config": {"origins": ["*"], "credentials": True}},
            "cors",
            {"origins": ["*"], "credentials": False},
        ),
        (
            {"name": "proxy-cache", "config": {"cache_ttl": 9, "vary_headers": ["Accept"]}},
            "cache",
            {"ttl": "9s", "override": True, "vary": ["accept"], "methods": ["GET", "HEAD"]},
        ),
        (
            {"name": "rate-limiting-advanced", "config": {"limit": [5], "window_size": [30]}},
            "quotas",
            ["r-30s"],
        ),
    ],
)
def test_what_means_the_same(plugin: dict[str, Any], key: str, value: object) -> None:
    """Each in its own words."""
    assert route_of(plugin)[key] == value


@pytest.mark.parametrize(
    ("plugin", "said"),
    [
        ({"name": "prometheus"}, "prometheus: metrics are always there"),
        ({"name": "pre-function", "config": {"access": ["x"]}}, "pre-function: has no counterpart"),
        ({"name": "key-auth", "config": {"key_names": ["k"]}}, "config.key_names: k"),
        ({"name": "rate-limiting", "config": {"year": 5}}, "config.year"),
        ({"name": "rate-limiting", "config": {"minute": 5, "limit_by": "path"}}, "config.limit_by: path"),
        ({"name": "cors", "config": {"origins": ["https://.*"]}}, "config.origins: https://.*"),
        (
            {"name": "request-transformer", "config": {"add": {"headers": ["a:b"]}}},
            "only where they are missing",
        ),
        ({"name": "request-transformer", "config": {"add": {"body": ["a:b"]}}}, "config.add.body"),
        ({"name": "request-transformer", "config": {"http_method": "GET"}}, "config.http_method"),
        ({"name": "request-termination", "config": {"trigger": "x"}}, "config.trigger"),
        ({"name": "ip-restriction", "config": {"deny": ["1.2.3.4"], "status": 404}}, "config.status"),
    ],
)
def test_what_is_not_carried_over_is_named(plugin: dict[str, Any], said: str) -> None:
    """With its place."""
    lines = made(plugin)[1]
    assert any(said in line and line.startswith("services[0].routes[0].plugins[0]") for line in lines), lines


@pytest.mark.parametrize("verb", ["add", "append", "replace"])
def test_host_is_named_by_the_rewrite(verb: str) -> None:
    """A header operation may not say it."""
    change = {"name": "request-transformer", "config": {verb: {"headers": ["host:inner.example", "X-A:1"]}}}
    found = route_of(change)

    assert found["rewrite"]["host"] == "inner.example"
    assert found["request_headers"]["add" if verb == "append" else "set"] == {"X-A": "1"}
