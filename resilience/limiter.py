"""P: How requests are counted against a quota: a token bucket, a sliding window, a fixed or calendar window.

A `Meter` is made once from a policy. What it remembers of one bucket is a `State` of two or three whole numbers; the
second is when the state equals "never seen", so that it may be dropped. Times are whole microseconds of the epoch:
with whole numbers nothing is lost to rounding, and `resilience/stores/limits.lua` comes to the same answers.

A clock that goes back gives nothing away: what was counted stays counted. It locks nobody out for long either: a
state that lies more than one period ahead is moved to now by the next request, even one that is refused.
"""

from datetime import UTC, datetime
from typing import Final, Protocol

from resilience.policies import QuotaPolicy

SECOND_US: Final = 1_000_000
DAY_US: Final = 86_400 * SECOND_US
MOST_METERS: Final = 4096

_LETTERS: Final = {"token_bucket": "t", "sliding_window": "s", "fixed_window": "f", "day": "d", "month": "m"}

State = tuple[int, ...]
Taken = tuple[State | None, int, int, int]
"""(state after the request, or None: as it was; remaining; µs until all is there again; µs until a retry).

The last is 0 when the request is allowed, and only then.
"""


class Meter(Protocol):
    """One policy, ready to count."""

    policy: QuotaPolicy
    letter: str
    prefix: str
    """Of its buckets' names."""
    limit: int
    capacity: int
    period: int

    def consume(self, state: State | None, now: int) -> Taken:
        """Takes one request. What is refused consumes nothing."""

    def look(self, state: State | None, now: int) -> tuple[int, int]:
        """(remaining, µs until all is there again) of a request that consumes nothing."""


def prefix_of(policy: QuotaPolicy) -> str:
    """Of the names of the policy's buckets."""
    return f"{_LETTERS[policy.calendar or policy.algorithm]}|{policy.name}|"


def forgotten_at(state: State) -> int:
    """From then on the state says no more than none."""
    return state[1]


