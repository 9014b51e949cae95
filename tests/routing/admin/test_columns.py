"""Columns: a route in a word or two."""

from typing import Any

import pytest

from routing.admin.columns import match_text, policies, publish_text, redirect_text, respond_text


@pytest.mark.parametrize(
    ("path", "kind", "shown"),
    [
        (None, None, ("any path", "")),
        ("/a", None, ("/a/…", "prefix")),
        ("/a/", "prefix", ("/a/…", "prefix")),
        ("/", None, ("/…", "prefix")),
        ("/a", "exact", ("/a", "exact")),
        ("/a/{id}", "template", ("/a/{id}", "template")),
    ],
)
def test_path(path: str | None, kind: str | None, shown: tuple[str, str]) -> None:
    """A prefix shows that more may follow."""
    assert match_text(path, kind) == shown


@pytest.mark.parametrize(
    ("redirect", "text"),
    [
        ({"scheme": "https"}, "301 to https://…"),
        ({"scheme": "https", "host": "a.test", "port": 8443}, "301 to https://a.test:8443"),
        ({"path": "/new", "status": 308}, "308 to /new"),
        ({"path": {"prefix": "/new"}, "host": "a.test"}, "301 to a.test/new…"),
        ({"query": "a=1"}, "301 to ?a=1"),
        (None, "301"),
    ],
)
def test_redirect(redirect: dict[str, Any] | None, text: str) -> None:
    """Status and what changes of the URL."""
    assert redirect_text(redirect) == text


def test_respond() -> None:
    """The status that is answered."""
    assert respond_text({"status": 503}) == "answers 503"
    assert respond_text(None) == "answers 200"


def test_scopes_and_roles_that_are_asked_for_are_named() -> None:
    """A route that takes a role does not look as if it took everybody."""
    auth = {"level": "user", "scopes": ["read"], "roles": ["game-master"]}
    assert policies({"auth": auth}) == ["user: read role game-master"]
    assert policies({"auth": {"roles": ["game-master"]}}) == ["user: role game-master"]


def test_policies_are_named_in_order_and_unknown_ones_too() -> None:
    """Whatever a route does beside leading somewhere has its word, also what comes later."""
    entry = {
        "name": "r",
        "match": {"path": "/"},
        "service": "s",
        "auth": {"level": "public"},
        "limits": {"max_body": "10MB"},
        "timeout": "5s",
        "rewrite": {"path": "/x"},
        "response_headers": {"set": {"a": "b"}},
        "cache": {"ttl": "1m"},
        "allow_encoded_slashes": True,
        "compress": False,
    }
    assert policies(entry) == [
        *(
            "public",
            "body ≤ 10MB",
            "timeout 5s",
            "rewrite",
            "response headers",
            "cache",
            "allow encoded slashes",
        )
    ]
    assert policies({"name": "r", "auth": {}, "managed_by": "team-shop"}) == ["user"]
    shared = {"backends": [{"service": "a"}], "sticky": "consumer", "canary": {"every": "1m"}}
    assert policies(shared) == ["user (default)", "sticky", "canary"]


def test_who_may_pass_is_always_said() -> None:
    """By the route itself; else by the defaults of all routes; else by the gateway."""
    shared = {"auth": {"level": "service", "scopes": ["read"]}, "timeout": "5s"}

    assert policies({"auth": {"level": "public"}}, shared) == ["public"]
    assert policies({}, shared) == ["service: read (default)"]
    assert policies({}, {"auth": {"roles": ["a"]}}) == ["user: role a (default)"]
    assert policies({}) == policies({"auth": None}) == ["user (default)"]


def test_publish() -> None:
    """The topic is enough."""
    assert publish_text({"topic": "a.b"}) == "publishes a.b"
