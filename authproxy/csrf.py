"""P: Whether a request that its cookie authenticates was meant by the user, and not caused by another site's page.

A browser sends cookies along whoever causes the request, but says where that page came from: in `Origin`, else in
`Sec-Fetch-Site`. A page of another origin that may do this has the session's CSRF token, which no other site can
read: it is an HMAC of the session's id, set as a readable cookie at sign-in and sent back as `X-CSRF-Token`.
"""

import hashlib
import hmac
from typing import Final
from urllib.parse import urlsplit

from authproxy.headers import Pairs

HEADER: Final = b"x-csrf-token"
COOKIE: Final = "torana_csrf_token"
_SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
_SAME_SITE: Final = frozenset({b"same-origin", b"none"})
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


def token_for(session: str, *, pepper: bytes) -> str:
    """The CSRF token of a session, by its id."""
    return hmac.new(pepper, b"csrf " + session.encode(), hashlib.sha256).hexdigest()


def is_meant(
    method: str, headers: Pairs, *, scheme: str, host: bytes, session: str = "", pepper: bytes = b""
) -> bool:
    """Whether a cookie may speak for this request. `scheme` and `host` are as the client sees them.

    `session` is the session's id; empty where the cookie is not the gateway's own, which then has no CSRF token.
    """
    return (
        method in _SAFE_METHODS
        or _has_token(headers, session, pepper)
        or _is_from_here(headers, scheme=scheme, host=host)
    )


def _has_token(headers: Pairs, session: str, pepper: bytes) -> bool:
    if not session:
        return False
    expected = token_for(session, pepper=pepper).encode()
    return any(name == HEADER and hmac.compare_digest(value, expected) for name, value in headers)


def _is_from_here(headers: Pairs, *, scheme: str, host: bytes) -> bool:
    origins = [value for name, value in headers if name == b"origin"]
    if origins:
        name, port = _authority(scheme, f"//{host.decode('latin-1')}")
        return bool(name) and all(_origin(value) == (scheme, name, port) for value in origins)
    sites = [value for name, value in headers if name == b"sec-fetch-site"]
    return bool(sites) and _SAME_SITE.issuperset(sites)


def _origin(value: bytes) -> tuple[str, str, int] | None:
    """Scheme, host and port (RFC 6454 section 6.2); None for `null` and for what is no origin."""
    scheme, separator, rest = value.decode("latin-1").partition("://")
    if not separator or set(rest) & set("/?#@"):
        return None
    return (scheme.lower(), *_authority(scheme.lower(), f"//{rest}"))


def _authority(scheme: str, url: str) -> tuple[str, int]:
    """Host and port; the port is -1 where there is none, or nonsense."""
    try:
        parts = urlsplit(url)
        port = parts.port
        name = parts.hostname or ""
    except ValueError:
        return "", -1
    return name, _DEFAULT_PORTS.get(scheme, -1) if port is None else port
