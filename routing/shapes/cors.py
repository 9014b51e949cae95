"""P: Which pages of other origins may call a route, and what preflights are told (Fetch standard section 3.2)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from routing.document.origins import ANY
from routing.explanation import PolicyNote

if TYPE_CHECKING:
    from routing.document.answers import CorsSpec
    from routing.snapshot import HeaderList

DEFAULT_HEADERS: Final = (
    "authorization",
    "content-type",
    "idempotency-key",
    "traceparent",
    "x-api-key",
    "x-csrf-token",
    "x-request-id",
    "x-request-timeout-ms",
    "x-requested-with",
)
"""What pages may send where CORS_ALLOWED_ORIGINS is all that is said: what the gateway itself reads, and JSON."""
DEFAULT_EXPOSE: Final = (
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-request-id",
)
"""… and what they may read: what the gateway itself adds."""
DEFAULT_MAX_AGE_S: Final = 600
VARY_PREFLIGHT: Final = (
    b"vary",
    b"Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
)
_VARY_ORIGIN: Final = (b"vary", b"Origin")
_EXPOSE: Final = b"access-control-expose-headers"
_BELOW: Final = re.compile(rb"(?:[a-z0-9_-]+\.)+").fullmatch


@dataclass(frozen=True, slots=True)
class Family:
    """All origins below a domain: `https://*.example.com` is b"https://" and b"example.com"."""

    start: bytes
    end: bytes

    def has(self, origin: bytes) -> bool:
        """At any depth, but not the domain itself."""
        begin, stop = len(self.start), len(origin) - len(self.end)
        return (
            stop > begin
            and origin.startswith(self.start)
            and origin.endswith(self.end)
            and _BELOW(origin, begin, stop) is not None
        )


@dataclass(frozen=True, slots=True)
class CorsPolicy:
    """Names of methods are as written, names of fields in lower case. Empty `methods`: any."""

    any_origin: bool = False
    origins: frozenset[bytes] = frozenset()
    families: tuple[Family, ...] = ()
    methods: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    expose: tuple[str, ...] = ()
    credentials: bool = False
    max_age_s: int | None = None
    is_default: bool = False
    """It comes from CORS_ALLOWED_ORIGINS."""

    def allows(self, origin: bytes) -> bool:
        """Whether pages of an origin may read the answers; compared byte by byte, as browsers spell origins."""
        return (
            self.any_origin or origin in self.origins or any(family.has(origin) for family in self.families)
        )


def cors_of(spec: CorsSpec | None, methods: Sequence[str], default: CorsPolicy | None) -> CorsPolicy | None:
    """The policy of a route that takes `methods`; None: nobody but the service says anything."""
    if spec is None:
        return None if default is None else replace(default, methods=tuple(methods))
    if not spec.enabled:
        return None
    any_origin, origins, families = _told_apart(spec.origins)
    return CorsPolicy(
        any_origin=any_origin,
        origins=origins,
        families=families,
        methods=tuple(dict.fromkeys(spec.methods or methods)),
        headers=_lowered(spec.headers),
        expose=_lowered(spec.expose),
        credentials=spec.credentials,
        max_age_s=None if spec.max_age is None else int(spec.max_age),
    )


def default_cors(origins: Sequence[str]) -> CorsPolicy | None:
    """The policy where nothing is said but CORS_ALLOWED_ORIGINS: named origins may send credentials, too."""
    if not origins:
        return None
    any_origin, exact, families = _told_apart(origins)
    return CorsPolicy(
        any_origin=any_origin,
        origins=exact,
        families=families,
        headers=DEFAULT_HEADERS,
        expose=DEFAULT_EXPOSE,
        credentials=not any_origin,
        max_age_s=DEFAULT_MAX_AGE_S,
        is_default=True,
    )


def origin_of(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    """Where a request's page is from; b"" if nobody says so, or several do."""
    found = [value for name, value in headers if name == b"origin"]
    return found[0] if len(found) == 1 else b""


def answer_fields(policy: CorsPolicy, origin: bytes) -> HeaderList:
    """What every answer says. One that is the same for all does not depend on who asks."""
    if policy.any_origin:
        return ((b"access-control-allow-origin", b"*"), *_listed(_EXPOSE, policy.expose))
    if not origin or not policy.allows(origin):
        return (_VARY_ORIGIN,)
    return (
        (b"access-control-allow-origin", origin),
        *_credentials(policy),
        *_listed(_EXPOSE, policy.expose),
        _VARY_ORIGIN,
    )


def preflight_fields(policy: CorsPolicy, origin: bytes, method: str) -> HeaderList:
    """What a preflight is told that asks for `method`, by a page whose origin is allowed.

    A method or field that is not allowed is not listed: the browser concludes, and tells the developer which.
    """
    methods = policy.methods or (method,)
    max_age = policy.max_age_s
    return (
        (b"access-control-allow-origin", b"*" if policy.any_origin else origin),
        *_credentials(policy),
        *_listed(b"access-control-allow-methods", methods),
        *_listed(b"access-control-allow-headers", policy.headers),
        *(((b"access-control-max-age", b"%d" % max_age),) if max_age is not None else ()),
        VARY_PREFLIGHT,
    )


def cors_note(policy: CorsPolicy | None, source: str, headers: HeaderList) -> Iterator[PolicyNote]:
    """What a page learns of the answer; of `headers` the Origin counts."""
    if policy is None:
        if source == "route":
            yield PolicyNote("cors", source, "pass", {"remark": "left to the service"})
        return
    origin = origin_of(headers)
    details: dict[str, Any] = {"origins": [ANY] if policy.any_origin else sorted(_names(policy))}
    if origin:
        details["origin"] = origin.decode("latin-1")
        details["verdict"] = "may read the answer" if policy.allows(origin) else "may not read the answer"
    details |= {
        "methods": list(policy.methods) or "any",
        "headers": list(policy.headers),
        "expose": list(policy.expose),
        "credentials": policy.credentials,
        "max_age_s": policy.max_age_s,
    }
    yield PolicyNote("cors", "environment" if policy.is_default else source, "applies", details)


def _told_apart(origins: Iterable[str]) -> tuple[bool, frozenset[bytes], tuple[Family, ...]]:
    """Whether any may come, those that are named, and the families."""
    exact, families = set(), []
    for origin in origins:
        start, wildcard, end = origin.partition("*.")
        if wildcard:
            families.append(Family(start.encode("ascii"), end.encode("ascii")))
        else:
            exact.add(origin.encode("ascii"))
    return ANY in origins, frozenset(exact - {b"*"}), tuple(families)


def _lowered(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.lower() for name in names))


def _names(policy: CorsPolicy) -> Iterator[str]:
    yield from (origin.decode("ascii") for origin in policy.origins)
    yield from (f"{family.start.decode()}*.{family.end.decode()}" for family in policy.families)


def _credentials(policy: CorsPolicy) -> HeaderList:
    return ((b"access-control-allow-credentials", b"true"),) if policy.credentials else ()


def _listed(name: bytes, values: tuple[str, ...]) -> HeaderList:
    return ((name, ", ".join(values).encode("ascii")),) if values else ()
