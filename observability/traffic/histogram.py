"""P: Durations counted in buckets that grow by 2^(1/8): any quantile to within 4.5 %, and merged by adding.

The bounds are fixed, so that histograms of any worker, minute or route add up to the histogram of all of them (compare
DDSketch, Masson et al. 2019, whose buckets these are, with a floor and a ceiling). Every eighth bound is a power of two
milliseconds: a coarser histogram for Prometheus is a sum of whole buckets.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from typing import Final

PER_DOUBLING: Final = 8
FLOOR_S: Final = 0.000_125
"""Everything below counts as this: an eighth of a millisecond, three doublings below one."""
LAST: Final = PER_DOUBLING * 20
"""Of FLOOR_S × 2^20, 131 s. Everything above counts as this."""
BOUNDS_S: Final = tuple(FLOOR_S * 2 ** (number / PER_DOUBLING) for number in range(LAST))
Buckets = Mapping[int, int]
"""How many durations each bucket holds, by its number; those that hold none are left out."""


def bucket_of(seconds: float) -> int:
    """The number of the bucket: the first whose upper bound is not less than `seconds`."""
    return bisect_left(BOUNDS_S, seconds)


def buckets_of(durations: Iterable[float]) -> dict[int, int]:
    """Of many, in seconds: in order, so that a bucket is looked for once for all that it holds."""
    ordered, found, at = sorted(durations), {}, 0
    while at < len(ordered):
        number = bucket_of(ordered[at])
        after = bisect_right(ordered, BOUNDS_S[number], at) if number < LAST else len(ordered)
        found[number] = after - at
        at = after
    return found


def upper_s(number: int) -> float:
    """The upper bound of a bucket, in seconds."""
    return float(FLOOR_S * 2 ** (number / PER_DOUBLING))


def merge(into: dict[int, int], other: Buckets) -> None:
    """Adds `other`."""
    for number, count in other.items():
        into[number] = into.get(number, 0) + count


def quantile(buckets: Buckets, share: float) -> float:
    """The duration that `share` (0 to 1) of all do not exceed, in seconds: the middle of its bucket; 0.0 for none."""
    wanted = share * sum(buckets.values())
    seen = 0
    for number in sorted(buckets):
        seen += buckets[number]
        if seen >= wanted:
            return upper_s(number) if number == 0 else (upper_s(number - 1) + upper_s(number)) / 2
    return 0.0


def up_to(buckets: Buckets, seconds: float) -> int:
    """How many were not longer than `seconds`, which should be a bound."""
    last = bucket_of(seconds)
    return sum(count for number, count in buckets.items() if number <= last)
