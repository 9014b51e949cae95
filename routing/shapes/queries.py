"""P: Query parameters as a schema sees them. They are texts: which kinds of values they stand for, the schema says.

The kinds of a parameter are the `type` of its schema, through local `$ref`, `anyOf`, `oneOf` and `allOf`; without any,
the kinds of its `enum` or `const`. A text that does not look like any of them stays a text, which the schema refuses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,30})(?:\.[0-9]{1,30})?(?:[eE][+-]?[0-9]{1,3})?")
_BOOLEANS: Final = {"true": True, "false": False}
_DEEPEST: Final = 20
_SAME_VALUE: Final = ("anyOf", "oneOf", "allOf")
_OF_PYTHON: Final = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}


@dataclass(frozen=True, slots=True)
class Kinds:
    """What a parameter may be; `items` are the kinds of an array's items."""

    types: frozenset[str] = frozenset()
    items: frozenset[str] = frozenset()

    def value(self, texts: list[str]) -> Any:
        """A parameter's value: a list where the schema wants one, or where it came several times."""
        if "array" in self.types:
            return [coerced(text, self.items) for text in texts]
        if len(texts) == 1:
            return coerced(texts[0], self.types)
        return [coerced(text, self.types) for text in texts]


ANY: Final = Kinds()


@dataclass(frozen=True, slots=True)
class QueryShape:
    """The kinds of the parameters that a schema names, and of all others."""

    named: Mapping[str, Kinds] = field(default_factory=dict)
    others: Kinds = ANY

    def values(self, pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
        """Parameters as the schema judges them, by name."""
        texts: dict[str, list[str]] = {}
        for name, text in pairs:
            texts.setdefault(name, []).append(text)
        named, others = self.named, self.others
        return {name: named.get(name, others).value(found) for name, found in texts.items()}


NO_SHAPE: Final = QueryShape()


def coerced(text: str, types: frozenset[str]) -> Any:
    """The value that a text stands for; a text may always be meant as one where texts are taken."""
    if not types or "string" in types:
        return text
    if ("integer" in types or "number" in types) and _INTEGER.fullmatch(text):
        return int(text)
    if "number" in types and _NUMBER.fullmatch(text):
        return orjson.loads(text)
    if "boolean" in types and text in _BOOLEANS:
        return _BOOLEANS[text]
    if "null" in types and text in ("", "null"):
        return None
    return text


def query_shape_of(schema: Mapping[str, Any]) -> QueryShape:
    """What a schema says of the parameters."""
    named: dict[str, Kinds] = {}
    others: list[Kinds] = []

    def visit(part: Mapping[str, Any]) -> None:
        properties = part.get("properties")
        for name, below in properties.items() if isinstance(properties, dict) else ():
            found = _kinds(below, schema)
            before = named.get(name, ANY)
            named[name] = Kinds(before.types | found.types, before.items | found.items)
        if isinstance(part.get("additionalProperties"), dict):
            others.append(_kinds(part["additionalProperties"], schema))

    _walk(schema, schema, visit, _DEEPEST)
    return QueryShape(named, others[0] if others else ANY)


def _kinds(schema: Any, root: Mapping[str, Any]) -> Kinds:
    types: set[str] = set()
    values: set[str] = set()
    items: set[str] = set()

    def visit(part: Mapping[str, Any]) -> None:
        written = part.get("type")
        types.update(written if isinstance(written, list) else [written] if isinstance(written, str) else ())
        listed = [*(part["enum"] if isinstance(part.get("enum"), list) else ())]
        listed += [part["const"]] if "const" in part else []
        values.update(_OF_PYTHON.get(type(value), "object") for value in listed)
        if isinstance(part.get("items"), dict):
            items.update(_kinds(part["items"], root).types)

    _walk(schema, root, visit, _DEEPEST)
    return Kinds(frozenset(types or values), frozenset(items))


def _walk(
    schema: Any, root: Mapping[str, Any], visit: Callable[[Mapping[str, Any]], None], depth: int
) -> None:
    """Visits every part of a schema that judges the same value."""
    if not isinstance(schema, dict) or depth == 0:
        return
    visit(schema)
    if isinstance(reference := schema.get("$ref"), str):
        _walk(_target(reference, root), root, visit, depth - 1)
    for name in _SAME_VALUE:
        for below in schema[name] if isinstance(schema.get(name), list) else ():
            _walk(below, root, visit, depth - 1)


def _target(reference: str, root: Any) -> Any:
    """Where a local reference leads; None where it leads elsewhere."""
    if reference != "#" and not reference.startswith("#/"):
        return None
    for step in reference.split("/")[1:]:
        if not isinstance(root, dict):
            return None
        root = root.get(step.replace("~1", "/").replace("~0", "~"))
    return root
