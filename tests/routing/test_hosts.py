import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.hosts import host_fits, is_authority, request_host, spelled, wildcards


@pytest.mark.parametrize(
    ("raw", "host"),
    [
        (b"Example.COM", "example.com"),
        (b"example.com:8080", "example.com"),
        (b"example.com.", "example.com"),
        (b"example.com.:80", "example.com"),
        (b"[::1]:8000", "[::1]"),
        (b"[FE80::1]", "[fe80::1]"),
        (b"", ""),
        (b":80", ""),
        (b"a" * 300, ""),
    ],
)
def test_request_host(raw: bytes, host: str) -> None:
    """Case, port and the final dot of a Host header do not matter."""
    assert request_host(raw) == host


def test_wildcards_come_longest_first() -> None:
    """A wildcard stands for one label or more, never for none."""
    assert list(wildcards("a.b.c")) == ["*.b.c", "*.c"]
    assert list(wildcards("c")) == []


@pytest.mark.parametrize(
    ("pattern", "host", "fits"),
    [
        ("", "anything", True),
        ("a.b", "a.b", True),
        ("a.b", "x.a.b", False),
        ("*.b", "a.b", True),
        ("*.b", "x.a.b", True),
        ("*.b", "b", False),
        ("*.b", "ab", False),
    ],
)
def test_host_fits(pattern: str, host: str, fits: bool) -> None:
    """An empty pattern is any host."""
    assert host_fits(pattern, host) is fits


@pytest.mark.parametrize(
    ("raw", "fits"),
    [
        (b"a.example", True),
        (b"A_b.example.:8000", True),
        (b"127.0.0.1:", True),
        (b"[::1]", True),
        (b"[2001:db8::1]:443", True),
        (b"", False),
        (b":80", False),
        (b"[", False),
        (b"[]", False),
        (b"[::1", False),
        (b"[::g]", False),
        (b"[::1]x", False),
        (b"::1", False),
        (b"a:http", False),
        (b"a:123456", False),
        (b"a:65535", True),
        (b"a:65536", False),
        (b"[::1]:99999", False),
        (b"a b", False),
        (b"a\\b", False),
        (b"a@b", False),
        ("bücher.example".encode(), False),
        (b"a" * 300, False),
    ],
)
def test_what_a_url_may_name(raw: bytes, fits: bool) -> None:
    """A host, with a port or without."""
    assert is_authority(raw) is fits


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("münchen.example", "xn--mnchen-3ya.example"),
        ("MÜNCHEN.example:8000", "xn--mnchen-3ya.example:8000"),
        ("münchen.example:99999", ""),
        ("münchen.example:ü", ""),
        ("mün chen.example", ""),
        ("ü" * 100, ""),
        ("ü..example", ""),
        ("\ufffd", ""),
        ("a.example", ""),
    ],
)
def test_own_letters_have_a_spelling(written: str, sent: str) -> None:
    """Where a client could send it."""
    assert spelled(written) == sent


@given(st.binary(max_size=400))
def test_any_bytes_are_a_host_or_none(raw: bytes) -> None:
    """A hostile Host header is read without an error and stays bounded."""
    assert len(request_host(raw)) <= 262
