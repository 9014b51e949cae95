import pytest

from routing.paths import BadPath
from routing.patterns import ANY_PATH, PathPattern, PathType, parse_pattern


@pytest.mark.parametrize(
    ("path", "kind", "text", "segments"),
    [
        ("/a/b", "exact", "/a/b", ("a", "b")),
        ("/a/", "exact", "/a/", ("a", "")),
        ("/", "exact", "/", ("",)),
        ("/a", "prefix", "/a", ("a",)),
        ("/a/", "prefix", "/a", ("a",)),
        ("/", "prefix", "/", ()),
        ("/caf%C3%A9//x/../y", "prefix", "/café/y", ("café", "y")),
        ("/orders/{id}", "template", "/orders/{}", ("orders", None)),
        ("/{a}/x/{b_2}/", "template", "/{}/x/{}/", (None, "x", None, "")),
        ("/%7Bid%7D/{id}", "template", "/{id}/{}", ("{id}", None)),
        ("/%7B%7D/{id}", "template", "/{}/{}", ("{}", None)),
        ("/{id}/%2e%2e/a", "template", "/a", ("a",)),
        ("/api/v1/[0-9]+", "regex", "/api/v1/[0-9]+", ("api", "v1")),
    ],
)
def test_parse(path: str, kind: PathType, text: str, segments: tuple[str | None, ...]) -> None:
    """A path is read into its segments, with None where a placeholder stands."""
    pattern = parse_pattern(path, kind)
    assert isinstance(pattern, PathPattern)
    assert (pattern.kind, pattern.text, pattern.segments) == (kind, text, segments)
    assert pattern.written == path


@pytest.mark.parametrize(
    ("path", "kind", "reason"),
    [
        ("a", "prefix", "begin with a slash"),
        ("/a?x", "exact", "question mark"),
        ("/a%zz", "template", "hexadecimal"),
        ("/{id}/{id}", "template", "twice"),
        ("/{id}.json", "template", "whole segment"),
        ("/a}", "template", "whole segment"),
        ("/{}", "template", "whole segment"),
        ("/(", "regex", "not valid"),
        ("/a{99999999999}", "regex", "not valid"),
    ],
)
def test_refused(path: str, kind: PathType, reason: str) -> None:
    """A path that cannot be meant is refused with the reason."""
    refused = parse_pattern(path, kind)
    assert isinstance(refused, BadPath)
    assert reason in refused.reason


@pytest.mark.parametrize(
    ("path", "kind", "fits", "others"),
    [
        ("/a", "prefix", ["/a", "/a/", "/a/b"], ["/ab", "/", "/A", "/b/a"]),
        ("/a/", "prefix", ["/a", "/a/", "/a/b"], ["/ab"]),
        ("/", "prefix", ["/", "/a", "/a/b/"], []),
        ("/a", "exact", ["/a"], ["/a/", "/a/b"]),
        ("/o/{id}", "template", ["/o/1", "/o/a%2Fb"], ["/o/", "/o", "/o/1/", "/o/1/2", "/x/1"]),
        ("/o/[0-9]+", "regex", ["/o/12"], ["/o/12/", "/o/x", "x/o/1"]),
    ],
)
def test_covers(path: str, kind: PathType, fits: list[str], others: list[str]) -> None:
    """Prefixes and placeholders stand for whole segments, regular expressions for whole paths."""
    pattern = parse_pattern(path, kind)
    assert isinstance(pattern, PathPattern)
    assert [given for given in fits + others if pattern.covers(given)] == fits


def test_any_path() -> None:
    """A route without a path takes every path."""
    assert parse_pattern("/", "prefix") == ANY_PATH
