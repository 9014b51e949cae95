"""P: Requests of one route that are shared among several services by weight, and who stays with which.

A choice by key is made by weighted rendezvous hashing (Thaler and Ravishankar 1998; Schindelhauer and Schomaker
2005): each service draws a number for each key, and the largest wins. A weight that grows only takes keys, one that
shrinks only gives them away, and nobody moves between two others.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from math import inf, log
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import quote

from resilience.canary import CanaryPolicy

if TYPE_CHECKING:
    from routing.document.destinations import CanarySpec
    from routing.document.routes import RouteSpec
    from routing.patterns import PathPattern

Sticky = Literal["", "cookie", "consumer"]
ForcedBy = Literal["", "header", "cookie"]
Settled = Literal["forced", "consumer", "cookie"]
"""Why a request goes where it goes, if not by chance."""

_VARIANT_BYTES: Final = 6
_MARK_BYTES: Final = 16
_HUNDREDTHS: Final = 100
_DRAWN_BITS: Final = 64
_PLAIN_PATH: Final = re.compile(r"[!-:<-~]*").fullmatch


@dataclass(frozen=True, slots=True)
class Share:
    """One of the services. `variant` stands for it in cookies: the same everywhere, and nothing to outsiders."""

    service: str
    weight: int
    variant: bytes


Shares = Sequence[Share]


@dataclass(frozen=True, slots=True)
class Split:
    """The route sends each request to one of several services."""

    shares: tuple[Share, ...]
    sticky: Sticky = ""
    cookie: bytes = b""
    """The name of the cookie that remembers a client's service."""
    cookie_path: bytes = b"/"
    forced_by: ForcedBy = ""
    forced_name: bytes = b""
    """Of the header field (in lower case) or cookie whose value names a service."""
    canary: CanaryPolicy | None = None
    """The last share moves by itself."""

    @property
    def services(self) -> tuple[str, ...]:
        return tuple(share.service for share in self.shares)


def share_of(service: str, weight: int) -> Share:
    """The variant depends on the name alone, so it outlives changes of weights and of other services."""
    digest = blake2b(service.encode("utf-8", "surrogatepass"), digest_size=_VARIANT_BYTES, person=b"variant")
    return Share(service, weight, digest.hexdigest().encode("ascii"))


def by_chance(shares: Shares, roll: float) -> Share | None:
    """The share on which `roll` (0 up to 1) falls; None where all weights are 0."""
    left = roll * sum(share.weight for share in shares)
    found = None
    for share in shares:
        if share.weight > 0:
            found = share
            left -= share.weight
            if left < 0:
                break
    return found


