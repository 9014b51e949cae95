"""P: A document laid over the configuration that exists: what the file does not name is left alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from routing.columns import KINDS, by_name
from routing.document.base import MARK
from routing.problems import ConfigurationInvalid, Problem, quote

Entry = Mapping[str, Any]


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
        known = by_name(current.get(kind))
        mine = [keeping_mark(known.get(entry["name"]), entry) for entry in given.get(kind) or ()]
        names = {entry["name"] for entry in mine}
        others = [entry for entry in current.get(kind) or () if entry["name"] not in names]
        if prune:
            pruned += [f"{kind} {entry['name']}" for entry in others]
        if mine or (others and not prune):
            merged[kind] = mine if prune else [*mine, *others]
    return Merge(merged, tuple(pruned))


def merge_managed(
    current: Mapping[str, Any], given: Any, owner: str, *, prune: bool, take_over: bool
) -> Merge:
    """Lays `given` over `current` for `owner`, whose mark its entries get. With `prune` what bears the mark and is not
    named goes, and is listed; all else stays.

    Raises ConfigurationInvalid for entries that `owner` did not make, unless it is to take them over.
    """
    if not _is_shaped(given):
        return Merge(given)
    merged = dict(given)
    if "defaults" not in given and current.get("defaults"):
        merged["defaults"] = current["defaults"]
    pruned: list[str] = []
    faults: list[Problem] = []
    for kind in KINDS:
        known = by_name(current.get(kind))
        mine = given.get(kind) or []
        for place, entry in enumerate(mine):
            whose = _stranger(entry, known.get(entry["name"]), owner, take_over=take_over)
            if whose:
                where = f"{kind}[{place}].{MARK}"
                faults.append(Problem("gateway.E049", where, f"{quote(entry['name'])} {whose}"))
        names = {entry["name"] for entry in mine}
        others = [entry for name, entry in known.items() if name not in names]
        goes = [entry for entry in others if prune and entry.get(MARK) == owner]
        pruned += [f"{kind} {entry['name']}" for entry in goes]
        if mine or others:
            stays = [entry for entry in others if not (prune and entry.get(MARK) == owner)]
            merged[kind] = [*({**entry, MARK: owner} for entry in mine), *stays]
    if faults:
        raise ConfigurationInvalid(faults)
    return Merge(merged, tuple(pruned))


def laid_over(
    current: Mapping[str, Any], given: Any, *, prune: bool, managed_by: str = "", take_over: bool = False
) -> Merge:
    """By `merge`, or by `merge_managed` where the document is somebody's."""
    if managed_by:
        return merge_managed(current, given, managed_by, prune=prune, take_over=take_over)
    return merge(current, given, prune=prune)


def keeping_mark(current: Entry | None, entry: Entry) -> Entry:
    """The entry with the mark of the one that it takes the place of, unless it says itself whose it is (null:
    nobody's)."""
    if current is None or MARK in entry or current.get(MARK) is None:
        return entry
    return {**entry, MARK: current[MARK]}


def releasing(patch: Entry, made: Mapping[str, Any]) -> dict[str, Any]:
    """What a patch has made of an entry; where it takes the mark away, that is said: silence would keep it."""
    is_released = MARK in patch and patch[MARK] is None
    return {**made, MARK: None} if is_released else dict(made)


def managed_part(document: Mapping[str, Any], owner: str) -> dict[str, Any]:
    """The entries that bear a mark, as a document."""
    part: dict[str, Any] = {"version": document.get("version", 1)}
    for kind in KINDS:
        if found := [entry for entry in document.get(kind) or () if entry.get(MARK) == owner]:
            part[kind] = found
    return part


def _stranger(entry: Entry, there: Entry | None, owner: str, *, take_over: bool) -> str:
    """Whose it is, if it is not the owner's."""
    asked = f"{quote(owner)} has to be told to take it over"
    if (written := entry.get(MARK)) is not None and written != owner:
        return f"is written as managed by {quote(str(written))}, not by {quote(owner)}"
    if there is None or take_over or there.get(MARK) == owner:
        return ""
    if there.get(MARK) is None:
        return f"is there already and belongs to nobody: {asked}"
    return f"is managed by {quote(there[MARK])}: {asked}"


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
                releasing(entry, _patched(known.get((kind, entry["name"]), {}), entry))
                for entry in given[kind] or ()
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
