"""P: Whether an answer may be kept, and for whom (RFC 9111 sections 3 and 3.5). In doubt it is not.

Three circles of readers: those who send no credentials, one caller (whatever the service may learn of him is part of
the key), and everybody. Only what the answer says itself makes it everybody's: `public` or `s-maxage`.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from authproxy.caching.directives import Directives
from authproxy.caching.freshness import Times

UNDERSTOOD: Final = frozenset(
    {200, 203, 204, 300, 301, 302, 303, 307, 308, 404, 405, 410, 414, 451, 500, 501, 502, 503, 504}
)
"""Final statuses whose meaning for caches is known here. 206 and 304 are parts of other answers."""
_EVERYBODYS: Final = (b"public", b"s-maxage")
_DESPITE_AUTHORIZATION: Final = (b"public", b"s-maxage", b"must-revalidate")
_ALWAYS_DIFFERENT: Final = frozenset({b"*", b"x-request-id", b"traceparent", b"x-request-timeout-ms"})
MOST_VARYING: Final = 16
LONGEST_HEAD: Final = 16_384
"""Of all fields together."""
_STREAMS: Final = (b"text/event-stream", b"multipart/x-mixed-replace", b"application/grpc")


class Answered(NamedTuple):
    """What is asked of an answer."""

    status: int
    names: frozenset[bytes]
    content_type: bytes
    directives: Directives
    vary: tuple[bytes, ...]
    """The names that the answer's Vary lists, in lower case; `*` is one."""
    head_size: int
    content_length: int | None


class Asker(NamedTuple):
    """What is asked of the request."""

    says_no_store: bool
    sent_authorization: bool
    """The service got an Authorization field that the client sent."""


def refused_because(
    answer: Answered, asker: Asker, times: Times | None, *, has_validator: bool, max_body: int
) -> str:
    """Why the answer is not kept; empty: it is."""
    return (
        _forbidden(answer, asker)
        or _unsuitable(answer, max_body)
        or _pointless(times, has_validator=has_validator)
    )


def is_everybodys(directives: Directives) -> bool:
    """Whether the answer says itself that it is the same for all."""
    return any(name in directives for name in _EVERYBODYS)


def vary_of(values: Iterable[bytes]) -> tuple[bytes, ...]:
    """The names in Vary, sorted, in lower case."""
    names = {part.strip().lower() for value in values for part in value.split(b",")}
    return tuple(sorted(names - {b""}))


def _forbidden(answer: Answered, asker: Asker) -> str:
    said = answer.directives
    if asker.says_no_store:
        return "the request says no-store"
    if b"private" in said:
        return "private"
    if b"must-understand" in said and answer.status not in UNDERSTOOD:
        return "must-understand"
    if b"no-store" in said and b"must-understand" not in said:  # section 5.2.2.3
        return "no-store"
    if b"set-cookie" in answer.names:
        return "it sets a cookie"
    if asker.sent_authorization and not any(name in said for name in _DESPITE_AUTHORIZATION):
        return "the request had Authorization"
    return ""


def _unsuitable(answer: Answered, max_body: int) -> str:
    if answer.status not in UNDERSTOOD:
        return f"status {answer.status}"
    if not _ALWAYS_DIFFERENT.isdisjoint(answer.vary) or len(answer.vary) > MOST_VARYING:
        return "Vary"
    if answer.content_type.startswith(_STREAMS):
        return "it is a stream without end"
    if answer.head_size > LONGEST_HEAD:
        return "its header fields are too long"
    if answer.content_length is not None and answer.content_length > max_body:
        return "it is too long"
    return ""


def _pointless(times: Times | None, *, has_validator: bool) -> str:
    """An answer that could never be served, not even after asking whether it still holds."""
    if times is None:
        return "nothing says how long it is fresh"
    if has_validator or (times.fresh_until > times.born and not times.always_asks):
        return ""
    return "" if times.while_revalidate_s or times.if_error_s else "it is never fresh"
