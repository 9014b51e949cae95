"""I: Whoever explains a request asks here what is left of its quotas; who knows where they are counted binds itself."""

from collections.abc import Sequence
from typing import Final

from resilience.policies import QuotaPolicy
from routing.knowledge import Counted, QuotasLeft, Remaining

NOBODY: Final = "nobody counts here"
_bound: list[QuotasLeft] = []


def bind(left: QuotasLeft) -> None:
    """`left` answers for each quota, in their order; it consumes nothing, and keeps nobody waiting for long."""
    _bound[:] = [left]


def left(quotas: Sequence[QuotaPolicy], request: Counted) -> Sequence[Remaining]:
    """What is left of each quota for that request."""
    return _bound[0](quotas, request) if _bound else (NOBODY,) * len(quotas)
