"""P: Resume tokens: what a connection had subscribed to, signed, for whoever it belonged to.

    base64url(JSON: [owner, expiry, {topic: id}]) "." base64url(HMAC-SHA256)

They hold no right: each subscription is judged anew.
"""

import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import Final

import orjson

LIFETIME_S: Final = 24 * 3600.0
MOST_BYTES: Final = 6000
"""Of a token: what a query can have as well. With longer names of topics it is empty: the client subscribes itself."""


def issue(key: bytes, owner: str, places: Mapping[str, str], *, now: float) -> str:
    """`places` has the id behind which each topic goes on; `now` is in epoch seconds."""
    payload = urlsafe_b64encode(orjson.dumps([owner, int(now + LIFETIME_S), dict(places)])).rstrip(b"=")
    token = payload + b"." + _tag(key, payload)
    return token.decode() if len(token) <= MOST_BYTES else ""


def redeem(key: bytes, owner: str, token: str, *, now: float) -> dict[str, str] | None:
    """The places; None if the token is another's, expired or no token."""
    payload, _, tag = token.encode("utf-8", "replace").partition(b".")
    if not hmac.compare_digest(tag, _tag(key, payload)):
        return None
    whose, until, places = orjson.loads(urlsafe_b64decode(payload + b"=="))
    return places if whose == owner and now < until else None


def _tag(key: bytes, payload: bytes) -> bytes:
    digest = hmac.digest(key, b"resume " + payload, hashlib.sha256)
    return urlsafe_b64encode(digest).rstrip(b"=")
