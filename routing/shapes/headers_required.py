"""P: Header fields that a request must have (`require_headers`), compiled, and what they make of a request."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from routing.explanation import PolicyNote

if TYPE_CHECKING:
    from routing.document.routes import RouteSpec

Fields = tuple[tuple[bytes, bytes], ...]
LONGEST_SHOWN: Final = 80
SECRET: Final = re.compile(r"authorization|cookie|token|secret|password|passwd|api-?key|credential|signature")
"""Header fields of which no value is shown."""


@dataclass(frozen=True, slots=True)
class HeaderRule:
    """What the values of one field must be: there, one of these, of this form."""

    one_of: frozenset[bytes] = frozenset()
    pattern: re.Pattern[str] | None = None
    expected: str | tuple[str, ...] = "present"
    """For people: the values, or the form."""
    is_optional: bool = False
    """It may be missing."""

    def takes(self, value: bytes) -> bool:
        """Whether a value is one of those that are wanted, to the letter."""
        if self.one_of and value not in self.one_of:
            return False
        return self.pattern is None or self.pattern.fullmatch(value.decode("latin-1")) is not None


@dataclass(frozen=True, slots=True)
class Lack:
    """A field that is missing (`value` None), or not as it should be."""

    header: str
    expected: str | tuple[str, ...]
    value: str | None

    @property
    def reason(self) -> str:
        return "missing" if self.value is None else "value"


@dataclass(frozen=True, slots=True)
class RequiredHeaders:
    """Rules by the field's name in lower case."""

    rules: Mapping[bytes, HeaderRule]
    is_enforced: bool = True
    needed: frozenset[bytes] = field(init=False)
    """The names of those that must be there."""

    def __post_init__(self) -> None:
        needed = (name for name, rule in self.rules.items() if not rule.is_optional)
        object.__setattr__(self, "needed", frozenset(needed))

    def lacking(self, fields: Fields) -> Lack | None:
        """The first thing that is wrong, in the order of the fields and then of the rules.

        A field that comes several times must be right each time: nobody knows which of them the service reads.
        """
        rules = self.rules
        seen: set[bytes] = set()
        for name, value in fields:
            rule = rules.get(name)
            if rule is None:
                continue
            if not rule.takes(value):
                return Lack(name.decode("latin-1"), rule.expected, shown(name, value))
            seen.add(name)
        if not self.needed <= seen:
            name = next(name for name in rules if name in self.needed - seen)
            return Lack(name.decode("latin-1"), rules[name].expected, None)
        return None


def required_headers_of(spec: RouteSpec) -> RequiredHeaders | None:
    """The rules of a route; None where it has none."""
    part = spec.require_headers
    extra = part.__pydantic_extra__ if part is not None else None
    if part is None or not extra:
        return None
    rules = {
        name.lower().encode("ascii"): HeaderRule(
            frozenset(value.encode("latin-1") for value in rule.one_of),
            None if rule.regex is None else re.compile(rule.regex),
            tuple(rule.one_of) or (f"matches {rule.regex}" if rule.regex is not None else "present"),
            is_optional=rule.optional,
        )
        for name, rule in extra.items()
    }
    return RequiredHeaders(rules, part.mode == "enforce")


def required_headers_note(
    policy: RequiredHeaders | None, source: str, fields: Fields
) -> Iterator[PolicyNote]:
    """What the rules make of a request with these fields."""
    if policy is None:
        return
    details: dict[str, object] = {
        "headers": {name.decode("latin-1"): rule.expected for name, rule in policy.rules.items()},
        "mode": "enforce" if policy.is_enforced else "log",
    }
    lack = policy.lacking(fields)
    if lack is not None:
        details["refused_for" if policy.is_enforced else "would_be_refused_for"] = {
            "header": lack.header,
            "value": lack.value,
        }
    outcome = "refuse" if lack is not None and policy.is_enforced else "pass"
    yield PolicyNote("require_headers", source, outcome, details)


def shown(name: bytes, value: bytes) -> str:
    """A value for the client that sent it: short, and nothing of a secret."""
    if SECRET.search(name.decode("latin-1")):
        return "***"
    text = value.decode("latin-1")
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"
