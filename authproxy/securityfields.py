"""P: What answers say to browsers for their users' safety (SECURITY_HEADERS), put together once.

Strict-Transport-Security is said over HTTPS only (RFC 6797 section 7.2), and only where HTTPS was promised: a browser
believes it for a year, and for every port of the host.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from authproxy.headers import Pair

Fields = tuple[Pair, ...]
ByScheme = Mapping[str, Fields]

_NOSNIFF: Final[Pair] = (b"x-content-type-options", b"nosniff")
_HSTS: Final[Pair] = (b"strict-transport-security", b"max-age=31536000")
_OWN: Final[Fields] = (_NOSNIFF, (b"x-frame-options", b"DENY"), (b"referrer-policy", b"same-origin"))
_ROUTED: Final[Fields] = (
    _NOSNIFF,
    (b"x-frame-options", b"SAMEORIGIN"),
    (b"referrer-policy", b"strict-origin-when-cross-origin"),
)


class SecurityFields(NamedTuple):
    """By the scheme that the client came by."""

    own: ByScheme
    """Of the gateway's own answers."""
    routed: ByScheme
    """Of answers to routed requests: the most that surprises no page."""


NO_FIELDS: Final = SecurityFields({"http": (), "https": ()}, {"http": (), "https": ()})


def security_fields(*, is_on: bool, promises_https: bool) -> SecurityFields:
    """`promises_https`: whoever came over HTTPS once is to come so always."""
    if not is_on:
        return NO_FIELDS
    hsts = (_HSTS,) if promises_https else ()
    return SecurityFields(
        {"http": _OWN, "https": (*_OWN, *hsts)}, {"http": _ROUTED, "https": (*_ROUTED, *hsts)}
    )


def completed(headers: Iterable[Pair], fields: Fields) -> list[Pair]:
    """`headers` and those of `fields` whose names are not among them, in any case: Django writes capitals."""
    said = [*headers]
    if fields:
        names = {name.lower() for name, _ in said}
        said += [pair for pair in fields if pair[0] not in names]
    return said
