"""P: The token endpoint's own language (RFC 6749): error bodies, client credentials in a header, lists of scopes."""

import binascii
from base64 import b64decode
from dataclasses import dataclass, field
from typing import Final, Literal
from urllib.parse import unquote_plus

ErrorCode = Literal[
    "invalid_request",
    "invalid_client",
    "invalid_grant",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_scope",
    "slow_down",
    "temporarily_unavailable",
]
STATUS: Final[dict[ErrorCode, int]] = {
    "invalid_client": 401,
    "slow_down": 429,
    "temporarily_unavailable": 503,
}
_SCOPE_CHARACTERS: Final = frozenset(map(chr, (0x21, *range(0x23, 0x5C), *range(0x5D, 0x7F))))


class OAuthRefused(Exception):  # noqa: N818 - a refusal
    """A refusal in the form of section 5.2."""

    def __init__(self, code: ErrorCode, description: str, *, retry_after_s: int = 0) -> None:
        super().__init__(description)
        self.code: ErrorCode = code
        self.description = description
        self.retry_after_s = retry_after_s

    @property
    def status(self) -> int:
        return STATUS.get(self.code, 400)


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks for a token."""

    id: str
    secret: str = field(repr=False)


def client_of(authorization: str) -> Client | None:
    """From HTTP Basic, both parts form-encoded (section 2.3.1). None for another scheme; raises OAuthRefused."""
    scheme, _, encoded = authorization.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, separator, secret = b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError, ValueError) as error:
        raise OAuthRefused("invalid_client", "The Authorization field is malformed.") from error
    if not separator:
        raise OAuthRefused("invalid_client", "The Authorization field is malformed.")
    return Client(unquote_plus(name), unquote_plus(secret))


def scopes_of(text: str) -> frozenset[str] | None:
    """The scopes asked for (section 3.3); None if none are. Raises OAuthRefused."""
    if set(text) - _SCOPE_CHARACTERS - {" "}:
        raise OAuthRefused("invalid_scope", "The scope is malformed.")
    return frozenset(text.split()) or None


def narrowed(wanted: frozenset[str] | None, granted: frozenset[str]) -> frozenset[str]:
    """What is asked for, if all of it is there to be given; all of it where nothing is asked for."""
    if wanted is None:
        return granted
    if missing := wanted - granted:
        raise OAuthRefused("invalid_scope", f"This is not granted: {' '.join(sorted(missing))}")
    return wanted
