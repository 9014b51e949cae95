"""P: What the keys of an identity provider, and those of a quota, must be to each other."""

from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from typing import Any, Final
from urllib.parse import urlsplit

from routing.document.findings import Finding, repeated
from routing.document.interpolation import Filled
from routing.document.service_rules import written_secret
from routing.document.wire import is_token
from routing.problems import quote

Raw = Mapping[str, Any]
SHORTEST_SECRET: Final = 32
_KEY_ADDRESSES: Final = ("jwks_url", "discovery_url")
_CALENDAR: Final = ("day", "month")
_WINDOWS: Final = ("sliding_window", "fixed_window")
_OWN_COOKIES: Final = "torana_"


def check_quota_rules(raw: Raw) -> Iterator[Finding]:
    """Only a token bucket has a burst; a calendar period is always a fixed window."""
    if raw.get("burst") is None:
        return
    period, algorithm = raw.get("per"), raw.get("algorithm")
    if period in _CALENDAR:
        yield Finding("gateway.E022", ("burst",), f"is of a token bucket; per: {period} is a fixed window")
    elif algorithm in _WINDOWS:
        yield Finding("gateway.E022", ("burst",), f"is of a token bucket; algorithm is {algorithm}")


def check_provider_rules(raw: Raw) -> Iterator[Finding]:
    """A provider needs keys from somewhere, and its secret is not written out."""
    yield from written_secret(raw.get("secret"), ("secret",))
    yield from _keys(raw)
    yield from _cookie(raw.get("cookie"))
    for name in _KEY_ADDRESSES:
        yield from _unencrypted(raw.get(name), name)


def _keys(raw: Raw) -> Iterator[Finding]:
    algorithms = raw.get("algorithms")
    if algorithms == []:
        yield Finding("gateway.E036", ("algorithms",), "needs at least one, such as RS256")
    yield from repeated(algorithms, ("algorithms",))
    names = [str(name) for name in algorithms] if isinstance(algorithms, list) else ["RS256"]
    shared = [name for name in names if name.startswith("HS")]
    has_address = any(raw.get(name) is not None for name in _KEY_ADDRESSES)
    if not has_address and raw.get("secret") is None:
        yield Finding("gateway.E036", (), "needs jwks_url, discovery_url or secret to verify tokens with")
    elif shared and raw.get("secret") is None:
        yield Finding("gateway.E036", ("secret",), "is missing: HS algorithms need a shared secret")
    elif names and not shared and not has_address:
        message = "a secret verifies HS algorithms only; say algorithms: [HS256]"
        yield Finding("gateway.E036", ("algorithms",), message)
    if shared and len(shared) < len(names):
        # A public key must never be taken for a shared secret (RFC 8725 section 3.1).
        yield Finding("gateway.E022", ("algorithms",), "HS and public-key algorithms exclude each other")
    elif shared and raw.get("secret") is not None:
        yield from _guessable(raw["secret"])
        yield from (_unused(name, "HS algorithms use the secret") for name in _KEY_ADDRESSES if raw.get(name))
    elif has_address and not shared:
        if raw.get("secret") is not None:
            yield _unused("secret", "no HS algorithm is accepted")
        yield from _believed_widely(raw)


def _believed_widely(raw: Raw) -> Iterator[Finding]:
    """One provider signs for many applications, some for many tenants, with the same keys."""
    if raw.get("audience") is None:
        yield Finding(
            "gateway.W008", ("audience",), "is missing: tokens for other applications are accepted, too"
        )
    if raw.get("issuer") is None and raw.get("discovery_url") is None:
        yield Finding(
            "gateway.W008", ("issuer",), "is missing: tokens are accepted whatever issuer they name"
        )


def _guessable(secret: object) -> Iterator[Finding]:
    """One token is enough to try out secrets on (RFC 7518 section 3.2 wants as many bits as the hash has)."""
    if isinstance(secret, Filled) and "/" not in secret.written and len(secret) < SHORTEST_SECRET:
        message = f"is shorter than {SHORTEST_SECRET} characters: it can be guessed from a token"
        yield Finding("gateway.W009", ("secret",), message)


def _unused(name: str, why: str) -> Finding:
    return Finding("gateway.W005", (name,), f"has no effect: {why}")


def _cookie(cookie: object) -> Iterator[Finding]:
    if not isinstance(cookie, str) or not cookie:
        return
    if not is_token(cookie):
        yield Finding("gateway.E038", ("cookie",), f"{quote(cookie)} is not a cookie's name")
    elif cookie.startswith(_OWN_COOKIES):
        yield Finding(
            "gateway.E038", ("cookie",), f"{quote(cookie)} is a name that the gateway keeps for itself"
        )


def _unencrypted(url: object, name: str) -> Iterator[Finding]:
    if isinstance(url, str) and url.startswith("http://") and not _is_loopback(url):
        message = f"{quote(url)}: whoever is on the way may put in keys of their own; say https://"
        yield Finding("gateway.W007", (name,), message, url)


def _is_loopback(url: str) -> bool:
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or host.endswith(".localhost") or ip_address(host).is_loopback
    except ValueError:
        return False
