"""Conditions, a client's and the gateway's own."""

import pytest

from authproxy.caching.validation import conditions, freshened, is_unchanged, may_go_on, of_not_modified

OLD, NEW = b"Sun, 06 Nov 1994 08:49:37 GMT", b"Mon, 07 Nov 1994 08:49:37 GMT"


@pytest.mark.parametrize(
    ("listed", "etag", "same"),
    [
        (b'"a"', b'"a"', True),
        (b'W/"a"', b'"a"', True),
        (b'"a"', b'W/"a"', True),
        (b'"x", "a" , "y"', b'"a"', True),
        (b'"x,a"', b'"a"', False),
        (b"*", b'"a"', True),
        (b"*", None, True),
        (b'"b"', b'"a"', False),
        (b"a", b'"a"', False),
        (b'"a"', None, False),
    ],
)
def test_entity_tags_are_compared_weakly(listed: bytes, etag: bytes | None, same: bool) -> None:
    """RFC 9110 section 13.1.2."""
    assert is_unchanged(if_none_match=listed, if_modified_since=None, etag=etag, last_modified=None) is same


def test_dates_count_only_without_tags() -> None:
    """RFC 9110 section 13.1.3."""
    assert is_unchanged(if_none_match=None, if_modified_since=NEW, etag=None, last_modified=OLD)
    assert not is_unchanged(if_none_match=None, if_modified_since=OLD, etag=None, last_modified=NEW)
    assert not is_unchanged(if_none_match=None, if_modified_since=b"x", etag=None, last_modified=OLD)
    assert not is_unchanged(if_none_match=None, if_modified_since=NEW, etag=None, last_modified=None)
    assert not is_unchanged(if_none_match=b'"b"', if_modified_since=NEW, etag=b'"a"', last_modified=OLD)


def test_ranges_want_the_very_same_body() -> None:
    """RFC 9110 section 13.1.5: weak tags do not do."""
    assert may_go_on(b'"a"', b'"a"', None)
    assert not may_go_on(b'W/"a"', b'W/"a"', None)
    assert not may_go_on(b'"a"', b'"b"', OLD)
    assert may_go_on(OLD, None, OLD)
    assert not may_go_on(NEW, None, OLD)
    assert not may_go_on(OLD, None, None)


def test_a_stored_answer_is_asked_about_by_what_it_has() -> None:
    """Both where there are both; without either it cannot be."""
    assert conditions(b'"a"', OLD) == [(b"if-none-match", b'"a"'), (b"if-modified-since", OLD)]
    assert conditions(None, None) == []


def test_a_304_changes_all_but_the_body() -> None:
    """RFC 9111 section 3.2."""
    stored = [
        (b"content-length", b"5"),
        (b"content-type", b"a/b"),
        (b"date", OLD),
        (b"x", b"1"),
        (b"x", b"2"),
    ]
    told = [(b"date", NEW), (b"x", b"3"), (b"content-length", b"0"), (b"y", b"1")]

    assert freshened(stored, told) == [
        (b"content-length", b"5"),
        (b"content-type", b"a/b"),
        (b"date", NEW),
        (b"x", b"3"),
        (b"y", b"1"),
    ]
    assert of_not_modified(stored) == [(b"date", OLD), (b"x", b"1"), (b"x", b"2")]
