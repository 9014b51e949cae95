"""P: The paths that the gateway keeps for itself, and how they are found.

Reserved on every host, before any route, whatever its priority. `/api/auth` is different: a route
that matches takes it over, for a gateway in front of an existing auth service.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from routing.snapshot import BuiltinRoute

# name, path, whole-segment prefix. Several entries may share a name.
_EVERYWHERE: tuple[tuple[str, str, bool], ...] = (
    ("admin", "/admin", True),
    ("accounts", "/accounts", True),
    ("health", "/health", True),
    ("metrics", "/metrics", False),
    ("status", "/status", False),
    ("discovery", "/discovery", True),
    ("monitoring", "/monitoring", True),
    ("control", "/control", True),
    ("jwks", "/.well-known/jwks.json", False),
    ("docs", "/docs", True),
)
_UNDER_API_PREFIX: tuple[tuple[str, str, bool], ...] = (
    ("health", "/health", True),
    ("token", "/auth/token", False),
    ("account", "/users/me", True),
    ("websocket", "/ws", False),
    ("events", "/events", False),
    ("events", "/events/stream", False),
)
AUTH = BuiltinRoute("auth", "/api/auth", is_prefix=True, yields=True)


def reserved_routes(api_prefix: str) -> tuple[BuiltinRoute, ...]:
    """Every built-in endpoint. `api_prefix` is like "/api/v1"; empty means the root."""
    prefix = api_prefix.rstrip("/")
    return (
        *(BuiltinRoute(name, path, is_prefix) for name, path, is_prefix in _EVERYWHERE),
        *(BuiltinRoute(name, prefix + path, is_prefix) for name, path, is_prefix in _UNDER_API_PREFIX),
        AUTH,
    )


def reserving(path: str, *, is_prefix: bool, builtins: Iterable[BuiltinRoute]) -> BuiltinRoute | None:
    """The built-in endpoint that takes every request for a path, or for all below it; for warnings."""
    for builtin in builtins:
        inside = path.startswith(builtin.path + "/") and builtin.is_prefix
        same = path == builtin.path and (builtin.is_prefix or not is_prefix)
        if not builtin.yields and (inside or same):
            return builtin
    return None


class BuiltinNode:
    """A tree of literal segments with the built-in endpoints in it."""

    __slots__ = ("below", "exact", "prefix")

    def __init__(self, builtins: Iterable[BuiltinRoute] = ()) -> None:
        self.below: dict[str, BuiltinNode] = {}
        self.exact: BuiltinRoute | None = None
        self.prefix: BuiltinRoute | None = None
        for builtin in builtins:
            self._insert(builtin)

    def _insert(self, builtin: BuiltinRoute) -> None:
        node = self
        for segment in builtin.path.split("/")[1:]:
            node = node.below.setdefault(segment, BuiltinNode())
        if builtin.is_prefix:
            node.prefix = builtin
        else:
            node.exact = builtin

    def find(self, segments: Sequence[str], depth: int = 1) -> BuiltinRoute | None:
        """The endpoint for a path's segments (the first, before the leading slash, is empty)."""
        node, found = self, self.prefix
        for at in range(depth, len(segments)):
            below = node.below.get(segments[at])
            if below is None:
                return found
            node, found = below, below.prefix or found
        return node.exact or found

    def depth(self) -> int:
        """How many segments the longest endpoint has."""
        return 1 + max((below.depth() for below in self.below.values()), default=-1)
