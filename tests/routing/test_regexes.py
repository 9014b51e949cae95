import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.regexes import literal_segments


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
