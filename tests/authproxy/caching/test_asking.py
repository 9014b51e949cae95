"""What requests say of caches."""

from math import inf

from authproxy.caching.asking import PLAIN, asked_of, without_conditions


def test_a_request_that_says_nothing_is_plain() -> None:
    """One object for all of them."""
    assert asked_of([(b"accept", b"*/*")]) is PLAIN
    assert not PLAIN.is_conditional


def test_cache_control_of_requests() -> None:
    """RFC 9111 section 5.2.1."""
    asked = asked_of(
        [(b"cache-control", b"max-age=5, min-fresh=3"), (b"cache-control", b"max-stale, only-if-cached")]
    )

    assert (asked.max_age, asked.min_fresh, asked.max_stale, asked.only_if_cached) == (5, 3, inf, True)
    assert asked_of([(b"cache-control", b"max-stale=9")]).max_stale == 9
    assert asked_of([(b"cache-control", b"no-store")]).no_store
    assert asked_of([(b"cache-control", b"no-cache")]).no_cache


def test_pragma_counts_where_there_is_no_cache_control() -> None:
    """RFC 9111 section 5.4."""
    assert asked_of([(b"pragma", b"no-cache")]).no_cache
    assert not asked_of([(b"pragma", b"no-cache"), (b"cache-control", b"max-age=5")]).no_cache


def test_conditions_and_ranges_are_noted() -> None:
    """And taken out of the request that fills the cache."""
    fields = [
        (b"if-none-match", b'"a"'),
        (b"if-none-match", b'"b"'),
        (b"range", b"bytes=0-1"),
        (b"if-range", b'"a"'),
        (b"accept", b"*/*"),
    ]
    asked = asked_of(fields)

    assert (asked.if_none_match, asked.range, asked.if_range) == (b'"a", "b"', b"bytes=0-1", b'"a"')
    assert asked.is_conditional
    assert not asked.precondition
    assert asked_of([(b"if-match", b"*")]).precondition
    assert without_conditions(fields) == [(b"accept", b"*/*")]
