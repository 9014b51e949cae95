"""P: One reading of a request path, taken once, before any decision (RFC 3986 sections 5.2.4, 6.2.2).

Two forms come out. `match` is what routes are compared with: percent-escapes decoded (as UTF-8
where they are UTF-8), except those of "/", "\\" and "%", which stay escaped so that the form is
unambiguous. `forward` is what an upstream gets: the client's own bytes, with dot segments and
doubled slashes resolved. Both have the same segments, one for one.
"""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes


class NormalPath(NamedTuple):
    """A path that may be matched and forwarded."""

    match: str
    forward: bytes
    has_encoded_slash: bool  # %2F, %5C or a raw backslash


class BadPath(NamedTuple):
    """A path that is refused with 400, whatever the routes say."""

    reason: str


_new = tuple.__new__
_ORDINARY = bytes(byte for byte in range(0x21, 0x7F) if byte not in b"%\\?#")
_WRITABLE = _ORDINARY + b"%\\?#"  # written as it is sent, if at all
_FORBIDDEN = (
    (re.compile(rb"[\x00-\x20\x7f]"), "the path has a control byte or a space"),
    (re.compile(rb"[?#]"), "the path has a question mark or a number sign"),
    (re.compile(rb"%(?![0-9A-Fa-f]{2})"), "the path has a percent sign without two hexadecimal digits"),
    (re.compile(rb"%(?:[01][0-9A-Fa-f]|7[Ff])"), "the path has an encoded control byte"),
    # Servers that cut parameters off a segment (Java's) resolve "..;x" after every check in front of them.
    (
        re.compile(rb"(?:/|%2[Ff]|%5[Cc]|\\)(?:\.|%2[Ee]){1,2}(?:;|%3[Bb])"),
        "the path has a dot segment with parameters",
    ),
)
_ENCODED_SLASH = re.compile(rb"%2[Ff]|%5[Cc]|\\")
_DOT_SEGMENT = re.compile(rb"(?:\.|%2[Ee]){1,2}")

# After decoding: the characters that must stay escaped, and bytes that were not UTF-8 (which
# surrogateescape turns into U+DC80 to U+DCFF).
_KEEP_ESCAPED = {ord("/"): "%2F", ord("\\"): "%5C", ord("%"): "%25"} | {
    0xDC00 + byte: f"%{byte:02X}" for byte in range(0x80, 0x100)
}


def normalise(raw: bytes) -> NormalPath | BadPath:
    """Read the path of a request target, without its query. An empty path is "/"."""
    if not raw.translate(None, _ORDINARY):
        text = raw.decode()
        if "/." not in text and "//" not in text and text[:1] == "/":
            return _new(NormalPath, (text, raw, False))  # the class's own constructor costs twice
    return _normalise_unusual(raw or b"/")


def normalise_written(text: str) -> NormalPath | BadPath:
    """Read a path that a person wrote in the configuration, where "/café" and "/a b" are allowed."""
    try:
        raw = text.encode("utf-8")
    except UnicodeEncodeError:
        return BadPath("the path holds half of a surrogate pair")
    if raw.translate(None, _WRITABLE):
        raw = quote(raw, safe=_WRITABLE).encode("ascii")
    return normalise(raw)


def _normalise_unusual(raw: bytes) -> NormalPath | BadPath:
    reason = _refusal(raw)
    if reason:
        return BadPath(reason)
    segments = _resolve(raw)
    has_encoded_slash = _ENCODED_SLASH.search(raw) is not None
    if has_encoded_slash and any(map(_hides_dot_segment, segments)):
        return BadPath("the path has a dot segment beside an encoded slash")
    match = "/" + "/".join(map(_decode, segments))
    return NormalPath(match, b"/" + b"/".join(segments), has_encoded_slash)


def _refusal(raw: bytes) -> str | None:
    if raw[:1] != b"/":
        return "the path does not begin with a slash"
    if not raw.isascii():
        return "the path has a byte outside ASCII that is not percent-encoded"
    for forbidden, reason in _FORBIDDEN:
        if forbidden.search(raw):
            return reason
    return None


def _resolve(raw: bytes) -> list[bytes]:
    """The segments after resolving; ".." above the root stays at the root (section 5.2.4)."""
    kept: list[bytes] = []
    segment = b""
    for segment in raw.split(b"/"):
        if _DOT_SEGMENT.fullmatch(segment):
            if kept and len(_undot(segment)) == 2:
                kept.pop()
        elif segment:
            kept.append(segment)
    if not segment or _DOT_SEGMENT.fullmatch(segment):
        kept.append(b"")  # the slash at the end, which is the client's
    return kept


def _undot(segment: bytes) -> bytes:
    return segment.replace(b"%2e", b".").replace(b"%2E", b".")


def _hides_dot_segment(segment: bytes) -> bool:
    """Whether an upstream that decodes the slashes of this segment would see "." or ".." in it."""
    return any(_DOT_SEGMENT.fullmatch(part) for part in _ENCODED_SLASH.split(segment))


def _decode(segment: bytes) -> str:
    return unquote_to_bytes(segment).decode("utf-8", "surrogateescape").translate(_KEEP_ESCAPED)
