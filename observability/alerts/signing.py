"""P: Signatures of webhooks as the Standard Webhooks specification has them (standardwebhooks.com, "v1" symmetric)."""

import hashlib
import hmac
from base64 import b64decode, b64encode
from typing import Final

PREFIX: Final = "whsec_"
SHORTEST, LONGEST = 24, 64
"""Bytes of a secret."""


def new_secret(random: bytes) -> str:
    """A secret of 24 to 64 random bytes, as receivers are given it."""
    assert SHORTEST <= len(random) <= LONGEST
    return PREFIX + b64encode(random).decode()


def key_of(secret: str) -> bytes:
    """What signs. Raises ValueError, whose text says what a secret must be."""
    try:
        key = b64decode(secret.removeprefix(PREFIX), validate=True)
    except ValueError:
        key = b""
    if not SHORTEST <= len(key) <= LONGEST:
        raise ValueError(f"A secret is {SHORTEST} to {LONGEST} bytes in base64, after {PREFIX}.")
    return key


def fields(secret: str, *, id: str, at: int, body: bytes) -> dict[str, str]:  # noqa: A002 - the specification's word
    """The three header fields; `at` are epoch seconds of this attempt."""
    signed = b"%s.%d.%s" % (id.encode(), at, body)
    signature = b64encode(hmac.digest(key_of(secret), signed, hashlib.sha256)).decode()
    return {"webhook-id": id, "webhook-timestamp": str(at), "webhook-signature": f"v1,{signature}"}
