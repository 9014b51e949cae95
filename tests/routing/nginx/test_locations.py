"""Which requests a location takes."""

import pytest

from routing.foreign import Notes
from routing.nginx.directives import Directive
from routing.nginx.locations import locations_of, match_of, names_of, priorities_of, tier_of


def server(*locations: tuple[str, ...], names: tuple[str, ...] = ()) -> Directive:
    listed = tuple(Directive("location", args, f"nginx.conf:{n}") for n, args in enumerate(locations))
    return Directive("server", (), "nginx.conf:0", (*listed, Directive("server_name", names, "nginx.conf:9")))


def matches(*locations: tuple[str, ...]) -> list[dict[str, str]]:
    http = Directive("http", (), "")
    return [match_of(each, Notes()) for each in locations_of(server(*locations), http, Notes())]


def test_paths() -> None:
    """Expressions fit anywhere there, and the whole here."""
    assert matches(("=", "/a"), ("/b/",), ("~", "^/c$"), ("~*", r"\.png$"), ("~", "d")) == [
        {"path": "/a", "path_type": "exact"},
        {"path": "/b"},
        {"path": "/c", "path_type": "regex"},
        {"path": r"(?i).*\.png", "path_type": "regex"},
        {"path": ".*d.*", "path_type": "regex"},
    ]


def test_order() -> None:
    """Exact, `^~`, expressions as they are written, prefixes; without expressions the longest wins anyway."""
    http, notes = Directive("http", (), ""), Notes()
    found = locations_of(
        server(("/",), ("~", "a"), ("~", "b"), ("^~", "/c"), ("=", "/d"), ("/c/e",)), http, notes
    )
    plain, first, second, strong, exact, below = priorities_of(found, notes)

    assert exact > strong > first > second > plain == below == 0
    assert any("nginx.conf:5: location /c/e" in line for line in notes.lines())
    assert priorities_of(found[:1], notes) == [0]


def test_named_locations_are_left_out() -> None:
    """They are reached from others only."""
    notes = Notes()
    assert locations_of(server(("@later",)), Directive("http", (), ""), notes) == []
    assert notes.lines() == ["nginx.conf:0: location @later: named locations are not carried over"]


@pytest.mark.parametrize(
    ("names", "groups"),
    [
        (("a.test", "B.test"), [("a.test", "b.test")]),
        ((".a.test",), [("a.test",), ("*.a.test",)]),
        (("_", ""), []),
        (("www.*", "~x"), []),
    ],
)
def test_host_names(names: tuple[str, ...], groups: list[tuple[str, ...]]) -> None:
    """Exact ones belong together; a wildcard stands by itself."""
    assert names_of(server(names=names), Notes()) == groups


def test_an_exact_name_comes_before_the_longest_wildcard() -> None:
    """And that before none."""
    assert tier_of(("a.test",)) > tier_of(("*.b.a.test",)) > tier_of(("*.test",)) > tier_of(()) == 0
