"""P: What callers of a service may no longer do, when its routes are replaced by others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from routing.pointers import format_pointer

Raw = Mapping[str, Any]
Path = tuple[str | int, ...]
_DEEPEST: Final = 12
_ALL_TYPES: Final = frozenset({"string", "number", "integer", "boolean", "null", "array", "object"})
_LOWER: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_EXACT: Final = ("pattern", "format", "multipleOf", "const", "not", "uniqueItems")
_COMBINED: Final = ("allOf", "anyOf", "oneOf")


def breaking_changes(before: list[Raw], after: list[Raw]) -> list[str]:
    """One line for each; routes are told apart by their paths and methods."""
    old, new = _by_operation(before), _by_operation(after)
    lines = [f"{place}: removed" for place in old if place not in new]
    for place, route in new.items():
        if place in old:
            lines += [f"{place}: {change}" for change in _changes(old[place], route)]
    return lines


def _by_operation(routes: list[Raw]) -> dict[str, Raw]:
    found: dict[str, Raw] = {}
    for route in routes:
        match = route.get("match")
        match = match if isinstance(match, Mapping) else {}
        for method in match.get("methods") or ["ANY"]:
            found[f"{method} {match.get('path') or '/'}"] = route
    return found


def _changes(before: Raw, after: Raw) -> Iterator[str]:
    yield from _auth(_part(before, "auth"), _part(after, "auth"))
    yield from _headers(_part(before, "require_headers"), _part(after, "require_headers"))
    old, new = _part(before, "validate"), _part(after, "validate")
    types = set(old.get("content_types") or ()) - set(new.get("content_types") or ())
    if new.get("content_types"):
        yield from (f"body: no longer {name}" for name in sorted(types))
        if not old.get("content_types"):
            yield f"body: only {', '.join(new['content_types'])}"
    if old.get("body_required") is False and new.get("body_required") is not False:
        yield "body: now required"
    for name, what in (("query_schema", "query"), ("body_schema", "body")):
        yield from (
            f"{what}{format_pointer(path)}: {change}"
            for path, change in narrowings(old.get(name), new.get(name))
        )
    yield from _upload(old.get("upload"), new.get("upload"))


def _auth(before: Raw, after: Raw) -> Iterator[str]:
    if before.get("level") == "public" and after.get("level", "user") != "public":
        yield "auth: no longer public"
    new_scopes = set(after.get("scopes") or ()) - set(before.get("scopes") or ())
    if new_scopes:
        yield f"auth: asks for {', '.join(sorted(new_scopes))}"
    methods = set(before.get("methods") or ("jwt", "api_key", "session"))
    lost = methods - set(after.get("methods") or ("jwt", "api_key", "session"))
    if lost and before.get("level") != "public":
        yield f"auth: no longer by {', '.join(sorted(lost))}"


def _headers(before: Raw, after: Raw) -> Iterator[str]:
    old = {name.lower(): rule for name, rule in before.items() if name != "mode"}
    for name, rule in after.items():
        if name == "mode":
            continue
        known, rule = old.get(name.lower()), rule or {}
        if not rule.get("optional") and (known is None or (known or {}).get("optional")):
            yield f"header {name}: now required"
            continue
        values = (known or {}).get("one_of")
        wanted = rule.get("one_of")
        if wanted and (not values or set(values) - set(wanted)):
            yield f"header {name}: fewer values"


def _upload(before: Any, after: Any) -> Iterator[str]:
    if isinstance(after, Mapping):
        old = before if isinstance(before, Mapping) else {}
        lost = set(old.get("types") or ()) - set(after.get("types") or ())
        if after.get("types") and (lost or not old.get("types")):
            yield "upload: fewer types"


def narrowings(before: Any, after: Any) -> Iterator[tuple[Path, str]]:
    """Where a schema takes less than another did, as far as can be told by reading them side by side."""
    if isinstance(after, Mapping):
        yield from _Comparison(before if isinstance(before, Mapping) else {}, after).run()


class _Comparison:
    def __init__(self, before: Raw, after: Raw) -> None:
        self._roots = before, after

    def run(self) -> Iterator[tuple[Path, str]]:
        yield from self._compared(*self._roots, (), frozenset())

    def _compared(
        self, before: Any, after: Any, path: Path, seen: frozenset[tuple[int, int]]
    ) -> Iterator[tuple[Path, str]]:
        before, after = _followed(before, self._roots[0]), _followed(after, self._roots[1])
        if after is False and before is not False:
            yield path, "no longer taken"
        if not isinstance(after, Mapping):
            return
        pair = (id(before), id(after))
        before = before if isinstance(before, Mapping) else {}
        if pair in seen or len(path) > _DEEPEST or before == after == {}:
            return
        yield from ((path, change) for change in _own(before, after))
        yield from _required(before, after, path)
        yield from self._below(before, after, path, seen | {pair})

    def _below(
        self, before: Raw, after: Raw, path: Path, seen: frozenset[tuple[int, int]]
    ) -> Iterator[tuple[Path, str]]:
        old, new = _part(before, "properties"), _part(after, "properties")
        for name, schema in new.items():
            if name in old:
                yield from self._compared(old[name], schema, (*path, name), seen)
        if after.get("additionalProperties") is False:
            gone = [name for name in old if name not in new]
            yield from (((*path, name), "no longer taken") for name in gone)
            if before.get("additionalProperties") is not False:
                yield path, "no other members any more"
        for name in ("items", "additionalProperties"):
            if isinstance(after.get(name), Mapping):
                step = "*" if name == "items" else "…"
                yield from self._compared(before.get(name), after[name], (*path, step), seen)
        for name in _COMBINED:
            if after.get(name) != before.get(name) and (after.get(name) or name != "allOf"):
                yield path, f"{name} has changed"


def _own(before: Raw, after: Raw) -> Iterator[str]:
    old, new = _types(before), _types(after)
    lost = {each for each in old - new if not (each == "integer" and "number" in new)}
    if lost:
        yield f"type {_words(before)} → {_words(after)}"
    values, wanted = before.get("enum"), after.get("enum")
    if isinstance(wanted, list):
        missing = [value for value in values if value not in wanted] if isinstance(values, list) else None
        if missing is None:
            yield "only some values any more"
        elif missing:
            yield f"no longer {', '.join(str(value)[:40] for value in missing[:10])}"
    for name in _LOWER + _UPPER:
        if name in after and (name not in before or _is_tighter(name, before[name], after[name])):
            yield f"{name} {before.get(name, 'none')} → {after[name]}"
    for name in _EXACT:
        if after.get(name) and after.get(name) != before.get(name):
            yield f"{name} has changed" if name in before else f"{name} is new"


def _required(before: Raw, after: Raw, path: Path) -> Iterator[tuple[Path, str]]:
    known = before.get("required") or ()
    for name in after.get("required") or ():
        if name not in known:
            yield (*path, name), "now required"


def _is_tighter(name: str, before: Any, after: Any) -> bool:
    try:
        return bool(after > before) if name in _LOWER else bool(after < before)
    except TypeError:
        return True


def _types(schema: Raw) -> frozenset[str]:
    written = schema.get("type")
    if written is None:
        return _ALL_TYPES
    return frozenset(written if isinstance(written, list) else [written])


def _words(schema: Raw) -> str:
    return "any" if schema.get("type") is None else " or ".join(sorted(_types(schema)))


def _followed(schema: Any, root: Raw) -> Any:
    for _ in range(_DEEPEST):
        reference = schema.get("$ref") if isinstance(schema, Mapping) else None
        if not isinstance(reference, str) or not reference.startswith("#"):
            break
        schema = root
        for step in reference.split("/")[1:]:
            schema = (
                schema.get(step.replace("~1", "/").replace("~0", "~"))
                if isinstance(schema, Mapping)
                else None
            )
    return schema


def _part(raw: Raw, name: str) -> Raw:
    part = raw.get(name)
    return part if isinstance(part, Mapping) else {}