class _Meter:
    __slots__ = ("capacity", "letter", "limit", "period", "policy", "prefix")

    def __init__(self, policy: QuotaPolicy, share: int = 1) -> None:
        self.policy = policy
        self.letter = _LETTERS[policy.calendar or policy.algorithm]
        self.prefix = prefix_of(policy)
        self.limit = -(-policy.limit // share)
        self.capacity = -(-policy.capacity // share)
        self.period = max(round(policy.per_s * SECOND_US), 1)


class TokenBucket(_Meter):
    """State: (slack, when the bucket is full again).

    A request costs `period` units, and `limit` of them flow back in a microsecond. What is out of the bucket is
    what flows back until it is full, less the slack of the last microsecond.
    """

    __slots__ = ("_size",)

    def __init__(self, policy: QuotaPolicy, share: int = 1) -> None:
        super().__init__(policy, share)
        self._size = self.capacity * self.period

    def consume(self, state: State | None, now: int) -> Taken:
        limit = self.limit
        out = self._out(state, now)
        left = self._size - out - self.period
        if left < 0:
            reset = -(-out // limit)
            moved = (reset * limit - out, now + reset) if state and now + reset < state[1] else None
            return moved, max((self._size - out) // self.period, 0), reset, -(left // limit)
        reset = -((left - self._size) // limit)
        return (reset * limit + left - self._size, now + reset), left // self.period, reset, 0

    def look(self, state: State | None, now: int) -> tuple[int, int]:
        out = self._out(state, now)
        return max((self._size - out) // self.period, 0), -(-out // self.limit)

    def _out(self, state: State | None, now: int) -> int:
        if state is None or state[1] <= now:
            return 0
        out = max((state[1] - now) * self.limit - state[0], 0)
        return out if out <= 2 * self._size else self._size


class FixedWindow(_Meter):
    """State: (count, end of the window). Windows begin at whole periods of the epoch, at midnight, or on the first."""

    __slots__ = ("_begins", "_ends")

    def __init__(self, policy: QuotaPolicy, share: int = 1) -> None:
        super().__init__(policy, share)
        self._begins = self._ends = 0

    def consume(self, state: State | None, now: int) -> Taken:
        count, end = self._window(state, now)
        if count >= self.limit:
            return (count, end) if state and end < state[1] else None, 0, end - now, end - now
        count += 1
        return (count, end), self.limit - count, end - now, 0

    def look(self, state: State | None, now: int) -> tuple[int, int]:
        count, end = self._window(state, now)
        return max(self.limit - count, 0), end - now if count else 0

    def _window(self, state: State | None, now: int) -> tuple[int, int]:
        end = self._end(now)
        if state is None or state[1] < end:
            return 0, end
        ahead = state[1] - end
        return state[0], state[1] if ahead <= self.period else end

    def _end(self, now: int) -> int:
        if not self._begins <= now < self._ends:
            self._begins, self._ends = _window_of(self.policy, self.period, now)
        return self._ends


class SlidingWindow(_Meter):
    """State: (count, end of the window after its own, count of the window before).

    The window before counts by the share of it that the last period still covers.
    """

    __slots__ = ()

    def consume(self, state: State | None, now: int) -> Taken:
        count, end, before = self._windows(state, now)
        period, ahead = self.period, end - now
        left = (self.limit - count - 1) * period - before * min(ahead, period)
        if left < 0:
            reset, wait = self._reset(count, before, ahead), self._wait(count, before, ahead)
            moved = (count, end + period, before) if state and end + period < state[1] else None
            return moved, max(left // period + 1, 0), reset, wait
        return (count + 1, end + period, before), left // period, ahead + period, 0

    def look(self, state: State | None, now: int) -> tuple[int, int]:
        count, end, before = self._windows(state, now)
        ahead = end - now
        left = (self.limit - count) * self.period - before * min(ahead, self.period)
        return max(left // self.period, 0), self._reset(count, before, ahead)

    def _windows(self, state: State | None, now: int) -> tuple[int, int, int]:
        """(count, end, count before) as of now."""
        period = self.period
        end = now - now % period + period
        if state is None or state[1] <= now:
            return 0, end, 0
        count, due, before = state
        passed = end + period - due
        if passed > 0:
            return 0, end, count
        return count, due - period if passed >= -period else end, before

    def _reset(self, count: int, before: int, ahead: int) -> int:
        if count:
            return ahead + self.period
        return ahead if before else 0

    def _wait(self, count: int, before: int, ahead: int) -> int:
        """Until enough of the window before has gone by; when this one is full, until it is the one before."""
        room = self.limit - count - 1
        if room >= 0:
            return ahead - room * self.period // before
        return ahead + self.period - (self.limit - 1) * self.period // count


def _window_of(policy: QuotaPolicy, period: int, now: int) -> tuple[int, int]:
    """Beginning and end of the fixed window around `now`."""
    if policy.calendar == "month":
        day = datetime.fromtimestamp(now // SECOND_US, UTC)
        begins = datetime(day.year, day.month, 1, tzinfo=UTC)
        ends = datetime(day.year + day.month // 12, day.month % 12 + 1, 1, tzinfo=UTC)
        return int(begins.timestamp()) * SECOND_US, int(ends.timestamp()) * SECOND_US
    length = DAY_US if policy.calendar == "day" else period
    begins_us = now - now % length
    return begins_us, begins_us + length


_KINDS: Final[dict[str, type[TokenBucket] | type[FixedWindow] | type[SlidingWindow]]] = {
    "token_bucket": TokenBucket,
    "fixed_window": FixedWindow,
    "sliding_window": SlidingWindow,
}


def meter_of(policy: QuotaPolicy, *, share: int = 1) -> Meter:
    """The policy's meter; with a `share`, of one of so many parts of its limit, rounded up."""
    return _KINDS[policy.algorithm](policy, share)


class Meters:
    """Meters by the identity of their policy, which each keeps alive. After many changes all are made anew."""

    __slots__ = ("_meters", "_share")

    def __init__(self, *, share: int = 1) -> None:
        self._meters: dict[int, Meter] = {}
        self._share = share

    def __len__(self) -> int:
        return len(self._meters)

    def of(self, policy: QuotaPolicy) -> Meter:
        """The policy's meter, made on first sight."""
        meter = self._meters.get(id(policy))
        if meter is None:
            if len(self._meters) >= MOST_METERS:
                self._meters.clear()
            meter = self._meters[id(policy)] = meter_of(policy, share=self._share)
        return meter
