"""Answers that are made of stored ones."""

from typing import Any

from authproxy.caching.asking import PLAIN, Asked
from authproxy.caching.entry import Entry
from authproxy.caching.freshness import Times
from authproxy.caching.packing import packed, unpacked
from authproxy.caching.serving import Served, hit_detail, served, whole

ENTRY = Entry(
    200,
    [(b"content-type", b"a/b"), (b"content-length", b"10"), (b"etag", b'"a"')],
    b"0123456789",
    Times(100.0, 160.0),
    route="r",
)


def made(
    entry: Entry = ENTRY, *said: tuple[bytes, bytes], head_only: bool = False, in_parts: bool = True
) -> Served:
    asked = Asked(said) if said else PLAIN
    return served(entry, asked, 130.9, kind=b"HIT", detail=b"hit", head_only=head_only, in_parts=in_parts)


def field(answer: Served, name: bytes) -> Any:
    return [value for found, value in answer.headers if found == name]


def test_a_hit_has_its_age_and_says_where_it_comes_from() -> None:
    """In whole seconds; never less than none."""
    answer = made()

    assert (answer.status, answer.body, field(answer, b"content-length")) == (200, b"0123456789", [b"10"])
    assert (field(answer, b"age"), field(answer, b"x-cache")) == ([b"30"], [b"HIT"])
    assert field(answer, b"cache-status") == [b"Torana; hit"]
    assert hit_detail(ENTRY, 130.0) == b"hit; ttl=30"


def test_an_earlier_cache_keeps_its_say() -> None:
    """RFC 9211 section 2: from the origin to the client; also when the answer was stored elsewhere."""
    entry = Entry(200, [(b"cache-status", b"Edge; hit")], b"", Times(100, 160), route="r")
    again = unpacked(packed(entry))

    assert isinstance(again, Entry)
    for each in (entry, again):
        assert field(made(each), b"cache-status") == [b"Edge; hit, Torana; hit"]


def test_the_quick_way_says_the_same() -> None:
    """Of a whole answer to a request that says nothing."""
    for now in (130.9, 50.0):
        slow = served(
            ENTRY, PLAIN, now, kind=b"HIT", detail=hit_detail(ENTRY, now), head_only=False, in_parts=True
        )
        assert whole(ENTRY, now) == slow.headers


def test_who_has_it_gets_304() -> None:
    """Without what describes the body."""
    answer = made(ENTRY, (b"if-none-match", b'"a"'))

    assert (answer.status, answer.body) == (304, b"")
    assert field(answer, b"etag") == [b'"a"']
    assert field(answer, b"content-length") == field(answer, b"content-type") == []
    assert made(ENTRY, (b"if-none-match", b'"b"')).status == 200


def test_parts_are_cut_out() -> None:
    """206 with its place, 416 where there is none, the whole to who has another one or asks HEAD."""
    part = made(ENTRY, (b"range", b"bytes=2-4"))
    beyond = made(ENTRY, (b"range", b"bytes=20-"))

    assert (part.status, part.body) == (206, b"234")
    assert field(part, b"content-range") == [b"bytes 2-4/10"]
    assert field(part, b"content-length") == [b"3"]
    assert (beyond.status, beyond.body, field(beyond, b"content-range")) == (416, b"", [b"bytes */10"])
    assert made(ENTRY, (b"range", b"bytes=2-4"), (b"if-range", b'"b"')).status == 200
    assert made(ENTRY, (b"range", b"bytes=2-4"), (b"if-range", b'"a"')).status == 206
    assert made(ENTRY, (b"range", b"bytes=2-4"), in_parts=False).status == 200
    assert made(ENTRY, (b"range", b"bytes=2-4"), head_only=True).status == 200


def test_only_a_200_is_judged_by_conditions() -> None:
    """RFC 9110 section 13.2.1: another answer is what it is."""
    missing = Entry(404, [(b"etag", b'"a"')], b"no", Times(100, 160), route="r")

    assert made(missing, (b"if-none-match", b'"a"'), (b"range", b"bytes=0-0")).status == 404


def test_head_gets_no_body() -> None:
    """But its length."""
    answer = made(head_only=True)

    assert (answer.body, field(answer, b"content-length")) == (b"", [b"10"])
