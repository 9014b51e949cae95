"""P: Pages of lists: how many, and from where on; a cursor is a key that clients hand back as they got it."""

import base64
import binascii
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import orjson

USUAL: Final = 100
MOST: Final = 1000
LONGEST_CURSOR: Final = 8192


@dataclass(frozen=True, slots=True)
class Window:
    """`after` is the key of the last row that the client has; None: from the beginning."""

    limit: int = USUAL
    after: str | None = None


class Faulty(ValueError):  # noqa: N818 - reads as what it says
    """`field` of the query is wrong; str(error) says why."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def window(query: Mapping[str, str]) -> Window:
    """What `limit` and `cursor` ask for; raises Faulty."""
    return Window(_limit(query.get("limit")), _after(query.get("cursor")))


def cursor(key: str) -> str:
    """What a client sends for the rows behind this key."""
    return base64.urlsafe_b64encode(key.encode("utf-8", "replace")).decode("ascii").rstrip("=")


def packed(values: Iterable[object]) -> str:
    """The key of a row that is ordered by several values: numbers and texts."""
    plain = [value if isinstance(value, int | str) else str(value) for value in values]
    return orjson.dumps(plain).decode()


def unpacked(key: str, count: int) -> tuple[int | str, ...]:
    """Those values; raises Faulty where it is the key of another list."""
    try:
        found = orjson.loads(key)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, list) or len(found) != count or not all(map(_is_plain, found)):
        raise Faulty("cursor", "This is no cursor of this list.")
    return tuple(found)


def _is_plain(value: object) -> bool:
    return type(value) is int or (isinstance(value, str) and "\0" not in value)


def _limit(text: str | None) -> int:
    if text is None:
        return USUAL
    if not (text.isascii() and text.isdecimal() and len(text) <= 9 and 1 <= int(text) <= MOST):
        raise Faulty("limit", f"This must be a whole number from 1 to {MOST}.")
    return int(text)


def _after(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        if not text or len(text) > LONGEST_CURSOR:
            raise ValueError
        key = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True).decode()
        if not key or "\0" in key:
            raise ValueError
    except (ValueError, binascii.Error):
        raise Faulty("cursor", "This is no cursor: send the one that the last page answered.") from None
    return key
