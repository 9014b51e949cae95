"""P: The path of a route, read once into what the matcher compares with.

Literal text goes through `routing.paths`, as requests do, so both sides agree on "/café", "%41" and
"//". A prefix stands for whole segments, and a slash at its end means nothing. A template segment
stands for one non-empty segment. A regex must match the whole path.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from routing.paths import BadPath, normalise_written
from routing.regexes import literal_segments

PathType = Literal["exact", "prefix", "template", "regex"]

_PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")


@dataclass(frozen=True, slots=True)
class PathPattern:
    """Where a route sits among the paths.

    `segments` holds None for a template's placeholder; for a regex, the literal segments that every
    match begins with.
    """

    kind: PathType
    text: str  # in matching form; a regex as written
    segments: tuple[str | None, ...]
    regex: re.Pattern[str] | None = None
    written: str = ""  # as the document has it, for people

    def covers(self, path: str) -> bool:
        """Whether a path (in matching form) fits. The plain reading; the index does it faster."""
        if self.regex is not None:
            return self.regex.fullmatch(path) is not None
        if self.kind == "exact":
            return path == self.text
        given = path.split("/")[1:]
        if self.kind == "prefix":
            given = given[: len(self.segments)]
        return len(given) == len(self.segments) and all(
            there == here or (here is None and there != "")
            for here, there in zip(self.segments, given, strict=True)
        )


ANY_PATH = PathPattern(kind="prefix", text="/", segments=(), written="/")


def parse_pattern(path: str, kind: PathType) -> PathPattern | BadPath:
    """Read a route's path. BadPath says what is wrong with it."""
    if kind == "regex":
        return _parse_regex(path)
    if kind == "template":
        return _parse_template(path)
    normal = normalise_written(path)
    if isinstance(normal, BadPath):
        return normal
    text = normal.match
    if kind == "prefix":
        text = text.rstrip("/") or "/"
    segments = () if text == "/" and kind == "prefix" else tuple(text.split("/")[1:])
    return PathPattern(kind, text, segments, written=path)


def placeholders(written: str) -> tuple[str | None, ...]:
    """The names that a path template gives its segments; None for a literal one."""
    return tuple(
        found[1] if (found := _PLACEHOLDER.fullmatch(part)) else None for part in written.split("/")[1:]
    )


def _parse_regex(path: str) -> PathPattern | BadPath:
    try:
        regex = re.compile(path)
    except (re.error, RecursionError, OverflowError) as error:
        return BadPath(f"the regular expression is not valid: {error}")
    return PathPattern("regex", path, literal_segments(path), regex, path)


def _parse_template(path: str) -> PathPattern | BadPath:
    """Placeholders are set aside before normalising: "%7Bid%7D" is a literal, "{id}" is not."""
    written = path.split("/")
    names = [found[1] for part in written if (found := _PLACEHOLDER.fullmatch(part))]
    if len(set(names)) != len(names):
        return BadPath("the template names a placeholder twice")
    if any("{" in part or "}" in part for part in written if not _PLACEHOLDER.fullmatch(part)):
        return BadPath("a placeholder of a template is a whole segment, as in /orders/{id}")
    normal = normalise_written("/".join("{}" if _PLACEHOLDER.fullmatch(part) else part for part in written))
    if isinstance(normal, BadPath):
        return normal
    # Escaped braces decode to "{}" as well, so the raw form tells placeholders from literals.
    raw = normal.forward.decode("ascii").split("/")[1:]
    plain = normal.match.split("/")[1:]
    segments = tuple(None if r == "{}" else p for r, p in zip(raw, plain, strict=True))
    return PathPattern("template", normal.match, segments, written=path)
