"""P: A document laid over the configuration that exists: what the file does not name is left alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from routing.columns import KINDS


@dataclass(frozen=True, slots=True)
class Merge:
    """`document` holds the file's entries first and in the file's order, so that problem paths fit the file."""

    document: Any
    pruned: tuple[str, ...] = ()


def merge(current: Mapping[str, Any], given: Any, *, prune: bool) -> Merge:
    """Lays `given` over `current`. With `prune`, what `given` does not name goes, and is listed.

    A `given` that is not shaped like a document comes back as it is: validation says what is wrong with it.
    """
    if not _is_shaped(given):
        return Merge(given)
    merged = dict(given)
    pruned: list[str] = []
    if "defaults" not in given and current.get("defaults"):
        if prune:
            pruned.append("defaults")
        else:
            merged["defaults"] = current["defaults"]
    for kind in KINDS:
        mine = given.get(kind) or []
        names = {entry["name"] for entry in mine}
        others = [entry for entry in current.get(kind) or () if entry["name"] not in names]
        if prune:
            pruned += [f"{kind} {entry['name']}" for entry in others]
        elif others:
            merged[kind] = [*mine, *others]
    return Merge(merged, tuple(pruned))


def _is_shaped(given: Any) -> bool:
    """Whether every kind is a list of mappings with names."""
    return isinstance(given, dict) and all(
        isinstance(entry, dict) and isinstance(entry.get("name"), str)
        for kind in KINDS
        for entry in _listed(given.get(kind))
    )


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
