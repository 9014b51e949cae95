"""P: `${VAR}`, `${VAR:-default}` and `$${` in the strings of a document.

Documents are stored and shown as written; the environment is filled in when a worker compiles.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from routing.problems import Problem, format_path, quote

MAX_DEPTH: Final = 64
_PLACEHOLDER: Final = re.compile(r"\$\$\{|\$\{([A-Za-z_][A-Za-z0-9_]*)(:-([^}]*))?\}|\$\{")

Location = tuple[str | int, ...]


class Filled(str):
    """A string that the environment filled in; `written` is what the document says."""

    __slots__ = ("unset", "written")
    written: str
    unset: bool


@dataclass(frozen=True, slots=True)
class Unset:
    """A variable that has neither a value nor a default, and the place that asks for it."""

    location: Location
    variable: str


@dataclass(frozen=True, slots=True)
class FilledDocument:
    """The document with the environment filled in. Strings that changed are `Filled`."""

    value: Any
    unset: tuple[Unset, ...]
    problems: tuple[Problem, ...]


def fill(value: Any, env: Mapping[str, str]) -> FilledDocument:
    """Fills in every string of a JSON-like value; keys become strings; the argument is not changed.

    An unset variable stays as written. Problems: a malformed `${`, and nesting beyond MAX_DEPTH.
    """
    filler = _Filler(env)
    filled = filler.visit(value, ())
    return FilledDocument(filled, tuple(filler.unset), tuple(filler.problems))


def variables(text: str) -> Iterator[str]:
    """The names of the environment variables that a text asks for."""
    for match in _PLACEHOLDER.finditer(text):
        if match[1]:
            yield match[1]


class _Filler:
    __slots__ = ("env", "problems", "unset")

    def __init__(self, env: Mapping[str, str]) -> None:
        self.env = env
        self.unset: list[Unset] = []
        self.problems: list[Problem] = []

    def visit(self, value: Any, location: Location) -> Any:
        kind = type(value)
        if kind is str:
            return value if "${" not in value else self._text(value, location)
        if kind is dict or kind is list or isinstance(value, Mapping | list | tuple):
            if len(location) >= MAX_DEPTH:
                self.problems.append(Problem("gateway.E033", format_path(location), "is nested too deeply"))
                return None
            if isinstance(value, Mapping):
                return {
                    (k if type(k) is str else str(k)): (
                        v if type(v) is str and "${" not in v else self.visit(v, (*location, str(k)))
                    )
                    for k, v in value.items()
                }
            return [self.visit(item, (*location, i)) for i, item in enumerate(value)]
        return value

    def _text(self, text: str, location: Location) -> str:
        unset = False

        def replace(match: re.Match[str]) -> str:
            nonlocal unset
            if match[0] == "$${":
                return "${"
            name = match[1]
            if name is None:
                self._malformed(text, location)
                return match[0]
            value = self.env.get(name)
            # As in a shell, `:-` also stands in for an empty value.
            if match[2] is not None:
                return value or match[3]
            if value is None:
                self.unset.append(Unset(location, name))
                unset = True
                return match[0]
            return value

        filled = Filled(_PLACEHOLDER.sub(replace, text))
        filled.written = text
        filled.unset = unset
        return filled

    def _malformed(self, text: str, location: Location) -> None:
        message = f"{quote(text)} has a ${{ that names no variable; write $${{ for a literal ${{"
        self.problems.append(Problem("gateway.E028", format_path(location), message, text))
