import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.paths import NormalPath, normalise
from routing.rewrite import CompiledRewrite, location, replace_prefix, written_path
from routing.snapshot import Redirect

_STRIP = CompiledRewrite("prefix", b"", 2)
_NEW = CompiledRewrite("prefix", b"/new", 2)
_NEW_SLASH = CompiledRewrite("prefix", b"/new/", 2)
_ROOT = CompiledRewrite("prefix", b"/", 2)
_PATH = CompiledRewrite("path", b"/exact/")


@pytest.mark.parametrize(
    ("rewrite", "path", "alone", "based"),
    [
        (CompiledRewrite(), b"/", b"/", b"/base/"),
        (CompiledRewrite(), b"/a//b", b"/a//b", b"/base/a//b"),
        (_STRIP, b"/api/v1", b"/", b"/base"),
        (_STRIP, b"/api/v1/", b"/", b"/base/"),
        (_STRIP, b"/api/v1/a%2Fb", b"/a%2Fb", b"/base/a%2Fb"),
        (_STRIP, b"/%61pi/v1/x", b"/x", b"/base/x"),
        (_NEW, b"/api/v1", b"/new", b"/base/new"),
        (_NEW, b"/api/v1/", b"/new/", b"/base/new/"),
        (_NEW, b"/api/v1/x/", b"/new/x/", b"/base/new/x/"),
        (_NEW_SLASH, b"/api/v1", b"/new/", b"/base/new/"),
        (_NEW_SLASH, b"/api/v1/x", b"/new/x", b"/base/new/x"),
        (_ROOT, b"/api/v1", b"/", b"/base/"),
        (_ROOT, b"/api/v1/x", b"/x", b"/base/x"),
        (CompiledRewrite("prefix", b"/new", 0), b"/x", b"/new/x", b"/base/new/x"),
        (_PATH, b"/anything", b"/exact/", b"/base/exact/"),
    ],
)
def test_joining(rewrite: CompiledRewrite, path: bytes, alone: bytes, based: bytes) -> None:
    """No slash appears that neither the client nor the configuration wrote, and none is doubled."""
    assert rewrite.apply(path) == alone
    assert rewrite.apply(path, b"/base") == based


def _regex(pattern: str, to: str) -> CompiledRewrite:
    return CompiledRewrite("regex", pattern=re.compile(pattern), to=to)


@pytest.mark.parametrize(
    ("pattern", "to", "path", "result"),
    [
        ("^/a/(.*)", "/b/\\1", b"/a/x/y", b"/b/x/y"),
        ("^/a/(?P<rest>.*)", "/b/\\g<rest>", b"/a/x%20y", b"/b/x%20y"),
        ("^/a/(.*)", "/b/\\1", b"/c/x", b"/c/x"),
        ("^/a/(.*)", "/b/\\1", b"/%61/x%2fy", b"/b/x%2fy"),
        ("(.*)", "/b\\1", b"/x", b"/b/x"),
        ("x", "y", b"/x/x", b"/y/y"),
        ("^/", "", b"/x", b"/x"),
        ("^/a", "", b"/a", b"/"),
        ("$", "/end", b"/a", b"/a/end"),
        ("(a)|b", "[\\1]", b"/ab", b"/[a][]"),
        ("^/a", "/é ?#", b"/a/b", b"/%C3%A9%20%3F%23/b"),
        # what comes out is resolved again
        ("x", "", b"/a/x../b", b"/b"),
        ("x", "", b"/x/x/a", b"/a"),
        ("x", "", b"/%0x0", b"/%2500"),
        ("x", "", b"/%4x", b"/%254"),
    ],
)
def test_regular_expressions(pattern: str, to: str, path: bytes, result: bytes) -> None:
    """Every match is replaced, in the path as it is sent; the result is a path that may be sent."""
    assert _regex(pattern, to).apply(path) == result


def test_a_path_that_a_regex_does_not_match_keeps_its_bytes() -> None:
    """Escapes are only read differently, not changed, where nothing is replaced."""
    assert _regex("^/b", "/c").apply(b"/%61/b") == b"/%61/b"


