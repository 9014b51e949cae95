"""P: Answers to clients that are made of a stored one: whole, a part, or that nothing has changed."""

from typing import Final, NamedTuple

from authproxy.caching.asking import PLAIN, Asked
from authproxy.caching.entry import Entry
from authproxy.caching.ranges import Unsatisfiable, content_range, part_of
from authproxy.caching.validation import is_unchanged, may_go_on, of_not_modified
from authproxy.headers import Pair

_HIT: Final[Pair] = (b"x-cache", b"HIT")
_OF_THE_WHOLE: Final = frozenset({b"content-length", b"content-range"})


class Served(NamedTuple):
    """An answer, as it goes on."""

    status: int
    headers: list[Pair]
    body: bytes


def served(
    entry: Entry, asked: Asked, now: float, *, kind: bytes, detail: bytes, head_only: bool, in_parts: bool
) -> Served:
    """`kind` is for X-Cache, `detail` for Cache-Status (RFC 9211). `in_parts`: whoever asks for a part gets one."""
    status, headers, body = entry.status, entry.headers, entry.body
    if asked is not PLAIN and status == 200:
        status, headers, body = _as_asked(entry, asked, in_parts=in_parts and not head_only)
    own = [
        *headers,
        age(entry, now),
        (b"x-cache", kind),
        (b"cache-status", entry.others_say + b"Torana; " + detail),
    ]
    return Served(status, own, b"" if head_only else body)


def whole(entry: Entry, now: float) -> list[Pair]:
    """The fields of a fresh answer to a request that says nothing of caches."""
    said = b"%sTorana; hit; ttl=%d" % (entry.others_say, entry.times.fresh_until - now)
    return [*entry.headers, age(entry, now), _HIT, (b"cache-status", said)]


def age(entry: Entry, now: float) -> Pair:
    """In whole seconds; clocks may differ, so never less than none."""
    return b"age", b"%d" % max(0, now - entry.times.born)


def hit_detail(entry: Entry, now: float) -> bytes:
    """Of an answer that came from the cache alone."""
    return b"hit; ttl=%d" % (entry.times.fresh_until - now)


def _as_asked(entry: Entry, asked: Asked, *, in_parts: bool) -> Served:
    if asked.is_conditional and is_unchanged(
        if_none_match=asked.if_none_match,
        if_modified_since=asked.if_modified_since,
        etag=entry.etag,
        last_modified=entry.last_modified,
    ):
        return Served(304, of_not_modified(entry.headers), b"")
    if asked.range is not None and in_parts and _fits(entry, asked.if_range):
        return _part(entry, asked.range)
    return Served(entry.status, entry.headers, entry.body)


def _fits(entry: Entry, if_range: bytes | None) -> bool:
    return if_range is None or may_go_on(if_range, entry.etag, entry.last_modified)


def _part(entry: Entry, wanted: bytes) -> Served:
    size = len(entry.body)
    part = part_of(wanted, size)
    if part is None:
        return Served(entry.status, entry.headers, entry.body)
    own = [pair for pair in entry.headers if pair[0] not in _OF_THE_WHOLE]
    own.append((b"content-range", content_range(part, size)))
    if isinstance(part, Unsatisfiable):
        own = [pair for pair in own if pair[0] not in (b"content-type", b"content-encoding")]
        return Served(416, [*own, (b"content-length", b"0")], b"")
    body = entry.body[part.first : part.last + 1]
    return Served(206, [*own, (b"content-length", b"%d" % len(body))], body)
