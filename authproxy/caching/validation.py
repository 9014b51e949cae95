"""P: Conditions: a client's, judged by a stored answer (RFC 9110 section 13), and those that ask if one still holds.

RFC 9111 section 4.3: what a 304 brings takes the place of what is stored, but for what describes the body.
"""

import re
from collections.abc import Iterable
from typing import Final

from authproxy.caching.dates import is_before
from authproxy.headers import Pair, Pairs

_ETAG: Final = re.compile(rb'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_OF_THE_BODY: Final = frozenset({b"content-encoding", b"content-length", b"content-range", b"content-type"})
"""Fields that a 304 does not change (RFC 9111 section 3.2) and does not carry."""


def is_unchanged(
    *,
    if_none_match: bytes | None,
    if_modified_since: bytes | None,
    etag: bytes | None,
    last_modified: bytes | None,
) -> bool:
    """Whether a client that sends these has the answer already: 304 instead of the body."""
    if if_none_match is not None:  # the date does not count then (RFC 9110 section 13.1.3)
        return _matches(if_none_match, etag)
    if if_modified_since is None or last_modified is None:
        return False
    return is_before(last_modified, if_modified_since)


def may_go_on(if_range: bytes, etag: bytes | None, last_modified: bytes | None) -> bool:
    """If-Range: whether a part of the stored body fits what the client has (section 13.1.5: compared strongly)."""
    if if_range.startswith((b'"', b"W/")):
        return etag is not None and if_range == etag and not etag.startswith(b"W/")
    return last_modified is not None and if_range == last_modified


def conditions(etag: bytes | None, last_modified: bytes | None) -> list[Pair]:
    """What asks the service whether a stored answer still holds; empty: it cannot be asked."""
    found: list[Pair] = []
    if etag is not None:
        found.append((b"if-none-match", etag))
    if last_modified is not None:
        found.append((b"if-modified-since", last_modified))
    return found


def freshened(stored: Pairs, told: Pairs) -> list[Pair]:
    """The fields of a stored answer after a 304 with the fields `told`."""
    names = {name for name, _ in told} - _OF_THE_BODY
    kept = [pair for pair in stored if pair[0] not in names]
    return kept + [pair for pair in told if pair[0] in names]


def of_not_modified(stored: Pairs) -> list[Pair]:
    """The fields of a 304 to a client."""
    return [pair for pair in stored if pair[0] not in _OF_THE_BODY]


def opaque(etag: bytes) -> bytes:
    """What weak comparison goes by (section 8.8.3.2)."""
    return etag.removeprefix(b"W/")


def _matches(listed: bytes, etag: bytes | None) -> bool:
    if listed.strip() == b"*":
        return True
    return etag is not None and opaque(etag) in _opaques(listed)


def _opaques(listed: bytes) -> Iterable[bytes]:
    return [opaque(each) for each in _ETAG.findall(listed)]
