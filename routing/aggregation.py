"""P: The parts of an aggregate, in the order in which they can be asked: none needs the answer of a later one.

A part's path may hold `${…}`: what the request brings (see `routing.shapes.templates`), or
`${parts.NAME.EXPRESSION}`, a JMESPath expression over another part's value. So parts form a graph; one with a loop
is refused when it is saved.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote as percent_encoded

from jmespath.parser import ParsedResult

from routing.document.destinations import AggregatePartSpec, AggregateSpec
from routing.document.jmespaths import compiled
from routing.document.variables import NAME, VARIABLE
from routing.evaluating import search
from routing.problems import quote
from routing.shapes.templates import Names, Variable, variable
from routing.shapes.transform import Expression, expression_of

_ALONE: Final = re.compile(rf"\$\{{({NAME})\}}")
_OF_PART: Final = re.compile(r"parts\.([A-Za-z0-9_-]+)\.(.+)")
_DOTS: Final = frozenset({".", ".."})


class Unknown(Exception):  # noqa: N818 - becomes a part's error
    """A placeholder that stands for nothing in this request."""


@dataclass(frozen=True, slots=True)
class Reference:
    """What a placeholder stands for. `part` is empty for what the request itself brings."""

    text: str
    part: str = ""
    expression: ParsedResult | None = field(default=None, compare=False)

    def value(self, request: Callable[[str], str | None], parts: Mapping[str, Any]) -> str:
        """As text; raises Unknown."""
        if self.expression is None:
            found: Any = request(self.text)
        else:
            try:
                found = search(self.expression, parts.get(self.part))
            except ValueError as problem:
                raise Unknown(f"{self.text}: {problem}") from None
        if isinstance(found, bool):
            return "true" if found else "false"
        if isinstance(found, str | int | float) and found != "":
            return str(found)
        raise Unknown(f"{self.text} has no value")


@dataclass(frozen=True, slots=True)
class PathTemplate:
    """A path and query with placeholders: literal bytes and references, in turn."""

    pieces: tuple[bytes | Reference, ...]

    def fill(self, request: Callable[[str], str | None], parts: Mapping[str, Any]) -> tuple[bytes, bytes]:
        """Path and query, percent-encoded; raises Unknown. A value never adds a segment, a query or a dot segment."""
        filled: list[bytes] = []
        for piece in self.pieces:
            if isinstance(piece, Reference):
                value = piece.value(request, parts)
                if value in _DOTS:
                    raise Unknown(f"{piece.text} is {value!r}, which is no segment of a path")
                filled.append(percent_encoded(value, safe="", errors="replace").encode("ascii"))
            else:
                filled.append(piece)
        path, _, query = b"".join(filled).partition(b"?")
        return path, query

    @property
    def references(self) -> Iterator[Reference]:
        return (piece for piece in self.pieces if isinstance(piece, Reference))

    @property
    def needs(self) -> tuple[str, ...]:
        """The parts whose values it takes."""
        return tuple(dict.fromkeys(each.part for each in self.references if each.part))


@dataclass(frozen=True, slots=True)
class Part:
    """One request of an aggregate."""

    name: str
    service: str
    """Empty for a part that is a value."""
    method: str
    path: PathTemplate
    written: str = field(compare=False)
    """The path, for people."""
    value: Any
    required: bool
    timeout_s: float
    pick: Expression | None
    fallback: Any
    max_body: int

    @property
    def needs(self) -> tuple[str, ...]:
        return self.path.needs


@dataclass(frozen=True, slots=True)
class Aggregate:
    """The route asks several services at a time and answers one JSON object. Parts are in the order of their needs."""

    timeout_s: float
    parts: tuple[Part, ...]
    order: tuple[str, ...]
    """The names as the document has them: the order of the answer's keys."""
    variables: Mapping[str, Variable] = field(default_factory=dict, repr=False)
    """What stands in paths and values for what a request brings, by its text."""

    @property
    def services(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(part.service for part in self.parts if part.service))


def aggregate_of(spec: AggregateSpec, names: Names = ()) -> Aggregate:
    """The compiled form; the specification has been checked. `names` are those of the route's path."""
    parts = {name: _part(name, part, spec.timeout) for name, part in spec.parts.items()}
    order, _ = sorted_by_need({name: part.needs for name, part in parts.items()})
    texts = {text for part in parts.values() for text in (*_texts(part.path), *placeholders(part.value))}
    variables = {text: variable(text, names) for text in texts}
    return Aggregate(spec.timeout, tuple(parts[name] for name in order), tuple(parts), variables)


def _texts(path: PathTemplate) -> Iterator[str]:
    return (each.text for each in path.references if not each.part)


def filled(value: Any, request: Callable[[str], str | None]) -> Any:
    """A JSON value with the placeholders of its texts filled in.

    A text that is one placeholder without a value becomes null; inside a longer text it becomes nothing.
    """
    if isinstance(value, str):
        alone = _ALONE.fullmatch(value)
        if alone is not None:
            return request(alone[1])
        return VARIABLE.sub(lambda found: "${" if found[1] is None else request(found[1]) or "", value)
    if isinstance(value, Mapping):
        return {key: filled(item, request) for key, item in value.items()}
    return [filled(item, request) for item in value] if isinstance(value, list | tuple) else value


def placeholders(value: Any) -> Iterator[str]:
    """The names in the texts of a JSON value."""
    if isinstance(value, str):
        yield from (found[1] for found in VARIABLE.finditer(value) if found[1] is not None)
    elif isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from placeholders(item)


def sorted_by_need(needs: Mapping[str, tuple[str, ...]]) -> tuple[list[str], list[str]]:
    """Names in an order in which each comes after what it needs, and those that cannot be: they go in a circle."""
    order: list[str] = []
    left = dict(needs)
    while left:
        ready = [name for name, wanted in left.items() if not any(each in left for each in wanted)]
        if not ready:
            return order, list(left)
        order += ready
        for name in ready:
            del left[name]
    return order, []


def parse_path(text: str) -> PathTemplate:
    """A part's path; raises ValueError for a placeholder's expression that does not compile."""
    pieces: list[bytes | Reference] = []
    end = 0
    for found in VARIABLE.finditer(text):
        if found.start() > end:
            pieces.append(text[end : found.start()].encode("ascii"))
        pieces.append(b"$%7B" if found[1] is None else _reference(found[1]))
        end = found.end()
    if end < len(text):
        pieces.append(text[end:].encode("ascii"))
    return PathTemplate(tuple(pieces))


def _reference(text: str) -> Reference:
    if not text.startswith("parts."):
        return Reference(text)
    found = _OF_PART.fullmatch(text)
    if found is None:
        raise ValueError(f"{quote(text)} must name a part and what of it, such as parts.profile.id")
    return Reference(text, found[1], compiled(found[2]))


def _part(name: str, spec: AggregatePartSpec, timeout_s: float) -> Part:
    return Part(
        name=name,
        service=spec.service or "",
        method=spec.method,
        path=parse_path(spec.path or ""),
        written=spec.path or "",
        value=spec.value,
        required=spec.required,
        timeout_s=timeout_s if spec.timeout is None else min(spec.timeout, timeout_s),
        pick=expression_of(spec.pick),
        fallback=spec.fallback,
        max_body=spec.max_body,
    )
