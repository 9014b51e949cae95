"""P: What the trees of the index hold: a route under one of its hosts, with its place in the order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from routing.conditions import Headers
from routing.snapshot import CompiledRoute

Check = Callable[[str, Headers, bytes], bool]
Wanted = tuple[str, str, Headers, bytes]  # path in matching form, method, headers, query

NO_BOUND = 1 << 62


class Entry(NamedTuple):
    """A route under one of its hosts. Of two entries that take a request, the smaller order wins."""

    order: int
    methods: frozenset[str] | None
    check: Check | None  # of path (for a regex), headers and query; None: nothing more to ask
    route: CompiledRoute


def first_of(entries: Sequence[Entry], wanted: Wanted, bound: int) -> Entry | None:
    """The first of some sorted entries that takes the request, if its order is under the bound."""
    path, method, headers, query = wanted
    for entry in entries:
        order, methods, check, _ = entry
        if order >= bound:
            return None
        if (methods is None or method in methods) and (check is None or check(path, headers, query)):
            return entry
    return None


def check_of(route: CompiledRoute) -> Check | None:
    """What is left to ask when host, place in the tree and method fit; None if nothing is."""
    fits = route.pattern.regex.fullmatch if route.pattern.regex is not None else None
    header_conditions, query_conditions = route.headers, route.query
    if fits is None and not header_conditions and not query_conditions:
        return None

    def check(path: str, headers: Headers, query: bytes) -> bool:
        return (
            (fits is None or fits(path) is not None)
            and all(condition.holds(headers) for condition in header_conditions)
            and all(condition.holds(query) for condition in query_conditions)
        )

    return check
