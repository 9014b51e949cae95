"""P: What differs between two raw documents, entry by entry and key by key, for people and programs."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from routing.document.canonical import canonicalise
from routing.document.schema import KINDS
from routing.document.shape import Shape, entry_shape, find
from routing.exactly import exactly_equal, surely_equal
from routing.problems import MASK, format_path

Raw = Mapping[str, Any]
Location = tuple[str | int, ...]
_Differing = tuple[str, str, Any, Any]
"""Kind, name, and the entry before and after, or None."""
Action = Literal["added", "removed", "changed"]
_ACTIONS: Final[tuple[Action, ...]] = ("added", "removed", "changed")
_SIGNS: Final = {"added": "+", "removed": "-", "changed": "~"}
# What tells the items of a list of mappings apart, tried in this order.
_IDENTITIES: Final = ("url", "name", "service")
_SINGULAR: Final = {kind: kind.removesuffix("s").replace("_", " ") for kind in KINDS}
_MAX_VALUE: Final = 120


class _Absent:
    def __repr__(self) -> str:
        return "absent"


ABSENT: Final = _Absent()


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One key before and after; ABSENT where it is not there. `path` is relative to the entry."""

    path: str
    before: Any
    after: Any

    def __str__(self) -> str:
        if self.before is ABSENT:
            return f"{self.path}: {_item_words('added', self.after) or f'+ {_shown(self.after)}'}"
        if self.after is ABSENT:
            return f"{self.path}: {_item_words('removed', self.before) or f'- {_shown(self.before)}'}"
        return f"{self.path}: {_shown(self.before)} → {_shown(self.after)}"

    def as_json(self) -> dict[str, Any]:
        """`before` or `after` is missing where the key was."""
        values = {"before": self.before, "after": self.after}
        return {"path": self.path, **{name: v for name, v in values.items() if v is not ABSENT}}


@dataclass(frozen=True, slots=True)
class EntryChange:
    """One entry that came, went or changed. The document's `defaults` are an entry without a name."""

    kind: str
    name: str
    action: Action
    fields: tuple[FieldChange, ...] = ()
    summary: str = ""

    def as_json(self) -> dict[str, Any]:
        """For revisions and `--json`."""
        fields = [change.as_json() for change in self.fields]
        return {"kind": self.kind, "name": self.name, "action": self.action, "fields": fields}


