"""What differs between two configurations."""

from typing import Any

import pytest

from observability.replay.sides import same_key
from tests.support.configuration import route, service, small
from tests.support.replays import pair

READ = {"auth": {"level": "user", "scopes": ["read"]}}


def of(*routes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**small(), "routes": list(routes), **more}


@pytest.mark.parametrize(
    ("before", "after", "is_unchanged"),
    [
        (small(), small(), True),
        (small(), of(route(timeout="1s")), False),
        (small(), small(port=8002), False),
        (small(), of(route(), route("b", "/b")), True),
        (small(), {**small(), "roles": [{"name": "chef", "scopes": ["read"]}]}, True),
        (of(route(**READ)), of(route(**READ), roles=[{"name": "chef", "scopes": ["read"]}]), False),
        (of(route(**READ)), of(route(**READ), services=[service(), service("b", 8002)]), True),
    ],
)
def test_unchanged_routes(before: Any, after: Any, is_unchanged: bool) -> None:
    """A route depends on itself, its services, and roles and providers where it asks who calls."""
    assert ("orders" in pair(before, after).unchanged) is is_unchanged


def test_keys_may_come_from_the_defaults() -> None:
    """What counts is what holds."""
    rules = {"validate": {"content_types": ["application/json"]}}
    found = pair(of(route(**rules)), of(route(), defaults=rules))
    here, there = found.before.snapshot.routes["orders"], found.after.snapshot.routes["orders"]
    assert same_key("validate", here, there, found)
    assert not same_key("auth", here, found.before.snapshot.disabled.get("x", _other(found)), found)


def _other(found: Any) -> Any:
    return pair(of(route(auth={"level": "user"})), small()).before.snapshot.routes["orders"]


def test_roles_that_accounts_have_by_default() -> None:
    """Which came, and which went."""
    before = {**small(), "roles": [{"name": "a", "default": True}, {"name": "b"}]}
    after = {**small(), "roles": [{"name": "a"}, {"name": "b", "default": True}]}
    side = pair(before, after).after
    assert (side.more_roles, side.fewer_roles) == ({"b"}, {"a"})
