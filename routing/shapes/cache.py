"""P: Caching of a route's answers (`cache`), compiled, and what it makes of a request."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from routing.explanation import PolicyNote

if TYPE_CHECKING:
    from routing.document.answers import CacheSpec

Fields = tuple[tuple[bytes, bytes], ...]
LOOKED_UP: Final = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """Times in seconds. Names of fields are lower case, sorted."""

    ttl_s: float | None = None
    """How long an answer is fresh that says nothing of it itself."""
    overrides: bool = False
    """`ttl_s` holds whatever the answer says of its freshness."""
    negative_ttl_s: float | None = None
    """The same as `ttl_s`, of 404 and 410."""
    stale_while_revalidate_s: float = 0.0
    """Of answers that do not say (RFC 5861)."""
    stale_if_error_s: float = 0.0
    vary: tuple[bytes, ...] = ()
    tags: tuple[str, ...] = ()
    max_body: int = 1 << 20
    """Longer answers are not stored."""


def cache_of(spec: CacheSpec | None) -> CachePolicy | None:
    """A route's policy; None where it has none."""
    if spec is None:
        return None
    return CachePolicy(
        ttl_s=spec.ttl,
        overrides=bool(spec.override) and spec.ttl is not None,
        negative_ttl_s=spec.negative_ttl,
        stale_while_revalidate_s=spec.stale_while_revalidate or 0.0,
        stale_if_error_s=spec.stale_if_error or 0.0,
        vary=tuple(sorted({name.lower().encode("ascii") for name in spec.vary})),
        tags=tuple(dict.fromkeys(spec.tags)),
        max_body=spec.max_body,
    )


def cache_note(
    policy: CachePolicy | None, source: str, *, method: str, headers: Fields, has_caller: bool
) -> Iterator[PolicyNote]:
    """Whether the cache is asked, and what its answers are distinguished by. What is stored now, it does not know."""
    if policy is None:
        return
    bypass = bypassed_because(method, headers)
    details: dict[str, Any] = {
        "request": f"bypass: {bypass}" if bypass else "hit or miss",
        "ttl_s": policy.ttl_s,
        "override": policy.overrides,
        "negative_ttl_s": policy.negative_ttl_s,
        "stale_while_revalidate_s": policy.stale_while_revalidate_s or None,
        "stale_if_error_s": policy.stale_if_error_s or None,
        "vary": [name.decode("ascii") for name in policy.vary],
        "tags": list(policy.tags),
        "max_body": policy.max_body,
    }
    if not bypass:
        details["shared"] = (
            "with this caller alone, unless the answer says public or s-maxage"
            if has_caller
            else "with everybody who sends no credentials"
        )
    yield PolicyNote("cache", source, "pass" if bypass else "applies", details)


def bypassed_because(method: str, headers: Fields) -> str:
    """Why the cache is not asked; empty: it is."""
    if method not in LOOKED_UP:
        return f"{method} is not answered from a cache; it may end what is stored of the URL"
    for name, value in headers:
        if name == b"cache-control" and b"no-store" in value.lower():
            return "the request says no-store"
    return ""
