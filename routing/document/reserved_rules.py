"""P: Warns of routes that are never reached since the gateway keeps their path for itself."""

from collections.abc import Iterator, Mapping
from typing import Any

from routing.document.findings import Finding
from routing.document.path_rules import PATH
from routing.paths import BadPath
from routing.patterns import PathType, parse_pattern
from routing.problems import quote
from routing.reserved import reserved_routes, reserving


class ReservedPaths:
    """The built-in endpoints of one gateway."""

    __slots__ = ("_builtins", "_first_segments")

    def __init__(self, api_prefix: str) -> None:
        self._builtins = reserved_routes(api_prefix)
        self._first_segments = {builtin.path.split("/")[1] for builtin in self._builtins}

    def check(self, raw: Mapping[str, Any]) -> Iterator[Finding]:
        """A warning when every request that the route could match goes elsewhere."""
        match = raw.get("match")
        path = match.get("path") if isinstance(match, dict) else None
        if not isinstance(match, dict) or not isinstance(path, str):
            return
        kind: PathType
        if (kind := match.get("path_type") or "prefix") not in ("exact", "prefix"):
            return
        # Most routes are told apart by their first segment; escapes need a closer look.
        if "%" not in path and path[1:].partition("/")[0] not in self._first_segments:
            return
        pattern = parse_pattern(path, kind)
        if isinstance(pattern, BadPath):
            return
        builtin = reserving(pattern.text, is_prefix=kind == "prefix", builtins=self._builtins)
        if builtin is not None:
            message = f"{quote(path)} is never reached: {builtin.path} belongs to the gateway"
            yield Finding("gateway.W002", PATH, message, path)
