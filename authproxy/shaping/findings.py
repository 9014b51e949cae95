"""P: What a schema has to say of a value, told to whoever sent it: at most 20 places, and nothing of a secret."""

import re
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Any, Final

import jsonschema_rs

from routing.jsonschemas import Validator
from routing.pointers import format_pointer

MOST: Final = 20
LONGEST: Final = 100
MOST_LISTED: Final = 20
SMALL: Final = 8 * 1024
"""Bytes. All that is wrong with a value is listed at once, at ten microseconds and a kilobyte for each place; of a
larger value only the first place is told, so that nobody can make the gateway list a million."""
MASK: Final = "***"
SECRET: Final = re.compile(
    r"passw|pwd|secret|token|authorization|credential|api_?key|private_?key|cookie|session|otp|cvc|cvv|(^|_)pin($|_)",
    re.IGNORECASE,
)
Detail = dict[str, Any]
Path = list[str | int]


def findings(
    validator: Validator, value: Any, size: int, field: Callable[[Path], str] = format_pointer
) -> list[Detail]:
    """What is wrong with a value that did not pass; {field, value, expected} for each place.

    `size` is how many bytes the value came in; `field` names a place. Never empty.
    """
    try:
        errors = list(_errors(validator, value, size))
    except ValueError as failure:  # not a ValidationError: those are given, not raised
        return [{"field": "", "value": None, "expected": _unreadable(failure)}]
    details: list[Detail] = []
    for error in errors:
        for path, found, expected in _told(error):
            detail = {"field": field(path), "value": found, "expected": expected}
            if detail not in details:
                details.append(detail)
    return details[:MOST] or [{"field": "", "value": None, "expected": "as the schema says"}]


def _errors(validator: Validator, value: Any, size: int) -> Iterator[jsonschema_rs.ValidationError]:
    if size <= SMALL:
        yield from islice(validator.iter_errors(value), 2 * MOST)
        return
    try:
        validator.validate(value)
    except jsonschema_rs.ValidationError as error:
        yield error


def _unreadable(failure: ValueError) -> str:
    return "not nested as deeply" if "ecursion" in str(failure) else "as the schema says"


def _told(error: jsonschema_rs.ValidationError) -> Iterator[tuple[Path, Any, Any]]:
    path: Path = list(error.instance_path)
    keyword, said = _kind(error)
    if keyword == "required":
        yield [*path, said.get("property", "")], None, "present"
    elif keyword in ("additionalProperties", "unevaluatedProperties"):
        for name in said.get("unexpected", ())[:MOST]:
            below = error.instance.get(name) if isinstance(error.instance, dict) else None
            yield [*path, name], shown([*path, name], below), "absent"
    elif keyword == "falseSchema" and error.schema_path[-1:] == ["additionalProperties"]:
        yield (
            path,
            None,
            "no members",
        )  # the validator names none of them, and a value alone might be a secret
    else:
        yield path, shown(path, error.instance), _expected(keyword, said)


def _kind(error: jsonschema_rs.ValidationError) -> tuple[str, Mapping[str, Any]]:
    name = error.kind.name
    if name in ("anyOf", "oneOf"):  # whose parts are errors themselves
        return name, {}
    return name, error.kind.as_dict()


_EXPECTED: Final[Mapping[str, Callable[[Mapping[str, Any]], Any]]] = {
    "type": lambda said: " or ".join(said["types"]),
    "enum": lambda said: said["options"][:MOST_LISTED],
    "const": lambda said: said["expected_value"],
    "minimum": lambda said: f"at least {said['limit']}",
    "maximum": lambda said: f"at most {said['limit']}",
    "exclusiveMinimum": lambda said: f"above {said['limit']}",
    "exclusiveMaximum": lambda said: f"below {said['limit']}",
    "minLength": lambda said: f"at least {said['limit']} characters",
    "maxLength": lambda said: f"at most {said['limit']} characters",
    "minItems": lambda said: f"at least {said['limit']} items",
    "maxItems": lambda said: f"at most {said['limit']} items",
    "minProperties": lambda said: f"at least {said['limit']} members",
    "maxProperties": lambda said: f"at most {said['limit']} members",
    "multipleOf": lambda said: f"a multiple of {said['multiple_of']}",
    "pattern": lambda said: f"matches {said['pattern']}",
    "format": lambda said: f"format {said['format']}",
    "uniqueItems": lambda said: "no item twice",
    "anyOf": lambda said: "one of the alternatives",
    "oneOf": lambda said: "exactly one of the alternatives",
    "not": lambda said: "not of this kind",
    "contains": lambda said: "an item of the kind that is asked for",
    "propertyNames": lambda said: "names of members as the schema says",
    "falseSchema": lambda said: "absent",
}


def _expected(keyword: str, said: Mapping[str, Any]) -> Any:
    try:
        return _EXPECTED[keyword](said)
    except KeyError:
        return f"as the schema says ({keyword})"


def shown(path: Path, value: Any) -> Any:
    """A value for whoever sent it: short, and masked where a name on the way to it sounds like a secret's."""
    if any(isinstance(step, str) and SECRET.search(step) for step in path):
        return None if value is None else MASK
    if isinstance(value, str):
        return value if len(value) <= LONGEST else f"{value[: LONGEST - 1]}…"
    if isinstance(value, dict):
        return f"an object of {len(value)}"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) >= 1 << 63:
        return "a huge number"
    return value
