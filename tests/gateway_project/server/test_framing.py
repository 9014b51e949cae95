"""Bytes of responses."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_project.server import framing
from gateway_project.server.framing import CHUNKED, NO_BODY, SIZED, UNTIL_CLOSE, InvalidResponse


def head(*headers: tuple[bytes, bytes], status: int = 200, **keys: Any) -> tuple[bytes, int, int, bool]:
    keys = {"method": "GET", "version": "1.1", "keep_alive": True} | keys
    return framing.response_head(status, headers, **keys)


def test_sized() -> None:
    """A Content-Length is the framing; nothing is added."""
    assert head((b"Content-Length", b"3"), (b"X", b"1")) == (
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nX: 1\r\n\r\n",
        SIZED,
        3,
        True,
    )


def test_chunked() -> None:
    """Without a length, and when the application says so."""
    expected = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"

    assert head() == (expected, CHUNKED, 0, True)
    assert head((b"Transfer-Encoding", b"Chunked")) == (expected, CHUNKED, 0, True)


def test_until_close() -> None:
    """HTTP/1.0 knows no chunks."""
    assert head((b"transfer-encoding", b"chunked"), version="1.0") == (
        b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n",
        UNTIL_CLOSE,
        0,
        False,
    )


@pytest.mark.parametrize(
    ("status", "method", "kept"), [(200, "HEAD", True), (304, "GET", True), (204, "GET", False)]
)
def test_no_body(status: int, method: str, kept: bool) -> None:
    """HEAD and 304 tell the length that GET would have; 204 never has one."""
    raw, mode, length, keep_alive = head((b"content-length", b"3"), status=status, method=method)

    assert (b"content-length: 3" in raw) is kept
    assert (mode, length, keep_alive) == (NO_BODY, 0, True)


@pytest.mark.parametrize("value", [b"close", b"Close", b"foo, close"])
def test_application_may_close(value: bytes) -> None:
    """Its Connection field is taken as a wish and written anew."""
    raw, _, _, keep_alive = head((b"connection", value), (b"content-length", b"0"))

    assert raw.endswith(b"content-length: 0\r\nconnection: close\r\n\r\n")
    assert not keep_alive


def test_other_connection_options_are_dropped() -> None:
    """They are between the application and nobody."""
    assert head((b"connection", b"keep-alive"), (b"content-length", b"0"))[0].count(b"connection") == 0


def test_unknown_status() -> None:
    """Any final status can be passed on."""
    assert head(status=599)[0].startswith(b"HTTP/1.1 599 \r\n")


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (100, []),
        (0, []),
        (200, [(b"content-length", b"1"), (b"content-length", b"1")]),
        (200, [(b"content-length", b"+1")]),
        (200, [(b"content-length", b"")]),
        (200, [(b"content-length", b"1"), (b"transfer-encoding", b"chunked")]),
        (200, [(b"transfer-encoding", b"gzip")]),
        (200, [(b"x", b"a\r\nb: c")]),
        (200, [(b"x", b"a\nb")]),
        (200, [(b"x", b"a\rb")]),
        (200, [(b"x", b"a\0b")]),
        (200, [(b"x\r\ny", b"a")]),
    ],
)
def test_invalid_responses(status: int, headers: list[tuple[bytes, bytes]]) -> None:
    """Refused before a byte is written."""
    with pytest.raises(InvalidResponse):
        head(*headers, status=status)


@given(st.lists(st.tuples(st.sampled_from([b"a", b"x-long"]), st.binary(max_size=8)), max_size=5))
def test_fields_can_not_add_fields(headers: list[tuple[bytes, bytes]]) -> None:
    """A head has exactly the lines that it was given, or there is none."""
    try:
        raw = head((b"content-length", b"0"), *headers)[0]
    except InvalidResponse:
        assert any(set(value) & {0, 10, 13} for _, value in headers)
    else:
        assert raw.count(b"\n") == len(headers) + 3


def test_chunks() -> None:
    """RFC 9112 section 7.1; an empty piece is no chunk, for that would be the end."""
    assert framing.chunk(b"abc", last=False) == b"3\r\nabc\r\n"
    assert framing.chunk(b"x" * 26, last=True) == b"1a\r\n" + b"x" * 26 + b"\r\n0\r\n\r\n"
    assert framing.chunk(b"", last=False) == b""
    assert framing.chunk(b"", last=True) == b"0\r\n\r\n"


def test_trailers() -> None:
    """After the last chunk, without those that a trailer may not hold."""
    assert framing.last_chunk([(b"X", b"1"), (b"Content-Length", b"1"), (b"y", b"2")]) == (
        b"0\r\nX: 1\r\ny: 2\r\n\r\n"
    )
    with pytest.raises(InvalidResponse):
        framing.last_chunk([(b"x", b"a\r\n")])


def test_interim_responses() -> None:
    """Everything below 200 but a switch of protocols; never with framing."""
    assert framing.informational_head(103, [(b"link", b"</a>"), (b"content-length", b"1")]) == (
        b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"
    )
    for status in (99, 101, 200):
        with pytest.raises(InvalidResponse):
            framing.informational_head(status, [])