@dataclass(frozen=True, slots=True)
class Changes:
    """Everything that differs. False when nothing does."""

    entries: tuple[EntryChange, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def of(self, kind: str, action: Action) -> tuple[str, ...]:
        """Names of the entries of a kind that were added, removed or changed."""
        return tuple(e.name for e in self.entries if e.kind == kind and e.action == action)

    def summary(self) -> str:
        """`2 routes added, 1 changed; 1 service removed`, or `no changes`."""
        parts = []
        for kind in (*KINDS, "defaults"):
            counts = [(action, len(self.of(kind, action))) for action in _ACTIONS]
            words = [f"{count} {action}" for action, count in counts if count]
            if kind == "defaults" and words:
                parts.append(f"defaults {words[0].partition(' ')[2]}")
            elif words:
                first, *rest = words
                number, _, action = first.partition(" ")
                noun = _SINGULAR[kind] if number == "1" else kind.replace("_", " ")
                parts.append(", ".join([f"{number} {noun} {action}", *rest]))
        return "; ".join(parts) or "no changes"

    def render(self) -> str:
        """Readable lines without colours: a summary, then every entry with its changes."""
        return "\n".join(self._lines())

    def as_json(self) -> dict[str, Any]:
        """`summary`, and `entries` as a list."""
        return {"summary": self.summary(), "entries": [entry.as_json() for entry in self.entries]}

    def _lines(self) -> Iterator[str]:
        yield self.summary()
        kind = None
        for entry in self.entries:
            if entry.kind != kind:
                kind = entry.kind
                yield kind
            yield f"  {_SIGNS[entry.action]} {entry.name}  {entry.summary}".rstrip()
            yield from (f"      {change}" for change in entry.fields)


def diff(old_raw: Raw, new_raw: Raw, *, are_canonical: bool = False, detailed: int | None = None) -> Changes:
    """What changes from one document to the other; how it is written does not matter.

    Of entries behind the first `detailed` (None: of all) it is only told that they changed, which is quicker.
    """
    old, new = (
        (old_raw, new_raw)
        if are_canonical
        else map(canonicalise, _apart(old_raw, new_raw, detailed=detailed))
    )
    found: list[_Differing] = []
    for kind in KINDS:
        found += _differing(kind, _by_name(old.get(kind)), _by_name(new.get(kind)))
    if old.get("defaults") != new.get("defaults"):
        found.append(("defaults", "", old.get("defaults") or None, new.get("defaults") or None))
    return Changes(tuple(_change(*each, detailed is None or n < detailed) for n, each in enumerate(found)))


def _apart(old: Raw, new: Raw, *, detailed: int | None = None) -> tuple[Raw, Raw]:
    """Both without the entries that are written alike in both, most of them: what is left is made canonical quickly.

    Routes stay where `defaults` differ, as what goes without saying depends on those. Of entries that only one of both
    has, those behind the first `detailed` are left as names.
    """
    before, after = dict(old), dict(new)
    for kind in KINDS:
        ours, theirs = _named(old.get(kind)), _named(new.get(kind))
        if ours is None or theirs is None:
            continue
        alike: set[str] = set()
        if kind != "routes" or exactly_equal(old.get("defaults"), new.get("defaults")):
            alike = {name for name, entry in ours.items() if surely_equal(entry, theirs.get(name))}
        before[kind] = _left(ours, theirs, alike, detailed)
        after[kind] = _left(theirs, ours, alike, detailed)
    return before, after


def _named(entries: Any) -> dict[str, Raw] | None:
    """By name, if each has one of its own."""
    given = entries if isinstance(entries, list) else []
    found = {
        each["name"]: each for each in given if isinstance(each, Mapping) and type(each.get("name")) is str
    }
    return found if len(found) == len(given) else None


def _left(
    entries: Mapping[str, Raw], others: Mapping[str, Raw], alike: set[str], detailed: int | None
) -> list[Raw]:
    ends = set() if detailed is None else set(sorted(entries.keys() - others.keys())[detailed:])
    return [{"name": name} if name in ends else entry for name, entry in entries.items() if name not in alike]


def _differing(kind: str, old: Mapping[str, Raw], new: Mapping[str, Raw]) -> Iterator[_Differing]:
    for name in sorted(old.keys() | new.keys()):
        before, after = old.get(name), new.get(name)
        if not exactly_equal(before, after):
            yield kind, name, before, after


def _change(kind: str, name: str, before: Any, after: Any, is_detailed: bool) -> EntryChange:
    """`before` or `after` is None where there is no such entry."""
    action: Action = "added" if before is None else "removed" if after is None else "changed"
    if not is_detailed:
        return EntryChange(kind, name, action)
    is_whole = kind != "defaults" and action == "removed"
    told = () if is_whole else tuple(_fields(_mapping(before), _mapping(after), entry_shape(kind)))
    entry = None if action == "changed" else after if before is None else before
    return EntryChange(kind, name, action, told, _summary(kind, entry) if entry is not None else "")


def _fields(old: Raw, new: Raw, shape: Shape) -> Iterator[FieldChange]:
    for location, before, after in _compare(old, new, ()):
        if location == ("name",):
            continue
        if _is_secret(shape, location):
            before, after = _masked(before), _masked(after)
        yield FieldChange(_path(location), before, after)


def _compare(old: Any, new: Any, location: Location) -> Iterator[tuple[Location, Any, Any]]:
    """Differing values with their places; a list of mappings is compared by what names its items."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in (*new, *(name for name in old if name not in new)):
            yield from _compare(old.get(name, ABSENT), new.get(name, ABSENT), (*location, name))
    elif (identity := _identity(old, new)) is not None:
        before, after = _items(old, identity), _items(new, identity)
        for name in (*after, *(name for name in before if name not in after)):
            yield from _compare_items(
                before.get(name, ABSENT), after.get(name, ABSENT), (*location, f"[{name}]")
            )
        if before.keys() == after.keys() and list(before) != list(after):
            yield location, list(before), list(after)  # only their order differs
    elif isinstance(new, Mapping) and new and old is ABSENT:
        yield from _compare({}, new, location)
    elif isinstance(old, Mapping) and old and new is ABSENT:
        yield from _compare(old, {}, location)
    elif old != new or type(old) is not type(new):
        yield location, old, new


def _compare_items(old: Any, new: Any, location: Location) -> Iterator[tuple[Location, Any, Any]]:
    """An item that came or went is shown whole; else what differs in it."""
    if old is ABSENT or new is ABSENT:
        yield location, old, new
    else:
        yield from _compare(old, new, location)


def _identity(old: Any, new: Any) -> str | None:
    """The key that names every item of both lists, once each."""
    lists = [value for value in (old, new) if value is not ABSENT]
    if not lists or not all(isinstance(value, list) for value in lists) or not any(lists):
        return None
    for identity in _IDENTITIES:
        if all(_is_named(value, identity) for value in lists):
            return identity
    return None


def _is_named(items: Sequence[Any], identity: str) -> bool:
    names = [item.get(identity) if isinstance(item, Mapping) else None for item in items]
    return all(isinstance(name, str) for name in names) and len(set(names)) == len(names)


def _items(value: Any, identity: str) -> dict[str, Any]:
    return {} if value is ABSENT else {item[identity]: item for item in value}


def _path(location: Location) -> str:
    """`targets[http://a:1].weight`; items of lists stand in brackets already."""
    parts: list[str] = []
    for step in location:
        text = str(step)
        is_item = text.startswith("[") and text.endswith("]")
        parts.append(text if is_item else format_path([*([""] if parts else []), step]).removeprefix('[""]'))
    return "".join(parts)


def _is_secret(shape: Shape, location: Location) -> bool:
    _, key = find(shape, location)
    return key is not None and key.secret


def _masked(value: Any) -> Any:
    """A reference may be shown; what was written out may not."""
    return value if value is ABSENT or (isinstance(value, str) and value.startswith(("${", "/"))) else MASK


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return _short(
            value if value and value.isprintable() and value == value.strip() else json.dumps(value)
        )
    return _short(json.dumps(value, ensure_ascii=False))


def _item_words(action: str, value: Any) -> str:
    """`added (weight 2)` for an item whose name the path says already."""
    if not isinstance(value, Mapping) or not any(name in value for name in _IDENTITIES):
        return ""
    rest = ", ".join(f"{name} {_shown(item)}" for name, item in value.items() if name not in _IDENTITIES)
    return _short(f"{action} ({rest})" if rest else action)


def _short(text: str) -> str:
    return text if len(text) <= _MAX_VALUE else f"{text[: _MAX_VALUE - 1]}…"


def _summary(kind: str, entry: Any) -> str:
    """What an entry is, in a few words."""
    if kind == "services":
        targets = entry.get("targets")
        urls = [t.get("url") for t in targets if isinstance(t, Mapping)] if isinstance(targets, list) else []
        return _short(", ".join(str(url) for url in urls))
    if kind == "routes":
        match = _mapping(entry.get("match"))
        service = entry.get("service")
        return _short(f"{match.get('path', '/')} → {service}" if service else f"{match.get('path', '/')}")
    return ""


def _mapping(value: Any) -> Raw:
    return value if isinstance(value, Mapping) else {}


def _by_name(entries: Any) -> dict[str, Raw]:
    return {
        str(entry.get("name", f"#{index}")): entry
        for index, entry in enumerate(entries if isinstance(entries, list) else ())
        if isinstance(entry, Mapping)
    }
