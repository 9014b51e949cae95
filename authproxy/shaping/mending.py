"""P: What an answer's header fields say of its body, and what they still may say once the body is another one."""

from collections.abc import Iterable
from typing import Final

from authproxy.headers import Pair, Pairs
from routing.mediatypes import is_json

BODILESS: Final = frozenset({204, 205, 304})
"""RFC 9110 sections 15.3.5, 15.3.6 and 15.4.5."""
OF_BYTES: Final = frozenset(
    {
        b"content-length",
        b"content-md5",
        b"digest",
        b"content-digest",
        b"repr-digest",
        b"accept-ranges",
    }
)
"""What is true of these bytes only (RFC 9530, RFC 9110 sections 8.6 and 14.3)."""

_TELLING: Final = frozenset({b"content-type", b"content-encoding", b"content-range"})


def field(pairs: Pairs, name: bytes) -> bytes:
    """The first field of a name; empty for none."""
    for pair in pairs:
        if pair[0] == name:
            return pair[1]
    return b""


def media_type(content_type: bytes) -> str:
    """`application/json` of `Application/JSON; charset=utf-8`."""
    return content_type.partition(b";")[0].strip().decode("latin-1").lower()


def is_plain_json(pairs: Pairs) -> bool:
    """Whether a body is said to be JSON, whole and without a content coding."""
    found = b""
    for name, value in pairs:
        if name not in _TELLING:
            continue
        if name == b"content-type":
            found = value
        elif (name == b"content-encoding" and value.lower() != b"identity") or name == b"content-range":
            return False
    return found == b"application/json" or is_json(media_type(found))


def has_body(method: str, status: int) -> bool:
    """Whether an answer may have one (RFC 9110 section 6.4.1)."""
    return method != "HEAD" and status not in BODILESS


def mended(pairs: Iterable[Pair], length: int | None) -> list[Pair]:
    """The fields of an answer whose body is another now: a strong ETag becomes weak (RFC 9110 section 8.8.1), what was
    true of the old bytes goes, and the length is the new one where it is known."""
    kept = [
        pair if pair[0] != b"etag" else (b"etag", weak(pair[1])) for pair in pairs if pair[0] not in OF_BYTES
    ]
    if length is not None:
        kept.append((b"content-length", b"%d" % length))
    return kept


def weak(etag: bytes) -> bytes:
    """A validator that says no more than "means the same"."""
    return etag if etag.startswith(b"W/") else b"W/" + etag
