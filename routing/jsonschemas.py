"""P: JSON Schemas that people write: compiled once, and what is wrong with those that cannot be.

The dialect is 2020-12 unless `$schema` says otherwise. `format` is checked. Nothing is ever fetched: a `$ref` leads to
a place in the schema itself. Patterns that look back and forth too long count as not matching.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

import jsonschema_rs

from routing.document.findings import Location

MOST_BYTES: Final = 256 * 1024
MOST_BACKTRACKING: Final = 100_000
_LONGEST_MESSAGE: Final = 200
_REFERENCES: Final = ("$ref", "$dynamicRef", "$recursiveRef")
_VALUES: Final = frozenset({"const", "enum", "default", "examples", "example"})
_OPTIONS: Final = jsonschema_rs.FancyRegexOptions(backtrack_limit=MOST_BACKTRACKING)

Validator = jsonschema_rs.Validator


class SchemaFault(NamedTuple):
    """Why a schema cannot be used, and where in it."""

    location: Location
    message: str


def compile_schema(schema: Mapping[str, Any]) -> Validator | SchemaFault:
    """A validator that many requests share; the same schema is compiled once."""
    try:
        text = json.dumps(schema)
    except (TypeError, ValueError, RecursionError):
        return SchemaFault((), "is not JSON")
    if len(text) > MOST_BYTES:
        return SchemaFault((), f"is larger than {MOST_BYTES // 1024} KB")
    return _compiled(text)


@lru_cache(maxsize=512)
def _compiled(text: str) -> Validator | SchemaFault:
    try:
        return jsonschema_rs.validator_for(
            text, validate_formats=True, offline=True, pattern_options=_OPTIONS
        )
    except jsonschema_rs.ValidationError as error:
        return _fault(error, json.loads(text))
    except (jsonschema_rs.ReferencingError, ValueError) as error:
        return SchemaFault((), _short(str(error)))


def _fault(error: jsonschema_rs.ValidationError, schema: Any) -> SchemaFault:
    location, message = tuple(error.instance_path), error.message
    if location:
        if location[-1] == "type":
            return SchemaFault(location, "is not a type of JSON Schema, such as string, integer or object")
        return SchemaFault(location, f"is not JSON Schema: {_short(message)}")
    for place, reference in references(schema):
        if reference in message or reference.removeprefix("#") in message:
            remote = not reference.startswith("#")
            why = "leads out of the schema, and nothing is fetched" if remote else "leads nowhere"
            return SchemaFault(place, f'"{_short(reference)}" {why}; say "#/$defs/…"')
    if "meta-schema" in message:
        return SchemaFault(("$schema",), "is not a dialect that is known here; leave it out for 2020-12")
    return SchemaFault((), _short(message))


def references(schema: Any, location: Location = ()) -> Iterator[tuple[Location, str]]:
    """Every reference of a schema, with its place."""
    if isinstance(schema, dict):
        for name, value in schema.items():
            if name in _REFERENCES and isinstance(value, str):
                yield (*location, name), value
            elif name not in _VALUES:
                yield from references(value, (*location, name))
    elif isinstance(schema, list):
        for index, item in enumerate(schema):
            yield from references(item, (*location, index))


def _short(text: str) -> str:
    line = text.partition("\n")[0]
    return line if len(line) <= _LONGEST_MESSAGE else f"{line[: _LONGEST_MESSAGE - 1]}…"
