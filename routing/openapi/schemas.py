"""P: Schemas of an OpenAPI document as JSON Schemas that stand for themselves, for requests.

Schemas that are referred to are bundled under `$defs`. What 3.0 says in its own way is said in JSON Schema's. What a
service only gives (`readOnly`) is not asked of a request. Formats are kept where every reader takes them alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from routing.openapi.reading import Source

_FORMATS: Final = frozenset({"uuid", "ipv4", "ipv6", "date", "hostname"})
"""`date-time`, `email` and `uri` are read more leniently by many services than their standards allow."""
_LEFT_OUT: Final = frozenset(
    {"example", "examples", "xml", "externalDocs", "discriminator", "nullable", "deprecated", "readOnly", "writeOnly"}
)  # fmt: skip
_NAMED: Final = ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas")
_LISTED: Final = ("allOf", "anyOf", "oneOf", "prefixItems")
_SINGLE: Final = (
    "items", "not", "if", "then", "else", "contains", "additionalProperties", "propertyNames",
    "unevaluatedProperties", "unevaluatedItems",
)  # fmt: skip
_DEEPEST: Final = 100


class Bundler:
    """Makes one schema that stands for itself."""

    def __init__(self, source: Source, place: str) -> None:
        self._source = source
        self._place = place
        self._names: dict[str, str] = {}
        self._defs: dict[str, Any] = {}

    def bundled(self, schema: Any) -> dict[str, Any] | None:
        """The schema with all that it refers to; None for one that says nothing."""
        made = self.converted(schema, 0)
        if not isinstance(made, dict) or not made:
            return None
        return {**made, "$defs": self._defs} if self._defs else made

    def converted(self, schema: Any, depth: int = 0) -> Any:
        """One schema, without what it refers to, which is put aside."""
        if not isinstance(schema, Mapping) or depth > _DEEPEST:
            return schema if isinstance(schema, bool) else {}
        if isinstance(reference := schema.get("$ref"), str):
            return self._referring(reference, schema, depth)
        made = {name: self._part(name, value, depth) for name, value in schema.items() if _is_kept(name)}
        if made.get("format") not in _FORMATS:
            made.pop("format", None)
        self._required(schema, made)
        if not self._source.is_31:
            _bounds(schema, made)
            if schema.get("nullable") is True:
                return _nullable(made)
        return made

    def _referring(self, reference: str, schema: Mapping[str, Any], depth: int) -> Any:
        name = self._definition(reference, depth)
        if name is None:
            return {}
        beside = {each: value for each, value in schema.items() if each != "$ref" and _is_kept(each)}
        made = {"$ref": f"#/$defs/{name}"}
        return {**self.converted(beside, depth + 1), **made} if beside and self._source.is_31 else made

    def _part(self, name: str, value: Any, depth: int) -> Any:
        def below(each: Any) -> Any:
            return self.converted(each, depth + 1)

        if name in _NAMED and isinstance(value, Mapping):
            return {str(key): below(each) for key, each in value.items()}
        if name in _LISTED and isinstance(value, list):
            return [below(each) for each in value]
        return below(value) if name in _SINGLE else value

    def _definition(self, reference: str, depth: int) -> str | None:
        if reference in self._names:
            return self._names[reference]
        target = self._source.target(reference)
        if target is None:
            message = f'"{reference[:100]}" leads out of the document, or nowhere: anything is taken there'
            self._source.notes.add(self._place, message)
            return None
        last = reference.rpartition("/")[2].replace("~1", "-").replace("~0", "-").replace("%", "-")
        name = last if last not in self._defs else f"{last}-{len(self._defs)}"
        self._names[reference] = name
        self._defs[name] = {}  # it may refer to itself
        self._defs[name] = self.converted(target, depth + 1)
        return name

    def _required(self, schema: Mapping[str, Any], made: dict[str, Any]) -> None:
        """What a service only gives is required of nobody who asks."""
        required, properties = made.get("required"), schema.get("properties")
        if not isinstance(required, list):
            made.pop("required", None)
            return
        if isinstance(properties, Mapping):
            kept = [name for name in required if not self._is_read_only(properties.get(name))]
            if len(kept) < len(required):
                made["required"] = kept

    def _is_read_only(self, schema: Any) -> bool:
        if not isinstance(schema, Mapping):
            return False
        if schema.get("readOnly") is True:
            return True
        reference = schema.get("$ref")
        target = self._source.target(reference) if isinstance(reference, str) else None
        return isinstance(target, Mapping) and target.get("readOnly") is True


def _is_kept(name: str) -> bool:
    return name not in _LEFT_OUT and not str(name).startswith("x-")


def _bounds(schema: Mapping[str, Any], made: dict[str, Any]) -> None:
    """3.0 has `exclusiveMinimum: true` beside `minimum`, as draft 4 has."""
    for exclusive, inclusive in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        if isinstance(schema.get(exclusive), bool):
            del made[exclusive]
            if schema[exclusive] and inclusive in made:
                made[exclusive] = made.pop(inclusive)


def _nullable(made: dict[str, Any]) -> dict[str, Any]:
    if isinstance(made.get("type"), str):
        enum = {"enum": [*made["enum"], None]} if isinstance(made.get("enum"), list) else {}
        return {**made, **enum, "type": [made["type"], "null"]}
    return {"anyOf": [made, {"type": "null"}]} if made else made


def escaped(value: Any) -> Any:
    """A value in whose texts nothing is filled in from the environment: `${` is written `$${`."""
    if isinstance(value, str):
        return value.replace("${", "$${")
    if isinstance(value, Mapping):
        return {str(name): escaped(each) for name, each in value.items()}
    return [escaped(each) for each in value] if isinstance(value, list) else value
