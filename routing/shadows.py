"""P: Routes that can never match, because others take every request that they could.

Theory of operation. Routes are looked at in their one order, each under each of its hosts, and a tree
of those seen so far is asked for one that takes at least as much: host, path, methods and conditions.
Only what is certain counts. Two routes that cover a third together, or a regular expression that
happens to match everything that a prefix holds, are not seen: no route is ever accused wrongly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice

from routing.hosts import wildcards
from routing.patterns import PathPattern
from routing.ranking import ANY_HOST, Rank, route_rank, why_before
from routing.regexes import everything_below
from routing.reserved import BuiltinNode
from routing.snapshot import BuiltinRoute, CompiledRoute

Condition = tuple[bytes, bytes, object, object]  # kind, name, value, pattern
Conditions = frozenset[Condition]

NO_CONDITIONS: Conditions = frozenset()

_MOST_CONDITIONS = 6  # a route with more is compared with routes that ask for none, one or all of them
_MOST_ALIKE = 64  # of routes that differ only in their methods
_MOST_REGEXES = 16  # looked at in one place


@dataclass(frozen=True, slots=True)
class Shadow:
    """A route that is never reached, what takes its requests, and why that comes first."""

    route: str
    covered_by: str
    why: str

    def __str__(self) -> str:
        return f'route "{self.route}" can never match: {self.covered_by} takes all its requests; {self.why}'


def find_shadows(
    routes: Iterable[CompiledRoute], builtins: Sequence[BuiltinRoute] = ()
) -> tuple[Shadow, ...]:
    """Every route that is certainly never reached, in the order of routes. Disabled ones are not given."""
    reserved = BuiltinNode(builtin for builtin in builtins if not builtin.yields)
    trees: dict[str, _Place] = {}
    covers: dict[str, list[_Seen]] = {}
    shadows = []
    ranked = [
        (route_rank(route, host), host, route) for route in routes for host in route.hosts or (ANY_HOST,)
    ]
    for rank, host, route in sorted(ranked, key=lambda entry: entry[0]):
        taker = _reserved(route, reserved)
        if taker is not None:
            if route.name not in covers:
                covers[route.name] = []
                shadows.append(
                    Shadow(route.name, f"the gateway's own {taker.path}", "reserved paths come first")
                )
            continue
        seen = _Seen(rank, route, _conditions(route), frozenset(route.methods))
        cover = _cover(trees, host, seen)
        if cover is None:
            trees.setdefault(host, _Place()).insert(seen, route.pattern)
            continue
        found = covers.setdefault(route.name, [])
        found.append(cover)
        if len(found) == max(1, len(route.hosts)):
            shadows.append(_shadow(route, found, rank))
    return tuple(shadows)


def are_matched_alike(mine: Mapping[str, CompiledRoute], yours: Mapping[str, CompiledRoute]) -> bool:
    """Whether in both, which are enabled routes by name, the same are never reached, for the same reasons."""
    return mine is yours or (
        mine.keys() == yours.keys()
        and all(
            route is (other := yours[name]) or _matched(route) == _matched(other)
            for name, route in mine.items()
        )
    )


def _matched(route: CompiledRoute) -> tuple[object, ...]:
    """All that routes are compared by."""
    hosts, headers, query = route.hosts, route.headers, route.query
    return route.name, route.rank, route.priority, hosts, route.pattern, route.methods, headers, query


def _shadow(route: CompiledRoute, covers: Sequence[_Seen], rank: Rank) -> Shadow:
    names = " and ".join(f'"{name}"' for name in dict.fromkeys(cover.route.name for cover in covers))
    return Shadow(route.name, names, why_before(covers[-1].rank, rank))


@dataclass(frozen=True, slots=True)
class _Seen:
    """A route under one of its hosts."""

    rank: Rank
    route: CompiledRoute
    conditions: Conditions
    methods: frozenset[str]

    def takes_methods_of(self, other: _Seen) -> bool:
        return not self.methods or (bool(other.methods) and other.methods <= self.methods)


class _Bag:
    """Routes that take the same paths, by their conditions."""

    __slots__ = ("by_conditions",)

    def __init__(self) -> None:
        self.by_conditions: dict[Conditions, list[_Seen]] = {}

    def add(self, seen: _Seen) -> None:
        self.by_conditions.setdefault(seen.conditions, []).append(seen)

    def cover(self, seen: _Seen) -> _Seen | None:
        """A route whose conditions and methods leave out nothing of what `seen` takes."""
        for asked in _weaker(seen.conditions):
            for earlier in islice(self.by_conditions.get(asked, ()), _MOST_ALIKE):
                if earlier.takes_methods_of(seen) and earlier.route is not seen.route:
                    return earlier
        return None


def _with(bag: _Bag | None, seen: _Seen) -> _Bag:
    bag = bag or _Bag()
    bag.add(seen)
    return bag


class _Place:
    """A place in the tree of segments, with the routes seen so far that begin or end there."""

    __slots__ = ("beyond", "ends", "literals", "placeholder", "prefixes", "regexes")

    def __init__(self) -> None:
        self.literals: dict[str, _Place] | None = None  # made when needed: most places are leaves
        self.placeholder: _Place | None = None
        self.prefixes: _Bag | None = None  # take this path and all below
        self.beyond: _Bag | None = None  # take all below, not this path itself
        self.ends: _Bag | None = None  # take this path
        self.regexes: dict[str, _Bag] | None = None  # by their text

    def insert(self, seen: _Seen, pattern: PathPattern) -> None:
        place = self._reach(pattern.segments)
        if pattern.kind == "regex":
            place.regexes = place.regexes or {}
            place.regexes[pattern.text] = _with(place.regexes.get(pattern.text), seen)
            below = everything_below(pattern.text)
            if below is not None:
                place = self._reach(below)
                place.beyond = _with(place.beyond, seen)
        elif pattern.kind == "prefix":
            place.prefixes = _with(place.prefixes, seen)
        else:
            place.ends = _with(place.ends, seen)

    def _reach(self, segments: Sequence[str | None]) -> _Place:
        place = self
        for segment in segments:
            if segment is None:
                place.placeholder = place.placeholder or _Place()
                place = place.placeholder
            else:
                place.literals = place.literals or {}
                below = place.literals.get(segment)
                if below is None:
                    below = place.literals[segment] = _Place()
                place = below
        return place


def _cover(trees: dict[str, _Place], host: str, seen: _Seen) -> _Seen | None:
    """An earlier route that takes everything that this one could under this host."""
    for pattern in dict.fromkeys((host, *wildcards(host), ANY_HOST)):
        tree = trees.get(pattern)
        if tree is not None:
            for bag in _bags_over(tree, seen.route.pattern):
                cover = bag.cover(seen)
                if cover is not None:
                    return cover
    return None


def _bags_over(tree: _Place, pattern: PathPattern) -> Iterator[_Bag]:
    """The bags whose routes take every path of a pattern."""
    segments = pattern.segments
    ends = pattern.kind in ("exact", "template")
    places = [(tree, 0)]
    while places:
        place, depth = places.pop()
        if place.prefixes is not None:
            yield place.prefixes
        if depth < len(segments):
            if place.beyond is not None:
                yield place.beyond
            places += _below(place, segments[depth], depth + 1)
        elif ends and place.ends is not None:
            yield place.ends
        if place.regexes is not None:
            yield from _regexes_over(place.regexes, pattern)


def _below(place: _Place, segment: str | None, depth: int) -> Iterator[tuple[_Place, int]]:
    if place.placeholder is not None and segment != "":
        yield place.placeholder, depth
    if segment is not None and place.literals is not None and segment in place.literals:
        yield place.literals[segment], depth


def _regexes_over(regexes: dict[str, _Bag], pattern: PathPattern) -> Iterator[_Bag]:
    if pattern.kind == "regex":
        if pattern.text in regexes:
            yield regexes[pattern.text]
    elif pattern.kind in ("exact", "template") and None not in pattern.segments:
        path = "/" + "/".join(map(str, pattern.segments))
        for bag in islice(regexes.values(), _MOST_REGEXES):
            [earlier, *_] = next(iter(bag.by_conditions.values()))
            if earlier.route.pattern.covers(path):
                yield bag


def _reserved(route: CompiledRoute, builtins: BuiltinNode) -> BuiltinRoute | None:
    """The endpoint of the gateway that takes every path of a route."""
    pattern = route.pattern
    literal = pattern.segments
    if None in literal:
        literal = literal[: literal.index(None)]
    found = builtins.find(["", *map(str, literal)])
    is_whole = pattern.kind in ("exact", "template") and len(literal) == len(pattern.segments)
    return found if found is not None and (found.is_prefix or is_whole) else None


def _conditions(route: CompiledRoute) -> Conditions:
    if not route.headers and not route.query:
        return NO_CONDITIONS
    return frozenset((b"header", item.name, item.value, item.regex) for item in route.headers) | frozenset(
        (b"query", item.name, item.value, item.regex) for item in route.query
    )


def _weaker(conditions: Conditions) -> Iterator[Conditions]:
    """Sets of conditions that hold whenever all of these do."""
    yield NO_CONDITIONS
    if not conditions:
        return
    sizes: Iterable[int] = range(1, len(conditions) + 1)
    if len(conditions) > _MOST_CONDITIONS:
        sizes = (1, len(conditions))
    for size in sizes:
        for some in combinations(conditions, size):
            yield frozenset(some)
