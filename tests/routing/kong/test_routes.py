"""Routes of Kong: the same requests go to the same services."""

from typing import Any

import pytest

from routing.foreign import Names, Notes
from routing.kong.converting import convert
from routing.kong.reading import Entity
from routing.kong.routes import routes_of
from routing.snapshot import CompiledRoute
from tests.support.snapshots import snapshot_of


def winner(found: dict[str, Any], path: str, host: str = "any.example.com") -> str:
    got = snapshot_of(found).index.match("GET", host.encode(), path, (), b"")
    assert isinstance(got, CompiledRoute)
    return got.name


def document(*routes: dict[str, Any]) -> dict[str, Any]:
    raw = {
        "_format_version": "3.0",
        "services": [{"name": "s", "host": "s", "routes": list(routes)}],
    }
    return convert(raw).document


def made(route: dict[str, Any]) -> tuple[list[dict[str, Any]], list[str]]:
    notes = Notes()
    return list(routes_of(Entity("routes[0]", route), "s", Names(), notes, least=0)), notes.lines()


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/a/b/c", "longer"),
        ("/a/x", "shorter"),
        ("/a/7", "regex"),
        ("/a/7/more", "regex"),
        ("/other", "any"),
    ],
)
def test_regular_expressions_come_first_then_the_longest(path: str, expected: str) -> None:
    """They fit the beginning of a path."""
    found = document(
        {"name": "any", "paths": ["/"]},
        {"name": "shorter", "paths": ["/a"]},
        {"name": "longer", "paths": ["/a/b"]},
        {"name": "regex", "paths": ["~/a/[0-9]+"]},
    )
    assert winner(found, path) == expected


def test_more_kinds_of_conditions_come_before_longer_paths() -> None:
    """And a regular expression's priority decides between two of them."""
    found = document(
        {"name": "long", "paths": ["/a/b/c"]},
        {"name": "hosted", "paths": ["/a"], "hosts": ["h"]},
        {"name": "low", "paths": ["~/r/.*"], "regex_priority": 1},
        {"name": "high", "paths": ["~/r/x.*"], "regex_priority": 9},
    )
    assert winner(found, "/a/b/c", host="h") == "hosted"
    assert winner(found, "/a/b/c", host="other") == "long"
    assert winner(found, "/r/xy") == "high"


def test_each_path_is_a_route_of_its_own() -> None:
    """Paths are stripped unless that was said."""
    found, said = made({"name": "r", "paths": ["/a/", "~/b/(x|y)$"], "headers": {"X-A": ["1", "2.0"]}})

    assert [each["name"] for each in found] == ["r", "r-2"]
    assert found[0]["match"] == {"path": "/a", "headers": {"x-a": {"regex": "1|2\\.0"}}}
    assert found[0]["rewrite"] == {"strip_prefix": True}
    assert found[1]["match"]["path"] == "/b/(x|y)"
    assert found[1]["rewrite"] == {"regex": {"pattern": "^(?:/b/(x|y))/?", "to": "/"}}
    assert said == ["Kong's path /a takes /ab as well; here it takes /a and what is below /a/"]


@pytest.mark.parametrize(
    ("route", "said", "number"),
    [
        ({"expression": 'http.path == "/"'}, "routes[0].expression", 0),
        ({"protocols": ["tcp"]}, "routes[0].protocols: tcp", 0),
        ({"protocols": ["https"]}, "ENFORCE_HTTPS=refuse", 1),
        ({"protocols": ["https"], "https_redirect_status_code": 301}, "ENFORCE_HTTPS=redirect", 1),
        ({"hosts": ["a.*", "b"]}, "routes[0].hosts: a.*", 1),
        ({"hosts": ["a.*"]}, "routes[0].hosts: none is left", 0),
        ({"snis": ["a"]}, "routes[0].snis: taken as hosts", 1),
        ({"snis": ["a.*"]}, "routes[0].hosts: none is left", 0),
        ({"snis": ["a"], "hosts": ["b"]}, "routes[0].snis: has no counterpart", 1),
        ({"path_handling": "v1"}, "routes[0].path_handling", 1),
    ],
)
def test_what_has_no_counterpart_is_named(route: dict[str, Any], said: str, number: int) -> None:
    """A route that would mean something else is left out."""
    found, lines = made(route)
    assert len(found) == number
    assert any(said in line for line in lines), lines


def test_names_of_handshakes_alone_are_hosts() -> None:
    """Else such a route would take the requests of all hosts."""
    found, _ = made({"snis": ["A.example", "*.b.example"], "paths": ["/"]})
    assert found[0]["match"]["hosts"] == ["a.example", "*.b.example"]
