"""Tests of request heads: any pairs either give exactly one request head, or are refused."""

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from authproxy.upstream import serialising
from authproxy.upstream.serialising import CHUNKED, chunk, encode_head, with_body

TEXT = st.text(alphabet=st.characters(max_codepoint=0xFF), max_size=8).map(
    lambda text: text.encode("latin-1")
)
NAMES = st.one_of(st.sampled_from([b"a", b"x-b", b"Content-Length", b"transfer-encoding"]), TEXT)
VALUES = st.one_of(st.sampled_from([b"1", b"chunked", b"5"]), TEXT)

CONTROLS = {*range(0x20), 0x7F} - {0x09}


def test_a_head_is_written_in_order() -> None:
    """Request line, fields as given, blank line."""
    head, length = encode_head("GET", b"/a?b", [(b"host", b"h"), (b"X-A", b""), (b"x-a", b"\xe9 \t")])

    assert head == b"GET /a?b HTTP/1.1\r\nhost: h\r\nX-A: \r\nx-a: \xe9 \t\r\n\r\n"
    assert length == 0


@given(
    method=st.one_of(st.sampled_from(["GET", "M-SEARCH"]), st.text(max_size=5)),
    target=TEXT,
    pairs=st.lists(st.tuples(NAMES, VALUES), max_size=4),
)
@example(method="GET", target=b"/", pairs=[(b"a", b"1\r\nb: 2")])
def test_a_head_is_one_request_or_refused(
    method: str, target: bytes, pairs: list[tuple[bytes, bytes]]
) -> None:
    """Read back by the plainest parser, the head says what was given, and nothing else."""
    try:
        head, length = encode_head(method, target, pairs)
    except httpx.LocalProtocolError:
        return
    start, *lines, empty, nothing = head.split(b"\r\n")

    assert start.split(b" ") == [method.encode("ascii"), target, b"HTTP/1.1"]
    assert [tuple(line.split(b": ", 1)) for line in lines] == pairs
    assert (empty, nothing) == (b"", b"")
    assert not any(byte in CONTROLS for line in (start, *lines) for byte in line)
    framing = [value for name, value in pairs if name.lower() in (b"content-length", b"transfer-encoding")]
    assert framing in ([], [b"%d" % length], [value for value in framing if value.lower() == b"chunked"])


@given(
    method=st.from_regex(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,8}", fullmatch=True),
    target=st.from_regex(rb"[!-~\x80-\xff]{1,20}", fullmatch=True),
    pairs=st.lists(
        st.tuples(
            st.from_regex(rb"x-[A-Za-z0-9!#$%&'*+.^_`|~-]{0,8}", fullmatch=True),
            st.from_regex(rb"[\t -~\x80-\xff]{0,20}", fullmatch=True),
        ),
        max_size=5,
    ),
)
def test_all_that_is_legal_is_sent(method: str, target: bytes, pairs: list[tuple[bytes, bytes]]) -> None:
    """Nothing that RFC 9110 allows is refused."""
    head, _ = encode_head(method, target, pairs)

    assert head.count(b"\r\n") == len(pairs) + 2


@pytest.mark.parametrize(
    ("fields", "length"),
    [
        ([], 0),
        ([(b"content-length", b"0")], 0),
        ([(b"Content-Length", b"12")], 12),
        ([(b"content-length", b"012")], 12),
        ([(b"transfer-encoding", b"Chunked")], CHUNKED),
    ],
)
def test_the_announced_length_is_told(fields: list[tuple[bytes, bytes]], length: int) -> None:
    """Bytes, or chunks, or none."""
    assert encode_head("POST", b"/", fields)[1] == length


@pytest.mark.parametrize(
    "fields",
    [
        [(b"content-length", b"0"), (b"content-length", b"0")],
        [(b"content-length", b"0"), (b"transfer-encoding", b"chunked")],
        [(b"transfer-encoding", b"chunked"), (b"content-length", b"0")],
        [(b"transfer-encoding", b"chunked"), (b"transfer-encoding", b"chunked")],
        [(b"transfer-encoding", b"gzip, chunked")],
        [(b"content-length", b"")],
        [(b"content-length", b"-1")],
        [(b"content-length", b"1" * 19)],
    ],
)
def test_framing_in_two_ways_is_refused(fields: list[tuple[bytes, bytes]]) -> None:
    """RFC 9112 section 6: one length, one coding."""
    with pytest.raises(httpx.LocalProtocolError):
        encode_head("POST", b"/", fields)


def test_a_body_is_as_long_as_announced() -> None:
    """Else it would become the beginning of the next request."""
    assert with_body(b"H", 3, b"abc") == b"Habc"
    assert with_body(b"H", CHUNKED, b"abc") == b"H3\r\nabc\r\n0\r\n\r\n"
    assert with_body(b"H", CHUNKED, b"") == b"H0\r\n\r\n"
    for length in (0, 2, 4):
        with pytest.raises(httpx.LocalProtocolError, match=f"announces {length} bytes, its body has 3"):
            with_body(b"H", length, b"abc")


def test_a_chunk_has_its_size_in_hexadecimal() -> None:
    """RFC 9112 section 7.1."""
    assert chunk(b"x" * 26) == b"1a\r\n" + b"x" * 26 + b"\r\n"


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients invent names; the memory of good ones does not grow with them."""
    monkeypatch.setattr(serialising, "_MAX_CACHED", 2)
    monkeypatch.setattr(serialising, "_ordinary", set())
    monkeypatch.setattr(serialising, "_methods", {})
    for number in range(5):
        encode_head(f"M{number}", b"/", [(b"x-%d" % number, b"")])

    assert len(serialising._ordinary) == len(serialising._methods) == 2


def test_no_long_name_is_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """A head has room for a name of many kilobytes; thousands of those would fill the memory."""
    monkeypatch.setattr(serialising, "_ordinary", set())
    monkeypatch.setattr(serialising, "_methods", {})
    encode_head("M" * 60_000, b"/", [(b"x" * 60_000, b"")])

    assert not serialising._ordinary
    assert not serialising._methods
