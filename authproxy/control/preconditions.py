"""P: Entity tags and what clients say about them: RFC 9110 sections 8.8.3 and 13.1."""

import hashlib
import re
from collections.abc import Sequence
from typing import Any, Final

import orjson

_TAG: Final = re.compile(r'\s*(?:,\s*)*((?:W/)?"[^"\x00-\x20\x7f]*")\s*(?:,|$)')
_LENGTH: Final = 32


def etag(value: Any) -> str:
    """The strong entity tag of a JSON value, quotes included; the order of keys does not matter."""
    text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    return f'"{hashlib.sha256(text).hexdigest()[:_LENGTH]}"'


def of_digest(digest: str) -> str:
    """The entity tag of a whole document, by its digest."""
    return f'"{digest[:_LENGTH]}"'


def may_write(current: str | None, *, if_match: str | None, if_none_match: str | None) -> bool:
    """Whether a change may go on. `current` None: there is nothing yet."""
    if if_match is not None and not (
        current is not None and (if_match.strip() == "*" or current in _tags(if_match))
    ):
        return False
    if if_none_match is None or current is None:
        return True
    return if_none_match.strip() != "*" and current not in _weak(if_none_match)


def may_write_all(current: Sequence[str], *, if_match: str | None, if_none_match: str | None) -> bool:
    """The same for a change of several: each must be named, and none may be known."""
    return all(may_write(each, if_match=if_match, if_none_match=if_none_match) for each in current or (None,))


def is_known(current: str, *, if_none_match: str | None) -> bool:
    """Whether the client has what it asks for already: the answer is 304."""
    return if_none_match is not None and (if_none_match.strip() == "*" or current in _weak(if_none_match))


def _weak(field: str) -> set[str]:
    return {tag.removeprefix("W/") for tag in _tags(field)}


def _tags(field: str) -> set[str]:
    """What cannot be read is no tag, and matches nothing."""
    found, at = set(), 0
    while (match := _TAG.match(field, at)) is not None:
        found.add(match[1])
        at = match.end()
    return found
