"""P: The tree of path segments behind one host pattern, and the search in it.

Theory of operation. Every entry has a number, its place in the one order of all routes; the smaller
wins. A search walks down the segments of the path, gathers the lists of entries that it passes, and
looks at them from the most specific on. Where both a literal and a placeholder could be next, the
placeholder's branch is put off, and left out when nothing in it could win any more. A search sees a
node at most once, so it is bounded by the tree's size and depth, however long the path is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from routing.crowds import Crowd
from routing.entries import NO_BOUND, Entry, Wanted, first_of
from routing.patterns import PathPattern

Entries = list[Entry] | Crowd

_CROWD = 4  # more entries than this at one place are not tried one by one


class Node:
    """A place in the tree. Entries come in order, so lists are sorted and the first is the best."""

    __slots__ = ("best", "ends", "literals", "passing", "placeholder")

    def __init__(self, best: int) -> None:
        self.best = best  # the smallest order here and below
        self.literals: dict[str, Node] = {}
        self.placeholder: Node | None = None
        self.passing: Entries = []  # take every path that comes by
        self.ends: Entries = []  # take a path that ends here

    def child(self, segment: str | None, best: int) -> Node:
        """The node below for a segment (None: a placeholder), made if it is new."""
        node = self.placeholder if segment is None else self.literals.get(segment)
        if node is None:
            node = Node(best)
            if segment is None:
                self.placeholder = node
            else:
                self.literals[segment] = node
        return node


class Tree:
    """All entries of one host pattern."""

    __slots__ = ("_crowded", "best", "best_below", "exact", "root")

    def __init__(self) -> None:
        self.best = NO_BOUND
        self.best_below = NO_BOUND  # of the entries that are not exact
        self.exact: dict[str, Entries] = {}
        self.root = Node(NO_BOUND)
        self._crowded: list[tuple[Any, str]] = []

    def insert(self, entry: Entry, pattern: PathPattern) -> None:
        """Add an entry; its order must be above that of all entries in the tree."""
        self.best = min(self.best, entry.order)
        if pattern.kind == "exact":
            self._append(self.exact.setdefault(pattern.text, []), entry, self.exact, pattern.text)
            return
        self.best_below = min(self.best_below, entry.order)
        node = self.root
        for segment in pattern.segments:
            node = node.child(segment, entry.order)
        if pattern.kind == "template":
            self._append(node.ends, entry, node, "ends")
        else:
            self._append(node.passing, entry, node, "passing")

    def _append(self, entries: Entries, entry: Entry, holder: object, name: str) -> None:
        assert isinstance(entries, list)  # crowds are formed when all entries are there
        entries.append(entry)
        if len(entries) == _CROWD + 1:
            self._crowded.append((holder, name))

    def settle(self) -> None:
        """Form the crowds; no entry may be added any more."""
        for holder, name in self._crowded:
            if isinstance(holder, Node):
                setattr(holder, name, Crowd(getattr(holder, name)))
            else:
                holder[name] = Crowd(holder[name])
        self._crowded.clear()

    def search(self, segments: Sequence[str], wanted: Wanted, bound: int) -> Entry | None:
        """The first entry in order that takes the request, among those with an order under the bound."""
        found = None
        exact = self.exact.get(wanted[0])
        if exact is not None:
            found = first_of(exact, wanted, bound) if isinstance(exact, list) else exact.first(wanted, bound)
            if found is not None:
                bound = found[0]
        if self.best_below >= bound:
            return found
        node, depth = self.root, 1
        postponed: list[tuple[Node, int]] = []
        while True:
            for entries in reversed(_descend(node, depth, segments, postponed)):
                entry = (
                    first_of(entries, wanted, bound)
                    if isinstance(entries, list)
                    else entries.first(wanted, bound)
                )
                if entry is not None:
                    found, bound = entry, entry[0]
            while postponed:
                node, depth = postponed.pop()
                if node.best < bound:
                    break
            else:
                return found

    def candidates(self, path: str, segments: Sequence[str]) -> Iterator[Entry]:
        """Every entry whose place in the tree fits the path; nothing else of the request is asked."""
        yield from self.exact.get(path, ())
        postponed = [(self.root, 1)]
        while postponed:
            node, depth = postponed.pop()
            for entries in _descend(node, depth, segments, postponed):
                yield from entries


def _descend(
    node: Node, depth: int, segments: Sequence[str], postponed: list[tuple[Node, int]]
) -> list[Entries]:
    """Walk down from a node; the lists of entries on the way. Branches not taken are added to `postponed`."""
    gathered: list[Entries] = []
    end = len(segments)
    while True:
        if node.passing:
            gathered.append(node.passing)
        if depth == end:
            if node.ends:
                gathered.append(node.ends)
            return gathered
        segment = segments[depth]
        below = node.literals.get(segment)
        if node.placeholder is not None and segment:
            if below is None:
                below = node.placeholder
            else:
                postponed.append((node.placeholder, depth + 1))
        if below is None:
            return gathered
        node = below
        depth += 1
