import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from routing.paths import BadPath, NormalPath, normalise, normalise_written


@pytest.mark.parametrize(
    ("raw", "match", "forward"),
    [
        (b"/", "/", b"/"),
        (b"", "/", b"/"),
        (b"/a/b", "/a/b", b"/a/b"),
        (b"/a/b/", "/a/b/", b"/a/b/"),
        # doubled slashes
        (b"//", "/", b"/"),
        (b"//a///b//", "/a/b/", b"/a/b/"),
        # dot segments, RFC 3986 section 5.4
        (b"/.", "/", b"/"),
        (b"/..", "/", b"/"),
        (b"/../../a", "/a", b"/a"),
        (b"/a/b/./c", "/a/b/c", b"/a/b/c"),
        (b"/a/b/../c", "/a/c", b"/a/c"),
        (b"/a/b/.", "/a/b/", b"/a/b/"),
        (b"/a/b/..", "/a/", b"/a/"),
        (b"/a/b/../..", "/", b"/"),
        (b"/a/b/../../../c/./d/", "/c/d/", b"/c/d/"),
        (b"/a//../b", "/b", b"/b"),
        (b"/a/%2e/b/%2E%2e/c/.%2e/d", "/a/d", b"/a/d"),
        # not dot segments
        (b"/...", "/...", b"/..."),
        (b"/.a/..b/c./d..", "/.a/..b/c./d..", b"/.a/..b/c./d.."),
        (b"/.well-known/x", "/.well-known/x", b"/.well-known/x"),
        (b"/a;x=1/...;/b..;/.c;/;d", "/a;x=1/...;/b..;/.c;/;d", b"/a;x=1/...;/b..;/.c;/;d"),
        # escapes
        (b"/%41%62c", "/Abc", b"/%41%62c"),
        (b"/caf%C3%A9/%e2%82%ac", "/café/€", b"/caf%C3%A9/%e2%82%ac"),
        (b"/%ff%C3%A9%c3", "/%FFé%C3", b"/%ff%C3%A9%c3"),
        (b"/%c0%af/%ed%a0%80", "/%C0%AF/%ED%A0%80", b"/%c0%af/%ed%a0%80"),
        (b"/a%20b%3b%3F%23", "/a b;?#", b"/a%20b%3b%3F%23"),
        (b"/%252f%25zz", "/%252f%25zz", b"/%252f%25zz"),
        (b'/{x}|^`"<>', '/{x}|^`"<>', b'/{x}|^`"<>'),
    ],
)
def test_normalise(raw: bytes, match: str, forward: bytes) -> None:
    """Dot segments and doubled slashes are resolved in both forms, escapes decoded only for matching."""
    assert normalise(raw) == NormalPath(match, forward, False)


@pytest.mark.parametrize(
    ("raw", "match", "forward"),
    [
        (b"/a%2fb", "/a%2Fb", b"/a%2fb"),
        (b"/a%2F", "/a%2F", b"/a%2F"),
        (b"/a%5cb", "/a%5Cb", b"/a%5cb"),
        (b"/a\\b", "/a%5Cb", b"/a\\b"),
        (b"/x/../a%2Fb/", "/a%2Fb/", b"/a%2Fb/"),
        (b"/...%2F..a", "/...%2F..a", b"/...%2F..a"),
    ],
)
def test_encoded_slashes_stay_inside_their_segment(raw: bytes, match: str, forward: bytes) -> None:
    """An encoded slash or backslash is reported, kept encoded in capitals, and forwarded as it came."""
    assert normalise(raw) == NormalPath(match, forward, True)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"a", "does not begin with a slash"),
        (b"*", "does not begin with a slash"),
        (b"http://h/", "does not begin with a slash"),
        (b"/a\x00", "control byte or a space"),
        (b"/a b", "control byte or a space"),
        (b"/\x7f", "control byte or a space"),
        (b"/caf\xc3\xa9", "outside ASCII"),
        (b"/a?b", "question mark"),
        (b"/a#b", "number sign"),
        (b"/%", "two hexadecimal digits"),
        (b"/%zz", "two hexadecimal digits"),
        (b"/%a", "two hexadecimal digits"),
        (b"/%00", "encoded control byte"),
        (b"/a/%1F/../b", "encoded control byte"),
        (b"/%0d%0a", "encoded control byte"),
        (b"/%7f", "encoded control byte"),
        (b"/a/..%2fb", "dot segment beside an encoded slash"),
        (b"/a%5C%2e%2E", "dot segment beside an encoded slash"),
        (b"/.\\a", "dot segment beside an encoded slash"),
        (b"/a/..;/b", "dot segment with parameters"),
        (b"/a/..;x=1", "dot segment with parameters"),
        (b"/a/%2E.%3b/b", "dot segment with parameters"),
        (b"/.;/b", "dot segment with parameters"),
        (b"/a/%2f..;%2fb", "dot segment with parameters"),
    ],
)
def test_bad_paths(raw: bytes, reason: str) -> None:
    """What cannot be read in only one way is refused with its reason."""
    refused = normalise(raw)
    assert isinstance(refused, BadPath)
    assert reason in refused.reason


