import pytest

from routing.reserved import AUTH, BuiltinNode, reserved_routes, reserving

_TREE = BuiltinNode(builtin for builtin in reserved_routes("/api/v1") if not builtin.yields)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/admin", "admin"),
        ("/admin/", "admin"),
        ("/admin/routing/route/1", "admin"),
        ("/administrator", None),
        ("/accounts/login/", "accounts"),
        ("/health", "health"),
        ("/health/", "health"),
        ("/health/live", "health"),
        ("/healthy", None),
        ("/metrics", "metrics"),
        ("/metrics/x", None),
        ("/status", "status"),
        ("/status/500", None),
        ("/discovery/register", "discovery"),
        ("/monitoring/health", "monitoring"),
        ("/control/v1/explain", "control"),
        ("/.well-known/jwks.json", "jwks"),
        ("/.well-known/acme-challenge/x", None),
        ("/docs", "docs"),
        ("/docs/openapi.json", "docs"),
        ("/api/v1/health", "health"),
        ("/api/v1/health/detailed", "health"),
        ("/api/v1/auth/token", "token"),
        ("/api/v1/auth/tokens", None),
        ("/api/v1/auth", None),
        ("/api/v1/users/me", "account"),
        ("/api/v1/users/me/keys/3", "account"),
        ("/api/v1/users/7", None),
        ("/api/v1/ws", "websocket"),
        ("/api/v1/ws/x", None),
        ("/api/v1/events", "events"),
        ("/api/v1/events/stream", "events"),
        ("/api/v1/events/7", None),
        ("/api/v1", None),
        ("/api/auth/login", None),
        ("/", None),
    ],
)
def test_what_is_reserved(path: str, name: str | None) -> None:
    """Whole segments are reserved, neighbours are not."""
    found = _TREE.find(path.split("/"))
    assert (found.name if found else None) == name


@pytest.mark.parametrize("prefix", ["/v2", "/v2/"])
def test_the_prefix_is_configurable(prefix: str) -> None:
    """The versioned endpoints move with API_PREFIX."""
    tree = BuiltinNode(reserved_routes(prefix))
    assert tree.find(["", "v2", "ws"]) is not None
    assert tree.find(["", "api", "v1", "ws"]) is None


def test_no_prefix_at_all() -> None:
    """An empty API_PREFIX puts the versioned endpoints at the root."""
    tree = BuiltinNode(reserved_routes(""))
    assert tree.find(["", "ws"]) is not None
    assert tree.find(["", ""]) is None


def test_only_auth_yields() -> None:
    """A route may take over /api/auth and nothing else."""
    assert [builtin for builtin in reserved_routes("/api/v1") if builtin.yields] == [AUTH]


@pytest.mark.parametrize(
    ("path", "is_prefix", "name"),
    [
        ("/health", True, "health"),
        ("/health/x/y", False, "health"),
        ("/metrics", False, "metrics"),
        ("/metrics", True, None),
        ("/", True, None),
        ("/api/auth", True, None),
        ("/heal", True, None),
    ],
)
def test_routes_that_can_never_be_reached(path: str, is_prefix: bool, name: str | None) -> None:
    """A route is named as unreachable only if the endpoint takes everything that it could."""
    found = reserving(path, is_prefix=is_prefix, builtins=reserved_routes("/api/v1"))
    assert (found.name if found else None) == name


def test_depth() -> None:
    """The depth is that of the longest endpoint."""
    assert _TREE.depth() == 4
    assert BuiltinNode().depth() == 0
