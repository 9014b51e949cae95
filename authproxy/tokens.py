"""P: From a token's bytes to who it speaks of, given the keys and the time."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from authproxy import claims
from authproxy.claims import Unacceptable
from authproxy.identity import Identity
from authproxy.jws import Token
from authproxy.signatures import Key
from routing.snapshot import CompiledProvider


class TokenRefusal(NamedTuple):
    """Why a token names nobody.

    `reason` may be told to whoever sent it: "expired" only where the signature was right, "unavailable" where the
    provider's keys could not be fetched. `why` is a short id for counting and stays inside.
    """

    reason: Literal["invalid", "expired", "unavailable"]
    why: str


def is_signed_by(token: Token, keys: Iterable[Key]) -> bool:
    """Whether one of the keys signed it."""
    (algorithm, _), _, signed, signature = token
    for key in keys:  # noqa: SIM110 - a generator for one key costs as much again as all else here
        if key.verifies(algorithm, signed, signature):
            return True
    return False


def judge_own(token: Token, keys: Iterable[Key], *, issuer: str, now: float) -> Identity | TokenRefusal:
    """Judge a token by the gateway's own keys. `now` is in epoch seconds."""
    if not is_signed_by(token, keys):
        return TokenRefusal("invalid", "bad_signature")
    try:
        return claims.own_identity(token.claims, issuer=issuer, now=now)
    except Unacceptable as refused:
        return _refusal(refused)


def judge_provided(
    token: Token, provider: CompiledProvider, *, issuers: frozenset[str], now: float
) -> Identity | TokenRefusal:
    """Judge the claims of a token that one of the provider's keys signed."""
    try:
        return claims.provider_identity(token.claims, provider, issuers=issuers, now=now)
    except Unacceptable as refused:
        return _refusal(refused)


def _refusal(refused: Unacceptable) -> TokenRefusal:
    return TokenRefusal("expired" if refused.is_expired else "invalid", refused.why)
