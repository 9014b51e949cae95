"""Paths of routes: what can never match is refused with what would."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.document.path_rules import check_path
from routing.paths import NormalPath, normalise_written
from routing.patterns import BadPath, parse_pattern
from tests.support.documents import lines


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", None),
        ("/a", "exact"),
        ("/a/", "prefix"),
        ("/a/", "exact"),
        ("/café", "prefix"),
        ("/caf%C3%A9", "prefix"),
        ("/%61", "exact"),
        ("/a b", "exact"),
        ("/100%25", "exact"),
        ("/orders/{id}", "template"),
        ("/%7Bid%7D", "exact"),
        ("^/a/[0-9]+$", "regex"),
        ("(/a|/b)", "regex"),
        ("[/]a", "regex"),
        (None, "exact"),
        (5, "exact"),
        ("/x?", "no such type"),
    ],
)
def test_accepted(path: object, kind: object) -> None:
    """Paths that a request can have; values of a wrong type are reported elsewhere."""
    assert lines(check_path({"path": path, "path_type": kind})) == []


@pytest.mark.parametrize(
    ("path", "kind", "message"),
    [
        ("a/b", "prefix", 'E013 match.path: must begin with /; say "/a/b"'),
        ("http://a/b", "prefix", "E013 match.path: must begin with /"),
        (
            "/a?b=c",
            "prefix",
            'E013 match.path: "/a?b=c" has a query; say "/a" and put the parameters under match.query',
        ),
        ("/a#b", "exact", 'E013 match.path: "/a#b" has a fragment; say "/a"'),
        ("/a//b", "prefix", 'E013 match.path: "/a//b" never arrives like this; say "/a/b"'),
        ("/a/./b", "exact", 'E013 match.path: "/a/./b" never arrives like this; say "/a/b"'),
        ("/a/%2e%2E/b", "exact", 'E013 match.path: "/a/%2e%2E/b" never arrives like this; say "/b"'),
        ("/a%2Fb", "exact", "has an encoded slash or a backslash, which no route can be found by"),
        ("/a\\b", "exact", "has an encoded slash or a backslash"),
        ("/a%zz", "prefix", "the path has a percent sign without two hexadecimal digits"),
        ("/a%00", "prefix", "the path has an encoded control byte"),
        ("/orders/{id}", "prefix", 'E014 match.path: "/orders/{id}" has braces; say path_type: template'),
        ("/{id}/{id}", "template", 'E014 match.path: "/{id}/{id}": the template names a placeholder twice'),
        (
            "/{id}.json",
            "template",
            'E014 match.path: "/{id}.json": a placeholder of a template is a whole segment',
        ),
        ("/{}", "template", "E014"),
        ("{id}", "template", "E013 match.path: must begin with /"),
        ("(a+)+", "regex", 'E015 match.path: "(a+)+" could run for ever'),
        ("api/.*", "regex", 'E015 match.path: "api/.*" never matches: paths begin with /'),
        ("/(.*)/(.*)", "regex", "W003 match.path"),
    ],
)
def test_refused(path: str, kind: str, message: str) -> None:
    """The message says what is wrong, and the normal form where there is one."""
    assert message in lines(check_path({"path": path, "path_type": kind}))[0]


@given(
    st.text("/.%2eE5fFcC{}ab?# \\é", max_size=12).map(lambda text: "/" + text),
    st.sampled_from(["exact", "prefix"]),
)
def test_accepted_paths_can_be_requested(path: str, kind: str) -> None:
    """Whatever is accepted compiles, and matches a request for the very same path."""
    if lines(check_path({"path": path, "path_type": kind})):
        return
    normal = normalise_written(path)
    pattern = parse_pattern(path, kind)  # type: ignore[arg-type]

    assert isinstance(normal, NormalPath)
    assert not isinstance(pattern, BadPath)
    assert not normal.has_encoded_slash
    assert pattern.covers(normal.match)
