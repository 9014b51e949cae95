"""P: JSON merge patches (RFC 7396), and one entry put into a document or taken out of it."""

from collections.abc import Mapping
from typing import Any

from routing.merging import Merge, keeping_mark

Raw = Mapping[str, Any]


def patched(value: Any, patch: Any) -> Any:
    """The value with the patch laid over it: null removes a key, lists are replaced whole."""
    if not isinstance(patch, Mapping):
        return patch
    found = dict(value) if isinstance(value, Mapping) else {}
    for name, each in patch.items():
        if each is None:
            found.pop(name, None)
        else:
            found[name] = patched(found.get(name), each)
    return found


def found(document: Raw, kind: str, name: str) -> Raw | None:
    """The entry of this name."""
    return next((entry for entry in document.get(kind) or () if entry["name"] == name), None)


def with_entry(document: Raw, kind: str, entry: Raw) -> Merge:
    """The entry in place of the one of its name, first of its kind, so that its problems have a place."""
    others = [each for each in document.get(kind) or () if each["name"] != entry["name"]]
    written = keeping_mark(found(document, kind, entry["name"]), entry)
    return Merge({**document, kind: [written, *others]})


def without_entry(document: Raw, kind: str, name: str) -> Merge:
    """All but the entry of this name."""
    others = [each for each in document.get(kind) or () if each["name"] != name]
    return Merge({**document, kind: others}, (f"{kind} {name}",))
