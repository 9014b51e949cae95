"""I: Limits within one process: alone, or in place of a shared store that is away."""

import time
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from resilience.limiter import SECOND_US, Meter, Meters, Taken, meter_of
from resilience.policies import QuotaPolicy
from resilience.stores.base import Charge, Decision, Seed, Verdict, bucket_of, decision_of, peeked, verdict
from resilience.stores.buckets import MOST_KEPT, Buckets

MICROSECOND_NS: Final = 1000
Entry = tuple[str, Meter, Taken]


def epoch_us() -> int:
    """Calendar windows, and those that all workers share, are of the wall clock."""
    return time.time_ns() // MICROSECOND_NS


class MemoryStore:
    """One per worker. With a `share`, it admits one of so many parts of each limit, rounded up."""

    __slots__ = ("_buckets", "_meters", "_now", "_share")

    def __init__(
        self, *, most: int = MOST_KEPT, share: int = 1, now_us: Callable[[], int] = epoch_us
    ) -> None:
        self._buckets = Buckets(most=most)
        self._meters = Meters(share=share)
        self._share = share
        self._now = now_us

    def __len__(self) -> int:
        return len(self._buckets)

    @property
    def dropped(self) -> int:
        """How many buckets were forgotten for want of room."""
        return self._buckets.dropped

    def take(self, charges: Sequence[Charge]) -> Verdict:
        """Decides, and consumes from all quotas or from none."""
        if len(charges) == 1:
            return self._take_one(*charges[0])
        now = self._now()
        entries, allowed = self._judge(charges, now)
        decisions = []
        if not allowed:
            return verdict((False, self._unconsumed(entries, now), False))
        for name, meter, (state, remaining, reset, retry) in entries:
            if state is not None:
                self._buckets.put(name, state, now)
            decisions.append(decision_of(meter.policy, remaining, reset, retry))
        return verdict((True, tuple(decisions), False))

    def seed(self, seeds: Iterable[Seed]) -> None:
        """Takes over what was counted elsewhere, where it is more than what is known here; of it, its own share."""
        now = self._now()
        for bucket, counted, ends_s in seeds:
            count, end = -(-counted // self._share), ends_s * SECOND_US
            known = self._buckets.find(bucket)
            if end > now and (known is None or (known[1], known[0]) < (end, count)):
                self._buckets.put(bucket, (count, end), now)

    def reset(self, buckets: Iterable[str]) -> None:
        """Counts these anew, in calendar windows, which go on."""
        now = self._now()
        for bucket in buckets:
            known = self._buckets.find(bucket)
            if known is not None:
                self._buckets.put(bucket, (0, known[1]), now)

    def _take_one(self, policy: QuotaPolicy, key: str) -> Verdict:
        """The same, for the usual request: it takes a third less time."""
        meter = self._meters.of(policy)
        name = bucket_of(meter, key)
        now = self._now()
        state, remaining, reset, retry = meter.consume(self._buckets.find(name), now)
        if state is not None:
            self._buckets.put(name, state, now)
        allowed = not retry or not policy.is_enforced
        return verdict((allowed, (decision_of(policy, remaining, reset, retry),), False))

    def peek(self, charges: Sequence[Charge]) -> tuple[Decision, ...]:
        """What a request would be told before it is counted. Changes nothing, so that any thread may ask."""
        now = self._now()
        meters = [meter_of(policy, share=self._share) for policy, _ in charges]
        return tuple(
            peeked(meter, self._buckets.find(bucket_of(meter, key)), now)
            for meter, (_, key) in zip(meters, charges, strict=True)
        )

    def look(self, charges: Sequence[Charge]) -> tuple[Decision, ...]:
        """Decides, and consumes nothing: for a request that something else refuses."""
        now = self._now()
        return self._unconsumed(self._judge(charges, now)[0], now)

    def _judge(self, charges: Sequence[Charge], now: int) -> tuple[list[Entry], bool]:
        """What each quota would do, and whether all that are enforced allow it."""
        find, meter_of = self._buckets.find, self._meters.of
        entries: list[Entry] = []
        allowed = True
        for policy, key in charges:
            meter = meter_of(policy)
            name = bucket_of(meter, key)
            taken = meter.consume(find(name), now)
            if taken[3] and policy.is_enforced:
                allowed = False
            entries.append((name, meter, taken))
        return entries, allowed

    def _unconsumed(self, entries: list[Entry], now: int) -> tuple[Decision, ...]:
        decisions = []
        for name, meter, (state, remaining, reset, retry) in entries:
            if not retry:
                remaining, reset = meter.look(self._buckets.find(name), now)
            elif state is not None:
                self._buckets.put(name, state, now)
            decisions.append(decision_of(meter.policy, remaining, reset, retry))
        return tuple(decisions)
