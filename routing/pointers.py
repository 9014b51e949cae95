"""P: JSON pointers (RFC 6901), in which `*` or `-` stands for every item of an array."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

Pointer = tuple[str, ...]
_FAULTY_ESCAPE = re.compile(r"~(?![01])")
_EVERY = ("*", "-")


def parse(text: str) -> Pointer | None:
    """The steps of a pointer, or None where the text is none."""
    if text == "":
        return ()
    if not text.startswith("/") or _FAULTY_ESCAPE.search(text):
        return None
    return tuple(step.replace("~1", "/").replace("~0", "~") for step in text[1:].split("/"))


def format_pointer(steps: Iterator[str | int] | tuple[str | int, ...] | list[str | int]) -> str:
    """Steps as a pointer: ("a/b", 0) → `/a~1b/0`."""
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in steps)


def find(value: Any, pointer: Pointer, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str, Any]]:
    """The places that a pointer leads to, each with its own pointer; what is absent or null is left out."""
    if not pointer:
        if value is not None:
            yield format_pointer(at), value
        return
    step, rest = pointer[0], pointer[1:]
    if isinstance(value, dict):
        if step in value:
            yield from find(value[step], rest, (*at, step))
    elif isinstance(value, list):
        if step in _EVERY:
            for index, item in enumerate(value):
                yield from find(item, rest, (*at, index))
        elif step.isascii() and step.isdigit() and int(step[:9]) < len(value):
            yield from find(value[int(step)], rest, (*at, int(step)))
