"""P: pydantic's errors in the words of people who write documents."""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from routing.document.findings import Finding, Location
from routing.document.interpolation import Filled
from routing.document.scalars import number_from_environment
from routing.document.shape import Key, Shape, find
from routing.problems import IDS, MASK, did_you_mean, quote

_PATTERNS: Final = {
    "^/": "must begin with /",
    "^/[!-~]*$": "must begin with / and hold neither spaces nor non-ASCII characters (percent-encode them)",
    "^[!-~]*$": "must hold neither spaces nor non-ASCII characters (percent-encode them)",
}
_OPTION: Final = re.compile(r"'([^']*)'|(\d+)")
_MAX_KEYS_LISTED: Final = 8


def translate(error: ValidationError, shape: Shape, value: Any) -> Iterator[Finding]:
    """Findings for one entry; `value` is the entry, `shape` its keys."""
    for detail in error.errors(include_url=False):
        location = _real_location(detail["loc"], value)
        part, key = find(shape, location)
        if detail["type"] == "extra_forbidden":
            yield _unknown_key(location, part)
        else:
            yield _translated(detail, location, key)


def _translated(detail: ErrorDetails, location: Location, key: Key | None) -> Finding:
    given = detail["input"]
    is_secret = key is not None and key.secret
    quoted = MASK if is_secret else quote(given)
    problem_id, message = _wording(detail, given, quoted)
    is_shown = (
        not is_secret and problem_id not in ("gateway.E003", "gateway.E019") and not _is_container(given)
    )
    return Finding(problem_id, location, message, given if is_shown else None)


def _wording(detail: ErrorDetails, given: object, quoted: str) -> tuple[str, str]:
    kind, context = detail["type"], detail.get("ctx", {})
    if kind in IDS:
        return kind, str(context["text"])
    if kind == "missing":
        return "gateway.E003", "is missing"
    # A number or boolean that the environment filled in rightly, and is refused all the same.
    if (
        isinstance(given, Filled)
        and kind in ("bool_type", "int_type")
        and number_from_environment(given) != given
    ):
        return "gateway.E029", f"must be {_TYPES[kind]} written out; ${{…}} cannot stand here"
    if kind == "literal_error":
        return "gateway.E005", _not_an_option(given, quoted, str(context["expected"]))
    if kind == "model_type" and context.get("class_name") in _SHORTHANDS:
        return "gateway.E004", f"must be a text or a mapping, not {quoted}{_type_hint('string_type', given)}"
    if kind in _TYPES:
        hint = "" if quoted == MASK else _type_hint(kind, given)
        return "gateway.E004", f"must be {_TYPES[kind]}, not {quoted}{hint}"
    if kind in _RULES:
        problem_id, word = _RULES[kind]
        return problem_id, word(context, quoted)
    message = detail["msg"]
    return "gateway.E004", message[:1].lower() + message[1:]


_SHORTHANDS: Final = ("ValueMatchSpec", "RedirectPathSpec", "QuotaUseSpec")
_TYPES: Final = {
    "string_type": "a text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a mapping (key: value)",
    "model_type": "a mapping (key: value)",
    "model_attributes_type": "a mapping (key: value)",
}
_RULES: Final[Mapping[str, tuple[str, Callable[[Mapping[str, Any], str], str]]]] = {
    "greater_than_equal": ("gateway.E006", lambda c, q: f"must be at least {_number(c['ge'])}, not {q}"),
    "less_than_equal": ("gateway.E006", lambda c, q: f"must be at most {_number(c['le'])}, not {q}"),
    "string_too_short": ("gateway.E038", lambda c, q: "must not be empty"),
    "string_too_long": ("gateway.E038", lambda c, q: f"is longer than {c['max_length']} characters"),
    "string_pattern_mismatch": (
        "gateway.E038",
        lambda c, q: f"{q} {_PATTERNS.get(str(c['pattern']), 'is not a date such as 2026-12-31T18:00Z')}",
    ),
    "string_unicode": ("gateway.E038", lambda c, q: "holds characters that are not Unicode"),
    "too_short": ("gateway.E038", lambda c, q: "must not be empty"),
    "too_long": ("gateway.E033", lambda c, q: f"must have at most {c['max_length']} entries"),
    "recursion_loop": ("gateway.E033", lambda c, q: "is nested too deeply"),
}


def _type_hint(kind: str, given: object) -> str:
    if kind == "string_type" and isinstance(given, bool | int | float):
        return f'; put it in quotes: "{quote(given)}"'
    if kind == "tuple_type" and isinstance(given, str | int) and not isinstance(given, bool):
        return "; a list is written [a, b]"
    if (
        kind == "bool_type"
        and isinstance(given, str)
        and given.lower() in ("yes", "no", "on", "off", "true", "false")
    ):
        return f"; say {'true' if given.lower() in ('yes', 'on', 'true') else 'false'}"
    if kind == "int_type" and isinstance(given, str) and re.fullmatch(r"-?[0-9]{1,18}", given):
        return "; leave out the quotes"
    return ""


def _not_an_option(given: object, quoted: str, expected: str) -> str:
    options = [text or number for text, number in _OPTION.findall(expected)]
    hint = did_you_mean(given, options) if isinstance(given, str) else ""
    return f"{quoted} is not one of {', '.join(options)}{hint}"


def _unknown_key(location: Location, part: Shape | None) -> Finding:
    name = str(location[-1])
    known: Mapping[str, Key] = part.keys if part is not None else {}
    # Often a key is right, but one level too high up.
    inner = [k.name for k in known.values() if k.form == "section" and k.below and name in k.below.keys]
    hint = f' (did you mean "{inner[0]}.{name}"?)' if inner else did_you_mean(name, known)
    if not hint and len(known) <= _MAX_KEYS_LISTED:
        hint = f"; known here: {', '.join(known)}"
    return Finding("gateway.E002", location, f"unknown key{hint}")


def _real_location(location: Location, value: Any) -> Location:
    """Without the steps that the document does not have: inside shorthands, and pydantic's `[key]`."""
    real: list[str | int] = []
    for step in location:
        if step == "[key]":
            break
        if not isinstance(value, dict | list | tuple):
            break
        real.append(step)
        try:
            value = value[step]  # type: ignore[index]
        except (KeyError, IndexError, TypeError):
            break
    return tuple(real)


def _number(bound: object) -> str:
    return f"{bound:g}" if isinstance(bound, float) else str(bound)


def _is_container(value: object) -> bool:
    return isinstance(value, dict | list | tuple)
