"""Where a proxy_pass with a variable sends. That nginx says the same is tested beside it."""

import pytest

from routing.foreign import Notes
from routing.nginx.directives import Directive
from routing.nginx.variables import Variables, Way


def block(name: str, args: tuple[str, ...], *entries: tuple[str, ...]) -> Directive:
    return Directive(name, args, "f:1", tuple(Directive(each[0], each[1:], "f:2") for each in entries))


def variables(*blocks: Directive) -> tuple[Variables, Notes]:
    notes = Notes()
    return Variables(Directive("http", (), "f", blocks), notes), notes


def test_an_address_without_a_variable_is_the_one() -> None:
    """As is one with a variable that nothing sets."""
    found, _ = variables()

    assert found.ways("http://a/x") == (Way((("http://a/x", 1),)),)
    assert found.ways("http://$a/x") == (Way((("http://$a/x", 1),)),)


def test_a_map_of_a_header_has_one_way_for_each_value() -> None:
    """Texts are compared without case; braces around the name are the same."""
    found, notes = variables(block("map", ("$http_x", "$to"), ("default", "a"), ("B.1", "b")))

    assert found.ways("http://${to}/x") == (
        Way((("http://a/x", 1),)),
        Way((("http://b/x", 1),), {"headers": {"x": {"regex": r"(?i)(?:B\.1)"}}}),
    )
    found.note_left()
    assert notes.lines() == []


@pytest.mark.parametrize(
    "entries",
    [
        (("b", "x"),),
        (("default", "a"),),
        (("default", "a"), ("~^b", "x")),
        (("default", "a"), ("", "x")),
        (("default", "$other"), ("b", "x")),
        (("hostnames",), ("default", "a"), ("b", "x")),
    ],
)
def test_a_map_that_cannot_be_said_is_named(entries: tuple[tuple[str, ...], ...]) -> None:
    """Expressions, no default, other variables."""
    found, notes = variables(block("map", ("$http_x", "$to"), *entries))

    assert found.ways("http://$to") == (Way((("http://$to", 1),)),)
    found.note_left()
    assert notes.lines() == ["f:1: map $http_x $to: is not carried over"]


def test_shares_of_clients_are_weights() -> None:
    """In hundredths of a percent; the rest is the last one's. Without a rest, some would go nowhere."""
    found, notes = variables(
        block("split_clients", ("$remote_addr", "$to"), ("0.5%", "a"), ("20%", "b"), ("*", "c")),
        block("split_clients", ("$remote_addr", "$half"), ("50%", "a")),
    )

    assert found.ways("http://$to") == (Way((("http://a", 50), ("http://b", 2000), ("http://c", 7950))),)
    assert found.ways("http://$half") == (Way((("http://$half", 1),)),)
    assert "sticky" in notes.lines()[0]
