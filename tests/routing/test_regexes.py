import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.regexes import everything_below, literal_segments


@pytest.mark.parametrize(
    ("pattern", "segments"),
    [
        ("/a/b", ("a", "b")),
        ("^/a/b", ("a", "b")),
        ("/a/b$", ("a",)),
        ("/a/b/(.*)", ("a", "b")),
        ("/a/v[0-9]+/x", ("a",)),
        ("/a/b?", ("a",)),
        ("/a/?", ()),
        ("/a/?b", ()),
        ("/a/x{2}", ("a",)),
        ("/a/(b|c)/d", ("a",)),
        ("/a/[b|c]/d", ("a",)),
        (r"/a/\|/d", ("a",)),
        ("/a/b|/c", ()),
        ("/a/(?#()|/b", ()),
        ("(?i)/a/b", ()),
        ("(?i:/a)/b", ()),
        (".*", ()),
        ("", ()),
        ("a/b", ()),
        ("/", ("",)),
    ],
)
def test_literal_segments(pattern: str, segments: tuple[str, ...]) -> None:
    """Only segments that every match surely begins with are named."""
    assert literal_segments(pattern) == segments


_PIECES = st.sampled_from(
    ["/", "/", "a", "b", "(", ")", "|", "[", "]", "?", "*", "+", ".", "\\", "^", "{1}", "(?#", "(?:"]
)
_TEXTS = st.lists(st.sampled_from(["/", "a", "b", "", "/a", "|"]), max_size=6).map("".join)


@given(st.lists(_PIECES, max_size=8).map(lambda pieces: "/" + "".join(pieces)), st.lists(_TEXTS, max_size=8))
def test_every_match_begins_with_them(pattern: str, texts: list[str]) -> None:
    """No path that the pattern matches lies outside the segments that were named."""
    try:
        compiled = re.compile(pattern)
    except (re.error, FutureWarning):
        return
    segments = literal_segments(pattern)
    for text in ["/", "/a", "/a/b", *("/" + text for text in texts)]:
        if compiled.fullmatch(text):
            assert tuple(text.split("/")[1 : 1 + len(segments)]) == segments


@pytest.mark.parametrize(
    ("pattern", "segments"),
    [
        (".*", ()),
        ("/.*", ()),
        ("^/a/b/.*$", ("a", "b")),
        ("/a.*", None),
        ("/a/.+", None),
        ("/a/b", None),
        ("/a./.*", None),
        ("/a/\\.*", None),
        ("(?i)/a/.*", None),
    ],
)
def test_everything_below(pattern: str, segments: tuple[str, ...] | None) -> None:
    """Only patterns as plain as "/a/.*" are known to take all that is below a path."""
    assert everything_below(pattern) == segments


@given(
    st.sampled_from(["/.*", ".*", "/a/.*", "^/a/b/.*$"]),
    st.lists(st.sampled_from(["a", "b", "", "x"]), max_size=4),
)
def test_what_is_below_is_matched(pattern: str, rest: list[str]) -> None:
    """A path with those segments and at least one more is always matched."""
    below = everything_below(pattern)
    assert below is not None
    assert re.fullmatch(pattern, "/" + "/".join([*below, "any", *rest]))
    assert re.fullmatch(pattern, "/" + "/".join([*below, ""]))
