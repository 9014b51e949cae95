"""Who may call Kong's routes here: nobody whom Kong would have refused."""

from typing import Any

import pytest

from tests.routing.kong.test_plugins import made, route_of

CLOSED = {"deny": ["0.0.0.0/0", "::/0"]}


@pytest.mark.parametrize(
    ("plugins", "auth"),
    [
        ([], {"level": "public"}),
        ([{"name": "key-auth"}], {"level": "user", "methods": ["api_key"]}),
        ([{"name": "basic-auth"}], {"level": "user"}),
        ([{"name": "jwt"}, {"name": "key-auth"}], {"level": "user", "methods": ["jwt"]}),
        ([{"name": "jwt", "config": {"anonymous": "who"}}], {"level": "public", "methods": ["jwt"]}),
        ([{"name": "jwt", "enabled": False}], {"level": "public"}),
        ([{"name": "our-oidc"}], {"level": "user"}),
        ([{"name": "acl", "config": {"allow": ["ops"]}}], {"level": "user", "roles": ["ops"]}),
        (
            [{"name": "jwt"}, {"name": "acl", "config": {"allow": ["ops team"]}}],
            {"level": "user", "methods": ["jwt"], "roles": ["ops-team"]},
        ),
    ],
)
def test_who_may_call(plugins: list[dict[str, Any]], auth: dict[str, Any]) -> None:
    """Open only where Kong was open; a credential that cannot be judged here closes the route."""
    assert route_of(*plugins)["auth"] == auth


def test_either_of_two_credentials() -> None:
    """An anonymous consumer who is turned away is Kong's way to say so."""
    either = [{"name": name, "config": {"anonymous": "nobody"}} for name in ("jwt", "key-auth")]
    refusing = [{"username": "nobody", "plugins": [{"name": "request-termination"}]}]

    assert route_of(*either, consumers=refusing)["auth"] == {"level": "user", "methods": ["api_key", "jwt"]}
    assert route_of(*either, consumers=[{"username": "nobody"}])["auth"]["level"] == "public"


@pytest.mark.parametrize(
    ("plugins", "said"),
    [
        ([{"name": "key-auth"}, {"name": "acl", "config": {"deny": ["bad"]}}], "plugins[1].config.deny"),
        ([{"name": "jwt"}, {"name": "key-auth"}], "every one of a route's credentials"),
        ([{"name": "openid-connect"}, {"name": "our-auth"}], "our-auth"),
        ([{"name": "opa"}], "opa"),
        ([{"name": "openid-connect", "config": {"audience_required": ["a"]}}], "audience_required"),
        ([{"name": "openid-connect", "config": {"scopes_required": ["a", "b"]}}], "scopes_required"),
        (
            [{"name": "opa"}, {"name": "ip-restriction", "config": {"allow": ["10.0.0.0/8"]}}],
            "opa",
        ),
    ],
)
def test_what_cannot_be_asked_for_closes_the_route(plugins: list[dict[str, Any]], said: str) -> None:
    """To everybody, and it is said."""
    found, lines = made(*plugins)

    assert found["routes"][0]["ip"] == CLOSED
    assert any(said in line and "CLOSED to everybody" in line for line in lines), lines


@pytest.mark.parametrize("name", ["key-auth", "basic-auth", "mtls-auth", "ldap-auth"])
def test_credentials_alone_close_nothing(name: str) -> None:
    """Whoever has credentials of ours is as good."""
    assert "ip" not in route_of({"name": name})


def test_scopes_of_a_provider_are_asked_for() -> None:
    """Words of one text are all needed."""
    found = route_of({"name": "openid-connect", "config": {"scopes_required": ["read write"]}})
    assert found["auth"] == {"level": "user", "methods": ["jwt"], "scopes": ["read", "write"]}


def test_groups_let_nobody_in_without_credentials() -> None:
    """The consumer that stands for them would have to be in a group."""
    found, lines = made(
        {"name": "key-auth", "config": {"anonymous": "guest"}}, {"name": "acl", "config": {"allow": ["ops"]}}
    )
    assert found["routes"][0]["auth"] == {"level": "user", "methods": ["api_key"], "roles": ["ops"]}
    assert any(line.startswith("services[0].routes[0].plugins[1]: ") for line in lines)


def test_what_one_consumer_may_opens_nothing_for_others() -> None:
    """A plugin of a consumer does not take the place of the route's, wherever it stands."""
    few = {"name": "ip-restriction", "config": {"allow": ["10.0.0.0/8"]}}
    all_of_them = {**few, "config": {"allow": ["0.0.0.0/0"]}, "consumer": "vip"}

    assert route_of(few, all_of_them)["ip"] == {"allow": ["10.0.0.0/8"]}
