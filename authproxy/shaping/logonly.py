"""I: What policies decide about requests, counted; those in `mode: log` judge and let pass.

Counts are kept by route, policy and reason, all of which come from the configuration or the program, never from a
client, and are bounded all the same.
"""

from collections import Counter
from typing import Final

from authproxy.exchange import Exchange
from authproxy.rejections import Rejection

MOST_KINDS: Final = 4096
Kind = tuple[str, str, str]
"""Route, policy and reason."""


class Judgements:
    """How many requests were refused, and how many would have been."""

    __slots__ = ("refused", "would_refuse")

    def __init__(self) -> None:
        self.refused: Counter[Kind] = Counter()
        self.would_refuse: Counter[Kind] = Counter()

    def note(self, kind: Kind, *, is_enforced: bool) -> None:
        """One more."""
        counts = self.refused if is_enforced else self.would_refuse
        if kind not in counts and len(counts) >= MOST_KINDS:
            counts.clear()
        counts[kind] += 1


JUDGEMENTS: Final = Judgements()
"""This process's own."""


def concluded(
    exchange: Exchange, policy: str, reason: str, refusal: Rejection, *, is_enforced: bool
) -> Rejection | None:
    """Count a refusal; it is one only where the policy is enforced."""
    JUDGEMENTS.note((exchange.route.name, policy, reason), is_enforced=is_enforced)
    if is_enforced:
        return refusal
    exchange.would = (*exchange.would, (policy, refusal))
    return None
