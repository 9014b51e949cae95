"""P: nginx's configuration as a tree (https://nginx.org/en/docs/dirindex.html)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Directive:
    """`name args;`, or `name args { block }`."""

    name: str
    args: tuple[str, ...]
    place: str
    block: tuple[Directive, ...] = ()

    def all(self, name: str) -> Iterator[Directive]:
        """Those directly in its block."""
        return (each for each in self.block if each.name == name)
