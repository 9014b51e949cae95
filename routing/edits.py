"""P: A change of the configuration as single edits, which can be carried out on another document and taken back.

An edit names one key of one entry, and what it was before. Carried out, it changes what is still as it was; what
somebody else has changed meanwhile is left alone and told. Documents are canonical.
"""

import copy
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson

from routing.diff import ABSENT
from routing.document.schema import KINDS

Document = Mapping[str, Any]
DEFAULTS: Final = "defaults"


@dataclass(frozen=True, slots=True)
class Edit:
    """`key` leads from the entry to the value; empty for the entry itself. ABSENT: it is not there.

    The document's `defaults` are an entry without a name.
    """

    kind: str
    name: str
    key: tuple[str, ...]
    before: Any
    after: Any

    @property
    def place(self) -> str:
        """`route "orders" match.path`."""
        entry = self.kind if self.kind == DEFAULTS else f'{self.kind.removesuffix("s")} "{self.name}"'
        return " ".join(filter(None, (entry, ".".join(self.key))))

    def reversed(self) -> "Edit":
        """What takes it back."""
        return Edit(self.kind, self.name, self.key, self.after, self.before)

    def as_json(self) -> dict[str, Any]:
        """`before` or `after` is missing where the key is."""
        values = {"before": self.before, "after": self.after}
        there = {name: value for name, value in values.items() if value is not ABSENT}
        return {"kind": self.kind, "name": self.name, "key": list(self.key), **there}


@dataclass(frozen=True, slots=True)
class Conflict:
    """An edit whose place is neither as it was before nor as it would be afterwards."""

    edit: Edit
    found: Any

    def __str__(self) -> str:
        return f"{self.edit.place} was changed by somebody else meanwhile"


@dataclass(frozen=True, slots=True)
class Carried:
    """`done` are the edits that changed something; what was as it should be already is not among them."""

    document: dict[str, Any]
    done: tuple[Edit, ...]
    conflicts: tuple[Conflict, ...]


def from_json(values: Iterable[Mapping[str, Any]]) -> tuple[Edit, ...]:
    """Edits from what `as_json` gave."""
    return tuple(
        Edit(
            value["kind"],
            value["name"],
            tuple(value["key"]),
            value.get("before", ABSENT),
            value.get("after", ABSENT),
        )
        for value in values
    )


def edits_between(old: Document, new: Document) -> tuple[Edit, ...]:
    """The edits that make `new` of `old`; mappings are compared key by key, everything else whole."""
    before, after = _entries(old), _entries(new)
    return tuple(
        edit
        for kind, name in dict.fromkeys((*before, *after))
        for edit in _between(
            kind, name, (), before.get((kind, name), ABSENT), after.get((kind, name), ABSENT)
        )
    )


def carry_out(document: Document, edits: Sequence[Edit]) -> Carried:
    """The document with all edits that are still possible; `document` is left as it is."""
    entries = dict(_entries(document))
    touched: set[tuple[str, str]] = set()
    done, conflicts = [], []
    for edit in edits:
        at = edit.kind, edit.name
        if at not in touched and at in entries:
            entries[at] = copy.deepcopy(entries[at])
        touched.add(at)
        found = _found(entries.get(at, ABSENT), edit.key)
        if same(found, edit.after):
            continue
        if not same(found, edit.before) or not _has_parent(entries.get(at, ABSENT), edit.key):
            conflicts.append(Conflict(edit, found))
            continue
        _put(entries, edit)
        done.append(edit)
    return Carried(_document(document, entries), tuple(done), tuple(conflicts))


def overlapping(mine: Iterable[Edit], theirs: Iterable[Edit]) -> list[Edit]:
    """Those of mine that change what one of theirs changes, or a part of it, or more than that."""
    places: dict[tuple[str, str], list[tuple[str, ...]]] = {}
    for edit in theirs:
        places.setdefault((edit.kind, edit.name), []).append(edit.key)
    return [
        edit
        for edit in mine
        if any(key[: len(edit.key)] == edit.key[: len(key)] for key in places.get((edit.kind, edit.name), ()))
    ]


def same(one: Any, other: Any) -> bool:
    """Equal as JSON: Python takes 1 for True, a document does not."""
    if one is ABSENT or other is ABSENT:
        return one is other
    return orjson.dumps(one, option=orjson.OPT_SORT_KEYS) == orjson.dumps(other, option=orjson.OPT_SORT_KEYS)


def _between(kind: str, name: str, key: tuple[str, ...], before: Any, after: Any) -> Iterator[Edit]:
    if same(before, after):
        return
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for step in dict.fromkeys((*before, *after)):
            yield from _between(kind, name, (*key, step), before.get(step, ABSENT), after.get(step, ABSENT))
    else:
        yield Edit(kind, name, key, before, after)


def _entries(document: Document) -> dict[tuple[str, str], Any]:
    found = {(kind, entry["name"]): entry for kind in KINDS for entry in document.get(kind) or ()}
    if document.get(DEFAULTS):
        found[DEFAULTS, ""] = document[DEFAULTS]
    return found


def _document(before: Document, entries: Mapping[tuple[str, str], Any]) -> dict[str, Any]:
    made = {name: value for name, value in before.items() if name not in (*KINDS, DEFAULTS)}
    for (kind, _), entry in entries.items():
        if kind == DEFAULTS:
            made[kind] = entry
        else:
            made.setdefault(kind, []).append(entry)
    return made


def _found(entry: Any, key: Sequence[str]) -> Any:
    for step in key:
        if not isinstance(entry, Mapping) or step not in entry:
            return ABSENT
        entry = entry[step]
    return entry


def _has_parent(entry: Any, key: Sequence[str]) -> bool:
    """Whether there is still something that the key may be set in."""
    return not key or isinstance(_found(entry, key[:-1]), Mapping)


def _put(entries: dict[tuple[str, str], Any], edit: Edit) -> None:
    at = edit.kind, edit.name
    if not edit.key:
        if edit.after is ABSENT:
            del entries[at]
        else:
            entries[at] = copy.deepcopy(edit.after)
        return
    parent = _found(entries[at], edit.key[:-1])
    if edit.after is ABSENT:
        del parent[edit.key[-1]]
    else:
        parent[edit.key[-1]] = copy.deepcopy(edit.after)


def sketch(edits: Iterable[Edit]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two documents, before and after, of nothing but what the edits name: for showing them with `diff`."""
    before: dict[tuple[str, str], Any] = {}
    after: dict[tuple[str, str], Any] = {}
    for edit in edits:
        _draw(before, edit, edit.before)
        _draw(after, edit, edit.after)
    return _document({}, before), _document({}, after)


def _draw(entries: dict[tuple[str, str], Any], edit: Edit, value: Any) -> None:
    at = edit.kind, edit.name
    if not edit.key:
        if value is not ABSENT:
            entries[at] = value
        return
    place = entries.setdefault(at, {} if edit.kind == DEFAULTS else {"name": edit.name})
    if value is ABSENT:
        return
    for step in edit.key[:-1]:
        place = place.setdefault(step, {})
    place[edit.key[-1]] = value
