"""Cookies speak for a request only if its user meant it."""

import pytest

from authproxy import csrf
from authproxy.headers import Pair

PEPPER = b"pepper"


def is_meant(*headers: Pair, method: str = "POST", host: bytes = b"shop.test", scheme: str = "https") -> bool:
    return csrf.is_meant(method, headers, scheme=scheme, host=host, session="s1", pepper=PEPPER)


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_safe_methods_need_nothing(method: str) -> None:
    """They change nothing (RFC 9110 section 9.2.1)."""
    assert is_meant((b"origin", b"https://evil.test"), method=method)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "post", "CUSTOM"])
def test_all_others_need_a_sign(method: str) -> None:
    """A request that says nothing of where it comes from may come from anywhere."""
    assert not is_meant(method=method)


@pytest.mark.parametrize(
    ("origin", "host", "scheme", "same"),
    [
        (b"https://shop.test", b"shop.test", "https", True),
        (b"https://shop.test", b"shop.test:443", "https", True),
        (b"HTTPS://Shop.Test:443", b"shop.test", "https", True),
        (b"http://[::1]:8000", b"[::1]:8000", "http", True),
        (b"http://shop.test", b"shop.test", "https", False),
        (b"https://shop.test:8443", b"shop.test", "https", False),
        (b"https://shop.test.evil.test", b"shop.test", "https", False),
        (b"https://evil.test", b"shop.test", "https", False),
        (b"https://shop.test@evil.test", b"shop.test", "https", False),
        (b"https://evil.test#shop.test", b"shop.test", "https", False),
        (b"null", b"shop.test", "https", False),
        (b"", b"shop.test", "https", False),
        (b"", b"", "https", False),
        (b"https://", b"", "https", False),
        (b"https://a:b:c", b"shop.test", "https", False),
        (b"https://[::1", b"shop.test", "https", False),
        (b"\xff\x00", b"shop.test", "https", False),
    ],
)
def test_origin_must_be_this_one(origin: bytes, host: bytes, scheme: str, same: bool) -> None:
    """Scheme, host and port, whatever the case and with the default port understood."""
    assert is_meant((b"origin", origin), host=host, scheme=scheme) is same


def test_two_origins_must_both_be() -> None:
    """No browser sends two."""
    assert not is_meant((b"origin", b"https://shop.test"), (b"origin", b"https://evil.test"))


@pytest.mark.parametrize(
    ("site", "same"), [(b"same-origin", True), (b"none", True), (b"same-site", False), (b"cross-site", False)]
)
def test_without_origin_the_browser_s_word_on_the_site_counts(site: bytes, same: bool) -> None:
    """`none` is the user's own doing: a typed address, a bookmark."""
    assert is_meant((b"sec-fetch-site", site)) is same


def test_origin_counts_before_the_site() -> None:
    """Where both are there."""
    assert not is_meant((b"origin", b"https://evil.test"), (b"sec-fetch-site", b"same-origin"))


def test_token_of_the_session_suffices() -> None:
    """For pages of another origin that were let in, and for programs; another session's does not."""
    own, other = (csrf.token_for(session, pepper=PEPPER).encode() for session in ("s1", "s2"))

    assert is_meant((b"x-csrf-token", own), (b"origin", b"https://app.test"))
    assert not is_meant((b"x-csrf-token", other))
    assert not is_meant((b"x-csrf-token", b""))


def test_without_a_session_there_is_no_token() -> None:
    """Nobody can compute the one of the empty session."""
    empty = csrf.token_for("", pepper=PEPPER).encode()

    assert not csrf.is_meant("POST", [(b"x-csrf-token", empty)], scheme="https", host=b"h", pepper=PEPPER)
