"""P: What the database cannot hold although the document allows it: said before anything is written."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from routing.document.schema import KINDS
from routing.problems import Problem, format_path, quote

Location = tuple[str | int, ...]
LARGEST_INTEGER: Final = 2**63 - 1
_NOTHING: Final[Mapping[str, Any]] = {}
_REFERENCES: Final = (("services", ("name",)), ("routes", ("name", "service")), ("quotas", ("name",)))


def storable_problems(raw: Mapping[str, Any], *, stored: Mapping[str, Any] = _NOTHING) -> tuple[Problem, ...]:
    """Problems of a document that is valid otherwise.

    `stored` is one that the database holds: those of its entries that stand in the other themselves are left out.
    """
    kept = frozenset(id(entry) for kind in KINDS for entry in stored.get(kind) or ())
    found = list(_filled_references(raw, kept))
    for name, section in raw.items():
        if kept and isinstance(section, list):
            for index, entry in enumerate(section):
                if id(entry) not in kept:
                    found += _impossible_values(entry, (name, index))
        else:
            found += _impossible_values({name: section}, ())
    return tuple(found)


def _filled_references(raw: Mapping[str, Any], kept: frozenset[int]) -> Iterator[Problem]:
    """Rows refer to each other: names cannot depend on the environment of whoever reads them."""
    for kind, keys in _REFERENCES:
        for index, entry in enumerate(raw.get(kind) or ()):
            if id(entry) in kept:
                continue
            for key in keys:
                yield from _filled(entry.get(key), (kind, index, key))
            for number, backend in enumerate(entry.get("backends") or ()):
                yield from _filled(backend.get("service"), (kind, index, "backends", number, "service"))


def _filled(value: object, location: Location) -> Iterator[Problem]:
    if isinstance(value, str) and "${" in value:
        text = f"{quote(value)} cannot come from the environment: a name is written out"
        yield Problem("gateway.E029", format_path(location), text, value)


def _impossible_values(value: Any, location: Location) -> Iterator[Problem]:
    """NUL (PostgreSQL has no place for it), lone surrogates (no encoding has), integers beyond 64 bits."""
    if isinstance(value, str):
        if not _is_possible(value):
            yield Problem("gateway.E038", format_path(location), "has characters that cannot be stored")
    elif isinstance(value, int):
        if not -LARGEST_INTEGER <= value <= LARGEST_INTEGER:
            yield Problem("gateway.E006", format_path(location), f"{quote(value)} is too large to be stored")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if not _is_possible(str(key)):
                yield Problem("gateway.E038", format_path(location), "has a key that cannot be stored")
            yield from _impossible_values(item, (*location, str(key)))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _impossible_values(item, (*location, index))


def _is_possible(text: str) -> bool:
    if text.isascii():
        return "\0" not in text
    return "\0" not in text and not any("\ud800" <= c <= "\udfff" for c in text)
