"""What refuses requests: as conditions of routes, or as what closes one. nginx itself is asked elsewhere."""

from typing import Any

import pytest

from routing.foreign import Notes
from routing.nginx.conditions import match_of, refusals_of
from routing.nginx.directives import Directive
from routing.nginx.locations import Location


def location(*block: Directive, server: tuple[Directive, ...] = ()) -> Location:
    around = (Directive("server", (), "f:1", server), Directive("http", (), "f:0"))
    return Location("", "/", Directive("location", ("/",), "f:2", block), around)


def when(*words: str, status: str = "403") -> Directive:
    """`if (words) { return status; }`"""
    return Directive("if", words, "f:3", (Directive("return", (status,), "f:3"),))


@pytest.mark.parametrize(
    ("variable", "value", "operator", "expected"),
    [
        ("$request_method", "POST", "=", {"methods": ["POST"]}),
        ("$request_method", "^(GET|HEAD)$", "~", {"methods": ["GET", "HEAD"]}),
        ("$request_method", "GET|HEAD", "=", None),
        ("$request_method", "^G", "~", {"methods": ["G"]}),
        ("$http_x_key", "a.b", "=", {"headers": {"x-key": "a.b"}}),
        ("$http_x_key", "", "=", {"headers": {"x-key": {"regex": ".+"}}}),
        ("$http_x_key", "^a", "~*", {"headers": {"x-key": {"regex": "(?i)(?:a).*"}}}),
        ("$http_x_key", "a$", "~", {"headers": {"x-key": {"regex": ".*(?:a)"}}}),
        ("$http_x_key", "(", "~", None),
        ("$http_x_key", "$host", "=", None),
        ("$cookie_a", "b", "=", {"headers": {"cookie": {"regex": r"(?:.*;\s*)?a=b(?:;.*)?"}}}),
        ("$cookie_a", "b", "~", None),
        ("$arg_v", "2", "=", {"query": {"v": "2"}}),
        ("$remote_addr", "192.0.2.1", "=", None),
    ],
)
def test_what_a_variable_is_compared_with(variable: str, value: str, operator: str, expected: Any) -> None:
    """Methods, headers, cookies and query parameters can be said in a match."""
    assert match_of(variable, value, operator) == expected


def test_what_must_hold_is_added_and_what_must_not_is_answered() -> None:
    """The server's own conditions come first."""
    found = refusals_of(
        location(when("$http_x", "!=", "a", status="401"), server=(when("$request_method", "=", "PUT"),)),
        Notes(),
    )

    assert found.held == {"headers": {"x": "a"}}
    assert [(match, returned) for match, returned, _ in found.made] == [
        ({}, ("401",)),
        ({"methods": ["PUT"], "headers": {"x": "a"}}, ("403",)),
    ]
    assert found.closing == ()


def test_two_conditions_on_one_header_cannot_be_said() -> None:
    """That closes the route."""
    found = refusals_of(location(when("$http_x", "!=", "a"), when("$http_x", "=", "b")), Notes())

    assert (found.held, found.made, found.closing) == ({}, (), ("if",))


def test_what_refuses_nobody_is_named_and_closes_nothing() -> None:
    """An `if` that only sets a variable."""
    notes = Notes()
    condition = Directive("if", ("($x)",), "f:3", (Directive("set", ("$y", "1"), "f:3"),))

    assert refusals_of(location(condition), notes).closing == ()
    assert notes.lines() == ["f:3: if ($x): is not carried over"]
