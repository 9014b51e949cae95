"""P: How old an answer is and how long it is fresh (RFC 9111 section 4.2), as a shared cache sees it.

All moments are seconds of the epoch. What is reckoned here once is kept with the answer: while it is served, two
comparisons say whether it is fresh.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from authproxy.caching.dates import moment
from authproxy.caching.directives import MOST_S, Directives, seconds
from routing.shapes.cache import CachePolicy

USUAL: Final = frozenset({200, 203, 204, 300, 301, 308})
"""Answers that `ttl` is for, where they say nothing themselves."""
NEGATIVE: Final = frozenset({404, 410})
"""… and `negative_ttl`."""
NEVER: Final = float("-inf")


class Times(NamedTuple):
    """When an answer was new, until when it is fresh, and how long after that it may be served."""

    born: float
    fresh_until: float
    while_revalidate_s: float = 0.0
    if_error_s: float = 0.0
    must_revalidate: bool = False
    """Stale, it is never served without asking: not for want of an answer, and not because a client takes it."""
    always_asks: bool = False
    """`no-cache`: fresh, it is not served without asking either."""


class Received(NamedTuple):
    """What the times are reckoned from. `fields` has the first field of each name, in lower case."""

    status: int
    fields: Mapping[bytes, bytes]
    directives: Directives
    requested_at: float
    received_at: float


def times_of(answer: Received, policy: CachePolicy) -> Times | None:
    """None: nobody says how long the answer is fresh, and there is nothing else to keep it for."""
    own_s = lifetime_s(answer)
    default_s = _default_s(answer.status, policy)
    overridden = policy.overrides and default_s is not None
    must_revalidate = any(name in answer.directives for name in _STRICT)
    born = answer.received_at - initial_age_s(answer)
    if overridden or (own_s is None and default_s is not None):
        assert default_s is not None
        fresh_until = answer.received_at + default_s  # the gateway's own clock: the upstream's may be wrong
    elif own_s is not None:
        fresh_until = born + own_s
    elif b"no-cache" in answer.directives or b"must-revalidate" in answer.directives:
        fresh_until = born
    else:
        return None
    return Times(
        born,
        fresh_until,
        _extra_s(answer.directives, b"stale-while-revalidate", policy.stale_while_revalidate_s),
        _extra_s(answer.directives, b"stale-if-error", policy.stale_if_error_s),
        must_revalidate,
        b"no-cache" in answer.directives and not overridden,
    )


def initial_age_s(answer: Received) -> float:
    """The age at its arrival (section 4.2.3): as long as it has been in caches, or by the clocks."""
    date = moment(answer.fields.get(b"date", b""))
    apparent_s = 0.0 if date is None else max(0.0, answer.received_at - date)
    return max(apparent_s, _age_s(answer) + answer.received_at - answer.requested_at)


def lifetime_s(answer: Received) -> float | None:
    """How long it is fresh by what it says itself (section 4.2.1); None: it says nothing."""
    for name in (b"s-maxage", b"max-age"):
        found = seconds(answer.directives, name)
        if found is not None:
            return float(found)
    expires = answer.fields.get(b"expires")
    if expires is None:
        return None
    until = moment(expires)
    if until is None:
        return 0.0  # "0" and the like: it has expired (section 5.3)
    date = moment(answer.fields.get(b"date", b""))
    return max(0.0, until - (answer.received_at if date is None else date))


_STRICT: Final = (b"must-revalidate", b"proxy-revalidate", b"s-maxage")
"""The last implies the second (section 5.2.2.10)."""


def _default_s(status: int, policy: CachePolicy) -> float | None:
    if status in USUAL:
        return policy.ttl_s
    return policy.negative_ttl_s if status in NEGATIVE else None


def _age_s(answer: Received) -> float:
    age = answer.fields.get(b"age", b"").split(b",")[0].strip()
    return float(min(int(age), MOST_S)) if age.isdigit() and len(age) < 12 else 0.0


def _extra_s(directives: Directives, name: bytes, default_s: float) -> float:
    found = seconds(directives, name)
    return default_s if found is None else float(found)
