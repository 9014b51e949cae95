"""P: What becomes of a request for which there is a stored answer (RFC 9111 section 4.2.4, RFC 5861)."""

from enum import Enum

from authproxy.caching.asking import Asked
from authproxy.caching.freshness import Times


class Use(Enum):
    """How a stored answer is used."""

    FRESH = "fresh"
    STALE = "stale"
    """The client takes it."""
    MEANWHILE = "meanwhile"
    """It is served, and a new one is fetched beside it."""
    ASK = "ask"
    """Not before the service was asked."""


def judge(times: Times, asked: Asked, now: float) -> Use:
    """What may be done with an answer now."""
    if asked.no_cache or times.always_asks:
        return Use.ASK
    age_s, left_s = now - times.born, times.fresh_until - now
    if asked.max_age is not None and age_s > asked.max_age:
        return Use.ASK
    if left_s > 0 and left_s >= asked.min_fresh:
        return Use.FRESH
    if times.must_revalidate or left_s > 0:
        return Use.ASK
    if asked.max_stale is not None and -left_s <= asked.max_stale:
        return Use.STALE
    if asked.min_fresh == 0 and -left_s < times.while_revalidate_s:
        return Use.MEANWHILE
    return Use.ASK


def serves_instead_of_error(times: Times, asked: Asked, now: float) -> bool:
    """Whether a stored answer may stand in for a service that fails."""
    if times.must_revalidate or times.always_asks or asked.no_cache:
        return False
    return now - times.fresh_until < times.if_error_s
