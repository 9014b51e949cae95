import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.hosts import host_fits, request_host, wildcards


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


@given(st.binary(max_size=400))
def test_any_bytes_are_a_host_or_none(raw: bytes) -> None:
    """A hostile Host header is read without an error and stays bounded."""
    assert len(request_host(raw)) <= 262
