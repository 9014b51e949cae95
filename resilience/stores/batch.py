"""P: Requests that go to the shared store together, as arguments of `limits.lua`, and the answers as verdicts."""

from collections.abc import Sequence
from struct import pack
from typing import Final

from resilience.limiter import Meter, Meters
from resilience.policies import QuotaPolicy
from resilience.stores.base import Charge, Verdict, bucket_of, decision_of, verdict

PREFIX: Final = "{torana:limits}"

Charges = Sequence[Charge]


class Batch:
    """Keys and arguments, each bucket and each meter once."""

    __slots__ = ("_buckets", "_meters", "_numbers", "_packed", "_prefix", "_table")

    def __init__(self, table: Meters, *, prefix: str = PREFIX) -> None:
        self._table = table
        self._prefix = prefix
        self._buckets: dict[str, int] = {}
        self._meters: dict[int, tuple[int, Meter]] = {}
        self._packed: list[bytes] = []
        self._numbers: list[int] = []

    def add(self, charges: Charges) -> None:
        """One request."""
        buckets, numbers = self._buckets, self._numbers
        numbers.append(len(charges))
        for policy, key in charges:
            at, meter = self._meters.get(id(policy)) or self._enter(policy)
            name = bucket_of(meter, key)
            number = buckets.get(name)
            if number is None:
                number = buckets[name] = len(buckets)
            numbers += (at, number)

    def _enter(self, policy: QuotaPolicy) -> tuple[int, Meter]:
        meter = self._table.of(policy)
        entry = self._meters[id(policy)] = len(self._packed), meter
        self._packed.append(packed(meter))
        return entry

    def keys(self) -> list[str]:
        """KEYS of the script."""
        return [self._prefix + name for name in self._buckets]

    def arguments(self) -> list[bytes]:
        """ARGV of the script."""
        return [b"".join(self._packed), pack(f"<{len(self._numbers)}H", *self._numbers)]


def packed(meter: Meter) -> bytes:
    """A meter as the script reads it."""
    enforced = meter.policy.is_enforced
    return pack("<cBddd", meter.letter.encode(), enforced, meter.limit, meter.capacity, meter.period)


def verdicts(requests: Sequence[Charges], answer: Sequence[int]) -> list[Verdict]:
    """What the script's answer means for each request. Raises ValueError for an answer of another shape."""
    if len(answer) != 3 * sum(map(len, requests)):
        raise ValueError("the store answered what was not asked")
    numbers = iter(answer)
    threes = zip(numbers, numbers, numbers, strict=True)
    found = []
    for charges in requests:
        allowed = True
        decisions = []
        for policy, _ in charges:
            remaining, reset, retry = next(threes)
            if retry and policy.is_enforced:
                allowed = False
            decisions.append(decision_of(policy, remaining, reset, retry))
        found.append(verdict((allowed, tuple(decisions), False)))
    return found
