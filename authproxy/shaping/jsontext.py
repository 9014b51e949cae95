"""P: JSON that everybody reads alike (RFC 8259, RFC 7493): UTF-8, no member twice, no NaN."""

import json
import re
from typing import Any, Final, NamedTuple

import orjson

_MEMBER: Final = re.compile(rb'"[ \t\r\n]*:')
_STRING: Final = re.compile(rb'"[^"]*"')


class JsonFault(NamedTuple):
    """Why a text is not taken. `reason` is one of empty, encoding, malformed, duplicate."""

    reason: str
    message: str
    line: int = 1
    column: int = 1
    member: str | None = None


class Json(NamedTuple):
    """A value that was read."""

    value: Any


def parse_json(data: bytes) -> Json | JsonFault:
    """Read a whole text. Lines and columns count from 1."""
    try:
        value = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        return _fault(data, error)
    if _has_duplicates(data, value):
        name = _duplicate(data)
        told = "A member" if name is None else f'The member "{name}"'
        return JsonFault("duplicate", f"{told} is there twice in one object.", member=name)
    return Json(value)


def _fault(data: bytes, error: json.JSONDecodeError) -> JsonFault:
    if not data.strip():
        return JsonFault("empty", "The body is empty.")
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as wrong:
        before = data[: wrong.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8")) + 1
        return JsonFault("encoding", "The body is not UTF-8.", line, column)
    return JsonFault("malformed", "The body is not JSON.", error.lineno, error.colno)


def _has_duplicates(data: bytes, value: Any) -> bool:
    """Each member of the text has one colon outside of strings; of members with one name, the value keeps one.

    Colons are counted roughly first, never too few of them.
    """
    members = _members(value)
    return (
        data.count(b":") != members
        and len(_MEMBER.findall(data)) != members
        and _STRING.sub(b"", _without_escapes(data)).count(b":") != members
    )


def _without_escapes(data: bytes) -> bytes:
    """Every quotation mark that is left begins or ends a string."""
    return data.replace(rb"\\", b"").replace(rb"\"", b"")


def _members(value: Any) -> int:
    found = 0
    pending = [value]
    while pending:
        each = pending.pop()
        if isinstance(each, dict):
            found += len(each)
            each = each.values()
        elif not isinstance(each, list):
            continue
        pending += [below for below in each if below.__class__ is dict or below.__class__ is list]
    return found


class _Found(Exception):  # noqa: N818 - ends the search
    pass


def _duplicate(data: bytes) -> str | None:
    def look(pairs: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise _Found(name[:80])
            seen.add(name)

    try:
        json.loads(data, object_pairs_hook=look)
    except _Found as found:
        return str(found)
    except (ValueError, RecursionError):
        pass
    return None
