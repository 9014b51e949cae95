"""P: What imports from somebody else's configuration share: notes of what was left behind, and names that are free."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

CLOSED: Final = ("0.0.0.0/0", "::/0")
"""What `ip.deny` says of a route that nobody may call."""
CLOSED_MEANS: Final = "the route is CLOSED to everybody: say in auth who may come in, and take its ip out"
_LONGEST_NAME: Final = 100
_NAMED_GROUP: Final = re.compile(r"(?<!\\)\(\?(?:<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)')")


class NotReadable(Exception):  # noqa: N818 - a refusal
    """The file is not what it was said to be; str() says where and why."""


@contextlib.contextmanager
def reading(place: str) -> Iterator[None]:
    """A value of a kind that nobody expected, or none, is a fault of what stands at `place`. Raises NotReadable."""
    try:
        yield
    except IndexError as error:
        raise NotReadable(f"{place}: a value is missing") from error
    except (TypeError, ValueError, AttributeError, KeyError) as error:
        raise NotReadable(f"{place}: a value is not of its kind ({error})") from error


def named_groups(pattern: str) -> str:
    """An expression of PCRE with its named groups as Python spells them: `(?<id>…)` and `(?'id'…)` are `(?P<id>…)`."""
    return _NAMED_GROUP.sub(lambda match: f"(?P<{match[1] or match[2]}>", pattern)


@dataclass(frozen=True, slots=True)
class Converted:
    """A configuration document, and what of the source is not in it."""

    document: dict[str, Any]
    not_carried: tuple[str, ...]


class Notes:
    """What could not be carried over, each with its place; the same is said once for a place."""

    def __init__(self) -> None:
        self._said: dict[tuple[str, str], None] = {}

    def add(self, place: str, message: str) -> None:
        self._said[place, message] = None

    def lines(self) -> list[str]:
        return [f"{place}: {message}" if place else message for place, message in self._said]


class Names:
    """Makes names of the document: what cannot stand in one becomes a dash, and none is given twice."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def free(self, wanted: str, otherwise: str = "unnamed") -> str:
        """`wanted`, as near as may be."""
        name = base = slug(wanted, otherwise)
        number = 1
        while name in self._taken:
            number += 1
            name = f"{base}-{number}"
        self._taken.add(name)
        return name


def slug(text: str, otherwise: str = "unnamed") -> str:
    """A text as a name of the document, with room for a number behind it."""
    cleaned = re.sub(r"[^A-Za-z0-9_.-]+", "-", text).strip("-._")
    return cleaned[: _LONGEST_NAME - 4].rstrip("-.") or otherwise
