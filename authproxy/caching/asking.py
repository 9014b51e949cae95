"""P: What a request says of caches: its Cache-Control, its conditions, its range. Most say nothing.

RFC 9111 section 5.2.1, RFC 9110 sections 13 and 14.
"""

from typing import Final

from authproxy.caching.directives import NOTHING, Directives, directives_of, seconds
from authproxy.headers import Pair, Pairs

CONDITIONS: Final = frozenset({b"if-none-match", b"if-modified-since"})
"""Conditions that a stored answer can meet."""
_PRECONDITIONS: Final = frozenset({b"if-match", b"if-unmodified-since"})
"""… and those that the service alone judges."""
SAID: Final = CONDITIONS | _PRECONDITIONS | frozenset({b"cache-control", b"pragma", b"range", b"if-range"})
"""Any of these makes a request one that is looked at closely."""
LOOKING_UP: Final = SAID - {b"cache-control", b"pragma"}


class Asked:
    """What one request says. Times in seconds; None: it does not say."""

    __slots__ = (
        "if_modified_since",
        "if_none_match",
        "if_range",
        "max_age",
        "max_stale",
        "min_fresh",
        "no_cache",
        "no_store",
        "only_if_cached",
        "precondition",
        "range",
    )

    def __init__(self, said: Pairs = ()) -> None:
        fields = {name: b", ".join([v for n, v in said if n == name]) for name in {n for n, _ in said}}
        control: Directives = (
            directives_of([fields[b"cache-control"]]) if b"cache-control" in fields else NOTHING
        )
        self.no_store = b"no-store" in control
        self.no_cache = b"no-cache" in control or (
            b"cache-control" not in fields and b"no-cache" in fields.get(b"pragma", b"").lower()
        )
        self.only_if_cached = b"only-if-cached" in control
        self.max_age = seconds(control, b"max-age")
        self.min_fresh = seconds(control, b"min-fresh") or 0
        self.max_stale = _max_stale(control)
        self.if_none_match = fields.get(b"if-none-match")
        self.if_modified_since = fields.get(b"if-modified-since")
        self.precondition = not _PRECONDITIONS.isdisjoint(fields)
        self.range = fields.get(b"range")
        self.if_range = fields.get(b"if-range")

    @property
    def is_conditional(self) -> bool:
        return self.if_none_match is not None or self.if_modified_since is not None


def asked_of(passed: Pairs) -> Asked:
    """What a request with these fields says."""
    said = [pair for pair in passed if pair[0] in SAID]
    return Asked(said) if said else PLAIN


def without_conditions(passed: Pairs) -> list[Pair]:
    """The fields for a request whose answer is to be kept: whole, whatever the client has already."""
    return [pair for pair in passed if pair[0] not in LOOKING_UP]


def _max_stale(control: Directives) -> float | None:
    if b"max-stale" not in control:
        return None
    return float("inf") if control[b"max-stale"] is None else seconds(control, b"max-stale")


PLAIN: Final = Asked()
"""Of a request that says nothing."""
