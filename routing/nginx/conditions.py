"""P: What refuses requests in a location: `if (…) { return …; }`, `limit_except`, and what has no counterpart here.

A condition on method, header or cookie becomes a route of its own beside the location's. Whatever else may refuse
somebody closes the route for everybody: it is never more open than it was.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

from routing.foreign import Notes
from routing.nginx.directives import Directive
from routing.nginx.locations import Location

Match = dict[str, Any]
_CLOSING: Final = (
    "auth_basic", "auth_request", "auth_jwt", "auth_jwt_require", "access_by_lua_block", "access_by_lua_file",
    "js_access", "ssl_verify_client",
)  # fmt: skip
_OFF: Final = ("off", "optional", "optional_no_ca")
_REFUSES: Final = re.compile(r"[45][0-9][0-9]")
_METHOD: Final = "$request_method"


@dataclass(frozen=True, slots=True)
class Refusals:
    """`held`: what the location's own route asks for. `made`: what else is asked for, and what is returned then."""

    held: Match = field(default_factory=dict)
    made: tuple[tuple[Match, tuple[str, ...], tuple[Directive, ...]], ...] = ()
    closing: tuple[str, ...] = ()
    """What refuses requests in a way that has no counterpart."""


@dataclass(frozen=True, slots=True)
class _Condition:
    """Requests that have this are refused; or, if it `must_hold`, all others."""

    match: Match
    must_hold: bool
    returned: tuple[str, ...]
    block: tuple[Directive, ...] = ()


def refusals_of(location: Location, notes: Notes) -> Refusals:
    """Of the location and of the server around it."""
    closing = [
        name for name in _CLOSING if (found := location.one(name)) is not None and found[:1] not in _offs()
    ]
    if location.one("satisfy") == ("any",):
        closing.append("satisfy any")
    conditions: list[_Condition] = []
    for each in [*_server(location), *location.directive.block]:
        if each.name not in ("if", "limit_except"):
            continue
        condition = _of_if(each) if each.name == "if" else _of_methods(each)
        if condition is not None:
            conditions.append(condition)
        elif each.name == "limit_except" or _may_refuse(each):
            closing.append(f"{each.name} ({' '.join(each.args).strip('()')})")
        else:
            notes.add(each.place, f"if ({' '.join(each.args).strip('()')}): is not carried over")
    if len(conditions) > 1:
        notes.add(
            "",
            "where several conditions hold for a request, it is answered as one of them says, not always the first",
        )
    return _arranged(conditions, tuple(closing))


def _offs() -> set[tuple[str, ...]]:
    return {(each,) for each in _OFF}


def _server(location: Location) -> list[Directive]:
    """The conditions of a server are asked before those of its locations."""
    return [each for block in location.around if block.name == "server" for each in block.all("if")]


def _may_refuse(condition: Directive) -> bool:
    returned = [each.args[0] for each in condition.all("return") if each.args]
    access = any(each.name in ("deny", *_CLOSING) for each in condition.block)
    return access or any(_REFUSES.fullmatch(status) or "$" in status for status in returned)


def _arranged(conditions: list[_Condition], closing: tuple[str, ...]) -> Refusals:
    """One that must hold is added to the location's route, and what does not have it is returned; in their order."""
    held: Match = {}
    made = []
    for each in (condition for condition in conditions if condition.must_hold):
        more = _both(held, each.match)
        if more is None:
            return Refusals(closing=(*closing, "if"))
        made.append((held, each.returned, each.block))
        held = more
    for each in (condition for condition in conditions if not condition.must_hold):
        found = _both(held, each.match)
        if found is None:
            return Refusals(closing=(*closing, "if"))
        if found.get("methods") != []:
            made.append((found, each.returned, each.block))
    return Refusals(held, tuple(made), closing)


def _both(first: Match, second: Match) -> Match | None:
    """What has both; None where a document cannot say so."""
    found = {**first, **second}
    if "methods" in first and "methods" in second:
        found["methods"] = [each for each in first["methods"] if each in second["methods"]]
    for kind in ("headers", "query"):
        one, two = first.get(kind, {}), second.get(kind, {})
        if one.keys() & two.keys():
            return None
        if one or two:
            found[kind] = {**one, **two}
    return found


def _of_if(directive: Directive) -> _Condition | None:
    """None where it is more than a comparison that is answered at once."""
    words = " ".join(directive.args).strip().removeprefix("(").removesuffix(")").split()
    returned = next(directive.all("return"), None)
    if returned is None or not returned.args or any(
        each.name not in ("return", "add_header") for each in directive.block
    ):  # fmt: skip
        return None
    if len(words) not in (2, 3) or words[1] not in ("=", "!=", "~", "~*", "!~", "!~*"):
        return None
    variable, operator = words[:2]
    value = words[2].strip("\"'") if len(words) == 3 else ""
    negated = operator.startswith("!")
    match = match_of(variable, value, operator.lstrip("!"))
    if match is None:
        return None
    if value == "" and operator in ("=", "!="):  # nothing, or no such field
        negated = not negated
    fields = tuple(each for each in directive.block if each.name == "add_header")
    return _Condition(match, negated, returned.args, fields)


def _of_methods(directive: Directive) -> _Condition | None:
    """`limit_except`: what is in the block is for all other methods. GET stands for HEAD as well."""
    if [(each.name, each.args) for each in directive.block] != [("deny", ("all",))]:
        return None
    methods = [
        *directive.args,
        *(["HEAD"] if "GET" in directive.args and "HEAD" not in directive.args else []),
    ]
    return _Condition({"methods": methods}, True, ("403",))


def match_of(variable: str, value: str, operator: str = "=") -> Match | None:
    """The part of a route's match that holds where the variable has the value; for `= ""`: where it has any."""
    if variable == _METHOD:
        found = re.fullmatch(r"\^?\(?([A-Z]+(?:\|[A-Z]+)*)\)?\$?", value)
        if found is None or ("|" in value and operator == "="):
            return None
        return {"methods": found[1].split("|")}
    pattern = _pattern(value, operator)
    if pattern is None or "$" in value.removesuffix("$"):
        return None
    if variable.startswith("$http_"):
        name = variable.removeprefix("$http_").replace("_", "-")
        return {"headers": {name: value if operator == "=" and value else {"regex": pattern}}}
    if variable.startswith("$cookie_") and operator == "=":
        name = re.escape(variable.removeprefix("$cookie_"))
        return {
            "headers": {"cookie": {"regex": rf"(?:.*;\s*)?{name}={pattern.replace('.+', '[^;]+')}(?:;.*)?"}}
        }
    if variable.startswith("$arg_") and operator == "=" and value:
        return {"query": {variable.removeprefix("$arg_"): value}}
    return None


def _pattern(value: str, operator: str) -> str | None:
    if operator == "=":
        return re.escape(value) if value else ".+"
    head, body, tail = "" if value.startswith("^") else ".*", value.removeprefix("^"), ".*"
    if body.endswith("$") and not body.endswith("\\$"):
        body, tail = body[:-1], ""
    pattern = f"{'(?i)' if operator == '~*' else ''}{head}(?:{body}){tail}"
    try:
        re.compile(pattern)
    except re.error:
        return None
    return pattern