_paths = st.lists(
    st.sampled_from([b"/a", b"/x", b"/%2e", b"/b.x.", b"/%41", b"/%C3%A9", b"x", b"/"]), max_size=6
)


@given(
    _paths,
    st.sampled_from(
        [_STRIP, _NEW, _NEW_SLASH, _ROOT, _PATH, _regex("x", ""), _regex("/?(.)", "\\1."), _regex("%", "x")]
    ),
)
def test_every_result_is_a_normal_path(pieces: list[bytes], rewrite: CompiledRewrite) -> None:
    """Whatever a client sends, what a rewrite makes of it begins with a slash and holds no dot segment."""
    given_path = normalise(b"/" + b"".join(pieces))
    assert isinstance(given_path, NormalPath)
    result = rewrite.apply(given_path.forward)
    again = normalise(result)
    assert isinstance(again, NormalPath)
    assert again.forward == result


def test_replace_prefix_counts_segments() -> None:
    """Segments are counted in the forwarded form, where escapes have other lengths."""
    assert replace_prefix(b"/caf%C3%A9/x", 1, b"") == b"/x"
    assert replace_prefix(b"/a", 3, b"/n") == b"/n"


@pytest.mark.parametrize(
    ("text", "sent"),
    [
        ("/new", b"/new"),
        ("/n\u00e9w/a b", b"/n%C3%A9w/a%20b"),
        ("/a//./b/", b"/a/b/"),
        ("/a?b#c", b"/a%3Fb%23c"),
        ("/50%", b"/50%25"),
    ],
)
def test_written_paths(text: str, sent: bytes) -> None:
    """What a person wrote becomes what may be sent."""
    assert written_path(text) == sent


@pytest.mark.parametrize(
    ("redirect", "result"),
    [
        (Redirect(301, scheme="https"), b"https://example.com/a/b?q=1"),
        (Redirect(301, scheme="http"), b"http://example.com/a/b?q=1"),
        (Redirect(301, scheme="https", port=8443), b"https://example.com:8443/a/b?q=1"),
        (Redirect(301, scheme="https", host="h", port=443), b"https://h/a/b?q=1"),
        (Redirect(301, host="h"), b"http://h/a/b?q=1"),
        (Redirect(301, host="[::1]", port=1), b"http://[::1]:1/a/b?q=1"),
        (Redirect(301, port=81), b"http://example.com:81/a/b?q=1"),
        (Redirect(301, port=80), b"http://example.com/a/b?q=1"),
        (Redirect(301, path=b"/new"), b"/new?q=1"),
        (Redirect(301, path=b"/new", query=b"x=2"), b"/new?x=2"),
        (Redirect(301, path=b"/new", query=b""), b"/new"),
        (Redirect(301, path=b"/new", fragment=b"#top"), b"/new?q=1#top"),
        (Redirect(301, prefix=b"/new", prefix_segments=1), b"/new/b?q=1"),
        (Redirect(301, prefix=b"/", prefix_segments=1), b"/b?q=1"),
        (Redirect(301, prefix=b"/n", prefix_segments=2, scheme="https"), b"https://example.com/n?q=1"),
    ],
)
def test_locations(redirect: Redirect, result: bytes) -> None:
    """What a redirect leaves out stays as the client wrote it; the port only if host and scheme stay."""
    assert location(redirect, scheme="http", host=b"example.com:8000", path=b"/a/b", query=b"q=1") == result


def test_locations_of_odd_requests() -> None:
    """Nothing that a client sends makes a Location lead elsewhere or break out of the header."""
    here = Redirect(302, prefix=b"/", prefix_segments=0)
    assert location(here, scheme="http", host=b"h", path=b"/\\evil.com", query=b"") == b"/%5Cevil.com"
    assert location(here, scheme="http", host=b"h", path=b"/", query=b"a=\xff\r\n") == b"/?a=%FF%0D%0A"
    secure = Redirect(301, scheme="https")
    assert location(secure, scheme="http", host=b"", path=b"/a", query=b"") == b"/a"
    assert location(secure, scheme="http", host=b"[::1]:80", path=b"/a", query=b"") == b"https://[::1]/a"
