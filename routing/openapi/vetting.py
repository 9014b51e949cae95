"""P: Whether a document from an upstream may be worked on at all: its size once parsed, and what it says it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from routing.document.yaml import parse_json, parse_text
from routing.foreign import Notes
from routing.openapi.reading import NotOpenApi, Source
from routing.problems import ConfigurationInvalid

DEEPEST: Final = 100
MOST_VALUES: Final = 200_000
MOST_YAML: Final = 512 * 1024
"""Bytes; YAML takes far longer to read than JSON."""
LONGEST_REASON: Final = 300


def read(body: bytes) -> Source:
    """A JSON or YAML document, which nobody is to change; raises NotOpenApi with the place of what is wrong."""
    try:
        raw = parse_text(body) if len(body) <= MOST_YAML else _large(body)
    except ConfigurationInvalid as invalid:
        said = "; ".join(str(problem) for problem in invalid.problems)
        raise NotOpenApi(said[:LONGEST_REASON]) from None
    except RecursionError:
        raise NotOpenApi(f"it is nested deeper than {DEEPEST} levels") from None
    _measure(raw)
    source = Source(raw, Notes())
    if not isinstance(source.raw.get("paths", {}), Mapping):
        raise NotOpenApi("paths: it is not a mapping")
    if not isinstance(source.raw.get("components", {}), Mapping):
        raise NotOpenApi("components: it is not a mapping")
    return source


def _large(body: bytes) -> Any:
    try:
        return parse_json(body)
    except ValueError as error:
        message = f"it is no JSON ({error}), and of YAML at most {MOST_YAML >> 10} KB are read"
        raise NotOpenApi(message[:LONGEST_REASON]) from None


def _measure(raw: object) -> None:
    """Level by level, so that no depth can be too much for it."""
    level: list[Any] = [raw]
    count = 0
    for _ in range(DEEPEST):
        level = [
            child
            for value in level
            if isinstance(value, (dict, list))
            for child in (value.values() if isinstance(value, dict) else value)
        ]
        count += len(level)
        if count > MOST_VALUES:
            raise NotOpenApi(f"it has more than {MOST_VALUES} values")
        if not level:
            return
    raise NotOpenApi(f"it is nested deeper than {DEEPEST} levels")
