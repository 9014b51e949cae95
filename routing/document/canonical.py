"""P: The one way in which a configuration is written: ordered, without what goes without saying.

Entries are sorted by name and keys stand in schema order; keys at their defaults and sections that say
nothing are dropped; all else stays as written. So equal configurations are equal texts, which diffs,
digests and repeated exports rest on. Works on any JSON-like value, valid or not.
"""

import hashlib
import json
from collections.abc import Mapping
from operator import attrgetter
from typing import Any, Final

from routing.document.schema import KINDS
from routing.document.shape import Key, Shape, document_shape, entry_shape
from routing.document.writer import write_yaml
from routing.exactly import exactly_equal

Raw = Mapping[str, Any]
_NOTHING: Final[Raw] = {}
_order: Final = attrgetter("order")


def canonicalise(raw: Raw, *, known: Raw = _NOTHING) -> dict[str, Any]:
    """The canonical form of a raw document. Idempotent; the argument is not changed.

    `known` is canonical: where its entries are equal, they stand in the result themselves, which is quicker, and what
    compares the two then sees at once that they are the same.
    """
    shape = document_shape()
    document: dict[str, Any] = {"version": 1 if raw.get("version") is None else raw["version"]}
    defaults = _section(raw.get("defaults"), entry_shape("defaults"), _NOTHING)
    if defaults:
        document["defaults"] = defaults
    kept = defaults if isinstance(defaults, dict) else _NOTHING
    for kind in KINDS:
        entries = raw.get(kind)
        if isinstance(entries, list):
            # A route's key that repeats the schema's default may be there to override `defaults`.
            overriding = kept if kind == "routes" else _NOTHING
            is_alike = kind != "routes" or exactly_equal(kept, known.get("defaults") or _NOTHING)
            there = _by_name(known.get(kind)) if is_alike else _NOTHING
            entries = _ordered([_entry(entry, entry_shape(kind), overriding, there) for entry in entries])
        if entries not in (None, []):
            document[kind] = entries
    for name in sorted(str(name) for name in raw if name not in shape.keys):
        document[name] = raw.get(name)
    return document


def dump_yaml(raw: Raw) -> str:
    """The document as YAML text, for any YAML 1.1 or 1.2 reader; the order is that of the argument."""
    return write_yaml(raw)


def digest(raw: Raw, *, is_canonical: bool = False) -> str:
    """SHA-256 of the canonical form, in hexadecimal; the order of entries and keys does not matter."""
    document = raw if is_canonical else canonicalise(raw)
    text = json.dumps(document, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _by_name(entries: Any) -> dict[str, Any]:
    return {entry["name"]: entry for entry in entries or ()}


def _entry(value: Any, shape: Shape, overriding: Raw, known: Raw) -> Any:
    name = value.get("name") if isinstance(value, dict) else None
    there = known.get(name) if isinstance(name, str) else None
    if there is not None and exactly_equal(value, there):
        return there
    return _section(value, shape, overriding)


def _section(value: Any, shape: Shape, overriding: Raw) -> Any:
    """A mapping in canonical form; keys in `overriding` are kept even at their defaults."""
    if not (type(value) is dict or isinstance(value, Mapping)):
        return value
    section: dict[str, Any] = {}
    # Of very many keys an entry has a few: those are put in order, instead of asking for all.
    for key in sorted([key for name in value if (key := shape.keys.get(name)) is not None], key=_order):
        item = value[key.name]
        if item is None:
            continue
        item = _value(item, key)
        if key.name in overriding or key.always_written or not _says_nothing(item, key):
            section[key.name] = item
    for name in sorted([str(name) for name in value if name not in shape.keys]):
        item = value.get(name)
        if shape.extra is not None:
            section[name] = _section(item, shape.extra, _NOTHING)
        elif item is not None:
            section[name] = item
    return section


def _value(item: Any, key: Key) -> Any:
    if key.below is not None:
        if key.form == "section":
            return _section(item, key.below, _NOTHING)
        if key.form == "list" and isinstance(item, list):
            return [_section(each, key.below, _NOTHING) for each in item]
        if key.form == "map" and isinstance(item, Mapping):
            return {str(name): _section(item[name], key.below, _NOTHING) for name in sorted(item, key=str)}
    if (key.form == "map" or key.parse is not None) and isinstance(item, Mapping):
        return {str(name): item[name] for name in sorted(item, key=str)}
    return item


def _says_nothing(item: Any, key: Key) -> bool:
    if key.is_default(item):
        return True
    return item == {} and key.form == "section" and key.below is not None and key.below.empty_is_absent


def _ordered(entries: list[Any]) -> list[Any]:
    """By name; what has no name of its own is put in a stable order, too."""
    names = [entry.get("name") if isinstance(entry, Mapping) else None for entry in entries]
    if all(isinstance(name, str) for name in names) and len(set(names)) == len(names):
        return sorted(entries, key=lambda entry: entry["name"])
    return sorted(entries, key=lambda entry: json.dumps(entry, sort_keys=True, default=str))
