"""P: An issuer's published keys (RFC 7517), its discovery document, and for how long an answer counts (RFC 9111)."""

import re
from collections.abc import Iterable
from typing import Any, Final
from urllib.parse import urlsplit

import orjson

from authproxy.signatures import Key, UnusableKey, key_of_jwk

MOST_KEYS: Final = 100
_MAX_AGE: Final = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,9})\b", re.I).search
_UNCACHED: Final = re.compile(r"(?:^|[\s,])no-(?:store|cache)\b", re.I).search


class BadDocument(ValueError):  # noqa: N818 - what it is
    """An answer that is not the document asked for; the message says why, without quoting it."""


class PublishedKeys:
    """The keys of one set, by name."""

    __slots__ = ("_keys", "_names")

    def __init__(self, keys: Iterable[Key] = ()) -> None:
        self._keys = tuple(keys)
        self._names = frozenset(key.kid for key in self._keys)

    def find(self, algorithm: str, kid: str | None) -> tuple[Key, ...] | None:
        """The keys that may have signed a token. None: nothing of that name is here, a newer set may have it.

        A key without a name may be meant by any name; a token without a name may mean any key.
        """
        if kid is None:
            return tuple(key for key in self._keys if algorithm in key.algorithms)
        wanted = kid if kid in self._names else None
        if wanted not in self._names:
            return None
        return tuple(key for key in self._keys if key.kid == wanted and algorithm in key.algorithms)

    def __sub__(self, other: "PublishedKeys") -> tuple[Key, ...]:
        """The keys that are here and not there."""
        return tuple(key for key in self._keys if key not in other._keys)

    def __len__(self) -> int:
        return len(self._keys)


def parse_keys(body: bytes) -> PublishedKeys:
    """The usable keys of a JWKS document; others are passed over (RFC 7517 section 5). Raises BadDocument."""
    listed = _object(body).get("keys")
    if not isinstance(listed, list):
        raise BadDocument("there is no list of keys in it")
    found = []
    for jwk in listed[:MOST_KEYS]:
        try:
            found.append(key_of_jwk(jwk if isinstance(jwk, dict) else {}))
        except UnusableKey:
            continue
    return PublishedKeys(found)


def parse_discovery(body: bytes, *, url: str) -> tuple[str, str]:
    """The issuer and the address of its keys (OpenID Connect Discovery section 4.2). Raises BadDocument."""
    document = _object(body)
    issuer, jwks_url = document.get("issuer"), document.get("jwks_uri")
    if not isinstance(issuer, str) or not isinstance(jwks_url, str):
        raise BadDocument("there is no issuer or no jwks_uri in it")
    if _scheme(jwks_url) not in ("https", _scheme(url)):
        raise BadDocument("its jwks_uri is no address, or less secure than its own")
    return issuer, jwks_url


def lifetime_s(cache_control: str, age: str, *, default: float, least: float, most: float) -> float:
    """For how many seconds an answer counts, by its Cache-Control and Age fields, within bounds."""
    if _UNCACHED(cache_control):
        return least
    named = _MAX_AGE(cache_control)
    if named is None:
        return default
    spent = int(age) if age.isascii() and age.isdigit() and len(age) < 10 else 0
    return min(max(int(named[1]) - spent, least), most)


def _scheme(url: str) -> str:
    try:
        return urlsplit(url).scheme
    except ValueError:
        return ""


def _object(body: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(body)
    except ValueError:
        raise BadDocument("is not JSON") from None
    if not isinstance(document, dict):
        raise BadDocument("is not a JSON object")
    return document
