"""What a request head means, where the grammar leaves it open."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway_project.server import heads
from gateway_project.server.heads import Target, parse_target
from gateway_project.server.refusals import Refusal


@pytest.mark.parametrize(
    ("url", "target"),
    [
        (b"/", Target(b"/", b"")),
        (b"/a?b?c", Target(b"/a", b"b?c")),
        (b"//a/b", Target(b"//a/b", b"")),
        (b"http://h", Target(b"/", b"", b"h")),
        (b"HTTPS://h:81/a?b", Target(b"/a", b"b", b"h:81")),
        (b"http://[::1]/a", Target(b"/a", b"", b"[::1]")),
    ],
)
def test_targets(url: bytes, target: Target) -> None:
    """Origin form and absolute form, as the bytes that were sent."""
    assert parse_target(url, "GET") == target


@pytest.mark.parametrize(
    "url", [b"/a#b", b"*", b"a", b"http:///a", b"ftp://h/", b"http://u@h/", b"http://h:x/"]
)
def test_targets_that_are_refused(url: bytes) -> None:
    """With 400, all of them."""
    refusal = parse_target(url, "GET")

    assert isinstance(refusal, Refusal)
    assert refusal.status == 400


def test_asterisk_is_for_options() -> None:
    """RFC 9112 section 3.2.4."""
    assert parse_target(b"*", "OPTIONS") == Target(b"*", b"")


@given(st.binary(max_size=30))
def test_any_origin_form_is_kept(rest: bytes) -> None:
    """Path and query together are what was sent."""
    target = parse_target(b"/" + rest, "GET")

    if b"#" in rest:
        assert isinstance(target, Refusal)
    else:
        assert isinstance(target, Target)
        joined = target.raw_path + (b"?" + target.query if b"?" in rest else b"")
        assert joined == b"/" + rest


@pytest.mark.parametrize(
    ("host", "valid"),
    [
        (b"", True),
        (b"a", True),
        (b"a.example.com:8000", True),
        (b"127.0.0.1", True),
        (b"a:", True),
        (b"[::1]", True),
        (b"[::1]:80", True),
        (b"a_b", True),
        (b"a:x", False),
        (b"a:1:2", False),
        (b"::1", False),
        (b"[::1", False),
        (b"[::1]x", False),
        (b"a]", False),
        (b"a:123456", False),
        (b"u@a", False),
        (b"a/b", False),
        (b"a b", False),
        (b"a?b", False),
        (b"\xc3\xa4", False),
        (b"a,b c", False),
        (b"a" * 255 + b":65535", True),
        (b"a" * 262, False),
    ],
)
def test_hosts(host: bytes, valid: bool) -> None:
    """uri-host and a port (RFC 3986 section 3.2)."""
    assert heads.valid_host(host) is valid


@pytest.mark.parametrize(
    ("hosts", "version", "refused"),
    [
        ([b"a"], "1.1", False),
        ([b"a"], "1.0", False),
        ([], "1.0", False),
        ([], "1.1", True),
        ([b"a", b"a"], "1.1", True),
        ([b"a", b"b"], "1.0", True),
        ([b"a b"], "1.1", True),
    ],
)
def test_how_many_hosts(hosts: list[bytes], version: str, refused: bool) -> None:
    """RFC 9112 section 3.2."""
    assert (heads.judge_hosts(hosts, version) is not None) is refused


@pytest.mark.parametrize(
    ("codings", "has_length", "version", "status"),
    [
        ([], True, "1.1", None),
        ([], False, "1.0", None),
        ([b"chunked"], False, "1.1", None),
        ([b"Chunked"], False, "1.1", None),
        ([b"chunked"], True, "1.1", 400),
        ([b"chunked"], False, "1.0", 400),
        ([b"chunked", b"chunked"], False, "1.1", 400),
        ([b"gzip", b"chunked"], False, "1.1", 400),
        ([b"gzip"], False, "1.1", 400),
        ([b"chunked, gzip"], False, "1.1", 400),
        ([b"chunked, chunked"], False, "1.1", 400),
        ([b"x, chunked"], False, "1.1", 400),
        ([b"chunked,"], False, "1.1", 400),
        ([b"chunked;a=b"], False, "1.1", 400),
        ([b"gzip, chunked"], False, "1.1", 501),
        ([b"gzip,deflate,\tchunked"], False, "1.1", 501),
    ],
)
def test_framing(codings: list[bytes], has_length: bool, version: str, status: int | None) -> None:
    """A length alone, or `chunked` alone; an honest coding that we don't know is 501."""
    refusal = heads.judge_framing(codings, has_length=has_length, version=version)

    assert (refusal.status if refusal else None) == status


@pytest.mark.parametrize(("version", "status"), [("1.1", None), ("1.0", None), ("0.9", 400), ("2.0", 505)])
def test_versions(version: str, status: int | None) -> None:
    """What the parser lets through beside ours."""
    refusal = heads.judge_version(version)

    assert (refusal.status if refusal else None) == status


def test_expectations() -> None:
    """RFC 9110 section 10.1.1 knows one."""
    assert heads.judge_expectations([]) is None
    assert heads.judge_expectations([b"100-Continue"]) is None
    assert heads.judge_expectations([b"100-continue", b"x"]) == heads.EXPECTATION_FAILED


@pytest.mark.parametrize(
    ("connection", "upgrade", "asks"),
    [
        ([b"Upgrade"], [b"websocket"], True),
        ([b"keep-alive, upgrade"], [b"WebSocket"], True),
        ([b"keep-alive", b"upgrade"], [b"websocket"], True),
        ([b"keep-alive"], [b"websocket"], False),
        ([], [b"websocket"], False),
        ([b"upgrade"], [b"h2c"], False),
        ([b"upgrade"], [b"websocket", b"websocket"], False),
        ([b"upgrade"], [], False),
    ],
)
def test_websocket_handshakes(connection: list[bytes], upgrade: list[bytes], asks: bool) -> None:
    """RFC 6455 section 4.1: both fields, and one protocol only."""
    headers = [(b"connection", value) for value in connection] + [(b"upgrade", value) for value in upgrade]

    assert heads.asks_for_websocket(headers) is asks