def test_a_long_hostile_path_is_read_in_linear_time() -> None:
    """A megabyte of dot segments and slashes is resolved, not recursed into."""
    assert normalise(b"/a/.." * 200_000) == NormalPath("/", b"/", False)
    assert normalise(b"/" * 1_000_000 + b"%2e" * 3) == NormalPath("/...", b"/%2e%2e%2e", False)


@pytest.mark.parametrize(
    ("text", "match", "forward"),
    [
        ("/café", "/café", b"/caf%C3%A9"),
        ("/a b", "/a b", b"/a%20b"),
        ("/caf%c3%a9/%41", "/café/A", b"/caf%c3%a9/%41"),
        ("/a//b/./c", "/a/b/c", b"/a/b/c"),
    ],
)
def test_written_paths(text: str, match: str, forward: bytes) -> None:
    """A path in the configuration may hold any letter and means what its encoded form means."""
    assert normalise_written(text) == NormalPath(match, forward, False)


@pytest.mark.parametrize("text", ["", "a", "/a?b", "/\n", "/\ud800", "/%0"])
def test_bad_written_paths(text: str) -> None:
    """A path in the configuration is held to the same rules, apart from the empty path."""
    assert isinstance(normalise_written(text), BadPath) is (text != "")


_PIECES = st.sampled_from(
    [
        b"/",
        b"/",
        b"a",
        b"b",
        b".",
        b"..",
        b"%2e",
        b"%2E",
        b"%2F",
        b"%5c",
        b"\\",
        b"%41",
        b"%C3%A9",
        b"%ff",
        b"%25",
        b";",
    ]
)
_paths = st.lists(_PIECES, max_size=12).map(lambda pieces: b"/" + b"".join(pieces))


@given(st.one_of(_paths, st.binary(max_size=40).map(lambda tail: b"/" + tail)))
@example(b"/.%2e/%2e")
def test_normalise_is_idempotent(raw: bytes) -> None:
    """What is forwarded is normal already, matches the same, and has no dot segment left."""
    first = normalise(raw)
    if isinstance(first, NormalPath):
        again = normalise(first.forward)
        assert isinstance(again, NormalPath)
        assert again[:2] == first[:2]
        # An encoded slash counts even where a dot segment takes it away: whoever came before may have read it.
        assert first.has_encoded_slash or not again.has_encoded_slash
        plain = first.forward.lower().replace(b"%2e", b".").split(b"/")[1:]
        assert b"." not in plain
        assert b".." not in plain
        assert b"" not in plain[:-1]


def test_encoded_slash_counts_although_it_is_resolved_away() -> None:
    """Nothing of it is forwarded, but somebody who decodes first would have seen another path."""
    assert normalise(b"/%2F/..") == NormalPath("/", b"/", has_encoded_slash=True)


@given(_paths)
def test_both_forms_have_the_same_segments(raw: bytes) -> None:
    """A rewrite may count segments in one form and cut the other."""
    normal = normalise(raw)
    if isinstance(normal, NormalPath):
        assert normal.match.count("/") == normal.forward.count(b"/")


@given(_paths)
def test_the_matching_form_can_be_written(raw: bytes) -> None:
    """Whatever a request matched, the same text in a configuration names it."""
    normal = normalise(raw)
    if isinstance(normal, NormalPath):
        written = normalise_written(normal.match)
        assert isinstance(written, NormalPath)
        assert written.match == normal.match


@given(_paths)
def test_nothing_is_invented(raw: bytes) -> None:
    """Every forwarded byte comes from the client."""
    normal = normalise(raw)
    if isinstance(normal, NormalPath):
        kept = iter(raw)
        assert all(byte in kept for byte in normal.forward)
