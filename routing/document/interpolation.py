"""P: `${VAR}`, `${VAR:-default}` and `$${` in the strings of a document.

Documents are stored and shown as written; the environment is filled in when a worker compiles.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Final

from routing.document.variables import NAME, escaped, is_of_requests
from routing.problems import Problem, format_path, quote

MAX_DEPTH: Final = 64
_PLACEHOLDER: Final = re.compile(
    rf"\$\$\{{(?P<escaped>{NAME}\}})?"
    r"|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?P<alternative>:-(?P<default>[^}]*))?\}"
    rf"|(?P<of_requests>\$\{{{NAME}\}})"
    r"|\$\{"
)
"""A name with a dot, such as ${consumer.id}, is not the environment's: it is filled in for each request."""

_SURROGATE: Final = re.compile("[\ud800-\udfff]")

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


def fill(value: Any, env: Mapping[str, str], plain: Collection[int] = frozenset()) -> FilledDocument:
    """Fills in every string of a JSON-like value; keys become strings; the argument is not changed.

    An unset variable stays as written. Problems: a malformed `${`, and nesting beyond MAX_DEPTH. `plain` are identities
    of items of lists that have nothing to be filled in: they come back themselves.
    """
    filler = _Filler(env, plain)
    filled = filler.visit(value, ())
    return FilledDocument(filled, tuple(filler.unset), tuple(filler.problems))


def variables(text: str) -> Iterator[str]:
    """The names of the environment variables that a text asks for."""
    for match in _PLACEHOLDER.finditer(text):
        if match["name"]:
            yield match["name"]


class _Filler:
    __slots__ = ("env", "plain", "problems", "unset")

    def __init__(self, env: Mapping[str, str], plain: Collection[int]) -> None:
        self.env = env
        self.plain = plain
        self.unset: list[Unset] = []
        self.problems: list[Problem] = []

    def visit(self, value: Any, location: Location) -> Any:
        kind = type(value)
        if kind is dict or kind is list or isinstance(value, Mapping | list | tuple):
            if len(location) >= MAX_DEPTH:
                return self._refuse("gateway.E033", location, "is nested too deeply")
            return (
                self._mapping(value, location) if isinstance(value, Mapping) else self._list(value, location)
            )
        if isinstance(value, str):
            return self._text(value, location)
        if value is None or isinstance(value, bool | int) or (isinstance(value, float) and isfinite(value)):
            return value
        return self._refuse("gateway.E004", location, "is not a value that a document can have")

    def _mapping(self, value: Mapping[Any, Any], location: Location) -> dict[str, Any]:
        filled: dict[str, Any] = {}
        for name, item in value.items():
            if type(name) is not str or not name.isascii():
                name = self._name(name, location)
            kind = type(item)
            # Plain values, which most are, cost no call.
            if not (("${" not in item and item.isascii()) if kind is str else (kind is int or kind is bool)):
                item = self.visit(item, (*location, name))
            filled[name] = item
        return filled

    def _list(self, value: Sequence[Any], location: Location) -> list[Any]:
        return [
            item
            if (type(item) is str and "${" not in item and item.isascii()) or id(item) in self.plain
            else self.visit(item, (*location, index))
            for index, item in enumerate(value)
        ]

    def _name(self, name: object, location: Location) -> str:
        """A key as text: mappings in Python code may have numbers as keys."""
        if isinstance(name, str) and _SURROGATE.search(name):
            self._refuse("gateway.E038", location, "has a key that holds half of a surrogate pair")
            return _SURROGATE.sub("?", name)
        return str(name)

    def _refuse(self, problem_id: str, location: Location, message: str) -> None:
        self.problems.append(Problem(problem_id, format_path(location), message))

    def _text(self, text: str, location: Location) -> str:
        if not text.isascii() and _SURROGATE.search(text):
            self._refuse("gateway.E038", location, "holds half of a surrogate pair")
            return ""
        return self._filled(text, location) if "${" in text else text

    def _filled(self, text: str, location: Location) -> Filled:
        unset = False
        is_filled_later = is_of_requests(location)

        def replace(match: re.Match[str]) -> str:
            nonlocal unset
            if match[0].startswith("$${"):
                return match[0] if is_filled_later and match["escaped"] else match[0][1:]
            if match["of_requests"] is not None:
                if not is_filled_later:
                    self._misplaced(match[0], location)
                return match[0]
            name = match["name"]
            if name is None:
                self._malformed(text, location)
                return match[0]
            value = self.env.get(name)
            # As in a shell, `:-` also stands in for an empty value.
            if match["alternative"] is not None:
                value = value or match["default"]
            if value is None:
                self.unset.append(Unset(location, name))
                unset = True
                return match[0]
            return escaped(value) if is_filled_later else value

        filled = Filled(_PLACEHOLDER.sub(replace, text))
        filled.written = text
        filled.unset = unset
        return filled

    def _misplaced(self, variable: str, location: Location) -> None:
        self._refuse(
            "gateway.E028",
            location,
            f"{quote(variable)} stands for something of each request, which is filled in only in the values of "
            "request_headers and response_headers, in rewrite.path, prefix and host, and in paths of an aggregate; "
            "write $${ for a literal ${",
        )

    def _malformed(self, text: str, location: Location) -> None:
        self._refuse(
            "gateway.E028",
            location,
            f"{quote(text)} has a ${{ that names no variable; write $${{ for a literal ${{",
        )
