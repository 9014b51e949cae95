"""P: Opaque credentials (API keys, session cookies) that show by themselves that the gateway made them.

    tor_k7Qm2ZpX9aB1_wYtM…43 characters…
    │   │            └── secret, then a tag: the first characters of HMAC-SHA256 over all before it
    │   └── id: public, unique, what people see and what the database is asked for
    └── brand: which kind it is, so that secret scanners find it

The tag keeps made-up credentials away from the database. The stored digest, HMAC-SHA256 over the whole, decides.
"""

import hashlib
import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

API_KEY: Final = "tor"
SESSION: Final = "tos"
_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID: Final = 12
_SECRET: Final = 32
_TAG: Final = 10
_SHAPE: Final = re.compile(rb"(tor|tos)_([0-9A-Za-z]{12})_[0-9A-Za-z]{32}[0-9a-f]{10}").fullmatch
LONGEST: Final = 4 + _ID + 1 + _SECRET + _TAG
Choice = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Ticket:
    """A new credential: `text` is shown once, `prefix` and `digest` are kept."""

    text: str
    prefix: str
    digest: bytes


def mint(brand: str, *, pepper: bytes, choice: Choice) -> Ticket:
    """A new credential of 190 random bits. `pepper` is the server's key, `choice` is `secrets.choice`."""
    prefix = f"{brand}_{''.join(choice(_ALPHABET) for _ in range(_ID))}"
    body = f"{prefix}_{''.join(choice(_ALPHABET) for _ in range(_SECRET))}"
    text = body + _tag(body.encode(), pepper)
    return Ticket(text, prefix, digest(text.encode(), pepper=pepper))


def prefix_of(presented: bytes, brand: str, *, pepper: bytes) -> str | None:
    """What to ask the database for; None for what this server never made."""
    shape = _SHAPE(presented)
    if shape is None or shape[1] != brand.encode():
        return None
    if not hmac.compare_digest(_tag(presented[:-_TAG], pepper).encode(), presented[-_TAG:]):
        return None
    return f"{brand}_{shape[2].decode()}"


def digest(presented: bytes, *, pepper: bytes) -> bytes:
    """What the database keeps instead of the credential."""
    return hmac.digest(pepper, b"stored " + presented, hashlib.sha256)


def is_right(presented: bytes, stored: bytes, *, pepper: bytes) -> bool:
    """In constant time."""
    return hmac.compare_digest(digest(presented, pepper=pepper), stored)


def _tag(body: bytes, pepper: bytes) -> str:
    return hmac.digest(pepper, b"tag " + body, hashlib.sha256).hex()[:_TAG]
