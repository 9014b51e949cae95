"""P: Signed tokens in compact form (RFC 7515, 7519), taken apart strictly and put together.

What two readers could read in two ways is refused: members that occur twice, base64url with stray bits, numbers
that are none, text that is not UTF-8. Nothing here is trusted until its signature has been verified. Keys that a
header brings or points to (jwk, jku, x5c, x5u) are never looked at.
"""

import json
from binascii import a2b_base64, b2a_base64
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

import orjson

LONGEST_TOKEN: Final = 16_384
_LONGEST_KID: Final = 256
_LONGEST_CACHED: Final = 512
_TYPES: Final = frozenset({"jwt", "at+jwt", "application/jwt", "application/at+jwt"})
_TO_BASE64: Final = bytes.maketrans(b"-_+/=", b"+/!!!")
"""What base64url does not have becomes what base64 does not have either."""
_FROM_BASE64: Final = bytes.maketrans(b"+/", b"-_")
_ENDS: Final[tuple[frozenset[int] | None, ...]] = (
    None,
    frozenset(),
    frozenset(b"AQgw"),
    frozenset(b"AEIMQUYcgkosw048"),
)
"""The last characters that leave no bit over, by the length of the last group (RFC 4648 section 3.5); None: any."""
_PADDING: Final = (b"", b"", b"==", b"=")


class Malformed(ValueError):  # noqa: N818 - what it is
    """Not a token. `why` is a short id for counting, never shown to a client."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Header(NamedTuple):
    """What a token says of its own signature."""

    alg: str
    kid: str | None


class Token(NamedTuple):
    """A token taken apart, not verified."""

    header: Header
    claims: dict[str, Any]
    signed: bytes
    signature: bytes


def parse(token: bytes) -> Token:
    """Take a token apart; raises Malformed."""
    if len(token) > LONGEST_TOKEN:
        raise Malformed("too_long")
    head, _, rest = token.partition(b".")
    body, _, signature = rest.partition(b".")
    if not (head and body and signature):
        raise Malformed("unsigned" if head and body else "not_a_token")
    return Token(
        _cached_header(head) if len(head) <= _LONGEST_CACHED else _header(head),
        _object(body),
        token[: len(head) + 1 + len(body)],
        unbase64url(signature),
    )


def compose(header: Mapping[str, Any], claims: Mapping[str, Any]) -> bytes:
    """The part of a token that is signed."""
    return base64url(orjson.dumps(header)) + b"." + base64url(orjson.dumps(claims))


def base64url(data: bytes) -> bytes:
    """Without padding (RFC 7515 section 2)."""
    return b2a_base64(data, newline=False).translate(_FROM_BASE64).rstrip(b"=")


def unbase64url(segment: bytes) -> bytes:
    """Only the one spelling that `base64url` has; raises Malformed."""
    rest = len(segment) & 3
    ends = _ENDS[rest]
    if ends is not None and segment[-1] not in ends:
        raise Malformed("bad_base64")
    if not segment.isalnum():  # where the two alphabets are one
        segment = segment.translate(_TO_BASE64)
    try:
        return a2b_base64(segment + _PADDING[rest] if rest else segment, strict_mode=True)
    except ValueError:
        raise Malformed("bad_base64") from None


def _header(segment: bytes) -> Header:
    members = _object(segment)
    alg, kid, typ = members.get("alg"), members.get("kid"), members.get("typ", "jwt")
    if not isinstance(alg, str):
        raise Malformed("bad_algorithm")
    if kid is not None and not (isinstance(kid, str) and 0 < len(kid) <= _LONGEST_KID):
        raise Malformed("bad_kid")
    # Extensions that must be understood are not (RFC 7515 section 4.1.11, RFC 7797): better refused than guessed.
    if "crit" in members or "b64" in members or "zip" in members or "enc" in members:
        raise Malformed("extension")
    if not isinstance(typ, str) or typ.lower() not in _TYPES:
        raise Malformed("wrong_type")
    return Header(alg, kid)


_cached_header = lru_cache(maxsize=1024)(_header)


def _object(segment: bytes) -> dict[str, Any]:
    data = unbase64url(segment)
    try:
        value = orjson.loads(data)
    except ValueError:
        raise Malformed("bad_json") from None
    if type(value) is not dict:
        raise Malformed("not_an_object")
    if not (_is_as_written(data, value) or _is_unambiguous(data, value)):
        raise Malformed("duplicate_member")
    return value


def _is_as_written(data: bytes, value: dict[str, Any]) -> bool:
    """Whether it is what would be written of the value: most issuers write so, and then nothing was dropped."""
    try:
        return orjson.dumps(value) == data
    except orjson.JSONEncodeError:  # more deeply nested than is written
        return False


def _is_unambiguous(data: bytes, value: dict[str, Any]) -> bool:
    """Whether no object has a member twice, of which readers differ in what they take.

    The fast parser drops all but the last one. Where no escape occurs, every string is between two quotation marks,
    so strings are missing if and only if something was dropped. The slow parser looks at the rest.
    """
    if b"\\" not in data:
        return data.count(b'"') == 2 * _strings_in(value)
    try:
        json.loads(data, object_pairs_hook=_distinct)
    except (ValueError, RecursionError):
        return False
    return True


def _strings_in(value: dict[str, Any]) -> int:
    """How many strings there are, the names of members included."""
    found = len(value)
    nested: list[Any] = []
    items: Iterable[Any] = value.values()
    while True:
        for item in items:
            kind = type(item)
            if kind is str:
                found += 1
            elif kind is dict or kind is list:
                nested.append(item)
        if not nested:
            return found
        items = nested.pop()
        if type(items) is dict:
            found += len(items)
            items = items.values()


def _distinct(pairs: list[tuple[str, Any]]) -> None:
    if len(dict(pairs)) != len(pairs):
        raise ValueError
