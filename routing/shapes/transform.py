"""P: JMESPath expressions of a route, compiled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jmespath.parser import ParsedResult

from routing.document.jmespaths import compiled
from routing.explanation import PolicyNote

if TYPE_CHECKING:
    from routing.document.routes import RouteSpec


@dataclass(frozen=True, slots=True)
class Expression:
    """One expression, as it is written and as it is run."""

    written: str
    parsed: ParsedResult = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Transform:
    """What a route makes of JSON bodies of at most `max_body` bytes."""

    request: Expression | None
    response: Expression | None
    max_body: int


def transform_of(spec: RouteSpec) -> Transform | None:
    """The expressions have been checked: they compile."""
    part = spec.transform
    if part is None or (part.request is None and part.response is None):
        return None
    return Transform(expression_of(part.request), expression_of(part.response), part.max_body)


def transform_note(transform: Transform | None, source: str) -> Iterator[PolicyNote]:
    """The expressions, and up to which length they are used."""
    if transform is not None:
        details = {
            "request": transform.request.written if transform.request else None,
            "response": transform.response.written if transform.response else None,
            "max_body": transform.max_body,
        }
        yield PolicyNote("transform", source, "applies", details)


def expression_of(written: str | None) -> Expression | None:
    """One that has been checked; None where there is none."""
    return None if written is None else Expression(written, compiled(written))