def by_key(shares: Shares, key: bytes) -> Share | None:
    """The same for the same key; None where all weights are 0."""
    found, best = None, -inf
    for share in shares:
        if share.weight > 0:
            digest = blake2b(key, digest_size=_DRAWN_BITS // 8, key=share.variant).digest()
            drawn = (int.from_bytes(digest, "big") + 0.5) / 2**_DRAWN_BITS
            score = share.weight / -log(drawn) if drawn < 1.0 else inf
            if score > best:
                found, best = share, score
    return found


def remembered(shares: Shares, cookies: Iterable[bytes]) -> Share | None:
    """Whom a client's cookie stands for, as long as that one still has a share."""
    for value in cookies:
        for share in shares:
            if share.variant == value and share.weight > 0:
                return share
    return None


def forced(shares: Shares, name: bytes) -> Share | None:
    """The service that a request asks for by name, whatever its weight; others than the route's cannot be had."""
    for share in shares:
        if share.service.encode("utf-8", "surrogatepass") == name:
            return share
    return None


def moved(shares: Shares, percent: float) -> tuple[Share, ...]:
    """The shares while the last one has so many percent, 0 up to 100; the others divide what is left as ever."""
    *others, canary = shares
    total = sum(share.weight for share in others)
    if total == 0 and others:  # somebody has to get the rest
        others[0], total = replace(others[0], weight=1), 1
    own = min(max(round(percent * _HUNDREDTHS), 0), 100 * _HUNDREDTHS)
    left = 100 * _HUNDREDTHS - own
    return (
        *(replace(share, weight=share.weight * left) for share in others),
        replace(canary, weight=own * total),
    )


def canary_of(spec: CanarySpec) -> CanaryPolicy:
    """The compiled form of `canary`."""
    return CanaryPolicy(
        steps=spec.steps,
        every_s=spec.every,
        max_error_ratio=spec.max_error_ratio,
        min_requests=spec.min_requests,
        max_latency_ratio=spec.max_latency_ratio,
    )


def canary_mark(split: Split) -> str:
    """Another for each other canary: of other services, or by another schedule. Weights of the others do not matter."""
    said = repr((split.services, split.canary)).encode("utf-8", "surrogatepass")
    return blake2b(said, digest_size=_MARK_BYTES, person=b"canary").hexdigest()


def settled(split: Split, headers: Iterable[tuple[bytes, bytes]], key: bytes) -> tuple[Share, Settled] | None:
    """Whom a request goes to, and why, where it is not left to chance. `key` is the caller, or the address."""
    shares = split.shares
    if split.forced_by and (share := forced(shares, _wanted(split, headers))) is not None:
        return share, "forced"
    if split.sticky == "consumer" and (share := by_key(shares, key)) is not None:
        return share, "consumer"
    if split.sticky == "cookie" and (share := remembered(shares, cookies(headers, split.cookie))) is not None:
        return share, "cookie"
    return None


def cookies(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> Iterator[bytes]:
    """The values of a cookie; a browser sends those of several paths, the most specific first."""
    for field, text in headers:
        if field == b"cookie" and name in text:
            for part in text.split(b";"):
                key, _, value = part.partition(b"=")
                if key.strip() == name:
                    yield value.strip()


def percentages(shares: Shares) -> dict[str, float]:
    """Each service's part of the requests, in percent."""
    total = sum(share.weight for share in shares)
    return {share.service: round(100 * share.weight / total, 2) if total else 0.0 for share in shares}


def set_cookie(split: Split, share: Share, *, secure: bool) -> bytes:
    """The value of a Set-Cookie field (RFC 6265 section 4.1) that ends with the browser's session."""
    said = split.cookie + b"=" + share.variant + b"; Path=" + split.cookie_path + b"; HttpOnly; SameSite=Lax"
    return said + b"; Secure" if secure else said


def split_of(spec: RouteSpec, pattern: PathPattern) -> Split:
    """The compiled form of `backends`, `sticky` and `force`."""
    sticky, _, cookie = (spec.sticky or "").partition(":")
    kind, _, name = (spec.force or "").partition(":")
    return Split(
        shares=tuple(share_of(backend.service, backend.weight) for backend in spec.backends),
        sticky="consumer" if sticky == "consumer" else "cookie" if sticky == "cookie" else "",
        cookie=cookie.encode("ascii", "replace"),
        cookie_path=_cookie_path(pattern),
        forced_by="header" if kind == "header" else "cookie" if kind == "cookie" else "",
        canary=None if spec.canary is None else canary_of(spec.canary),
        forced_name=(name.lower() if kind == "header" else name).encode("ascii", "replace"),
    )


def _wanted(split: Split, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    if split.forced_by == "cookie":
        return next(cookies(headers, split.forced_name), b"")
    return next((value for name, value in headers if name == split.forced_name), b"")


def _cookie_path(pattern: PathPattern) -> bytes:
    """What all paths of a route begin with, as whole segments (RFC 6265 section 5.1.4)."""
    segments: list[str] = []
    for segment in pattern.segments if pattern.kind != "exact" else pattern.text.split("/")[1:]:
        if segment is None:
            break
        segments.append(quote(segment, safe="%!$&'()*+,:@~-._"))
    path = "/" + "/".join(segments)
    return path.encode("ascii") if _PLAIN_PATH(path) else b"/"
