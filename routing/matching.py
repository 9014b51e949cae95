"""P: Which route takes a request: one lookup by host, one walk down the path's segments.

The order of routes is fixed when the index is built (`routing.ranking`); a match compares integers.
Nothing here is a list of regular expressions: a regex waits at the segments that it begins with.
"""

from __future__ import annotations

import heapq
from collections.abc import Generator, Iterable, Iterator, Sequence

from routing.conditions import Headers
from routing.entries import NO_BOUND, Entry, check_of
from routing.hosts import request_host, wildcards
from routing.ranking import ANY_HOST, Rank, route_rank
from routing.reserved import BuiltinNode
from routing.snapshot import BuiltinRoute, CompiledRoute, Miss
from routing.tree import Tree

NOT_FOUND = Miss()

_TURN = 200  # entries between two turns for others while an index is built
_MEMORY = 4096  # Host values remembered beside those that routes name


class RouteIndex:
    """All routes, ready to be matched. Build it with `build_index`."""

    __slots__ = ("_builtins", "_memory_limit", "_remembered", "_reserved", "_splits", "_trees", "_yielding")

    def __init__(self, trees: dict[str, Tree], builtins: Sequence[BuiltinRoute], depth: int) -> None:
        self._trees = trees  # by host pattern, ANY_HOST included
        self._builtins = BuiltinNode(builtin for builtin in builtins if not builtin.yields)
        self._reserved = self._builtins.below
        self._yielding = BuiltinNode(builtin for builtin in builtins if builtin.yields)
        # Segments beyond the deepest node are never looked at, so they are not even split off.
        self._splits = max(depth, self._builtins.depth(), self._yielding.depth()) + 1
        self._remembered: dict[bytes, tuple[Tree, ...]] = {}
        self._memory_limit = _MEMORY + 2 * len(trees)

    def match(
        self, method: str, host: bytes, path: str, headers: Headers, query: bytes
    ) -> CompiledRoute | BuiltinRoute | Miss:
        """The route for a request. `host` is the raw Host value, `path` a NormalPath's matching form.

        Header names are lower case, `query` is raw. Positional, because it runs for every request.
        """
        segments = path.split("/", self._splits)
        node = self._reserved.get(segments[1])
        if node is not None:
            builtin = node.find(segments, 2)
            if builtin is not None:
                return builtin
        trees = self._remembered.get(host)
        if trees is None:
            trees = self._remember(host)
        wanted = (path, method, headers, query)
        found, bound = None, NO_BOUND
        for tree in trees:
            if tree.best < bound:
                entry = tree.search(segments, wanted, bound)
                if entry is not None:
                    found, bound = entry, entry[0]
        if found is not None:
            return found[3]
        return self._yielding.find(segments) or self._miss(path, host, headers, query)

    def candidates(self, host: bytes, path: str) -> Iterator[CompiledRoute]:
        """Routes whose host and place in the tree fit; conditions and regular expressions are not asked."""
        segments = path.split("/", self._splits)
        for tree in self._remembered.get(host) or self._remember(host):
            for entry in tree.candidates(path, segments):
                yield entry.route

    def builtin(self, path: str) -> BuiltinRoute | None:
        """The reserved endpoint at a path, if there is one."""
        return self._builtins.find(path.split("/", self._splits))

    def _miss(self, path: str, host: bytes, headers: Headers, query: bytes) -> Miss:
        segments = path.split("/", self._splits)
        allow: set[str] = set()
        for tree in self._remembered.get(host) or self._remember(host):
            for entry in tree.candidates(path, segments):
                methods, check = entry.methods, entry.check
                if methods and not methods <= allow and (check is None or check(path, headers, query)):
                    allow |= methods
        return Miss(tuple(sorted(allow))) if allow else NOT_FOUND

    def _remember(self, raw: bytes) -> tuple[Tree, ...]:
        host = request_host(raw)
        patterns = (host, *wildcards(host), ANY_HOST) if host else (ANY_HOST,)
        trees = tuple(self._trees[pattern] for pattern in patterns if pattern in self._trees)
        if len(self._remembered) >= self._memory_limit:
            self._remembered.clear()
        self._remembered[raw] = trees
        return trees


def build_index(
    routes: Iterable[CompiledRoute], builtins: Sequence[BuiltinRoute]
) -> Generator[None, None, RouteIndex]:
    """Build an index in small steps; the caller may do something else between two of them."""
    trees: dict[str, Tree] = {}
    methods: dict[tuple[str, ...], frozenset[str]] = {(): frozenset()}
    depth = order = 0
    for order, (_, host, route) in enumerate((yield from _sorted(routes))):
        tree = trees.get(host)
        if tree is None:
            tree = trees[host] = Tree()
        allowed = methods.setdefault(route.methods, frozenset(route.methods)) or None
        tree.insert(Entry(order, allowed, check_of(route), route), route.pattern)
        depth = max(depth, len(route.pattern.segments))
        if order % _TURN == 0:
            yield
    for tree in trees.values():
        tree.settle()
    return RouteIndex(trees, builtins, depth)


def index_of(routes: Iterable[CompiledRoute], builtins: Sequence[BuiltinRoute] = ()) -> RouteIndex:
    """An index, built at one go."""
    steps = build_index(routes, builtins)
    while True:
        try:
            next(steps)
        except StopIteration as done:
            index: RouteIndex = done.value
            return index


_Ranked = tuple[Rank, str, CompiledRoute]


def _sorted(routes: Iterable[CompiledRoute]) -> Generator[None, None, list[_Ranked]]:
    """Every route under each of its hosts, in order; sorted in pieces, so that no step is long."""
    pieces: list[list[_Ranked]] = []
    piece: list[_Ranked] = []
    for route in routes:
        piece += [(route_rank(route, host), host, route) for host in route.hosts or (ANY_HOST,)]
        if len(piece) >= _TURN:
            pieces.append(sorted(piece, key=_by_rank))
            piece = []
            yield
    pieces.append(sorted(piece, key=_by_rank))
    merged: list[_Ranked] = []
    for ranked in heapq.merge(*pieces, key=_by_rank):
        merged.append(ranked)
        if len(merged) % _TURN == 0:
            yield
    return merged


def _by_rank(ranked: _Ranked) -> Rank:
    return ranked[0]
