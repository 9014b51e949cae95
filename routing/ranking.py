"""P: The one order of routes. It depends on the configuration only, never on a request.

Higher priority; then exact host, longest wildcard host, any host; then exact path, more literal
segments, and left to right a literal before a placeholder before the end of a prefix; regex last;
then fewer methods (none at all last), more headers, more query parameters; then the name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from routing.patterns import PathPattern
from routing.snapshot import CompiledRoute

Rank = tuple[Any, ...]

ANY_HOST = ""
_LITERAL, _PLACEHOLDER, _PREFIX_END = range(3)

# What each place of a rank compares, in words, for explanations.
REASONS = (
    "its priority is higher",
    "its host is more exact",
    "its host is longer",
    "its kind of path is more exact",
    "its path has more literal segments",
    "its path is more specific, read from the left",
    "it is limited to methods",
    "it is limited to fewer methods",
    "it asks for more headers",
    "it asks for more query parameters",
    "its name comes first",
    "its host comes first",
)


@dataclass(frozen=True, slots=True)
class Conditions:
    """How many conditions a route has beside host and path."""

    methods: int = 0
    headers: int = 0
    query: int = 0


def rank(name: str, host: str, pattern: PathPattern, *, priority: int, conditions: Conditions) -> Rank:
    """The place of a route under one of its hosts; the smaller rank wins. ANY_HOST is the empty string."""
    literals = sum(segment is not None for segment in pattern.segments)
    is_between = pattern.kind in ("prefix", "template")
    return (
        -priority,
        2 if host == ANY_HOST else 1 if host.startswith("*") else 0,
        -len(host) if host.startswith("*") else 0,
        1 if is_between else 0 if pattern.kind == "exact" else 2,
        -literals if is_between else 0,
        _kinds(pattern) if is_between else (),
        0 if conditions.methods else 1,
        conditions.methods,
        -conditions.headers,
        -conditions.query,
        name,
        host,
    )


def best_rank(
    name: str, hosts: Sequence[str], pattern: PathPattern, *, priority: int, conditions: Conditions
) -> Rank:
    """The rank of a route under the host that serves it best."""
    return min(
        rank(name, host, pattern, priority=priority, conditions=conditions) for host in hosts or (ANY_HOST,)
    )


def route_rank(route: CompiledRoute, host: str) -> Rank:
    """The place of a compiled route under one of its hosts (ANY_HOST if it has none)."""
    if len(route.hosts) < 2:
        return route.rank
    conditions = Conditions(len(route.methods), len(route.headers), len(route.query))
    return rank(route.name, host, route.pattern, priority=route.priority, conditions=conditions)


def why_before(winner: Rank, loser: Rank) -> str:
    """The first difference between two ranks, as a clause about the winner."""
    for place, (ours, theirs) in enumerate(zip(winner, loser, strict=True)):
        if ours != theirs:
            return REASONS[place]
    return "they are the same route"


def _kinds(pattern: PathPattern) -> tuple[int, ...]:
    kinds = tuple(_PLACEHOLDER if segment is None else _LITERAL for segment in pattern.segments)
    return (*kinds, _PREFIX_END) if pattern.kind == "prefix" else kinds
