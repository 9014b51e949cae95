"""P: Which field of a form a problem belongs to, by the problem's place in the entry."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from routing.admin.forms.leaves import Path
from routing.problems import Problem

_STEP: Final = re.compile(r'\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]|([^.\[\]]+)')


def steps(path: str) -> tuple[str | int, ...]:
    """`match.hosts[0]` → `("match", "hosts", 0)`."""
    return tuple(int(index) if index else (quoted or plain) for index, quoted, plain in _STEP.findall(path))


def assign(problems: Iterable[Problem], fields: Mapping[Path, str]) -> dict[str | None, list[str]]:
    """Messages by field; under None what belongs to no field, with its place."""
    found: dict[str | None, list[str]] = {}
    for problem in problems:
        field, rest = locate(problem.path, fields)
        text = str(problem) if field is None else _sentence(problem.message, rest)
        found.setdefault(field, []).append(text)
    return found


def locate(path: str, fields: Mapping[Path, str]) -> tuple[str | None, Path]:
    """The field at the place, else the nearest above it, else the first below it; and the keys inside the field.

    Positions in lists do not count: one field holds the whole list.
    """
    place = tuple(step for step in steps(path) if isinstance(step, str))
    for length in range(len(place), 0, -1):
        if (field := fields.get(place[:length])) is not None:
            return field, place[length:]
    below = (field for at, field in fields.items() if place and at[: len(place)] == place)
    return next(below, None), ()


def _sentence(message: str, rest: Path) -> str:
    return f"{'.'.join(rest)}: {message}" if rest else message[:1].upper() + message[1:]
