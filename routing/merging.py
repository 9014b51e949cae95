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


def patch(current: Mapping[str, Any], given: Any) -> Any:
    """Lays single keys over entries that exist, as RFC 7396 does it: null removes a key; new entries are added whole.

    A `given` that is not shaped like a document comes back as it is: validation says what is wrong with it.
    """
    if not _is_shaped(given):
        return given
    known = {(kind, entry["name"]): entry for kind in KINDS for entry in current.get(kind) or ()}
    patched = dict(given)
    for kind in KINDS:
        if kind in given:
            patched[kind] = [
                _patched(known.get((kind, entry["name"]), {}), entry) for entry in given[kind] or ()
            ]
    if isinstance(given.get("defaults"), Mapping):
        patched["defaults"] = _patched(current.get("defaults") or {}, given["defaults"])
    return patched


def _patched(old: Any, new: Any) -> Any:
    if not isinstance(new, Mapping):
        return new
    made = dict(old) if isinstance(old, Mapping) else {}
    for key, value in new.items():
        if value is None:
            made.pop(key, None)
        else:
            made[key] = _patched(made.get(key), value)
    return made


def _is_shaped(given: Any) -> bool:
    """Whether every kind is a list of mappings with names."""
    return isinstance(given, dict) and all(_is_list(given.get(kind)) for kind in KINDS)


def _is_list(value: Any) -> bool:
    return value is None or (
        isinstance(value, list)
        and all(isinstance(entry, dict) and isinstance(entry.get("name"), str) for entry in value)
    )
