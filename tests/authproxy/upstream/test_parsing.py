"""Tests of reading responses, without sockets; the functional tests go through all sorts of garbage."""

from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authproxy.upstream.parsing import MAX_HEAD_BYTES, MAX_HEADERS, BadResponse, ResponseReader

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"

NAMES = st.from_regex(rb"[A-Za-z][A-Za-z0-9-]{0,9}", fullmatch=True).map(lambda name: b"x-" + name)
VALUES = st.from_regex(rb"([!-~\x80-\xff]([\t -~\x80-\xff]{0,9}[!-~\x80-\xff])?)?", fullmatch=True)
PAIRS = st.lists(st.tuples(NAMES, VALUES), max_size=5)


def read(*pieces: bytes, to_head: bool = False, reader: ResponseReader | None = None) -> ResponseReader:
    reader = reader or ResponseReader()
    reader.begin(to_head=to_head)
    for piece in pieces:
        reader.feed(piece)
    return reader


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    """`data` in pieces, none of them empty."""
    edges = [0, *sorted({place % len(data) for place in places} - {0}), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


@given(
    status=st.integers(200, 599).filter(lambda status: status not in (204, 304)),
    pairs=PAIRS,
    trailers=PAIRS,
    chunks=st.lists(st.binary(min_size=1, max_size=40), max_size=5),
    chunked=st.booleans(),
    hints=st.lists(PAIRS, max_size=2),
    places=st.lists(st.integers(0, 5000), max_size=12),
)
def test_any_response_in_any_pieces_is_read_the_same(
    status: int,
    pairs: list[tuple[bytes, bytes]],
    trailers: list[tuple[bytes, bytes]],
    chunks: list[bytes],
    chunked: bool,
    hints: list[list[tuple[bytes, bytes]]],
    places: list[int],
) -> None:
    """Fields, body, trailers and informational responses are exact however the bytes are cut."""

    def fields(pairs: list[tuple[bytes, bytes]]) -> bytes:
        return b"".join(name + b": " + value + b"\r\n" for name, value in pairs) + b"\r\n"

    def lower(pairs: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        return [(name.lower(), value) for name, value in pairs]

    framing = (
        (b"Transfer-Encoding", b"chunked") if chunked else (b"Content-Length", b"%d" % len(b"".join(chunks)))
    )
    body = b"".join(chunks)
    if chunked:
        body = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in chunks) + b"0\r\n" + fields(trailers)
    data = b"".join(b"HTTP/1.1 103 Early Hints\r\n" + fields(hint) for hint in hints)
    data += b"HTTP/1.1 %d Reason\r\n" % status + fields([*pairs, framing]) + body

    reader = read(*cut(data, places))

    assert (reader.complete, reader.reusable, reader.status, reader.reason) == (True, True, status, b"Reason")
    assert reader.headers == lower([*pairs, framing])
    assert (reader.take(), reader.take()) == (b"".join(chunks), b"")
    assert (reader.trailers or []) == (lower(trailers) if chunked else [])
    assert reader.informational == ([(103, lower(hint)) for hint in hints] or None)


@given(
    data=st.binary(max_size=200).map(lambda tail: OK + tail),
    places=st.lists(st.integers(0, 300), max_size=8),
)
def test_any_bytes_are_read_or_refused(data: bytes, places: list[int]) -> None:
    """No bytes make it raise anything else, and the verdict does not depend on the cuts."""
    verdicts = []
    for pieces in ([data], cut(data, places)):
        reader = ResponseReader()
        reader.begin(to_head=False)
        try:
            for piece in pieces:
                reader.feed(piece)
            verdicts.append((reader.complete, reader.head_complete, reader.headers, reader.take()))
        except BadResponse:
            verdicts.append(None)

    assert verdicts[0] == verdicts[1]


def test_one_reader_reads_many_responses() -> None:
    """HEAD in between, each with its own state."""
    reader = ResponseReader()
    read(OK + b"Keep-Alive: timeout=5\r\nContent-Length: 2\r\n\r\nhi", reader=reader)
    assert (reader.take(), reader.keep_alive) == (b"hi", b"timeout=5")
    read(OK + b"Content-Length: 99\r\n\r\n", to_head=True, reader=reader)
    assert (reader.complete, reader.take(), reader.keep_alive) == (True, b"", None)
    read(CHUNKED + b"2\r\nho\r\n0\r\n\r\n", reader=reader)
    assert reader.take() == b"ho"
    reader.close()


def test_a_body_until_close_ends_with_the_stream() -> None:
    """And only then; any other body does not end so."""
    reader = read(OK + b"\r\nabc", b"def")
    assert (reader.complete, reader.until_close, reader.reusable) == (False, True, False)
    reader.end()
    assert (reader.complete, reader.take()) == (True, b"abcdef")

    cut_short = read(OK + b"Content-Length: 9\r\n\r\nabc")
    cut_short.end()
    assert not cut_short.complete


@pytest.mark.parametrize("later", [True, False])
@pytest.mark.parametrize("to_head", [True, False])
def test_junk_after_the_response_only_costs_the_connection(to_head: bool, later: bool) -> None:
    """The response is what it was."""
    response = OK + b"Content-Length: 2\r\n\r\n" + (b"" if to_head else b"hi")
    pieces = [response, b"JUNK"] if later else [response + b"JUNK"]
    reader = read(*pieces, to_head=to_head)

    assert (reader.complete, reader.reusable, reader.take()) == (True, False, b"" if to_head else b"hi")


@pytest.mark.parametrize("part", [b"a" * 1000, b";" + b"x" * 1000])
def test_trailers_and_extensions_without_end_are_refused(part: bytes) -> None:
    """Bytes that bring no body are bounded like a head."""
    beginning = b"0\r\nX-A: " if part[:1] == b"a" else b"1"
    reader = read(CHUNKED, b"2\r\nhi\r\n", beginning)
    for _ in range((MAX_HEAD_BYTES - len(beginning)) // len(part)):
        reader.feed(part)
    with pytest.raises(BadResponse, match="trailers or chunk extensions"):
        reader.feed(part)


def test_body_bytes_do_not_count_as_trailers() -> None:
    """A long chunked body in many pieces is fine."""
    reader = read(CHUNKED)
    for _ in range(200):
        reader.feed(b"400\r\n")
        reader.feed(b"x" * 0x400 + b"\r\n")
    reader.feed(b"0\r\n\r\n")

    assert (reader.complete, len(reader.take())) == (True, 200 * 0x400)


def test_heads_up_to_the_bounds_are_fine() -> None:
    """A large body in the same piece does not make a head too long."""
    many = read(OK + b"X: 1\r\n" * (MAX_HEADERS - 1) + b"Content-Length: 0\r\n\r\n")
    large = read(
        OK + b"X: " + b"a" * (MAX_HEAD_BYTES - 100) + b"\r\nContent-Length: 90000\r\n\r\n" + b"x" * 90000
    )

    assert many.complete
    assert large.complete


def test_a_head_that_is_too_long_is_no_answer() -> None:
    """Also if it came in one piece with its end: nothing of it has been seen, so nothing has broken off."""
    reader = ResponseReader()
    reader.begin(to_head=False)

    with pytest.raises(BadResponse, match="head is too long"):
        reader.feed(b"HTTP/1.1 200 OK\r\nX: " + b"a" * MAX_HEAD_BYTES + b"\r\nContent-Length: 0\r\n\r\n")
    assert not reader.head_complete


SWITCHED = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-A: b\r\n\r\n"


@given(st.binary(max_size=40), st.lists(st.integers(0, 200), max_size=4))
def test_what_follows_a_switch_is_kept_as_it_is(rest: bytes, places: list[int]) -> None:
    """However it is cut, after interim answers as well; the connection carries no other request."""
    reader = ResponseReader()
    reader.begin(to_head=False, may_switch=True)
    for piece in cut(b"HTTP/1.1 103 Early Hints\r\n\r\n" + SWITCHED + rest, places):
        reader.feed(piece)
    assert (reader.status, reader.head_complete, reader.complete, reader.reusable) == (101, True, True, False)
    assert reader.rest == rest
    assert (b"x-a", b"b") in reader.headers


def test_nothing_is_switched_that_nobody_asked_to() -> None:
    """Nor by the next request on the connection; a 101 without an Upgrade field is one that switches nothing."""
    with pytest.raises(BadResponse):
        read(SWITCHED)
    reader = ResponseReader()
    reader.begin(to_head=False, may_switch=True)
    reader.feed(OK + b"Content-Length: 0\r\n\r\n")
    assert reader.reusable
    with pytest.raises(BadResponse):
        read(SWITCHED, reader=reader)
    plain = ResponseReader()
    plain.begin(to_head=False, may_switch=True)
    plain.feed(b"HTTP/1.1 101 Odd\r\n\r\n\x81\x01a")
    assert (plain.status, plain.complete, plain.rest, plain.reusable) == (101, True, None, False)
